//! The check of a log: both slots of its control file, and every record that recovery would read.

use super::Log;
use crate::control::{ControlFile, NAME as CONTROL};
use godb_btree::{Fault, FileSystem, Lsn};

/// What a check of the log saw.
#[derive(Clone, Debug, Default)]
pub struct LogCheck {
    /// What is damaged; empty when all is well.
    pub findings: Vec<Fault>,
    /// Records read.
    pub records: u64,
    /// Bytes that they take.
    pub bytes: u64,
}

impl Log {
    /// Reads the control file and every record since the last checkpoint, as far as the log reached when this began. May run while others write.
    ///
    /// # Errors
    /// Failures other than damage.
    pub fn check(&self) -> Result<LogCheck, Fault> {
        loop {
            let from = self.last_checkpoint();
            let check = self.check_from(from)?;
            // A checkpoint meanwhile gives segments back, which then look damaged.
            if check.findings.is_empty() || self.last_checkpoint() == from {
                return Ok(check);
            }
        }
    }

    fn check_from(&self, from: Lsn) -> Result<LogCheck, Fault> {
        let mut check = LogCheck {
            findings: self.control.lock().flaws()?,
            ..LogCheck::default()
        };
        let end = self.end();
        let mut first = None;
        for record in self.records(from) {
            match record {
                Ok((at, _)) if at >= end => break,
                Ok((at, _)) => {
                    check.records += 1;
                    first.get_or_insert(at);
                }
                Err(fault @ Fault::Corrupt { .. }) => {
                    check.findings.push(fault);
                    break;
                }
                Err(fault) => return Err(fault),
            }
        }
        check.bytes = first.map_or(0, |at: Lsn| end.raw() - at.raw());
        Ok(check)
    }
}

/// What is damaged of the control file of the log in `dir`, where one of its slots is whole: opening the log would write it again and hide that. Changes nothing.
///
/// # Errors
/// When there is no log, or neither slot is whole.
pub fn control_flaws(fs: &dyn FileSystem, dir: &str) -> Result<Vec<Fault>, Fault> {
    ControlFile::open(fs, dir)?.flaws()
}

/// The epoch of the log in `dir`; `None` when there is none, or nothing whole says so.
///
/// # Errors
/// What the file system refuses.
pub fn log_epoch(fs: &dyn FileSystem, dir: &str) -> Result<Option<u64>, Fault> {
    if !fs.exists(&format!("{dir}/{CONTROL}"))? {
        return Ok(None);
    }
    match ControlFile::open(fs, dir) {
        Ok(control) => Ok(Some(control.now.epoch)),
        Err(Fault::Corrupt { .. } | Fault::Unusable { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}
