//! What serializable transactions may count on: whatever commits might have run one after the other.
//!
//! Engines differ in whom they refuse, and when. So what is asked is that of transactions that cannot all be right not all commit.

use super::*;
use std::ops::Bound;

pub(super) const LESSONS: &[Lesson] = &[
    write_skew_is_refused,
    a_key_that_was_not_there_counts_as_read,
    a_phantom_is_noticed,
    a_phantom_counts_as_far_as_was_read,
    a_deletion_counts,
    a_number_of_rows_counts_as_reading_them_all,
    many_puts_in_a_row_count,
    a_report_does_not_see_what_no_order_has,
    transactions_with_nothing_in_common_all_commit,
    after_it_was_refused_it_works_again,
    one_that_waits_for_a_safe_snapshot_is_never_refused,
    other_levels_are_not_refused_so,
];

fn begin_serializable(engine: &Engine) -> Tx {
    let isolation = Isolation::Serializable;
    let begin = Begin::default();
    begin_as(engine, Begin { isolation, ..begin })
}

fn begin_report(engine: &Engine, deferrable: bool) -> Tx {
    let how = Begin {
        isolation: Isolation::Serializable,
        read_only: true,
        deferrable,
        ..Begin::default()
    };
    begin_as(engine, how)
}

/// What a transaction reads, and what it writes then.
type Part = fn(&Engine, &mut Tx) -> Result<(), Error>;

fn key_of(tx: &Tx, engine: &Engine, key: &str) -> Result<bool, Error> {
    tx.get(engine.root(), key.as_bytes(), &mut |_| {})
}

fn count_from(tx: &Tx, engine: &Engine, from: &str) -> Result<usize, Error> {
    let range = Range {
        from: Bound::Included(from.as_bytes()),
        ..Range::ALL
    };
    let mut cursor = tx.scan(engine.root(), range)?;
    let mut rows = 0;
    while cursor.next(&mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })? {}
    Ok(rows)
}

