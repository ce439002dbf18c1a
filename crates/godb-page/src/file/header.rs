//! [`FileHeader`]: what a database file says about itself, in two copies.
//!
//! Pages 0 and 1 hold the same words. They are written one after the other, each made durable before the next, so that
//! a crash leaves at least one whole; the one with the higher sequence number counts. The older copy is overwritten first: were it always
//! the first, a crash between the two and another during the next writing would leave only the one before both.
//!
//! ```text
//!  96  16 B magic            128  u32  page size
//! 112  u32  format version   132  u32  closed cleanly (1) or not (0)
//! 116  u32  feature flags    136  u64  log epoch
//! 120  u64  sequence         144  u16  length of the state, and the state
//! ```
//!
//! The database id is the page header's.

use crate::fault::Fault;
use crate::file_system::File;
use crate::ids::{DatabaseId, PageId};
use crate::page::header as page;

/// How many pages at the file's beginning are copies of its header.
pub const HEADER_PAGES: u32 = 2;

/// The version of the format that this code writes.
pub const FORMAT_VERSION: u32 = 1;

/// No database is opened or closed so often that a number gets here.
const UNREACHED: u64 = 1 << 60;

/// Feature flags that this code understands: none yet.
const KNOWN_FLAGS: u32 = 0;

const MAGIC: [u8; 16] = *b"godb database\r\n\x1a";
const SMALLEST_PAGE: usize = 4096;
const LARGEST_PAGE: usize = 65536;

/// The most bytes of [`FileHeader::state`].
pub const MAX_STATE: usize = 3584;

/// What a database file says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Its identity.
    pub database_id: DatabaseId,
    /// Bytes in a page.
    pub page_size: usize,
    /// The epoch of the log that goes with it. An older log is refused.
    pub epoch: u64,
    /// Everything is in the file, and its log is not needed.
    pub clean: bool,
    /// Which writing of the header this is.
    pub sequence: u64,
    /// What the log's layers have to remember while there is no log: opaque here, at most [`MAX_STATE`] bytes.
    pub state: Vec<u8>,
}

impl FileHeader {
    /// The header of a new file.
    #[must_use]
    pub fn new(database_id: DatabaseId, page_size: usize) -> Self {
        Self {
            database_id,
            page_size,
            epoch: 1,
            clean: false,
            sequence: 0,
            state: Vec::new(),
        }
    }

    /// Reads the header of an open file: the newer of its two copies.
    ///
    /// # Errors
    /// [`Fault::Unusable`] when the file is no database, or one that this version cannot open; [`Fault::Corrupt`] when it is one and both
    /// copies are damaged.
    pub fn read(file: &dyn File) -> Result<Self, Fault> {
        let mut newest: Option<Self> = None;
        let mut refusal = None;
        let mut failure = None;
        for size in (12..=16).map(|bits| 1_usize << bits) {
            for copy in 0..HEADER_PAGES {
                match Self::read_copy(file, size, copy) {
                    Ok(Some(header))
                        if newest
                            .as_ref()
                            .is_none_or(|newest| newest.sequence < header.sequence) =>
                    {
                        newest = Some(header);
                    }
                    Ok(_) => {}
                    Err(Fault::Unusable { file, why }) => refusal = Some(Fault::Unusable { file, why }),
                    // A bad sector: in a copy, or in a page of something else, where a copy would be if pages were larger.
                    Err(fault) => failure = Some(fault),
                }
            }
        }
        match (newest, refusal, failure) {
            // One whole copy of a newer format is enough: the program that wrote it was about to write the other.
            (_, Some(refusal), _) => Err(refusal),
            (Some(header), None, _) => Ok(header),
            (None, None, Some(failure)) => Err(failure),
            (None, None, None) => Err(Self::not_a_database(file)),
        }
    }

