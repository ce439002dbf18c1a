//! Pages survive power loss at every operation, torn writes, failed syncs and full disks.

use super::{PageFile, PageFileOptions};
use crate::fault::Fault;
use crate::file_system::{FileSystem, OpenMode};
use crate::ids::{DatabaseId, Lsn, PageId};
use crate::page::header;
use crate::store::PageStore;
use crate::{Crash, Effect, Injection, Operations, RealFileSystem, SimulatedDisk, Tear, testing};

const SIZE: usize = 4096;
const FIRST: u32 = 2;

fn options(page_size: usize) -> PageFileOptions {
    PageFileOptions {
        page_size,
        database_id: DatabaseId::from_bytes([3; 16]),
        max_size: None,
        safe_copies: "wal/safe-copies".to_owned(),
        direct: false,
    }
}

fn open_sized(fs: &dyn FileSystem, page_size: usize) -> Result<(PageFile, usize), Fault> {
    let file = fs.open("db", OpenMode::Create)?;
    PageFile::open(fs, file, options(page_size))
}

fn open(disk: &SimulatedDisk) -> Result<(PageFile, usize), Fault> {
    open_sized(disk, SIZE)
}

/// Writes pages whose every byte says which version they are.
fn write(store: &PageFile, version: u8, ids: impl IntoIterator<Item = u32>) -> Result<(), Fault> {
    let mut pages: Vec<(PageId, Vec<u8>)> = ids
        .into_iter()
        .map(|id| {
            let mut page = vec![version; SIZE];
            page[..header::LEN].fill(0);
            header::set_lsn(&mut page, Lsn::from_raw(u64::from(version)));
            (PageId::from_raw(id), page)
        })
        .collect();
    let mut batch: Vec<(PageId, &mut [u8])> = pages.iter_mut().map(|(id, page)| (*id, &mut **page)).collect();
    store.write(&mut batch)
}

/// The version of a page; none when it was never written.
fn version(store: &PageFile, id: u32) -> Result<Option<u8>, Fault> {
    let mut page = vec![0; SIZE];
    match store.read(PageId::from_raw(id), &mut page) {
        Err(Fault::Corrupt { what, .. }) if what.contains("never") || what.contains("ends before") => {
            Ok(None)
        }
        Err(fault) => Err(fault),
        Ok(()) => {
            let version = page[header::LEN];
            assert!(
                page[header::LEN..].iter().all(|byte| *byte == version),
                "one version, whole"
            );
            Ok(Some(version))
        }
    }
}

/// A disk with a page file of ten pages at version 1, all durable.
fn ten_pages() -> (SimulatedDisk, PageFile) {
    let disk = SimulatedDisk::new();
    disk.create_dir("wal").unwrap();
    let (store, restored) = open(&disk).unwrap();
    assert_eq!(restored, 0);
    store.resize(FIRST + 10).unwrap();
    write(&store, 1, FIRST..FIRST + 10).unwrap();
    store.sync().unwrap();
    disk.sync_dir("").unwrap();
    (disk, store)
}

/// What a run had been told when the power went: per page the version synced last, and the newest that may be there.
fn workload(store: &PageFile, durable: &mut [u8; 10], newest: &mut [u8; 10]) -> Result<(), Fault> {
    let batches: [(u8, std::ops::Range<u32>); 4] = [(2, 0..10), (3, 2..4), (4, 3..9), (5, 0..1)];
    for (version, range) in batches {
        for at in range.clone() {
            newest[at as usize] = version;
        }
        write(store, version, range.map(|at| FIRST + at))?;
        if version == 4 {
            store.sync()?;
            *durable = *newest;
        }
    }
    Ok(())
}

/// Opens what a crash left and checks every page.
fn check(disk: &SimulatedDisk, durable: &[u8; 10], newest: &[u8; 10]) {
    let (store, _) = open(disk).unwrap();
    for at in 0..10 {
        let found = version(&store, FIRST + at)
            .unwrap()
            .expect("a durable page is there");
        let range = durable[at as usize]..=newest[at as usize];
        assert!(
            range.contains(&found),
            "page {at} is at {found}, outside {range:?}"
        );
    }
    write(&store, 9, FIRST..FIRST + 10).unwrap();
    store.sync().unwrap();
    drop(store);
    let (_, restored) = open(&disk.crash(Crash::KeepNone)).unwrap();
    assert_eq!(restored, 0, "nothing is left to mend");
}

