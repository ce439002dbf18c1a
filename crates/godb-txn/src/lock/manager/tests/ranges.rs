//! Ranges of keys: what they keep off, and a comparison with the definition.

use super::*;
use proptest::prelude::*;

fn range<'a>(from: &'a [u8], to: &'a [u8]) -> Resource<'a> {
    Resource::KeyRange(TREE, from, Some(to))
}

#[test]
fn a_range_keeps_off_keys_that_are_not_there_yet() {
    let locks = manager(LONG);
    locks.lock(T1, range(b"b", b"d"), Shared).unwrap();
    let key = |key: &'static [u8]| Resource::Key(TREE, key);
    for inside in [
        key(b"b"),
        key(b"bb"),
        key(b"c"),
        range(b"a", b"bb"),
        range(b"cc", b"z"),
    ] {
        assert!(!locks.try_lock(T2, inside, Exclusive), "{inside:?}");
        assert!(locks.try_lock(T2, inside, Shared), "readers share {inside:?}");
    }
    for outside in [
        key(b"a"),
        key(b"d"),
        range(b"d", b"e"),
        Resource::KeyRange(TREE, b"d", None),
    ] {
        assert!(locks.try_lock(T2, outside, Exclusive), "{outside:?}");
    }
    locks.release_all(T2);
    assert!(
        locks.try_lock(T1, key(b"c"), Exclusive),
        "its own range does not hinder it"
    );
    locks.release_all(T1);
    assert!(locks.locks().is_empty());
}

#[test]
fn keys_that_were_locked_before_the_first_range_count() {
    let locks = manager(LONG);
    locks.lock(T1, B, Exclusive).unwrap();
    let waiter = {
        let locks = locks.clone();
        std::thread::spawn(move || locks.lock(T2, B, Shared))
    };
    while locks.stats().waits == 0 {
        std::thread::yield_now();
    }
    let third = TxnId::from_raw(3);
    assert!(!locks.try_lock(third, range(b"a", b"c"), Exclusive));
    assert!(locks.try_lock(third, range(b"c", b"z"), Exclusive));
    locks.release_all(T1);
    waiter.join().unwrap().unwrap();
    assert!(!locks.try_lock(third, B, Exclusive));
    locks.release_all(T2);
    assert!(locks.try_lock(third, B, Exclusive));
}

#[test]
fn a_newcomer_stands_behind_those_whom_it_overlaps_and_no_others() {
    let locks = manager(LONG);
    locks.lock(T1, range(b"a", b"c"), Shared).unwrap();
    let writer = {
        let locks = locks.clone();
        std::thread::spawn(move || locks.lock(T2, range(b"b", b"f"), Exclusive))
    };
    while locks.stats().waits == 0 {
        std::thread::yield_now();
    }
    let third = TxnId::from_raw(3);
    assert!(
        !locks.try_lock(third, range(b"e", b"g"), Shared),
        "the writer came first"
    );
    assert!(locks.try_lock(third, range(b"g", b"h"), Shared));
    assert!(
        locks.try_lock(T1, range(b"b", b"c"), Exclusive),
        "the writer waits for it anyway"
    );
    locks.release_all(T1);
    writer.join().unwrap().unwrap();
}

/// A request of one transaction, without waiting.
#[derive(Clone, Copy, Debug)]
enum Op {
    Key(u64, u8, Mode),
    Range(u64, u8, Option<u8>, Mode),
    End(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let mode = || prop_oneof![Just(Shared), Just(Exclusive)];
    prop_oneof![
        4 => (1..5u64, 0..8u8, mode()).prop_map(|(by, key, mode)| Op::Key(by, key, mode)),
        3 => (1..5u64, 0..8u8, prop::option::of(0..10u8), mode())
            .prop_map(|(by, from, to, mode)| Op::Range(by, from, to, mode)),
        1 => (1..5u64).prop_map(Op::End),
    ]
}

proptest! {
    /// The model: a list of what is held, key by key; a request is granted when nobody else holds what excludes it on any of its keys.
    #[test]
    fn grants_are_as_the_definition_has_them(ops in prop::collection::vec(op(), 1..60)) {
        let locks = manager(LONG);
        let mut held: Vec<(u64, u8, Mode)> = Vec::new();
        for op in ops {
            let (by, keys, mode, granted) = match op {
                Op::End(by) => {
                    locks.release_all(TxnId::from_raw(by));
                    held.retain(|(holder, ..)| *holder != by);
                    continue;
                }
                Op::Key(by, key, mode) => {
                    let granted = locks.try_lock(TxnId::from_raw(by), Resource::Key(TREE, &[key]), mode);
                    (by, key..key + 1, mode, granted)
                }
                Op::Range(by, from, to, mode) => {
                    let end = to.map(|to| [to]);
                    let what = Resource::KeyRange(TREE, &[from], end.as_ref().map(<[u8; 1]>::as_slice));
                    (by, from..to.unwrap_or(20), mode, locks.try_lock(TxnId::from_raw(by), what, mode))
                }
            };
            let excluded = held.iter().any(|(holder, key, other)| {
                *holder != by && keys.contains(key) && !other.is_compatible_with(mode)
            });
            prop_assert_eq!(granted, !excluded, "{:?}", op);
            if granted {
                held.extend(keys.map(|key| (by, key, mode)));
            }
        }
    }
}
