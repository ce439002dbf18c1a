//! Serializable transactions without an engine: what is let through must fit some order one after the other.

use super::marks::{Extent, Marks};
use super::*;
use crate::mvcc::snapshots::Snapshots;
use godb_txn::{Clock, CommitHook, Environment, Lsn};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

const TREE: TreeId = TreeId::from_raw(7);
const OTHER: TreeId = TreeId::from_raw(8);

fn key(number: u8) -> [u8; 1] {
    [number]
}

#[test]
fn a_point_and_an_interval_meet_where_they_overlap() {
    let mut marks = Marks::new(1 << 20);
    let (from, to) = (key(3), key(7));
    let interval = Extent::between(Bound::Excluded(&from), Bound::Included(&to));
    assert!(marks.add(1, TREE, interval));
    assert!(!marks.add(1, TREE, Extent::key(&key(5))), "it is marked already");
    let at = |marks: &Marks, number| marks.overlapping(TREE, Extent::key(&key(number))).to_vec();
    assert_eq!(
        (at(&marks, 3), at(&marks, 4), at(&marks, 7)),
        (vec![], vec![1], vec![1])
    );
    assert!(marks.add(2, TREE, Extent::key(&key(7))));
    assert_eq!(
        (at(&marks, 6), at(&marks, 7), at(&marks, 8)),
        (vec![1], vec![1, 2], vec![])
    );
    assert!(marks.overlapping(OTHER, Extent::ALL).is_empty());
    assert_eq!(marks.overlapping(TREE, Extent::ALL).to_vec(), [1, 2]);
    marks.remove(1);
    assert_eq!((at(&marks, 6), at(&marks, 7)), (vec![], vec![2]));
    marks.remove(2);
    assert!(marks.is_empty() && marks.bytes() == 0);
}

#[test]
fn with_too_many_marks_they_become_coarser() {
    let mut marks = Marks::new(4000);
    for number in 0..=255 {
        marks.add(1 + u64::from(number % 3), TREE, Extent::key(&key(number)));
        assert!(marks.bytes() <= 4000 + 400);
    }
    assert_eq!(
        marks.overlapping(TREE, Extent::key(b"elsewhere")).to_vec(),
        [1, 2, 3]
    );
    (1..=3).for_each(|who| marks.remove(who));
    assert!(marks.is_empty() && marks.bytes() == 0);
}

/// What somebody marks, as numbers of keys.
fn spans() -> impl Strategy<Value = Vec<(u64, u8, u8, u8)>> {
    proptest::collection::vec((1_u64..5, 0_u8..16, 0_u8..16, 0_u8..4), 1..60)
}

proptest! {
    #[test]
    fn marks_are_where_they_were_left(spans in spans()) {
        let mut marks = Marks::new(1 << 20);
        let mut model: BTreeMap<u64, BTreeSet<u8>> = BTreeMap::new();
        for (who, from, to, what) in spans {
            let (from_key, to_key) = (key(from), key(to));
            match what {
                0 => { marks.remove(who); model.remove(&who); }
                1 => { marks.add(who, TREE, Extent::key(&from_key)); model.entry(who).or_default().insert(from); }
                2 => {
                    marks.add(who, TREE, Extent::between(Bound::Unbounded, Bound::Excluded(&to_key)));
                    model.entry(who).or_default().extend(0..to);
                }
                _ => {
                    marks.add(who, TREE, Extent::between(Bound::Included(&from_key), Bound::Included(&to_key)));
                    if from <= to { model.entry(who).or_default().extend(from..=to); }
                }
            }
            for number in 0..16 {
                let found = marks.overlapping(TREE, Extent::key(&key(number))).to_vec();
                let expected: Vec<_> = model.iter().filter(|(_, keys)| keys.contains(&number)).map(|(who, _)| *who).collect();
                prop_assert_eq!(found, expected);
            }
        }
        for who in 1..5 { marks.remove(who); }
        prop_assert!(marks.is_empty() && marks.bytes() == 0);
    }
}

/// A step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Begin { who: usize, read_only: bool },
    Read(usize, u8),
    Scan(usize, u8, u8),
    Write(usize, u8),
    Commit(usize),
    RollBack(usize),
}

const CLIENTS: usize = 4;
const KEYS: u8 = 6;

fn step() -> impl Strategy<Value = Step> {
    let who = 0..CLIENTS;
    prop_oneof![
        4 => (who.clone(), prop::bool::weighted(0.3)).prop_map(|(who, read_only)| Step::Begin { who, read_only }),
        5 => (who.clone(), 0..KEYS).prop_map(|(who, key)| Step::Read(who, key)),
        2 => (who.clone(), 0..KEYS, 0..KEYS).prop_map(|(who, from, to)| Step::Scan(who, from, to)),
        5 => (who.clone(), 0..KEYS).prop_map(|(who, key)| Step::Write(who, key)),
        4 => who.clone().prop_map(Step::Commit),
        1 => who.prop_map(Step::RollBack),
    ]
}

