//! The stored catalog: tables and views by number and by name, in the engine's root tree.
//!
//! The catalog is data like any other: versioned, so that a query of the past sees the schema of then, and transactional, so that
//! DDL rolls back. Every DDL statement first locks [`VERSION`] exclusively and raises it at its end; whoever caches what the
//! catalog says keys it by that number.
//!
//! | key | value |
//! | --- | --- |
//! | 0 | format of the catalog, the tree of the key-value API |
//! | 1 | schema version |
//! | 2 | next table number |
//! | 3, table number | the table's [description](super::descriptor) |
//! | 4, name | what has that name: a table, an index or a view; and the number of the table or view |
//! | 5, table number | roughly how many rows it has |
//! | 6, view number | the view's [description](super::view) |
//! | 7, name | the [role] of that name |

use super::{FIRST_ROLE, Role, StoredView, Table, TableId, descriptor, role, view};
use crate::error::{Result, SqlError, state};
use crate::storage::{KeyBytes, damaged, varint};
use godb_mvcc::{EngineTransaction, Strength, TreeId};
use std::ops::ControlFlow;

const FORMAT: &[u8] = &[0];
const VERSION: &[u8] = &[1];
const NEXT_TABLE: &[u8] = &[2];
const TABLES: u8 = 3;
const NAMES: u8 = 4;
const ESTIMATES: u8 = 5;
const VIEWS: u8 = 6;
const ROLES: u8 = 7;
/// Neither versions nor tables nor rows are counted so far; a number from here on is damage, and nobody counts on from it.
const UNREACHED: u64 = 1 << 60;
/// The format of the catalog. The first knew no views.
const FORMAT_NUMBER: u64 = 2;

/// What a name stands for. Tables, indexes and views share one space of names, as in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A table.
    Table(TableId),
    /// An index, also one behind a constraint, of this table.
    Index(TableId),
    /// A view.
    View(TableId),
}

impl Named {
    /// The kind in the lowest two bits, the number above them.
    fn pack(self) -> u64 {
        match self {
            Self::Table(id) => u64::from(id) << 2,
            Self::Index(id) => u64::from(id) << 2 | 1,
            Self::View(id) => u64::from(id) << 2 | 2,
        }
    }

    fn unpack(number: u64) -> Option<Self> {
        let id = TableId::try_from(number >> 2).ok()?;
        match number & 3 {
            0 => Some(Self::Table(id)),
            1 => Some(Self::Index(id)),
            2 => Some(Self::View(id)),
            _ => None,
        }
    }
}

/// The catalog as a transaction sees it.
pub(crate) struct Stored<'a> {
    tx: &'a dyn EngineTransaction,
    root: TreeId,
}

/// The table that a row of the catalog describes, if it is such a row.
pub(crate) fn describe_table(key: &[u8], value: &[u8]) -> Option<Result<Table>> {
    (key.first() == Some(&TABLES)).then(|| descriptor::decode(value))
}

/// The view that a row of the catalog describes, if it is such a row.
pub(crate) fn describe_view(key: &[u8], value: &[u8]) -> Option<Result<StoredView>> {
    (key.first() == Some(&VIEWS)).then(|| view::decode(value))
}

fn table_key(id: TableId) -> Vec<u8> {
    [&[TABLES][..], &id.to_be_bytes()].concat()
}

fn estimate_key(id: TableId) -> Vec<u8> {
    [&[ESTIMATES][..], &id.to_be_bytes()].concat()
}

fn view_key(id: TableId) -> Vec<u8> {
    [&[VIEWS][..], &id.to_be_bytes()].concat()
}

fn role_key(name: &str) -> Vec<u8> {
    [&[ROLES], name.as_bytes()].concat()
}

fn name_key(name: &str) -> Vec<u8> {
    [&[NAMES], name.as_bytes()].concat()
}

impl<'a> Stored<'a> {
    /// Through `tx`, whose engine has its root at `root`.
    pub(crate) fn new(tx: &'a dyn EngineTransaction, root: TreeId) -> Self {
        Self { tx, root }
    }

