//! Loading and querying real data: every flight that left New York City in 2013.

use crate::Result;
use crate::measure::interleaved;
use crate::report::Report;
use godb::{Config, Database, params};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The tables, in the order in which they are loaded.
const TABLES: [&str; 5] = ["airlines", "airports", "planes", "weather", "flights"];

/// Where the data lies, if it is here.
pub(crate) fn data() -> Option<PathBuf> {
    let place = root().join("../shared/data/nycflights13");
    place.join("flights.csv").exists().then_some(place)
}

/// The project's top folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The statement that makes one of the tables.
pub(crate) fn schema() -> Result<String> {
    Ok(std::fs::read_to_string(root().join("tests/flights/schema.sql"))?)
}

/// COPY against `.import`, and the dozen queries.
pub(crate) fn compare(data: &Path, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ours = folder.path().join("ours.godb");
    let theirs = folder.path().join("theirs.db");
    compare_loading(data, folder.path(), report)?;

    let db = Database::open(&ours)?;
    load(&db, data, &TABLES)?;
    db.checkpoint()?;
    import(&theirs, data, &TABLES)?;
    let sqlite = rusqlite::Connection::open(&theirs)?;
    same_cache(&sqlite)?;
    compare_queries(&db, &sqlite, report)
}

/// Gives SQLite as much cache as godb has by default.
fn same_cache(sqlite: &rusqlite::Connection) -> Result<()> {
    let kib = Config::default().buffer_pool_size / 1024;
    sqlite.execute_batch(&format!("PRAGMA cache_size = -{kib}"))?;
    Ok(())
}

/// Loads tables with COPY.
pub(crate) fn load(db: &Database, data: &Path, tables: &[&str]) -> Result<()> {
    for statement in schema()?
        .split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
    {
        db.execute(statement, params![])?;
    }
    for table in tables {
        let file = data.join(format!("{table}.csv"));
        let copy = format!(
            "COPY {table} FROM '{}' WITH (FORMAT csv, HEADER true, NULL 'NA')",
            file.display()
        );
        db.execute(&copy, params![])?;
    }
    Ok(())
}

/// The time of loading flights alone, each time into a new file.
fn compare_loading(data: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    if !sqlite_program_is_here() {
        println!("the sqlite3 program is not here: loading is skipped");
        return Ok(());
    }
    let mut round = 0;
    let mut other = 0;
    let (ours, theirs) = interleaved(
        || {
            round += 1;
            let db = Database::open(folder.join(format!("load{round}.godb")))?;
            load(&db, data, &["flights"])
        },
        || {
            other += 1;
            import(&folder.join(format!("load{other}.db")), data, &["flights"])
        },
    )?;
    report.no_slower("COPY of flights, against sqlite3 .import", ours, theirs);
    Ok(())
}

fn sqlite_program_is_here() -> bool {
    Command::new("sqlite3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Loads tables with the `sqlite3` program.
fn import(file: &Path, data: &Path, tables: &[&str]) -> Result<()> {
    let mut script = schema()?;
    script.push_str("\n.mode csv\n");
    for table in tables {
        script.push_str(&format!(
            ".import --skip 1 {} {table}\n",
            data.join(format!("{table}.csv")).display()
        ));
    }
    let script_file = file.with_extension("sql");
    std::fs::write(&script_file, script)?;
    let status = Command::new("sqlite3")
        .arg(file)
        .stdin(std::fs::File::open(&script_file)?)
        .status()?;
    if !status.success() {
        return Err("sqlite3 could not import the data".into());
    }
    // `.import` knows no NULL: what COPY was told about `NA` is done afterwards, outside the measured loads of flights alone.
    if tables.len() > 1 { nulls(file) } else { Ok(()) }
}

/// Turns `NA` into NULL in every column that can hold it.
fn nulls(file: &Path) -> Result<()> {
    let sqlite = rusqlite::Connection::open(file)?;
    for table in TABLES {
        let mut columns = sqlite.prepare(&format!(
            "SELECT name FROM pragma_table_info('{table}') WHERE \"notnull\" = 0"
        ))?;
        let names: Vec<String> = columns
            .query_map([], |row| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        let set: Vec<String> = names
            .iter()
            .map(|name| format!("{name} = nullif({name}, 'NA')"))
            .collect();
        sqlite.execute(&format!("UPDATE {table} SET {}", set.join(", ")), [])?;
    }
    sqlite.execute_batch("VACUUM")?;
    Ok(())
}

/// Each query on both, and the sum.
fn compare_queries(db: &Database, sqlite: &rusqlite::Connection, report: &mut Report) -> Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("tests/flights/queries"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    let mut sums = (Duration::ZERO, Duration::ZERO);
    for file in files {
        let sql = std::fs::read_to_string(&file)?;
        let (ours, theirs) = interleaved(|| read_ours(db, &sql), || read_theirs(sqlite, &sql))?;
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        report.beside(&format!("  query {name}"), ours, theirs);
        sums.0 += ours;
        sums.1 += theirs;
    }
    report.no_slower("the dozen queries in sum", sums.0, sums.1);
    Ok(())
}

fn read_ours(db: &Database, sql: &str) -> Result<()> {
    for row in db.query(sql, params![])? {
        std::hint::black_box(row?);
    }
    Ok(())
}

fn read_theirs(sqlite: &rusqlite::Connection, sql: &str) -> Result<()> {
    let mut statement = sqlite.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        std::hint::black_box(row.get_ref(0)?);
    }
    Ok(())
}

/// How long loading every table takes, for the memory measurement.
pub(crate) fn load_all(db: &Database, data: &Path) -> Result<Duration> {
    let start = Instant::now();
    load(db, data, &TABLES)?;
    Ok(start.elapsed())
}
