//! What the disk promises to lose, and what it must not.

use super::{Crash, Effect, Injection, Operations, SimulatedDisk, Tear};
use crate::fault::Fault;
use crate::file_system::{File, FileSystem, OpenMode};
use std::sync::Arc;

fn create(disk: &SimulatedDisk, name: &str) -> Arc<dyn File> {
    disk.open(name, OpenMode::Create).unwrap()
}

/// A disk with a durable file of 16 KiB of ones.
fn ones() -> (SimulatedDisk, Arc<dyn File>) {
    let disk = SimulatedDisk::new();
    let file = create(&disk, "f");
    file.write_at(0, &[1; 16384]).unwrap();
    file.sync().unwrap();
    disk.sync_dir("").unwrap();
    (disk, file)
}

/// For each 512-byte sector the value of its bytes; 0xFF where they differ.
fn sectors(disk: &SimulatedDisk) -> Vec<u8> {
    let bytes = disk.bytes("f").unwrap();
    let value = |sector: &[u8]| {
        if sector.iter().all(|byte| *byte == sector[0]) {
            sector[0]
        } else {
            0xFF
        }
    };
    bytes.chunks(512).map(value).collect()
}

#[test]
fn what_was_synced_stays_and_the_rest_is_a_choice() {
    let (disk, file) = ones();
    file.write_at(0, &[2; 8192]).unwrap();
    file.set_len(4096 * 3).unwrap();
    assert_eq!(disk.pending(), 3, "two fragments of 4 KiB and a change of length");
    let after = |crash| {
        sectors(&disk.crash(crash))
            .chunks(8)
            .map(|page| page[0])
            .collect::<Vec<u8>>()
    };
    assert_eq!(after(Crash::KeepNone), [1, 1, 1, 1]);
    assert_eq!(after(Crash::KeepAll), [2, 2, 1]);
    assert_eq!(after(Crash::KeepFirst(1)), [2, 1, 1, 1]);
    assert_eq!(after(Crash::KeepLast(2)), [1, 2, 1]);
    assert_eq!(after(Crash::KeepOnly(2)), [1, 1, 1]);
    assert_eq!(after(Crash::LoseOnly(0)), [1, 2, 1]);
    assert_eq!(after(Crash::KeepMask(0b101)), [2, 1, 1]);
    let seen: std::collections::BTreeSet<Vec<u8>> =
        (0..64).map(|seed| after(Crash::KeepSome { seed })).collect();
    assert_eq!(seen.len(), 8, "every subset turns up");
    assert_eq!(
        after(Crash::KeepSome { seed: 5 }),
        after(Crash::KeepSome { seed: 5 })
    );
    assert_eq!(sectors(&disk)[0], 2, "the disk itself goes on");
}

#[test]
fn a_write_tears_at_any_sector() {
    let (disk, file) = ones();
    file.write_at(4096, &[2; 2048]).unwrap();
    assert_eq!(disk.pending_writes(), [2048]);
    let torn = |part| sectors(&disk.crash(Crash::Tear { write: 0, part }))[8..13].to_vec();
    assert_eq!(torn(Tear::First(1)), [2, 1, 1, 1, 1]);
    assert_eq!(torn(Tear::AllAfter(1)), [1, 2, 2, 2, 1]);
    assert_eq!(torn(Tear::AllBut(2)), [2, 2, 1, 2, 1]);
    assert_eq!(torn(Tear::Garbage(0)), [2 ^ 0x5A, 2, 2, 2, 1]);
}

#[test]
fn names_are_durable_only_with_their_directory() {
    let disk = SimulatedDisk::new();
    disk.create_dir("d").unwrap();
    let file = create(&disk, "d/a");
    file.write_at(0, b"x").unwrap();
    file.sync().unwrap();
    disk.sync_dir("d").unwrap();
    let names = |disk: &SimulatedDisk| disk.files();
    assert!(
        names(&disk.crash(Crash::KeepNone)).is_empty(),
        "the directory itself was lost"
    );
    disk.sync_dir("").unwrap();
    assert_eq!(names(&disk.crash(Crash::KeepNone)), ["d/a"]);
    disk.rename("d/a", "d/b").unwrap();
    create(&disk, "d/c");
    assert_eq!(names(&disk.crash(Crash::KeepNone)), ["d/a"]);
    assert_eq!(names(&disk.crash(Crash::KeepOnly(0))), ["d/b"]);
    assert_eq!(names(&disk.crash(Crash::KeepOnly(1))), ["d/a", "d/c"]);
    disk.sync_dir("d").unwrap();
    disk.unlink("d/b").unwrap();
    assert_eq!(names(&disk.crash(Crash::KeepNone)), ["d/b", "d/c"]);
    assert_eq!(disk.crash(Crash::KeepNone).bytes("d/b").unwrap(), b"x");
}

