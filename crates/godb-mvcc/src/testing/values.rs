//! Keys and values of every size.

use super::*;
use godb_txn::Fault;
use std::io::{Error as ReadError, Read};

/// With others beside.
pub(super) const LESSONS: &[Lesson] = &[
    a_stream_outlives_what_replaces_its_value,
    the_longest_key_has_old_versions,
];

/// With nobody beside.
pub(super) const ALONE: &[Lesson] = &[
    values_of_every_size_come_back,
    streams_come_back_as_streams,
    a_source_that_fails_stores_nothing,
    a_key_can_be_too_long,
    deleting_tells_what_was_there,
    a_long_value_is_replaced_and_removed,
];

const SIZES: [usize; 7] = [0, 1, 100, 3_000, 9_000, 100_000, 1_500_000];

fn bytes(size: usize) -> Vec<u8> {
    let pattern = (0_u8..251).cycle();
    pattern.skip(size % 251).take(size).collect()
}

fn values_of_every_size_come_back(engine: &Engine) {
    let root = engine.root();
    let mut tx = begin(engine);
    for size in SIZES {
        tx.put(root, &size.to_be_bytes(), &bytes(size))
            .expect("it can be put");
    }
    let all_there = |tx: &Tx| {
        for size in SIZES {
            let value = get_in(tx, root, &size.to_be_bytes());
            assert!(value == Some(bytes(size)), "{size} bytes");
        }
    };
    all_there(&tx);
    commit(tx);
    collect(engine);
    all_there(&begin(engine));
}

fn streams_come_back_as_streams(engine: &Engine) {
    let root = engine.root();
    for size in SIZES {
        let mut tx = begin(engine);
        let length = tx.put_reader(root, b"a", &mut &bytes(size)[..]);
        assert_eq!(length.expect("it can be put"), size as u64);
        assert!(read_all(&tx, root) == bytes(size), "its own {size} bytes");
        commit(tx);
        assert!(read_all(&begin(engine), root) == bytes(size), "{size} bytes");
    }
    let absent = begin(engine).get_reader(root, b"b").expect("it can be asked");
    assert!(absent.is_none());
}

fn read_all(tx: &Tx, tree: TreeId) -> Vec<u8> {
    let reader = tx.get_reader(tree, b"a").expect("it can be read");
    let mut bytes = Vec::new();
    reader
        .expect("it is there")
        .read_to_end(&mut bytes)
        .expect("it can be read");
    bytes
}

fn a_stream_outlives_what_replaces_its_value(engine: &Engine) {
    let root = engine.root();
    let mut tx = begin(engine);
    tx.put(root, b"a", &bytes(300_000)).expect("it can be put");
    commit(tx);
    let reader = begin(engine);
    let stream = reader.get_reader(root, b"a").expect("it can be read");
    drop(reader);
    let mut tx = begin(engine);
    tx.put(root, b"a", &bytes(200_000)).expect("it can be put");
    commit(tx);
    collect(engine);
    let mut read = Vec::new();
    let mut stream = stream.expect("it is there");
    stream.read_to_end(&mut read).expect("it can be read");
    assert!(read == bytes(300_000));
}

/// Gives some bytes and then fails.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let got = into.len().min(self.0);
        self.0 -= got;
        match got {
            0 => Err(ReadError::other("the line went dead")),
            got => Ok(got),
        }
    }
}

fn a_source_that_fails_stores_nothing(engine: &Engine) {
    let root = engine.root();
    let mut tx = begin(engine);
    put(&mut tx, engine, "a", "1");
    for size in [0, 100, 100_000] {
        match tx.put_reader(root, b"a", &mut Failing(size)) {
            Err(Error::Source { why }) => assert!(why.contains("dead"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    // The transaction is none the worse for it.
    put(&mut tx, engine, "b", "1");
    commit(tx);
    assert_eq!(rows(&begin(engine), engine), ["a=1", "b=1"]);
}

fn a_key_can_be_too_long(engine: &Engine) {
    let root = engine.root();
    let longest = vec![0; engine.max_key()];
    let longer = vec![0; engine.max_key() + 1];
    let mut tx = begin(engine);
    for value in [&b"1"[..], b"2"] {
        tx.put(root, &longest, value).expect("that long is allowed");
    }
    let refused = tx.put(root, &longer, b"1");
    assert!(
        matches!(refused, Err(Error::Fault(Fault::TooLarge { .. }))),
        "{refused:?}"
    );
    commit(tx);
}

fn the_longest_key_has_old_versions(engine: &Engine) {
    let root = engine.root();
    let longest = vec![0; engine.max_key()];
    let mut tx = begin(engine);
    tx.put(root, &longest, b"2").expect("that long is allowed");
    commit(tx);
    // Replaced, it goes to wherever old versions go.
    let reader = begin(engine);
    let mut tx = begin(engine);
    assert!(tx.delete(root, &longest).expect("it can be deleted"));
    commit(tx);
    assert_eq!(get_in(&reader, root, &longest).as_deref(), Some(&b"2"[..]));
    assert_eq!(get_in(&begin(engine), root, &longest), None);
}

fn deleting_tells_what_was_there(engine: &Engine) {
    store(engine, "a", "1");
    let mut tx = begin(engine);
    assert!(!delete(&mut tx, engine, "b"));
    assert!(delete(&mut tx, engine, "a"));
    assert!(!delete(&mut tx, engine, "a"));
    put(&mut tx, engine, "a", "2");
    assert!(delete(&mut tx, engine, "a"));
    put(&mut tx, engine, "b", "2");
    assert!(delete(&mut tx, engine, "b"));
    commit(tx);
    assert!(rows(&begin(engine), engine).is_empty());
}

fn a_long_value_is_replaced_and_removed(engine: &Engine) {
    let root = engine.root();
    let mut tx = begin(engine);
    for size in [50_000, 60_000] {
        tx.put(root, b"a", &bytes(size)).expect("it can be put");
    }
    let point = tx.savepoint().expect("a point to return to");
    tx.put(root, b"a", b"short").expect("it can be put");
    tx.roll_back_to(point).expect("it goes back");
    assert!(get_in(&tx, root, b"a") == Some(bytes(60_000)));
    commit(tx);
    collect(engine);
    assert!(get_in(&begin(engine), root, b"a") == Some(bytes(60_000)));
    remove(engine, "a");
    collect(engine);
    assert!(rows(&begin(engine), engine).is_empty());
}
