//! A small database for tests of the planner, and golden files of what statements are bound to.

use crate::catalog::{Catalog, Index, Table, TableColumn};
use crate::error::Result;
use crate::explain::{Showing, explain_with};
use crate::parser::{parse_expression, parse_one};
use crate::plan::statement::{Planned, Planning, plan_statement};
use crate::types::DataType;
use crate::value::Value;
use std::fmt::Write as _;
use std::sync::Arc;

/// Tables in memory.
pub(crate) struct Fixture(Vec<Arc<Table>>);

impl Catalog for Fixture {
    fn table(&self, name: &str) -> Result<Option<Arc<Table>>> {
        Ok(self.0.iter().find(|t| t.name == name).cloned())
    }

    fn tables(&self) -> Result<Vec<String>> {
        Ok(self.0.iter().map(|t| t.name.clone()).collect())
    }
}

fn column(name: &str, ty: DataType, not_null: bool) -> TableColumn {
    TableColumn {
        id: 0,
        name: name.into(),
        ty,
        not_null,
        default: None,
        missing: Value::Null,
    }
}

fn index(name: &str, columns: &[(usize, bool)], unique: bool) -> Arc<Index> {
    Arc::new(Index {
        name: name.into(),
        tree: godb_mvcc::TreeId::from_raw(100),
        columns: columns.to_vec(),
        unique,
        constraint: unique,
    })
}

fn table(
    name: &str,
    columns: Vec<TableColumn>,
    key: &[usize],
    indexes: Vec<Arc<Index>>,
    rows: u64,
) -> Arc<Table> {
    Arc::new(Table {
        id: 1,
        name: name.into(),
        tree: godb_mvcc::TreeId::from_raw(50),
        version: 1,
        layouts: Arc::from([4]),
        primary_key_name: format!("{name}_pkey"),
        columns,
        primary_key: key.to_vec(),
        indexes,
        checks: Vec::new(),
        row_estimate: rows,
    })
}

impl Fixture {
    /// Customers, their orders, the lines of those, and a table without keys.
    pub(crate) fn new() -> Self {
        use DataType::{Bool, Float8, Int4, Int8, Text, Timestamp, Varchar};
        let mut orders = vec![
            column("id", Int4, true),
            column("customer", Int4, true),
            column("placed", Timestamp, false),
            column("total", DataType::Numeric(Some((10, 2))), false),
            column("note", Varchar(Some(20)), false),
        ];
        orders[4].default = Some("'none'".into());
        Self(vec![
            table(
                "customers",
                vec![
                    column("id", Int4, true),
                    column("name", Text, false),
                    column("city", Text, false),
                    column("active", Bool, false),
                ],
                &[0],
                vec![index("customers_name", &[(1, false)], false)],
                1000,
            ),
            table(
                "orders",
                orders,
                &[0],
                vec![
                    index("orders_customer", &[(1, false), (2, true)], false),
                    index("orders_note", &[(4, false)], true),
                ],
                50_000,
            ),
            table(
                "lines",
                vec![
                    column("order_id", Int4, true),
                    column("number", Int4, true),
                    column("item", Text, false),
                    column("amount", Int8, false),
                ],
                &[0, 1],
                vec![],
                200_000,
            ),
            table(
                "heap",
                vec![
                    column("a", Int4, false),
                    column("b", Int4, false),
                    column("x", Float8, false),
                ],
                &[],
                vec![],
                100,
            ),
        ])
    }
}

/// Plans a statement over the fixture.
pub(crate) fn plan(sql: &str) -> Result<Planned> {
    let fixture = Fixture::new();
    plan_statement(&parse_one(sql)?, &Planning::new(&fixture))
}

/// What a statement is planned to, or how it is refused.
pub(crate) fn shown(sql: &str) -> String {
    let planned = match plan(sql) {
        Ok(planned) => planned,
        Err(error) => {
            let place = error.position.map_or(String::new(), |p| format!(" at {p}"));
            let hint = error
                .hint
                .as_ref()
                .map_or(String::new(), |h| format!("\nHINT: {h}"));
            return format!("ERROR {}{place}: {}{hint}", error.state.0, error.message);
        }
    };
    let showing = Showing {
        costs: false,
        actual: &|_| None,
    };
    let mut text = explain_with(&planned.plan, &showing).join("\n");
    if !planned.parameter_types.is_empty() {
        let types: Vec<String> = planned.parameter_types.iter().map(ToString::to_string).collect();
        write!(text, "\nparameters: {}", types.join(", ")).unwrap();
    }
    text
}

/// Compares golden files, `-- statement`, result, blank line; with `UPDATE_GOLDEN` set they are written anew.
pub(crate) fn golden(file: &str) {
    golden_with(file, &shown);
}

/// The same with something else that is shown of each statement.
pub(crate) fn golden_with(file: &str, shown: &dyn Fn(&str) -> String) {
    let path = format!("{}/tests/plans/{file}", env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(&path).unwrap();
    let mut fresh = String::new();
    for block in kept.split("\n\n").map(str::trim).filter(|b| !b.is_empty()) {
        let statement: Vec<&str> = block.lines().filter_map(|l| l.strip_prefix("> ")).collect();
        if statement.is_empty() {
            write!(fresh, "{block}\n\n").unwrap();
            continue;
        }
        let quoted: Vec<String> = statement.iter().map(|l| format!("> {l}")).collect();
        write!(
            fresh,
            "{}\n{}\n\n",
            quoted.join("\n"),
            shown(&statement.join("\n"))
        )
        .unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    let pairs = kept.trim().split("\n\n").zip(fresh.trim().split("\n\n"));
    for (kept, fresh) in pairs {
        assert_eq!(
            kept.trim(),
            fresh.trim(),
            "{file} differs; look, then set UPDATE_GOLDEN"
        );
    }
}

#[test]
fn names_and_types() {
    golden("binding.txt");
}

#[test]
fn refusals() {
    golden("errors.txt");
}

#[test]
fn changes() {
    golden("changes.txt");
}

#[test]
fn stored_expressions() {
    let columns = Fixture::new().0[0].columns.clone();
    let check = super::bind_table_expr("id > 0 AND name <> ''", &columns, "customers").unwrap();
    assert_eq!(check.data_type(), DataType::Bool);
    let refused = super::bind_table_expr("id + 1", &columns, "customers").unwrap_err();
    assert_eq!(refused.state.0, "42804");
    let refused = super::bind_table_expr("EXISTS (SELECT 1)", &columns, "customers").unwrap_err();
    assert_eq!(refused.state.0, "0A000");
    assert_eq!(
        super::bind_default("7", DataType::Int8).unwrap().data_type(),
        DataType::Int8
    );
    assert_eq!(
        super::bind_default("true", DataType::Int8).unwrap_err().state.0,
        "42804"
    );
    assert_eq!(
        super::bind_default("id", DataType::Int8).unwrap_err().state.0,
        "42703"
    );
    assert!(parse_expression("1 +").is_err());
}

#[test]
fn syntax() {
    golden("syntax.txt");
}
