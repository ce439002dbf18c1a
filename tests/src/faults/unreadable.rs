//! Row 7: a sector cannot be read, once or ever again.
//!
//! Whoever wanted it gets a typed error, and the next one asks the disk again. Whoever wants something else notices nothing: a bad sector in one table leaves the
//! others readable.

use super::campaign::Campaign;
use super::script::{Play, Script, base, holds, judge};
use super::world::{FILE, PAGE, kill, open, typed, with_fault, words};
use godb::{Database, Result as DbResult};
use godb_page::page::header;
use godb_page::{Effect, Injection, Operations, PageKind, SimulatedDisk};
use std::collections::BTreeMap;

/// SQLSTATE of an I/O error.
const IO_ERROR: &str = "58030";

/// The system's error numbers of a bad sector, and of a disk that does not answer.
const EIO: i32 = 5;
const ETIMEDOUT: i32 = 110;

type Thing = (&'static str, &'static [u8], fn(&Database) -> DbResult<String>);

/// What is read by itself: a name, what its pages show, and how to read it all.
const THINGS: [Thing; 5] = [
    ("pairs", &[0x5A ^ 101; 40], pairs),
    ("table t", b" by 0 ", |db| {
        table(db, "SELECT id, v FROM t ORDER BY v")
    }),
    ("table u", &[b'u'; 100], |db| {
        table(db, "SELECT id, v FROM u ORDER BY id")
    }),
    ("table k, of long keys", &[b'k'; 100], |db| {
        table(db, "SELECT n, v FROM k ORDER BY v")
    }),
    ("table s, of values in chains", &[b's'; 100], |db| {
        table(db, "SELECT id, v FROM s ORDER BY id")
    }),
];

/// Every page unreadable, and every read of a life, of an opening after a crash and of a check failing.
pub(super) fn run(campaign: &mut Campaign) {
    every_page(campaign);
    every_read(campaign);
    every_read_of_opening(campaign);
    every_read_of_check(campaign);
}

fn every_page(campaign: &mut Campaign) {
    let disk = many_tables();
    let truth = truth(&disk);
    let bytes = disk.bytes(FILE).expect("the file is there");
    let owners = owners(&bytes);
    let stride = campaign.choose(5, 1);
    for (number, page) in (0_u64..).zip(bytes.chunks_exact(PAGE)).step_by(stride) {
        let owner = owners.get(&header::tree_id(page).raw()).copied();
        let name = kind_name(page);
        for lasting in [false, true] {
            campaign.case(
                name,
                || format!("page {number} cannot be read, lasting {lasting}"),
                || bad_page(&disk, number, lasting, owner, &truth),
            );
        }
    }
}

fn kind_name(page: &[u8]) -> &'static str {
    match header::kind(page) {
        Some(PageKind::Header) => "page of the file header",
        Some(PageKind::Meta) => "meta page",
        Some(PageKind::FreeMap) => "free map",
        Some(PageKind::Leaf) => "leaf",
        Some(PageKind::Inner) => "inner page",
        Some(PageKind::Overflow) => "overflow page",
        _ => "page not in use",
    }
}

/// More tables: one with rows in many leaves, one with keys so long that there are many inner pages, one with values in chains of overflow pages.
const MORE_TABLES: [&str; 6] = [
    "CREATE TABLE u (id bigint PRIMARY KEY, v text)",
    "INSERT INTO u SELECT n, repeat('u', 300) FROM generate_series(1, 1500) AS g(n)",
    "CREATE TABLE k (v text PRIMARY KEY, n bigint)",
    "INSERT INTO k SELECT repeat('k', 250) || (10000 + n)::text, n FROM generate_series(1, 1000) AS g(n)",
    "CREATE TABLE s (id bigint PRIMARY KEY, v text)",
    "INSERT INTO s SELECT n, repeat('s', 9000) FROM generate_series(1, 20) AS g(n)",
];

/// A cleanly closed database with tables and pairs.
fn many_tables() -> SimulatedDisk {
    let disk = base();
    let db = open(&disk).expect("the base is sound");
    for text in MORE_TABLES {
        db.execute(text, &[]).expect("it takes tables and rows");
    }
    let mut tx = db.begin().expect("and transactions");
    for key in 0..2000_u16 {
        tx.put(&(400 + key).to_be_bytes(), &[0x5A ^ 101; 200])
            .expect("and pairs");
    }
    tx.commit().expect("that commit");
    db.close().expect("it closes");
    disk
}

