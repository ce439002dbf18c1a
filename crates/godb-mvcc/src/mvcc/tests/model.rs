//! The engine against the engine in memory and against its own history: three transactions and two readers of the past, with savepoints, rollbacks, collection,
//! checkpoints, time that passes and crashes, in any order. What is kept in memory is small here, so that queues overflow and
//! commits move to the timeline all the time.

use super::*;
use crate::engine::{EngineSavepoint, Isolation};
use crate::memory::MemoryEngine;
use proptest::prelude::*;

/// A step of one of three transactions, of a reader of the past, or of all.
#[derive(Clone, Debug)]
enum Step {
    Put(usize, u8, u8),
    PutLong(usize, u8, u8),
    Delete(usize, u8),
    Lock(usize, u8, bool),
    Get(usize, u8),
    Scan(usize, bool),
    Savepoint(usize),
    RollBackTo(usize),
    Commit(usize),
    RollBack(usize),
    NextStatement(usize),
    /// Many small commits, one after the other, of keys that nobody else writes.
    Burst(u8),
    /// A reader of the past begins to look at some commit of those there were.
    LookBack(usize, prop::sample::Index),
    /// It looks again.
    LookAgain(usize),
    Collect,
    Checkpoint,
    Wait(u8),
    Crash,
}

impl Step {
    fn key(&self) -> Option<u8> {
        match *self {
            Self::Put(_, key, _) | Self::PutLong(_, key, _) => Some(key),
            Self::Delete(_, key) | Self::Lock(_, key, _) | Self::Get(_, key) => Some(key),
            _ => None,
        }
    }

    fn who(&self) -> Option<usize> {
        match *self {
            Self::Put(who, ..) | Self::PutLong(who, ..) | Self::Delete(who, _) => Some(who),
            Self::Lock(who, ..) | Self::Get(who, _) | Self::Scan(who, _) => Some(who),
            Self::Savepoint(who) | Self::RollBackTo(who) | Self::Commit(who) => Some(who),
            Self::RollBack(who) | Self::NextStatement(who) => Some(who),
            _ => None,
        }
    }
}

impl Step {
    /// The same by somebody else.
    fn by(mut self, other: usize) -> Self {
        match &mut self {
            Self::Put(who, ..) | Self::PutLong(who, ..) | Self::Delete(who, _) => *who = other,
            Self::Lock(who, ..) | Self::Get(who, _) | Self::Scan(who, _) => *who = other,
            Self::Savepoint(who) | Self::RollBackTo(who) | Self::Commit(who) => *who = other,
            Self::RollBack(who) | Self::NextStatement(who) => *who = other,
            _ => {}
        }
        self
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, key, value) = (0_usize..3, 0_u8..6, any::<u8>());
    let step = prop_oneof![
        8 => (who.clone(), key.clone(), value).prop_map(|(who, key, value)| Step::Put(who, key, value)),
        1 => (who.clone(), key.clone(), value).prop_map(|(who, key, value)| Step::PutLong(who, key, value)),
        4 => (who.clone(), key.clone()).prop_map(|(who, key)| Step::Delete(who, key)),
        1 => (who.clone(), key.clone(), any::<bool>()).prop_map(|(who, key, shared)| Step::Lock(who, key, shared)),
        3 => (who.clone(), key).prop_map(|(who, key)| Step::Get(who, key)),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, backward)| Step::Scan(who, backward)),
        2 => who.clone().prop_map(Step::Savepoint),
        1 => who.clone().prop_map(Step::RollBackTo),
        5 => who.clone().prop_map(Step::Commit),
        1 => who.clone().prop_map(Step::RollBack),
        1 => who.prop_map(Step::NextStatement),
        2 => (1_u8..40).prop_map(Step::Burst),
        2 => (0_usize..2, any::<prop::sample::Index>()).prop_map(|(who, commit)| Step::LookBack(who, commit)),
        2 => (0_usize..2).prop_map(Step::LookAgain),
        4 => Just(Step::Collect),
        1 => Just(Step::Checkpoint),
        1 => (0_u8..100).prop_map(Step::Wait),
        1 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..80)
}

type Tx = Box<dyn EngineTransaction>;
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Three transactions on one engine.
struct Side {
    engine: Arc<dyn StorageEngine>,
    open: [Option<Tx>; 3],
    points: [Option<EngineSavepoint>; 3],
}

