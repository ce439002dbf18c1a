//! What every [`EvictionPolicy`] must do.

use crate::policy::{EvictionPolicy, Frames};
use godb_page::PageId;
use std::cell::Cell;
use std::collections::BTreeSet;

/// A frame, as a pool would know it.
#[derive(Clone, Default)]
struct Frame {
    in_use: Cell<bool>,
    used: Cell<bool>,
    used_at: Cell<u32>,
}

struct Room(Vec<Frame>);

impl Frames for Room {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn evictable(&self, frame: usize) -> bool {
        !self.0[frame].in_use.get()
    }

    fn last_used(&self, frame: usize) -> u32 {
        self.0[frame].used_at.get()
    }

    fn take_used(&self, frame: usize) -> bool {
        self.0[frame].used.replace(false)
    }
}

/// A policy and its frames, all of them full.
struct Case {
    room: Room,
    policy: Box<dyn EvictionPolicy>,
    tick: u32,
}

impl Case {
    fn new(policy: Box<dyn EvictionPolicy>, count: usize) -> Self {
        let mut case = Self {
            room: Room(vec![Frame::default(); count]),
            policy,
            tick: 0,
        };
        (0..count).for_each(|frame| case.load(frame));
        case
    }

    /// Brings a page that was never seen into a frame.
    fn load(&mut self, frame: usize) {
        self.tick += 1;
        self.room.0[frame].used_at.set(self.tick);
        self.room.0[frame].used.set(false);
        self.policy.loaded(frame, PageId::from_raw(self.tick), self.tick);
    }

    fn touch(&self, frame: usize) {
        self.room.0[frame].used_at.set(self.tick);
        self.room.0[frame].used.set(true);
    }

    /// Asks for victims, more than once if need be: the first look may only clear marks.
    fn victims(&mut self, want: usize) -> Vec<usize> {
        for _ in 0..4 {
            let victims = self.policy.victims(&self.room, want);
            let distinct: BTreeSet<usize> = victims.iter().copied().collect();
            assert!(victims.len() <= want, "{} victims for {want}", victims.len());
            assert_eq!(distinct.len(), victims.len(), "a frame was offered twice");
            assert!(
                victims.iter().all(|frame| self.room.evictable(*frame)),
                "a frame in use was offered"
            );
            if !victims.is_empty() {
                return victims;
            }
        }
        Vec::new()
    }
}

/// Checks a policy. `make` gives one for so many frames.
///
/// # Panics
/// When the policy breaks a promise.
pub fn eviction_policy(make: impl Fn(usize) -> Box<dyn EvictionPolicy>) {
    for count in [1, 2, 16, 100] {
        finds_the_one_frame_that_is_left(&mut Case::new(make(count), count));
        offers_nothing_when_all_are_in_use(&mut Case::new(make(count), count));
        starves_no_frame(&mut Case::new(make(count), count));
        bears_victims_that_are_not_taken(&mut Case::new(make(count), count));
    }
}

/// Whatever the policy thinks of a page: when it is the only one that can go, it goes.
fn finds_the_one_frame_that_is_left(case: &mut Case) {
    let count = case.room.count();
    for round in 0..3 * count {
        let left = round * 7 % count;
        (0..count).for_each(|frame| case.room.0[frame].in_use.set(frame != left));
        case.touch(left);
        assert_eq!(case.victims(1), [left], "it is the only one");
        case.load(left);
    }
}

fn offers_nothing_when_all_are_in_use(case: &mut Case) {
    let count = case.room.count();
    (0..count).for_each(|frame| case.room.0[frame].in_use.set(true));
    assert!(case.victims(4).is_empty());
    case.room.0[count - 1].in_use.set(false);
    assert_eq!(case.victims(4), [count - 1]);
}

/// A page that nobody wants goes in the end, when others come that somebody wants again.
fn starves_no_frame(case: &mut Case) {
    let count = case.room.count();
    let mut seen = BTreeSet::new();
    (0..count).for_each(|frame| case.touch(frame));
    for _ in 0..30 * count {
        for frame in case.victims(2) {
            seen.insert(frame);
            case.load(frame);
            case.touch(frame);
        }
    }
    assert_eq!(seen.len(), count, "some pages stay for ever");
}

/// The pool may find that it cannot empty a victim: then its page is still there, and will be a victim later.
fn bears_victims_that_are_not_taken(case: &mut Case) {
    let count = case.room.count();
    for round in 0..20 {
        for (at, frame) in case.victims(count.min(8)).into_iter().enumerate() {
            match (at + round) % 3 {
                0 => case.load(frame),
                1 => case.touch(frame),
                _ => {}
            }
        }
    }
    let mut gone = BTreeSet::new();
    for _ in 0..20 * count {
        for frame in case.victims(8) {
            gone.insert(frame);
            case.room.0[frame].in_use.set(true);
        }
    }
    assert_eq!(
        gone.len(),
        count,
        "every frame can be emptied, one after the other"
    );
}