fn pairs(db: &Database) -> DbResult<String> {
    let pairs: Vec<_> = db.begin()?.range(..)?.collect::<DbResult<_>>()?;
    Ok(format!("{pairs:?}"))
}

fn table(db: &Database, query: &str) -> DbResult<String> {
    let mut all = String::new();
    for row in db.query(query, &[])? {
        let row = row?;
        all += &format!("{} {}\n", row.get::<i64>(0)?, row.get::<String>(1)?);
    }
    Ok(all)
}

/// What each thing holds.
fn truth(disk: &SimulatedDisk) -> Vec<String> {
    let db = open(&disk.fork()).expect("it is sound");
    THINGS
        .iter()
        .map(|(_, _, read)| read(&db).expect("it can be read"))
        .collect()
}

/// Which tree belongs to which thing, by what its pages show.
fn owners(bytes: &[u8]) -> BTreeMap<u32, usize> {
    let mut owners = BTreeMap::new();
    for page in bytes.chunks_exact(PAGE) {
        for (thing, (_, mark, _)) in THINGS.iter().enumerate() {
            if page[header::LEN..]
                .windows(mark.len())
                .any(|window| window == *mark)
            {
                owners.insert(header::tree_id(page).raw(), thing);
            }
        }
    }
    owners
}

/// Reads everything around a bad page; `owner` is the only thing that may fail, or all may.
fn bad_page(
    base: &SimulatedDisk,
    page: u64,
    lasting: bool,
    owner: Option<usize>,
    truth: &[String],
) -> Result<(), String> {
    let (from, to) = (page * PAGE as u64, (page + 1) * PAGE as u64);
    let injection = Injection {
        lasting,
        ..Injection::once(Operations::READ, 1, Effect::IoError)
    };
    let disk = with_fault(base, injection.on_file(FILE).within(from, to));
    let db = match open(&disk) {
        Ok(db) => db,
        Err(error) if owner.is_none() => {
            typed(&error)?;
            disk.heal();
            words("opening when the fault has passed", open(&disk))?
        }
        Err(error) => {
            return Err(format!(
                "a page of a table keeps the database from opening: {error}"
            ));
        }
    };
    for round in 0..2 {
        for (thing, (name, _, read)) in THINGS.iter().enumerate() {
            match read(&db) {
                Ok(found) if found == truth[thing] => {}
                Ok(_) => return Err(format!("round {round}: {name} is read wrong")),
                Err(error) if error.sqlstate() != IO_ERROR => {
                    return Err(format!("{name}: {} {error}", error.sqlstate()));
                }
                Err(error) if owner.is_some_and(|owner| owner != thing) => {
                    return Err(format!("{name} suffers from a page that is not its own: {error}"));
                }
                Err(error) if round == 1 => {
                    return Err(format!("{name}, when the fault has passed: {error}"));
                }
                Err(_) => {}
            }
        }
        disk.heal();
    }
    words("writing afterwards", db.put(b"more", b"1"))
}

/// Every read of the script's life fails, once or from then on; when the fault has passed the same process goes on.
fn every_read(campaign: &mut Campaign) {
    let base = base();
    let script = Script::standard(&base);
    let stride = campaign.choose(6, 1);
    for (lasting, errno) in [(false, EIO), (true, EIO), (false, ETIMEDOUT), (true, ETIMEDOUT)] {
        let mut nth = 1;
        let mut struck = true;
        while struck && nth < 5000 {
            let injection = Injection {
                lasting,
                ..Injection::once(Operations::READ, nth, Effect::Refused { errno })
            };
            campaign.case(
                "every read of a run",
                || format!("read {nth} fails with {errno}, lasting {lasting}"),
                || {
                    let disk = with_fault(&base, injection);
                    let verdict = fail_read(&disk, &script);
                    struck = disk.struck() > 0;
                    verdict
                },
            );
            nth += stride;
        }
    }
}

