//! The check of an open database. It runs beside readers and writers.

use super::{CheckReport, Finding, Wrong};
use crate::error::Result;
use crate::storage::Storage;
use godb_btree as btree;
use godb_buffer::Stored;
use godb_page::{Fault, TreeId};
use godb_sql::{Sql, TreeUse};
use std::collections::HashMap;

/// The database to be checked, as far as it could be opened.
pub(crate) struct Parts<'a> {
    /// The files, where the engine is our own.
    pub(crate) storage: Option<&'a Storage>,
    /// The SQL layer.
    pub(crate) sql: &'a Sql,
    /// The tree of the key-value API.
    pub(crate) keys: Option<TreeId>,
}

/// Checks everything. `resting` says that no transaction is open.
pub(crate) fn check(parts: &Parts<'_>, resting: bool) -> Result<CheckReport> {
    let mut report = CheckReport::default();
    if let Some(storage) = parts.storage {
        trees(storage, &mut report)?;
        stored_pages(storage, &mut report)?;
        log(storage, &mut report)?;
        versions(storage, resting, &mut report)?;
    }
    tables(parts, &mut report)?;
    name_parts(parts, &mut report);
    Ok(report)
}

/// Every tree, every chain, the free maps.
fn trees(storage: &Storage, report: &mut CheckReport) -> Result<()> {
    let check = storage.tree().check()?;
    for finding in check.findings {
        report.add(Finding {
            wrong: match finding.wrong {
                btree::Wrong::Unreadable => Wrong::Page,
                btree::Wrong::Broken => Wrong::Structure,
                btree::Wrong::Space => Wrong::Space,
                btree::Wrong::Count => Wrong::Count,
            },
            file: storage.file_name().to_owned(),
            page: finding.page.map(godb_page::PageId::raw),
            tree: finding.tree.map(TreeId::raw),
            part: None,
            lsn: None,
            what: finding.what,
        });
    }
    report.trees = check.trees.len() as u64;
    report.free_pages = u64::from(check.free_pages);
    Ok(())
}

/// The bytes on the medium of every page in use, whether memory has it or not; both copies of the header.
fn stored_pages(storage: &Storage, report: &mut CheckReport) -> Result<()> {
    for flaw in storage.header_flaws()? {
        report.add_fault(Wrong::Header, flaw)?;
    }
    let mut scrub = storage.scrub();
    while let Some((_, stored)) = scrub.next()? {
        report.pages += 1;
        match stored {
            Stored::Sound | Stored::Pending => {}
            Stored::Mended(fault) => report.mended.extend(Finding::of_fault(Wrong::Page, &fault)),
            Stored::Damaged(fault) => report.add_fault(Wrong::Page, fault)?,
        }
    }
    Ok(())
}

fn log(storage: &Storage, report: &mut CheckReport) -> Result<()> {
    let check = storage.log().check()?;
    for fault in check.findings {
        report.add_fault(Wrong::Log, fault)?;
    }
    report.log_bytes = check.bytes;
    Ok(())
}

fn versions(storage: &Storage, resting: bool, report: &mut CheckReport) -> Result<()> {
    let check = match storage.check_versions(resting) {
        Ok(check) => check,
        Err(error) => return report.add_error(Wrong::Version, storage.file_name(), error),
    };
    report.versions = check.versions;
    for (_, fault) in check.unread {
        report.add_fault(Wrong::Page, fault.in_file(storage.file_name()))?;
    }
    for finding in check.findings {
        let key: String = finding.key.iter().map(|byte| format!("{byte:02x}")).collect();
        report.add(Finding {
            tree: Some(finding.tree.raw()),
            ..Finding::of_file(
                Wrong::Version,
                storage.file_name(),
                format!("row \\x{key}: {}", finding.what),
            )
        });
    }
    Ok(())
}

/// What SQL knows: the catalog, every row, index = table.
fn tables(parts: &Parts<'_>, report: &mut CheckReport) -> Result<()> {
    let file = parts.storage.map_or("the database", Storage::file_name);
    let check = match parts.sql.check() {
        Ok(check) => check,
        Err(error) => return report.add_error(Wrong::Other, file, error.into()),
    };
    report.tables = check.tables;
    report.rows = check.rows;
    report.entries = check.entries;
    for problem in check.problems {
        if let Some(fault) = problem.fault {
            report.add_fault(Wrong::Page, fault.in_file(file))?;
            continue;
        }
        let wrong = match problem.index {
            Some(_) => Wrong::Index,
            None => Wrong::Other,
        };
        report.add(Finding {
            part: Some(part_name(&problem.table, problem.index.as_deref())),
            ..Finding::of_file(wrong, file, problem.what)
        });
    }
    Ok(())
}

/// Tells of every finding which table or index it concerns, where the catalog can be read.
fn name_parts(parts: &Parts<'_>, report: &mut CheckReport) {
    let mut names: HashMap<u32, String> = HashMap::new();
    for TreeUse { tree, table, index } in parts.sql.tree_uses().unwrap_or_default() {
        names.insert(tree.raw(), part_name(&table, index.as_deref()));
    }
    if let Some(keys) = parts.keys {
        names.insert(keys.raw(), "the key-value pairs".to_owned());
    }
    if let Some(storage) = parts.storage {
        let engine = storage.engine();
        names.insert(engine.root().raw(), "the catalog".to_owned());
        names.insert(storage.history().raw(), "the old versions".to_owned());
    }
    for finding in report.findings.iter_mut().chain(&mut report.mended) {
        if finding.part.is_none() {
            finding.part = finding.tree.and_then(|tree| names.get(&tree).cloned());
        }
    }
}

fn part_name(table: &str, index: Option<&str>) -> String {
    match index {
        Some(index) => format!("index \"{index}\" of table \"{table}\""),
        None => format!("table \"{table}\""),
    }
}

/// Whether a fault is damage, and not a failure to look.
pub(super) fn is_damage(fault: &Fault) -> bool {
    matches!(fault, Fault::Corrupt { .. })
}
