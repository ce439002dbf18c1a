//! Reading a log that may be damaged, as far as it goes.
//!
//! Opening a log refuses one of which a durable part is not what was written, for nobody could recover from it without losing commits. Whoever wants to save what can be
//! saved reads the records before the damage, and is told that there was some. Nothing is changed.

use super::survey::{first_bad, survey};
use crate::block;
use crate::control::{Control, ControlFile, NAME as CONTROL};
use crate::options::LogOptions;
use crate::read::{Blocks, Found, View, record_at};
use crate::record::Record;
use crate::segments::{Segments, number_of};
use godb_btree::{DatabaseId, Fault, FileSystem, Lsn};
use std::sync::Arc;

/// What was read of a log.
#[derive(Clone, Debug, Default)]
pub struct WreckedLog {
    /// Records that were shown.
    pub records: u64,
    /// Why some may be missing. None: the log was read as far as recovery would have read it.
    pub damage: Option<Fault>,
}

/// Shows every record of the log in `dir` that can be read, from the oldest needed one on, up to the log's end or the first damage.
///
/// # Errors
/// Failures other than damage, and those of `show`.
pub fn read_wrecked_log(
    fs: &Arc<dyn FileSystem>,
    dir: &str,
    database: DatabaseId,
    mut show: impl FnMut(Lsn, Record) -> Result<(), Fault>,
) -> Result<WreckedLog, Fault> {
    let mut read = WreckedLog::default();
    if !fs.exists(&format!("{dir}/{CONTROL}"))? {
        read.damage = Some(Fault::Corrupt {
            file: format!("{dir}/{CONTROL}").into(),
            page: None,
            tree: None,
            lsn: None,
            what: "the log's control file is missing".into(),
        });
    }
    let control = match ControlFile::open(&**fs, dir) {
        Err(_) if read.damage.is_some() => guess(&**fs, dir, database)?,
        Ok(file) => file.now,
        Err(fault @ Fault::Corrupt { .. }) => {
            read.damage = Some(fault);
            guess(&**fs, dir, database)?
        }
        Err(fault) => return Err(fault),
    };
    let segments = Segments::open(fs.clone(), dir, control.segment_size, control.keep)?;
    match survey(&segments, &control) {
        Ok(_) => {}
        Err(fault @ Fault::Corrupt { .. }) => {
            read.damage.get_or_insert(fault);
        }
        Err(fault) => return Err(fault),
    }
    let mut blocks = WreckBlocks {
        end: first_bad(&segments, &control)?,
        size: control.block_size,
        database,
        segments,
        bytes: Vec::new(),
    };
    let mut at = blocks.first_record(control.keep)?;
    let mut body = Vec::new();
    loop {
        match record_at(&mut blocks, at, &mut body) {
            Ok(Found::Record(lsn, record, next)) => {
                read.records += 1;
                at = next;
                show(lsn, record)?;
            }
            // A record without its end is what damage, or a crash, leaves last.
            Ok(Found::End) | Err(Fault::Corrupt { .. }) => return Ok(read),
            Err(fault) => return Err(fault),
        }
    }
}

/// What the control file would say of a log with the usual sizes that begins with the oldest file there is.
fn guess(fs: &dyn FileSystem, dir: &str, database: DatabaseId) -> Result<Control, Fault> {
    let usual = LogOptions::new(database, 0);
    let names = fs.list(dir)?;
    let oldest = names.iter().filter_map(|name| number_of(name)).min();
    Ok(Control {
        block_size: usual.block_size,
        database,
        sequence: 0,
        epoch: 0,
        segment_size: usual.segment_size,
        keep: oldest.unwrap_or(0).saturating_mul(usual.segment_size),
        checkpoint: 0,
        allocated: 0,
    })
}

/// The whole blocks in the files, up to the first bad one.
struct WreckBlocks {
    segments: Segments,
    size: u32,
    database: DatabaseId,
    end: u64,
    bytes: Vec<u8>,
}

impl WreckBlocks {
    /// Where the first record at or behind `at` begins: the oldest file may begin in the middle of one.
    fn first_record(&mut self, at: u64) -> Result<u64, Fault> {
        let size = u64::from(self.size);
        if !at.is_multiple_of(size) {
            return Ok(at);
        }
        let mut block = at;
        while let Some(view) = self.block(block)? {
            if view.first != 0 {
                return Ok(block + view.first as u64);
            }
            block += size;
        }
        Ok(block)
    }
}

impl Blocks for WreckBlocks {
    fn size(&self) -> u64 {
        u64::from(self.size)
    }

    fn block(&mut self, at: u64) -> Result<Option<View<'_>>, Fault> {
        if at >= self.end {
            return Ok(None);
        }
        self.bytes
            .resize(usize::try_from(self.size).expect("a block is small"), 0);
        let got = self.segments.read(at, &mut self.bytes)?;
        let header = match got == self.bytes.len() {
            true => block::open(&self.bytes, at, self.database),
            false => None,
        };
        Ok(header.map(|header| View {
            bytes: &self.bytes[..header.end],
            first: header.first,
            epoch: header.epoch,
        }))
    }
}
