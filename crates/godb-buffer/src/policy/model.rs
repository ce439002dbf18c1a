//! Each policy beside a plain model of it, written from its paper: the same pages are asked for, and the same ones must be in memory.

use super::tests::{Marks, page};
use super::{EvictionKind, EvictionPolicy};
use proptest::prelude::*;
use std::collections::{HashMap, VecDeque};

/// What a paper describes: a cache of pages that is asked for one after the other.
trait Model {
    /// Asks for a page; tells whether it was there.
    fn ask(&mut self, page: usize) -> bool;
}

/// The policy at work in a pool of a few frames, each use marked at once.
struct Pool {
    policy: Box<dyn EvictionPolicy>,
    marks: Marks,
    frames: HashMap<usize, usize>,
    tick: u32,
}

impl Pool {
    fn new(kind: EvictionKind, count: usize) -> Self {
        Self {
            policy: kind.build(count),
            marks: Marks::new(count),
            frames: HashMap::new(),
            tick: 0,
        }
    }

    fn frame_for_another(&mut self) -> usize {
        if self.frames.len() < self.marks.len() {
            return self.frames.len();
        }
        let victims = self.policy.victims(&self.marks, 1);
        assert_eq!(victims.len(), 1);
        self.frames.retain(|_, frame| *frame != victims[0]);
        victims[0]
    }
}

impl Model for Pool {
    fn ask(&mut self, wanted: usize) -> bool {
        self.tick += 1;
        if let Some(frame) = self.frames.get(&wanted) {
            self.marks.touch(*frame, self.tick);
            return true;
        }
        let frame = self.frame_for_another();
        self.frames.insert(wanted, frame);
        self.marks.begin(frame, self.tick);
        self.policy.loaded(frame, page(wanted), self.tick);
        false
    }
}

/// Corbató's clock: pages in a ring, each with a bit.
struct ClockModel {
    ring: Vec<(usize, bool)>,
    hand: usize,
    room: usize,
}

impl Model for ClockModel {
    fn ask(&mut self, page: usize) -> bool {
        if let Some(there) = self.ring.iter_mut().find(|(there, _)| *there == page) {
            there.1 = true;
            return true;
        }
        if self.ring.len() < self.room {
            self.ring.push((page, false));
            return false;
        }
        while std::mem::take(&mut self.ring[self.hand].1) {
            self.hand = (self.hand + 1) % self.room;
        }
        self.ring[self.hand].0 = page;
        self.hand = (self.hand + 1) % self.room;
        false
    }
}

/// A list, the page used last in front.
struct LruModel {
    list: Vec<usize>,
    room: usize,
}

impl Model for LruModel {
    fn ask(&mut self, page: usize) -> bool {
        let before = self.list.iter().position(|there| *there == page);
        if let Some(at) = before {
            self.list.remove(at);
        } else if self.list.len() == self.room {
            self.list.pop();
        }
        self.list.insert(0, page);
        before.is_some()
    }
}

/// All uses of each page in memory. Those between two evictions are one use, the last of them, and uses before a long absence do not count.
struct LruKModel {
    uses: HashMap<usize, Vec<u32>>,
    since: Vec<usize>,
    now: u32,
    brought_in: u32,
    room: usize,
}

impl LruKModel {
    fn victim(&self) -> usize {
        let stale = 4 * u32::try_from(self.room).unwrap();
        let rank = |uses: &[u32]| {
            let last = uses[uses.len() - 1];
            let second = uses.len().checked_sub(2).map(|at| uses[at]);
            let lately = self.brought_in.wrapping_sub(last) < stale;
            (second.filter(|_| lately), last)
        };
        let (page, _) = self.uses.iter().min_by_key(|(_, uses)| rank(uses)).unwrap();
        *page
    }
}

impl Model for LruKModel {
    fn ask(&mut self, page: usize) -> bool {
        self.now += 1;
        if let Some(uses) = self.uses.get_mut(&page) {
            if self.since.contains(&page) {
                uses.pop();
            }
            uses.push(self.now);
            self.since.push(page);
            return true;
        }
        if self.uses.len() == self.room {
            self.since.clear();
            let victim = self.victim();
            self.uses.remove(&victim);
        }
        self.uses.insert(page, vec![self.now]);
        self.brought_in = self.now;
        false
    }
}

/// The three queues of Algorithm 1 of the paper, with one bit for a count.
struct S3FifoModel {
    small: VecDeque<(usize, bool)>,
    main: VecDeque<(usize, bool)>,
    ghosts: Vec<usize>,
    room: usize,
}

impl S3FifoModel {
    fn small_size(&self) -> usize {
        (self.room / 10).max(1)
    }

    fn evict(&mut self) {
        loop {
            if self.small.len() >= self.small_size() || self.main.is_empty() {
                let (page, used) = self.small.pop_front().unwrap();
                if used {
                    self.main.push_back((page, false));
                    continue;
                }
                self.ghosts.push(page);
                if self.ghosts.len() > self.room - self.small_size() {
                    self.ghosts.remove(0);
                }
                return;
            }
            match self.main.pop_front().unwrap() {
                (page, true) => self.main.push_back((page, false)),
                (_, false) => return,
            }
        }
    }
}

impl Model for S3FifoModel {
    fn ask(&mut self, page: usize) -> bool {
        let mut all = self.small.iter_mut().chain(&mut self.main);
        if let Some(there) = all.find(|(there, _)| *there == page) {
            there.1 = true;
            return true;
        }
        if self.small.len() + self.main.len() == self.room {
            self.evict();
        }
        match self.ghosts.iter().position(|ghost| *ghost == page) {
            Some(at) => {
                self.ghosts.remove(at);
                self.main.push_back((page, false));
            }
            None => self.small.push_back((page, false)),
        }
        false
    }
}

fn model(kind: EvictionKind, room: usize) -> Box<dyn Model> {
    match kind {
        EvictionKind::Clock => Box::new(ClockModel {
            ring: Vec::new(),
            hand: 0,
            room,
        }),
        EvictionKind::Lru => Box::new(LruModel {
            list: Vec::new(),
            room,
        }),
        EvictionKind::LruK => Box::new(LruKModel {
            uses: HashMap::new(),
            since: Vec::new(),
            now: 0,
            brought_in: 0,
            room,
        }),
        EvictionKind::S3Fifo => Box::new(S3FifoModel {
            small: VecDeque::new(),
            main: VecDeque::new(),
            ghosts: Vec::new(),
            room,
        }),
    }
}

/// Pages as they are asked for: hot ones, any, and runs like a scan's.
fn asked() -> impl Strategy<Value = Vec<usize>> {
    let some = prop_oneof![
        4 => (0..6_usize).prop_map(|page| vec![page]),
        3 => (0..60_usize).prop_map(|page| vec![page]),
        1 => (0..200_usize, 1..40_usize).prop_map(|(from, count)| (from..from + count).collect()),
    ];
    prop::collection::vec(some, 1..150).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_policy_is_what_its_paper_says(asked in asked(), room in 2..40_usize) {
        for kind in EvictionKind::ALL {
            let mut pool = Pool::new(kind, room);
            let mut model = model(kind, room);
            for (at, page) in asked.iter().enumerate() {
                prop_assert_eq!(pool.ask(*page), model.ask(*page), "{}: page {}, asked for as number {}", kind, page, at);
            }
        }
    }
}