    /// Writes both copies, each durable before the next.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] when the state is longer than [`MAX_STATE`].
    pub fn write(&mut self, file: &dyn File) -> Result<(), Fault> {
        if self.state.len() > MAX_STATE {
            return Err(Fault::TooLarge {
                what: "the state kept in the file header",
                got: self.state.len() as u64,
                limit: MAX_STATE as u64,
            });
        }
        // What could not be read again is not written.
        if self.epoch.max(self.sequence + 1) >= UNREACHED {
            return Err(Fault::Corrupt {
                file: file.name().into(),
                page: Some(PageId::from_raw(0)),
                tree: None,
                lsn: None,
                what: "its header's numbers are at the end of what can be counted".into(),
            });
        }
        self.sequence += 1;
        for copy in Self::older_first(file, self.page_size) {
            let page = self.encode(copy);
            file.write_at(u64::from(copy) * self.page_size as u64, &page)?;
            file.sync()?;
        }
        Ok(())
    }

    /// The copies, the one that may be lost first.
    fn older_first(file: &dyn File, page_size: usize) -> [u32; 2] {
        let sequence = |copy| match Self::read_copy(file, page_size, copy) {
            Ok(header) => header.map(|header| header.sequence),
            // One that cannot be used or read cannot be lost; writing it anew may well mend it.
            Err(_) => None,
        };
        if sequence(1) < sequence(0) { [1, 0] } else { [0, 1] }
    }

    fn read_copy(file: &dyn File, size: usize, copy: u32) -> Result<Option<Self>, Fault> {
        let mut bytes = vec![0; size];
        let got = file.read_at(u64::from(copy) * size as u64, &mut bytes)?;
        if got < size || bytes[96..112] != MAGIC || u32_at(&bytes, 128) as usize != size {
            return Ok(None);
        }
        let database_id = page::database_id(&bytes);
        if page::verify(&bytes, PageId::from_raw(copy), database_id).is_err() || state_len(&bytes) > MAX_STATE
        {
            return Ok(None);
        }
        Self::decode(file.name(), &bytes, database_id).map(Some)
    }

    fn decode(name: &str, bytes: &[u8], database_id: DatabaseId) -> Result<Self, Fault> {
        let unusable = |why: String| Fault::Unusable {
            file: name.into(),
            why: why.into(),
        };
        let (version, flags) = (u32_at(bytes, 112), u32_at(bytes, 116));
        if version != FORMAT_VERSION {
            return Err(unusable(format!(
                "it has format version {version}, and this program reads version {FORMAT_VERSION}"
            )));
        }
        if flags & !KNOWN_FLAGS != 0 {
            return Err(unusable(format!(
                "it uses features this program does not know (flags {flags:#x}); use a newer one"
            )));
        }
        let (epoch, sequence) = (u64_at(bytes, 136), u64_at(bytes, 120));
        if epoch.max(sequence) >= UNREACHED {
            return Err(unusable(format!(
                "its header says epoch {epoch} and sequence {sequence}, which no database reaches"
            )));
        }
        let state = state_len(bytes);
        Ok(Self {
            database_id,
            page_size: u32_at(bytes, 128) as usize,
            epoch,
            clean: u32_at(bytes, 132) == 1,
            sequence,
            state: bytes[146..146 + state].to_vec(),
        })
    }

    fn encode(&self, copy: u32) -> Vec<u8> {
        let mut bytes = vec![0; self.page_size];
        page::set_kind(&mut bytes, page::PageKind::Header);
        bytes[96..112].copy_from_slice(&MAGIC);
        bytes[112..116].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[116..120].copy_from_slice(&0_u32.to_le_bytes());
        bytes[120..128].copy_from_slice(&self.sequence.to_le_bytes());
        let size = u32::try_from(self.page_size).expect("a page is at most 64 KiB");
        bytes[128..132].copy_from_slice(&size.to_le_bytes());
        bytes[132..136].copy_from_slice(&u32::from(self.clean).to_le_bytes());
        bytes[136..144].copy_from_slice(&self.epoch.to_le_bytes());
        let state = u16::try_from(self.state.len()).expect("the state's length was checked");
        bytes[144..146].copy_from_slice(&state.to_le_bytes());
        bytes[146..146 + self.state.len()].copy_from_slice(&self.state);
        page::seal(&mut bytes, PageId::from_raw(copy), self.database_id);
        bytes
    }

