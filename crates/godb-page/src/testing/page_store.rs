//! What every [`PageStore`] must do.

use crate::fault::Fault;
use crate::ids::{Lsn, PageId};
use crate::page::header;
use crate::store::PageStore;

/// The first page that the suite uses: those before may be the file's header.
const FIRST: u32 = 2;

/// Checks an empty store.
///
/// # Panics
/// When the store breaks a promise.
pub fn page_store(store: &impl PageStore) {
    let size = store.page_size();
    assert!(size.is_power_of_two() && (4096..=65536).contains(&size));
    store.resize(FIRST + 40).expect("there is room");
    assert!(store.page_count() >= FIRST + 40);
    never_written(store);
    batches_come_back(store);
    resizing(store);
    store.will_need(PageId::from_raw(FIRST), 8);
    store.sync().expect("syncing works");
}

fn page(store: &impl PageStore, byte: u8, lsn: u64) -> Vec<u8> {
    let mut page = vec![byte; store.page_size()];
    page[..header::LEN].fill(0);
    header::set_lsn(&mut page, Lsn::from_raw(lsn));
    page
}

fn never_written(store: &impl PageStore) {
    let mut bytes = vec![0; store.page_size()];
    for id in [FIRST, FIRST + 39, FIRST + 1000, u32::MAX] {
        let read = store.read(PageId::from_raw(id), &mut bytes);
        assert!(
            matches!(read, Err(Fault::Corrupt { .. })),
            "a page never written is no page"
        );
    }
}

fn batches_come_back(store: &impl PageStore) {
    let all: Vec<u32> = (FIRST..FIRST + 40).collect();
    for (round, ids) in (1_u8..).zip([&all[..], &all[3..4], &all[10..30], &[]]) {
        let mut pages: Vec<Vec<u8>> = ids.iter().map(|_| page(store, round, u64::from(round))).collect();
        let mut batch: Vec<(PageId, &mut [u8])> = ids
            .iter()
            .zip(&mut pages)
            .map(|(id, page)| (PageId::from_raw(*id), &mut **page))
            .collect();
        store.write(&mut batch).expect("writing works");
        for id in ids {
            let mut bytes = vec![0; store.page_size()];
            store
                .read(PageId::from_raw(*id), &mut bytes)
                .expect("a written page can be read");
            assert_eq!(header::page_id(&bytes).raw(), *id, "it was sealed");
            assert_eq!(header::database_id(&bytes), store.database_id());
            assert_eq!(header::lsn(&bytes).raw(), u64::from(round));
            assert!(bytes[header::LEN..].iter().all(|byte| *byte == round));
        }
    }
}

fn resizing(store: &impl PageStore) {
    let mut bytes = vec![0; store.page_size()];
    let count = store.page_count();
    store.resize(count + 10).expect("there is room");
    assert_eq!(store.page_count(), count + 10);
    store
        .read(PageId::from_raw(FIRST), &mut bytes)
        .expect("growing keeps what is there");
    store.resize(FIRST + 5).expect("a store can shrink");
    assert_eq!(store.page_count(), FIRST + 5);
    store
        .read(PageId::from_raw(FIRST + 4), &mut bytes)
        .expect("shrinking keeps what is left");
    assert!(store.read(PageId::from_raw(FIRST + 5), &mut bytes).is_err());
    store.resize(FIRST + 40).expect("there is room");
    assert!(
        store.read(PageId::from_raw(FIRST + 5), &mut bytes).is_err(),
        "old bytes do not come back"
    );
}
