//! Files on the machine, and who may have them.

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn bytes_come_back_and_the_end_is_told() {
    let folder = folder();
    let name = folder.path().join("f").to_str().unwrap().to_owned();
    assert!(RealFileSystem.open(&name, OpenMode::Existing).is_err());
    let file = RealFileSystem.open(&name, OpenMode::Create).unwrap();
    file.write_at(10, b"hello").unwrap();
    let mut bytes = [9; 20];
    assert_eq!(file.read_at(8, &mut bytes).unwrap(), 7);
    assert_eq!(&bytes[..7], b"\0\0hello");
    file.set_len(100_000).unwrap();
    assert_eq!(file.len().unwrap(), 100_000);
    file.set_len(12).unwrap();
    file.sync().unwrap();
    assert_eq!(file.read_at(10, &mut bytes).unwrap(), 2);
    let reader = RealFileSystem.open(&name, OpenMode::ReadOnly).unwrap();
    assert!(matches!(reader.write_at(0, b"x"), Err(Fault::ReadOnly { .. })));
}

#[test]
fn what_was_written_is_read_past_the_cache_or_through_it() {
    // The second is in memory, where many systems cannot pass by the cache.
    for folder in [Some(folder()), tempfile::tempdir_in("/dev/shm").ok()]
        .into_iter()
        .flatten()
    {
        let name = folder.path().join("f").to_str().unwrap().to_owned();
        let file = RealFileSystem.open(&name, OpenMode::Create).unwrap();
        let Some(direct) = RealFileSystem.open_direct(&name).unwrap() else {
            continue;
        };
        for round in [1, 2] {
            file.write_at(0, &[round; 3 * 4096]).unwrap();
            let mut bytes = vec![0; 5 * 4096];
            let aligned = bytes.as_ptr().align_offset(4096);
            assert_eq!(
                direct.read_at(4096, &mut bytes[aligned..aligned + 8192]).unwrap(),
                8192
            );
            assert!(bytes[aligned..aligned + 8192].iter().all(|byte| *byte == round));
            let mut part = [0; 5];
            assert_eq!(direct.read_at(3 * 4096 - 2, &mut part).unwrap(), 2);
            assert_eq!(part, [round, round, 0, 0, 0]);
        }
        assert!(matches!(direct.write_at(0, b"x"), Err(Fault::ReadOnly { .. })));
        assert!(direct.set_len(0).is_err());
    }
    assert!(RealFileSystem.open_direct("/no/such/file").is_err());
}

#[test]
fn one_owner_at_a_time_whatever_the_file_is_called() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    RealFileSystem.open(&path("a"), OpenMode::Create).unwrap();
    fs::hard_link(path("a"), path("b")).unwrap();
    let lock = RealFileSystem.lock(&path("a")).unwrap();
    assert!(matches!(
        RealFileSystem.lock(&path("b")),
        Err(Fault::InUse { owner: Some(_), .. })
    ));
    drop(lock);
    RealFileSystem.lock(&path("b")).unwrap();
}

#[test]
fn many_may_read_and_nobody_write_meanwhile() {
    let folder = folder();
    let name = folder.path().join("a").to_str().unwrap().to_owned();
    RealFileSystem.open(&name, OpenMode::Create).unwrap();
    let owner = RealFileSystem.lock(&name).unwrap();
    assert!(matches!(
        RealFileSystem.lock_shared(&name),
        Err(Fault::InUse { .. })
    ));
    drop(owner);
    let readers = [(); 3].map(|()| RealFileSystem.lock_shared(&name).unwrap());
    for reader in readers {
        assert!(matches!(RealFileSystem.lock(&name), Err(Fault::InUse { .. })));
        drop(reader);
    }
    RealFileSystem.lock(&name).unwrap();
}

/// Run as a process of its own by the test below: takes the lock, says so, and waits to be killed.
#[test]
fn holder() {
    let Ok(name) = std::env::var("GODB_TEST_HOLDS") else {
        return;
    };
    let _lock = RealFileSystem.lock(&name).unwrap();
    println!("held");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn another_process_is_named_and_its_death_frees_the_lock() {
    use std::io::{BufRead, BufReader};
    let folder = folder();
    let name = folder.path().join("a").to_str().unwrap().to_owned();
    RealFileSystem.open(&name, OpenMode::Create).unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fs::real::tests::holder", "--nocapture"])
        .env("GODB_TEST_HOLDS", &name)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("held")));
    let refused = RealFileSystem.lock(&name).map(drop);
    let expected = Some(child.id());
    assert!(matches!(refused, Err(Fault::InUse { owner, .. }) if owner == expected || owner.is_none()));
    child.kill().unwrap();
    child.wait().unwrap();
    RealFileSystem.lock(&name).unwrap();
}

#[test]
fn a_copy_of_the_descriptor_does_not_keep_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked");
    let file = fs::File::create(&path).unwrap();
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    let metadata = file.metadata().unwrap();
    let identity = (metadata.dev(), metadata.ino());
    assert!(OPEN_HERE.lock().take(&identity, Hold::Owner));
    let _inherited = file.try_clone().unwrap();
    let file = Some(file);
    drop(Held { identity, file });
    assert!(hold(path.to_str().unwrap(), Hold::Owner).is_ok());
}