/// The choices worth trying for what is pending now.
fn choices(disk: &SimulatedDisk) -> Vec<Crash> {
    let mut choices = vec![Crash::KeepNone, Crash::KeepAll];
    for one in 0..disk.pending() {
        choices.extend([
            Crash::KeepOnly(one),
            Crash::LoseOnly(one),
            Crash::KeepFirst(one),
            Crash::KeepLast(one),
        ]);
    }
    for (write, size) in disk.pending_writes().into_iter().enumerate() {
        for sector in (0..size / 512).step_by(5) {
            let parts = [
                Tear::First(sector),
                Tear::AllAfter(sector),
                Tear::AllBut(sector),
                Tear::Garbage(sector),
            ];
            choices.extend(parts.map(|part| Crash::Tear { write, part }));
        }
    }
    choices.extend((0..40).map(|seed| Crash::KeepSome { seed }));
    choices
}

#[test]
fn every_crash_leaves_every_page_whole() {
    let (base, store) = ten_pages();
    drop(store);
    let mut states = 0;
    for operation in 1.. {
        let disk = base.fork();
        let (store, _) = open(&disk).unwrap();
        disk.inject(Injection::once(Operations::CHANGES, operation, Effect::PowerOff));
        let (mut durable, mut newest) = ([1; 10], [1; 10]);
        let ended = workload(&store, &mut durable, &mut newest).is_ok();
        for crash in choices(&disk) {
            check(&disk.crash(crash), &durable, &newest);
            states += 1;
        }
        if ended {
            break;
        }
    }
    assert!(states > 1000, "{states} states");
}

#[test]
fn a_crash_while_mending_is_just_another_crash() {
    let (base, store) = ten_pages();
    write(&store, 2, FIRST..FIRST + 10).unwrap();
    let torn = base.crash(Crash::Tear {
        write: 0,
        part: Tear::AllBut(9),
    });
    for operation in 1.. {
        let disk = torn.fork();
        disk.inject(Injection::once(Operations::CHANGES, operation, Effect::PowerOff));
        let ended = open(&disk).is_ok();
        for crash in choices(&disk) {
            check(&disk.crash(crash), &[2; 10], &[2; 10]);
        }
        if ended {
            break;
        }
    }
}

#[test]
fn a_sync_that_fails_poisons_and_reopening_in_the_same_process_loses_nothing() {
    for forgotten in [None, Some(1), Some(2), Some(3)] {
        for sync in 1..=4 {
            let (disk, store) = ten_pages();
            let (mut durable, mut newest) = ([1; 10], [1; 10]);
            let effect = Effect::SyncForgets { seed: forgotten };
            disk.inject(Injection::once(Operations::SYNC, sync, effect));
            workload(&store, &mut durable, &mut newest).unwrap_err();
            assert!(matches!(write(&store, 8, [FIRST]), Err(Fault::Poisoned { .. })));
            assert!(matches!(store.sync(), Err(Fault::Poisoned { .. })));
            // The system's cache shows the new bytes, the disk may have the old ones.
            let seen: Vec<u8> = (0..10)
                .map(|at| version(&store, FIRST + at).unwrap().unwrap())
                .collect();
            let reopened = open(&disk).unwrap().0;
            let after = open(&disk.crash(Crash::KeepNone)).unwrap().0;
            for at in 0..10 {
                let shown = version(&reopened, FIRST + at).unwrap().unwrap();
                assert!(shown >= seen[at as usize], "what was read before is still there");
                assert_eq!(
                    version(&after, FIRST + at).unwrap(),
                    Some(shown),
                    "and after a crash, too"
                );
            }
        }
    }
}

#[test]
fn a_full_disk_stops_no_page_that_has_room() {
    let (disk, store) = ten_pages();
    disk.set_capacity(Some(0));
    // The area has room for sixteen pages and cannot grow: the batch goes in parts.
    store.resize(FIRST + 40).unwrap_err();
    write(&store, 2, FIRST..FIRST + 10).unwrap();
    disk.set_capacity(None);
    store.resize(FIRST + 40).unwrap();
    disk.set_capacity(Some(0));
    write(&store, 3, FIRST..FIRST + 40).unwrap();
    store.sync().unwrap();
    assert!((0..40).all(|at| version(&store, FIRST + at).unwrap() == Some(3)));
}

