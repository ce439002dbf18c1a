//! Every place in the engine that asks something of the file system is told, once at least, that it cannot be had.
//!
//! A life of a database, an opening after a crash, a check, a repair, a salvage and a reading are run once with a [`Witness`] between the engine and its disk, which
//! notes of each call from where in the source it came. Then each is run again for each of these places, with an error in place of the first call from there, and once more
//! in place of the last. What must hold is what must always hold: a typed error or none, and a database that comes back with what was acknowledged.
//!
//! The places that the source has are counted, too: one that no run ever called would be an error path that nobody has seen.

use super::campaign::Campaign;
use super::script::{Play, Script, base, judge};
use super::world::{FILE, LOG, PAGE, config, kill, open, open_files, typed, words};
use godb::{Config, Database, Environment, RepairTo};
use godb_page::{
    Crash, Effect, Fault, File, FileLock, FileSystem, Injection, OpenMode, Operations, SimulatedDisk,
};
use godb_wal::Log;
use std::backtrace::Backtrace;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A place in the source: file and line.
type Site = (String, u32);

/// What a witness notes, and the call that it refuses.
#[derive(Default)]
struct Notes {
    calls: AtomicU64,
    /// From where each call came; only when asked for, because finding that out takes a millisecond.
    sites: Option<Mutex<Vec<Site>>>,
    /// The number of the call that fails.
    refused: u64,
    struck: AtomicBool,
}

impl Notes {
    fn writing() -> Arc<Self> {
        Arc::new(Self {
            sites: Some(Mutex::default()),
            ..Self::default()
        })
    }

    fn refusing(call: u64) -> Arc<Self> {
        Arc::new(Self {
            refused: call,
            ..Self::default()
        })
    }

    /// One call of the engine.
    fn call(&self, doing: &'static str, file: &str) -> Result<(), Fault> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(sites) = &self.sites {
            let mut sites = sites.lock().expect("nobody panics with it");
            sites.push(caller(&Backtrace::force_capture().to_string()));
        }
        if number != self.refused {
            return Ok(());
        }
        self.struck.store(true, Ordering::Relaxed);
        Err(Fault::io(doing, file, ErrorKind::Other.into()))
    }
}

/// The innermost line of the engine in a backtrace, below which there are only the file systems.
fn caller(backtrace: &str) -> Site {
    let line = backtrace.lines().filter_map(|line| {
        let (_, place) = line.trim().strip_prefix("at ")?.split_once("crates/")?;
        let mut parts = place.split(':');
        let (file, line) = (parts.next()?, parts.next()?.parse().ok()?);
        let is_engine = file.starts_with("godb") && !file.contains("/src/fs/");
        is_engine.then(|| (file.to_owned(), line))
    });
    let mut line = line;
    line.next().unwrap_or_default()
}

/// A file system that notes its calls.
struct Witness {
    files: Arc<dyn FileSystem>,
    notes: Arc<Notes>,
}

/// A file of it.
struct WitnessedFile {
    file: Arc<dyn File>,
    notes: Arc<Notes>,
}

impl FileSystem for Witness {
    fn open(&self, name: &str, mode: OpenMode) -> Result<Arc<dyn File>, Fault> {
        self.notes.call("open", name)?;
        let file = self.files.open(name, mode)?;
        let notes = self.notes.clone();
        Ok(Arc::new(WitnessedFile { file, notes }))
    }

