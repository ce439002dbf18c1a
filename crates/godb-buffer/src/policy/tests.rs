//! What each policy keeps and what it lets go.

use super::{EvictionKind, Frames};
use godb_page::PageId;
use std::cell::Cell;

pub(super) fn page(number: usize) -> PageId {
    PageId::from_raw(u32::try_from(number).unwrap())
}

/// Frames that are all evictable, with the marks that a test sets.
pub(super) struct Marks(Vec<(Cell<u32>, Cell<bool>)>);

impl Marks {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| (Cell::new(0), Cell::new(false))).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Another page, brought in at this tick.
    pub(super) fn begin(&self, frame: usize, tick: u32) {
        self.0[frame].0.set(tick);
        self.0[frame].1.set(false);
    }

    pub(super) fn touch(&self, frame: usize, tick: u32) {
        self.0[frame].0.set(tick);
        self.0[frame].1.set(true);
    }
}

impl Frames for Marks {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn evictable(&self, _frame: usize) -> bool {
        true
    }

    fn last_used(&self, frame: usize) -> u32 {
        self.0[frame].0.get()
    }

    fn take_used(&self, frame: usize) -> bool {
        self.0[frame].1.replace(false)
    }
}

#[test]
fn clock_gives_a_second_chance() {
    let marks = Marks::new(3);
    let mut clock = EvictionKind::Clock.build(3);
    marks.touch(0, 1);
    assert_eq!(
        clock.victims(&marks, 1),
        [1],
        "0 was used, so the hand passes it once"
    );
    assert_eq!(clock.victims(&marks, 1), [2]);
    assert_eq!(clock.victims(&marks, 1), [0], "and takes it the next time");
}

#[test]
fn lru_lets_the_oldest_use_go() {
    let marks = Marks::new(3);
    for (frame, tick) in [(0, 5), (1, 3), (2, 4)] {
        marks.touch(frame, tick);
    }
    assert_eq!(EvictionKind::Lru.build(3).victims(&marks, 2), [1, 2]);
}

#[test]
fn lru_k_keeps_the_hot_set_through_a_scan() {
    let marks = Marks::new(4);
    let mut policy = EvictionKind::LruK.build(4);
    for frame in 0..4 {
        policy.loaded(frame, page(frame), 1);
        marks.touch(frame, 1);
    }
    policy.victims(&marks, 1);
    marks.touch(0, 2);
    policy.victims(&marks, 1);
    for frame in 1..4 {
        policy.loaded(frame, page(frame + 100), 10);
        marks.touch(frame, 10);
    }
    assert_eq!(
        policy.victims(&marks, 3),
        [1, 2, 3],
        "0 was used twice; the scan's pages once, though later"
    );
}

#[test]
fn every_policy_finds_every_frame_in_the_end() {
    for kind in EvictionKind::ALL {
        let marks = Marks::new(100);
        let mut policy = kind.build(100);
        for frame in 0..100 {
            policy.loaded(frame, page(frame), 1);
            marks.begin(frame, 1);
        }
        let mut found = std::collections::BTreeSet::new();
        for round in 1..200_u32 {
            for frame in policy.victims(&marks, 5) {
                found.insert(frame);
                policy.loaded(frame, page(frame), round);
                marks.touch(frame, round);
            }
        }
        assert_eq!(found.len(), 100, "{kind:?}");
    }
}

#[test]
fn lru_k_lets_go_of_a_hot_set_that_grew_cold() {
    let marks = Marks::new(4);
    let mut policy = EvictionKind::LruK.build(4);
    for frame in 0..4 {
        policy.loaded(frame, page(frame), 1);
        marks.touch(frame, 1);
    }
    policy.victims(&marks, 1);
    (0..3).for_each(|frame| marks.touch(frame, 2));
    assert_eq!(policy.victims(&marks, 1), [3], "the others were used twice");
    policy.loaded(3, page(33), 20);
    marks.touch(3, 20);
    assert_eq!(
        policy.victims(&marks, 3),
        [0, 1, 2],
        "nobody wanted those while sixteen pages came in"
    );
}

#[test]
fn every_policy_conforms() {
    for kind in EvictionKind::ALL {
        crate::testing::eviction_policy(|frames| kind.build(frames));
    }
}

#[test]
fn s3_fifo_takes_a_page_that_comes_back_into_its_main_queue() {
    let marks = Marks::new(10);
    let mut policy = EvictionKind::S3Fifo.build(10);
    (0..10).for_each(|frame| policy.loaded(frame, page(frame), 1));
    assert_eq!(policy.victims(&marks, 1), [0], "the first that came");
    policy.loaded(0, page(50), 2);
    assert_eq!(policy.victims(&marks, 1), [1]);
    policy.loaded(1, page(0), 3);
    for (frame, scanned) in (2..10).chain([0]).zip(60..) {
        assert_eq!(policy.victims(&marks, 1), [frame], "page 0 is in the main queue");
        policy.loaded(frame, page(scanned), 4);
    }
    assert_eq!(policy.victims(&marks, 1), [2], "and stays while a scan goes by");
}

#[test]
fn s3_fifo_offers_a_victim_again_that_was_not_taken() {
    let marks = Marks::new(10);
    let mut policy = EvictionKind::S3Fifo.build(10);
    (0..10).for_each(|frame| policy.loaded(frame, page(frame), 1));
    assert_eq!(policy.victims(&marks, 2), [0, 1]);
    policy.loaded(0, page(70), 2);
    assert_eq!(policy.victims(&marks, 2), [1, 2], "0 has another page");
}
