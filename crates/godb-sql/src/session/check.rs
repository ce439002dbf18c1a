//! Whether indexes fit their tables, and making them fit again.
//!
//! Every row must have its entry in every index, and an index as many entries as its table has rows. Then the entries are exactly those of the rows: two rows cannot
//! share an entry, since a row's key is part of it. Where the numbers differ, the entries are looked at one by one, to name those that are too many. All of it is
//! read in one snapshot, so others may write meanwhile.
//!
//! Mending goes by the table, which is the truth: entries that are no row's are removed, missing ones added. Doing it twice changes nothing.

use super::Sql;
use super::admin::count;
use crate::catalog::{Index, Named, Stored, Table};
use crate::ddl::TableScan;
use crate::error::{Result, SqlError};
use crate::storage::{Entry, EntryDecoder, IndexStore, ScanDecoder};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Column;
use godb_mvcc::{Begin, EngineTransaction, Error as EngineError, Fault, Range, TreeId};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many wrong entries of an index are named; the others are counted.
const NAMED: u64 = 5;

/// Entries looked at before those that are too many are removed.
const BATCH: usize = 1024;

/// What a tree is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeUse {
    /// The tree.
    pub tree: TreeId,
    /// The table whose rows it holds, or to whose rows its entries lead.
    pub table: String,
    /// The index, if it is one.
    pub index: Option<String>,
}

/// What [`Sql::check`] looked at and found.
#[derive(Clone, Debug, Default)]
pub struct TableCheck {
    /// Tables.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Entries of indexes.
    pub entries: u64,
    /// What is wrong. Empty: nothing.
    pub problems: Vec<TableProblem>,
}

/// One thing that is wrong with a table or index.
#[derive(Clone, Debug)]
pub struct TableProblem {
    /// The table.
    pub table: String,
    /// The index that does not fit it; none when the table itself cannot be read.
    pub index: Option<String>,
    /// What is wrong, in words.
    pub what: String,
    /// The damage that was met, if that is it.
    pub fault: Option<Fault>,
}

/// An index that was made to fit its table again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexMended {
    /// Its table.
    pub table: String,
    /// The index.
    pub index: String,
    /// Entries that were missing.
    pub added: u64,
    /// Entries that were no row's.
    pub removed: u64,
    /// Rows that another row with the same values keeps out of a unique index: which of them is wrong cannot be told.
    pub duplicates: u64,
}

impl Sql {
    /// Which tree holds which table's rows or index's entries.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn tree_uses(&self) -> Result<Vec<TreeUse>> {
        self.reading(|tx, _| Ok(self.stored_tables(tx)?.iter().flat_map(uses_of).collect()))
    }

    /// Checks for every index that its entries are exactly those of its table's rows, and that every row can be read. Damage of one table does not keep
    /// the others from being checked.
    ///
    /// # Errors
    /// When the catalog cannot be read, and for failures that are not damage.
    pub fn check(&self) -> Result<TableCheck> {
        self.reading(|tx, _| {
            let mut report = TableCheck::default();
            for table in self.stored_tables(tx)? {
                report.tables += 1;
                Checking::new(tx, &table, self.engine.max_key(), &mut report).run()?;
            }
            Ok(report)
        })
    }

    /// Makes every index that can be read fit its table; returns those that did not. Nobody else may write meanwhile.
    ///
    /// # Errors
    /// When a table, or an index it is about to mend, cannot be read; what was mended before that stays.
    pub fn mend_indexes(&self) -> Result<Vec<IndexMended>> {
        let tables = self.reading(|tx, _| self.stored_tables(tx))?;
        let mut mended = Vec::new();
        for table in tables {
            for index in &table.indexes {
                let mut tx = self.engine.clone().begin(Begin::default())?;
                let done = mend(&mut *tx, &table, index, self.engine.max_key())?;
                tx.commit()?;
                if done.added + done.removed + done.duplicates > 0 {
                    mended.push(done);
                }
            }
        }
        Ok(mended)
    }
}

impl Sql {
    /// All tables, as the catalog describes them: nothing of their rows is read for that.
    fn stored_tables(&self, tx: &dyn EngineTransaction) -> Result<Vec<Table>> {
        let stored = Stored::new(tx, self.engine.root());
        let mut tables = Vec::new();
        for name in stored.table_names()? {
            if let Some(Named::Table(id)) = stored.named(&name)? {
                tables.extend(stored.table(id)?);
            }
        }
        Ok(tables)
    }
}

fn uses_of(table: &Table) -> Vec<TreeUse> {
    let uses = |tree, index: Option<&Index>| TreeUse {
        tree,
        table: table.name.clone(),
        index: index.map(|index| index.name.clone()),
    };
    let indexes = table.indexes.iter().map(|index| uses(index.tree, Some(index)));
    std::iter::once(uses(table.tree, None)).chain(indexes).collect()
}

