//! The edges of the log's files: sizes that do not fit, directories that hold something else, and log files with arbitrary bytes in them under right checksums.

use super::open::{check_sizes, parent};
use super::tests::{change, commit, create, memory, open, options};
use super::*;
use godb_btree::{OpenMode, Operations, SimulatedDisk};

const DIR: &str = "db-wal";

#[test]
fn blocks_and_segments_must_fit_each_other() {
    let sizes = |block_size, segment_size| LogOptions {
        block_size,
        segment_size,
        ..options()
    };
    for (block, segment) in [(512, 2048), (4096, 1 << 20), (65536, 4 * 65536)] {
        assert_eq!(
            check_sizes(DIR, &sizes(block, segment)).ok(),
            usize::try_from(block).ok()
        );
    }
    for (block, segment) in [
        (256, 1 << 20),
        (768, 768 * 8),
        (131_072, 1 << 20),
        (512, 2048 - 512),
        (512, 2048 + 100),
    ] {
        assert!(
            check_sizes(DIR, &sizes(block, segment)).is_err(),
            "{block} {segment}"
        );
    }
}

#[test]
fn the_directory_above_is_found() {
    for (path, above) in [("a/b/c", "a/b"), ("/a", "/"), ("/a/b", "/a"), ("a", "")] {
        assert_eq!(parent(path), above);
    }
}

#[test]
fn what_an_interrupted_creation_left_is_removed_and_other_files_stay() {
    let fs = memory();
    fs.create_dir(DIR).unwrap();
    for name in ["control", "rewrite.tmp", "00000007.log", "letter.txt"] {
        fs.open(&format!("{DIR}/{name}"), OpenMode::Create).unwrap();
    }
    let log = create(&fs, &options());
    let at = commit(&log, 1);
    log.wait_synced(at).unwrap();
    let names = fs.list(DIR).unwrap();
    assert!(names.contains(&"letter.txt".to_owned()));
    assert!(!names.contains(&"rewrite.tmp".to_owned()));
    assert!(!names.contains(&"00000007.log".to_owned()));
    drop(log);
    fs.open(&format!("{DIR}/safe"), OpenMode::Create).unwrap();
    remove_log(&*fs, DIR, options().database_id, &["safe"]).unwrap();
    assert_eq!(fs.list(DIR).unwrap(), ["letter.txt"]);
}

#[test]
fn closing_makes_everything_durable_in_every_mode() {
    for mode in [SyncMode::Full, SyncMode::Normal, SyncMode::Off] {
        let fs = memory();
        let log = create(&fs, &LogOptions { mode, ..options() });
        change(&log, 1, &[7; 300]);
        let last = commit(&log, 1);
        log.close().unwrap();
        assert!(log.syncs.reached() > last.raw());
        drop(log);
        let log = open(&fs, &options()).unwrap();
        assert!(
            log.records(last)
                .next()
                .is_some_and(|found| found.unwrap().0 == last)
        );
    }
}

#[test]
fn the_check_counts_what_is_whole_and_names_what_is_not() {
    let fs = memory();
    let log = create(&fs, &options());
    for by in 1..40 {
        change(&log, by, &[7; 100]);
        commit(&log, by);
    }
    log.close().unwrap();
    let whole = log.check().unwrap();
    assert_eq!((whole.records, whole.findings.len()), (78, 0));
    assert!(whole.bytes > 39 * 100 && whole.bytes <= log.end().raw());
    let control = fs.open(&format!("{DIR}/control"), OpenMode::Existing).unwrap();
    control.write_at(20, b"rot").unwrap();
    let damaged = log.check().unwrap();
    assert_eq!((damaged.records, damaged.findings.len()), (78, 1));
    assert_eq!(control_flaws(&*fs, DIR).unwrap().len(), 1);
}

/// A generator of numbers that needs nothing else (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
}