fn fail_read(disk: &SimulatedDisk, script: &Script) -> Result<(), String> {
    let play = Play::of(disk, script);
    if let Some((step, error)) = &play.ended
        && error.sqlstate() != IO_ERROR
    {
        return Err(format!("step {step} failed with {} {error}", error.sqlstate()));
    }
    disk.heal();
    let (least, most) = (play.acknowledged, play.begun);
    let left = match play.db {
        Some(db) => {
            // A rollback that could not read a page is made good by the next transaction.
            words("writing when the fault has passed", db.put(b"more", b"1"))?;
            words("deleting", db.delete(b"more"))?;
            holds(&db, script, least, most).map_err(|wrong| format!("when the fault has passed: {wrong}"))?;
            kill(db, disk)
        }
        None => disk.fork(),
    };
    let db = words("opening again", open(&left))?;
    judge(&db, script, least, most)
        .map(drop)
        .map_err(|wrong| format!("opened again: {wrong}"))
}

/// Opening a database that was killed reads its log, its safe copies and pages. Each of these reads fails; when the fault has passed, opening again loses nothing.
fn every_read_of_opening(campaign: &mut Campaign) {
    let base = killed();
    let script = Script::on(&base, Vec::new());
    let stride = campaign.choose(5, 1);
    for (lasting, name) in [(false, "once"), (true, "from then on")] {
        for_each_read(campaign, stride, "every read of an opening", |nth, disk| {
            let injection = Injection {
                lasting,
                ..Injection::once(Operations::READ, nth, Effect::IoError)
            };
            let disk = disk.insert(with_fault(&base, injection));
            let left = match open(disk) {
                Ok(db) => kill(db, disk),
                Err(error) if error.sqlstate() == IO_ERROR => disk.fork(),
                Err(error) => return Err(format!("{name}: {} {error}", error.sqlstate())),
            };
            left.heal();
            let db = words("opening when the fault has passed", open(&left))?;
            judge(&db, &script, 0, 0).map(drop)
        });
    }
}

/// The check reads every page. A sector that cannot be read is told, as an error or a finding, unless somebody read ahead and it was read again; the next check passes.
fn every_read_of_check(campaign: &mut Campaign) {
    let base = many_tables();
    let stride = campaign.choose(120, 6);
    for lasting in [false, true] {
        for_each_read(campaign, stride, "every sixth read of a check", |nth, disk| {
            let disk = disk.insert(base.fork());
            let db = words("opening", open(disk))?;
            let injection = Injection {
                lasting,
                ..Injection::once(Operations::READ, nth, Effect::IoError)
            };
            disk.inject(injection);
            match db.check() {
                Ok(findings) if findings.is_empty() && lasting && disk.struck() > 0 => {
                    return Err("the check did not notice".to_owned());
                }
                Ok(_) => {}
                Err(error) if error.sqlstate() == IO_ERROR => {}
                Err(error) => return Err(format!("{} {error}", error.sqlstate())),
            }
            disk.heal();
            let findings = words("the next check", db.check())?;
            match findings.first() {
                None => Ok(()),
                Some(first) => Err(format!("the next check found {first}")),
            }
        });
    }
}

/// Tries a case for each read, until one comes that does not meet its fault. A case leaves the disk that it tried.
fn for_each_read(
    campaign: &mut Campaign,
    stride: u64,
    what: &'static str,
    mut case: impl FnMut(u64, &mut Option<SimulatedDisk>) -> Result<(), String>,
) {
    let mut nth = 1;
    let mut struck = true;
    while struck && nth < 5000 {
        campaign.case(
            what,
            || format!("read {nth}"),
            || {
                let mut disk = None;
                let verdict = case(nth, &mut disk);
                struck = disk.is_some_and(|disk| disk.struck() > 0);
                verdict
            },
        );
        nth += stride;
    }
}

/// The base, killed when its log has a few hundred KiB that opening must read.
fn killed() -> SimulatedDisk {
    let disk = base();
    let db = open(&disk).expect("the base is sound");
    for round in 0..6_u8 {
        let mut tx = db.begin().expect("it takes transactions");
        for key in 0..60_u8 {
            tx.put(&[3, key], &[round; 900]).expect("with pairs");
        }
        tx.commit().expect("that commit");
    }
    kill(db, &disk)
}
