//! Which disks a power loss at one moment may leave: the choices among what is pending.

use super::tester::Effort;
use godb_page::{Crash, Operations, SimulatedDisk, Tear};

/// Sectors in a block of the log, or a page.
const IN_BLOCK: usize = 8;

/// A way to lose the power: in words, and what is kept.
pub(super) struct Way {
    pub(super) how: String,
    kept: Kept,
}

enum Kept {
    Crash(Crash),
    /// By number of the pending change.
    Numbers(Vec<bool>),
}

impl Way {
    pub(super) fn of(how: impl Into<String>, crash: Crash) -> Self {
        Self {
            how: how.into(),
            kept: Kept::Crash(crash),
        }
    }

    /// The disk that is left.
    pub(super) fn crash(&self, disk: &SimulatedDisk) -> SimulatedDisk {
        match &self.kept {
            Kept::Crash(crash) => disk.crash(*crash),
            Kept::Numbers(numbers) => disk.crash_keeping(|at| numbers.get(at).copied().unwrap_or(false)),
        }
    }
}

/// A number made of two, for a seed.
pub(super) fn mix(one: u64, two: u64) -> u64 {
    let mixed = (one ^ two.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Every subset where they are few, else each one alone, all but each one, and random ones.
pub(super) fn subsets(disk: &SimulatedDisk, seed: u64, effort: &Effort) -> Vec<Way> {
    let pending = disk.pending();
    if pending <= effort.exhaustive {
        return (0..1_u64 << pending)
            .map(|mask| Way::of(format!("kept {mask:b}"), Crash::KeepMask(mask)))
            .collect();
    }
    let singles = (0..pending).flat_map(|one| {
        [
            Way::of(format!("kept only {one}"), Crash::KeepOnly(one)),
            Way::of(format!("lost only {one}"), Crash::LoseOnly(one)),
            Way::of(format!("kept the first {one}"), Crash::KeepFirst(one)),
            Way::of(format!("kept the last {one}"), Crash::KeepLast(one)),
        ]
    });
    let random = (0..effort.subsets).map(|n| {
        let seed = mix(seed, n);
        Way::of(format!("kept by seed {seed}"), Crash::KeepSome { seed })
    });
    singles.take(effort.singles).chain(random).collect()
}

/// The last pending write, torn at every sector, each in four ways; in a long write some sectors.
pub(super) fn torn(disk: &SimulatedDisk, seed: u64, effort: &Effort) -> Vec<Way> {
    let writes = disk.pending_writes();
    let Some(bytes) = writes.last() else {
        return Vec::new();
    };
    let sectors = bytes.div_ceil(512);
    let mut ways = Vec::new();
    for sector in chosen(sectors, seed, effort.sectors) {
        for part in [
            Tear::First(sector),
            Tear::AllAfter(sector),
            Tear::AllBut(sector),
            Tear::Garbage(sector),
        ] {
            let write = writes.len() - 1;
            ways.push(Way::of(
                format!("write {write} of {sectors} sectors torn, {part:?}"),
                Crash::Tear { write, part },
            ));
        }
    }
    ways
}

/// Of a long write, so many sectors at its beginning, as many that begin a page or a block of the log, and as many others.
fn chosen(sectors: usize, seed: u64, most: usize) -> Vec<usize> {
    if sectors <= 2 * most {
        return (0..sectors).collect();
    }
    let random = |n: usize, count: usize| {
        let number = mix(seed, n as u64) % count as u64;
        usize::try_from(number).unwrap_or(0)
    };
    let blocks = (0..most).map(|n| random(n, sectors.div_ceil(IN_BLOCK)) * IN_BLOCK);
    let others = (most..2 * most).map(|n| random(n, sectors));
    (0..most).chain(blocks).chain(others).collect()
}

/// Names and lengths lost apart from data: every subset of a few with all data and without any, else each alone.
pub(super) fn names(disk: &SimulatedDisk, effort: &Effort) -> Vec<Way> {
    let kinds = disk.pending_kinds();
    let data = |at: usize| kinds[at].meets(Operations::WRITE);
    let others: Vec<usize> = (0..kinds.len()).filter(|at| !data(*at)).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let few = others.len().min(effort.names);
    let mut ways = Vec::new();
    for keep_data in [false, true] {
        for mask in 0..1_u32 << few {
            let mut kept: Vec<bool> = (0..kinds.len()).map(|at| keep_data && data(at)).collect();
            // The newest are chosen among; the older ones go with the data.
            let (old, new) = others.split_at(others.len() - few);
            old.iter().for_each(|at| kept[*at] = keep_data);
            for (bit, at) in new.iter().enumerate() {
                kept[*at] = mask >> bit & 1 == 1;
            }
            let how = format!("names and lengths {mask:b} of {few}, data {keep_data}");
            ways.push(Way {
                how,
                kept: Kept::Numbers(kept),
            });
        }
    }
    ways
}