#[test]
fn forged_blocks_are_read_or_refused_but_nothing_panics() {
    let fs = memory();
    let log = create(&fs, &options());
    for by in 1..60 {
        change(&log, by, &vec![7; usize::try_from(by * 31 % 700).unwrap()]);
        commit(&log, by);
    }
    log.close().unwrap();
    drop(log);
    let names: Vec<String> = fs.list(DIR).unwrap();
    let read = |name: &String| {
        let file = fs.open(&format!("{DIR}/{name}"), OpenMode::ReadOnly).unwrap();
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_at(0, &mut bytes).unwrap();
        bytes
    };
    let originals: Vec<Vec<u8>> = names.iter().map(read).collect();
    let mut numbers = Numbers(0x9E37_79B9);
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..3000 {
        let copy = memory();
        copy.create_dir(DIR).unwrap();
        for (name, original) in names.iter().zip(&originals) {
            let mut bytes = original.clone();
            for _ in 0..numbers.below(3) {
                forge(&mut bytes, &mut numbers);
            }
            let file = copy.open(&format!("{DIR}/{name}"), OpenMode::Create).unwrap();
            file.write_at(0, &bytes).unwrap();
        }
        match open(&copy, &options()) {
            Ok(log) => {
                opened += 1;
                for record in log.records(Lsn::default()) {
                    if record.is_err() {
                        break;
                    }
                }
            }
            Err(Fault::Corrupt { .. } | Fault::Unusable { .. }) => refused += 1,
            Err(other) => panic!("a forged log is reported as {other}"),
        }
    }
    assert!(
        opened > 100 && refused > 100,
        "{opened} opened, {refused} refused"
    );
}

/// Changes a few bytes of a used block, or of a control slot, and makes its checksum right again.
fn forge(bytes: &mut [u8], numbers: &mut Numbers) {
    let block = numbers.below(bytes.len() / 512) * 512;
    let block = &mut bytes[block..block + 512];
    if block.iter().all(|byte| *byte == 0) {
        return;
    }
    for _ in 0..=numbers.below(3) {
        let reach = [120, 508][numbers.below(2)];
        let at = 4 + numbers.below(reach);
        block[at] = [0, 1, 127, 255, block[at] ^ 1][numbers.below(5)];
    }
    let sum = crc32fast::hash(&block[4..]).to_le_bytes();
    block[..4].copy_from_slice(&sum);
}

#[test]
fn opening_writes_anew_what_is_in_doubt_and_nothing_else() {
    let changes = |commits: u64| {
        let fs = SimulatedDisk::new();
        let files: Arc<dyn FileSystem> = Arc::new(fs.clone());
        let env = Environment::simulated(1);
        let log = Log::create(&files, DIR, &options(), &env).unwrap();
        for by in 1..=commits {
            change(&log, by, &[9; 300]);
            log.acknowledge(commit(&log, by)).unwrap();
        }
        let segments = log.end().raw() / options().segment_size;
        drop(log);
        let before = fs.count(Operations::CHANGES);
        Log::open(&files, DIR, &options(), &env).unwrap();
        (segments, fs.count(Operations::CHANGES) - before)
    };
    let (few, short) = changes(10);
    let (many, long) = changes(400);
    assert!(many > 4 * (few + 1), "{few} and {many} segments");
    assert!(
        long <= short + 20,
        "{short} operations for {few} segments, {long} for {many}"
    );
}

#[test]
fn the_length_is_what_recovery_would_read() {
    let log = create(&memory(), &options());
    let empty = log.length();
    for by in 1..=30 {
        change(&log, by, &[9; 300]);
        log.acknowledge(commit(&log, by)).unwrap();
    }
    assert!(log.length() > empty + 30 * 300);
    let checkpoint = log
        .append_record(&crate::record::Record::Checkpoint(vec![1]))
        .unwrap();
    log.wait_synced(checkpoint).unwrap();
    log.checkpointed(checkpoint, checkpoint).unwrap();
    assert!(log.length() < 1000, "the log before the checkpoint is not read");
}

#[test]
fn the_epoch_of_a_log_is_told_without_opening_it() {
    let fs = memory();
    assert_eq!(log_epoch(&*fs, DIR).unwrap(), None, "there is none");
    let epoch = create(&fs, &options()).epoch();
    assert_eq!(log_epoch(&*fs, DIR).unwrap(), Some(epoch));
    let file = fs.open(&format!("{DIR}/control"), OpenMode::Existing).unwrap();
    file.write_at(0, &[0; 8192]).unwrap();
    assert_eq!(log_epoch(&*fs, DIR).unwrap(), None, "nothing whole says so");
}