impl Side {
    fn new(engine: Arc<dyn StorageEngine>) -> Self {
        Self {
            engine,
            open: [None, None, None],
            points: [None; 3],
        }
    }

    /// Does a step; what it showed, and when it committed if it did.
    fn run(&mut self, step: &Step) -> (String, Option<Timestamp>) {
        let root = self.engine.root();
        let shown = match *step {
            Step::Put(who, key, value) => outcome(self.tx(who).put(root, &[key, 0], &[value; 3])),
            Step::PutLong(who, key, value) => outcome(self.tx(who).put(root, &[key, 0], &[value; 30_000])),
            Step::Delete(who, key) => outcome(self.tx(who).delete(root, &[key, 0])),
            Step::Lock(who, key, shared) => {
                let strength = if shared {
                    Strength::Shared
                } else {
                    Strength::Exclusive
                };
                outcome(self.tx(who).lock(root, &[key, 0], strength))
            }
            Step::Get(who, key) => format!("{:?}", read(&**self.tx(who), root, key)),
            Step::Scan(who, backward) => {
                let tx = self.tx(who);
                match tx.get(root, b"", &mut |_| {}).is_ok() {
                    true => format!("{:?}", all(&**tx, root, backward)),
                    false => "failed".into(),
                }
            }
            Step::Savepoint(who) => {
                self.points[who] = self.tx(who).savepoint().ok();
                String::new()
            }
            Step::RollBackTo(who) => match (self.points[who], &mut self.open[who]) {
                (Some(point), Some(tx)) => outcome(tx.roll_back_to(point)),
                _ => String::new(),
            },
            Step::Commit(who) => return self.commit(who),
            Step::RollBack(who) => {
                self.points[who] = None;
                let tx = self.open[who].take();
                tx.map_or(String::new(), |tx| outcome(tx.roll_back()))
            }
            Step::NextStatement(who) => outcome(self.tx(who).next_statement()),
            Step::Collect => outcome(self.engine.collect().map(drop)),
            Step::Checkpoint => outcome(self.engine.checkpoint()),
            _ => String::new(),
        };
        (shown, None)
    }

    fn commit(&mut self, who: usize) -> (String, Option<Timestamp>) {
        self.points[who] = None;
        let before = self.engine.now();
        let Some(tx) = self.open[who].take() else {
            return (String::new(), None);
        };
        let result = tx.commit();
        let at = result.as_ref().ok().copied().filter(|at| *at > before);
        (outcome(result.map(drop)), at)
    }

    /// A commit of one key that nobody else writes.
    fn small_commit(&self, n: u8) -> Timestamp {
        let mut tx = self.engine.clone().begin(Begin::default()).unwrap();
        tx.put(self.engine.root(), &[100 + n % 8, 0], &[n]).unwrap();
        tx.commit().unwrap()
    }

    fn tx(&mut self, who: usize) -> &mut Tx {
        // The third transaction reads committed, the others repeatably.
        let isolation = match who {
            2 => Isolation::ReadCommitted,
            _ => Isolation::RepeatableRead,
        };
        let how = Begin {
            isolation,
            ..Begin::default()
        };
        self.open[who].get_or_insert_with(|| self.engine.clone().begin(how).unwrap())
    }

    fn rows(&self) -> Rows {
        all(
            &*self.engine.clone().begin(Begin::default()).unwrap(),
            self.engine.root(),
            false,
        )
    }
}

fn read(tx: &dyn EngineTransaction, root: TreeId, key: u8) -> Result<Option<Vec<u8>>, String> {
    let mut value = None;
    tx.get(root, &[key, 0], &mut |bytes| value = Some(bytes.to_vec()))
        .map_err(|error| error.to_string())?;
    Ok(value)
}

