//! Repair: making a damaged database whole again, where nothing has to be guessed for that.
//!
//! There are two ways, the gentle one first:
//!
//! 1. **Mending.** The other copy of the header is written anew. Recovery puts torn pages back from their safe copies, and makes those again of which the log tells everything. Entries
//!    of indexes that fit no row are removed, missing ones added. All else stays as it is.
//! 2. **Rebuilding**, where the structure itself is damaged: free maps, counters, inner pages, whole indexes. All of that follows from the rows; so the rows are copied into a new file
//!    as [salvage](crate::salvage) does it. That is a repair only if no row is lost by it, and here that must be *proved*: each page that cannot be read has to be known, from a whole page that
//!    leads to it, as one that holds no rows of its own. What the rebuilt file does not have is the past: old versions for `AS OF`.
//!
//! Where neither will do, repair refuses, changes nothing, and says what is lost; then it is for somebody to decide, and for salvage to save the rest.
//!
//! The damaged files are left alone unless one asks for a repair in place. Even then the rebuilt file takes their name only when it is whole and durable.

use crate::check::{CheckReport, check_file};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::salvage::salvage_proved;
use crate::storage::Place;
use godb_page::{Environment, Fault, FileHeader, FileSystem, OpenMode};
use godb_sql::IndexMended;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes copied at a time.
const PIECE: usize = 1 << 20;

/// Where the repaired database goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairTo {
    /// To a new file; the damaged one stays as it is.
    Copy(PathBuf),
    /// To where the damaged one is.
    InPlace,
}

/// What was wrong, what was done, and what is wrong now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// The damaged file.
    pub before: CheckReport,
    /// What was done, in words.
    pub done: Vec<String>,
    /// The repaired file. Without findings, or repair would have refused.
    pub after: CheckReport,
}

/// The files and how they are opened.
struct Repair<'a> {
    files: &'a Arc<dyn FileSystem>,
    environment: &'a Environment,
    config: &'a Config,
}

/// Repairs the database file at `path`.
pub(crate) fn repair(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    path: &Path,
    to: &RepairTo,
    config: &Config,
) -> Result<RepairReport> {
    let before = check_file(files, environment, path, config)?;
    if before.is_sound() {
        return Ok(RepairReport {
            after: before.clone(),
            before,
            done: Vec::new(),
        });
    }
    let repair = Repair {
        files,
        environment,
        config,
    };
    let (done, after) = match to {
        RepairTo::Copy(output) => repair.to_copy(path, output)?,
        RepairTo::InPlace => repair.in_place(path)?,
    };
    Ok(RepairReport { before, done, after })
}

