//! A whole database with its log: changed anywhere, or recovered from any records.
//!
//! What makes pages, blocks and slots valid is repaired after the change. The judge is that of the campaign of forged numbers: it opens, reads, checks, writes and closes; what
//! describes the structure of a page must not make an answer wrong without the check finding it. Salvage and repair get the same files.

use super::reader::{Reader, lay_over};
use crate::faults::forge::{block_payload, seal_block, seal_slot, survive, with_page};
use crate::faults::script::{Script, base};
use crate::faults::world::{FILE, LOG, PAGE, config, is_fault, open};
use godb::{Database, Environment, Error, RepairTo};
use godb_page::{FileSystem, PageKind, SimulatedDisk, page::header};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Bytes of a block of the log.
const BLOCK: usize = 4096;
/// A disk this large is full when a forged number asks for terabytes.
const CAPACITY: u64 = 1 << 26;

/// The databases that are changed, and what they hold.
struct Bases {
    killed: SimulatedDisk,
    closed: SimulatedDisk,
    script: Script,
}

fn bases() -> &'static Bases {
    static BASES: OnceLock<Bases> = OnceLock::new();
    BASES.get_or_init(|| {
        let killed = base();
        let closed = killed.fork();
        let closing = open(&closed).and_then(Database::close);
        closing.expect("the base is sound");
        Bases {
            script: Script::on(&killed, Vec::new()),
            killed,
            closed,
        }
    })
}

/// The input: which database and what for, then changes: which file, where, and what is written there.
pub(super) fn database(data: &[u8]) {
    let bases = bases();
    let mut input = Reader(data);
    let how = input.byte();
    let disk = match how & 1 {
        0 => bases.closed.fork(),
        _ => bases.killed.fork(),
    };
    let mut strict = true;
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        strict &= edit(&disk, &mut input);
    }
    disk.set_capacity(Some(CAPACITY));
    if how & 6 == 6 {
        rescue(&disk, how);
    }
    if let Err(wrong) = survive(&disk, &bases.script, strict) {
        panic!("{wrong}");
    }
}

/// Makes one change; tells whether it must be found out where it makes an answer wrong.
fn edit(disk: &SimulatedDisk, input: &mut Reader<'_>) -> bool {
    let file = input.choose(4);
    let (unit, offset, length) = (input.short(), usize::from(input.short()), input.choose(17));
    let bytes = input.bytes(length);
    match file {
        0 => edit_page(disk, usize::from(unit), offset, bytes, false),
        1 => edit_page(disk, usize::from(unit), offset, bytes, true),
        2 => edit_units(disk, ".log", usize::from(unit), offset, bytes, seal_block),
        _ => edit_units(disk, "control", usize::from(unit), offset % 80, bytes, seal_slot),
    }
}

/// Where a page says what is where lies in front; with `anywhere`, the change may be in a row.
fn edit_page(disk: &SimulatedDisk, number: usize, offset: usize, bytes: &[u8], anywhere: bool) -> bool {
    let pages = disk.bytes(FILE).map_or(1, |bytes| bytes.len() / PAGE).max(1);
    let mut strict = false;
    with_page(disk, number % pages, |page| {
        let slots = usize::from(header::slot_count(page));
        let (from, to) = match header::kind(page) {
            _ if anywhere => (8, PAGE),
            Some(PageKind::Leaf) => (32, (header::LEN + slots * 8).min(PAGE)),
            Some(PageKind::Meta | PageKind::FreeMap | PageKind::Inner) => (32, PAGE),
            // What a header says of the log, the epoch or the next id, is nowhere else.
            Some(PageKind::Header) => (8, 300),
            _ => (32, header::LEN),
        };
        strict = !anywhere && header::kind(page) != Some(PageKind::Header);
        let at = from + offset % (to - from);
        lay_over(&mut page[at..to], bytes);
    });
    strict
}

fn edit_units(
    disk: &SimulatedDisk,
    name: &str,
    number: usize,
    offset: usize,
    bytes: &[u8],
    seal: fn(&mut [u8]),
) -> bool {
    let Some(name) = disk.files().into_iter().find(|found| found.ends_with(name)) else {
        return true;
    };
    let mut content = disk.bytes(&name).expect("the file is there");
    let used = content
        .chunks_exact(BLOCK)
        .take_while(|unit| unit[..8] != [0; 8])
        .count();
    if let Some(unit) = content.chunks_exact_mut(BLOCK).nth(number % used.max(1)) {
        lay_over(&mut unit[8 + offset % (BLOCK - 8)..], bytes);
        seal(unit);
        disk.set_bytes(&name, &content);
    }
    false
}