/// The damage behind an error; other errors stay errors.
fn damage(error: SqlError) -> Result<(String, Option<Fault>)> {
    let fault = match &error.engine {
        Some(EngineError::Fault(fault @ Fault::Corrupt { .. })) => Some(fault.clone()),
        None if error.state == crate::error::state::DATA_CORRUPTED => None,
        _ => return Err(error),
    };
    Ok((error.message.clone(), fault))
}

/// An index under check.
struct Watched {
    store: IndexStore,
    /// Rows whose entry is missing or wrong.
    missing: u64,
    unreadable: bool,
}

/// The check of one table.
struct Checking<'a> {
    tx: &'a dyn EngineTransaction,
    table: &'a Table,
    limit: usize,
    report: &'a mut TableCheck,
    indexes: Vec<Watched>,
}

impl<'a> Checking<'a> {
    fn new(
        tx: &'a dyn EngineTransaction,
        table: &'a Table,
        limit: usize,
        report: &'a mut TableCheck,
    ) -> Self {
        let watched = |index| Watched {
            store: IndexStore::new(table, index),
            missing: 0,
            unreadable: false,
        };
        Self {
            tx,
            table,
            limit,
            report,
            indexes: table.indexes.iter().map(watched).collect(),
        }
    }

    fn run(&mut self) -> Result<()> {
        let rows = match self.rows() {
            Ok(rows) => rows,
            Err(error) => {
                let (what, fault) = damage(error)?;
                self.find(None, what, fault);
                return Ok(());
            }
        };
        self.report.rows += rows;
        for at in 0..self.indexes.len() {
            self.compare(at, rows)?;
        }
        Ok(())
    }

    fn find(&mut self, index: Option<usize>, what: String, fault: Option<Fault>) {
        self.report.problems.push(TableProblem {
            table: self.table.name.clone(),
            index: index.map(|at| self.indexes[at].store.index.name.clone()),
            what,
            fault,
        });
    }

    /// Looks for the entries of every row; returns how many rows there are.
    fn rows(&mut self) -> Result<u64> {
        let mut scan = TableScan::whole(self.table);
        let mut rows = 0;
        while let Some(batch) = scan.next(self.tx)? {
            rows += batch.rows as u64;
            let Some((keys, columns)) = batch.columns.split_last() else {
                continue;
            };
            for row in 0..batch.rows {
                if let Value::Bytes(key) = keys.value(row, DataType::Bytea) {
                    self.entries_of(columns, row, &key)?;
                }
            }
        }
        Ok(rows)
    }

    fn entries_of(&mut self, columns: &[Arc<Column>], row: usize, key: &[u8]) -> Result<()> {
        let mut entry = Entry::default();
        for at in 0..self.indexes.len() {
            if self.indexes[at].unreadable {
                continue;
            }
            self.indexes[at]
                .store
                .entry(&mut entry, columns, row, key, self.limit)?;
            match holds(self.tx, &self.indexes[at].store, &entry) {
                Ok(true) => {}
                Ok(false) => self.lacks(at, key),
                Err(error) => {
                    let (what, fault) = damage(error)?;
                    self.indexes[at].unreadable = true;
                    self.find(Some(at), what, fault);
                }
            }
        }
        Ok(())
    }

    fn lacks(&mut self, at: usize, key: &[u8]) {
        self.indexes[at].missing += 1;
        if self.indexes[at].missing <= NAMED {
            self.find(Some(at), format!("it lacks the entry of row {}", hex(key)), None);
        }
    }

    /// Compares the number of entries with that of rows, and names those that are too many.
    fn compare(&mut self, at: usize, rows: u64) -> Result<()> {
        let missing = self.indexes[at].missing;
        if missing > NAMED {
            self.find(Some(at), format!("it lacks the entries of {missing} rows"), None);
        }
        if self.indexes[at].unreadable {
            return Ok(());
        }
        let compared = count(self.tx, self.indexes[at].store.index.tree, || Ok(())).and_then(|entries| {
            self.report.entries += entries;
            match entries == rows && missing == 0 {
                true => Ok(Vec::new()),
                false => self.strangers(at),
            }
        });
        match compared {
            Ok(strangers) => {
                for key in strangers
                    .iter()
                    .take(usize::try_from(NAMED).unwrap_or(usize::MAX))
                {
                    self.find(Some(at), format!("its entry {} is no row's", hex(key)), None);
                }
                if strangers.len() as u64 > NAMED {
                    let what = format!("{} of its entries are no row's", strangers.len());
                    self.find(Some(at), what, None);
                }
            }
            Err(error) => {
                let (what, fault) = damage(error)?;
                self.find(Some(at), what, fault);
            }
        }
        Ok(())
    }

