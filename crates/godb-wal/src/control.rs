//! The control file: where recovery begins.
//!
//! Two slots of the same content, each with a checksum and a sequence number, are written one after the other, each synced, so that
//! at every moment one of them is whole. The newer whole one counts.
//!
//! ```text
//!  0  checksum u32     over the rest of the slot
//!  4  magic u32
//!  8  version u32      of this file's format and of the blocks
//! 12  block size u32
//! 16  database id      16 bytes
//! 32  sequence u64
//! 40  epoch u64        the newest life of the log
//! 48  segment size u64
//! 56  keep u64         the log before this position is not needed any more
//! 64  checkpoint u64   the last completed checkpoint record, or zero
//! 72  allocated u64    log files reach this far
//! ```

use godb_btree::{DatabaseId, Fault, File, FileSystem, OpenMode};
use std::sync::Arc;

/// The control file's name in the log directory.
pub(crate) const NAME: &str = "control";
/// No log is so long, and no database opened so often, that a number gets here.
pub(crate) const UNREACHED: u64 = 1 << 60;
/// No segment is larger, in bytes.
const LARGEST_SEGMENT: u64 = 1 << 40;
/// Slots lie apart, so that no sector holds parts of both.
const SLOT: usize = 4096;
const MAGIC: u32 = u32::from_le_bytes(*b"gdbC");
const VERSION: u32 = 1;

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) block_size: u32,
    pub(crate) database: DatabaseId,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) segment_size: u64,
    pub(crate) keep: u64,
    pub(crate) checkpoint: u64,
    pub(crate) allocated: u64,
}

impl Control {
    fn encode(&self) -> Vec<u8> {
        let mut slot = vec![0; SLOT];
        slot[4..8].copy_from_slice(&MAGIC.to_le_bytes());
        slot[8..12].copy_from_slice(&VERSION.to_le_bytes());
        slot[12..16].copy_from_slice(&self.block_size.to_le_bytes());
        slot[16..32].copy_from_slice(&self.database.to_bytes());
        let numbers = [
            self.sequence,
            self.epoch,
            self.segment_size,
            self.keep,
            self.checkpoint,
            self.allocated,
        ];
        for (place, number) in slot[32..80].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = crc32fast::hash(&slot[4..]);
        slot[..4].copy_from_slice(&sum.to_le_bytes());
        slot
    }

    fn decode(slot: &[u8]) -> Slot {
        let word = |at: usize| u32::from_le_bytes(slot[at..at + 4].try_into().expect("four bytes"));
        let number = |at: usize| u64::from_le_bytes(slot[at..at + 8].try_into().expect("eight bytes"));
        if word(4) != MAGIC || word(0) != crc32fast::hash(&slot[4..]) {
            return Slot::Damaged;
        }
        if word(8) != VERSION {
            return Slot::Version(word(8));
        }
        Slot::Whole(Self {
            block_size: word(12),
            database: DatabaseId::from_bytes(slot[16..32].try_into().expect("sixteen bytes")),
            sequence: number(32),
            epoch: number(40),
            segment_size: number(48),
            keep: number(56),
            checkpoint: number(64),
            allocated: number(72),
        })
    }

    /// Whether the numbers are ones that this engine writes; they decide how everything else is read, and are counted on from.
    fn is_sane(&self) -> bool {
        let block = u64::from(self.block_size);
        let counted = [
            self.sequence,
            self.epoch,
            self.keep,
            self.checkpoint,
            self.allocated,
        ];
        block.is_power_of_two()
            && (512..=65536).contains(&block)
            && self.segment_size.is_multiple_of(block)
            && self.segment_size >= 4 * block
            && self.segment_size <= LARGEST_SEGMENT
            && counted.iter().all(|number| *number < UNREACHED)
    }
}

/// What was found in a slot.
enum Slot {
    Whole(Control),
    Version(u32),
    Damaged,
}

/// The open control file and what it says.
pub(crate) struct ControlFile {
    file: Arc<dyn File>,
    pub(crate) now: Control,
}

impl ControlFile {
    /// Writes a new control file; its name is durable when the directory is synced.
    pub(crate) fn create(fs: &dyn FileSystem, dir: &str, first: Control) -> Result<Self, Fault> {
        let file = fs.open(&format!("{dir}/{NAME}"), OpenMode::Create)?;
        let mut this = Self { file, now: first };
        this.write(first)?;
        Ok(this)
    }

    /// Reads the newer whole slot.
    pub(crate) fn open(fs: &dyn FileSystem, dir: &str) -> Result<Self, Fault> {
        let file = fs.open(&format!("{dir}/{NAME}"), OpenMode::Existing)?;
        let slots = [read_slot(&*file, 0)?, read_slot(&*file, 1)?];
        let mut best: Option<Control> = None;
        for slot in slots {
            match slot {
                Slot::Whole(c) if best.is_none_or(|b| b.sequence < c.sequence) => best = Some(c),
                Slot::Version(v) => return Err(unknown_version(file.name(), v)),
                Slot::Whole(_) | Slot::Damaged => {}
            }
        }
        match best {
            Some(now) if now.is_sane() => Ok(Self { file, now }),
            _ => Err(damaged(
                &*file,
                "neither slot of the log's control file is whole".to_owned(),
            )),
        }
    }