/// A transaction of the history.
struct Tx {
    number: usize,
    ticket: Arc<Ticket>,
    place: Place,
    read_only: bool,
    by: Option<TxnId>,
    read: BTreeSet<u8>,
    written: BTreeSet<u8>,
}

/// One that has committed: its snapshot, its commit, what it read and wrote.
struct Past {
    at: Timestamp,
    committed: Option<Timestamp>,
    read: BTreeSet<u8>,
    written: BTreeSet<u8>,
}

struct World {
    commits: Arc<Commits>,
    snapshots: Snapshots,
    serial: Serial,
    clients: [Option<Tx>; CLIENTS],
    past: Vec<Past>,
    clock: u64,
    refused: usize,
}

impl World {
    fn new(memory: usize) -> Self {
        let clock: Arc<dyn Clock> = Environment::simulated(1).clock;
        let commits = Commits::new(clock);
        let serial = Serial::new(commits.clone(), memory);
        let (snapshots, clients) = (Snapshots::default(), [const { None }; CLIENTS]);
        Self {
            commits,
            snapshots,
            serial,
            clients,
            past: Vec::new(),
            clock: 10,
            refused: 0,
        }
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Begin { who, read_only } => self.begin(who, read_only),
            Step::Read(who, one) => self.read(who, one, one),
            Step::Scan(who, from, to) => self.read(who, from, to),
            Step::Write(who, one) => self.write(who, one),
            Step::Commit(who) => self.commit(who),
            Step::RollBack(who) => self.roll_back(who),
        }
    }

    fn begin(&mut self, who: usize, read_only: bool) {
        if self.clients[who].is_some() {
            return;
        }
        let entry = Entry {
            read_only,
            deferrable: false,
        };
        let (take, release) = (
            || self.snapshots.take(&self.commits),
            |place| self.snapshots.release(place),
        );
        let (place, ticket) = self.serial.begin(entry, take, release);
        let number = self.past.len();
        self.clients[who] = Some(Tx {
            number,
            ticket,
            place,
            read_only,
            by: None,
            read: BTreeSet::new(),
            written: BTreeSet::new(),
        });
    }

    fn read(&mut self, who: usize, from: u8, to: u8) {
        let Some(tx) = &mut self.clients[who] else { return };
        let (first, last) = (key(from), key(to));
        let extent = Extent::between(Bound::Included(&first), Bound::Included(&last));
        match self.serial.read(&tx.ticket, TREE, extent) {
            // What is read of its own writing tells nothing of others.
            Ok(()) => tx
                .read
                .extend((from..=to).filter(|one| !tx.written.contains(one))),
            Err(_) => self.refuse(who),
        }
    }

    fn write(&mut self, who: usize, one: u8) {
        let newest = self
            .past
            .iter()
            .filter(|past| past.written.contains(&one))
            .filter_map(|past| past.committed)
            .max();
        let taken = (0..CLIENTS).any(|other| {
            other != who
                && self.clients[other]
                    .as_ref()
                    .is_some_and(|tx| tx.written.contains(&one))
        });
        let Some(tx) = &mut self.clients[who] else { return };
        if tx.read_only || taken {
            return;
        }
        if newest.is_some_and(|newest| newest > tx.place.at) {
            return self.roll_back(who);
        }
        self.clock += 1;
        let fresh = TxnId::from_raw(self.clock);
        let by = *tx.by.get_or_insert_with(|| self.commits.begin(|| fresh));
        match self.serial.write(&tx.ticket, by, TREE, Extent::key(&key(one))) {
            Ok(()) => drop(tx.written.insert(one)),
            Err(_) => self.refuse(who),
        }
    }

    fn commit(&mut self, who: usize) {
        let Some(tx) = &mut self.clients[who] else { return };
        if self.serial.prepare(&tx.ticket).is_err() {
            return self.refuse(who);
        }
        let Some(tx) = self.clients[who].take() else {
            return;
        };
        let mut committed = None;
        match tx.by {
            Some(by) => {
                self.clock += 1;
                let at = self.clock;
                self.commits.announce(by, Default::default());
                drop(self.commits.note(by));
                self.commits.committed(by, Lsn::from_raw(at));
                committed = Some(Timestamp(at));
                self.serial.committed(&tx.ticket, Timestamp(at));
            }
            None => self.serial.ended_unchanged(&tx.ticket, true),
        }
        self.snapshots.release(tx.place);
        let _ = tx.number;
        self.past.push(Past {
            at: tx.place.at,
            committed,
            read: tx.read,
            written: tx.written,
        });
    }

    fn refuse(&mut self, who: usize) {
        self.refused += 1;
        self.roll_back(who);
    }

    fn roll_back(&mut self, who: usize) {
        if let Some(tx) = self.clients[who].take() {
            if let Some(by) = tx.by {
                self.commits.rolled_back(by);
            }
            self.serial.ended_unchanged(&tx.ticket, false);
            self.snapshots.release(tx.place);
        }
    }

    /// Who must come before whom, by what they saw of each other and in which order they wrote.
    fn arrows(&self) -> HashMap<usize, BTreeSet<usize>> {
        let mut arrows: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for (one, reader) in self.past.iter().enumerate() {
            for (other, writer) in self.past.iter().enumerate().filter(|(other, _)| *other != one) {
                let Some(committed) = writer.committed else {
                    continue;
                };
                if !reader.read.is_disjoint(&writer.written) {
                    match committed > reader.at {
                        true => arrows.entry(one).or_default().insert(other),
                        false => arrows.entry(other).or_default().insert(one),
                    };
                }
                if !reader.written.is_disjoint(&writer.written) && Some(committed) < reader.committed {
                    arrows.entry(other).or_default().insert(one);
                }
            }
        }
        arrows
    }

    fn has_circle(&self) -> bool {
        let mut arrows = self.arrows();
        let mut left: BTreeSet<usize> = (0..self.past.len()).collect();
        // Takes away whoever points at nobody that is left, until nobody does.
        loop {
            let ends = |one: &usize| arrows.get(one).is_none_or(BTreeSet::is_empty);
            let Some(last) = left.iter().copied().find(ends) else {
                return !left.is_empty();
            };
            left.remove(&last);
            for others in arrows.values_mut() {
                others.remove(&last);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_commits_fits_some_order(
        steps in proptest::collection::vec(step(), 1..120),
        memory in prop_oneof![Just(1_usize << 20), Just(800)],
    ) {
        let mut world = World::new(memory);
        for step in &steps {
            world.run(step);
        }
        (0..CLIENTS).for_each(|who| world.roll_back(who));
        prop_assert!(!world.has_circle());
        let inner = world.serial.inner.lock();
        prop_assert!(inner.members.is_empty() && inner.snapshots.is_empty() && inner.reads.is_empty() && inner.writes.is_empty());
    }
}

/// Runs steps on a world of its own; how many were refused.
fn refused(steps: &[Step]) -> usize {
    let mut world = World::new(1 << 20);
    steps.iter().for_each(|step| world.run(step));
    (0..CLIENTS).for_each(|who| world.commit(who));
    assert!(!world.has_circle());
    world.refused
}

const fn writer(who: usize) -> Step {
    Step::Begin {
        who,
        read_only: false,
    }
}

const fn reader(who: usize) -> Step {
    Step::Begin { who, read_only: true }
}

#[test]
fn write_skew_is_refused() {
    use Step::*;
    let skew = [
        writer(0),
        writer(1),
        Read(0, 1),
        Read(1, 2),
        Write(0, 2),
        Write(1, 1),
        Commit(0),
        Commit(1),
    ];
    assert_eq!(refused(&skew), 1);
}

#[test]
fn one_arrow_alone_harms_nobody() {
    use Step::*;
    let one = [
        writer(0),
        writer(1),
        Read(0, 1),
        Write(1, 1),
        Write(0, 3),
        Commit(1),
        Commit(0),
    ];
    assert_eq!(refused(&one), 0);
}

#[test]
fn a_reader_is_in_danger_only_when_the_third_committed_before_its_snapshot() {
    use Step::*;
    // The pivot 1 reads what 2 writes, and writes what the reader 0 reads.
    let before = [
        writer(1),
        Read(1, 5),
        writer(2),
        Write(2, 5),
        Commit(2),
        reader(0),
        Read(0, 5),
        Read(0, 4),
        Write(1, 4),
        Commit(1),
    ];
    assert_eq!(
        refused(&before),
        1,
        "Fekete, O'Neil and O'Neil (2004): the report"
    );
    let after = [
        writer(1),
        Read(1, 5),
        reader(0),
        Read(0, 5),
        Read(0, 4),
        writer(2),
        Write(2, 5),
        Commit(2),
        Write(1, 4),
        Commit(1),
    ];
    assert_eq!(refused(&after), 0);
}

#[test]
fn a_snapshot_with_no_writer_about_is_safe_at_once_and_others_when_these_have_ended() {
    let mut world = World::new(1 << 20);
    world.run(&reader(0));
    world.run(&writer(1));
    world.run(&reader(2));
    let is_safe = |world: &World, who: usize| world.clients[who].as_ref().unwrap().ticket.is_safe();
    assert!(is_safe(&world, 0) && !is_safe(&world, 2));
    world.run(&Step::Write(1, 3));
    world.run(&Step::Commit(1));
    assert!(is_safe(&world, 2));
}

#[test]
fn one_that_is_deferrable_waits_for_a_safe_snapshot() {
    let world = World::new(1 << 20);
    let (commits, snapshots, serial) = (&world.commits, &world.snapshots, &world.serial);
    let (take, release) = (|| snapshots.take(commits), |place| snapshots.release(place));
    let entry = |read_only| Entry {
        read_only,
        deferrable: read_only,
    };
    let (place, writer) = serial.begin(entry(false), take, release);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| serial.begin(entry(true), take, release));
        while serial.inner.lock().readers.is_empty() {
            std::thread::yield_now();
        }
        assert!(!waiting.is_finished());
        serial.ended_unchanged(&writer, false);
        release(place);
        let (place, reader) = waiting.join().unwrap();
        assert!(reader.is_safe());
        release(place);
    });
}