    fn bytes(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut found = None;
        self.tx
            .get(self.root, key, &mut |value| found = Some(value.to_vec()))?;
        Ok(found)
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>> {
        let mut found = None;
        self.tx
            .get(self.root, key, &mut |value| found = Some(varint::get(value)))?;
        match found {
            None => Ok(None),
            Some(Some((number, _))) if number < UNREACHED => Ok(Some(number)),
            Some(_) => Err(damaged("catalog")),
        }
    }

    /// The schema version; zero when there is no catalog (yet).
    pub(crate) fn version(&self) -> Result<u64> {
        Ok(self.number(VERSION)?.unwrap_or(0))
    }

    /// Whether the catalog has been made.
    pub(crate) fn exists(&self) -> Result<bool> {
        let Some(bytes) = self.bytes(FORMAT)? else {
            return Ok(false);
        };
        let (format, _) = varint::get(&bytes).ok_or_else(|| damaged("catalog"))?;
        if format != FORMAT_NUMBER {
            let message =
                format!("the catalog has format {format}, which this version of godb does not know");
            return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        Ok(true)
    }

    /// What `name` stands for.
    pub(crate) fn named(&self, name: &str) -> Result<Option<Named>> {
        let Some(number) = self.number(&name_key(name))? else {
            return Ok(None);
        };
        Named::unpack(number).map(Some).ok_or_else(|| damaged("catalog"))
    }

    /// The table of that number.
    pub(crate) fn table(&self, id: TableId) -> Result<Option<Table>> {
        self.bytes(&table_key(id))?
            .map(|bytes| descriptor::decode(&bytes))
            .transpose()
    }

    /// The view of that number.
    pub(crate) fn view(&self, id: TableId) -> Result<Option<StoredView>> {
        self.bytes(&view_key(id))?
            .map(|bytes| view::decode(&bytes))
            .transpose()
    }

    /// The role of that name.
    pub(crate) fn role(&self, name: &str) -> Result<Option<Role>> {
        match self.bytes(&role_key(name))? {
            Some(bytes) => role::decode(&bytes).map(Some),
            None => Ok((name == FIRST_ROLE).then(Role::first)),
        }
    }

    /// All roles, by name.
    pub(crate) fn roles(&self) -> Result<Vec<Role>> {
        let mut descriptions = Vec::new();
        let range = KeyBytes::prefix(vec![ROLES]);
        let mut cursor = self.tx.scan(self.root, range.range(false))?;
        while cursor.next(&mut |_, value| {
            descriptions.push(value.to_vec());
            ControlFlow::Continue(())
        })? {}
        let roles = descriptions.iter().map(|bytes| role::decode(bytes));
        let mut roles: Vec<Role> = roles.collect::<Result<_>>()?;
        if !roles.iter().any(|role| role.name == FIRST_ROLE) {
            roles.push(Role::first());
        }
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(roles)
    }

    /// All views, in the order in which they were made.
    pub(crate) fn views(&self) -> Result<Vec<StoredView>> {
        let mut descriptions = Vec::new();
        let range = KeyBytes::prefix(vec![VIEWS]);
        let mut cursor = self.tx.scan(self.root, range.range(false))?;
        while cursor.next(&mut |_, value| {
            descriptions.push(value.to_vec());
            ControlFlow::Continue(())
        })? {}
        descriptions.iter().map(|bytes| view::decode(bytes)).collect()
    }

    /// All tables.
    pub(crate) fn tables(&self) -> Result<Vec<Table>> {
        let mut descriptions = Vec::new();
        let range = KeyBytes::prefix(vec![TABLES]);
        let mut cursor = self.tx.scan(self.root, range.range(false))?;
        while cursor.next(&mut |_, value| {
            descriptions.push(value.to_vec());
            ControlFlow::Continue(())
        })? {}
        descriptions
            .iter()
            .map(|bytes| descriptor::decode(bytes))
            .collect()
    }

    /// The names of all tables, sorted.
    pub(crate) fn table_names(&self) -> Result<Vec<String>> {
        self.names(|named| matches!(named, Named::Table(_)))
    }

    /// The names of all views, sorted.
    pub(crate) fn view_names(&self) -> Result<Vec<String>> {
        self.names(|named| matches!(named, Named::View(_)))
    }

    fn names(&self, wanted: impl Fn(Named) -> bool) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let range = KeyBytes::prefix(vec![NAMES]);
        let mut cursor = self.tx.scan(self.root, range.range(false))?;
        while cursor.next(&mut |key, value| {
            let named = varint::get(value).and_then(|(number, _)| Named::unpack(number));
            if named.is_some_and(&wanted) {
                names.push(String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned());
            }
            ControlFlow::Continue(())
        })? {}
        Ok(names)
    }

    /// The stored estimate of a table's rows.
    pub(crate) fn estimate(&self, id: TableId) -> Result<Option<u64>> {
        self.number(&estimate_key(id))
    }
}

/// The catalog, to be changed.
pub(crate) struct StoredMut<'a> {
    tx: &'a mut dyn EngineTransaction,
    root: TreeId,
}

impl<'a> StoredMut<'a> {
    /// Through `tx`, whose engine has its root at `root`.
    pub(crate) fn new(tx: &'a mut dyn EngineTransaction, root: TreeId) -> Self {
        Self { tx, root }
    }

