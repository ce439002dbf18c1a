//! Conformance suite: what every [`Pages`] must do.
//!
//! Call [`pages`] from a test of an implementation of your own. It panics at the first broken promise. What every [`EvictionPolicy`](crate::EvictionPolicy) must do is
//! in [`eviction_policy`].

mod policy;

pub use policy::eviction_policy;

use crate::pages::{PageWrite, Pages};
use godb_page::page::header;
use godb_page::{Fault, Lsn, PageId};
use std::sync::atomic::{AtomicU64, Ordering};

/// Pages that the suite uses, and some more: more than the sixteen frames that a small pool has.
const PAGES: u32 = 60;

/// Checks an implementation. `make` gives an empty one, with room for at least six held pages.
///
/// # Panics
/// When the implementation breaks a promise.
pub fn pages<P: Pages>(make: impl Fn() -> P) {
    absent_pages_are_errors(&make());
    fresh_pages_are_blank(&make());
    changes_stay(&make());
    a_fresh_page_given_up_is_not_a_page(&make());
    capacity_only_grows(&make());
    floors_cover_what_is_not_durable(&make());
    guards_share_and_exclude(&make());
    glances_wait_for_nothing(&make());
    glances_see_whole_changes(&make());
    threads_lose_no_change(&make());
}

fn id(raw: u32) -> PageId {
    PageId::from_raw(raw)
}

fn lsn(raw: u64) -> Lsn {
    Lsn::from_raw(raw)
}

/// Begins a page afresh, with a number in it.
fn begin<P: Pages>(pages: &P, page: u32, at: u64, number: u64) {
    let mut guard = pages.fresh(id(page)).expect("a page can be begun");
    guard.stamp(lsn(at), lsn(at))[200..208].copy_from_slice(&number.to_le_bytes());
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[200..208].try_into().expect("eight bytes are eight bytes"))
}

fn absent_pages_are_errors<P: Pages>(pages: &P) {
    let _room = pages.admit(2).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    for page in [5, PAGES + 1000, u32::MAX] {
        assert!(
            matches!(pages.read(id(page)), Err(Fault::Corrupt { .. })),
            "page {page} was never written"
        );
        assert!(matches!(pages.write(id(page)), Err(Fault::Corrupt { .. })));
        assert!(matches!(pages.pin(id(page)), Err(Fault::Corrupt { .. })));
        pages.prefetch(id(page));
        pages.discard(id(page));
    }
    begin(pages, 5, 1, 5);
    assert_eq!(number(&pages.read(id(5)).expect("it is there now")), 5);
}

fn fresh_pages_are_blank<P: Pages>(pages: &P) {
    let _room = pages.admit(2).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    begin(pages, 7, 3, u64::MAX);
    let page = pages.fresh(id(7)).expect("a page can be begun again");
    assert_eq!(page.len(), pages.page_size());
    assert!(
        page[header::LEN..].iter().all(|byte| *byte == 0),
        "old bytes are gone"
    );
    assert_eq!(header::page_id(&page), id(7));
    assert_eq!(header::database_id(&page), pages.database_id());
}

fn changes_stay<P: Pages>(pages: &P) {
    let _room = pages.admit(3).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    for round in 1..4 {
        for page in 2..PAGES {
            let at = u64::from(round * 1000 + page);
            if round == 1 {
                begin(pages, page, at, at);
            } else {
                let mut guard = pages.write(id(page)).expect("it is there");
                assert_eq!(number(&guard), at - 1000);
                guard.stamp(lsn(at), lsn(at))[200..208].copy_from_slice(&at.to_le_bytes());
            }
        }
        pages.flush().expect("flushing works");
    }
    for page in 2..PAGES {
        let guard = pages.read(id(page)).expect("it is there");
        assert_eq!(number(&guard), u64::from(3000 + page));
        assert_eq!(
            header::lsn(&guard),
            lsn(u64::from(3000 + page)),
            "stamp sets the LSN"
        );
        assert_eq!(header::page_id(&guard), id(page));
        drop(guard);
        let resident = pages
            .try_read(id(page))
            .expect("no error")
            .expect("it is in memory");
        assert_eq!(number(&resident), u64::from(3000 + page));
        drop(resident);
        assert!(pages.try_write(id(page)).expect("no error").is_some());
    }
}

fn a_fresh_page_given_up_is_not_a_page<P: Pages>(pages: &P) {
    let _room = pages.admit(2).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    drop(pages.fresh(id(9)).expect("a page can be begun"));
    assert!(
        matches!(pages.read(id(9)), Err(Fault::Corrupt { .. })),
        "nobody stamped it"
    );
    begin(pages, 9, 1, 77);
    pages.flush().expect("flushing works");
    begin(pages, 9, 2, 78);
    assert_eq!(number(&pages.read(id(9)).expect("it is there")), 78);
}

fn capacity_only_grows<P: Pages>(pages: &P) {
    godb_page::sync::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for pages_wanted in (1..50).map(|n| n * 4 + thread) {
                    pages.ensure_capacity(pages_wanted).expect("there is room");
                    assert!(pages.capacity() >= pages_wanted);
                }
            });
        }
    });
    assert!(pages.capacity() >= 199);
}

