//! Trees on pages.

use super::*;
use crate::testing::conform;
use godb_buffer::{DatabaseId, MemoryPages};

fn memory(page_size: usize) -> Arc<MemoryPages> {
    Arc::new(MemoryPages::new(page_size, DatabaseId::from_bytes([7; 16])))
}

fn new_tree(page_size: usize, journal: Arc<dyn Journal>) -> BTree<MemoryPages> {
    BTree::create(memory(page_size), journal).unwrap()
}

#[test]
fn it_is_a_tree() {
    conform(|journal| new_tree(4096, journal));
}

#[test]
fn it_is_a_tree_on_the_largest_pages() {
    conform(|journal| new_tree(65536, journal));
}
