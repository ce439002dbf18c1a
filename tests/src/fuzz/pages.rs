//! Pages of any content in a file of trees, and headers of any content.
//!
//! A sound file of a few dozen pages is made once. An input replaces one of its pages, which is sealed again. What the check of the trees then passes must be sound in every way of
//! looking at it: forwards, backwards, by key, by salvage; and it must stay sound when rows are put and removed. What it does not pass must be refused without a panic.

use super::reader::{Reader, lay_over};
use godb_btree::{BTree, NoJournal, Range, Redone, Tree, Value, Wreck};
use godb_buffer::{
    DatabaseId, EvictionKind, Fault, FileSystem, MemoryFileSystem, MemoryPageStore, NoLog, OpenMode, PageId,
    PageStore, Pool, TreeId, TxnId,
};
use godb_page::{FileHeader, page::header};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

/// Bytes in a page.
pub(super) const PAGE: usize = 4096;
const DATABASE: DatabaseId = DatabaseId::from_bytes([7; 16]);
const ME: TxnId = TxnId::from_raw(1);
const FRAMES: usize = 64;
/// The first pages are the file header's.
const FIRST: usize = 2;
/// The most of a value that is read.
const LONGEST_VALUE: u64 = 1 << 16;

type Forest = BTree<Pool<MemoryPageStore>>;
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The pages of a sound file, from page 2 on.
fn sound() -> &'static [Vec<u8>] {
    static PAGES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    PAGES.get_or_init(|| grow().expect("a sound file can be made"))
}

/// A tree of two levels with long keys, one with a chain, freed pages, an empty tree.
fn grow() -> Result<Vec<Vec<u8>>, Fault> {
    let forest: Forest = BTree::create(
        pool(MemoryPageStore::new(PAGE, DATABASE)),
        Arc::new(NoJournal::default()),
    )?;
    let trees = [forest.create(ME)?, forest.create(ME)?, forest.create(ME)?];
    for number in 0..220_u32 {
        let key = format!("the same beginning {number:05}");
        forest.put(ME, trees[0], key.as_bytes(), Value::inline(&[1; 40]))?;
        forest.put(ME, trees[1], &number.to_be_bytes(), Value::inline(&[2; 20]))?;
    }
    let chain = forest.write_chain(ME, trees[1], &mut &[3; 9000][..], LONGEST_VALUE)?;
    let long = Value {
        inline: b"and more",
        chain: Some(chain),
    };
    forest.put(ME, trees[1], b"long", long)?;
    for number in 20..90_u32 {
        forest.remove(ME, trees[1], &number.to_be_bytes())?;
    }
    forest.flush()?;
    let store = forest.pages().store();
    let page = |id| {
        let mut bytes = vec![0; PAGE];
        // Pages that were never written are left as zeros.
        match store.read(PageId::from_raw(id), &mut bytes) {
            Ok(()) | Err(Fault::Corrupt { .. }) => Ok(bytes),
            Err(fault) => Err(fault),
        }
    };
    (2..store.page_count()).map(page).collect()
}

fn pool(store: MemoryPageStore) -> Arc<Pool<MemoryPageStore>> {
    Arc::new(Pool::new(store, Arc::new(NoLog), FRAMES, EvictionKind::default()))
}

/// The sound file with one page replaced.
fn store(number: usize, bytes: &[u8]) -> MemoryPageStore {
    let store = MemoryPageStore::new(PAGE, DATABASE);
    for (at, page) in sound().iter().enumerate() {
        let mut page = page.clone();
        if at == number {
            // Checksum and page number are those of the place.
            lay_over(&mut page[8..], bytes);
        }
        let id = PageId::from_raw(u32::try_from(at + FIRST).expect("there are few pages"));
        store.write(&mut [(id, &mut page)]).expect("memory takes pages");
    }
    store
}

/// Damage is what may come out; anything else is wrong.
fn damage<T>(result: Result<T, Fault>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Fault::Corrupt { .. } | Fault::Full { .. } | Fault::TooLarge { .. }) => None,
        Err(fault) => panic!("the fault is not damage: {fault}"),
    }
}

/// The input: which page, and its bytes behind its number.
pub(super) fn page(data: &[u8]) {
    let mut input = Reader(data);
    let number = input.choose(sound().len());
    let forest: Forest = BTree::open(pool(store(number, input.0)), Arc::new(NoJournal::default()));
    let check = damage(forest.check());
    let clean = check.is_some_and(|check| check.findings.is_empty() && check.reached_everything());
    let trees = damage(forest.trees());
    assert!(
        !clean || trees.is_some(),
        "the check passes a directory that cannot be read"
    );
    let mut seen = Vec::new();
    for tree in trees.unwrap_or_default() {
        let forward = damage(scan(&forest, tree, false));
        let backward = damage(scan(&forest, tree, true));
        if clean {
            agree(&forest, tree, &forward, backward);
            seen.push((tree, forward.unwrap_or_default()));
        }
    }
    salvage(number, input.0, clean, &seen);
    change(&forest, clean);
}