fn outcome<R: std::fmt::Debug>(result: Result<R, Error>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

/// Both engines, what was committed, and who looks back.
struct World {
    real: Side,
    model: Side,
    log: Arc<MemoryLog>,
    environment: Environment,
    clock: Arc<HandClock>,
    options: MvccOptions,
    history: Vec<(Timestamp, i64, Rows)>,
    readers: [Option<(Tx, usize)>; 2],
}

impl World {
    /// Puts are made at once: what is gathered meets its conflicts later than the engine in memory does.
    fn new(retention: Duration) -> Self {
        Self::with(MvccOptions {
            retention,
            batch_memory: 0,
            ..MvccOptions::default()
        })
    }

    fn with(options: MvccOptions) -> Self {
        let (environment, clock) = by_hand();
        let log = MemoryLog::new();
        let model = MemoryEngine::with(environment.clone(), Duration::ZERO, Duration::from_millis(1));
        Self {
            real: Side::new(open_with(&log, &environment, options)),
            model: Side::new(model),
            log,
            environment,
            clock,
            options,
            history: Vec::new(),
            readers: [None, None],
        }
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Burst(count) => (0..count).for_each(|n| {
                self.model.small_commit(n);
                let at = self.real.small_commit(n);
                self.remember(at);
            }),
            Step::LookBack(who, commit) => self.look_back(who, commit),
            Step::LookAgain(who) => self.look_again(who),
            Step::Wait(seconds) => self.clock.advance(Duration::from_secs(seconds.into())),
            Step::Crash => self.crash(),
            _ => self.run_both(step),
        }
    }

    fn run_both(&mut self, step: &Step) {
        let ((ours, at), (expected, _)) = (self.real.run(step), self.model.run(step));
        // How long a lock outlives the change it was taken for differs between the two. A transaction that met one in either is given up in both.
        let either = |what: &str| ours.contains(what) || expected.contains(what);
        // So does how long it is remembered that a key was there and has gone, which is a conflict for those who did not see that.
        let forgotten = ours != expected && either("concurrent update") && !self.is_there(step.key());
        if either("lock timeout") || forgotten {
            let give_up = Step::RollBack(step.who().expect("only a transaction waits"));
            self.real.run(&give_up);
            self.model.run(&give_up);
        } else {
            assert_eq!(ours, expected, "{step:?}");
        }
        if let Some(at) = at {
            self.remember(at);
        }
    }

    /// Whether the newest state has a key.
    fn is_there(&self, key: Option<u8>) -> bool {
        let key = key.map(|key| vec![key, 0]);
        let rows = self.model.rows();
        key.is_some_and(|key| rows.iter().any(|(stored, _)| *stored == key))
    }

    fn remember(&mut self, at: Timestamp) {
        self.history
            .push((at, self.environment.clock.wall_micros(), self.model.rows()));
    }

    fn look_back(&mut self, who: usize, commit: prop::sample::Index) {
        if self.history.is_empty() {
            return;
        }
        self.look_back_at(who, commit.index(self.history.len()));
    }

    fn look_back_at(&mut self, who: usize, commit: usize) {
        let (at, wall, _) = self.history[commit];
        let how = Begin {
            as_of: Some(Moment::At(at)),
            ..Begin::default()
        };
        let real = self.real.engine.clone();
        match real.begin(how) {
            Ok(tx) => {
                self.readers[who] = Some((tx, commit));
                self.look_again(who);
            }
            Err(Error::TooOld { .. }) => {
                let age = self.environment.clock.wall_micros() - wall;
                let kept = i64::try_from(self.options.retention.as_micros()).unwrap();
                assert!(age >= kept, "{at:?} was {age} µs ago and is gone");
            }
            Err(error) => panic!("{at:?}: {error}"),
        }
    }

    fn look_again(&self, who: usize) {
        if let Some((tx, commit)) = &self.readers[who] {
            let expected = &self.history[*commit].2;
            let root = self.real.engine.root();
            assert_eq!(&all(&**tx, root, false), expected);
            assert_eq!(tx.count(root).unwrap(), expected.len() as u64);
            for key in 0..6 {
                let row = expected.iter().find(|(stored, _)| *stored == [key, 0]);
                assert_eq!(read(&**tx, root, key), Ok(row.map(|(_, value)| value.clone())));
            }
        }
    }

    /// Everything in memory is lost, and what was open with it.
    fn crash(&mut self) {
        let log = self.log.cut(self.log.end());
        for side in [&mut self.real, &mut self.model] {
            side.points = [None; 3];
        }
        self.model.open = [None, None, None];
        self.readers = [None, None];
        let engine = open_with(&log, &self.environment, self.options);
        let check = engine.clone().check_versions(true).unwrap();
        assert_eq!(check.findings, []);
        self.log = log;
        // What the old process does after the crash reaches nobody.
        self.real = Side::new(engine);
        assert_eq!(self.real.rows(), self.model.rows(), "after a crash");
        let engine = &self.real.engine;
        let counted = engine
            .clone()
            .begin(Begin::default())
            .unwrap()
            .count(engine.root())
            .unwrap();
        assert_eq!(
            counted,
            self.model.rows().len() as u64,
            "on the books after a crash"
        );
    }
}