    /// Tells a damaged database from a file that never was one.
    fn not_a_database(file: &dyn File) -> Fault {
        let mut bytes = vec![0; 2 * LARGEST_PAGE];
        let got = file.read_at(0, &mut bytes).unwrap_or(0);
        let magic_at = |size: &usize| got >= size + 112 && bytes[size + 96..size + 112] == MAGIC;
        let first = got >= 112 && bytes[96..112] == MAGIC;
        if first || (0..=4).map(|n| SMALLEST_PAGE << n).any(|size| magic_at(&size)) {
            return Fault::Corrupt {
                file: file.name().into(),
                page: Some(PageId::from_raw(0)),
                tree: None,
                lsn: None,
                what: "both copies of the file header are damaged".into(),
            };
        }
        Fault::Unusable {
            file: file.name().into(),
            why: "it is not a godb database".into(),
        }
    }
}

/// The stored length of the state.
fn state_len(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[144], bytes[145]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileSystem, MemoryFileSystem, OpenMode};
    use std::sync::Arc;

    fn file() -> Arc<dyn File> {
        MemoryFileSystem::default()
            .open("a.godb", OpenMode::Create)
            .unwrap()
    }

    #[test]
    fn the_newer_whole_copy_counts() {
        for page_size in [4096, 8192, 65536] {
            let file = file();
            let mut header = FileHeader::new(DatabaseId::from_bytes([7; 16]), page_size);
            header.write(&*file).unwrap();
            let before = header.clone();
            header.clean = true;
            header.state = vec![5; MAX_STATE];
            header.epoch = 9;
            header.write(&*file).unwrap();
            assert_eq!(FileHeader::read(&*file).unwrap(), header);
            // A crash between the two copies: the second is still the old one.
            file.write_at(page_size as u64, &before.encode(1)).unwrap();
            assert_eq!(FileHeader::read(&*file).unwrap(), header);
            file.write_at(50, &[0xFF]).unwrap();
            assert_eq!(
                FileHeader::read(&*file).unwrap(),
                before,
                "the other copy is used"
            );
            file.write_at(page_size as u64 + 130, &[0xFF]).unwrap();
            assert!(matches!(
                FileHeader::read(&*file),
                Err(Fault::Corrupt { .. } | Fault::Unusable { .. })
            ));
        }
    }

    #[test]
    fn two_crashes_in_a_row_lose_nothing_that_was_durable() {
        use crate::{Crash, Effect, Injection, Operations, SimulatedDisk};
        let disk = SimulatedDisk::new();
        let file = disk.open("a.godb", OpenMode::Create).unwrap();
        let mut header = FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096);
        header.write(&*file).unwrap();
        disk.sync_dir("").unwrap();
        // The power goes after the first copy of epoch 2 is durable, then while the first copy of epoch 3 is being written.
        disk.inject(Injection::once(Operations::WRITE, 2, Effect::PowerOff));
        header.epoch = 2;
        header.write(&*file).unwrap_err();
        let disk = disk.crash(Crash::KeepNone);
        let file = disk.open("a.godb", OpenMode::Existing).unwrap();
        let mut header = FileHeader::read(&*file).unwrap();
        assert_eq!(header.epoch, 2);
        header.epoch = 3;
        disk.inject(Injection::once(Operations::SYNC, 1, Effect::PowerOff));
        header.write(&*file).unwrap_err();
        for sectors in 0..8 {
            let part = crate::Tear::Garbage(sectors);
            let torn = disk.crash(Crash::Tear { write: 0, part });
            let file = torn.open("a.godb", OpenMode::Existing).unwrap();
            assert_eq!(FileHeader::read(&*file).unwrap().epoch, 2);
        }
    }

    #[test]
    fn a_bad_sector_is_survived_where_the_other_copy_can_be_read() {
        use crate::{Effect, Injection, Operations, SimulatedDisk};
        let disk = SimulatedDisk::new();
        let file = disk.open("a.godb", OpenMode::Create).unwrap();
        let mut header = FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096);
        header.write(&*file).unwrap();
        file.set_len(1 << 20).unwrap();
        for place in (0..40_u64).map(|page| page * 4096) {
            let bad = Injection::lasting(Operations::READ, 1, Effect::IoError);
            disk.inject(bad.within(place, place + 4096));
            assert_eq!(FileHeader::read(&*file).unwrap(), header, "bad at {place}");
            header.write(&*file).unwrap();
            disk.heal();
        }
        disk.inject(Injection::lasting(Operations::READ, 1, Effect::IoError).within(0, 8192));
        assert!(matches!(FileHeader::read(&*file), Err(Fault::Io { .. })));
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused_before_anything_is_written() {
        let file = file();
        let mut header = FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096);
        header.state = vec![1; MAX_STATE + 1];
        assert!(matches!(header.write(&*file), Err(Fault::TooLarge { .. })));
        assert!(file.is_empty().unwrap());
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let file = file();
        let mut header = FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096);
        header.sequence = UNREACHED - 1;
        assert!(matches!(header.write(&*file), Err(Fault::Corrupt { .. })));
        header.sequence = UNREACHED - 2;
        header.write(&*file).unwrap();
        let mut read = FileHeader::read(&*file).unwrap();
        assert!(matches!(read.write(&*file), Err(Fault::Corrupt { .. })));
        assert_eq!(FileHeader::read(&*file).unwrap(), header);
    }

    #[test]
    fn unknown_versions_and_flags_are_refused() {
        for (at, what) in [(112, "version"), (116, "features")] {
            let file = file();
            let header = FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096);
            for copy in 0..HEADER_PAGES {
                let mut bytes = header.encode(copy);
                bytes[at] = 77;
                page::seal(&mut bytes, PageId::from_raw(copy), header.database_id);
                file.write_at(u64::from(copy) * 4096, &bytes).unwrap();
            }
            let refused = FileHeader::read(&*file).unwrap_err();
            assert!(
                matches!(&refused, Fault::Unusable { why, .. } if why.contains(what)),
                "{refused}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_reading_panic(
            changes in proptest::collection::vec((96_usize..160, proptest::prelude::any::<u8>()), 1..8),
            both: bool,
        ) {
            let file = file();
            let mut header = FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096);
            header.write(&*file).unwrap();
            for copy in 0..1 + u32::from(both) {
                let mut bytes = header.encode(copy);
                for (at, byte) in &changes {
                    bytes[*at] = *byte;
                }
                // The checksum is made right again: it guards against accidents, not against whoever can write the file.
                page::seal(&mut bytes, PageId::from_raw(copy), header.database_id);
                file.write_at(u64::from(copy) * 4096, &bytes).unwrap();
            }
            if let Ok(read) = FileHeader::read(&*file) {
                proptest::prop_assert!(read.page_size == 4096 && read.state.len() <= MAX_STATE);
            }
        }
    }

    #[test]
    fn a_file_cut_short_is_no_shorter_database() {
        let whole = file();
        FileHeader::new(DatabaseId::from_bytes([7; 16]), 4096)
            .write(&*whole)
            .unwrap();
        for len in (0..8192).step_by(512) {
            let cut = file();
            let mut bytes = vec![0; len];
            whole.read_at(0, &mut bytes).unwrap();
            cut.write_at(0, &bytes).unwrap();
            assert_eq!(FileHeader::read(&*cut).is_ok(), len >= 4096, "cut at {len}");
        }
    }

    #[test]
    fn other_files_are_no_databases() {
        for bytes in [b"hello".to_vec(), vec![0; 100_000]] {
            let file = file();
            file.write_at(0, &bytes).unwrap();
            assert!(matches!(FileHeader::read(&*file), Err(Fault::Unusable { .. })));
        }
    }
}
