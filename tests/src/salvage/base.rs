//! The sound databases that are to be damaged, and where their rows lie.

use super::damage::Hit;
use godb::{Config, Database, Environment, Result};
use godb_page::{FileSystem, MemoryFileSystem, OpenMode};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// The file that is damaged, the directory of its log, and the file that salvage makes.
pub(super) const FILE: &str = "old.godb";
const LOG: &str = "old.godb-wal";
pub(super) const NEW: &str = "new.godb";

/// Bytes in a page.
pub(super) const PAGE: usize = 4096;

/// Rows and pairs by name, with their text.
pub(super) type State = BTreeMap<String, String>;

/// The bytes of files by name.
pub(super) type Bytes = BTreeMap<String, Vec<u8>>;

/// A sound database.
pub(super) struct Base {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    /// What the last durable commit left.
    pub(super) state: State,
    /// Every text that was ever written under a name, committed or not.
    pub(super) ever: HashSet<(String, String)>,
    /// Which blocks of which file hold a row's marks.
    places: BTreeMap<String, HashSet<(String, u64)>>,
}

pub(super) fn config() -> Config {
    Config {
        page_size: PAGE,
        buffer_pool_size: 32 * PAGE,
        background_threads: false,
        ..Config::default()
    }
}

pub(super) fn open(files: &Arc<dyn FileSystem>, name: &str) -> Result<Database> {
    Database::open_on(
        files.clone(),
        &Environment::simulated(5),
        Path::new(name),
        config(),
    )
}

/// The mark in a row's key.
pub(super) fn key_mark(name: &str) -> Vec<u8> {
    format!("<{name}>").into_bytes()
}

/// The mark in a row's value: the first in its text.
pub(super) fn value_mark(text: &str) -> Vec<u8> {
    mark_in(text.as_bytes()).unwrap_or_default().to_vec()
}

/// The first mark in some bytes.
pub(super) fn mark_in(bytes: &[u8]) -> Option<&[u8]> {
    let from = bytes.iter().position(|byte| *byte == b'<')?;
    let length = bytes[from..].iter().position(|byte| *byte == b'>')?;
    Some(&bytes[from..=from + length])
}

/// Everything in a database.
pub(super) fn contents(db: &Database) -> Result<State> {
    let mut state = State::new();
    for table in ["t", "w"] {
        if !db.tables()?.iter().any(|name| name == table) {
            continue;
        }
        for row in db.query(&format!("SELECT id, v FROM {table}"), &[])? {
            let row = row?;
            state.insert(name_of(&row.get::<String>(0)?), row.get(1)?);
        }
    }
    for pair in db.begin()?.range(..)? {
        let (key, value) = pair?;
        let text = String::from_utf8_lossy(&value).into_owned();
        state.insert(name_of(&String::from_utf8_lossy(&key)), text);
    }
    Ok(state)
}

fn name_of(key: &str) -> String {
    key.trim_matches(['<', '>']).to_owned()
}

/// Every file, with its bytes.
pub(super) fn read(files: &dyn FileSystem) -> Bytes {
    let logs = files.list(LOG).unwrap_or_default();
    let names = logs
        .iter()
        .map(|name| format!("{LOG}/{name}"))
        .chain([FILE.to_owned()]);
    names
        .map(|name| {
            let file = files.open(&name, OpenMode::ReadOnly).expect("it is listed");
            let mut bytes =
                vec![0; usize::try_from(file.len().expect("it has a length")).expect("it is small")];
            file.read_at(0, &mut bytes).expect("memory can be read");
            (name, bytes)
        })
        .collect()
}

impl Base {
    /// A database that was closed.
    pub(super) fn closed(seed: u64) -> Self {
        let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
        let (db, life) = live(&files, seed);
        db.close().expect("it closes");
        Self::of(format!("closed, seed {seed}"), &*files, life)
    }

    /// A database whose process ended in the middle of its work: part of it is only in the log, and a transaction was open.
    pub(super) fn killed(seed: u64) -> Self {
        let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::default());
        let (db, mut life) = live(&files, seed);
        db.checkpoint().expect("it takes a checkpoint");
        life.write(&db, 40..90, 70);
        let mut left_open = db.session().expect("it takes a session");
        let mut unfinished = Life {
            seed: seed + 1,
            ..Life::default()
        };
        left_open.run("BEGIN", &[]).expect("it begins");
        for n in 60..120 {
            let (key, text) = unfinished.row("t", n, 200);
            let sql = "INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = $2";
            left_open
                .run(sql, &[key.into_value(), text.into_value()])
                .expect("it writes");
        }
        life.ever.extend(unfinished.ever);
        life.write(&db, 200..230, 300);
        db.checkpoint().expect("it takes another");
        life.write(&db, 220..260, 90);
        let base = Self::of(format!("killed, seed {seed}"), &*files, life);
        drop(left_open);
        base
    }

    fn of(name: String, files: &dyn FileSystem, life: Life) -> Self {
        let bytes = read(files);
        let places = places(&bytes, &life.state);
        Self {
            name,
            bytes,
            places,
            state: life.state,
            ever: life.ever,
        }
    }

    /// A copy of the files.
    pub(super) fn files(&self) -> MemoryFileSystem {
        let files = MemoryFileSystem::default();
        files.create_dir(LOG).expect("memory takes directories");
        for (name, bytes) in &self.bytes {
            let file = files.open(name, OpenMode::Create).expect("memory takes files");
            file.write_at(0, bytes).expect("memory takes bytes");
        }
        files
    }

    /// The rows of which no block with a mark was hit. With a damaged log only those that are in no log at all.
    pub(super) fn untouched(&self, hit: &Hit) -> Vec<String> {
        let whole = |places: &HashSet<(String, u64)>| {
            !places.is_empty()
                && places
                    .iter()
                    .all(|place| !(hit.blocks.contains(place) || (hit.log && place.0 != FILE)))
        };
        let untouched = self.places.iter().filter(|(_, places)| whole(places));
        untouched.map(|(name, _)| name.clone()).collect()
    }
}

