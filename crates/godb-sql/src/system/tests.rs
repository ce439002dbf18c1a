//! System relations in queries.

use super::*;
use crate::session::{Sql, SqlOptions};
use godb_mvcc::sync::atomic::{AtomicI64, Ordering};
use godb_mvcc::{Environment, MemoryEngine};

/// Counts how often it was read.
struct Reads(AtomicI64);

impl SystemRelation for Reads {
    fn name(&self) -> &str {
        "godb_reads"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[("number", DataType::Int8), ("word", DataType::Text)]
    }

    fn rows(&self, asking: &Asking<'_>) -> Result<Vec<Vec<Value>>> {
        let mut tables: Vec<String> = asking.trees()?.into_values().map(|tree| tree.table).collect();
        tables.sort();
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let row = |table| vec![Value::Int(number), Value::Text(table)];
        Ok(tables.into_iter().map(row).collect())
    }
}

fn sql() -> Arc<Sql> {
    let environment = Environment::simulated(1);
    let engine = MemoryEngine::new(environment.clone());
    let options = SqlOptions {
        system: vec![Arc::new(Reads(AtomicI64::new(1)))],
        ..SqlOptions::default()
    };
    Sql::open(engine, environment, options).unwrap()
}

fn shown(sql: &Arc<Sql>, text: &str) -> String {
    let mut session = sql.session();
    match session.query_rows(text, &[]) {
        Err(error) => format!("{}: {error}", error.state.0),
        Ok(rows) => {
            let rows: Vec<_> = rows.map(|row| format!("{:?}", row.unwrap())).collect();
            rows.join(" ")
        }
    }
}

#[test]
fn rows_are_made_anew_for_each_query_and_are_rows_like_any_other() {
    let sql = sql();
    sql.session()
        .execute("CREATE TABLE b (x int PRIMARY KEY)", &[])
        .unwrap();
    sql.session()
        .execute("CREATE TABLE a (x int PRIMARY KEY)", &[])
        .unwrap();
    let query = "SELECT number, word FROM godb_reads WHERE word > 'a' ORDER BY word";
    assert_eq!(shown(&sql, query), r#"[Int(1), Text("b")]"#);
    assert_eq!(shown(&sql, query), r#"[Int(2), Text("b")]"#);
    let joined = "SELECT count(*) FROM godb_reads r JOIN godb_reads s USING (word)";
    assert_eq!(shown(&sql, joined), "[Int(2)]");
    let words = "SELECT upper(g.word) FROM public.godb_reads AS g ORDER BY 1";
    assert_eq!(shown(&sql, words), r#"[Text("A")] [Text("B")]"#);
    assert!(shown(&sql, "EXPLAIN SELECT * FROM godb_reads").contains("System Scan on godb_reads"));
}

#[test]
fn what_cannot_be_done_with_one_is_refused_by_name() {
    let sql = sql();
    let refused = |text, start| {
        let answer = shown(&sql, text);
        assert!(answer.starts_with(start), "{text}: {answer}");
    };
    refused(
        "DELETE FROM godb_reads",
        "42809: cannot change system relation \"godb_reads\"",
    );
    refused("INSERT INTO godb_reads VALUES (1, 'x')", "42809");
    refused("UPDATE godb_reads SET number = 1", "42809");
    refused("CREATE VIEW v AS SELECT * FROM godb_reads", "0A000");
    refused("SELECT * FROM godb_nothing", "42P01");
}

#[test]
fn a_table_of_that_name_hides_it() {
    let sql = sql();
    sql.session()
        .execute("CREATE TABLE godb_reads (mine text)", &[])
        .unwrap();
    sql.session()
        .execute("INSERT INTO godb_reads VALUES ('own')", &[])
        .unwrap();
    assert_eq!(shown(&sql, "SELECT * FROM godb_reads"), r#"[Text("own")]"#);
}
