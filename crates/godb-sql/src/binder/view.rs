//! Views: what a name in FROM stands for, and binding a view's query by the dictionary stored with it.

use super::from::FromItem;
use super::names::{parts, start, table_name};
use super::subquery::shown_only;
use super::{Binder, Bound};
use crate::catalog::{Catalog, Table, Use, UsedColumn, View};
use crate::error::{Result, SqlError, state};
use crate::expr::Expr;
use crate::parser::{MAX_DEPTH, too_deep};
use crate::plan::logical::{Logical, OutputColumn};
use crate::plan::walk::IdSet;
use crate::storage::damaged;
use crate::system::{SystemTable, pg};
use crate::types::DataType;
use crate::value::Value;
use godb_mvcc::Moment;
use sqlparser::ast::{ObjectName, Query, TableAlias};
use sqlparser::tokenizer::Location;
use std::collections::HashMap;
use std::sync::Arc;

/// The most operators that the views of one statement may become.
const MAX_OPERATORS: usize = 50_000;

/// What a name stands for.
pub(super) enum Named {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<View>),
    /// A system relation.
    System(SystemTable),
}

/// A view whose query is being bound.
pub(super) struct Inside {
    view: Arc<View>,
    /// The moment it is read at, if not the statement's.
    moment: Option<Moment>,
}

/// The views of a statement.
#[derive(Default)]
pub(super) struct Views {
    /// Those being bound, the outermost first.
    inside: Vec<Inside>,
    /// The sum of how deeply they are nested.
    depth: usize,
    /// Operators made of views so far.
    operators: usize,
    /// What the statement itself names: for the definition of a view.
    named: Vec<Use>,
    /// Where it names a system relation.
    system: Option<Location>,
}

/// A query that is to become a view.
pub(crate) struct Definition {
    /// Its columns.
    pub(crate) columns: Vec<(String, DataType)>,
    /// What it names.
    pub(crate) uses: Vec<Use>,
}

