//! Trees on pages.

mod append;
mod compact;
mod crash;
mod lesson;
mod model;
mod nonsense;
mod spread;
mod threads;

use super::*;
use crate::testing::conform;
use godb_buffer::{DatabaseId, EvictionKind, MemoryPageStore, MemoryPages, NoLog, Pool};

const ME: TxnId = TxnId::from_raw(1);
const DATABASE: DatabaseId = DatabaseId::from_bytes([7; 16]);

fn memory(page_size: usize) -> Arc<MemoryPages> {
    Arc::new(MemoryPages::new(page_size, DATABASE))
}

fn new_tree(page_size: usize, journal: Arc<dyn Journal>) -> BTree<MemoryPages> {
    BTree::create(memory(page_size), journal).unwrap()
}

/// The real pool, as small as it can be.
fn small_pool() -> Arc<Pool<MemoryPageStore>> {
    let store = MemoryPageStore::new(4096, DATABASE);
    Arc::new(Pool::new(store, Arc::new(NoLog), 16, EvictionKind::Lru))
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

fn assert_sound<P: Pages>(tree: &BTree<P>) -> Check {
    let check = tree.check().unwrap();
    assert_eq!(check.findings, []);
    check
}

#[test]
fn it_is_a_tree() {
    conform(|journal| new_tree(4096, journal));
}

#[test]
fn it_is_a_tree_on_the_largest_pages() {
    conform(|journal| new_tree(65536, journal));
}

#[test]
fn it_is_a_tree_in_sixteen_frames() {
    conform(|journal| BTree::create(small_pool(), journal).unwrap());
}