fn scan(forest: &Forest, tree: TreeId, backward: bool) -> Result<Rows, Fault> {
    let range = Range {
        backward,
        ..Range::ALL
    };
    let mut cursor = forest.seek(tree, range)?;
    let mut rows = Rows::new();
    let mut chains = Vec::new();
    while forest.next(&mut cursor, |key, value| {
        if let Some(chain) = value.chain {
            chains.push((rows.len(), chain));
        }
        rows.push((key.to_vec(), value.inline.to_vec()));
        ControlFlow::Continue(())
    })? {
        assert!(rows.len() < 10_000, "a scan of a small file does not end");
    }
    for (row, chain) in chains {
        let (mut at, mut hint) = (0, None);
        let mut piece = [0; 1000];
        while at < LONGEST_VALUE {
            let read = forest.read_chain(chain, at, &mut hint, &mut piece)?;
            if read == 0 {
                break;
            }
            rows[row].1.extend_from_slice(&piece[..read]);
            at += read as u64;
        }
    }
    Ok(rows)
}

/// What the check passes reads the same in all ways.
fn agree(forest: &Forest, tree: TreeId, forward: &Option<Rows>, backward: Option<Rows>) {
    let forward = forward
        .as_ref()
        .expect("the check passes a tree that cannot be read");
    let mut backward = backward.expect("the check passes a tree that cannot be read backwards");
    backward.reverse();
    assert!(*forward == backward, "forwards and backwards are different trees");
    assert!(forward.is_sorted_by(|a, b| a.0 < b.0), "keys are not in order");
    for (key, value) in forward.iter().step_by(7) {
        let found = forest.get(tree, key, |found| value.starts_with(found.inline));
        assert!(
            matches!(found, Ok(Some(true))),
            "a row that a scan shows is not found"
        );
    }
}

/// Salvage never panics, and finds in a sound file what is there.
fn salvage(number: usize, bytes: &[u8], clean: bool, seen: &[(TreeId, Rows)]) {
    let Some(wreck) = damage(Wreck::survey(Redone::new(store(number, bytes)))) else {
        return;
    };
    let trees: Vec<TreeId> = wreck.trees().collect();
    for tree in trees {
        let mut rows = Rows::new();
        let shown = wreck.rows(tree, |key, value| {
            let mut bytes = value.inline.to_vec();
            if let Some(chain) = value.chain {
                // A chain that breaks off is an error of the reader.
                let _ =
                    std::io::Read::read_to_end(&mut std::io::Read::take(chain, LONGEST_VALUE), &mut bytes);
            }
            rows.push((key.to_vec(), bytes));
            Ok::<(), Fault>(())
        });
        damage(shown);
        if let Some((_, known)) = seen.iter().find(|(known, _)| *known == tree)
            && clean
        {
            assert!(rows == *known, "salvage finds other rows in a sound tree");
        }
    }
}

/// Writing never panics, and keeps sound what is sound.
fn change(forest: &Forest, clean: bool) {
    let mut refused = false;
    for tree in damage(forest.trees()).unwrap_or_default() {
        for number in 0..30_u32 {
            let key = (number * 7).to_be_bytes();
            refused |= damage(forest.put(ME, tree, &key, Value::inline(&[9; 300]))).is_none();
        }
        for number in 0..25_u32 {
            refused |= damage(forest.remove(ME, tree, &(number * 7).to_be_bytes())).is_none();
        }
        refused |= damage(forest.release(tree, b"long")).is_none();
    }
    refused |= damage(forest.create(ME)).is_none();
    let check = damage(forest.check());
    if clean {
        assert!(!refused, "a sound file refuses changes");
        let check = check.expect("a sound file can be checked");
        assert!(
            check.findings.is_empty(),
            "changes spoilt a sound file: {:?}",
            check.findings
        );
    }
}

/// Each page of the sound file.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pages = (0_u8..).zip(sound());
    pages
        .filter(|(_, page)| header::kind(page).is_some())
        .map(|(number, page)| [&[number], &page[8..]].concat())
        .collect()
}

/// The input: both copies behind their page numbers.
pub(super) fn file_header(data: &[u8]) {
    let files = MemoryFileSystem::default();
    let file = files.open("a.godb", OpenMode::Create).expect("memory has room");
    for copy in 0..2_u32 {
        let mut page = vec![0; PAGE];
        let half = data.len() / 2;
        lay_over(
            &mut page[8..],
            if copy == 0 { &data[..half] } else { &data[half..] },
        );
        let database = header::database_id(&page);
        header::seal(&mut page, PageId::from_raw(copy), database);
        let written = file.write_at(u64::from(copy) * PAGE as u64, &page);
        written.expect("memory has room");
    }
    match FileHeader::read(&*file) {
        Ok(mut header) => {
            // Only a header whose numbers are at their end is not written again.
            if damage(header.write(&*file)).is_some() {
                let again = FileHeader::read(&*file).expect("what was written can be read");
                assert_eq!(again, header);
            }
        }
        Err(Fault::Corrupt { .. } | Fault::Unusable { .. }) => {}
        Err(fault) => panic!("the fault is not damage: {fault}"),
    }
}

/// A new header and one that was used.
pub(super) fn header_seeds() -> Vec<Vec<u8>> {
    let seed = |state: Vec<u8>, clean| {
        let files = MemoryFileSystem::default();
        let file = files.open("a.godb", OpenMode::Create).expect("memory has room");
        let mut header = FileHeader::new(DATABASE, PAGE);
        header.state = state;
        header.clean = clean;
        header.write(&*file).expect("memory has room");
        let mut bytes = vec![0; 2 * PAGE];
        file.read_at(0, &mut bytes).expect("it was written");
        [&bytes[8..300], &bytes[PAGE + 8..PAGE + 300]].concat()
    };
    vec![seed(Vec::new(), false), seed(vec![5; 60], true)]
}