fn check(retention: Duration, steps: &[Step]) {
    run(World::new(retention), steps);
}

fn run(mut world: World, steps: &[Step]) {
    steps.iter().for_each(|step| world.run(step));
    world.crash();
}

/// Rows that are put and deleted soon after everybody has seen them, so that they are deleted in their places.
fn steps_of_deletions() -> impl Strategy<Value = Vec<Step>> {
    let (who, key) = (0_usize..2, 0_u8..6);
    let settled = (who.clone(), key.clone())
        .prop_map(|(who, key)| vec![Step::Put(who, key, 1), Step::Commit(who), Step::Collect]);
    let deleted = (who, key).prop_map(|(who, key)| vec![Step::Delete(who, key)]);
    let other = steps().prop_map(|mut steps| vec![steps.swap_remove(0)]);
    let some = prop_oneof![3 => settled, 3 => deleted, 2 => other];
    proptest::collection::vec(some, 1..60).prop_map(|some| some.concat())
}

/// Many puts by one transaction, and now and then something else.
fn steps_of_one() -> impl Strategy<Value = Vec<Step>> {
    let (key, value) = (any::<u8>(), any::<u8>());
    let put = (key, value).prop_map(|(key, value)| Step::Put(0, key % 60, value));
    let puts = proptest::collection::vec(put, 1..30);
    let other = steps().prop_map(|mut steps| vec![steps.swap_remove(0).by(0)]);
    let some = prop_oneof![puts, other];
    proptest::collection::vec(some, 1..60).prop_map(|some| some.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn gathered_puts_are_puts(steps in steps_of_one(), memory in prop_oneof![Just(32 << 10), Just(1 << 20)]) {
        let retention = Duration::from_secs(60);
        run(World::with(MvccOptions { retention, batch_memory: memory, ..MvccOptions::default() }), &steps);
    }

    #[test]
    fn rows_deleted_in_their_places_are_deleted(steps in steps_of_deletions()) {
        check(Duration::ZERO, &steps);
    }

    #[test]
    fn it_answers_as_the_engine_in_memory(steps in steps()) {
        check(Duration::ZERO, &steps);
    }

    #[test]
    fn it_shows_the_past_as_it_was(steps in steps()) {
        check(HOUR, &steps);
    }

    #[test]
    fn it_shows_as_much_of_the_past_as_it_must(steps in steps()) {
        check(Duration::from_secs(60), &steps);
    }
}

#[test]
fn the_rows_of_a_past_before_the_last_checkpoint_are_counted_by_walking() {
    let mut world = World::new(HOUR);
    let steps = [Step::Burst(2), Step::Checkpoint, Step::Crash];
    steps.iter().for_each(|step| world.run(step));
    world.look_back_at(0, 0);
}

#[test]
fn a_row_of_the_timeline_loses_old_transactions_and_gains_new_ones_at_once() {
    let mut world = World::new(Duration::from_secs(60));
    let steps = [
        Step::Burst(21),
        Step::Collect,
        Step::Put(1, 0, 0),
        Step::Put(0, 1, 0),
        Step::Wait(17),
        Step::Commit(0),
        Step::Wait(44),
        Step::Burst(19),
        Step::Commit(1),
        Step::Collect,
    ];
    steps.iter().for_each(|step| world.run(step));
    world.look_back_at(0, 20);
    assert!(world.readers[0].is_some(), "it is the oldest state that is kept");
}

#[test]
fn a_commit_that_moved_to_the_timeline_still_conflicts() {
    let steps = [
        Step::Put(0, 0, 0),
        Step::Burst(21),
        Step::Get(2, 0),
        Step::Collect,
        Step::PutLong(0, 5, 0),
        Step::Commit(0),
        Step::Burst(20),
        Step::Put(2, 5, 73),
    ];
    check(Duration::ZERO, &steps);
}
