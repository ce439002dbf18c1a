//! A checkpoint is held in its middle by a gate, and writers go on all the same.

use crate::{CHECKPOINT_EVERY, Recoverable, Recovered, RecoveryOptions, Resume, recover};
use godb_wal::{
    DatabaseId, Environment, FileSystem, Log, LogOptions, LoggedTree, MemoryFileSystem, MemoryTree, Tree,
    Value,
};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

type Database = Recovered<LoggedTree<MemoryTree>>;

fn options() -> LogOptions {
    LogOptions::new(DatabaseId::from_bytes([1; 16]), 1)
}

fn over(log: Arc<Log>) -> Database {
    let tree = MemoryTree::new(log.clone());
    let options = RecoveryOptions {
        clock: None,
        resume: Resume::default(),
        checkpoint_every: CHECKPOINT_EVERY,
        batch: 1 << 20,
        helpers: 0,
        observe: &mut |_| {},
    };
    recover(LoggedTree::new(log, tree), options).unwrap().0
}

#[test]
fn writers_commit_while_a_checkpoint_is_held_in_its_middle() {
    let fs: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
    let log = Log::create(&fs, "wal", &options(), &Environment::simulated(1)).unwrap();
    let db = Arc::new(over(log));
    let by = db.begin();
    let tree = db.tree().create(by).unwrap();
    db.acknowledge(db.commit(by, b"").unwrap()).unwrap();

    let (inside, in_the_middle) = channel();
    let (open_gate, gate) = channel::<()>();
    let (committed, commits) = channel();
    let checkpointer = std::thread::spawn({
        let db = db.clone();
        move || {
            db.checkpoint(&|| {
                inside.send(()).unwrap();
                gate.recv().unwrap();
                b"note".to_vec()
            })
        }
    });
    in_the_middle.recv().unwrap();
    let writer = std::thread::spawn({
        let db = db.clone();
        move || {
            for number in 0..200_u8 {
                let by = db.begin();
                db.tree()
                    .put(by, tree, &[number], Value::inline(&[number; 100]))
                    .unwrap();
                db.acknowledge(db.commit(by, &[number]).unwrap()).unwrap();
                committed.send(number).unwrap();
            }
        }
    });
    for number in 0..200_u8 {
        let told = commits.recv_timeout(Duration::from_secs(10));
        assert_eq!(told, Ok(number), "a writer waits for a checkpoint");
    }
    assert!(
        !checkpointer.is_finished(),
        "the gate did not hold the checkpoint"
    );
    open_gate.send(()).unwrap();
    checkpointer.join().unwrap().unwrap();
    writer.join().unwrap();

    // What was committed behind the checkpoint's back is in the log after it.
    drop(db);
    let log = Log::open(&fs, "wal", &options(), &Environment::simulated(1)).unwrap();
    let db = over(log);
    let found = crate::testing::rows(db.tree(), tree).len();
    assert_eq!(found, 200);
}