    /// The same to read.
    pub(crate) fn read(&self) -> Stored<'_> {
        Stored::new(&*self.tx, self.root)
    }

    fn put_number(&mut self, key: &[u8], number: u64) -> Result<()> {
        let mut bytes = Vec::new();
        varint::put(&mut bytes, number);
        Ok(self.tx.put(self.root, key, &bytes)?)
    }

    /// Makes the catalog of a new database.
    pub(crate) fn create(&mut self) -> Result<()> {
        let mut format = Vec::new();
        varint::put(&mut format, FORMAT_NUMBER);
        self.tx.put(self.root, FORMAT, &format)?;
        self.put_number(VERSION, 1)
    }

    /// Keeps every other DDL statement out until the transaction ends.
    pub(crate) fn lock(&mut self) -> Result<()> {
        Ok(self.tx.lock(self.root, VERSION, Strength::Exclusive)?)
    }

    /// Keeps DDL on the table out ([`Strength::Shared`]), or everyone who changes it or its rows.
    pub(crate) fn lock_table(&mut self, id: TableId, strength: Strength) -> Result<()> {
        Ok(self.tx.lock(self.root, &table_key(id), strength)?)
    }

    /// A new schema version begins.
    pub(crate) fn raise_version(&mut self) -> Result<()> {
        let next = self.read().version()? + 1;
        self.put_number(VERSION, next)
    }

    /// A number for a new table.
    pub(crate) fn new_table_id(&mut self) -> Result<TableId> {
        let next = self.read().number(NEXT_TABLE)?.unwrap_or(1);
        self.put_number(NEXT_TABLE, next + 1)?;
        TableId::try_from(next)
            .map_err(|_| SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "there are no table numbers left"))
    }

    /// From now on tables get no number below this.
    pub(crate) fn skip_table_ids(&mut self, below: TableId) -> Result<()> {
        let next = self.read().number(NEXT_TABLE)?.unwrap_or(1);
        self.put_number(NEXT_TABLE, next.max(u64::from(below)))
    }

    /// Writes a table's description.
    pub(crate) fn put_table(&mut self, table: &Table) -> Result<()> {
        Ok(self
            .tx
            .put(self.root, &table_key(table.id), &descriptor::encode(table))?)
    }

    /// Removes a table's description and estimate; its names are removed by [`remove_name`](Self::remove_name).
    pub(crate) fn remove_table(&mut self, id: TableId) -> Result<()> {
        self.tx.delete(self.root, &table_key(id))?;
        self.tx.delete(self.root, &estimate_key(id))?;
        Ok(())
    }

    /// Writes a view's description.
    pub(crate) fn put_view(&mut self, view: &StoredView) -> Result<()> {
        Ok(self.tx.put(self.root, &view_key(view.id), &view::encode(view))?)
    }

    /// Removes a view and its name.
    pub(crate) fn remove_view(&mut self, view: &StoredView) -> Result<()> {
        self.tx.delete(self.root, &view_key(view.id))?;
        self.remove_name(&view.name)
    }

    /// Writes a role.
    pub(crate) fn put_role(&mut self, role: &Role) -> Result<()> {
        Ok(self
            .tx
            .put(self.root, &role_key(&role.name), &role::encode(role))?)
    }

    /// Removes a role.
    pub(crate) fn remove_role(&mut self, name: &str) -> Result<()> {
        self.tx.delete(self.root, &role_key(name))?;
        Ok(())
    }

    /// Gives something a name; refuses one that is taken.
    pub(crate) fn put_name(&mut self, name: &str, named: Named) -> Result<()> {
        if self.read().named(name)?.is_some() {
            let message = format!("relation \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_TABLE, message));
        }
        self.put_number(&name_key(name), named.pack())
    }

    /// Frees a name.
    pub(crate) fn remove_name(&mut self, name: &str) -> Result<()> {
        self.tx.delete(self.root, &name_key(name))?;
        Ok(())
    }

    /// Remembers roughly how many rows a table has.
    pub(crate) fn put_estimate(&mut self, id: TableId, rows: u64) -> Result<()> {
        self.put_number(&estimate_key(id), rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use godb_mvcc::{Begin, Environment, MemoryEngine, StorageEngine};

    #[test]
    fn numbers_that_nobody_reaches_are_damage() {
        let engine: std::sync::Arc<dyn StorageEngine> = MemoryEngine::new(Environment::simulated(1));
        let root = engine.root();
        let mut tx = engine.begin(Begin::default()).unwrap();
        let mut stored = StoredMut::new(&mut *tx, root);
        stored.create().unwrap();
        for number in [UNREACHED, u64::MAX] {
            stored.put_number(VERSION, number).unwrap();
            stored.put_number(NEXT_TABLE, number).unwrap();
            assert_eq!(stored.raise_version().unwrap_err().state, state::DATA_CORRUPTED);
            assert_eq!(stored.new_table_id().unwrap_err().state, state::DATA_CORRUPTED);
        }
        stored.put_number(NEXT_TABLE, 7).unwrap();
        assert_eq!(stored.new_table_id().unwrap(), 7);
    }
}
