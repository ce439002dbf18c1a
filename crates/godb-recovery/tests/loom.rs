//! Checkpoints that are taken while others log, under every interleaving: the product's own [`Recovered`] and [`Log`], and then [`recover`], which must find everything.
//!
//! ```text
//! RUSTFLAGS="--cfg godb_loom" cargo test -p godb-recovery --test loom --release
//! ```
//!
//! The planted bugs, each of which must make a model fail (`cargo xtask loom --plant` tries them all): `dirt-before-floor` (a change that is under a reservation when dirty pages are looked at, and on a
//! dirty page when reservations are, is missed), `begin-last` (a transaction that begins while the checkpoint is gathered is missed).
#![cfg(godb_loom)]

use godb_recovery::sync::{Arc, Mutex, explore, thread};
use godb_recovery::{Recoverable, Recovered, RecoveryOptions, Resume, recover};
use godb_wal::{
    Amended, Chain, Change, DatabaseId, Environment, Fault, FileSystem, Journal, Log, LogOptions, LoggedTree,
    Lsn, NewHead, PageId, Range, Row, SimulatedDisk, Tree, TreeId, TxnId, Undo, UndoNext, Value,
    size_of_change,
};
use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;

/// A tree of one page, in memory and on disk; its keys are single bytes.
#[derive(Clone, Default)]
struct Page {
    memory: BTreeSet<u8>,
    disk: BTreeSet<u8>,
    /// The first change since it was last written.
    dirty: Option<Lsn>,
}

impl Page {
    /// Makes a change: a key, and whether it is there from now on.
    fn apply(&mut self, lsn: Lsn, change: &[u8]) {
        match change[1] {
            0 => self.memory.remove(&change[0]),
            _ => self.memory.insert(change[0]),
        };
        self.dirty.get_or_insert(lsn);
    }
}

struct OnePage {
    log: Arc<Log>,
    page: Mutex<Page>,
}

impl OnePage {
    /// Logs a change and makes it: room, latch, record, change, in the order in which the real tree does it.
    fn change(&self, by: TxnId, bytes: &[u8], undo: Undo<'_>) -> Result<(), Fault> {
        let pages = [(PageId::from_raw(9), bytes)];
        let change = Change {
            by: Some(by),
            pages: &pages,
            undo,
        };
        let mut room = match undo {
            Undo::Compensates(_) => self.log.reserve_undo(size_of_change(&change))?,
            _ => self.log.reserve(size_of_change(&change))?,
        };
        let mut page = self.page.lock();
        let lsn = room.append(&change);
        page.apply(lsn, bytes);
        drop(page);
        drop(room);
        Ok(())
    }
}

const NOT_ASKED: &str = "the models do not ask for it";

impl Tree for OnePage {
    type Cursor = ();

    fn max_key(&self) -> usize {
        1
    }

    fn max_inline(&self) -> usize {
        0
    }

    fn create(&self, _: TxnId) -> Result<TreeId, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn destroy(&self, _: TreeId) -> Result<(), Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn trees(&self) -> Result<Vec<TreeId>, Fault> {
        Ok(Vec::new())
    }

