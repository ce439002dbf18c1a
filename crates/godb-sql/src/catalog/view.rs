//! [`View`]: a query with a name.
//!
//! A view is stored as the text its author wrote, beside **what the names in it meant that day**: for each table or view it names, the
//! number of that relation, and the numbers, names and types of its columns. When a statement names the view, its text is
//! parsed and bound again, but with that old dictionary: a column that was renamed since is still known by its old name inside the view, a
//! column that was added since does not exist for it (`SELECT *` means what it meant), and a table may have got another name. So no DDL
//! has to rewrite the text of a view, and no tree has to be stored whose form would be frozen for ever.
//!
//! What a view uses cannot be dropped under it, except by CASCADE.

use super::TableId;
use super::descriptor::{Reader, Writer};
use crate::error::Result;
use crate::storage::damaged;
use crate::types::DataType;
use sqlparser::ast::{Query, Statement};
use std::ops::Deref;
use std::sync::Arc;

/// The first byte of a description: the form it is written in.
const FORM: u8 = 1;

/// A view as the catalog stores it.
#[derive(Clone, Debug)]
pub struct StoredView {
    /// Its number, from the same series as tables'.
    pub id: TableId,
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<(String, DataType)>,
    /// Its query, as it was written.
    pub text: String,
    /// What the query names.
    pub uses: Vec<Use>,
}

/// A view as some moment sees it, ready to be bound.
#[derive(Clone, Debug)]
pub struct View {
    stored: StoredView,
    /// The query, parsed.
    pub query: Arc<Query>,
    /// How deeply the query is nested.
    pub depth: usize,
}

/// A table or view that a view names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The name it is called by in the view's text.
    pub name: String,
    /// Its number.
    pub id: TableId,
    /// Its columns when the view was made.
    pub columns: Vec<UsedColumn>,
}

/// A column of such a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedColumn {
    /// Its number in its table; its position in a view.
    pub id: u32,
    /// The name that the view's text knows it by.
    pub name: String,
    /// Its type.
    pub ty: DataType,
    /// The view's result depends on it: it cannot be dropped.
    pub needed: bool,
}

impl StoredView {
    /// How the view calls a relation, if it names it.
    #[must_use]
    pub fn use_of(&self, id: TableId) -> Option<&Use> {
        self.uses.iter().find(|used| used.id == id)
    }
}

impl View {
    /// Parses the view's text.
    ///
    /// # Errors
    /// The text is no query, or nested too deeply.
    pub fn new(stored: StoredView) -> Result<Self> {
        let parsed = crate::parser::parse_one(&stored.text)?;
        let Statement::Query(query) = parsed.statement else {
            return Err(damaged("view description"));
        };
        Ok(Self {
            depth: crate::parser::depth_of(&stored.text)?,
            stored,
            query: Arc::from(query),
        })
    }
}

impl Deref for View {
    type Target = StoredView;

    fn deref(&self) -> &StoredView {
        &self.stored
    }
}

/// Writes a view's description.
pub(super) fn encode(view: &StoredView) -> Vec<u8> {
    let mut out = Writer(vec![FORM]);
    out.number(view.id);
    out.text(&view.name);
    out.text(&view.text);
    out.list(&view.columns, |out, (name, ty)| {
        out.text(name);
        out.data_type(*ty);
    });
    out.list(&view.uses, |out, used| {
        out.text(&used.name);
        out.number(used.id);
        out.list(&used.columns, |out, column| {
            out.number(column.id);
            out.text(&column.name);
            out.data_type(column.ty);
            out.flag(column.needed);
        });
    });
    out.0
}

/// Reads a view's description.
pub(super) fn decode(bytes: &[u8]) -> Result<StoredView> {
    let mut read = Reader(bytes);
    if read.byte()? != FORM {
        return Err(damaged("view description"));
    }
    let id = read.number()?;
    let name = read.text()?;
    let text = read.text()?;
    let columns = read.list(|read| Ok((read.text()?, read.data_type()?)))?;
    let uses = read.list(|read| {
        Ok(Use {
            name: read.text()?,
            id: read.number()?,
            columns: read.list(|read| {
                Ok(UsedColumn {
                    id: read.number()?,
                    name: read.text()?,
                    ty: read.data_type()?,
                    needed: read.flag()?,
                })
            })?,
        })
    })?;
    Ok(StoredView {
        id,
        name,
        columns,
        text,
        uses,
    })
}