impl Binder<'_> {
    /// Whether the query of a view is being bound: positions in it are none in the statement.
    pub(super) fn inside_view(&self) -> bool {
        !self.views.inside.is_empty()
    }

    /// The table or view of that name, and the moment it is read at if not the statement's.
    pub(super) fn find_relation(&mut self, name: &ObjectName) -> Result<(Named, Option<Moment>)> {
        let location = start(name);
        let folded = self.located(table_name(name), location)?;
        if let Some(inside) = self.views.inside.last() {
            let moment = inside.moment;
            let used = inside.view.uses.iter().find(|used| used.name == folded);
            let id = used.map(|used| used.id);
            let found = id.map(|id| self.at_moment(moment, &|catalog| by_number(catalog, id)));
            return match found.transpose()?.flatten() {
                Some(found) => Ok((found, moment)),
                None => Err(no_relation(&folded)),
            };
        }
        let clause = self.table_as_of.iter().find(|(at, _)| *at == location);
        let moment = clause.map(|(_, as_of)| as_of.moment()).transpose()?;
        let found = self.at_moment(moment, &|catalog| by_name(catalog, &folded))?;
        match (found, parts(name)?.first()) {
            (Some(found), _) => {
                self.note_named(&folded, &found);
                Ok((found, moment))
            }
            (None, Some(ident)) => match self.system_relation(&folded, moment, location)? {
                Some(found) => Ok((found, None)),
                None => Err(self.no_table(&folded, ident)),
            },
            (None, None) => Err(SqlError::new(state::SYNTAX_ERROR, "a table must have a name")),
        }
    }

    /// The system relation of that name; it shows the present only.
    fn system_relation(&mut self, name: &str, moment: Option<Moment>, at: Location) -> Result<Option<Named>> {
        let found = self
            .planning
            .system
            .iter()
            .find(|relation| relation.name() == name);
        let found = found
            .map(|found| SystemTable(found.clone()))
            .or_else(|| pg::find(name));
        let Some(found) = found else { return Ok(None) };
        if moment.is_some() {
            return self.refuse("AS OF SYSTEM TIME of a system relation", at);
        }
        self.views.system.get_or_insert(at);
        Ok(Some(Named::System(found)))
    }

    /// Asks the catalog, of now or of then.
    fn at_moment(
        &self,
        moment: Option<Moment>,
        ask: &dyn Fn(&dyn Catalog) -> Result<Option<Named>>,
    ) -> Result<Option<Named>> {
        let Some(moment) = moment else {
            return ask(self.planning.catalog);
        };
        let mut found = None;
        self.planning.past.catalog(moment, &mut |catalog| {
            found = ask(catalog)?;
            Ok(())
        })?;
        Ok(found)
    }

    fn note_named(&mut self, name: &str, found: &Named) {
        let id = match found {
            Named::Table(table) => table.id,
            Named::View(view) => view.id,
            Named::System(_) => return,
        };
        if !self.views.named.iter().any(|used| used.name == name) {
            let columns = match found {
                Named::Table(table) => columns_of_table(table),
                Named::View(view) => columns_of_view(view),
                Named::System(_) => return,
            };
            let name = name.to_owned();
            self.views.named.push(Use { name, id, columns });
        }
    }

    /// A view in FROM.
    #[inline(never)]
    pub(super) fn view(
        &mut self,
        view: Arc<View>,
        called: &str,
        moment: Option<Moment>,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem> {
        let outer = self.views.inside.last().map(|inside| inside.view.clone());
        let id = view.id;
        let mut bound = self.bind_view(view, moment)?;
        if let Some(used) = outer.as_ref().and_then(|outer| outer.use_of(id)) {
            let known: Vec<_> = used.columns.iter().map(|c| (c.name.clone(), c.ty)).collect();
            bound = shown(bound, &known)?;
        }
        self.relation(bound, called, alias, None)
    }

    fn bind_view(&mut self, view: Arc<View>, moment: Option<Moment>) -> Result<Bound> {
        if self.views.inside.iter().any(|inside| inside.view.id == view.id) {
            return Err(endless(&view.name));
        }
        // A view is a query inside a query, as deep as it is written.
        self.views.depth += view.depth + VIEW;
        if self.views.depth > MAX_DEPTH / 2 {
            return Err(too_deep());
        }
        let outside = std::mem::take(&mut self.ctes);
        let (query, names, depth) = (view.query.clone(), view.columns.clone(), view.depth + VIEW);
        self.views.inside.push(Inside { view, moment });
        let bound = self.in_new_level(|b| {
            let bound = b.query(&query)?;
            b.known_columns(bound)
        });
        self.views.inside.pop();
        self.ctes = outside;
        self.views.depth -= depth;
        let bound = shown(bound?, &names)?;
        bound.plan.check_depth()?;
        self.views.operators += operators(&bound.plan);
        if self.views.operators > MAX_OPERATORS {
            let message = "the views of the statement are too large";
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, message));
        }
        Ok(bound)
    }

    /// What a view knows of a table it names: the columns it had when the view was made, by the names of then.
    pub(super) fn table_of_then(
        &mut self,
        table: &Arc<Table>,
        alias: String,
        moment: Option<Moment>,
    ) -> Result<(Bound, Arc<Table>)> {
        let Some(inside) = self.views.inside.last() else {
            return Err(no_relation(&table.name));
        };
        let view = inside.view.clone();
        let Some(used) = view.use_of(table.id) else {
            return Err(no_relation(&table.name));
        };
        let mut plan = self.scan(table, alias, moment, false);
        let Logical::Scan { columns: read, .. } = &mut plan else {
            return Err(no_relation(&table.name));
        };
        let all = std::mem::take(read);
        let mut columns: Vec<OutputColumn> = Vec::with_capacity(used.columns.len());
        let mut gone = Vec::new();
        for known in &used.columns {
            match all.iter().find(|(at, _)| table.columns[*at].id == known.id) {
                Some((at, column)) => {
                    let column = OutputColumn {
                        name: known.name.clone(),
                        ..column.clone()
                    };
                    read.push((*at, column.clone()));
                    columns.push(column);
                }
                None => {
                    let column = self.new_column(known.name.clone(), known.ty);
                    gone.push(column.clone());
                    columns.push(column);
                }
            }
        }
        let as_known = as_known(table, used);
        let plan = with_nulls(plan, gone);
        Ok((Bound { plan, columns }, Arc::new(as_known)))
    }

    /// Binds a query that is to become a view.
    pub(crate) fn define_view(&mut self, query: &Query) -> Result<Definition> {
        let bound = self.query(query)?;
        let bound = self.known_columns(bound)?;
        if let Some(at) = self.views.system {
            return self.refuse("a view of a system relation", at);
        }
        let columns = bound.columns.iter().map(|c| (c.name.clone(), c.ty)).collect();
        let mut plan = shown_only(bound);
        let mut needed = Needed::default();
        needed.add(&mut plan);
        for subplan in &mut self.subplans {
            needed.add(subplan);
        }
        let mut uses = std::mem::take(&mut self.views.named);
        for used in &mut uses {
            let read = needed.0.get(&used.id);
            for column in &mut used.columns {
                column.needed |= read.is_some_and(|read| read.contains(column.id));
            }
        }
        Ok(Definition { columns, uses })
    }

    /// Binds a view, to see whether that can still be done.
    pub(crate) fn check_view(&mut self, view: &Arc<View>) -> Result<()> {
        self.bind_view(view.clone(), None).map(drop)
    }
}

