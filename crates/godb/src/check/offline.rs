//! The check of a file that nobody has open.
//!
//! It is opened through an overlay: recovered, mended and closed in memory, so that what is on disk stays as it is, byte for byte. What opening would
//! mend by itself (a copy of the header, a slot of the log's control file) is looked at before. Where it cannot be opened, each page is looked at by itself.

use super::live::is_damage;
use super::{CheckReport, Finding, Wrong};
use crate::config::Config;
use crate::error::Result;
use crate::instance::Instance;
use crate::storage::Place;
use godb_btree::is_page_in_use;
use godb_page::{
    Environment, Fault, File, FileHeader, FileSystem, HEADER_PAGES, OpenMode, OverlayFileSystem, PageFile,
    PageId, PageStore,
};
use std::path::Path;
use std::sync::Arc;

/// Memory for what opening changes.
pub(crate) const OVERLAY: u64 = 1 << 30;

/// Checks a database file without changing it.
pub(crate) fn check_file(
    files: &Arc<dyn FileSystem>,
    environment: &Environment,
    path: &Path,
    config: &Config,
) -> Result<CheckReport> {
    let place = Place::new(path)?;
    let file = files.open(&place.file, OpenMode::ReadOnly)?;
    // Kept until the end: nobody may open it to write meanwhile.
    let _reading = files.lock_shared(&place.file)?;
    let mut before = CheckReport::default();
    let header = header(&*file, &mut before)?;
    let readable = !before.findings.iter().any(|finding| finding.page.is_none());
    if let Some(header) = header.as_ref().filter(|header| !header.clean) {
        control(&**files, &place, header, &mut before)?;
    }
    let overlay: Arc<dyn FileSystem> = Arc::new(OverlayFileSystem::new(files.clone(), OVERLAY));
    let config = Config {
        background_threads: false,
        read_only: false,
        ..config.clone()
    };
    let mut report = match Instance::open(&overlay, environment, path, config) {
        Ok(instance) => instance.check(true)?,
        Err(error) => {
            let mut report = CheckReport::default();
            // Without a header it is no surprise, and has been told.
            if readable {
                report.add_error(Wrong::Other, &place.file, error)?;
            }
            if let Some(header) = &header {
                raw_pages(file.clone(), header, &mut report)?;
            }
            report
        }
    };
    for finding in before.findings.into_iter().rev() {
        report.findings.insert(0, finding);
    }
    Ok(report)
}

/// Both copies of the header; where neither can be used, what the pages say instead.
fn header(file: &dyn File, report: &mut CheckReport) -> Result<Option<FileHeader>> {
    match FileHeader::read(file) {
        Ok(header) => {
            for flaw in header.flaws(file)? {
                report.add_fault(Wrong::Header, flaw)?;
            }
            Ok(Some(header))
        }
        Err(fault @ (Fault::Corrupt { .. } | Fault::Unusable { .. })) => {
            let guess = FileHeader::guess(file)?;
            if guess.is_none() && !is_damage(&fault) {
                return Err(fault.into());
            }
            report.add(Finding::of_file(Wrong::Header, file.name(), fault.to_string()));
            Ok(guess)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Both slots of the log's control file.
fn control(
    files: &dyn FileSystem,
    place: &Place,
    _header: &FileHeader,
    report: &mut CheckReport,
) -> Result<()> {
    if !files.exists(&format!("{}/control", place.log_dir))? {
        return Ok(());
    }
    match godb_wal::control_flaws(files, &place.log_dir) {
        Ok(flaws) => flaws
            .into_iter()
            .try_for_each(|flaw| report.add_fault(Wrong::Log, flaw)),
        Err(fault) => report.add_fault(Wrong::Log, fault),
    }
}

/// Each page by itself: those that a free map calls in use, or all where the maps cannot be read.
fn raw_pages(file: Arc<dyn File>, header: &FileHeader, report: &mut CheckReport) -> Result<()> {
    let store = PageFile::open_read_only(file, header.page_size, header.database_id)?;
    let mut bytes = vec![0; header.page_size];
    let known = report.pages_named();
    for id in (HEADER_PAGES..store.page_count()).map(PageId::from_raw) {
        if known.contains(&id.raw()) {
            continue;
        }
        match store.read(id, &mut bytes) {
            Ok(()) => report.pages += 1,
            Err(fault) if is_damage(&fault) => {
                if is_page_in_use(&store, id)? != Some(false) {
                    report.add_fault(Wrong::Page, fault)?;
                }
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}
