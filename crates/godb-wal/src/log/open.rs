//! Opening a log that was not closed.

use super::survey::survey;
use super::{Log, Start, begin_epoch};
use crate::block::{HEADER, Stamp};
use crate::control::{Control, ControlFile, NAME as CONTROL};
use crate::options::LogOptions;
use crate::segments::{REWRITE, Segments, Trouble, number_of};
use godb_btree::{Environment, Fault, FileSystem};
use std::sync::Arc;

impl Log {
    /// Opens the log in `dir`: finds its end, makes sure that everything before it is on the medium, and begins a new epoch behind it.
    ///
    /// Afterwards the records are to be [recovered](crate::Wal); until then nothing may be logged but what recovery logs. `options.database_id` and
    /// `options.epoch` are what the database file names.
    ///
    /// # Errors
    ///
    /// [`Fault::Unusable`] when there is no log, when it belongs to another database, or when it is older than the file;
    /// [`Fault::Corrupt`] when something that was durable is damaged. In all of these cases nothing was changed.
    pub fn open(
        fs: &Arc<dyn FileSystem>,
        dir: &str,
        options: &LogOptions,
        env: &Environment,
    ) -> Result<Arc<Self>, Fault> {
        if !fs.exists(&format!("{dir}/{CONTROL}"))? {
            return Err(unusable(
                dir,
                "the database was not closed cleanly, and its log is missing",
            ));
        }
        let mut control = ControlFile::open(&**fs, dir)?;
        check_identity(dir, &control.now, options)?;
        let size = u64::from(control.now.block_size);
        let block = usize::try_from(size).expect("a block is small");
        let segments = Segments::open(fs.clone(), dir, control.now.segment_size, control.now.keep)?;
        let survey = survey(&segments, &control.now)?;
        let epoch = survey.newest_epoch + 1;
        control.write(Control { epoch, ..control.now })?;
        segments.rewrite(survey.durable, survey.end, survey.reached)?;
        fs.sync_dir(dir)?;
        fs.sync_dir(parent(dir))?;
        segments.grow(survey.end + size).map_err(Trouble::into_fault)?;
        let stamp = Stamp {
            database: control.now.database,
            epoch,
            durable: survey.end,
            allocated: segments.allocated(),
        };
        begin_epoch(&segments, survey.end, block, &stamp)?;
        remove_leftovers(&**fs, dir, &segments, control.now.keep)?;
        let start = Start {
            database: control.now.database,
            epoch,
            block,
            at: survey.end + size,
        };
        Ok(Arc::new(Self::run(start, segments, control, options, env)))
    }
}

fn check_identity(dir: &str, found: &Control, options: &LogOptions) -> Result<(), Fault> {
    if found.database != options.database_id {
        return Err(unusable(
            dir,
            "the log belongs to another database; it was left as it is",
        ));
    }
    if found.epoch < options.epoch {
        return Err(unusable(
            dir,
            "the log is older than the database file; it was left as it is",
        ));
    }
    Ok(())
}

/// The size of a block, when the sizes go together.
pub(super) fn check_sizes(dir: &str, options: &LogOptions) -> Result<usize, Fault> {
    let block = u64::from(options.block_size);
    let fine = block.is_power_of_two()
        && (512..=65536).contains(&block)
        && block > HEADER as u64
        && options.segment_size.is_multiple_of(block)
        && options.segment_size >= 4 * block;
    match usize::try_from(options.block_size) {
        Ok(block) if fine => Ok(block),
        _ => Err(unusable(
            dir,
            "the log cannot have blocks and segments of these sizes",
        )),
    }
}

/// Makes the directory. What a crash during an earlier creation left there is removed; a whole log is not.
pub(super) fn prepare_directory(fs: &dyn FileSystem, dir: &str) -> Result<(), Fault> {
    fs.create_dir(dir)?;
    let names = fs.list(dir)?;
    if names.iter().any(|name| name == CONTROL) && ControlFile::open(fs, dir).is_ok() {
        return Err(unusable(dir, "there is a log already"));
    }
    for name in names {
        if name == CONTROL || name == REWRITE || number_of(&name).is_some() {
            fs.unlink(&format!("{dir}/{name}"))?;
        }
    }
    Ok(())
}

/// Removes segments that are no part of the log: older ones whose removal a crash undid, and files behind a gap.
fn remove_leftovers(fs: &dyn FileSystem, dir: &str, segments: &Segments, keep: u64) -> Result<(), Fault> {
    let needed = keep / segments.size()..segments.allocated().div_ceil(segments.size());
    for name in fs.list(dir)? {
        if name == REWRITE || number_of(&name).is_some_and(|number| !needed.contains(&number)) {
            fs.unlink(&format!("{dir}/{name}"))?;
        }
    }
    fs.sync_dir(dir)
}

/// The directory that `path` lies in.
pub(super) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => "",
    }
}

fn unusable(dir: &str, why: &'static str) -> Fault {
    Fault::Unusable {
        file: dir.into(),
        why: why.into(),
    }
}
