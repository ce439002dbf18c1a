//! Commits that are published, snapshots that are taken, and a collector that forgets and drops, under every interleaving: the product's own `Commits` and
//! `Snapshots`, through [`Publication`]. And requests to cancel against the statement that comes next.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-mvcc --test loom --release
//! ```
//!
//! The planted bugs, each of which must make a model fail (`cargo xtask loom --plant` tries them all): `newest-before-map` (a snapshot counts a commit in before it can look
//! it up), `ended-before-map` (the floor passes a commit that is not in the map yet), `floor-before-its-time` (an old snapshot takes the new floor for its own),
//! `take-unregistered` (a snapshot is taken before the collector can know of it), `cancel-next-too` (a request to cancel that comes late ends the next statement),
//! `begin-forgives` (the next statement saves one whose rows are still being read).
//!
//! Nothing bounds the models but preemptions ([`explore`] sees to it), so that one cut short would be noticed.
#![cfg(godb_loom)]

use godb_mvcc::sync::atomic::{AtomicBool, Ordering};
use godb_mvcc::sync::{Arc, explore, thread};
use godb_mvcc::{Cancellation, Clock, Lsn, Publication, TxnId};
use std::time::Duration;

const T1: TxnId = TxnId::from_raw(1);
const T2: TxnId = TxnId::from_raw(2);

/// Time stands still: nothing rests on it.
struct Still;

impl Clock for Still {
    fn wall_micros(&self) -> i64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Runs a model under every interleaving with up to two preemptions, each from a state in which T1 has committed at 10.
fn model(protocol: &str, run: impl Fn(Arc<Publication>) + Sync + Send + 'static) {
    explore(protocol, 2, move || {
        let publication = Arc::new(Publication::new(Arc::new(Still)));
        publication.begin(T1);
        publication.commit(T1, Lsn::from_raw(10));
        run(publication);
    });
}

#[test]
fn a_snapshot_sees_what_is_in_it_from_the_first_moment_on() {
    model("status publish", |publication| {
        publication.begin(T2);
        let writer = {
            let publication = publication.clone();
            thread::spawn(move || publication.commit(T2, Lsn::from_raw(20)))
        };
        let snapshot = publication.take();
        let moment = publication.moment(snapshot);
        for _ in 0..2 {
            assert!(publication.sees(snapshot, T1));
            assert_eq!(publication.sees(snapshot, T2), moment >= 20);
        }
        writer.join().expect("no panic");
        assert_eq!(publication.sees(snapshot, T2), moment >= 20);
    });
}

#[test]
fn forgetting_changes_nothing_that_is_seen() {
    model("status publish", |publication| {
        publication.begin(T2);
        let snapshot = publication.take();
        let collector = {
            let publication = publication.clone();
            thread::spawn(move || {
                publication.collect(0, 0);
            })
        };
        let writer = {
            let publication = publication.clone();
            thread::spawn(move || publication.commit(T2, Lsn::from_raw(20)))
        };
        assert!(publication.sees(snapshot, T1));
        assert!(!publication.sees(snapshot, T2), "a snapshot does not change");
        collector.join().expect("no panic");
        writer.join().expect("no panic");
        publication.collect(0, 0);
        assert!(!publication.sees(snapshot, T2));
        publication.release(snapshot);
    });
}

#[test]
fn an_old_snapshot_does_not_trust_a_floor_that_passed_it() {
    model("garbage horizon", |publication| {
        let snapshot = publication.take();
        // More than memory holds: the floor rises although the snapshot is in use.
        for n in 2..6 {
            let id = TxnId::from_raw(n);
            publication.begin(id);
            publication.commit(id, Lsn::from_raw(10 * n));
        }
        let collector = {
            let publication = publication.clone();
            thread::spawn(move || {
                publication.collect(0, 0);
            })
        };
        assert!(!publication.sees(snapshot, T2));
        collector.join().expect("no panic");
        assert!(!publication.sees(snapshot, T2));
        assert!(publication.sees(publication.take(), T2));
    });
}

#[test]
fn what_a_snapshot_may_look_at_is_not_dropped() {
    model("garbage horizon", |publication| {
        publication.begin(T2);
        let writer = {
            let publication = publication.clone();
            thread::spawn(move || publication.commit(T2, Lsn::from_raw(20)))
        };
        // A version that T1 wrote and T2 replaces.
        let collector = {
            let publication = publication.clone();
            thread::spawn(move || publication.collect(10, 20))
        };
        let snapshot = publication.take();
        let dropped = collector.join().expect("no panic");
        assert!(
            !dropped || publication.moment(snapshot) >= 20,
            "somebody looks at it"
        );
        writer.join().expect("no panic");
    });
}

#[test]
fn a_request_to_cancel_ends_what_has_begun_and_nothing_that_comes_later() {
    explore("cancel", 3, || {
        let mut session = Cancellation::default();
        session.begin();
        let first = session.clone();
        let asked = Arc::new(AtomicBool::new(false));
        let other = {
            let (handle, asked) = (session.clone(), asked.clone());
            thread::spawn(move || {
                handle.request();
                asked.store(true, Ordering::Release);
            })
        };
        // Rows of the first statement are still being read while the session goes on to the second, and to the third.
        session.begin();
        let was_asked = asked.load(Ordering::Acquire);
        session.begin();
        let third = session.clone();
        assert!(
            !was_asked || !third.is_requested(),
            "it began after the request was made"
        );
        other.join().expect("nobody panics");
        assert!(first.is_requested(), "it had begun when the request was made");
        session.begin();
        assert!(!session.is_requested());
        assert!(first.is_requested(), "and is not saved by another");
    });
}
