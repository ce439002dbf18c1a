//! Recovery of the real stack: pages, pool, tree, log and recovery on a disk that crashes.
//!
//! Random transactions run on a pool far smaller than the data, so pages of uncommitted transactions reach the disk. At every chosen operation the
//! power goes; what is then recovered must be the state after some commit, none earlier than the last that was acknowledged.

use godb_btree::BTree;
use godb_buffer::{EvictionKind, Pool};
use godb_page::{
    Crash, DatabaseId, Environment, Fault, FileHeader, FileSystem, OpenMode, Operations, PageFile,
    PageFileOptions, Random, SeededRandom, SimulatedDisk,
};
use godb_page::{Effect, Injection};
use godb_recovery::testing::{Rows, conforms, rows};
use godb_recovery::{
    Recoverable, Recovered, RecoveryOptions, Report, Resume, Tree, TreeId, TxnId, Value, recover,
};
use godb_wal::{Log, LogOptions, LoggedTree, Lsn, SyncMode, remove_log};
use std::sync::Arc;

const FILE: &str = "t.godb";
const DIR: &str = "t.godb-wal";
const SAFE_COPIES: &str = "safe-copies";
const PAGE: usize = 4096;
const ID: DatabaseId = DatabaseId::from_bytes([5; 16]);

type Stack = LoggedTree<BTree<Pool<PageFile>>>;

/// An open database without the layers above recovery.
struct Database {
    file: Arc<dyn godb_page::File>,
    header: FileHeader,
    db: Recovered<Stack>,
    report: Report,
}

fn log_options(header: &FileHeader, start: Lsn) -> LogOptions {
    LogOptions {
        block_size: 512,
        segment_size: 32 << 10,
        initial_size: 16 << 10,
        buffer: 64 << 10,
        mode: SyncMode::Full,
        start,
        ..LogOptions::new(ID, header.epoch)
    }
}

impl Database {
    /// Opens the file in whatever state it is, or creates it.
    fn open(disk: &SimulatedDisk) -> Result<Self, Fault> {
        let fs: Arc<dyn FileSystem> = Arc::new(disk.clone());
        let file = fs.open(FILE, OpenMode::Create)?;
        if file.len()? < 2 * PAGE as u64 || FileHeader::read(&*file).is_err() {
            let mut header = FileHeader::new(ID, PAGE);
            header.clean = true;
            header.write(&*file)?;
            fs.sync_dir("")?;
        }
        let header = FileHeader::read(&*file)?;
        match header.clean {
            true => Self::open_clean(&fs, file, header),
            false => Self::open_dirty(&fs, file, header),
        }
    }

    fn open_clean(
        fs: &Arc<dyn FileSystem>,
        file: Arc<dyn godb_page::File>,
        mut header: FileHeader,
    ) -> Result<Self, Fault> {
        remove_log(&**fs, DIR, ID, &[SAFE_COPIES])?;
        header.epoch += 1;
        let resume = Resume::from_bytes(&header.state).expect("the state is what a close stored");
        let options = log_options(&header, resume.end);
        let log = Log::create(fs, DIR, &options, &Environment::simulated(1))?;
        let pool = Self::pool(fs, &file, &log)?;
        // Only a close stores a state: without one there never was a tree, whatever an interrupted creation left behind.
        let tree = match header.state.is_empty() {
            true => BTree::create(pool, log.clone())?,
            false => BTree::open(pool, log.clone()),
        };
        let (db, report) = Self::recover(log, tree, resume)?;
        header.clean = false;
        header.write(&*file)?;
        Ok(Self {
            file,
            header,
            db,
            report,
        })
    }

    fn open_dirty(
        fs: &Arc<dyn FileSystem>,
        file: Arc<dyn godb_page::File>,
        mut header: FileHeader,
    ) -> Result<Self, Fault> {
        let options = log_options(&header, Lsn::default());
        let log = Log::open(fs, DIR, &options, &Environment::simulated(1))?;
        header.epoch = log.epoch();
        header.write(&*file)?;
        let tree = BTree::open(Self::pool(fs, &file, &log)?, log.clone());
        let resume = Resume::from_bytes(&header.state).expect("the state is what a close stored");
        let (db, report) = Self::recover(log, tree, resume)?;
        db.checkpoint(&Vec::new)?;
        Ok(Self {
            file,
            header,
            db,
            report,
        })
    }

    fn pool(
        fs: &Arc<dyn FileSystem>,
        file: &Arc<dyn godb_page::File>,
        log: &Arc<Log>,
    ) -> Result<Arc<Pool<PageFile>>, Fault> {
        let options = PageFileOptions {
            page_size: PAGE,
            database_id: ID,
            max_size: None,
            safe_copies: format!("{DIR}/{SAFE_COPIES}"),
            direct: false,
        };
        let (store, _) = PageFile::open(&**fs, file.clone(), options)?;
        Ok(Arc::new(Pool::new(store, log.clone(), 16, EvictionKind::Clock)))
    }

