//! Writing the new database.

use super::read::{HISTORY, ROOT, Source};
use super::{SalvageReport, Salvaged};
use crate::config::Config;
use crate::error::Result;
use crate::instance::Instance;
use crate::keys::NAME;
use godb_page::{Environment, FileSystem, TreeId};
use godb_sql::{Begin, EngineTransaction, StorageEngine};
use std::collections::HashSet;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// How many rows, or bytes of rows, one transaction takes.
const ROWS: u64 = 5000;
const BYTES: u64 = 8 << 20;

/// The new database.
pub(super) struct Target {
    instance: Arc<Instance>,
}

impl Target {
    pub(super) fn create(
        files: &Arc<dyn FileSystem>,
        environment: &Environment,
        output: &Path,
        source: &Source,
        config: &Config,
    ) -> Result<Self> {
        let config = Config {
            page_size: source.header.page_size,
            background_threads: false,
            read_only: false,
            ..config.clone()
        };
        Ok(Self {
            instance: Instance::open(files, environment, output, config)?,
        })
    }

    /// Copies everything. Returns the trees of the old database that follow from others: indexes, and the past.
    pub(super) fn fill(self, source: &Source, report: &mut SalvageReport) -> Result<HashSet<TreeId>> {
        let mut catalog = Vec::new();
        let mut pairs = None;
        source.rows(ROOT, report, |key, value| {
            let bytes = all(value)?;
            match key == NAME {
                true => pairs = <[u8; 4]>::try_from(&bytes[..]).ok().map(u32::from_be_bytes),
                false => catalog.push((key.to_vec(), bytes)),
            }
            Ok(())
        })?;
        let adopted = self.instance.sql().adopt_catalog(&catalog)?;
        report.notes.extend(adopted.refused);
        report.views = adopted.views.len() as u64;
        let mut known = HashSet::from([ROOT, HISTORY]);
        let mut derived = HashSet::from([HISTORY]);
        for table in adopted.tables {
            let (old, new) = table.rows;
            known.insert(old);
            known.extend(&table.indexes);
            derived.extend(table.indexes);
            let rows = self.copy(source, old, new, report)?;
            report.tables.push(Salvaged {
                table: table.name,
                rows,
            });
        }
        if let Some(old) = pairs.map(TreeId::from_raw) {
            known.insert(old);
            let new = self.instance.keys.get_or_make()?;
            report.pairs = self.copy(source, old, new, report)?;
        }
        if !source.wreck.is_complete(ROOT) {
            for tree in source.wreck.trees().filter(|tree| !known.contains(tree)) {
                self.unnamed(source, tree, report)?;
            }
        }
        let mended = self.instance.sql().mend_indexes()?;
        report.duplicates = mended
            .into_iter()
            .filter(|mended| mended.duplicates > 0)
            .collect();
        self.close()?;
        Ok(derived)
    }

    fn close(self) -> Result<()> {
        match Arc::into_inner(self.instance) {
            Some(instance) => instance.close(),
            None => Ok(()),
        }
    }

    /// Copies the rows of a tree as they are; returns how many.
    fn copy(&self, source: &Source, from: TreeId, to: TreeId, report: &mut SalvageReport) -> Result<u64> {
        let mut batch = Batch::new(self.instance.engine());
        source.rows(from, report, |key, value| batch.put(to, key, value))?;
        batch.commit()?;
        Ok(batch.rows)
    }

    /// Copies a tree of which nothing is known into a table of keys and values; an empty one is left out.
    fn unnamed(&self, source: &Source, tree: TreeId, report: &mut SalvageReport) -> Result<()> {
        let table = format!("salvaged_tree_{tree}");
        let mut session = self.instance.sql().session();
        let mut rows = 0;
        let mut statement = String::new();
        source.rows(tree, report, |key, value| {
            if rows == 0 {
                let sql = format!("CREATE TABLE {table} (key bytea PRIMARY KEY, value bytea NOT NULL)");
                session.execute(&sql, &[])?.finish()?;
                statement = format!("INSERT INTO {table} VALUES ($1, $2)");
            }
            rows += 1;
            let row = [
                godb_sql::Value::Bytes(key.to_vec()),
                godb_sql::Value::Bytes(all(value)?),
            ];
            session.execute(&statement, &row)?.finish()?;
            Ok(())
        })?;
        if rows > 0 {
            report.unnamed.push(Salvaged { table, rows });
        }
        Ok(())
    }
}

/// Rows on their way, so many to a transaction.
struct Batch<'a> {
    engine: &'a Arc<dyn StorageEngine>,
    tx: Option<Box<dyn EngineTransaction>>,
    rows: u64,
    bytes: u64,
}

impl<'a> Batch<'a> {
    fn new(engine: &'a Arc<dyn StorageEngine>) -> Self {
        Self {
            engine,
            tx: None,
            rows: 0,
            bytes: 0,
        }
    }

    fn put(&mut self, tree: TreeId, key: &[u8], value: &mut dyn Read) -> Result<()> {
        let tx = match &mut self.tx {
            Some(tx) => tx,
            none => none.insert(self.engine.clone().begin(Begin::default())?),
        };
        self.bytes += tx.put_reader(tree, key, value)?;
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS) || self.bytes >= BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.bytes = 0;
        if let Some(tx) = self.tx.take() {
            tx.commit()?;
        }
        Ok(())
    }
}

/// The whole value.
fn all(value: &mut dyn Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match value.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::Other => match error.downcast::<godb_page::Fault>() {
            Ok(fault) => Err(fault.into()),
            Err(error) => Err(godb_page::Fault::io("read", "a value", error).into()),
        },
        Err(error) => Err(godb_page::Fault::io("read", "a value", error).into()),
    }
}
