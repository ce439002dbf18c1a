//! Row 8: a read or write does a part of what was asked, or a signal interrupts it. Nobody above the file may notice. And where a file truly ends, inside a
//! page, that is damage.

use super::campaign::Campaign;
use super::script::{Play, Script, base, judge};
use super::world::{FILE, PAGE, kill, typed, words};
use godb_page::{
    Fault, File, FileHeader, FileLock, FileSystem, MemoryFileSystem, OpenMode, PageFile, PageFileOptions,
    PageId, PageStore, RawFile, SimulatedDisk, WholeFile,
};
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How calls are cut short.
#[derive(Clone, Copy, Debug)]
enum Trick {
    /// Interrupted before it moved anything.
    Interrupted,
    /// So many bytes at most.
    Short(usize),
}

/// Which calls.
#[derive(Debug)]
struct Plan {
    trick: Trick,
    /// The number of one call; zero for every other one.
    nth: u64,
    calls: AtomicU64,
}

impl Plan {
    /// Counts a call; tells whether it is cut short.
    fn strikes(&self) -> bool {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        number == self.nth || (self.nth == 0 && number % 2 == 1)
    }

    /// How many of so many bytes are moved.
    fn cut(&self, len: usize) -> Result<usize> {
        match (self.strikes(), self.trick) {
            (false, _) => Ok(len),
            (true, Trick::Interrupted) => Err(Error::from(ErrorKind::Interrupted)),
            (true, Trick::Short(most)) => Ok(len.min(most)),
        }
    }

    /// A call that moves nothing and can only be interrupted.
    fn pass(&self) -> Result<()> {
        match (self.strikes(), self.trick) {
            (true, Trick::Interrupted) => Err(Error::from(ErrorKind::Interrupted)),
            _ => Ok(()),
        }
    }
}

/// A simulated disk under the product's own loops.
struct Fitful {
    disk: SimulatedDisk,
    plan: Arc<Plan>,
}

struct FitfulFile {
    file: Arc<dyn File>,
    plan: Arc<Plan>,
}

fn raw<T>(result: std::result::Result<T, Fault>) -> Result<T> {
    result.map_err(|fault| Error::other(fault.to_string()))
}

impl RawFile for FitfulFile {
    fn length(&self) -> Result<u64> {
        self.plan.pass()?;
        raw(self.file.len())
    }

    fn read_some(&self, at: u64, into: &mut [u8]) -> Result<usize> {
        let count = self.plan.cut(into.len())?;
        raw(self.file.read_at(at, &mut into[..count]))
    }

    fn write_some(&self, at: u64, from: &[u8]) -> Result<usize> {
        let count = self.plan.cut(from.len())?;
        raw(self.file.write_at(at, &from[..count]))?;
        Ok(count)
    }

    fn allocate(&self, _from: u64, to: u64) -> Result<()> {
        self.plan.pass()?;
        raw(self.file.set_len(to))
    }

    fn truncate(&self, length: u64) -> Result<()> {
        self.plan.pass()?;
        raw(self.file.set_len(length))
    }

    fn sync_data(&self) -> Result<()> {
        self.plan.pass()?;
        raw(self.file.sync())
    }
}

impl FileSystem for Fitful {
    fn open(&self, name: &str, mode: OpenMode) -> std::result::Result<Arc<dyn File>, Fault> {
        let raw = FitfulFile {
            file: self.disk.open(name, mode)?,
            plan: self.plan.clone(),
        };
        Ok(Arc::new(WholeFile::new(name, mode == OpenMode::ReadOnly, raw)))
    }

    fn exists(&self, name: &str) -> std::result::Result<bool, Fault> {
        self.disk.exists(name)
    }

    fn list(&self, dir: &str) -> std::result::Result<Vec<String>, Fault> {
        self.disk.list(dir)
    }

    fn create_dir(&self, dir: &str) -> std::result::Result<(), Fault> {
        self.disk.create_dir(dir)
    }

    fn remove_dir(&self, dir: &str) -> std::result::Result<(), Fault> {
        self.disk.remove_dir(dir)
    }

    fn rename(&self, from: &str, to: &str) -> std::result::Result<(), Fault> {
        self.disk.rename(from, to)
    }

