//! Row 17: numbers that somebody forged. What makes a page or a block valid is repaired after the change, so checksums find nothing, and what is read must defend itself: the
//! file header and both its copies, the meta page, free maps, the directory, the catalog, inner pages and leaves, the log's control file and its blocks.
//!
//! What describes the structure (headers, slots, separators, maps) must be found wrong wherever it makes an answer wrong. What a forger writes into a value is a value;
//! there the demand is that nothing panics or hangs.

use super::campaign::Campaign;
use super::forge::{seal_block, seal_slot, survive, with_page};
use super::script::{Script, base};
use super::world::{FILE, LOG, PAGE, open};
use godb_page::page::header;
use godb_page::{PageKind, Random, SeededRandom, SimulatedDisk};

/// Forges pages, headers and the log.
pub(super) fn run(campaign: &mut Campaign) {
    let killed = base();
    let script = Script::on(&killed, Vec::new());
    let closed = killed.fork();
    let closing = open(&closed).and_then(godb::Database::close);
    closing.expect("the base is sound");
    let rounds: u64 = campaign.choose(300, 40_000);
    for round in 0..rounds {
        for (what, forge) in FORGERIES {
            let seed = campaign.seed.wrapping_mul(1_000_003).wrapping_add(round);
            campaign.case(
                what,
                || format!("round {round}"),
                || {
                    let random = SeededRandom::new(seed);
                    let disk = if round % 2 == 0 {
                        closed.fork()
                    } else {
                        killed.fork()
                    };
                    let strict = forge(&disk, &random);
                    // A page number that somebody made up asks for a file of terabytes.
                    disk.set_capacity(Some(1 << 26));
                    survive(&disk, &script, strict)
                },
            );
        }
    }
}

/// Changes a disk; tells whether wrong answers must be found out.
type Forge = fn(&SimulatedDisk, &SeededRandom) -> bool;

const FORGERIES: [(&str, Forge); 5] = [
    ("file header, one copy or both", file_header),
    ("structure of a page", structure),
    ("bytes anywhere in a page", anywhere),
    ("control file", control),
    ("block of the log", block),
];

fn below(random: &SeededRandom, bound: usize) -> usize {
    let bound = bound.max(1) as u64;
    usize::try_from(random.next_u64() % bound).unwrap_or(0)
}

/// Writes a number that a forger would like: small, large, one off, or any.
fn forge_number(bytes: &mut [u8], random: &SeededRandom) {
    let mut old = [0; 8];
    let len = bytes.len().min(8);
    old[..len].copy_from_slice(&bytes[..len]);
    let old = u64::from_le_bytes(old);
    let new = match below(random, 8) {
        0 => 0,
        1 => u64::MAX,
        2 => old.wrapping_add(1),
        3 => old.wrapping_sub(1),
        4 => 1 << below(random, 64),
        5 => old ^ (1 << below(random, len * 8)),
        6 => u64::from(u32::MAX >> 1),
        _ => random.next_u64(),
    };
    bytes[..len].copy_from_slice(&new.to_le_bytes()[..len]);
}

/// Changes some numbers among the bytes from `from` up to `to`.
fn forge_some(bytes: &mut [u8], from: usize, to: usize, random: &SeededRandom) {
    for _ in 0..=below(random, 3) {
        let len = [1, 2, 4, 8][below(random, 4)];
        let at = from + below(random, to - from);
        let end = (at + len).min(to);
        forge_number(&mut bytes[at..end], random);
    }
}

fn page_count(disk: &SimulatedDisk) -> usize {
    disk.bytes(FILE).map_or(0, |bytes| bytes.len() / PAGE)
}

/// Its own fields, not the page header around them.
fn file_header(disk: &SimulatedDisk, random: &SeededRandom) -> bool {
    let which = below(random, 3);
    let mut forged = Vec::new();
    for copy in (0..2).filter(|copy| which == 2 || which == *copy) {
        with_page(disk, copy, |page| match forged.is_empty() {
            true => {
                forge_some(page, 96, 200, random);
                forged = page[96..].to_vec();
            }
            // The same forgery in both: nothing contradicts it.
            false => page[96..].copy_from_slice(&forged),
        });
    }
    // What a header says of the log, the epoch or the next id, is nowhere else.
    which != 2
}

/// Where a page says what is where: its header, its slots, its separators, its bits.
fn structure(disk: &SimulatedDisk, random: &SeededRandom) -> bool {
    let number = 2 + below(random, page_count(disk) - 2);
    with_page(disk, number, |page| {
        let slots = usize::from(header::slot_count(page));
        let to = match header::kind(page) {
            Some(PageKind::Leaf) => (header::LEN + slots * 8).min(PAGE),
            Some(PageKind::Meta | PageKind::FreeMap | PageKind::Inner) => PAGE,
            _ => header::LEN,
        };
        // Neither the checksum nor the LSN: which change came last, nobody else knows.
        forge_some(page, 32, to, random);
    });
    true
}

fn anywhere(disk: &SimulatedDisk, random: &SeededRandom) -> bool {
    let number = 2 + below(random, page_count(disk) - 2);
    with_page(disk, number, |page| forge_some(page, 8, PAGE, random));
    false
}

/// Both slots or one, with their checksum.
fn control(disk: &SimulatedDisk, random: &SeededRandom) -> bool {
    let name = format!("{LOG}/control");
    let Ok(mut bytes) = disk.bytes(&name) else {
        return true;
    };
    let which = below(random, 3);
    for (slot, bytes) in bytes.chunks_exact_mut(4096).enumerate() {
        if which == 2 || which == slot {
            forge_some(bytes, 8, 80, random);
            seal_slot(bytes);
        }
    }
    disk.set_bytes(&name, &bytes);
    false
}

/// A block that is in use, with its checksum.
fn block(disk: &SimulatedDisk, random: &SeededRandom) -> bool {
    let Some(name) = disk.files().into_iter().find(|name| name.ends_with(".log")) else {
        return true;
    };
    let mut bytes = disk.bytes(&name).expect("the file is there");
    let used = bytes.chunks_exact(4096).position(|block| block[..8] == [0; 8]);
    let number = below(random, used.unwrap_or(1));
    if let Some(block) = bytes.chunks_exact_mut(4096).nth(number) {
        forge_some(block, 8, 4096, random);
        seal_block(block);
    }
    disk.set_bytes(&name, &bytes);
    false
}