fn floors_cover_what_is_not_durable<P: Pages>(pages: &P) {
    let _room = pages.admit(2).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    assert_eq!(pages.oldest_dirty(), None, "nothing was changed yet");
    for (page, floor) in [(2, 50), (3, 40), (4, 60)] {
        let mut guard = pages.fresh(id(page)).expect("a page can be begun");
        guard.stamp(lsn(floor), lsn(floor + 5));
    }
    assert!(
        pages.oldest_dirty().is_none_or(|oldest| oldest == lsn(40)),
        "the smallest floor, or nothing is ever lost"
    );
    pages.flush().expect("flushing works");
    assert_eq!(pages.oldest_dirty(), None, "all is durable");
}

fn guards_share_and_exclude<P: Pages>(pages: &P) {
    let _room = pages.admit(4).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    begin(pages, 2, 1, 1);
    let pinned = pages.pin(id(2)).expect("it is there");
    let (one, other) = (pages.read(id(2)), pages.read(id(2)));
    let (one, other) = (one.expect("it is there"), other.expect("readers share"));
    assert_eq!(*one, *other);
    drop((one, other));
    let seen = AtomicU64::new(0);
    let mut writer = pages.write(id(2)).expect("it is there");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let page = pages.read(id(2)).expect("it is there");
            assert_eq!(seen.load(Ordering::SeqCst), 1, "a reader waits for the writer");
            number(&page)
        });
        std::thread::yield_now();
        writer.stamp(lsn(9), lsn(9))[200] = 42;
        seen.store(1, Ordering::SeqCst);
        drop(writer);
        assert_eq!(reader.join().expect("the reader does not panic"), 42);
    });
    drop(pinned);
}

fn glances_wait_for_nothing<P: Pages>(pages: &P) {
    let _room = pages.admit(3).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    assert!(pages.glance(id(5)).is_none(), "there is no such page");
    begin(pages, 5, 1, 55);
    let glance = pages.glance(id(5)).expect("it is in memory, and nobody writes");
    assert_eq!(number(&glance), 55);
    assert_eq!(
        number(&pages.read(id(5)).expect("glances do not exclude readers")),
        55
    );
    let again = pages.glance(id(5)).expect("nor each other");
    drop((glance, again));
    let writing = pages.write(id(5)).expect("everybody has gone");
    assert!(pages.glance(id(5)).is_none(), "it may be half changed");
    drop(writing);
    assert!(pages.glance(id(5)).is_some());
}

/// One thread changes two numbers of a page together, others look: they never differ.
fn glances_see_whole_changes<P: Pages>(pages: &P) {
    const CHANGES: u64 = 2000;
    let _room = pages.admit(1).expect("there is room");
    pages.ensure_capacity(PAGES).expect("there is room");
    begin(pages, 5, 1, 0);
    let seen = |glance: &[u8]| (number(glance), number(&glance[8..]));
    godb_page::sync::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while last < CHANGES {
                    let Some(glance) = pages.glance(id(5)) else {
                        std::thread::yield_now();
                        continue;
                    };
                    let (first, second) = seen(&glance);
                    assert!(
                        first == second && first >= last,
                        "{first} and {second} after {last}"
                    );
                    last = first;
                }
            });
        }
        for change in 1..=CHANGES {
            let mut page = pages.write(id(5)).expect("it is there");
            let bytes = page.stamp(lsn(1 + change), lsn(1 + change));
            bytes[200..208].copy_from_slice(&change.to_le_bytes());
            bytes[208..216].copy_from_slice(&change.to_le_bytes());
        }
    });
}

fn threads_lose_no_change<P: Pages>(pages: &P) {
    const ADDED: u64 = 300;
    pages.ensure_capacity(PAGES).expect("there is room");
    for page in 2..PAGES {
        let _room = pages.admit(1).expect("there is room");
        begin(pages, page, 1, 0);
    }
    let log = AtomicU64::new(2);
    godb_page::sync::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..ADDED {
                    let spread = (n * 31 + thread * 7) % u64::from(PAGES - 2);
                    add_one(pages, 2 + u32::try_from(spread).expect("a small number"), log);
                }
            });
        }
    });
    let count = |page| number(&pages.read(id(page)).expect("it is there"));
    assert_eq!((2..PAGES).map(count).sum::<u64>(), 8 * ADDED);
}

/// Adds one to the number in a page, looking at its neighbour too, as a tree does that couples latches.
fn add_one<P: Pages>(pages: &P, page: u32, log: &AtomicU64) {
    let _room = pages.admit(2).expect("there is room");
    if page > 2 {
        drop(pages.read(id(page - 1)).expect("it is there"));
    }
    let _kept = pages.pin(id(page)).expect("it is there");
    let mut guard = pages.write(id(page)).expect("it is there");
    let next = number(&guard) + 1;
    let at = lsn(log.fetch_add(1, Ordering::SeqCst));
    guard.stamp(at, at)[200..208].copy_from_slice(&next.to_le_bytes());
}