impl Repair<'_> {
    fn to_copy(&self, path: &Path, output: &Path) -> Result<(Vec<String>, CheckReport)> {
        let target = Place::new(output)?;
        self.refuse_existing(&target)?;
        copy_database(&**self.files, &Place::new(path)?, &target)?;
        let mended = self.mend(output);
        if let Ok((done, after)) = mended
            && after.is_sound()
        {
            return Ok((done, after));
        }
        remove_database(&**self.files, &target)?;
        self.rebuild(path, output)
    }

    /// Tries it on a copy first: a file that cannot be mended is not touched.
    fn in_place(&self, path: &Path) -> Result<(Vec<String>, CheckReport)> {
        let place = Place::new(path)?;
        let trial = PathBuf::from(format!("{}-repaired", place.file));
        let (done, after) = self.to_copy(path, &trial)?;
        let repaired = Place::new(&trial)?;
        // It was closed, so that one file is all of it. From the moment it has the name the old log belongs to nothing.
        self.files.rename(&repaired.file, &place.file)?;
        self.files.sync_dir(place.parent())?;
        remove_directory(&**self.files, &place.log_dir)?;
        Ok((done, after))
    }

    /// The gentle way, on the file itself.
    fn mend(&self, path: &Path) -> Result<(Vec<String>, CheckReport)> {
        let mut done = Vec::new();
        let place = Place::new(path)?;
        let file = self.files.open(&place.file, OpenMode::Existing)?;
        let mut header = FileHeader::read(&*file)?;
        for flaw in header.flaws(&*file)? {
            done.push(format!(
                "wrote the copy of the header again from the other one: {flaw}"
            ));
        }
        if !done.is_empty() {
            header.write(&*file)?;
        }
        drop(file);
        let instance = Instance::open(self.files, self.environment, path, self.quiet())?;
        if !header.clean {
            done.push(
                "took in the log: pages whose contents it tells were made again, torn ones put back"
                    .to_owned(),
            );
        }
        for mended in instance.sql().mend_indexes()? {
            done.push(words(&mended));
        }
        instance.recount()?;
        let closed = match Arc::into_inner(instance) {
            Some(instance) => instance.close(),
            None => Ok(()),
        };
        closed?;
        Ok((done, check_file(self.files, self.environment, path, self.config)?))
    }

    /// The thorough way, into a new file.
    fn rebuild(&self, path: &Path, output: &Path) -> Result<(Vec<String>, CheckReport)> {
        let target = Place::new(output)?;
        let rebuilt = salvage_proved(self.files, self.environment, path, output, self.config);
        let checked = rebuilt.and_then(|report| {
            let after = check_file(self.files, self.environment, output, self.config)?;
            match after.is_sound() {
                true => Ok((report, after)),
                false => Err(refusal(path, "what was rebuilt is not whole")),
            }
        });
        match checked {
            Ok((report, after)) => {
                let mut done = vec![
                    "rebuilt trees, indexes and free space from the rows; nothing was lost but the past"
                        .to_owned(),
                ];
                done.extend(
                    report
                        .damaged_pages
                        .iter()
                        .map(|page| format!("page {page} held no rows")),
                );
                done.extend(
                    report
                        .to_string()
                        .lines()
                        .filter(|line| line.starts_with("table"))
                        .map(str::to_owned),
                );
                Ok((done, after))
            }
            Err(error) => {
                remove_database(&**self.files, &target)?;
                Err(error)
            }
        }
    }

    fn quiet(&self) -> Config {
        Config {
            background_threads: false,
            read_only: false,
            ..self.config.clone()
        }
    }

    fn refuse_existing(&self, target: &Place) -> Result<()> {
        match self.files.exists(&target.file)? || self.files.exists(&target.log_dir)? {
            true => Err(Fault::Unusable {
                file: target.file.as_str().into(),
                why: "there is a file of that name already, and the repaired database is a new one".into(),
            }
            .into()),
            false => Ok(()),
        }
    }
}

/// Why it cannot be repaired.
pub(crate) fn refusal(path: &Path, why: &str) -> Error {
    Fault::Corrupt {
        file: path.to_string_lossy().into(),
        page: None,
        tree: None,
        lsn: None,
        what: format!("it cannot be repaired without losing something ({why}); salvage saves the rest")
            .into(),
    }
    .into()
}

fn words(mended: &IndexMended) -> String {
    let IndexMended {
        table,
        index,
        added,
        removed,
        duplicates,
    } = mended;
    format!(
        "index \"{index}\" of table \"{table}\": added {added} entries, removed {removed}; {duplicates} rows that another keeps out"
    )
}

/// Copies a database's file and its log.
fn copy_database(files: &dyn FileSystem, from: &Place, to: &Place) -> Result<()> {
    let source = files.open(&from.file, OpenMode::ReadOnly)?;
    let _reading = files.lock_shared(&from.file)?;
    drop(source);
    if files.exists(&from.log_dir)? {
        files.create_dir(&to.log_dir)?;
        for name in files.list(&from.log_dir)? {
            copy_file(
                files,
                &format!("{}/{name}", from.log_dir),
                &format!("{}/{name}", to.log_dir),
            )?;
        }
        files.sync_dir(&to.log_dir)?;
    }
    copy_file(files, &from.file, &to.file)?;
    Ok(files.sync_dir(to.parent())?)
}

fn copy_file(files: &dyn FileSystem, from: &str, to: &str) -> Result<()> {
    let (from, to) = (
        files.open(from, OpenMode::ReadOnly)?,
        files.open(to, OpenMode::Create)?,
    );
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        let got = from.read_at(at, &mut piece)?;
        if got == 0 {
            return Ok(to.sync()?);
        }
        to.write_at(at, &piece[..got])?;
        at += got as u64;
    }
}

/// Removes a database that this program made.
fn remove_database(files: &dyn FileSystem, place: &Place) -> Result<()> {
    if files.exists(&place.file)? {
        files.unlink(&place.file)?;
    }
    remove_directory(files, &place.log_dir)
}

fn remove_directory(files: &dyn FileSystem, dir: &str) -> Result<()> {
    if !files.exists(dir)? {
        return Ok(());
    }
    for name in files.list(dir)? {
        files.unlink(&format!("{dir}/{name}"))?;
    }
    Ok(files.remove_dir(dir)?)
}

#[cfg(test)]
mod tests;