    /// What is wrong with its slots. One that is merely older is what a crash between the two leaves.
    pub(crate) fn flaws(&self) -> Result<Vec<Fault>, Fault> {
        let mut flaws = Vec::new();
        for place in 0..2 {
            if !matches!(read_slot(&*self.file, place)?, Slot::Whole(_)) {
                let what = format!("slot {place} of the log's control file is damaged");
                flaws.push(damaged(&*self.file, what));
            }
        }
        Ok(flaws)
    }

    /// Makes `next` what the file says. What could not be read again is not written.
    pub(crate) fn write(&mut self, next: Control) -> Result<(), Fault> {
        let next = Control {
            sequence: self.now.sequence + 1,
            ..next
        };
        if !next.is_sane() {
            let what = "its numbers are at the end of what can be counted".to_owned();
            return Err(damaged(&*self.file, what));
        }
        let slot = next.encode();
        for place in 0..2 {
            self.file.write_at(place * SLOT as u64, &slot)?;
            if !godb_btree::sync::planted("control-not-synced") {
                self.file.sync()?;
            }
        }
        self.now = next;
        Ok(())
    }
}

fn damaged(file: &dyn File, what: String) -> Fault {
    Fault::Corrupt {
        file: file.name().into(),
        page: None,
        tree: None,
        lsn: None,
        what: what.into(),
    }
}

/// A slot that the file is too short for counts as damaged.
fn read_slot(file: &dyn File, place: u64) -> Result<Slot, Fault> {
    let mut slot = vec![0; SLOT];
    let got = file.read_at(place * SLOT as u64, &mut slot)?;
    Ok(match got == SLOT {
        true => Control::decode(&slot),
        false => Slot::Damaged,
    })
}

fn unknown_version(file: &str, version: u32) -> Fault {
    Fault::Unusable {
        file: file.into(),
        why: format!("its log has format version {version}, and this godb knows version {VERSION}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use godb_btree::MemoryFileSystem;

    fn control() -> Control {
        Control {
            block_size: 512,
            database: DatabaseId::from_bytes([3; 16]),
            sequence: 0,
            epoch: 1,
            segment_size: 16 << 10,
            keep: 512,
            checkpoint: 0,
            allocated: 16 << 10,
        }
    }

    fn slot(file: &dyn File, place: u64) -> Vec<u8> {
        let mut bytes = vec![0; SLOT];
        assert_eq!(file.read_at(place * SLOT as u64, &mut bytes).unwrap(), SLOT);
        bytes
    }

    #[test]
    fn each_number_that_no_engine_writes_is_refused() {
        assert!(control().is_sane());
        let wrong: [fn(&mut Control); 9] = [
            |c| (c.block_size, c.segment_size) = (768, 768 * 8),
            |c| c.block_size = 256,
            |c| (c.block_size, c.segment_size) = (131_072, 1 << 20),
            |c| c.segment_size += 100,
            |c| c.segment_size = 1024,
            |c| c.segment_size = 2 * LARGEST_SEGMENT,
            |c| c.epoch = UNREACHED,
            |c| c.keep = UNREACHED,
            |c| c.allocated = u64::MAX,
        ];
        for (number, break_it) in wrong.into_iter().enumerate() {
            let mut forged = control();
            break_it(&mut forged);
            assert!(!forged.is_sane(), "number {number}");
        }
    }

    #[test]
    fn the_newer_slot_counts_wherever_it_is() {
        let fs = MemoryFileSystem::default();
        fs.create_dir("d").unwrap();
        let mut file = ControlFile::create(&fs, "d", control()).unwrap();
        let old = slot(&*file.file, 0);
        let first = file.now.sequence;
        file.write(Control {
            keep: 1024,
            ..control()
        })
        .unwrap();
        let new = slot(&*file.file, 0);
        for place in 0..2 {
            file.file.write_at(place * SLOT as u64, &old).unwrap();
            file.file.write_at((1 - place) * SLOT as u64, &new).unwrap();
            let found = ControlFile::open(&fs, "d").unwrap();
            assert_eq!((found.now.sequence, found.now.keep), (first + 1, 1024));
        }
    }

    #[test]
    fn a_damaged_slot_is_a_flaw_and_the_other_one_is_used() {
        let fs = MemoryFileSystem::default();
        fs.create_dir("d").unwrap();
        let file = ControlFile::create(&fs, "d", control()).unwrap();
        assert!(file.flaws().unwrap().is_empty());
        file.file.write_at(SLOT as u64 + 20, b"rot").unwrap();
        let found = ControlFile::open(&fs, "d").unwrap();
        assert_eq!(found.now.keep, 512);
        let flaws = found.flaws().unwrap();
        assert_eq!(flaws.len(), 1);
        assert!(flaws[0].to_string().contains("slot 1"), "{}", flaws[0]);
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let fs = MemoryFileSystem::default();
        fs.create_dir("d").unwrap();
        let mut file = ControlFile::create(&fs, "d", control()).unwrap();
        let before = slot(&*file.file, 0);
        for epoch in [UNREACHED, u64::MAX] {
            let next = Control { epoch, ..control() };
            assert!(matches!(file.write(next), Err(Fault::Corrupt { .. })));
        }
        file.now.sequence = UNREACHED - 1;
        assert!(matches!(file.write(control()), Err(Fault::Corrupt { .. })));
        assert_eq!(slot(&*file.file, 0), before, "nothing was written");
        assert!(ControlFile::open(&fs, "d").is_ok());
    }
}
