//! Reading the broken file.

use super::SalvageReport;
use crate::error::Result;
use crate::storage::{Place, SAFE_COPIES};
use godb_btree::{Redone, Wreck, WreckedValue};
use godb_mvcc::{StoredVersion, history_key};
use godb_page::{
    Fault, File, FileHeader, FileLock, FileSystem, OpenMode, OverlayFileSystem, PageFile, PageFileOptions,
    TreeId, TxnId,
};
use godb_wal::{Record, WreckedLog, read_wrecked_log};
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

/// The catalog's tree: the first that every database has.
pub(super) const ROOT: TreeId = TreeId::from_raw(2);

/// The tree of old versions: the second.
pub(super) const HISTORY: TreeId = TreeId::from_raw(3);

/// Rows of which the bytes are kept in memory: those that were put back.
type Before = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// A broken file, looked through.
pub(super) struct Source {
    pub(super) wreck: Wreck<PageFile>,
    pub(super) header: FileHeader,
    /// A copy of the header could be read.
    pub(super) has_header: bool,
    log: WreckedLog,
    /// A log is needed and cannot be read at all, or not to its end.
    unsure: bool,
    /// Transactions that did not commit.
    unfinished: HashSet<TxnId>,
    notes: Vec<String>,
    _reading: FileLock,
}

/// What the log says about transactions.
#[derive(Default)]
struct Outcomes {
    began: HashSet<TxnId>,
    ended: HashSet<TxnId>,
}

impl Outcomes {
    fn see(&mut self, record: &Record) {
        match record {
            Record::Change { by: Some(by), .. } => drop(self.began.insert(*by)),
            Record::Commit { by, .. } | Record::RolledBack { by } => drop(self.ended.insert(*by)),
            Record::Change { by: None, .. } | Record::Checkpoint(_) => {}
        }
    }
}

impl Source {
    pub(super) fn open(files: &Arc<dyn FileSystem>, place: &Place) -> Result<Self> {
        let file = files.open(&place.file, OpenMode::ReadOnly)?;
        let reading = files.lock_shared(&place.file)?;
        let mut notes = Vec::new();
        let (header, known) = header(&*file, &mut notes)?;
        let overlay: Arc<dyn FileSystem> = Arc::new(OverlayFileSystem::new(files.clone(), u64::MAX));
        let has_log = overlay.exists(&place.log_dir)? && !overlay.list(&place.log_dir)?.is_empty();
        let uses_log = has_log && !(known && header.clean);
        let pages = pages(&overlay, place, &header, uses_log, &mut notes)?;
        let mut pages = Redone::new(pages);
        let mut outcomes = Outcomes::default();
        let mut log = WreckedLog::default();
        if uses_log {
            log = read_wrecked_log(&overlay, &place.log_dir, header.database_id, |lsn, record| {
                outcomes.see(&record);
                match record {
                    Record::Change { pages: changes, .. } => changes
                        .iter()
                        .try_for_each(|(page, change)| pages.redo(lsn, *page, change)),
                    _ => Ok(()),
                }
            })?;
        }
        let missing = known && !header.clean && !has_log;
        if missing {
            notes.push("the file was not closed cleanly, and its log is missing".to_owned());
        }
        let unsure = missing || log.damage.is_some();
        // A commit may be in the part that cannot be read.
        let unfinished = match unsure {
            true => HashSet::new(),
            false => outcomes.began.difference(&outcomes.ended).copied().collect(),
        };
        Ok(Self {
            wreck: Wreck::survey(pages)?,
            header,
            has_header: known,
            unsure,
            log,
            unfinished,
            notes,
            _reading: reading,
        })
    }

    /// What is known before a row is copied.
    pub(super) fn report(&self) -> SalvageReport {
        SalvageReport {
            damaged_pages: self.wreck.damaged().iter().map(|page| page.raw()).collect(),
            undecided: self.unsure,
            log_damage: self.log.damage.as_ref().map(ToString::to_string),
            notes: self.notes.clone(),
            ..SalvageReport::default()
        }
    }