    fn get<R>(&self, _: TreeId, _: &[u8], _: impl FnOnce(Value<'_>) -> R) -> Result<Option<R>, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn put(&self, by: TxnId, _: TreeId, key: &[u8], _: Value<'_>) -> Result<(), Fault> {
        self.change(by, &[key[0], 1], Undo::Logical(key))
    }

    fn amend(
        &self,
        _: TxnId,
        _: TreeId,
        _: &[u8],
        _: impl FnOnce(Value<'_>) -> Option<NewHead>,
    ) -> Result<Amended, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn purge(
        &self,
        _: TreeId,
        _: &[u8],
        _: impl FnMut(&[u8], Value<'_>) -> bool,
    ) -> Result<Option<Vec<u8>>, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn add(&self, _: TxnId, _: TreeId, _: &[Row<'_>], _: &mut dyn FnMut(usize)) -> Result<(), Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn remove(&self, _: TxnId, _: TreeId, _: &[u8]) -> Result<bool, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn write_chain(&self, _: TxnId, _: TreeId, _: &mut dyn Read, _: u64) -> Result<Chain, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn read_chain(
        &self,
        _: Chain,
        _: u64,
        _: &mut Option<(u64, PageId)>,
        _: &mut [u8],
    ) -> Result<usize, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn release(&self, _: TreeId, _: &[u8]) -> Result<bool, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn seek(&self, _: TreeId, _: Range<'_>) -> Result<(), Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn next(&self, _: &mut (), _: impl FnMut(&[u8], Value<'_>) -> ControlFlow<()>) -> Result<bool, Fault> {
        unreachable!("{NOT_ASKED}")
    }

    fn redo(&self, lsn: Lsn, _: PageId, change: &[u8]) -> Result<(), Fault> {
        self.page.lock().apply(lsn, change);
        Ok(())
    }

    fn redone(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn undo(&self, by: TxnId, change: &[u8], _: UndoNext, next: Lsn) -> Result<(), Fault> {
        self.change(by, &[change[0], 0], Undo::Compensates(UndoNext::at(next)))
    }

    fn redo_from(&self) -> Option<Lsn> {
        self.page.lock().dirty
    }

    fn flush(&self) -> Result<(), Fault> {
        let mut page = self.page.lock();
        page.disk = page.memory.clone();
        page.dirty = None;
        Ok(())
    }
}

type Database = Recovered<LoggedTree<OnePage>>;

/// Recovers a page as it is on disk, from the log.
fn open(log: &Arc<Log>, disk: &BTreeSet<u8>) -> Database {
    let page = Page {
        memory: disk.clone(),
        disk: disk.clone(),
        dirty: None,
    };
    let tree = OnePage {
        log: log.clone(),
        page: Mutex::new(page),
    };
    let options = RecoveryOptions {
        clock: None,
        resume: Resume::default(),
        checkpoint_every: u64::MAX,
        batch: 1 << 20,
        helpers: 0,
        observe: &mut |_| {},
    };
    let recovered = recover(LoggedTree::new(log.clone(), tree), options);
    recovered.expect("the disk is sound").0
}

fn new_log() -> Arc<Log> {
    let fs: Arc<dyn FileSystem> = Arc::new(SimulatedDisk::new());
    let options = LogOptions {
        block_size: 512,
        segment_size: 64 << 10,
        initial_size: 64 << 10,
        ..LogOptions::new(DatabaseId::from_bytes([3; 16]), 1)
    };
    Log::create(&fs, "db-wal", &options, &Environment::simulated(1)).expect("the disk is sound")
}

fn put(db: &Database, by: TxnId, key: u8) {
    let put = db.tree().put(by, TreeId::from_raw(1), &[key], Value::inline(b""));
    put.expect("the disk is sound");
}

/// What a crash now leaves, once recovered.
fn after_crash(db: &Database, log: &Arc<Log>) -> Vec<u8> {
    let disk = db.tree().page.lock().disk.clone();
    let recovered = open(log, &disk);
    let memory = recovered.tree().page.lock().memory.clone();
    memory.into_iter().collect()
}

/// Takes a checkpoint while somebody writes, and tells what a crash leaves.
fn checkpoint_while(write: impl Fn(&Database) + Send + Sync + Clone + 'static) -> Vec<u8> {
    let log = new_log();
    let db = Arc::new(open(&log, &BTreeSet::new()));
    let writer = {
        let (db, write) = (db.clone(), write.clone());
        thread::spawn(move || write(&db))
    };
    db.checkpoint(&Vec::new).expect("the disk is sound");
    writer.join().expect("nobody panics");
    after_crash(&db, &log)
}

#[test]
fn a_checkpoint_misses_nothing_that_is_logged_while_it_is_taken() {
    let runs = explore("checkpoint", 2, || {
        let left = checkpoint_while(|db| {
            let by = db.begin();
            put(db, by, 1);
            db.commit(by, b"").expect("the disk is sound");
        });
        assert_eq!(left, [1], "what was committed is there");
    });
    assert!(runs > 100, "the model was not explored");
}

#[test]
fn a_checkpoint_knows_whom_to_take_back() {
    let runs = explore("checkpoint", 2, || {
        let left = checkpoint_while(|db| {
            let by = db.begin();
            put(db, by, 2);
            db.tree().flush().expect("the disk is sound");
        });
        assert_eq!(left, [0_u8; 0], "who did not commit is taken back");
    });
    assert!(runs > 100, "the model was not explored");
}