#[test]
fn a_batch_cut_short_in_place_is_finished_before_its_copies_go() {
    let (disk, store) = ten_pages();
    // Two writes: the copies, then the pages, which the disk takes in part.
    let effect = Effect::PartlyFull { bytes: 6000 };
    disk.inject(Injection::once(Operations::WRITE, 1, effect).on_file("db"));
    assert!(write(&store, 2, FIRST..FIRST + 4).is_err());
    write(&store, 3, [FIRST + 9]).unwrap();
    let (after, _) = open(&disk.crash(Crash::KeepNone)).unwrap();
    for at in 0..4 {
        assert_eq!(version(&after, FIRST + at).unwrap(), Some(2));
    }
}

#[test]
fn old_copies_never_cover_later_damage() {
    let (disk, store) = ten_pages();
    write(&store, 2, FIRST..FIRST + 10).unwrap();
    write(&store, 3, FIRST..FIRST + 10).unwrap();
    write(&store, 4, [FIRST]).unwrap();
    store.sync().unwrap();
    disk.flip_bit("db", u64::from(FIRST + 5) * 8 * SIZE as u64 + 9999)
        .unwrap();
    let (after, restored) = open(&disk.crash(Crash::KeepAll)).unwrap();
    assert_eq!(restored, 0);
    let mut page = vec![0; SIZE];
    let read = after.read(PageId::from_raw(FIRST + 5), &mut page);
    assert!(matches!(read, Err(Fault::Corrupt { page: Some(id), .. }) if id.raw() == FIRST + 5));
}

#[test]
fn every_flipped_bit_and_every_swapped_page_is_found() {
    let (disk, store) = ten_pages();
    let base = u64::from(FIRST) * 8 * SIZE as u64;
    for bit in (0..8 * SIZE as u64).step_by(11) {
        disk.flip_bit("db", base + bit).unwrap();
        assert!(version(&store, FIRST).is_err(), "bit {bit}");
        disk.flip_bit("db", base + bit).unwrap();
    }
    let good = disk.bytes("db").unwrap();
    for from in FIRST as usize..12 {
        for to in FIRST as usize..12 {
            let mut bytes = good.clone();
            bytes.copy_within(from * SIZE..(from + 1) * SIZE, to * SIZE);
            disk.set_bytes("db", &bytes);
            assert_eq!(version(&store, u32::try_from(to).unwrap()).is_ok(), from == to);
        }
    }
}

#[test]
fn limits_and_rights_are_kept() {
    let (disk, store) = ten_pages();
    drop(store);
    let file = disk.open("db", OpenMode::Existing).unwrap();
    let limited = PageFileOptions {
        max_size: Some(20 * SIZE as u64),
        ..options(SIZE)
    };
    let (store, _) = PageFile::open(&disk, file.clone(), limited).unwrap();
    store.resize(20).unwrap();
    assert!(matches!(store.resize(21), Err(Fault::Full { what, .. }) if what.contains("max_file_size")));
    let reader = PageFile::open_read_only(file, SIZE, DatabaseId::from_bytes([3; 16])).unwrap();
    assert_eq!(version(&reader, FIRST).unwrap(), Some(1));
    assert!(matches!(write(&reader, 2, [FIRST]), Err(Fault::ReadOnly { .. })));
    assert!(matches!(reader.resize(5), Err(Fault::ReadOnly { .. })));
}

#[test]
fn it_is_a_page_store() {
    for size in [4096, 8192, 65536] {
        let disk = SimulatedDisk::new();
        disk.create_dir("wal").unwrap();
        testing::page_store(&open_sized(&disk, size).unwrap().0);
        testing::page_store(&crate::MemoryPageStore::new(
            size,
            DatabaseId::from_bytes([1; 16]),
        ));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = RealFileSystem.open(&path("db"), OpenMode::Create).unwrap();
    let options = PageFileOptions {
        safe_copies: path("safe-copies"),
        direct: false,
        ..options(8192)
    };
    testing::page_store(&PageFile::open(&RealFileSystem, file, options).unwrap().0);
}