/// Runs both reads, then both writes, then both commits: how many of the two committed.
fn both(engine: &Engine, reads: [Part; 2], writes: [Part; 2]) -> usize {
    let mut transactions = [begin_serializable(engine), begin_serializable(engine)].map(Some);
    for parts in [reads, writes] {
        for (tx, part) in transactions.iter_mut().zip(parts) {
            let result = tx.as_mut().map_or(Ok(()), |tx| part(engine, tx));
            if let Err(error) = result {
                assert!(error.is_retryable(), "{error}");
                tx.take();
            }
        }
    }
    let commits = transactions.into_iter().flatten().map(EngineTransaction::commit);
    let results: Vec<_> = commits.collect();
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(error.is_retryable(), "{error}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

fn write_skew_is_refused(engine: &Engine) {
    store(engine, "alice", "on call");
    store(engine, "bob", "on call");
    let committed = both(
        engine,
        [
            |engine, tx| key_of(tx, engine, "bob").map(drop),
            |engine, tx| key_of(tx, engine, "alice").map(drop),
        ],
        [
            |engine, tx| try_put(tx, engine, "alice", "gone"),
            |engine, tx| try_put(tx, engine, "bob", "gone"),
        ],
    );
    assert_eq!(committed, 1);
    let here = rows(&begin(engine), engine);
    assert_eq!(here.iter().filter(|row| row.ends_with("on call")).count(), 1);
}

fn a_key_that_was_not_there_counts_as_read(engine: &Engine) {
    let committed = both(
        engine,
        [
            |engine, tx| key_of(tx, engine, "b").map(|there| assert!(!there)),
            |engine, tx| key_of(tx, engine, "a").map(|there| assert!(!there)),
        ],
        [
            |engine, tx| try_put(tx, engine, "a", "1"),
            |engine, tx| try_put(tx, engine, "b", "1"),
        ],
    );
    assert_eq!(committed, 1);
}

fn a_phantom_is_noticed(engine: &Engine) {
    store(engine, "m", "0");
    let read: Part = |engine, tx| count_from(tx, engine, "a").map(|rows| assert_eq!(rows, 1));
    let committed = both(
        engine,
        [read, read],
        [
            |engine, tx| try_put(tx, engine, "n", "1"),
            |engine, tx| try_put(tx, engine, "o", "1"),
        ],
    );
    assert_eq!(committed, 1);
}

fn a_phantom_counts_as_far_as_was_read(engine: &Engine) {
    for key in ["b", "d", "f"] {
        store(engine, key, "0");
    }
    // Each looks at the other's part and writes in its own, which nobody looked at.
    let committed = both(
        engine,
        [
            |engine, tx| count_from(tx, engine, "p").map(|rows| assert_eq!(rows, 0)),
            |engine, tx| count_from(tx, engine, "p").map(|rows| assert_eq!(rows, 0)),
        ],
        [
            |engine, tx| try_put(tx, engine, "c", "1"),
            |engine, tx| try_put(tx, engine, "e", "1"),
        ],
    );
    assert_eq!(committed, 2);
}

fn a_deletion_counts(engine: &Engine) {
    store(engine, "a", "0");
    store(engine, "b", "0");
    let read: Part = |engine, tx| count_from(tx, engine, "a").map(drop);
    let committed = both(
        engine,
        [read, read],
        [
            |engine, tx| tx.delete(engine.root(), b"a").map(drop),
            |engine, tx| tx.delete(engine.root(), b"b").map(drop),
        ],
    );
    assert_eq!(committed, 1);
    // To learn that there is nothing to delete is reading, too.
    let committed = both(
        engine,
        [
            |engine, tx| tx.delete(engine.root(), b"y").map(|there| assert!(!there)),
            |engine, tx| tx.delete(engine.root(), b"x").map(|there| assert!(!there)),
        ],
        [
            |engine, tx| try_put(tx, engine, "x", "1"),
            |engine, tx| try_put(tx, engine, "y", "1"),
        ],
    );
    assert_eq!(committed, 1);
}

fn a_number_of_rows_counts_as_reading_them_all(engine: &Engine) {
    store(engine, "a", "0");
    let read: Part = |engine, tx| tx.count(engine.root()).map(|rows| assert_eq!(rows, 1));
    let committed = both(
        engine,
        [read, read],
        [
            |engine, tx| try_put(tx, engine, "b", "1"),
            |engine, tx| try_put(tx, engine, "c", "1"),
        ],
    );
    assert_eq!(committed, 1);
}

fn many_puts_in_a_row_count(engine: &Engine) {
    let put_many = |engine: &Engine, tx: &mut Tx, prefix: &str| {
        (0..100).try_for_each(|number| try_put(tx, engine, &format!("{prefix}{number:03}"), "1"))
    };
    let (mut alice, mut bob) = (begin_serializable(engine), begin_serializable(engine));
    let run = |alice: &mut Tx, bob: &mut Tx| {
        put_many(engine, alice, "a")?;
        put_many(engine, bob, "b")?;
        key_of(alice, engine, "b077")?;
        key_of(bob, engine, "a033").map(drop)
    };
    let refused = run(&mut alice, &mut bob).is_err();
    let commits = [alice.commit(), bob.commit()];
    assert!(refused || commits.iter().any(Result::is_err), "{commits:?}");
}

/// Fekete, O'Neil and O'Neil, *A read-only transaction anomaly under snapshot isolation* (2004): the withdrawal and the deposit alone would be fine, but the report has seen one of them.
fn a_report_does_not_see_what_no_order_has(engine: &Engine) {
    store(engine, "checking", "0");
    store(engine, "savings", "0");
    let mut withdrawal = begin_serializable(engine);
    let seen = key_of(&withdrawal, engine, "savings").and_then(|_| key_of(&withdrawal, engine, "checking"));
    assert!(seen.is_ok());
    let mut deposit = begin_serializable(engine);
    put(&mut deposit, engine, "savings", "20");
    commit(deposit);
    let report = begin_report(engine, false);
    let saw = key_of(&report, engine, "savings").and_then(|_| key_of(&report, engine, "checking"));
    let refused = try_put(&mut withdrawal, engine, "checking", "-11").is_err();
    let withdrawn = withdrawal.commit();
    let reported = saw.and_then(|_| report.commit());
    assert!(refused || withdrawn.is_err() || reported.is_err());
}

fn transactions_with_nothing_in_common_all_commit(engine: &Engine) {
    let mut open: Vec<Tx> = (0..20).map(|_| begin_serializable(engine)).collect();
    for (number, tx) in open.iter_mut().enumerate() {
        assert!(!key_of(tx, engine, &format!("r{number}")).expect("it can be read"));
        put(tx, engine, &format!("w{number}"), "1");
    }
    for tx in open {
        commit(tx);
    }
    assert_eq!(rows(&begin(engine), engine).len(), 20);
}

fn after_it_was_refused_it_works_again(engine: &Engine) {
    store(engine, "sum", "0");
    for round in 0..20 {
        let mut both = [begin_serializable(engine), begin_serializable(engine)];
        let work = |tx: &mut Tx, own: &str| {
            count_from(tx, engine, "")?;
            try_put(tx, engine, &format!("{own}{round}"), "1")
        };
        let results = [work(&mut both[0], "a"), work(&mut both[1], "b")];
        let commits = both
            .into_iter()
            .zip(results)
            .map(|(tx, result)| result.and_then(|()| tx.commit()));
        let committed = commits.filter(Result::is_ok).count();
        assert_eq!(committed, 1, "round {round}: one of the two gets on");
    }
}

fn one_that_waits_for_a_safe_snapshot_is_never_refused(engine: &Engine) {
    store(engine, "a", "0");
    let report = begin_report(engine, true);
    let mut writer = begin_serializable(engine);
    assert!(key_of(&writer, engine, "b").is_ok());
    put(&mut writer, engine, "a", "1");
    store(engine, "b", "1");
    assert_eq!(rows(&report, engine), ["a=0"]);
    commit(report);
    drop(writer);
}

fn other_levels_are_not_refused_so(engine: &Engine) {
    let (mut alice, mut bob) = (begin(engine), begin(engine));
    assert_eq!((get(&alice, engine, "b"), get(&bob, engine, "a")), (None, None));
    put(&mut alice, engine, "a", "1");
    put(&mut bob, engine, "b", "1");
    commit(alice);
    commit(bob);
}
