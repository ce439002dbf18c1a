//! The log by itself: a control file of any content, blocks of any content.
//!
//! A log that opens must be readable or say where it is damaged; it must take records, and give them back when it is opened again.

use super::reader::{Reader, lay_over};
use godb_page::{DatabaseId, Environment, Fault, FileSystem, Lsn, PageId, SimulatedDisk, TxnId};
use godb_wal::{Log, LogOptions, Record, UndoRecord, control_flaws, log_epoch, read_wrecked_log};
use std::sync::{Arc, OnceLock};

const DIR: &str = "fuzz-wal";
/// Bytes in a block of this log.
const BLOCK: usize = 512;
/// Bytes in a slot of the control file.
const SLOT: usize = 4096;
/// Bytes of a slot that mean something.
const FIELDS: usize = 80;
/// A disk this large is full when a forged number asks for terabytes.
const CAPACITY: u64 = 1 << 24;
const DATABASE: DatabaseId = DatabaseId::from_bytes([6; 16]);

fn options() -> LogOptions {
    LogOptions {
        block_size: 512,
        segment_size: 32 << 10,
        initial_size: 8 << 10,
        buffer: 64 << 10,
        ..LogOptions::new(DATABASE, 1)
    }
}

fn change(by: u64, length: usize) -> Record {
    Record::Change {
        by: Some(TxnId::from_raw(by)),
        previous: Lsn::default(),
        pages: vec![(PageId::from_raw(9), vec![7; length])],
        undo: UndoRecord::Logical(vec![8; 20]),
    }
}

fn commit(by: u64) -> Record {
    Record::Commit {
        by: TxnId::from_raw(by),
        previous: Lsn::default(),
        note: b"note".to_vec(),
    }
}

/// A log that was not closed: records within blocks, over blocks, and a checkpoint.
fn sound() -> &'static SimulatedDisk {
    static DISK: OnceLock<SimulatedDisk> = OnceLock::new();
    DISK.get_or_init(|| {
        let disk = SimulatedDisk::new();
        write(&disk).expect("a log can be made");
        let left = disk.fork();
        disk.power_off();
        left
    })
}

fn write(disk: &SimulatedDisk) -> Result<(), Fault> {
    let log = Log::create(&files(disk), DIR, &options(), &Environment::simulated(1))?;
    for by in 1..5 {
        log.append_record(&change(by, 100 * usize::try_from(by).unwrap_or(0)))?;
        let at = log.append_record(&commit(by))?;
        log.wait_synced(at)?;
    }
    let at = log.append_record(&Record::Checkpoint(vec![1; 40]))?;
    log.wait_synced(at)?;
    log.checkpointed(at, Lsn::from_raw(BLOCK as u64))?;
    for by in 5..9 {
        log.append_record(&change(by, 400))?;
    }
    let at = log.append_record(&Record::RolledBack {
        by: TxnId::from_raw(6),
    })?;
    log.wait_synced(at)
}

fn files(disk: &SimulatedDisk) -> Arc<dyn FileSystem> {
    Arc::new(disk.clone())
}

/// Damage, refusal and a full disk are what may come out.
fn damage<T>(result: Result<T, Fault>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(
            Fault::Corrupt { .. }
            | Fault::Unusable { .. }
            | Fault::Full { .. }
            | Fault::Poisoned { .. }
            | Fault::TooLarge { .. },
        ) => None,
        Err(fault) => panic!("the fault is none of a damaged log: {fault}"),
    }
}

/// The input: which slots, then the fields of one, or of both one after the other.
pub(super) fn control(data: &[u8]) {
    let disk = sound().fork();
    let name = format!("{DIR}/control");
    let mut bytes = disk.bytes(&name).expect("the file is there");
    let mut input = Reader(data);
    let which = input.choose(4);
    let same = input.0;
    for (slot, bytes) in bytes.chunks_exact_mut(SLOT).enumerate() {
        let fields = match which {
            2 => &same[..same.len().min(FIELDS)],
            _ => input.bytes(FIELDS),
        };
        if which >= 2 || which == slot {
            lay_over(&mut bytes[8..], fields);
            let sum = crc32fast::hash(&bytes[4..]);
            bytes[..4].copy_from_slice(&sum.to_le_bytes());
        }
    }
    disk.set_bytes(&name, &bytes);
    live(&disk);
}