/// What a view adds to the depth of its query.
const VIEW: usize = 5;

fn by_name(catalog: &dyn Catalog, name: &str) -> Result<Option<Named>> {
    if let Some(table) = catalog.table(name)? {
        return Ok(Some(Named::Table(table)));
    }
    Ok(catalog.view(name)?.map(Named::View))
}

fn by_number(catalog: &dyn Catalog, id: u32) -> Result<Option<Named>> {
    match catalog.name_of(id)? {
        Some(name) => by_name(catalog, &name),
        None => Ok(None),
    }
}

fn columns_of_table(table: &Table) -> Vec<UsedColumn> {
    let columns = table.columns.iter().map(|column| UsedColumn {
        id: column.id,
        name: column.name.clone(),
        ty: column.ty,
        needed: false,
    });
    columns.collect()
}

/// A view keeps its columns as long as it is there.
fn columns_of_view(view: &View) -> Vec<UsedColumn> {
    let columns = (0_u32..).zip(&view.columns).map(|(id, (name, ty))| UsedColumn {
        id,
        name: name.clone(),
        ty: *ty,
        needed: true,
    });
    columns.collect()
}

/// The columns that a view shows, by the names it gives them. One that was replaced since may have more.
fn shown(bound: Bound, names: &[(String, DataType)]) -> Result<Bound> {
    let mut columns = bound.columns;
    if columns.len() < names.len() {
        // Columns that a view shows cannot be dropped.
        return Err(damaged("view description"));
    }
    columns.truncate(names.len());
    for (column, (name, _)) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    let plan = shown_only(Bound {
        plan: bound.plan,
        columns: columns.clone(),
    });
    Ok(Bound { plan, columns })
}

/// The table as the view knows it: its primary key as positions among the columns that the view knows.
fn as_known(table: &Table, used: &Use) -> Table {
    let position = |at: &usize| used.columns.iter().position(|c| c.id == table.columns[*at].id);
    let key: Option<Vec<usize>> = table.primary_key.iter().map(position).collect();
    Table {
        name: used.name.clone(),
        primary_key: key.unwrap_or_default(),
        ..table.clone()
    }
}

/// Columns that were dropped: the view needs none of their values, only that they stand where they stood.
fn with_nulls(plan: Logical, gone: Vec<OutputColumn>) -> Logical {
    if gone.is_empty() {
        return plan;
    }
    let mut columns: Vec<_> = plan.output().into_iter().map(|c| (c.read(), c.clone())).collect();
    columns.extend(gone.into_iter().map(|c| (Expr::Literal(Value::Null, c.ty), c)));
    Logical::Project {
        input: Box::new(plan),
        columns,
    }
}

/// Which columns, by number, are read of each table.
#[derive(Default)]
struct Needed(HashMap<u32, IdSet>);

impl Needed {
    /// Adds what a plan reads. Columns that nobody reads are dropped from it.
    fn add(&mut self, plan: &mut Logical) {
        crate::optimizer::drop_unread(plan);
        self.scans(plan);
    }

    fn scans(&mut self, plan: &Logical) {
        if let Logical::Scan { table, columns, .. } = plan {
            let read = self.0.entry(table.id).or_default();
            for (at, _) in columns {
                read.insert(table.columns[*at].id);
            }
        }
        plan.inputs().into_iter().for_each(|input| self.scans(input));
    }
}

fn operators(plan: &Logical) -> usize {
    1 + plan.inputs().into_iter().map(operators).sum::<usize>()
}

fn no_relation(name: &str) -> SqlError {
    let message = format!("relation \"{name}\" does not exist");
    SqlError::new(state::UNDEFINED_TABLE, message)
}

/// The error for a view that reads itself.
pub(crate) fn endless(name: &str) -> SqlError {
    let message = format!("infinite recursion detected in rules for relation \"{name}\"");
    SqlError::new(state::INVALID_OBJECT_DEFINITION, message)
}
