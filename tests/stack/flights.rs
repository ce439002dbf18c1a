//! Real data: every flight that left New York City in 2013, and a dozen questions about them.
//!
//! The expected answers were computed by another database from the same files.

use godb::{Database, Row, Value, params};
use std::path::{Path, PathBuf};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flights").join(name)
}

fn data() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/nycflights13");
    place.join("flights.csv").exists().then_some(place)
}

#[test]
fn a_dozen_questions_about_336776_flights() {
    let Some(data) = data() else {
        println!("skipped: the flights data is not here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path().join("flights.godb")).unwrap();
    load(&db, &data);
    answer_all(&db);
    db.close().unwrap();

    let db = Database::open(folder.path().join("flights.godb")).unwrap();
    answer_all(&db);
    assert_eq!(db.check().unwrap(), Vec::<String>::new());
}

fn load(db: &Database, data: &Path) {
    let schema = std::fs::read_to_string(here("schema.sql")).unwrap();
    for statement in schema
        .split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
    {
        db.execute(statement, params![]).unwrap();
    }
    let expected = [
        ("airlines", 16),
        ("airports", 1458),
        ("planes", 3322),
        ("weather", 26115),
        ("flights", 336_776),
    ];
    for (table, rows) in expected {
        let file = data.join(format!("{table}.csv"));
        let copy = format!(
            "COPY {table} FROM '{}' WITH (FORMAT csv, HEADER true, NULL 'NA')",
            file.display()
        );
        assert_eq!(db.execute(&copy, params![]).unwrap(), rows, "rows of {table}");
    }
}

fn answer_all(db: &Database) {
    let mut questions: Vec<PathBuf> = std::fs::read_dir(here("queries"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    questions.sort();
    assert_eq!(questions.len(), 12);
    for question in questions {
        answer(db, &question);
    }
}

fn answer(db: &Database, question: &Path) {
    let name = question.file_stem().unwrap().to_str().unwrap();
    let sql = std::fs::read_to_string(question).unwrap();
    let rows: Vec<Row> = db.query(&sql, params![]).unwrap().map(Result::unwrap).collect();
    let mut expected = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(here("expected").join(format!("{name}.csv")))
        .unwrap();
    let expected: Vec<csv::StringRecord> = expected.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), expected.len(), "rows of {name}");
    for (at, (row, expected)) in rows.iter().zip(&expected).enumerate() {
        for (column, expected) in expected.iter().enumerate() {
            assert!(
                same(row, column, expected),
                "{name}, row {at}, column {column}: {row:?} is not {expected}"
            );
        }
    }
}

/// Numbers agree to nine digits: one engine averages in decimals, the other in binary.
fn same(row: &Row, column: usize, expected: &str) -> bool {
    match &row.values()[column] {
        Value::Null => expected == "NA",
        Value::Text(text) => text == expected,
        _ => {
            let ours: f64 = row.text(column).unwrap().parse().unwrap();
            let theirs: f64 = expected.parse().unwrap();
            (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)
        }
    }
}
