//! Checkpoints, as far as the log takes part in them, and the end of a log.

use super::{Log, open};
use crate::control::{Control, ControlFile, NAME as CONTROL};
use crate::segments::{REWRITE, number_of};
use godb_btree::sync::atomic::Ordering;
use godb_btree::{DatabaseId, Fault, FileSystem, Lsn};

impl Log {
    /// The position of the last completed checkpoint record, or zero.
    pub fn last_checkpoint(&self) -> Lsn {
        Lsn::from_raw(self.checkpoint.load(Ordering::Acquire))
    }

    /// Makes `checkpoint`, a durable record, the one that recovery starts from, and gives back the log before `keep`. After a failure in
    /// the control file the log is poisoned; a failure to give back files is only reported.
    pub fn checkpointed(&self, checkpoint: Lsn, keep: Lsn) -> Result<(), Fault> {
        self.ledger.tail.lock().check()?;
        let keep = {
            let mut control = self.control.lock();
            let now = control.now;
            let next = Control {
                keep: keep.raw().max(now.keep),
                checkpoint: checkpoint.raw(),
                allocated: self.segments.allocated(),
                ..now
            };
            control.write(next).inspect_err(|fault| self.poison(fault))?;
            next.keep
        };
        self.keep.store(keep, Ordering::Release);
        self.checkpoint.store(checkpoint.raw(), Ordering::Release);
        let ahead = 2 * self.segments.size();
        let recycled = self.segments.recycle(keep, self.end().raw(), ahead);
        recycled.map_err(|trouble| self.judge(trouble))
    }

    /// Writes and syncs everything, whatever the sync mode: the last thing that a log does. The database file can then be marked clean and the files [removed](remove_log).
    pub fn close(&self) -> Result<(), Fault> {
        self.ledger.tail.lock().check()?;
        self.wait_synced(self.end())
    }
}

/// Removes the log in `dir`, with the directory, once the database file is durably marked clean: nothing in the log is needed then.
/// `also` names further files of the directory that go with it. A log that is not there is fine, so an interrupted removal can be
/// repeated; the control file goes last, so that a foreign log is recognised to the end and left as it is.
pub fn remove_log(
    fs: &dyn FileSystem,
    dir: &str,
    database_id: DatabaseId,
    also: &[&str],
) -> Result<(), Fault> {
    if !fs.exists(dir)? {
        return Ok(());
    }
    let names = fs.list(dir)?;
    let has_control = names.iter().any(|name| name == CONTROL);
    if has_control
        && let Ok(control) = ControlFile::open(fs, dir)
        && control.now.database != database_id
    {
        return Err(Fault::Unusable {
            file: dir.into(),
            why: "the log belongs to another database; it was left as it is".into(),
        });
    }
    let ours = |name: &&String| {
        name.as_str() == REWRITE || also.contains(&name.as_str()) || number_of(name).is_some()
    };
    for name in names.iter().filter(ours) {
        fs.unlink(&format!("{dir}/{name}"))?;
    }
    if has_control {
        fs.sync_dir(dir)?;
        fs.unlink(&format!("{dir}/{CONTROL}"))?;
    }
    if fs.list(dir)?.is_empty() {
        fs.remove_dir(dir)?;
        fs.sync_dir(open::parent(dir))?;
    }
    Ok(())
}
