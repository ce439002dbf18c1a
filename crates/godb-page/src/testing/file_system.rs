//! What every [`FileSystem`] must do.

use crate::fault::Fault;
use crate::file_system::{File, FileSystem, OpenMode};
use crate::sync::Arc;

/// Checks a file system, in the directory `dir`, which exists and is empty; empty for the top. Leaves it empty.
///
/// # Panics
/// When the file system breaks a promise.
pub fn file_system(fs: &dyn FileSystem, dir: &str) {
    let name = |last: &str| {
        if dir.is_empty() {
            last.to_owned()
        } else {
            format!("{dir}/{last}")
        }
    };
    opens_as_asked(fs, &name("a"));
    positions_and_lengths(fs, &name("a"));
    one_file_through_many_handles(fs, &name("a"));
    names_change(fs, dir, &name);
    directories(fs, dir, &name);
    one_owner(fs, &name("b"));
    fs.unlink(&name("b")).expect("a file can be removed");
    assert!(fs.list(dir).expect("the directory can be listed").is_empty());
}

fn open(fs: &dyn FileSystem, name: &str, mode: OpenMode) -> Arc<dyn File> {
    fs.open(name, mode).expect("the file opens")
}

fn opens_as_asked(fs: &dyn FileSystem, name: &str) {
    for mode in [OpenMode::Existing, OpenMode::ReadOnly] {
        assert!(
            matches!(fs.open(name, mode), Err(Fault::Io { .. })),
            "a missing file is an error"
        );
    }
    assert!(!fs.exists(name).expect("looking works"));
    let file = open(fs, name, OpenMode::Create);
    assert_eq!(file.name(), name);
    assert!(file.is_empty().expect("a new file has a length"));
    assert!(fs.exists(name).expect("looking works"));
    file.write_at(0, b"kept").expect("writing works");
    let again = open(fs, name, OpenMode::Create);
    assert_eq!(
        again.len().expect("it has a length"),
        4,
        "creating keeps what is there"
    );
    let reader = open(fs, name, OpenMode::ReadOnly);
    assert!(matches!(reader.write_at(0, b"x"), Err(Fault::ReadOnly { .. })));
    assert!(matches!(reader.set_len(0), Err(Fault::ReadOnly { .. })));
    again.set_len(0).expect("a file can be emptied");
}

fn positions_and_lengths(fs: &dyn FileSystem, name: &str) {
    let file = open(fs, name, OpenMode::Existing);
    let mut model: Vec<u8> = Vec::new();
    let steps: [(usize, usize); 6] = [(10, 5), (0, 12), (4090, 20), (100_000, 1), (8192, 4096), (3, 0)];
    for (byte, (at, count)) in (1_u8..).zip(steps) {
        file.write_at(at as u64, &vec![byte; count])
            .expect("writing works");
        if count > 0 {
            model.resize(model.len().max(at + count), 0);
        }
        model[at..at + count].fill(byte);
        same(&*file, &model);
    }
    for len in [9000, 20_000, 0, 100] {
        file.set_len(len as u64).expect("resizing works");
        model.resize(len, 0);
        same(&*file, &model);
    }
    file.sync().expect("syncing works");
    file.will_need(0, 50);
    let mut bytes = [7; 10];
    assert_eq!(
        file.read_at(95, &mut bytes).expect("reading works"),
        5,
        "the end is told"
    );
    assert_eq!(
        file.read_at(1 << 40, &mut bytes)
            .expect("reading beyond the end works"),
        0
    );
}

fn same(file: &dyn File, model: &[u8]) {
    let mut bytes = vec![0xEE; model.len() + 7];
    let count = file.read_at(0, &mut bytes).expect("reading works");
    assert_eq!(&bytes[..count], model);
    assert_eq!(file.len().expect("it has a length"), model.len() as u64);
}

fn one_file_through_many_handles(fs: &dyn FileSystem, name: &str) {
    let (one, other) = (
        open(fs, name, OpenMode::Existing),
        open(fs, name, OpenMode::ReadOnly),
    );
    one.write_at(0, b"seen").expect("writing works");
    let mut bytes = [0; 4];
    assert_eq!(other.read_at(0, &mut bytes).expect("reading works"), 4);
    assert_eq!(&bytes, b"seen");
}

fn names_change(fs: &dyn FileSystem, dir: &str, name: &dyn Fn(&str) -> String) {
    let kept = open(fs, &name("a"), OpenMode::Existing);
    open(fs, &name("b"), OpenMode::Create);
    assert_eq!(fs.list(dir).expect("listing works"), ["a", "b"]);
    fs.rename(&name("a"), &name("b")).expect("renaming replaces");
    fs.sync_dir(dir).expect("syncing a directory works");
    assert_eq!(fs.list(dir).expect("listing works"), ["b"]);
    let mut bytes = [0; 4];
    let moved = open(fs, &name("b"), OpenMode::Existing);
    moved.read_at(0, &mut bytes).expect("reading works");
    assert_eq!(&bytes, b"seen", "a rename keeps the bytes");
    kept.write_at(0, b"open")
        .expect("an open file stays open under another name");
    assert!(
        fs.rename(&name("a"), &name("c")).is_err(),
        "a missing file cannot be renamed"
    );
    assert!(fs.unlink(&name("a")).is_err(), "a missing file cannot be removed");
}

fn directories(fs: &dyn FileSystem, dir: &str, name: &dyn Fn(&str) -> String) {
    fs.create_dir(&name("d")).expect("a directory can be made");
    fs.create_dir(&name("d")).expect("one that exists is fine");
    assert!(fs.exists(&name("d")).expect("looking works"));
    assert!(
        fs.open(&name("d"), OpenMode::Existing).is_err(),
        "a directory is no file"
    );
    open(fs, &name("d/x"), OpenMode::Create);
    assert_eq!(fs.list(&name("d")).expect("listing works"), ["x"]);
    assert_eq!(
        fs.list(dir).expect("listing works"),
        ["b", "d"],
        "entries, not what is in them"
    );
    assert!(fs.remove_dir(&name("d")).is_err(), "a directory in use stays");
    fs.unlink(&name("d/x")).expect("a file can be removed");
    fs.sync_dir(&name("d")).expect("syncing a directory works");
    fs.remove_dir(&name("d"))
        .expect("an empty directory can be removed");
    assert!(!fs.exists(&name("d")).expect("looking works"));
}

fn one_owner(fs: &dyn FileSystem, name: &str) {
    let lock = fs.lock(name).expect("a free file can be locked");
    for _ in 0..2 {
        let refused = fs.lock(name);
        let own = Some(std::process::id());
        assert!(
            matches!(refused, Err(Fault::InUse { owner, .. }) if owner == own),
            "the owner is named"
        );
    }
    drop(lock);
    drop(fs.lock(name).expect("a lock that was dropped is free"));
    let reader = fs.lock_shared(name).expect("a free file can be held for reading");
    assert!(
        matches!(fs.lock(name), Err(Fault::InUse { .. })),
        "a reader keeps owners away"
    );
    drop(reader);
    drop(fs.lock(name).expect("when the last reader has gone it is free"));
}