    /// The keys of entries that are no row's.
    fn strangers(&self, at: usize) -> Result<Vec<Vec<u8>>> {
        let store = &self.indexes[at].store;
        let mut rows = RowEntries::new(self.table, store, self.limit);
        let mut found = Vec::new();
        let mut cursor = self.tx.scan(store.index.tree, Range::ALL)?;
        loop {
            let (entries, more) = some_entries(&mut *cursor)?;
            for entry in entries {
                if !rows.owns(self.tx, &entry)? {
                    found.push(entry.key);
                }
            }
            if !more {
                return Ok(found);
            }
        }
    }
}

/// Whether the index holds exactly this entry.
fn holds(tx: &dyn EngineTransaction, store: &IndexStore, entry: &Entry) -> Result<bool> {
    let mut same = false;
    tx.get(store.index.tree, &entry.key, &mut |value| {
        same = value == entry.value;
    })?;
    Ok(same)
}

/// The next entries of an index, and whether there are more.
fn some_entries(cursor: &mut dyn godb_mvcc::EngineCursor) -> Result<(Vec<Entry>, bool)> {
    let mut entries = Vec::new();
    let more = cursor.next(&mut |key, value| {
        entries.push(Entry {
            key: key.to_vec(),
            value: value.to_vec(),
        });
        match entries.len() < BATCH {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok((entries, more))
}

/// From an entry back to its row, and to the entry that row should have.
struct RowEntries<'a> {
    table: &'a Table,
    store: &'a IndexStore,
    decoder: EntryDecoder,
    limit: usize,
}

impl<'a> RowEntries<'a> {
    fn new(table: &'a Table, store: &'a IndexStore, limit: usize) -> Self {
        Self {
            table,
            store,
            decoder: EntryDecoder::new(table, &store.index, &[]),
            limit,
        }
    }

    /// Whether there is a row of which this is the entry. An entry that makes no sense is none's.
    fn owns(&mut self, tx: &dyn EngineTransaction, entry: &Entry) -> Result<bool> {
        let Ok(row_key) = self.decoder.decode(&entry.key, &entry.value, &mut []) else {
            return Ok(false);
        };
        let Some(columns) = row(tx, self.table, row_key)? else {
            return Ok(false);
        };
        let mut expected = Entry::default();
        self.store
            .entry(&mut expected, &columns, 0, row_key, self.limit)?;
        Ok(expected == *entry)
    }
}

/// The columns of the row under a key.
fn row(tx: &dyn EngineTransaction, table: &Table, key: &[u8]) -> Result<Option<Vec<Arc<Column>>>> {
    let wanted: Vec<_> = (0..table.columns.len()).map(|at| (at, at)).collect();
    let mut decoder = ScanDecoder::new(table, &wanted);
    let mut columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| Column::empty(column.ty))
        .collect();
    let mut decoded = Ok(());
    let there = tx.get(table.tree, key, &mut |row| {
        decoded = decoder.decode(key, row, &mut columns);
    })?;
    decoded?;
    Ok(there.then(|| columns.into_iter().map(Arc::new).collect()))
}

/// Makes one index fit its table.
fn mend(
    tx: &mut dyn EngineTransaction,
    table: &Table,
    index: &Arc<Index>,
    limit: usize,
) -> Result<IndexMended> {
    let store = IndexStore::new(table, index);
    let mut done = IndexMended {
        table: table.name.clone(),
        index: index.name.clone(),
        added: 0,
        removed: 0,
        duplicates: 0,
    };
    let mut rows = RowEntries::new(table, &store, limit);
    let mut cursor = tx.scan(index.tree, Range::ALL)?;
    let mut more = true;
    while more {
        let (entries, go_on) = some_entries(&mut *cursor)?;
        more = go_on;
        for entry in entries {
            if !rows.owns(&*tx, &entry)? {
                tx.delete(index.tree, &entry.key)?;
                done.removed += 1;
            }
        }
    }
    let mut scan = TableScan::whole(table);
    while let Some(batch) = scan.next(&*tx)? {
        let Some((keys, columns)) = batch.columns.split_last() else {
            continue;
        };
        for row in 0..batch.rows {
            if let Value::Bytes(key) = keys.value(row, DataType::Bytea) {
                let mut entry = Entry::default();
                store.entry(&mut entry, columns, row, &key, limit)?;
                add(tx, &store, &entry, &mut done)?;
            }
        }
    }
    Ok(done)
}

/// Adds an entry that is missing. What stands under its key now is another row's.
fn add(
    tx: &mut dyn EngineTransaction,
    store: &IndexStore,
    entry: &Entry,
    done: &mut IndexMended,
) -> Result<()> {
    let mut found = None;
    tx.get(store.index.tree, &entry.key, &mut |value| {
        found = Some(value == entry.value);
    })?;
    match found {
        Some(true) => {}
        Some(false) => done.duplicates += 1,
        None => {
            tx.put(store.index.tree, &entry.key, &entry.value)?;
            done.added += 1;
        }
    }
    Ok(())
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("\\x"), |mut text, byte| {
        let _always_fits = write!(text, "{byte:02x}");
        text
    })
}
