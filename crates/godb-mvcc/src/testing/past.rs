//! Reading as of then.

use super::*;
use crate::engine::Moment;
use godb_txn::TxnId;

pub(super) const LESSONS: &[Lesson] = &[
    every_commit_can_be_looked_back_to,
    a_transaction_is_a_moment,
    the_past_cannot_be_written,
    the_future_is_refused,
    now_is_a_moment_too,
    a_dropped_tree_is_in_the_past,
];

fn as_of(engine: &Engine, moment: Moment) -> Result<Tx, Error> {
    let how = Begin {
        as_of: Some(moment),
        ..Begin::default()
    };
    engine.clone().begin(how)
}

fn at(engine: &Engine, at: Timestamp) -> Tx {
    as_of(engine, Moment::At(at)).expect("it is kept")
}

fn every_commit_can_be_looked_back_to(engine: &Engine) {
    let mut moments = Vec::new();
    for n in 0..100 {
        let key = format!("{}", n % 7);
        if n % 5 == 4 && get(&begin(engine), engine, &key).is_some() {
            remove(engine, &key);
        } else {
            store(engine, &key, &n.to_string());
        }
        moments.push((engine.now(), rows(&begin(engine), engine)));
        if n % 30 == 0 {
            collect(engine);
            engine.checkpoint().expect("it can be taken");
        }
    }
    collect(engine);
    for (moment, expected) in moments {
        let then = at(engine, moment);
        assert_eq!(then.snapshot(), moment);
        assert_eq!(rows(&then, engine), expected);
        for n in 0..7 {
            let key = n.to_string();
            let row = get(&then, engine, &key).map(|value| format!("{key}={value}"));
            assert_eq!(
                row.as_ref(),
                expected.iter().find(|row| row.starts_with(&key)),
                "the same by key"
            );
        }
    }
}

fn a_transaction_is_a_moment(engine: &Engine) {
    let mut moments = Vec::new();
    for n in 0..60 {
        let mut tx = begin(engine);
        assert_eq!(tx.id(), None, "it has not written");
        put(&mut tx, engine, &format!("{}", n % 3), &n.to_string());
        let id = tx.id().expect("it has written");
        assert_eq!(tx.id(), Some(id));
        let running = as_of(engine, Moment::After(id)).map(drop);
        assert!(running.is_err(), "it has not ended");
        let at = commit(tx);
        moments.push((id, at, rows(&begin(engine), engine)));
        if n % 20 == 0 {
            collect(engine);
            engine.checkpoint().expect("it can be taken");
        }
    }
    for (id, at, expected) in moments {
        let then = as_of(engine, Moment::After(id)).expect("it is kept");
        assert_eq!(then.snapshot(), at);
        assert_eq!(rows(&then, engine), expected);
    }
    let never = as_of(engine, Moment::After(TxnId::from_raw(1 << 40))).map(drop);
    assert!(matches!(never, Err(Error::InFuture { .. })), "{never:?}");
}

fn the_past_cannot_be_written(engine: &Engine) {
    let then = store(engine, "a", "1");
    store(engine, "a", "2");
    let mut tx = at(engine, then);
    let refused = try_put(&mut tx, engine, "a", "3");
    assert!(matches!(refused, Err(Error::ReadOnlyTransaction)), "{refused:?}");
    tx.next_statement().expect("nothing happens");
    assert_eq!(rows(&tx, engine), ["a=1"]);
    assert_eq!(commit(tx), then);
}

fn the_future_is_refused(engine: &Engine) {
    let then = Timestamp::from_raw(engine.now().raw() + 1);
    for moment in [Moment::At(then), Moment::Ago(-60_000_000), Moment::Wall(i64::MAX)] {
        let refused = as_of(engine, moment).map(drop);
        assert!(matches!(refused, Err(Error::InFuture { .. })), "{refused:?}");
    }
}

fn now_is_a_moment_too(engine: &Engine) {
    store(engine, "a", "1");
    let tx = as_of(engine, Moment::Ago(0)).expect("it is kept");
    store(engine, "a", "2");
    assert_eq!(rows(&tx, engine), ["a=1"]);
    let wall = tx.wall_micros();
    assert!(wall <= begin(engine).wall_micros() + 1_000_000);
}

fn a_dropped_tree_is_in_the_past(engine: &Engine) {
    let mut tx = begin(engine);
    let tree = tx.create_tree().expect("a tree can be made");
    tx.put(tree, b"a", b"1").expect("it can be put");
    let then = commit(tx);
    let mut tx = begin(engine);
    tx.drop_tree(tree).expect("it can be dropped");
    commit(tx);
    collect(engine);
    assert_eq!(rows_in(&at(engine, then), tree, Range::ALL), ["a=1"]);
}

/// Past moments are refused, those in use are not taken away.
pub(super) fn nothing_is_kept_without_retention(engine: &Engine) {
    let first = store(engine, "a", "1");
    let reader = begin(engine);
    store(engine, "a", "2");
    let last = store(engine, "a", "3");
    collect(engine);
    assert_eq!(rows(&reader, engine), ["a=1"]);
    assert_eq!(rows(&at(engine, last), engine), ["a=3"], "the present is there");
    drop(reader);
    collect(engine);
    let refused = as_of(engine, Moment::At(first)).map(drop);
    assert!(matches!(refused, Err(Error::TooOld { .. })), "{refused:?}");
}
