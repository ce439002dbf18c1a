//! Random work against a sorted map, with small pages, so that every path runs.

use super::*;
use crate::testing::rows;
use crate::{MemoryTree, NoJournal};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Put(u16, usize),
    PutMany(u16, u16),
    Add(u16, u16, u16, usize),
    RemoveMany(u16, u16),
    Remove(u16),
    Chain(u16, usize),
    Release(u16),
    Amend(u16, u16, usize),
    Purge(u16, u16),
    Scan(u16, u16, bool),
    Compact(u8),
    CutOff,
    Recreate,
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0_u16..400;
    prop_oneof![
        6 => (n.clone(), 0_usize..900).prop_map(|(n, length)| Act::Put(n, length)),
        3 => (n.clone(), 0_u16..120).prop_map(|(n, count)| Act::PutMany(n, count)),
        3 => (n.clone(), 0_u16..120, 1_u16..4, 0_usize..900).prop_map(|(n, count, step, length)| Act::Add(n, count, step, length)),
        3 => (n.clone(), 0_u16..200).prop_map(|(n, count)| Act::RemoveMany(n, count)),
        3 => n.clone().prop_map(Act::Remove),
        2 => (n.clone(), 0_usize..20_000).prop_map(|(n, length)| Act::Chain(n, length)),
        2 => n.clone().prop_map(Act::Release),
        3 => (n.clone(), 0_u16..20, 0_usize..20).prop_map(|(n, cut, length)| Act::Amend(n, cut, length)),
        2 => (n.clone(), 1_u16..4).prop_map(|(n, step)| Act::Purge(n, step)),
        3 => (n.clone(), n, any::<bool>()).prop_map(|(from, to, backward)| Act::Scan(from, to, backward)),
        4 => (1_u8..6).prop_map(Act::Compact),
        1 => Just(Act::CutOff),
        1 => Just(Act::Recreate),
    ]
}

/// Keys of very different lengths, in the order of their numbers.
fn key(n: u16) -> Vec<u8> {
    let mut key = format!("k{n:05}").into_bytes();
    key.resize(key.len() + usize::from(n) * 37 % 700, b'.');
    key
}

fn value(n: u16, length: usize) -> Vec<u8> {
    vec![n.to_le_bytes()[0]; length]
}

struct Both<T: Tree> {
    tree: T,
    id: TreeId,
    model: MemoryTree,
    model_id: TreeId,
    compaction: Compaction,
}

impl<T: Tree> Both<T> {
    fn put(&self, n: u16, length: usize) {
        let value = value(n, length);
        self.tree
            .put(ME, self.id, &key(n), Value::inline(&value))
            .unwrap();
        self.model
            .put(ME, self.model_id, &key(n), Value::inline(&value))
            .unwrap();
    }

    /// Replaces a row, the chain of the old one released first.
    fn forget_chain(&self, n: u16) {
        let chained = |value: Value<'_>| value.chain.is_some();
        if self.tree.get(self.id, &key(n), chained).unwrap() == Some(true) {
            self.release(n);
        }
    }

    fn release(&self, n: u16) {
        let released = self.tree.release(self.id, &key(n)).unwrap();
        assert_eq!(released, self.model.release(self.model_id, &key(n)).unwrap());
    }

    fn remove(&self, n: u16) {
        self.forget_chain(n);
        let removed = self.tree.remove(ME, self.id, &key(n)).unwrap();
        assert_eq!(removed, self.model.remove(ME, self.model_id, &key(n)).unwrap());
    }

    fn chain(&self, n: u16, length: usize) {
        self.forget_chain(n);
        let bytes = value(n, length);
        for (tree, id) in [(&self.tree as &dyn Chains, self.id), (&self.model, self.model_id)] {
            tree.store(id, &key(n), &bytes);
        }
    }

    /// Adds every `step`-th of some rows, as one run.
    fn add(&self, from: u16, count: u16, step: u16, length: usize) {
        let keys: Vec<_> = (from..from + count)
            .step_by(step.into())
            .map(|n| (key(n), value(n, length)))
            .collect();
        let rows: Vec<_> = keys
            .iter()
            .map(|(key, value)| Row {
                key,
                value: Value::inline(value),
            })
            .collect();
        let (mut present, mut expected) = (Vec::new(), Vec::new());
        let note = &mut |row| present.push(row);
        self.tree.add(ME, self.id, &rows, note).unwrap();
        let note = &mut |row| expected.push(row);
        self.model.add(ME, self.model_id, &rows, note).unwrap();
        assert_eq!(present, expected);
    }

