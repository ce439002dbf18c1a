//! Row 9: a bit flips. In a page: every bit of one page of each kind, in each size of page. In the log: every bit of every block of a log that has records of every
//! kind. In the control file and in the index of the safe copies: every bit.
//!
//! A bad block of the log is damage when something proves that it was durable. Otherwise it is where a crash ended the log: what lies behind is never replayed, not then
//! and not when the log has grown over the gap.

use super::campaign::Campaign;
use super::script::{Script, base};
use super::world::{FILE, LOG, PAGE, kill, open, read_state, typed};
use godb_page::page::header;
use godb_page::{
    DatabaseId, Environment, Fault, File, FileHeader, FileSystem, MemoryFileSystem, OpenMode, PageFile,
    PageFileOptions, PageId, PageKind, PageStore, SimulatedDisk,
};
use godb_wal::{Log, LogOptions, Record};
use std::collections::BTreeMap;
use std::sync::Arc;

/// SQLSTATE of a table that is not there.
const NO_SUCH_TABLE: &str = "42P01";

/// Bits that one case flips, one after the other.
const AT_ONCE: usize = 4096;

/// Flips bits in pages, in the log, in what stands beside it.
pub(super) fn run(campaign: &mut Campaign) {
    for size in [4096, 8192, 16_384, 65_536] {
        if campaign.quick && size > PAGE {
            break;
        }
        pages(campaign, size);
    }
    log(campaign);
    database(campaign);
}

/// A page of each kind, sealed, of any size.
fn samples(size: usize) -> BTreeMap<&'static str, Vec<u8>> {
    let kinds = [
        ("meta page", PageKind::Meta),
        ("free map", PageKind::FreeMap),
        ("leaf", PageKind::Leaf),
        ("inner page", PageKind::Inner),
        ("overflow page", PageKind::Overflow),
        ("free page", PageKind::Free),
        ("file header", PageKind::Header),
    ];
    let of_kind = |(name, kind): (&'static str, PageKind)| {
        let mut page: Vec<u8> = (0..size).map(|at| at.to_le_bytes()[0] ^ (kind as u8)).collect();
        header::set_kind(&mut page, kind);
        (name, page)
    };
    kinds.into_iter().map(of_kind).collect()
}

/// Every bit of a page of each kind, through the store that verifies it.
fn pages(campaign: &mut Campaign, size: usize) {
    let files = MemoryFileSystem::default();
    let file = files.open(FILE, OpenMode::Create).expect("memory takes files");
    let database_id = DatabaseId::from_bytes([9; 16]);
    FileHeader::new(database_id, size)
        .write(&*file)
        .expect("memory takes a header");
    let options = PageFileOptions {
        page_size: size,
        database_id,
        max_size: None,
        safe_copies: "area".to_owned(),
        direct: false,
    };
    let (store, _) = PageFile::open(&files, file.clone(), options).expect("its pages open");
    let stride = campaign.choose(7, 1);
    for (name, mut page) in samples(size) {
        let id = PageId::from_raw(5);
        store.write(&mut [(id, &mut page)]).expect("memory takes pages");
        for first in (0..size * 8).step_by(AT_ONCE).step_by(stride) {
            campaign.cases(
                name,
                AT_ONCE as u64,
                || format!("a page of {size} bytes, one of {AT_ONCE} bits from bit {first} on"),
                || (first..first + AT_ONCE).try_for_each(|bit| flip_in_page(&store, &*file, &page, id, bit)),
            );
        }
    }
}

fn flip_in_page(
    store: &PageFile,
    file: &dyn File,
    page: &[u8],
    id: PageId,
    bit: usize,
) -> Result<(), String> {
    let at = u64::from(id.raw()) * page.len() as u64 + (bit / 8) as u64;
    let put = |byte: u8| file.write_at(at, &[byte]).map_err(|fault| fault.to_string());
    put(page[bit / 8] ^ (1 << (bit % 8)))?;
    let read = store.read(id, &mut vec![0; page.len()]);
    put(page[bit / 8])?;
    match read {
        Err(Fault::Corrupt {
            page: Some(named), ..
        }) if named == id => Ok(()),
        Err(fault) => Err(format!("bit {bit}: another error: {fault}")),
        Ok(()) => Err(format!("bit {bit} was missed")),
    }
}

/// A log's records, in words.
type Records = Vec<String>;

pub(super) fn log_options() -> LogOptions {
    LogOptions {
        block_size: 512,
        segment_size: 16 << 10,
        initial_size: 16 << 10,
        buffer: 64 << 10,
        ..LogOptions::new(DatabaseId::from_bytes([7; 16]), 1)
    }
}

fn reopen(disk: &SimulatedDisk) -> Result<Arc<Log>, Fault> {
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    Log::open(&files, LOG, &log_options(), &Environment::simulated(1))
}

fn records(log: &Log) -> Result<Records, Fault> {
    log.records(godb_wal::Lsn::default())
        .map(|entry| entry.map(|(at, record)| format!("{at} {record:?}")))
        .collect()
}

