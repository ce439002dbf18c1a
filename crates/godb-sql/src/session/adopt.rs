//! Taking over the catalog of another database: tables and views as they are described there, on new, empty trees.
//!
//! Whoever saves a broken database hands over the rows of its catalog that could be read. Descriptions are enough: names follow from them.

use super::Sql;
use crate::catalog::{Index, Named, StoredMut, Table, describe_table, describe_view};
use crate::error::Result;
use godb_mvcc::{Begin, EngineTransaction, TreeId};
use std::sync::Arc;

/// A table that was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedTable {
    /// Its name.
    pub name: String,
    /// The tree of its rows in the other database, and in this one.
    pub rows: (TreeId, TreeId),
    /// The trees of its indexes in the other database. Here they are empty; [`Sql::mend_indexes`] fills them.
    pub indexes: Vec<TreeId>,
}

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The tables.
    pub tables: Vec<AdoptedTable>,
    /// The names of the views.
    pub views: Vec<String>,
    /// What could not be taken over, in words.
    pub refused: Vec<String>,
}

impl Sql {
    /// Makes the tables and views whose descriptions are among `rows`, rows of another database's root tree. This one must have none yet.
    ///
    /// # Errors
    /// Failures of the engine. A description that makes no sense is left out and named.
    pub fn adopt_catalog(&self, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Adopted> {
        let mut tx = self.engine.clone().begin(Begin::default())?;
        let mut adopted = Adopted::default();
        let mut next = 1;
        for (key, value) in rows {
            let number = match (describe_table(key, value), describe_view(key, value)) {
                (Some(Ok(table)), _) if self.is_taken(&mut *tx, &table.name)? => {
                    adopted
                        .refused
                        .push(format!("there are two tables \"{}\"", table.name));
                    table.id
                }
                (Some(Ok(table)), _) => {
                    let id = table.id;
                    adopted
                        .tables
                        .push(adopt_table(&mut *tx, self.engine.root(), table)?);
                    id
                }
                (_, Some(Ok(view))) => {
                    let mut catalog = StoredMut::new(&mut *tx, self.engine.root());
                    catalog.put_view(&view)?;
                    catalog.put_name(&view.name, Named::View(view.id))?;
                    adopted.views.push(view.name);
                    view.id
                }
                (Some(Err(error)), _) | (_, Some(Err(error))) => {
                    adopted.refused.push(error.to_string());
                    continue;
                }
                (None, None) => continue,
            };
            next = next.max(number.saturating_add(1));
        }
        let mut catalog = StoredMut::new(&mut *tx, self.engine.root());
        catalog.skip_table_ids(next)?;
        catalog.raise_version()?;
        tx.commit()?;
        Ok(adopted)
    }
}

impl Sql {
    fn is_taken(&self, tx: &mut dyn EngineTransaction, name: &str) -> Result<bool> {
        Ok(StoredMut::new(tx, self.engine.root())
            .read()
            .named(name)?
            .is_some())
    }
}

fn adopt_table(tx: &mut dyn EngineTransaction, root: TreeId, mut table: Table) -> Result<AdoptedTable> {
    let (old, new) = (table.tree, tx.create_tree()?);
    table.tree = new;
    let mut indexes = Vec::new();
    let mut renewed = Vec::new();
    for index in &table.indexes {
        indexes.push(index.tree);
        renewed.push(Arc::new(Index {
            tree: tx.create_tree()?,
            ..Index::clone(index)
        }));
    }
    table.indexes = renewed;
    let mut catalog = StoredMut::new(tx, root);
    catalog.put_table(&table)?;
    catalog.put_name(&table.name, Named::Table(table.id))?;
    let of_key = (!table.primary_key.is_empty()).then_some(&table.primary_key_name);
    for name in of_key
        .into_iter()
        .chain(table.indexes.iter().map(|index| &index.name))
    {
        catalog.put_name(name, Named::Index(table.id))?;
    }
    Ok(AdoptedTable {
        name: table.name,
        rows: (old, new),
        indexes,
    })
}