/// Check, salvage and repair look at the same files; none of them may change them.
fn rescue(disk: &SimulatedDisk, how: u8) {
    let before = content(disk);
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    let environment = Environment::simulated(9);
    let path = Path::new(FILE);
    fault(Database::check_file_on(&files, &environment, path, &config()));
    let saved = Path::new("saved.godb");
    if fault(Database::salvage_on(&files, &environment, path, saved, &config())).is_some() {
        sound(disk, saved);
    }
    if how & 8 != 0 {
        let to = RepairTo::Copy("repaired.godb".into());
        if fault(Database::repair_on(&files, &environment, path, &to, &config())).is_some() {
            sound(disk, Path::new("repaired.godb"));
        }
    }
    for name in disk.files() {
        if name.starts_with("saved") || name.starts_with("repaired") {
            // What a refused attempt left; a directory's end is no matter here.
            let _ = disk.unlink(&name);
        }
    }
    let after = content(disk);
    assert!(before == after, "a rescue changed the damaged files");
}

fn content(disk: &SimulatedDisk) -> Vec<(String, Vec<u8>)> {
    let ours = |name: &String| name.starts_with(FILE);
    let with_bytes = |name: String| {
        let bytes = disk.bytes(&name).unwrap_or_default();
        (name, bytes)
    };
    disk.files().into_iter().filter(ours).map(with_bytes).collect()
}

/// What salvage or repair made is a sound database.
fn sound(disk: &SimulatedDisk, path: &Path) {
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    let db = Database::open_on(files, &Environment::simulated(9), path, config());
    let findings = db.and_then(|db| db.check()).expect("what was rescued opens");
    assert!(findings.is_empty(), "what was rescued is not sound: {findings:?}");
}

fn fault<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if is_fault(&error) => None,
        Err(error) => panic!("the error is none of damage: {} {error}", error.sqlstate()),
    }
}

/// Nothing changed, and one change of each kind.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0], vec![1], vec![6], vec![15]];
    for how in [0, 1, 6, 15] {
        for file in 0..4 {
            for unit in 0..6 {
                seeds.push(vec![how, file, unit, 0, 96, 0, 4, 1, 0, 0, 0]);
            }
        }
    }
    seeds
}

/// How many bytes of records each block of the killed database's log holds.
fn layout() -> (String, Vec<u8>, Vec<usize>) {
    let disk = &bases().killed;
    let name = disk.files().into_iter().find(|name| name.ends_with(".log"));
    let name = name.expect("a killed database has a log");
    let bytes = disk.bytes(&name).expect("the file is there");
    let used = bytes
        .chunks_exact(BLOCK)
        .take_while(|block| block[4..8] != [0; 4]);
    let used = used.map(|block| block_payload(block).len()).collect();
    (name, bytes, used)
}

/// The input: the log's records as one stream, which fills the blocks that there are and as many more as it needs.
pub(super) fn records(data: &[u8]) {
    let (name, mut bytes, layout) = layout();
    let disk = bases().killed.fork();
    let mut input = Reader(data);
    let template = bytes[..BLOCK].to_vec();
    // So many bytes belong to the record that the block before began.
    let mut left = 0;
    for (number, block) in bytes.chunks_exact_mut(BLOCK).enumerate() {
        let room = layout.get(number).copied();
        if room.is_none() && input.is_empty() {
            break;
        }
        if room.is_none() {
            block.copy_from_slice(&template);
            block[32..40].copy_from_slice(&(number * BLOCK).to_le_bytes());
        }
        fill(block, input.bytes(room.unwrap_or(BLOCK - HEAD)), &mut left);
        seal_block(block);
    }
    disk.set_bytes(&name, &bytes);
    disk.set_capacity(Some(CAPACITY));
    if let Err(wrong) = survive(&disk, &bases().script, false) {
        panic!("{wrong}");
    }
    assert!(LOG.len() > 1);
}

/// Bytes of a block's header.
const HEAD: usize = 96;

/// Puts payload into a block, and notes where its first record begins.
fn fill(block: &mut [u8], payload: &[u8], left: &mut usize) {
    block[HEAD..].fill(0);
    block[HEAD..HEAD + payload.len()].copy_from_slice(payload);
    let first = match *left < payload.len() {
        true => HEAD + *left,
        false => 0,
    };
    let mut at = *left;
    while let Some(length) = payload.get(at..at + 4) {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        at = at
            .saturating_add(4)
            .saturating_add(usize::try_from(length).unwrap_or(0));
    }
    *left = at.saturating_sub(payload.len());
    let small = |number: usize| u32::try_from(number).unwrap_or(0).to_le_bytes();
    block[56..60].copy_from_slice(&small(payload.len()));
    block[60..64].copy_from_slice(&small(first));
}

/// The records as they are.
pub(super) fn record_seeds() -> Vec<Vec<u8>> {
    let (_, bytes, layout) = layout();
    let blocks = bytes.chunks_exact(BLOCK).take(layout.len());
    vec![blocks.flat_map(|block| block_payload(block).to_vec()).collect()]
}
