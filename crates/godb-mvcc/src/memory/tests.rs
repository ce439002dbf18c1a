//! Alice and Bob, on the smallest engine.

use super::MemoryEngine;
use crate::engine::{Begin, EngineTransaction, Isolation, Moment, StorageEngine};
use crate::error::Error;
use godb_txn::{Environment, Range};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

fn begin(engine: &Arc<MemoryEngine>) -> Box<dyn EngineTransaction> {
    engine.clone().begin(Begin::default()).unwrap()
}

fn get(tx: &dyn EngineTransaction, engine: &MemoryEngine, key: &[u8]) -> Option<Vec<u8>> {
    let mut value = None;
    tx.get(engine.root(), key, &mut |bytes| value = Some(bytes.to_vec()))
        .unwrap();
    value
}

#[test]
fn it_conforms() {
    let timeout = Duration::from_millis(20);
    crate::testing::conforms(|retention| MemoryEngine::with(Environment::simulated(1), retention, timeout));
}

#[test]
fn bob_sees_what_alice_committed_before_he_began() {
    let engine = MemoryEngine::new(Environment::simulated(1));
    let mut alice = begin(&engine);
    alice.put(engine.root(), b"a", b"1").unwrap();
    let early = begin(&engine);
    assert_eq!(get(&*alice, &engine, b"a").unwrap(), b"1", "she sees her own");
    assert_eq!(get(&*early, &engine, b"a"), None);
    alice.commit().unwrap();
    assert_eq!(get(&*early, &engine, b"a"), None, "a snapshot does not change");
    assert_eq!(get(&*begin(&engine), &engine, b"a").unwrap(), b"1");
}

#[test]
fn the_second_to_change_a_row_is_refused() {
    let engine = MemoryEngine::new(Environment::simulated(1));
    let (mut alice, mut bob) = (begin(&engine), begin(&engine));
    alice.put(engine.root(), b"a", b"1").unwrap();
    alice.commit().unwrap();
    assert!(matches!(bob.put(engine.root(), b"a", b"2"), Err(Error::Conflict)));
    assert!(matches!(bob.commit(), Err(Error::Conflict)));
}

#[test]
fn savepoints_and_scans() {
    let engine = MemoryEngine::new(Environment::simulated(1));
    let mut tx = begin(&engine);
    let tree = tx.create_tree().unwrap();
    for n in 0..300_u16 {
        tx.put(tree, &n.to_be_bytes(), b"x").unwrap();
    }
    let point = tx.savepoint().unwrap();
    tx.delete(tree, &7_u16.to_be_bytes()).unwrap();
    tx.roll_back_to(point).unwrap();
    tx.delete(tree, &8_u16.to_be_bytes()).unwrap();
    for backward in [false, true] {
        let mut keys = Vec::new();
        let mut cursor = tx
            .scan(
                tree,
                Range {
                    backward,
                    ..Range::ALL
                },
            )
            .unwrap();
        while cursor
            .next(&mut |key, _| {
                keys.push(key.to_vec());
                ControlFlow::Continue(())
            })
            .unwrap()
        {}
        assert_eq!(keys.len(), 299);
        assert_eq!(keys.is_sorted(), !backward);
    }
}

#[test]
fn the_past_is_there_as_long_as_it_is_kept() {
    let keep = Duration::from_secs(3600);
    let engine = MemoryEngine::with(Environment::simulated(1), keep, keep);
    let mut tx = begin(&engine);
    tx.put(engine.root(), b"a", b"old").unwrap();
    let then = tx.commit().unwrap();
    let mut tx = begin(&engine);
    tx.put(engine.root(), b"a", b"new").unwrap();
    tx.commit().unwrap();
    engine.collect().unwrap();
    let past = engine
        .clone()
        .begin(Begin {
            as_of: Some(Moment::At(then)),
            ..Begin::default()
        })
        .unwrap();
    assert_eq!(get(&*past, &engine, b"a").unwrap(), b"old");
}

#[test]
fn read_committed_looks_again_each_statement() {
    let engine = MemoryEngine::new(Environment::simulated(1));
    let how = Begin {
        isolation: Isolation::ReadCommitted,
        ..Begin::default()
    };
    let mut reader = engine.clone().begin(how).unwrap();
    let mut writer = begin(&engine);
    writer.put(engine.root(), b"a", b"1").unwrap();
    writer.commit().unwrap();
    assert_eq!(get(&*reader, &engine, b"a"), None);
    reader.next_statement().unwrap();
    assert_eq!(get(&*reader, &engine, b"a").unwrap(), b"1");
}
