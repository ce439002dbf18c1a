//! Walking through a tree.

use super::*;
use std::ops::Bound;

pub(super) const LESSONS: &[Lesson] = &[
    a_scan_goes_both_ways,
    bounds_are_kept,
    a_scan_can_be_broken_off_and_gone_on_with,
    a_scan_sees_its_own_changes_ahead,
    a_scan_sees_its_snapshot_whatever_happens,
    a_scan_outlives_its_transaction,
];

fn fill(engine: &Engine, count: u32) {
    let mut tx = begin(engine);
    for n in 0..count {
        put(&mut tx, engine, &format!("{n:05}"), &n.to_string());
    }
    commit(tx);
}

fn range<'a>(from: Bound<&'a str>, to: Bound<&'a str>, backward: bool) -> Range<'a> {
    Range {
        from: from.map(str::as_bytes),
        to: to.map(str::as_bytes),
        backward,
    }
}

fn a_scan_goes_both_ways(engine: &Engine) {
    fill(engine, 1000);
    let tx = begin(engine);
    let forward = rows(&tx, engine);
    assert_eq!(forward.len(), 1000);
    assert!(forward.is_sorted());
    let mut backward = rows_in(
        &tx,
        engine.root(),
        range(Bound::Unbounded, Bound::Unbounded, true),
    );
    backward.reverse();
    assert_eq!(forward, backward);
}

fn bounds_are_kept(engine: &Engine) {
    fill(engine, 10);
    let tx = begin(engine);
    let count = |from, to| {
        let counts = [false, true].map(|back| rows_in(&tx, engine.root(), range(from, to, back)).len());
        assert_eq!(counts[0], counts[1], "the same both ways");
        counts[0]
    };
    assert_eq!(count(Bound::Included("00003"), Bound::Included("00005")), 3);
    assert_eq!(count(Bound::Excluded("00003"), Bound::Excluded("00005")), 1);
    assert_eq!(count(Bound::Unbounded, Bound::Excluded("00005")), 5);
    assert_eq!(count(Bound::Included("00005"), Bound::Included("00003")), 0);
    assert_eq!(count(Bound::Excluded("00005"), Bound::Excluded("00005")), 0);
    assert_eq!(count(Bound::Included("x"), Bound::Unbounded), 0);
}

fn a_scan_can_be_broken_off_and_gone_on_with(engine: &Engine) {
    fill(engine, 500);
    // Older versions and deletions among the rows are no reason to show one twice or not at all.
    let reader = begin(engine);
    for n in (0..500).step_by(3) {
        remove(engine, &format!("{n:05}"));
    }
    for backward in [false, true] {
        let all = range(Bound::Unbounded, Bound::Unbounded, backward);
        let mut cursor = reader.scan(engine.root(), all).expect("it can be scanned");
        let (mut shown, mut more) = (Vec::new(), true);
        while more {
            more = cursor
                .next(&mut |key, value| {
                    shown.push(row(key, value));
                    match shown.len() % 7 {
                        0 => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                })
                .expect("the scan goes on");
        }
        assert_eq!(shown, rows_in(&reader, engine.root(), all));
        assert_eq!(shown.len(), 500);
    }
}

fn a_scan_sees_its_own_changes_ahead(engine: &Engine) {
    store(engine, "b", "1");
    let mut tx = begin(engine);
    put(&mut tx, engine, "d", "1");
    let mut cursor = tx.scan(engine.root(), Range::ALL).expect("it can be scanned");
    let mut next = |shown: &mut Vec<String>| {
        cursor
            .next(&mut |key, value| {
                shown.push(row(key, value));
                ControlFlow::Break(())
            })
            .expect("the scan goes on")
    };
    let mut shown = Vec::new();
    assert!(next(&mut shown));
    put(&mut tx, engine, "a", "behind");
    put(&mut tx, engine, "c", "ahead");
    put(&mut tx, engine, "d", "2");
    while next(&mut shown) {}
    assert_eq!(shown, ["b=1", "c=ahead", "d=2"]);
}

fn a_scan_sees_its_snapshot_whatever_happens(engine: &Engine) {
    fill(engine, 300);
    let reader = begin(engine);
    let mut cursor = reader.scan(engine.root(), Range::ALL).expect("it can be scanned");
    let mut shown = Vec::new();
    for n in 0..300 {
        if n % 2 == 0 {
            remove(engine, &format!("{n:05}"));
        } else {
            store(engine, &format!("{n:05}"), "changed");
        }
        store(engine, &format!("{n:05}x"), "new");
        if n % 50 == 0 {
            collect(engine);
            cursor
                .next(&mut |key, value| {
                    shown.push(row(key, value));
                    ControlFlow::Continue(())
                })
                .expect("the scan goes on");
        }
    }
    let mut more = true;
    while more {
        more = cursor
            .next(&mut |key, value| {
                shown.push(row(key, value));
                ControlFlow::Continue(())
            })
            .expect("the scan goes on");
    }
    let expected: Vec<_> = (0..300).map(|n| format!("{n:05}={n}")).collect();
    assert_eq!(shown, expected);
}

fn a_scan_outlives_its_transaction(engine: &Engine) {
    fill(engine, 300);
    let reader = begin(engine);
    let mut cursor = reader.scan(engine.root(), Range::ALL).expect("it can be scanned");
    drop(reader);
    for n in 0..300 {
        remove(engine, &format!("{n:05}"));
    }
    collect(engine);
    let (mut count, mut more) = (0, true);
    while more {
        more = cursor
            .next(&mut |_, _| {
                count += 1;
                ControlFlow::Continue(())
            })
            .expect("the scan goes on");
    }
    assert_eq!(count, 300);
}