    fn recover(
        log: Arc<Log>,
        tree: BTree<Pool<PageFile>>,
        resume: Resume,
    ) -> Result<(Recovered<Stack>, Report), Fault> {
        let options = RecoveryOptions {
            clock: None,
            resume,
            checkpoint_every: 40 << 10,
            batch: 4 << 10,
            helpers: 0,
            observe: &mut |_| {},
        };
        recover(LoggedTree::new(log, tree), options)
    }

    fn close(mut self) -> Result<(), Fault> {
        let resume = self.db.close(Vec::new())?;
        self.header.state = resume.to_bytes();
        self.header.clean = true;
        self.header.write(&*self.file)
    }
}

/// What a workload did before the power went.
#[derive(Default)]
struct Done {
    tree: Option<TreeId>,
    /// The rows after each commit that was tried.
    states: Vec<Rows>,
    /// How many of them were acknowledged.
    acknowledged: usize,
    /// Why it ended early.
    interrupted: Option<Fault>,
}

/// Random transactions, some rolled back, some to a mark, two at a time.
fn work(database: &Database, seed: u64, transactions: usize, done: &mut Done) -> Result<(), Fault> {
    let random = SeededRandom::new(seed);
    let pick = |below: u64| random.next_u64() % below;
    let db = &database.db;
    let tree = match done.tree {
        Some(tree) => tree,
        None => {
            let by = db.begin();
            let tree = db.tree().create(by)?;
            done.tree = Some(tree);
            done.states.push(Rows::new());
            db.acknowledge(db.commit(by, b"")?)?;
            done.acknowledged = done.states.len();
            tree
        }
    };
    for _ in 0..transactions {
        let (by, other) = (db.begin(), db.begin());
        let mut now = done.states.last().cloned().unwrap_or_default();
        for _ in 0..=pick(12) {
            change(db, by, tree, b'a', &mut now, &pick)?;
            change(db, other, tree, b'z', &mut Rows::new(), &pick)?;
        }
        if pick(3) == 0 {
            let (mark, before) = (db.mark(by), now.clone());
            change(db, by, tree, b'a', &mut now, &pick)?;
            db.roll_back(by, mark)?;
            now = before;
        }
        db.roll_back(other, Lsn::default())?;
        if pick(4) == 0 {
            db.roll_back(by, Lsn::default())?;
            continue;
        }
        done.states.push(now);
        db.acknowledge(db.commit(by, b"note")?)?;
        done.acknowledged = done.states.len();
        db.step(&Vec::new)?;
    }
    Ok(())
}

fn change(
    db: &Recovered<Stack>,
    by: TxnId,
    tree: TreeId,
    prefix: u8,
    rows: &mut Rows,
    pick: &dyn Fn(u64) -> u64,
) -> Result<(), Fault> {
    let key = vec![prefix, u8::try_from(pick(250)).expect("small")];
    if pick(4) == 0 {
        db.tree().remove(by, tree, &key)?;
        rows.remove(&key);
    } else {
        let value = vec![u8::try_from(pick(256)).expect("small"); usize::try_from(pick(900)).expect("small")];
        db.tree().put(by, tree, &key, Value::inline(&value))?;
        rows.insert(key, value);
    }
    Ok(())
}

/// A whole life, as far as it gets.
fn live(disk: &SimulatedDisk) -> Done {
    let mut done = Done::default();
    let lived = Database::open(disk).and_then(|database| {
        work(&database, 7, 60, &mut done)?;
        database.close()
    });
    done.interrupted = lived.err();
    done
}

/// A whole life without a failure; returns its disk.
fn undisturbed() -> (SimulatedDisk, Done) {
    let disk = SimulatedDisk::new();
    let done = live(&disk);
    assert!(done.interrupted.is_none(), "{:?}", done.interrupted);
    (disk, done)
}

/// Opens what a crash left and compares; returns the database, and the history up to what was found.
fn check(disk: &SimulatedDisk, done: &Done, what: &str) -> (Database, Done) {
    let database = Database::open(disk).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let trees = database.db.tree().trees().unwrap();
    let Some(tree) = done.tree.filter(|tree| trees.contains(tree)) else {
        assert_eq!(done.acknowledged, 0, "{what}: the tree is lost");
        return (database, Done::default());
    };
    let found = rows(database.db.tree(), tree);
    let at = done.states.iter().rposition(|state| *state == found);
    let at = at.unwrap_or_else(|| panic!("{what}: no state of the history, but {} rows", found.len()));
    assert!(
        at + 1 >= done.acknowledged,
        "{what}: acknowledged commits are lost"
    );
    let done = Done {
        tree: Some(tree),
        states: done.states[..=at].to_vec(),
        acknowledged: at + 1,
        interrupted: None,
    };
    (database, done)
}