/// The blocks that hold marks of each row.
fn places(bytes: &Bytes, state: &State) -> BTreeMap<String, HashSet<(String, u64)>> {
    let mut rows: HashMap<Vec<u8>, &String> = HashMap::new();
    for (name, text) in state {
        rows.insert(key_mark(name), name);
        rows.insert(value_mark(text), name);
    }
    let mut places: BTreeMap<String, HashSet<(String, u64)>> = BTreeMap::new();
    for (file, bytes) in bytes {
        for (block, bytes) in bytes.chunks(PAGE).enumerate() {
            let mut rest = bytes;
            while let Some(mark) = mark_in(rest) {
                if let Some(name) = rows.get(mark) {
                    let place = (file.clone(), block as u64);
                    places.entry((*name).clone()).or_default().insert(place);
                }
                let from = rest.iter().position(|byte| *byte == b'<').unwrap_or(0);
                rest = &rest[from + 1..];
            }
        }
    }
    places
}

/// What was written so far.
#[derive(Default)]
struct Life {
    seed: u64,
    changes: u64,
    state: State,
    ever: HashSet<(String, String)>,
}

trait IntoValue {
    fn into_value(self) -> godb::Value;
}

impl IntoValue for String {
    fn into_value(self) -> godb::Value {
        godb::Value::Text(self)
    }
}

impl Life {
    /// Key and text of a row to be written now.
    fn row(&mut self, table: &str, n: u64, length: usize) -> (String, String) {
        self.changes += 1;
        let name = format!("{table}{n:05}");
        let mark = format!("<{name}:{}.{}>", self.seed, self.changes);
        let text: String = mark.chars().cycle().take(length.max(mark.len())).collect();
        self.ever.insert((name.clone(), text.clone()));
        (format!("<{name}>"), text)
    }

    /// Writes rows of a table, or writes them again.
    fn write(&mut self, db: &Database, range: std::ops::Range<u64>, length: usize) {
        let mut tx = db.begin().expect("it takes transactions");
        for n in range {
            let wobble = usize::try_from(n % 7).unwrap_or(0) * 13;
            let length = match n % 61 {
                0 => 9000 + length,
                _ => length + wobble,
            };
            for table in ["t", "w"] {
                let (key, text) = self.row(table, n, length);
                let sql =
                    format!("INSERT INTO {table} VALUES ($1, $2, {n}) ON CONFLICT (id) DO UPDATE SET v = $2");
                let sql = if table == "t" {
                    sql.replace(&format!(", {n})"), ")")
                } else {
                    sql
                };
                tx.execute(&sql, &[key.clone().into_value(), text.clone().into_value()])
                    .expect("it takes rows");
                self.state.insert(name_of(&key), text);
            }
            let (key, text) = self.row("p", n, length);
            tx.put(key.as_bytes(), text.as_bytes()).expect("it takes pairs");
            self.state.insert(name_of(&key), text);
        }
        tx.commit().expect("and commits them");
    }

    fn delete(&mut self, db: &Database, range: std::ops::Range<u64>) {
        let mut tx = db.begin().expect("it takes transactions");
        for n in range {
            for table in ["t", "w"] {
                let sql = format!("DELETE FROM {table} WHERE id = $1");
                tx.execute(&sql, &[format!("<{table}{n:05}>").into_value()])
                    .expect("it deletes rows");
                self.state.remove(&format!("{table}{n:05}"));
            }
            tx.delete(format!("<p{n:05}>").as_bytes())
                .expect("it deletes pairs");
            self.state.remove(&format!("p{n:05}"));
        }
        tx.commit().expect("and commits that");
    }
}

/// A database that has seen something: rows written, written again, deleted so that pages merge; a transaction that rolled back.
fn live(files: &Arc<dyn FileSystem>, seed: u64) -> (Database, Life) {
    let db = open(files, FILE).expect("memory takes a database");
    let mut life = Life {
        seed,
        ..Life::default()
    };
    for sql in [
        "CREATE TABLE t (id text PRIMARY KEY, v text)",
        "CREATE TABLE w (id text PRIMARY KEY, v text, n int)",
        "CREATE INDEX w_n ON w (n)",
        "CREATE VIEW few AS SELECT id FROM t",
        "CREATE TABLE gone (a int)",
        "DROP TABLE gone",
    ] {
        db.execute(sql, &[]).expect("it takes tables");
    }
    life.write(&db, 0..150, 150);
    life.write(&db, 150..300, 40);
    while db.step().expect("it works") {}
    db.checkpoint().expect("it takes a checkpoint");
    life.delete(&db, 95 + seed % 5..140);
    life.delete(&db, 160..195);
    while db.step().expect("it collects") {}
    life.write(&db, 10..40, 260);
    let mut taken_back = db.begin().expect("it takes transactions");
    taken_back.put(b"<p00005>", b"never").expect("it takes pairs");
    taken_back.roll_back().expect("and rolls back");
    (db, life)
}
