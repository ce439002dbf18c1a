//! Waiting for each other.

use super::*;
use crate::engine::Strength;

pub(super) const LESSONS: &[Lesson] = &[
    a_writer_waits_for_the_writer_before,
    the_wait_ends_with_the_other,
    a_shared_lock_keeps_writers_off,
    an_exclusive_lock_keeps_everybody_off,
    a_lock_is_refused_like_a_write,
    a_row_of_ones_own_can_be_locked,
    of_two_who_wait_for_each_other_one_gives_way,
];

const KEY: &[u8] = b"a";

fn is_timeout(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::LockTimeout { .. }))
}

fn a_writer_waits_for_the_writer_before(engine: &Engine) {
    let (mut alice, mut bob) = (begin(engine), begin(engine));
    put(&mut alice, engine, "a", "1");
    let waited = try_put(&mut bob, engine, "a", "2");
    assert!(is_timeout(&waited), "{waited:?}");
    // He can go on with something else.
    put(&mut bob, engine, "b", "2");
    drop(alice);
    put(&mut bob, engine, "a", "2");
    commit(bob);
    assert_eq!(rows(&begin(engine), engine), ["a=2", "b=2"]);
}

fn the_wait_ends_with_the_other(engine: &Engine) {
    for commits in [true, false] {
        let mut alice = begin(engine);
        put(&mut alice, engine, "a", "alice");
        let engine = engine.clone();
        let theirs = engine.clone();
        let bob = std::thread::spawn(move || {
            let mut bob = begin(&theirs);
            let result = try_put(&mut bob, &theirs, "a", "bob");
            result.and_then(|()| bob.commit().map(drop))
        });
        std::thread::sleep(Duration::from_millis(1));
        if commits {
            commit(alice);
        } else {
            drop(alice);
        }
        match bob.join().expect("no panic") {
            // He began before or after she ended.
            Ok(()) => assert_eq!(rows(&begin(&engine), &engine), ["a=bob"]),
            Err(error) => assert!(commits && error.is_retryable(), "{error}"),
        }
    }
}

fn a_shared_lock_keeps_writers_off(engine: &Engine) {
    store(engine, "a", "1");
    let (mut alice, mut bob) = (begin(engine), begin(engine));
    for tx in [&mut alice, &mut bob] {
        tx.lock(engine.root(), KEY, Strength::Shared).expect("they share");
    }
    let waited = try_put(&mut bob, engine, "a", "2");
    assert!(is_timeout(&waited), "{waited:?}");
    drop(alice);
    put(&mut bob, engine, "a", "2");
    commit(bob);
    store(engine, "a", "3");
}

fn an_exclusive_lock_keeps_everybody_off(engine: &Engine) {
    let (mut alice, mut bob) = (begin(engine), begin(engine));
    // A key need not be there to be locked.
    alice
        .lock(engine.root(), KEY, Strength::Exclusive)
        .expect("it is free");
    let waited = bob.lock(engine.root(), KEY, Strength::Shared);
    assert!(is_timeout(&waited), "{waited:?}");
    assert!(is_timeout(&try_put(&mut bob, engine, "a", "2")));
    assert_eq!(get(&bob, engine, "a"), None, "readers do not wait");
    put(&mut alice, engine, "a", "1");
    commit(alice);
    let mut tx = begin(engine);
    tx.lock(engine.root(), KEY, Strength::Exclusive)
        .expect("it is free again");
}

fn a_lock_is_refused_like_a_write(engine: &Engine) {
    store(engine, "a", "1");
    let mut bob = begin(engine);
    store(engine, "a", "2");
    let refused = bob.lock(engine.root(), KEY, Strength::Shared);
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
}

fn a_row_of_ones_own_can_be_locked(engine: &Engine) {
    let mut alice = begin(engine);
    put(&mut alice, engine, "a", "1");
    alice
        .lock(engine.root(), KEY, Strength::Exclusive)
        .expect("whose else");
    put(&mut alice, engine, "a", "2");
    commit(alice);
}

fn of_two_who_wait_for_each_other_one_gives_way(engine: &Engine) {
    let (mut alice, mut bob) = (begin(engine), begin(engine));
    put(&mut alice, engine, "a", "alice");
    put(&mut bob, engine, "b", "bob");
    let theirs = engine.clone();
    let bob = std::thread::spawn(move || {
        let result = try_put(&mut bob, &theirs, "a", "bob");
        result.and_then(|()| bob.commit().map(drop))
    });
    let alice = try_put(&mut alice, engine, "b", "alice").and_then(|()| alice.commit().map(drop));
    let bob = bob.join().expect("no panic");
    let failed: Vec<_> = [alice, bob].into_iter().filter_map(Result::err).collect();
    assert!(!failed.is_empty(), "they cannot both");
    assert!(failed.iter().all(Error::is_retryable), "{failed:?}");
}
