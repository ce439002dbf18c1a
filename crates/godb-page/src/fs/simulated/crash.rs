//! What a power loss leaves behind: the durable state, and some of what was pending, as a [`Crash`] chooses.
//!
//! Pending are changes since the last sync of their file or directory. A write is kept or lost in fragments, each by itself; so are
//! changes of length, creations, renames and removals. Whatever is kept is applied in the order it was asked for.

use super::state::{Change, State};

/// Which pending changes survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// None: only what was synced.
    KeepNone,
    /// All.
    KeepAll,
    /// The first so many.
    KeepFirst(usize),
    /// The last so many.
    KeepLast(usize),
    /// Only this one.
    KeepOnly(usize),
    /// All but this one.
    LoseOnly(usize),
    /// Each by the toss of a coin.
    KeepSome {
        /// Decides the tosses.
        seed: u64,
    },
    /// Those whose bit is set; the 65th and later are lost.
    KeepMask(u64),
    /// All before the write with this number (see [`pending_writes`](super::SimulatedDisk::pending_writes)), a part of it, and nothing after.
    Tear {
        /// Which pending write, in order.
        write: usize,
        /// Which part of it.
        part: Tear,
    },
}

/// The part of a torn write that reached the medium, in sectors of 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// The first so many sectors.
    First(usize),
    /// All but the first so many.
    AllAfter(usize),
    /// All but one sector.
    AllBut(usize),
    /// All, but one sector is neither old nor new.
    Garbage(usize),
}

/// Bytes in a sector.
const SECTOR: usize = 512;

/// SplitMix64: one step of a repeatable sequence.
pub(super) fn toss(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Splits the pending changes into what can be lost by itself.
pub(super) fn units(pending: &[Change], fragment: usize) -> Vec<Change> {
    let mut units = Vec::new();
    for change in pending {
        match change {
            Change::Write { file, at, bytes } => split(*file, *at, bytes, fragment, &mut units),
            other => units.push(other.clone()),
        }
    }
    units
}

/// Cuts a write at multiples of `fragment` in the file.
fn split(file: usize, mut at: u64, mut bytes: &[u8], fragment: usize, into: &mut Vec<Change>) {
    while !bytes.is_empty() {
        let to_border = fragment - super::image::index(at % fragment as u64);
        let (head, tail) = bytes.split_at(bytes.len().min(to_border));
        into.push(Change::Write {
            file,
            at,
            bytes: head.into(),
        });
        at += head.len() as u64;
        bytes = tail;
    }
}

/// The state after the power came back: everything in it is durable.
pub(super) fn survivors(state: &State, crash: Crash) -> State {
    let after = state.powered_on();
    let keep = match crash {
        Crash::KeepNone => return after.settle(),
        Crash::KeepAll => Keep::AllBut(usize::MAX),
        Crash::Tear { write, part } => return tear(state, after, write, part),
        Crash::KeepFirst(count) => Keep::Range(0, count),
        Crash::KeepLast(count) => Keep::Last(count),
        Crash::KeepOnly(one) => Keep::Range(one, one + 1),
        Crash::LoseOnly(one) => Keep::AllBut(one),
        Crash::KeepSome { seed } => Keep::Coin(seed),
        Crash::KeepMask(mask) => Keep::Mask(mask),
    };
    let units = units(&state.pending, state.fragment);
    keep_units(after, &units, keep.over(units.len()))
}

/// The same, by a choice of the caller's own.
pub(super) fn survivors_of(state: &State, keep: impl FnMut(usize) -> bool) -> State {
    keep_units(state.powered_on(), &units(&state.pending, state.fragment), keep)
}

fn keep_units(mut after: State, units: &[Change], mut keep: impl FnMut(usize) -> bool) -> State {
    let kept = units.iter().enumerate().filter(|(at, _)| keep(*at));
    after.keep(kept.map(|(_, unit)| unit));
    after.settle()
}

/// A choice among numbered units.
enum Keep {
    Range(usize, usize),
    Last(usize),
    AllBut(usize),
    Coin(u64),
    Mask(u64),
}

impl Keep {
    /// The choice as a predicate, asked for each of `count` units in order.
    fn over(self, count: usize) -> Box<dyn FnMut(usize) -> bool> {
        match self {
            Self::Range(from, to) => Box::new(move |at| (from..to).contains(&at)),
            Self::Last(last) => Box::new(move |at| at + last >= count),
            Self::AllBut(one) => Box::new(move |at| at != one),
            Self::Coin(mut seed) => Box::new(move |_| toss(&mut seed) & 1 == 1),
            Self::Mask(mask) => Box::new(move |at| at < 64 && mask >> at & 1 == 1),
        }
    }
}

/// Keeps everything before a write and a part of the write.
fn tear(state: &State, mut after: State, write: usize, part: Tear) -> State {
    let writes = |change: &Change| matches!(change, Change::Write { .. });
    let Some(place) = state
        .pending
        .iter()
        .enumerate()
        .filter(|(_, change)| writes(change))
        .nth(write)
    else {
        after.keep(&state.pending);
        return after.settle();
    };
    after.keep(&state.pending[..place.0]);
    if let Change::Write { file, at, bytes } = place.1 {
        for (number, sector) in bytes.chunks(SECTOR).enumerate() {
            let at = at + (number * SECTOR) as u64;
            if let Some(bytes) = torn_sector(part, number, sector) {
                let bytes = bytes.into();
                after.keep([&Change::Write {
                    file: *file,
                    at,
                    bytes,
                }]);
            }
        }
    }
    after.settle()
}

/// What reached the medium of one sector; `None` when it stayed as it was.
fn torn_sector(part: Tear, number: usize, sector: &[u8]) -> Option<Vec<u8>> {
    match part {
        Tear::First(count) => (number < count).then(|| sector.to_vec()),
        Tear::AllAfter(count) => (number >= count).then(|| sector.to_vec()),
        Tear::AllBut(one) => (number != one).then(|| sector.to_vec()),
        Tear::Garbage(one) if number == one => Some(sector.iter().map(|byte| byte ^ 0x5A).collect()),
        Tear::Garbage(_) => Some(sector.to_vec()),
    }
}