/// A log with records of every kind, each flushed by itself, as a crash leaves it.
fn every_kind() -> SimulatedDisk {
    use godb_btree::{Change, Journal, Undo, size_of_change};
    let disk = SimulatedDisk::new();
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    let log = Log::create(&files, LOG, &log_options(), &Environment::simulated(1)).expect("a log is made");
    let by = godb_wal::TxnId::from_raw(5);
    let undos = [
        Undo::Never,
        Undo::Logical(b"how to take it back"),
        Undo::Compensates(godb_wal::UndoNext::default()),
    ];
    for (undo, kind) in undos
        .iter()
        .flat_map(|undo| (1..=3_u8).map(move |kind| (undo, kind)))
    {
        let bytes = vec![kind; 150];
        let pages = [(PageId::from_raw(9), bytes.as_slice())];
        let change = Change {
            by: Some(by),
            pages: &pages,
            undo: *undo,
        };
        let mut room = log.reserve(size_of_change(&change)).expect("there is room");
        let at = room.append(&change);
        log.wait_synced(at).expect("the disk is well");
    }
    let others = [
        Record::Checkpoint(vec![3; 600]),
        Record::Commit {
            by,
            previous: godb_wal::Lsn::default(),
            note: vec![4; 40],
        },
        Record::RolledBack {
            by: godb_wal::TxnId::from_raw(6),
        },
    ];
    for record in &others {
        let at = log.append_record(record).expect("there is room");
        log.wait_synced(at).expect("the disk is well");
    }
    disk.crash(godb_page::Crash::KeepNone)
}

/// Every bit of the log's blocks, and of its control file.
fn log(campaign: &mut Campaign) {
    let disk = every_kind();
    let whole = records(&reopen(&disk.fork()).expect("the log is sound")).expect("it can be read");
    let stride = campaign.choose(61, 1);
    for name in disk.files() {
        let len = disk.bytes(&name).expect("the file is there").len();
        let used = if name.ends_with(".log") {
            len.min(12 << 10)
        } else {
            len
        };
        let what = match name.ends_with(".log") {
            true => "block of the log",
            false => "control file",
        };
        for bit in (0..used as u64 * 8).step_by(stride) {
            campaign.case(
                what,
                || format!("bit {bit} of {name}"),
                || flip_in_log(&disk, &name, bit, &whole),
            );
        }
    }
}

fn flip_in_log(disk: &SimulatedDisk, name: &str, bit: u64, whole: &Records) -> Result<(), String> {
    let said = |fault: Fault| fault.to_string();
    let flipped = disk.fork();
    flipped.flip_bit(name, bit).map_err(said)?;
    let log = match reopen(&flipped) {
        Ok(log) => log,
        Err(Fault::Corrupt { .. } | Fault::Unusable { .. }) => return Ok(()),
        Err(fault) => return Err(format!("another error: {fault}")),
    };
    let found = records(&log).map_err(said)?;
    if !whole.starts_with(&found) {
        return Err(format!("it replays {found:?}"));
    }
    // The log grows over the gap: nothing from behind it comes back.
    let last = Record::RolledBack {
        by: godb_wal::TxnId::from_raw(77),
    };
    let at = log.append_record(&last).map_err(said)?;
    log.wait_synced(at).map_err(said)?;
    drop(log);
    let log = reopen(&flipped).map_err(said)?;
    let again = records(&log).map_err(said)?;
    let mut expected = found;
    expected.push(format!("{at} {last:?}"));
    match again == expected {
        true => Ok(()),
        false => Err(format!("later it replays {again:?}")),
    }
}

/// A sample of the bits of all files of a database, through the database: an error, or right answers.
fn database(campaign: &mut Campaign) {
    let killed = base();
    let script = Script::on(&killed, Vec::new());
    let closed = killed.fork();
    let closing = open(&closed).and_then(godb::Database::close);
    closing.expect("the base is sound");
    let stride = campaign.choose(9973, 61);
    for (state, disk) in [("closed", &closed), ("killed", &killed)] {
        for name in disk.files() {
            let len = disk.bytes(&name).expect("the file is there").len().min(1 << 18);
            for bit in (0..len as u64 * 8).step_by(stride) {
                campaign.case(
                    "bits of a whole database",
                    || format!("{state}: bit {bit} of {name}"),
                    || flip_in_database(disk, &name, bit, &script),
                );
            }
        }
    }
}

fn flip_in_database(disk: &SimulatedDisk, name: &str, bit: u64, script: &Script) -> Result<(), String> {
    let flipped = disk.fork();
    flipped.flip_bit(name, bit).map_err(|fault| fault.to_string())?;
    let db = match open(&flipped) {
        Ok(db) => db,
        Err(error) => return typed(&error),
    };
    // The last block of a log may be what a crash left half written; then the last commits never were, the one that made the table among them.
    let shorter = name.ends_with(".log");
    let verdict = match read_state(&db) {
        Err(error) if shorter && error.sqlstate() == NO_SUCH_TABLE => Ok(()),
        Err(error) => typed(&error),
        Ok(state) if state == script.states[0] || (shorter && state.is_empty()) => Ok(()),
        Ok(_) => Err("it gives wrong answers".to_owned()),
    };
    kill(db, &flipped);
    verdict
}
