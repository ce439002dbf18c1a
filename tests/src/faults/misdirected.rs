//! Row 12: a read or a write goes to another place than the one that was asked for. The page that comes back is whole, its checksum right: only what lies under
//! the checksum, its number and its database's identity, tells that it is another.

use super::campaign::Campaign;
use super::script::{Change, Play, Script, base, base_by, judge, make};
use super::world::{FILE, PAGE, State, kill, open, read_state, typed, with_fault, words};
use godb_page::{
    Effect, Fault, File, FileHeader, FileSystem, HEADER_PAGES, Injection, MemoryFileSystem, OpenMode,
    Operations, PageFile, PageFileOptions, PageId, PageStore, SimulatedDisk,
};
use std::sync::Arc;

/// Pages of the database of which every pair is tried.
const PAGES: u32 = 256;

/// Exchanges every page for every other, and sends every read and write of a life astray.
pub(super) fn run(campaign: &mut Campaign) {
    pairs(campaign);
    let base = base();
    let script = Script::standard(&base);
    let stride = campaign.choose(9, 1);
    for by in [4096, -4096, 40_960, -12_288, 512] {
        for (what, kind, file) in [
            ("every read of a run", Operations::READ, ""),
            ("every write of pages of a run", Operations::WRITE, FILE),
            ("every write of pages of a run", Operations::WRITE, "safe-copies"),
            ("every write of the log of a run", Operations::WRITE, ".log"),
            ("every write of the log of a run", Operations::WRITE, "control"),
        ] {
            let mut nth = 1;
            loop {
                let disk = with_fault(
                    &base,
                    Injection::once(kind, nth, Effect::Misdirect { by }).on_file(file),
                );
                let mut struck = true;
                campaign.case(
                    what,
                    || format!("number {nth} on \"{file}\" goes {by} bytes astray"),
                    || {
                        // Nothing proves of the log's last block that it was durable: without it the log ends like one that a crash cut.
                        let may_end_early = what.contains("log");
                        let verdict = live(&disk, &script, may_end_early);
                        struck = disk.struck() > 0;
                        verdict
                    },
                );
                if !struck || nth > 5000 {
                    break;
                }
                nth += stride;
            }
        }
    }
}

/// The store of pages by itself: all pairs.
fn pairs(campaign: &mut Campaign) {
    let (ours, others) = (Pages::of(&closed(7)), Pages::of(&closed(8)));
    let stride = campaign.choose(8, 1);
    for at in HEADER_PAGES..PAGES {
        for from in (0..PAGES).filter(|from| *from != at && (from + at) % stride == 0) {
            campaign.case(
                "every page in the place of every other",
                || format!("page {from} in the place of page {at}"),
                || ours.finds(at, ours.bytes_of(from)),
            );
        }
    }
    for at in HEADER_PAGES..PAGES {
        campaign.case(
            "a page of another database in its place",
            || format!("page {at}"),
            || ours.finds(at, others.bytes_of(at)),
        );
    }
}

/// A cleanly closed database of at least [`PAGES`] pages.
fn closed(seed: u64) -> SimulatedDisk {
    let disk = base_by(seed);
    let db = open(&disk).expect("the base is sound");
    let mut tx = db.begin().expect("it takes transactions");
    let changes: Vec<Change> = (0..700).map(|n| Change::Put(1000 + n, 1700)).collect();
    make(&mut tx, &changes, 1).expect("it takes changes");
    tx.commit().expect("and commits");
    db.close().expect("it closes");
    disk
}

/// The pages of a database file, in memory.
struct Pages {
    file: Arc<dyn File>,
    store: PageFile,
    bytes: Vec<u8>,
}

impl Pages {
    fn of(disk: &SimulatedDisk) -> Self {
        let files = MemoryFileSystem::default();
        let bytes = disk.bytes(FILE).expect("the file is there");
        let file = files.open(FILE, OpenMode::Create).expect("memory takes files");
        file.write_at(0, &bytes).expect("memory takes bytes");
        let header = FileHeader::read(&*file).expect("it has a header");
        let options = PageFileOptions {
            page_size: header.page_size,
            database_id: header.database_id,
            max_size: None,
            safe_copies: "area".to_owned(),
            direct: false,
        };
        let (store, _) = PageFile::open(&files, file.clone(), options).expect("its pages open");
        Self { file, store, bytes }
    }

    fn bytes_of(&self, page: u32) -> &[u8] {
        let at = page as usize * PAGE;
        &self.bytes[at..at + PAGE]
    }

    /// Reading page `at` finds that `instead` lies in its place.
    fn finds(&self, at: u32, instead: &[u8]) -> Result<(), String> {
        let place = u64::from(at) * PAGE as u64;
        let put = |bytes: &[u8]| {
            self.file
                .write_at(place, bytes)
                .map_err(|fault| fault.to_string())
        };
        put(instead)?;
        let mut into = vec![0; PAGE];
        let read = self.store.read(PageId::from_raw(at), &mut into);
        put(self.bytes_of(at))?;
        match read {
            Err(Fault::Corrupt { page, .. }) if page == Some(PageId::from_raw(at)) => Ok(()),
            Err(fault) => Err(format!("it gives another error: {fault}")),
            Ok(()) if self.bytes_of(at) == instead => Ok(()),
            Ok(()) => Err("it was taken for the page that was asked for".to_owned()),
        }
    }
}

/// Plays the script into the fault: an error, or right answers; and once more after a restart.
fn live(disk: &SimulatedDisk, script: &Script, may_end_early: bool) -> Result<(), String> {
    let play = Play::of(disk, script);
    let (least, most) = (play.acknowledged, play.begun);
    if let Some((_, error)) = &play.ended {
        typed(error)?;
    }
    let Some(db) = play.db else { return Ok(()) };
    right_or_error(&db, script, least, most).map_err(|wrong| format!("in the same process: {wrong}"))?;
    let left = kill(db, disk);
    let least = if may_end_early { 0 } else { least };
    match open(&left) {
        Ok(db) => {
            right_or_error(&db, script, least, most).map_err(|wrong| format!("after a restart: {wrong}"))
        }
        Err(error) => typed(&error),
    }
}

/// Right answers, or an error, or answers that the check calls into question.
pub(super) fn right_or_error(
    db: &godb::Database,
    script: &Script,
    least: usize,
    most: usize,
) -> Result<(), String> {
    let read: State = match read_state(db) {
        Ok(read) => read,
        Err(error) => return typed(&error),
    };
    if script.states[least..=most].contains(&read) {
        return Ok(());
    }
    match db.check() {
        Ok(findings) if findings.is_empty() => judge(db, script, least, most).map(drop),
        Ok(_) => Ok(()),
        Err(error) => words("the check", typed(&error).map_err(|_| error)),
    }
}