    fn unlink(&self, name: &str) -> std::result::Result<(), Fault> {
        self.disk.unlink(name)
    }

    fn sync_dir(&self, dir: &str) -> std::result::Result<(), Fault> {
        self.disk.sync_dir(dir)
    }

    fn lock(&self, name: &str) -> std::result::Result<FileLock, Fault> {
        self.disk.lock(name)
    }
}

/// Cuts every call of a life short, one at a time and all of them; then ends files inside pages.
pub(super) fn run(campaign: &mut Campaign) {
    let base = base();
    let script = Script::standard(&base);
    let calls = live(&base, &script, Trick::Short(usize::MAX), u64::MAX).expect("the script runs");
    let stride = campaign.choose(40, 1);
    for trick in [
        Trick::Interrupted,
        Trick::Short(1),
        Trick::Short(511),
        Trick::Short(4096),
    ] {
        let what = match trick {
            Trick::Interrupted => "interrupted calls",
            Trick::Short(_) => "short reads and writes",
        };
        for nth in std::iter::once(0).chain((1..=calls).step_by(stride)) {
            campaign.case(
                what,
                || format!("call {nth} of {calls} (0: every other), {trick:?}"),
                || live(&base, &script, trick, nth).map(drop),
            );
        }
    }
    ends_inside_pages(campaign);
}

/// Plays the script; nothing may be noticed. Tells how many calls there were.
fn live(base: &SimulatedDisk, script: &Script, trick: Trick, nth: u64) -> std::result::Result<u64, String> {
    let disk = base.fork();
    let plan = Arc::new(Plan {
        trick,
        nth,
        calls: AtomicU64::new(0),
    });
    let files = Fitful {
        disk: disk.clone(),
        plan: plan.clone(),
    };
    let play = Play::on(&(Arc::new(files) as Arc<dyn FileSystem>), script);
    if let Some((step, error)) = play.ended {
        return Err(format!("step {step} failed with {error}"));
    }
    let db = play.db.ok_or("there is no database")?;
    let last = script.states.len() - 1;
    judge(&db, script, last, last)?;
    let left = kill(db, &disk);
    let db = words("opening again", super::world::open(&left))?;
    judge(&db, script, last, last)?;
    Ok(plan.calls.load(Ordering::Relaxed))
}

/// Whatever the length of the file, a page that is not all there is damage.
fn ends_inside_pages(campaign: &mut Campaign) {
    let disk = base();
    let closing = super::world::open(&disk).and_then(godb::Database::close);
    closing.expect("the base is sound");
    let bytes = disk.bytes(FILE).expect("the file is there");
    let stride = campaign.choose(97, 1);
    for at in (2 * PAGE..8 * PAGE).step_by(stride) {
        campaign.case(
            "a file that ends inside a page",
            || format!("after {at} bytes"),
            || ends_at(&bytes, at),
        );
    }
}

fn ends_at(bytes: &[u8], at: usize) -> std::result::Result<(), String> {
    let said = |fault: Fault| fault.to_string();
    let files = MemoryFileSystem::default();
    let file = files.open(FILE, OpenMode::Create).map_err(said)?;
    file.write_at(0, &bytes[..at]).map_err(said)?;
    let header = FileHeader::read(&*file).map_err(said)?;
    let options = PageFileOptions {
        page_size: header.page_size,
        database_id: header.database_id,
        max_size: None,
        safe_copies: "area".to_owned(),
        direct: false,
    };
    let (pages, _) = PageFile::open(&files, file, options).map_err(said)?;
    let page = u32::try_from(at / PAGE).map_err(|error| error.to_string())?;
    let mut into = vec![0; PAGE];
    match pages.read(PageId::from_raw(page), &mut into) {
        Err(Fault::Corrupt {
            page: Some(named), ..
        }) if named.raw() == page => Ok(()),
        Err(fault) => Err(format!("another error: {fault}")),
        Ok(()) => Err("a page was read that is not all there".to_owned()),
    }?;
    // And the database says so, too, whatever it reads first.
    let disk = SimulatedDisk::new();
    disk.set_bytes(FILE, &bytes[..at]);
    match super::world::open(&disk).and_then(|db| super::world::read_state(&db)) {
        Ok(_) => Err("a database was read that is not all there".to_owned()),
        Err(error) => typed(&error),
    }
}