fn cut(disk: &SimulatedDisk, seed: u64) -> SimulatedDisk {
    disk.crash(match seed {
        0 => Crash::KeepNone,
        1 => Crash::KeepAll,
        _ => Crash::KeepSome { seed },
    })
}

#[test]
fn the_real_stack_conforms() {
    conforms(|| Database::open(&SimulatedDisk::new()).unwrap().db);
}

#[test]
fn a_clean_close_leaves_one_file_and_reopens() {
    let (disk, done) = undisturbed();
    for _ in 0..3 {
        let (database, _) = check(&disk, &done, "after a clean close");
        assert_eq!(database.report.losers, 0);
        database.close().unwrap();
    }
}

#[test]
fn a_power_cut_at_any_operation_is_survived() {
    let (whole, _) = undisturbed();
    let operations = whole.count(Operations::CHANGES);
    assert!(operations > 200, "{operations}");
    for at in (1..=operations).step_by(3) {
        let disk = SimulatedDisk::new();
        disk.inject(Injection::once(Operations::CHANGES, at, Effect::PowerOff));
        let done = live(&disk);
        for seed in [0, 1, at + 2] {
            let what = format!("operation {at}, seed {seed}");
            let crashed = cut(&disk, seed);
            let (database, mut done) = check(&crashed, &done, &what);
            if seed > 1 {
                work(&database, seed, 3, &mut done).unwrap();
                drop(database);
                check(&cut(&crashed, seed), &done, &format!("{what}, once more"));
            }
        }
    }
}

#[test]
fn a_power_cut_during_recovery_is_just_another_one() {
    let disk = SimulatedDisk::new();
    let mut done = Done::default();
    let database = Database::open(&disk).unwrap();
    work(&database, 3, 12, &mut done).unwrap();
    let loser = database.db.begin();
    let tree = done.tree.unwrap();
    for number in 0..60_u8 {
        let value = [number; 300];
        database
            .db
            .tree()
            .put(loser, tree, &[b'z', number], Value::inline(&value))
            .unwrap();
    }
    let by = database.db.begin();
    done.states.push(done.states.last().cloned().unwrap());
    database
        .db
        .acknowledge(database.db.commit(by, b"").unwrap())
        .unwrap();
    done.acknowledged = done.states.len();
    drop(database);
    let crashed = cut(&disk, 0);
    let probe = crashed.fork();
    assert_eq!(check(&probe, &done, "probe").0.report.losers, 1);
    let operations = probe.count(Operations::CHANGES) - crashed.count(Operations::CHANGES);
    for at in 1..=operations {
        let interrupted = crashed.fork();
        interrupted.inject(Injection::once(Operations::CHANGES, at, Effect::PowerOff));
        drop(Database::open(&interrupted));
        for seed in [0, 1, at + 2] {
            check(
                &cut(&interrupted, seed),
                &done,
                &format!("operation {at} of recovery, seed {seed}"),
            );
        }
    }
}

#[test]
fn a_sync_that_fails_and_forgets_loses_nothing_that_was_acknowledged() {
    let (whole, _) = undisturbed();
    for at in (1..=whole.count(Operations::SYNC)).step_by(2) {
        let disk = SimulatedDisk::new();
        disk.inject(Injection::once(
            Operations::SYNC,
            at,
            Effect::SyncForgets { seed: None },
        ));
        let done = live(&disk);
        // The same process reopens and sees what the cache shows. It may close, and then the power goes.
        let Ok(database) = Database::open(&disk) else {
            continue;
        };
        drop(database);
        let what = format!("sync {at}");
        check(&cut(&disk, 0), &done, &what);
    }
}

#[test]
fn a_full_disk_stops_work_and_loses_nothing() {
    let (whole, _) = undisturbed();
    for at in (1..=whole.count(Operations::CHANGES)).step_by(5) {
        let disk = SimulatedDisk::new();
        disk.inject(Injection::lasting(Operations::CHANGES, at, Effect::DiskFull));
        let done = live(&disk);
        let why = done.interrupted.as_ref().expect("the disk is full");
        assert!(
            matches!(why, Fault::Full { .. } | Fault::Poisoned { .. }),
            "{why}"
        );
        disk.heal();
        let what = format!("full from operation {at} on");
        let (database, mut done) = check(&disk, &done, &what);
        work(&database, at, 2, &mut done).unwrap();
        drop(database);
        check(&cut(&disk, 0), &done, &what);
    }
}

