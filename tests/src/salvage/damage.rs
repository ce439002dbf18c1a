//! What is done to the files.

use super::base::{Base, Bytes, FILE, PAGE};
use godb_page::{FileSystem, OpenMode, Random, SeededRandom};
use std::collections::HashSet;

/// One kind of damage, at places chosen at random.
#[derive(Clone, Debug)]
enum Kind {
    /// These bits are the other way round.
    Flips(Vec<u64>),
    /// These blocks are zeros.
    Zeroed(Vec<u64>),
    /// Two blocks stand in each other's place.
    Swapped(u64, u64),
    /// The file ends here.
    Cut(u64),
    /// From here on, so many bytes are anything.
    Garbage(u64, u64),
}

/// The damage of one case.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    seed: u64,
    parts: Vec<(String, Kind)>,
}

/// What was hit.
#[derive(Debug, Default)]
pub(super) struct Hit {
    /// Blocks, by file.
    pub(super) blocks: HashSet<(String, u64)>,
    /// The log.
    pub(super) log: bool,
    /// So much that nothing can be expected.
    pub(super) everything: bool,
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, limit: u64) -> u64 {
        self.0.next_u64() % limit.max(1)
    }
}

impl Damage {
    /// Damage to a base; the same seed does the same.
    pub(super) fn random(base: &Base, seed: u64) -> Self {
        let dice = Dice(SeededRandom::new(seed));
        let parts = (0..=dice.below(2)).map(|_| part(base, &dice)).collect();
        Self { seed, parts }
    }

    /// Damage to one or two pages of the main file, which can often be repaired.
    pub(super) fn slight(base: &Base, seed: u64) -> Self {
        let dice = Dice(SeededRandom::new(seed ^ 0x51));
        let blocks = base.bytes[FILE].len() as u64 / PAGE as u64;
        let block = || match dice.below(3) {
            0 => dice.below(5),
            _ => dice.below(blocks),
        };
        let hit = (0..=dice.below(2)).map(|_| block()).collect();
        Self {
            seed,
            parts: vec![(FILE.to_owned(), Kind::Zeroed(hit))],
        }
    }

    /// Does it, and tells what was hit.
    pub(super) fn make(&self, base: &Base, files: &dyn FileSystem) -> Hit {
        let mut now: Bytes = base.bytes.clone();
        for (name, kind) in &self.parts {
            if let Some(bytes) = now.get_mut(name) {
                kind.make(bytes, self.seed);
            }
        }
        let mut hit = Hit::default();
        for (name, bytes) in &now {
            let old = &base.bytes[name];
            for (block, old) in old.chunks(PAGE).enumerate() {
                let at = block * PAGE;
                if bytes.get(at..at + old.len()) != Some(old) {
                    hit.blocks.insert((name.clone(), block as u64));
                    hit.log |= name != FILE && !name.ends_with("safe-copies");
                }
            }
            let file = files.open(name, OpenMode::Existing).expect("it was copied");
            file.set_len(0).expect("memory can be cut");
            file.write_at(0, bytes).expect("memory takes bytes");
        }
        hit.everything = now[FILE].len() < 8 * PAGE;
        hit
    }
}

/// Where: mostly the main file; and there, now and then, the pages that everything hangs on.
fn part(base: &Base, dice: &Dice) -> (String, Kind) {
    let logs: Vec<&String> = base.bytes.keys().filter(|name| *name != FILE).collect();
    let name = match logs.len() as u64 {
        count if count > 0 && dice.below(8) == 0 => {
            logs[usize::try_from(dice.below(count)).unwrap_or(0)].clone()
        }
        _ => FILE.to_owned(),
    };
    let length = base.bytes[&name].len() as u64;
    let blocks = (length / PAGE as u64).max(1);
    let block = || match dice.below(4) {
        0 => dice.below(blocks.min(16)),
        _ => dice.below(blocks),
    };
    let kind = match dice.below(10) {
        0..3 => {
            let bits = (0..=dice.below(8)).map(|_| block() * PAGE as u64 * 8 + dice.below(PAGE as u64 * 8));
            Kind::Flips(bits.collect())
        }
        3..6 => Kind::Zeroed((0..=dice.below(6)).map(|_| block()).collect()),
        6..8 => Kind::Swapped(block(), block()),
        8 => Kind::Cut(dice.below(length)),
        _ => Kind::Garbage(
            block() * PAGE as u64 + dice.below(PAGE as u64),
            512 + dice.below(65_536),
        ),
    };
    (name, kind)
}

impl Kind {
    fn make(&self, bytes: &mut Vec<u8>, seed: u64) {
        let length = bytes.len();
        let range = |block: u64| {
            let at = usize::try_from(block).unwrap_or(0) * PAGE;
            at.min(length)..(at + PAGE).min(length)
        };
        match self {
            Self::Flips(bits) => {
                for bit in bits {
                    if let Some(byte) = bytes.get_mut(usize::try_from(bit / 8).unwrap_or(usize::MAX)) {
                        *byte ^= 1 << (bit % 8);
                    }
                }
            }
            Self::Zeroed(blocks) => {
                for block in blocks {
                    let range = range(*block);
                    bytes[range].fill(0);
                }
            }
            Self::Swapped(a, b) => {
                let (a, b) = (range(*a), range(*b));
                if a.len() == PAGE && b.len() == PAGE {
                    let (first, second) = (bytes[a.clone()].to_vec(), bytes[b.clone()].to_vec());
                    bytes[a].copy_from_slice(&second);
                    bytes[b].copy_from_slice(&first);
                }
            }
            Self::Cut(at) => bytes.truncate(usize::try_from(*at).unwrap_or(0)),
            Self::Garbage(at, length) => {
                let from = usize::try_from(*at).unwrap_or(0).min(bytes.len());
                let to = (from + usize::try_from(*length).unwrap_or(0)).min(bytes.len());
                SeededRandom::new(seed ^ 0xBAD).fill(&mut bytes[from..to]);
            }
        }
    }
}