    fn exists(&self, name: &str) -> Result<bool, Fault> {
        self.notes.call("look for", name)?;
        self.files.exists(name)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, Fault> {
        self.notes.call("list", dir)?;
        self.files.list(dir)
    }

    fn create_dir(&self, dir: &str) -> Result<(), Fault> {
        self.notes.call("create", dir)?;
        self.files.create_dir(dir)
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Fault> {
        self.notes.call("remove", dir)?;
        self.files.remove_dir(dir)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Fault> {
        self.notes.call("rename", from)?;
        self.files.rename(from, to)
    }

    fn unlink(&self, name: &str) -> Result<(), Fault> {
        self.notes.call("remove", name)?;
        self.files.unlink(name)
    }

    fn sync_dir(&self, dir: &str) -> Result<(), Fault> {
        self.notes.call("sync", dir)?;
        self.files.sync_dir(dir)
    }

    fn lock(&self, name: &str) -> Result<FileLock, Fault> {
        self.notes.call("lock", name)?;
        self.files.lock(name)
    }

    fn lock_shared(&self, name: &str) -> Result<FileLock, Fault> {
        self.notes.call("lock", name)?;
        self.files.lock_shared(name)
    }
}

impl File for WitnessedFile {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn len(&self) -> Result<u64, Fault> {
        self.notes.call("measure", self.name())?;
        self.file.len()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
        self.notes.call("read", self.name())?;
        self.file.read_at(at, into)
    }

    fn write_at(&self, at: u64, from: &[u8]) -> Result<(), Fault> {
        self.notes.call("write", self.name())?;
        self.file.write_at(at, from)
    }

    fn set_len(&self, len: u64) -> Result<(), Fault> {
        self.notes.call("resize", self.name())?;
        self.file.set_len(len)
    }

    fn sync(&self) -> Result<(), Fault> {
        self.notes.call("sync", self.name())?;
        self.file.sync()
    }
}

/// Something that is done with a database.
struct Deed {
    name: String,
    disk: SimulatedDisk,
    run: fn(&Arc<dyn FileSystem>, &Script) -> godb::Result<()>,
    /// After which commits the database may stand before it.
    least: usize,
    most: usize,
    /// Whether it commits more.
    lives: bool,
    /// The database is damaged: the deed may fail by itself, and so may opening what it leaves.
    damaged: bool,
    /// There was no database before.
    fresh: bool,
}

/// Fails the calls of every place.
pub(super) fn run(campaign: &mut Campaign) {
    let start = base();
    let script = Script::standard(&start);
    let mut called: BTreeSet<Site> = BTreeSet::new();
    let deeds = deeds(&start, &script, campaign.choose(40, 7));
    for deed in &deeds {
        let notes = Notes::writing();
        let done = deed.on(&notes, &script);
        if let Err(error) = done {
            assert!(deed.damaged, "{} fails by itself: {error}", deed.name);
        }
        let sites = notes.sites.as_ref().expect("it writes");
        let sites = std::mem::take(&mut *sites.lock().expect("nobody panics with it"));
        let mut ends: BTreeMap<&Site, (u64, u64)> = BTreeMap::new();
        for (site, call) in sites.iter().zip(1..) {
            ends.entry(site).or_insert((call, call)).1 = call;
        }
        for (site, (first, last)) in ends {
            let new = called.insert(site.clone());
            if campaign.quick && !new {
                continue;
            }
            for call in BTreeSet::from([first, last]) {
                let name = || format!("{}, call {call}, from {}:{}", deed.name, site.0, site.1);
                campaign.case("calls of the file system given an error", name, || {
                    deed.refused(call, &script)
                });
            }
        }
    }
    for site in written() {
        let near = |line: u32| called.contains(&(site.0.clone(), line));
        let name = || format!("{}:{}", site.0, site.1);
        campaign.case(
            "places that call the file system",
            name,
            || match (site.1.saturating_sub(2)..=site.1 + 2).any(near) {
                true => Ok(()),
                false => Err("nothing that was run has called it".into()),
            },
        );
    }
}

impl Deed {
    fn on(&self, notes: &Arc<Notes>, script: &Script) -> godb::Result<SimulatedDisk> {
        let disk = self.disk.fork();
        let files: Arc<dyn FileSystem> = Arc::new(Witness {
            files: Arc::new(disk.clone()),
            notes: notes.clone(),
        });
        (self.run)(&files, script)?;
        Ok(disk)
    }

    /// Runs it with one call refused, then opens what is left.
    fn refused(&self, call: u64, script: &Script) -> Result<(), String> {
        let notes = Notes::refusing(call);
        let disk = self.disk.fork();
        let files: Arc<dyn FileSystem> = Arc::new(Witness {
            files: Arc::new(disk.clone()),
            notes: notes.clone(),
        });
        let done = (self.run)(&files, script);
        drop(files);
        if !notes.struck.load(Ordering::Relaxed) {
            return Err("the call was not made again".into());
        }
        if let Err(error) = &done {
            typed(error)?;
        }
        let left = disk.fork();
        left.heal();
        disk.power_off();
        let db = match open(&left) {
            Err(error) if self.damaged => return typed(&error),
            opened => words("opening what is left", opened)?,
        };
        if self.fresh {
            return sound(&db);
        }
        let most = if self.lives {
            script.states.len() - 1
        } else {
            self.most
        };
        let held = judge(&db, script, self.least, most)?;
        let again = kill(db, &left).crash(Crash::KeepNone);
        let db = words("opening it again", open(&again))?;
        judge(&db, script, held, held).map(drop)
    }
}

/// What is done, and with what.
fn deeds(start: &SimulatedDisk, script: &Script, stride: usize) -> Vec<Deed> {
    let deed = |name: &str, disk: &SimulatedDisk, run| Deed {
        name: name.to_owned(),
        disk: disk.fork(),
        run,
        least: 0,
        most: 0,
        lives: false,
        damaged: false,
        fresh: false,
    };
    let broken = |name: &str, disk: &SimulatedDisk, run| Deed {
        damaged: true,
        ..deed(name, disk, run)
    };
    let life = Deed {
        lives: true,
        ..deed("a life", start, live)
    };
    let closed = start.fork();
    open(&closed)
        .and_then(Database::close)
        .expect("the base can be closed");
    let headless = closed.fork();
    damage(&headless, 0);
    let lost = headless.fork();
    damage(&lost, 1);
    let headless_in_use = start.fork();
    damage(&headless_in_use, 0);
    let full = closed.fork();
    // The first segment of the log is made and lengthened, the second is made.
    full.inject(Injection {
        file: ".log".into(),
        lasting: true,
        ..Injection::once(Operations::SET_LEN, 4, Effect::DiskFull)
    });
    let mut deeds = vec![
        life,
        deed("a life with little room", &closed, roll_back_and_recycle),
        broken("a life on a full disk", &full, roll_back_and_recycle),
        deed("an opening", start, open_and_close),
        Deed {
            fresh: true,
            ..deed("a beginning beside half a log", &half_a_log(), open_and_close)
        },
        Deed {
            fresh: true,
            damaged: true,
            ..deed("a log in the place of half a log", &half_a_log(), make_log)
        },
        broken("an opening without a header", &lost, open_and_close),
        deed("a check of a file that was not closed", start, check),
        deed("a check of a closed file", &closed, check),
        deed("a reading", &closed, read_only),
        deed("a salvage", start, salvage),
        broken("a salvage without a header", &lost, salvage),
        deed("a repair", &headless, repair_copy),
        deed("a repair beside a log", &headless_in_use, repair_copy),
        deed("a repair in place", &headless, repair_in_place),
        broken("a repair that rebuilds", &without_map(&closed), repair_in_place),
    ];
    deeds.extend(wrecks(start, script, stride));
    deeds
}

/// Openings after a loss of power.
fn wrecks(start: &SimulatedDisk, script: &Script, stride: usize) -> Vec<Deed> {
    let total = {
        let disk = start.fork();
        drop(Play::of(&disk, script));
        disk.count(Operations::CHANGES)
    };
    let mut wrecks = Vec::new();
    for at in (3..total).step_by(stride) {
        let disk = start.fork();
        disk.inject(Injection::once(Operations::CHANGES, at, Effect::PowerOff));
        let play = Play::of(&disk, script);
        wrecks.push(Deed {
            name: format!("an opening after power was lost at change {at}"),
            disk: disk.crash(Crash::KeepSome { seed: at }),
            run: open_and_close,
            least: play.acknowledged,
            most: play.begun,
            lives: false,
            damaged: false,
            fresh: false,
        });
    }
    wrecks
}

fn damage(disk: &SimulatedDisk, page: usize) {
    let mut bytes = disk.bytes(FILE).expect("the file is there");
    bytes[page * PAGE + 200] ^= 0xFF;
    disk.set_bytes(FILE, &bytes);
}

/// What a crash leaves that comes while the log of a new database is made.
fn half_a_log() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.create_dir(LOG).expect("the disk takes a folder");
    for name in ["00000000.log", "rewrite.tmp"] {
        let made = disk.open(&format!("{LOG}/{name}"), OpenMode::Create);
        let file = made.expect("the disk takes a file");
        file.write_at(0, &[0; 100]).expect("and bytes");
    }
    disk
}

fn sound(db: &Database) -> Result<(), String> {
    match words("the check", db.check())?.as_slice() {
        [] => Ok(()),
        findings => Err(findings.join("; ")),
    }
}

/// A closed database in which a page is broken that holds no rows.
fn without_map(closed: &SimulatedDisk) -> SimulatedDisk {
    let disk = closed.fork();
    let bytes = disk.bytes(FILE).expect("the file is there");
    let is_map =
        |page: &[u8]| godb_page::page::header::kind(page) == Some(godb_page::page::header::PageKind::FreeMap);
    let map = bytes.chunks_exact(PAGE).position(is_map);
    damage(&disk, map.expect("every database has a free map"));
    disk
}

fn live(files: &Arc<dyn FileSystem>, script: &Script) -> godb::Result<()> {
    let mut play = Play::on(files, script);
    match play.ended.take() {
        Some((_, error)) => Err(error),
        None => play.db.take().map_or(Ok(()), Database::close),
    }
}

/// Fills small segments of the log with what is taken back, so that they are used again and given up, and writes many pages at a time.
fn roll_back_and_recycle(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    let config = Config {
        log_segment_size: 128 << 10,
        buffer_pool_size: 256 * PAGE,
        ..config()
    };
    let db = Database::open_on(files.clone(), &Environment::simulated(7), Path::new(FILE), config)?;
    for round in 0..50_u16 {
        let mut tx = db.begin()?;
        let many = if round < 48 { 14 } else { 300 };
        for key in 0..many {
            tx.put(&[b"x", &u16::to_be_bytes(key)[..]].concat(), &[7; 700])?;
        }
        // What was put in a row is made when something is looked for.
        tx.get(b"x")?;
        if round % 4 == 0 {
            db.checkpoint()?;
        }
        tx.roll_back()?;
    }
    while db.step()? {}
    db.close()
}

fn open_and_close(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    let db = open_files(files, 7)?;
    while db.step()? {}
    db.close()
}

fn make_log(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    Log::create(
        files,
        LOG,
        &super::flipped_bits::log_options(),
        &Environment::simulated(7),
    )?;
    Ok(())
}

fn check(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    let environment = Environment::simulated(7);
    Database::check_file_on(files, &environment, Path::new(FILE), &config()).map(drop)
}

fn read_only(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    let config = Config {
        read_only: true,
        ..config()
    };
    let db = Database::open_on(files.clone(), &Environment::simulated(7), Path::new(FILE), config)?;
    super::world::read_state(&db)?;
    db.close()
}

fn salvage(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    let (environment, output) = (Environment::simulated(7), Path::new("saved.godb"));
    Database::salvage_on(files, &environment, Path::new(FILE), output, &config()).map(drop)
}

fn repair(files: &Arc<dyn FileSystem>, to: &RepairTo) -> godb::Result<()> {
    let environment = Environment::simulated(7);
    Database::repair_on(files, &environment, Path::new(FILE), to, &config()).map(drop)
}

fn repair_copy(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    repair(files, &RepairTo::Copy(PathBuf::from("whole.godb")))
}

fn repair_in_place(files: &Arc<dyn FileSystem>, _: &Script) -> godb::Result<()> {
    repair(files, &RepairTo::InPlace)
}

/// Calls whose names belong to files and file systems alone.
const CALLS: [&str; 8] = [
    ".read_at(",
    ".write_at(",
    ".set_len(",
    ".sync_dir(",
    ".rename(",
    ".unlink(",
    ".create_dir(",
    ".remove_dir(",
];

/// Where the source of the engine calls the file system.
fn written() -> Vec<Site> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut sites = Vec::new();
    let mut folders = vec![crates.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(&crates)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if is_engine(&name)
                && let Ok(source) = std::fs::read_to_string(&path)
            {
                sites.extend(calls_in(&source).map(|line| (name.clone(), line)));
            }
        }
    }
    sites.sort();
    sites
}

/// Whether a file is part of the engine, and neither a test nor a file system itself.
fn is_engine(name: &str) -> bool {
    // The pool knows pages and no files.
    let other = [
        "godb-buffer/",
        "tests.rs",
        "/tests/",
        "testing",
        "/src/fs/",
        "/examples/",
        "godb-cli",
        "/benches/",
    ];
    name.ends_with(".rs") && name.contains("/src/") && !other.iter().any(|part| name.contains(part))
}

fn calls_in(source: &str) -> impl Iterator<Item = u32> {
    let product = source.split("#[cfg(test)]").next().unwrap_or(source);
    // What is asked of `self` is a step of the engine that calls the file system in turn.
    let of_others = |line: &str, call: &str| line.contains(call) && !line.contains(&format!("self{call}"));
    let calls = move |line: &str| {
        !line.trim_start().starts_with("//") && CALLS.iter().any(|call| of_others(line, call))
    };
    (1..)
        .zip(product.lines())
        .filter(move |(_, line)| calls(line))
        .map(|(number, _)| number)
}