#[test]
fn a_rollback_on_a_full_disk_goes_through_and_work_resumes_when_there_is_room() {
    let disk = SimulatedDisk::new();
    let database = Database::open(&disk).unwrap();
    let mut done = Done::default();
    work(&database, 5, 30, &mut done).unwrap();
    let (db, tree) = (&database.db, done.tree.unwrap());
    let used: u64 = disk
        .files()
        .iter()
        .map(|name| disk.bytes(name).unwrap().len() as u64)
        .sum();
    disk.set_capacity(Some(used + 100_000));
    let by = db.begin();
    let refused = (0..100_000_u32).find_map(|number| {
        let key = [&b"m"[..], &number.to_be_bytes()].concat();
        db.tree().put(by, tree, &key, Value::inline(&[1; 500])).err()
    });
    assert!(matches!(refused, Some(Fault::Full { .. })), "{refused:?}");
    db.roll_back(by, Lsn::default()).unwrap();
    assert_eq!(rows(db.tree(), tree), *done.states.last().unwrap());
    disk.set_capacity(None);
    work(&database, 6, 5, &mut done).unwrap();
    drop(database);
    check(&cut(&disk, 0), &done, "after the disk was full");
}

#[test]
fn a_failed_operation_costs_at_most_the_work_in_flight() {
    let (whole, _) = undisturbed();
    for at in (1..=whole.count(Operations::ALL)).step_by(11) {
        let disk = SimulatedDisk::new();
        disk.inject(Injection::once(Operations::ALL, at, Effect::IoError));
        let done = live(&disk);
        let what = format!("error at {at}");
        let (database, mut done) = check(&disk, &done, &what);
        work(&database, at, 2, &mut done).unwrap();
        drop(database);
        check(&cut(&disk, 0), &done, &what);
    }
}

/// What one of several threads did: the values that its own rows had after each commit it tried, and how many were acknowledged.
#[derive(Clone, Default)]
struct Counter {
    tried: u64,
    acknowledged: u64,
}

const OWN_ROWS: u8 = 20;

/// Sets all rows of `thread` to a number, in one transaction, over and over; every third transaction is rolled back.
fn count(
    db: &Recovered<Stack>,
    tree: TreeId,
    thread: u8,
    times: u64,
    done: &mut Counter,
) -> Result<(), Fault> {
    for number in 1..=times {
        let by = db.begin();
        for row in 0..OWN_ROWS {
            let value = [number.to_be_bytes().as_slice(), &[thread; 150]].concat();
            db.tree().put(by, tree, &[thread, row], Value::inline(&value))?;
        }
        if number % 3 == 0 {
            db.roll_back(by, Lsn::default())?;
            continue;
        }
        done.tried = number;
        db.acknowledge(db.commit(by, b"")?)?;
        done.acknowledged = number;
    }
    Ok(())
}

/// Four threads count while a fifth takes checkpoints, until they are done or the power goes.
fn count_together(database: &Database, tree: TreeId) -> Vec<Counter> {
    let db = &database.db;
    let mut counters = vec![Counter::default(); 4];
    std::thread::scope(|scope| {
        let counting: Vec<_> = (0_u8..)
            .zip(&mut counters)
            .map(|(thread, counter)| scope.spawn(move || drop(count(db, tree, thread, 40, counter))))
            .collect();
        while !counting.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let _ = db.checkpoint(&Vec::new);
            let _ = db.wal().log().step();
            std::thread::yield_now();
        }
    });
    counters
}

#[test]
fn threads_and_checkpoints_lose_nothing_together() {
    for round in 0..24_u64 {
        let disk = SimulatedDisk::new();
        let database = Database::open(&disk).unwrap();
        let mut done = Done::default();
        work(&database, round, 1, &mut done).unwrap();
        let tree = done.tree.unwrap();
        if round > 0 {
            disk.inject(Injection::once(Operations::CHANGES, round * 23, Effect::PowerOff));
        }
        let counters = count_together(&database, tree);
        drop(database);
        let after = Database::open(&cut(&disk, round)).unwrap();
        let found = rows(after.db.tree(), tree);
        for (thread, counter) in (0_u8..).zip(&counters) {
            let own = found.iter().filter(|(key, _)| key[0] == thread && key.len() == 2);
            let numbers: Vec<u64> = own
                .map(|(_, value)| u64::from_be_bytes(value[..8].try_into().unwrap()))
                .collect();
            let number = numbers.first().copied().unwrap_or_default();
            let what = format!("round {round}, thread {thread}: {numbers:?}");
            assert!(numbers.iter().all(|n| *n == number), "{what}: half a transaction");
            assert!(
                numbers.is_empty() || numbers.len() == usize::from(OWN_ROWS),
                "{what}: rows are lost"
            );
            assert!(
                (counter.acknowledged..=counter.tried).contains(&number),
                "{what}: of {}..{}",
                counter.acknowledged,
                counter.tried
            );
            assert!(number % 3 != 0 || number == 0, "{what}: was rolled back");
        }
    }
}