/// The control file as it is.
pub(super) fn control_seeds() -> Vec<Vec<u8>> {
    let bytes = sound().bytes(&format!("{DIR}/control")).expect("it is there");
    let fields = &bytes[8..8 + FIELDS];
    let one = |which: u8| [&[which], fields].concat();
    vec![one(0), one(1), one(2), [&[3], fields, fields].concat()]
}

/// The input: a byte that says whether blocks keep the place they name, then blocks from their epoch on.
pub(super) fn blocks(data: &[u8]) {
    let disk = sound().fork();
    let name = segment(&disk);
    let mut bytes = disk.bytes(&name).expect("the file is there");
    let mut input = Reader(data);
    let any_place = input.byte() % 8 == 7;
    for (number, block) in bytes.chunks_exact_mut(BLOCK).enumerate() {
        if input.is_empty() {
            break;
        }
        let place = (number * BLOCK).to_le_bytes();
        lay_over(&mut block[24..], input.bytes(BLOCK - 24));
        if !any_place {
            block[32..40].copy_from_slice(&place);
        }
        let sum = crc32fast::hash(&block[4..]);
        block[..4].copy_from_slice(&sum.to_le_bytes());
    }
    disk.set_bytes(&name, &bytes);
    live(&disk);
}

fn segment(disk: &SimulatedDisk) -> String {
    let found = disk.files().into_iter().find(|name| name.ends_with(".log"));
    found.expect("a log has a file")
}

/// The blocks as they are.
pub(super) fn block_seeds() -> Vec<Vec<u8>> {
    let disk = sound();
    let bytes = disk.bytes(&segment(disk)).expect("it is there");
    let used = bytes.chunks_exact(BLOCK).filter(|block| block[4..8] != [0; 4]);
    let mut seed = vec![0];
    used.for_each(|block| seed.extend_from_slice(&block[24..]));
    vec![seed]
}

/// Everything that is done with a log that was not closed.
fn live(disk: &SimulatedDisk) {
    disk.set_capacity(Some(CAPACITY));
    let files = files(disk);
    damage(control_flaws(&*files, DIR));
    damage(log_epoch(&*files, DIR));
    damage(read_wrecked_log(&files, DIR, DATABASE, |_, _| Ok(())));
    let Some(log) = damage(Log::open(&files, DIR, &options(), &Environment::simulated(1))) else {
        return;
    };
    damage(log.check());
    let mut last = Lsn::default();
    for record in log.records(Lsn::default()) {
        let Some((at, _)) = damage(record) else { break };
        assert!(at > last, "records are not in order");
        last = at;
    }
    let end = log.end();
    let Some(first) = damage(log.append_record(&change(70, 300))) else {
        return;
    };
    assert!(first >= end, "a record is logged before the log's end");
    let Some(at) = damage(log.append_record(&commit(70))) else {
        return;
    };
    if damage(log.wait_synced(at)).is_none() || damage(log.checkpointed(first, first)).is_none() {
        return;
    }
    assert_eq!(mine(&log, first), 2, "records of the new epoch are not read back");
    let left = disk.fork();
    disk.power_off();
    let again = Log::open(&self::files(&left), DIR, &options(), &Environment::simulated(2));
    let again = again.expect("a log that took a checkpoint opens again");
    assert_eq!(mine(&again, first), 2, "durable records are gone");
}

fn mine(log: &Log, from: Lsn) -> usize {
    let records = log
        .records(from)
        .map(|record| record.expect("they were just written"));
    records
        .filter(|(_, record)| record.by() == Some(TxnId::from_raw(70)))
        .count()
}