    /// Lets a value begin differently, as far as it is long enough.
    fn amend(&self, n: u16, cut: u16, length: usize) {
        let head = |old: Value<'_>| {
            Some(NewHead {
                cut: cut.min(u16::try_from(old.inline.len()).unwrap()),
                with: value(n, length).into(),
            })
        };
        let amended = self.tree.amend(ME, self.id, &key(n), head).unwrap();
        if amended != Amended::Full {
            let expected = self.model.amend(ME, self.model_id, &key(n), head).unwrap();
            assert_eq!(amended, expected);
        }
    }

    /// Removes every `step`-th row of a page, but for those with chains.
    fn purge(&self, n: u16, step: u16) {
        let (mut asked, mut dead) = (0, Vec::new());
        let last = self.tree.purge(self.id, &key(n), |key, value| {
            asked += 1;
            let dies = asked % step == 0 && value.chain.is_none();
            dead.extend(dies.then(|| key.to_vec()));
            dies
        });
        let last = last.unwrap();
        assert!(dead.iter().max() <= last.as_ref());
        for key in dead {
            assert!(self.model.release(self.model_id, &key).unwrap());
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Put(n, length) => {
                self.forget_chain(n);
                self.put(n, length);
            }
            Act::PutMany(n, count) => (n..n + count).for_each(|n| {
                self.forget_chain(n);
                self.put(n, 50);
            }),
            Act::Add(n, count, step, length) => self.add(n, count, step, length),
            Act::RemoveMany(n, count) => (n..n + count).for_each(|n| self.remove(n)),
            Act::Remove(n) => self.remove(n),
            Act::Chain(n, length) => self.chain(n, length),
            Act::Release(n) => self.release(n),
            Act::Amend(n, cut, length) => self.amend(n, cut, length),
            Act::Purge(n, step) => self.purge(n, step),
            Act::Scan(from, to, backward) => {
                let (from, to) = (key(from), key(to));
                let range = Range {
                    from: std::ops::Bound::Included(&from),
                    to: std::ops::Bound::Excluded(&to),
                    backward,
                };
                assert_eq!(
                    rows(&self.tree, self.id, range),
                    rows(&self.model, self.model_id, range)
                );
            }
            Act::Compact(steps) => {
                for _ in 0..steps {
                    if !self.tree.compact_some(&mut self.compaction).unwrap() {
                        self.compaction = Compaction::new();
                    }
                }
            }
            Act::CutOff => {
                self.tree.free_end().unwrap();
                self.tree.flush().unwrap();
                assert!(self.tree.cut_free_end().unwrap().is_some());
            }
            Act::Recreate => {
                self.tree.destroy(self.id).unwrap();
                self.model.destroy(self.model_id).unwrap();
                self.id = self.tree.create(ME).unwrap();
                self.model_id = self.model.create(ME).unwrap();
            }
        }
    }
}

/// Storing a value as a chain, and reading it back, on either tree.
trait Chains {
    fn store(&self, id: TreeId, key: &[u8], bytes: &[u8]);
}

impl<T: Tree> Chains for T {
    fn store(&self, id: TreeId, key: &[u8], bytes: &[u8]) {
        let chain = self.write_chain(ME, id, &mut &*bytes, 1 << 30).unwrap();
        let value = Value {
            inline: b"chained",
            chain: Some(chain),
        };
        self.put(ME, id, key, value).unwrap();
        let mut into = vec![0; bytes.len()];
        assert_eq!(
            self.read_chain(chain, 0, &mut None, &mut into).unwrap(),
            bytes.len()
        );
        assert_eq!(into, bytes);
    }
}

fn run<P: Pages>(tree: BTree<P>, acts: &[Act]) {
    let model = MemoryTree::new(Arc::new(NoJournal::default()));
    let (id, model_id) = (tree.create(ME).unwrap(), model.create(ME).unwrap());
    let mut both = Both {
        tree,
        id,
        model,
        model_id,
        compaction: Compaction::new(),
    };
    for act in acts {
        both.act(act);
        if matches!(act, Act::Compact(_) | Act::CutOff) {
            assert_sound(&both.tree);
        }
    }
    compact::compact(&both.tree);
    for backward in [false, true] {
        let range = Range {
            backward,
            ..Range::ALL
        };
        assert_eq!(
            rows(&both.tree, both.id, range),
            rows(&both.model, both.model_id, range)
        );
    }
    let check = assert_sound(&both.tree);
    let pages: u32 = check
        .trees
        .iter()
        .map(|one| one.inner_pages + one.leaf_pages + one.overflow_pages)
        .sum();
    assert_eq!(
        check.allocated_pages,
        pages + 4,
        "every page but the header, meta and map pages is in a tree"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_is_a_sorted_map(acts in prop::collection::vec(act(), 1..120)) {
        run(new_tree(4096, Arc::new(NoJournal::default())), &acts);
    }

    #[test]
    fn a_tree_in_sixteen_frames_is_a_sorted_map(acts in prop::collection::vec(act(), 1..60)) {
        run(BTree::create(small_pool(), Arc::new(NoJournal::default())).unwrap(), &acts);
    }
}