    /// Shows every row of a tree in its last committed state, its value as a stream.
    pub(super) fn rows(
        &self,
        tree: TreeId,
        report: &mut SalvageReport,
        mut show: impl FnMut(&[u8], &mut dyn Read) -> Result<()>,
    ) -> Result<()> {
        let before = self.before(tree, report)?;
        let mut torn = 0;
        self.wreck.rows(tree, |key, value| -> Result<()> {
            let Some(version) = StoredVersion::read(value.inline) else {
                return Ok(());
            };
            if self.unfinished.contains(&version.writer) && !version.kept {
                return match before.get(key) {
                    Some(Some(bytes)) => show(key, &mut &bytes[..]),
                    _ => Ok(()),
                };
            }
            if version.deleted && !self.unfinished.contains(&version.writer) {
                return Ok(());
            }
            let Some(mut chain) = value.chain else {
                return show(key, &mut &version.value[..]);
            };
            if !chain.is_whole()? {
                torn += 1;
                return Ok(());
            }
            show(key, &mut version.value.chain(chain))
        })?;
        report.torn_values += torn;
        Ok(())
    }

    /// What the rows of a tree were before transactions that did not commit; nothing for those that were not there.
    fn before(&self, tree: TreeId, report: &mut SalvageReport) -> Result<Before> {
        let mut before = Before::new();
        if self.unfinished.is_empty() {
            return Ok(before);
        }
        let mut wanted: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        self.wreck.rows(tree, |key, value| -> Result<()> {
            let of_unfinished =
                |version: &StoredVersion<'_>| self.unfinished.contains(&version.writer) && !version.kept;
            let version = StoredVersion::read(value.inline).filter(of_unfinished);
            if let Some(previous) = version.and_then(|version| version.previous) {
                wanted.insert(history_key(tree, key, previous), key.to_vec());
            }
            Ok(())
        })?;
        if wanted.is_empty() {
            return Ok(before);
        }
        self.wreck.rows(HISTORY, |full, value| -> Result<()> {
            if let Some(key) = wanted.remove(full) {
                match old_value(value)? {
                    Old::Value(bytes) => {
                        report.taken_back += 1;
                        before.insert(key, Some(bytes));
                    }
                    Old::Deleted => drop(before.insert(key, None)),
                    Old::Torn => report.torn_values += 1,
                }
            }
            Ok(())
        })?;
        report.without_before += wanted.len() as u64;
        Ok(before)
    }
}

enum Old {
    Value(Vec<u8>),
    Deleted,
    Torn,
}

fn old_value(value: WreckedValue<'_, PageFile>) -> Result<Old> {
    let Some(version) = StoredVersion::read(value.inline) else {
        return Ok(Old::Torn);
    };
    if version.deleted {
        return Ok(Old::Deleted);
    }
    let mut bytes = version.value.to_vec();
    if let Some(mut chain) = value.chain {
        if !chain.is_whole()? {
            return Ok(Old::Torn);
        }
        chain
            .read_to_end(&mut bytes)
            .map_err(|error| Fault::io("read", "a value", error))?;
    }
    Ok(Old::Value(bytes))
}

/// A copy of the header, or what the pages say in its place; and whether it is the former.
fn header(file: &dyn File, notes: &mut Vec<String>) -> Result<(FileHeader, bool)> {
    match FileHeader::read(file) {
        Ok(header) => Ok((header, true)),
        Err(fault @ (Fault::Corrupt { .. } | Fault::Unusable { .. })) => match FileHeader::guess(file)? {
            Some(header) => {
                notes.push(format!("{fault}; its pages have {} bytes", header.page_size));
                Ok((header, false))
            }
            None => Err(fault.into()),
        },
        Err(fault) => Err(fault.into()),
    }
}

/// The pages, with those restored that a crash tore.
fn pages(
    overlay: &Arc<dyn FileSystem>,
    place: &Place,
    header: &FileHeader,
    uses_log: bool,
    notes: &mut Vec<String>,
) -> Result<PageFile> {
    let file = overlay.open(&place.file, OpenMode::Existing)?;
    let safe_copies = format!("{}/{SAFE_COPIES}", place.log_dir);
    if uses_log && overlay.exists(&safe_copies)? {
        let options = PageFileOptions {
            page_size: header.page_size,
            database_id: header.database_id,
            max_size: None,
            safe_copies,
            direct: false,
        };
        let (pages, restored) = PageFile::open(&**overlay, file, options)?;
        if restored > 0 {
            notes.push(format!("{restored} pages were restored from their safe copies"));
        }
        return Ok(pages);
    }
    Ok(PageFile::open_read_only(
        file,
        header.page_size,
        header.database_id,
    )?)
}