#[test]
fn a_failed_sync_may_forget() {
    let (disk, file) = ones();
    disk.inject(Injection::once(
        Operations::SYNC,
        1,
        Effect::SyncForgets { seed: None },
    ));
    file.write_at(0, &[2; 4096]).unwrap();
    assert!(matches!(file.sync(), Err(Fault::Io { .. })));
    file.sync().unwrap();
    assert_eq!(sectors(&disk)[0], 2, "reads show it");
    assert_eq!(
        sectors(&disk.crash(Crash::KeepAll))[0],
        1,
        "and it is gone all the same"
    );
}

#[test]
fn injections_hit_the_operation_they_name() {
    let (disk, file) = ones();
    disk.inject(Injection::once(Operations::WRITE, 2, Effect::DiskFull));
    file.write_at(0, b"a").unwrap();
    assert!(matches!(file.write_at(1, b"b"), Err(Fault::Full { .. })));
    file.write_at(1, b"b").unwrap();
    disk.inject(Injection::lasting(Operations::READ, 1, Effect::IoError).on_file("g"));
    let mut byte = [0];
    file.read_at(0, &mut byte).unwrap();
    let other = create(&disk, "g");
    assert!(other.read_at(0, &mut byte).is_err() && other.read_at(0, &mut byte).is_err());
    disk.heal();
    other.read_at(0, &mut byte).unwrap();
    disk.inject(Injection::once(Operations::WRITE, 1, Effect::LoseWrite));
    disk.inject(Injection::once(
        Operations::WRITE,
        2,
        Effect::Misdirect { by: 512 },
    ));
    disk.inject(Injection::once(Operations::WRITE, 3, Effect::FlipBit { bit: 0 }));
    for _ in 0..3 {
        file.write_at(4096, &[8; 512]).unwrap();
    }
    assert_eq!(sectors(&disk)[8..10], [0xFF, 8], "lost, misdirected, flipped");
}

#[test]
fn after_the_power_nothing_works_until_a_crash() {
    let (disk, file) = ones();
    let before = disk.count(Operations::CHANGES);
    disk.inject(Injection::once(Operations::CHANGES, 2, Effect::PowerOff));
    file.write_at(0, b"a").unwrap();
    assert!(file.sync().is_err());
    assert!(file.write_at(0, b"b").is_err() && disk.open("f", OpenMode::Existing).is_err());
    assert!(disk.is_off());
    assert_eq!(disk.count(Operations::CHANGES), before + 2);
    let after = disk.crash(Crash::KeepAll);
    assert_eq!(after.bytes("f").unwrap()[0], b'a');
    after.open("f", OpenMode::Existing).unwrap().sync().unwrap();
}

#[test]
fn a_full_disk_refuses_growth_and_nothing_else() {
    let (disk, file) = ones();
    disk.set_capacity(Some(16384));
    file.write_at(0, &[3; 16384]).unwrap();
    assert!(matches!(file.write_at(16384, b"x"), Err(Fault::Full { .. })));
    assert!(matches!(file.set_len(20000), Err(Fault::Full { .. })));
    disk.set_capacity(None);
    file.set_len(20000).unwrap();
}

#[test]
fn one_lock_and_forks_have_their_own() {
    let (disk, _file) = ones();
    let lock = disk.lock("f").unwrap();
    assert!(matches!(disk.lock("f"), Err(Fault::InUse { .. })));
    disk.fork().lock("f").unwrap();
    disk.crash(Crash::KeepNone).lock("f").unwrap();
    drop(lock);
    disk.lock("f").unwrap();
}

#[test]
fn bits_rot_on_request() {
    let (disk, _file) = ones();
    disk.flip_bit("f", 9).unwrap();
    assert_eq!(disk.bytes("f").unwrap()[..2], [1, 1 ^ 2]);
    assert!(disk.flip_bit("f", 1 << 40).is_err());
    disk.set_bytes("h", b"hello");
    assert_eq!(disk.crash(Crash::KeepNone).bytes("h").unwrap(), b"hello");
}

#[test]
fn an_injection_can_be_about_some_bytes_of_a_file() {
    let disk = SimulatedDisk::new();
    let file = disk.open("a", OpenMode::Create).unwrap();
    file.write_at(0, &[1; 100]).unwrap();
    let bad = Injection::lasting(Operations::READ, 1, Effect::Refused { errno: 5 });
    disk.inject(bad.on_file("a").within(40, 50));
    let mut into = [0; 20];
    for (at, fails) in [(0, false), (20, false), (21, true), (49, true), (50, false)] {
        assert_eq!(file.read_at(at, &mut into).is_err(), fails, "at {at}");
    }
    assert_eq!(disk.struck(), 2);
}

#[test]
fn a_failed_sync_of_a_directory_can_forget_its_names() {
    let disk = SimulatedDisk::new();
    let file = disk.open("a", OpenMode::Create).unwrap();
    file.sync().unwrap();
    disk.inject(Injection::once(
        Operations::SYNC_DIR,
        1,
        Effect::SyncForgets { seed: None },
    ));
    disk.sync_dir("").unwrap_err();
    disk.sync_dir("").unwrap();
    assert!(disk.exists("a").unwrap(), "the system shows it");
    assert!(
        !disk.crash(Crash::KeepAll).exists("a").unwrap(),
        "the medium never heard of it"
    );
}
