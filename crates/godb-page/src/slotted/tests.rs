//! Pages against a sorted map, and pages full of nonsense.

use super::*;
use crate::page::header::PageKind;
use crate::{PageId, TreeId};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn cell(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut cell = narrow(key.len()).to_le_bytes().to_vec();
    cell.extend_from_slice(key);
    cell.extend_from_slice(payload);
    cell
}

fn empty(size: usize) -> Vec<u8> {
    let mut page = vec![0; size];
    format(&mut page, PageKind::Leaf, 0, TreeId::from_raw(2));
    page
}

#[test]
fn a_page_keeps_its_cells_in_key_order() {
    let mut page = empty(4096);
    for word in ["pear", "apple", "plum", "fig"] {
        let at = Slots::of(&page)
            .unwrap()
            .search(word.as_bytes())
            .unwrap()
            .unwrap_err();
        insert(&mut page, at, &cell(word.as_bytes(), b"fruit")).unwrap();
    }
    let slots = Slots::of(&page).unwrap();
    let keys: Vec<_> = (0..slots.len()).map(|at| slots.key(at).unwrap()).collect();
    assert_eq!(keys, [&b"apple"[..], b"fig", b"pear", b"plum"]);
    assert_eq!(slots.search(b"pear").unwrap(), Ok(2));
    assert_eq!(slots.search(b"pea").unwrap(), Err(2));
    assert_eq!(slots.search(b"pears").unwrap(), Err(3));
    verify(&page).unwrap();
}

#[test]
fn the_spare_link_survives_edits() {
    let mut page = empty(4096);
    set_link(&mut page, PageId::from_raw(77));
    insert(&mut page, 0, &cell(b"a", b"b")).unwrap();
    compact(&mut page).unwrap();
    assert_eq!(link(&page), PageId::from_raw(77));
}

type Change = fn(&mut [u8]) -> Result<(), Damaged>;

#[derive(Clone, Debug)]
enum Act {
    Put(Vec<u8>, usize),
    Remove(usize),
    Keep(usize),
    Compact,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0_u16..300).prop_map(|n| [b"table/".as_slice(), &n.to_be_bytes()].concat()),
        prop::collection::vec(0_u8..3, 0..6),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => (key(), 0_usize..200).prop_map(|(key, length)| Act::Put(key, length)),
        5 => (0_usize..1000).prop_map(Act::Remove),
        1 => (0_usize..100).prop_map(Act::Keep),
        1 => Just(Act::Compact),
    ]
}

fn put(page: &mut [u8], model: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: Vec<u8>, length: usize) {
    let payload = vec![7; length];
    let new = cell(&key, &payload);
    let place = Slots::of(page).unwrap().search(&key).unwrap();
    assert_eq!(place.is_ok(), model.contains_key(&key));
    if !fits(page, new.len(), place.ok()).unwrap() {
        return;
    }
    match place {
        Ok(at) => replace(page, at, &new).unwrap(),
        Err(at) => insert(page, at, &new).unwrap(),
    }
    model.insert(key, payload);
}

proptest! {
    #[test]
    fn a_page_is_a_small_sorted_map(acts in prop::collection::vec(act(), 1..200)) {
        let mut page = empty(4096);
        let mut model = BTreeMap::new();
        for act in acts {
            match act {
                Act::Put(key, length) => put(&mut page, &mut model, key, length),
                Act::Remove(n) if !model.is_empty() => {
                    let key = model.keys().nth(n % model.len()).unwrap().clone();
                    let at = Slots::of(&page).unwrap().search(&key).unwrap().unwrap();
                    remove(&mut page, at).unwrap();
                    model.remove(&key);
                }
                Act::Keep(n) => {
                    let n = n.min(model.len());
                    keep(&mut page, n).unwrap();
                    model = model.into_iter().take(n).collect();
                }
                Act::Compact => compact(&mut page).unwrap(),
                Act::Remove(_) => {}
            }
            verify(&page).unwrap();
            let slots = Slots::of(&page).unwrap();
            prop_assert_eq!(slots.len(), model.len());
            for (at, (key, payload)) in model.iter().enumerate() {
                prop_assert_eq!(slots.cell(at).unwrap(), &cell(key, payload)[..]);
            }
        }
    }

    #[test]
    fn nonsense_is_refused_and_never_a_panic(
        noise in prop::collection::vec((32_usize..4096, any::<u8>()), 1..60),
        key in key(),
    ) {
        let mut page = empty(4096);
        let mut model = BTreeMap::new();
        for n in 0_u16..60 {
            put(&mut page, &mut model, n.to_be_bytes().to_vec(), 30);
        }
        for (at, byte) in noise {
            page[at] = byte;
        }
        let sound = verify(&page).is_ok();
        let before = page.clone();
        let new = cell(&key, &[1; 100]);
        if let Ok(slots) = Slots::of(&page) {
            let found = slots.search(&key);
            let _seen = (0..slots.len()).map(|at| slots.key(at)).filter(Result::is_ok).count();
            if let Ok(Err(at)) = found && fits(&page, new.len(), None) == Ok(true) {
                let done = insert(&mut page, at, &new);
                prop_assert!(done.is_ok() || !sound);
            }
        }
        let changes: [Change; 3] = [|page| remove(page, 3), |page| keep(page, 5), compact];
        for change in changes {
            page.copy_from_slice(&before);
            let done = change(&mut page);
            prop_assert!(done.is_ok() || !sound);
        }
    }
}
