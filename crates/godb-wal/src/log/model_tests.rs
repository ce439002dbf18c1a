//! The log against a list of records: random work, random power cuts, any number of lives.

use super::tests::options;
use super::*;
use crate::record::{Record, UndoRecord};
use godb_btree::{Change, Crash, Journal, PageId, SimulatedDisk, TxnId, size_of_change};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DIR: &str = "db-wal";

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A change of one page, by one of a few transactions.
    Change {
        by: u64,
        len: usize,
    },
    Commit {
        by: u64,
    },
    RollBack {
        by: u64,
    },
    Acknowledge,
    /// Written, but not synced.
    Write,
    Background,
    Checkpoint {
        keep_last: usize,
    },
    PowerCut {
        seed: u64,
    },
    /// The process ends; what the operating system has stays.
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..5u64, 0..1500usize).prop_map(|(by, len)| Step::Change { by, len }),
        3 => (1..5u64).prop_map(|by| Step::Commit { by }),
        1 => (1..5u64).prop_map(|by| Step::RollBack { by }),
        2 => Just(Step::Acknowledge),
        1 => Just(Step::Write),
        1 => Just(Step::Background),
        1 => (1..20usize).prop_map(|keep_last| Step::Checkpoint { keep_last }),
        1 => any::<u64>().prop_map(|seed| Step::PowerCut { seed }),
        1 => Just(Step::Kill),
    ]
}

struct Model {
    disk: SimulatedDisk,
    log: Arc<Log>,
    records: Vec<(Lsn, Record)>,
    /// So many of the records are durable for certain.
    durable: usize,
    /// And so many are written.
    written: usize,
    /// The newest record of each active transaction.
    last: BTreeMap<u64, Lsn>,
}

impl Model {
    fn new() -> Self {
        let disk = SimulatedDisk::new();
        disk.set_fragment(512);
        let fs: Arc<dyn FileSystem> = Arc::new(disk.clone());
        let log = Log::create(&fs, DIR, &options(), &Environment::simulated(1)).unwrap();
        Self {
            disk,
            log,
            records: Vec::new(),
            durable: 0,
            written: 0,
            last: BTreeMap::new(),
        }
    }

    fn last_of(&self, by: u64) -> Lsn {
        self.last.get(&by).copied().unwrap_or_default()
    }

    /// A record was logged: keeps the list and the chains.
    fn logged(&mut self, at: Lsn, record: Record) {
        if let Some(by) = record.by() {
            match record {
                Record::Change { .. } => self.last.insert(by.raw(), at),
                _ => self.last.remove(&by.raw()),
            };
        }
        self.records.push((at, record));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Change { by, len } => self.change(by, len),
            Step::Commit { by } => self.append(Record::Commit {
                by: TxnId::from_raw(by),
                previous: self.last_of(by),
                note: vec![3; 20],
            }),
            Step::RollBack { by } => self.append(Record::RolledBack {
                by: TxnId::from_raw(by),
            }),
            Step::Acknowledge => {
                self.log.acknowledge(self.log.end()).unwrap();
                self.durable = self.records.len();
                self.written = self.durable;
            }
            Step::Write => {
                self.log.wait_written(self.log.end()).unwrap();
                self.written = self.records.len();
            }
            Step::Background => {
                self.log.step().unwrap();
            }
            Step::Checkpoint { keep_last } => self.checkpoint(keep_last),
            Step::PowerCut { seed } => {
                let crashed = self.disk.crash(Crash::KeepSome { seed });
                self.reopen(crashed, self.durable);
            }
            Step::Kill => self.reopen(self.disk.clone(), self.written),
        }
        let active: Vec<u64> = self.last.keys().copied().collect();
        let mut found: Vec<u64> = self.log.active().iter().map(|a| a.id.raw()).collect();
        found.sort_unstable();
        assert_eq!(found, active);
    }

    fn change(&mut self, by: u64, len: usize) {
        let bytes = vec![9; len];
        let page = [(PageId::from_raw(4), &bytes[..])];
        let undo = UndoRecord::Logical(vec![1; len / 10]);
        let change = Change {
            by: Some(TxnId::from_raw(by)),
            pages: &page,
            undo: undo.borrowed(),
        };
        let at = self.log.reserve(size_of_change(&change)).unwrap().append(&change);
        let record = Record::Change {
            by: Some(TxnId::from_raw(by)),
            previous: self.last_of(by),
            pages: vec![(PageId::from_raw(4), bytes)],
            undo,
        };
        self.logged(at, record);
    }

    fn append(&mut self, record: Record) {
        let at = self.log.append_record(&record).unwrap();
        self.logged(at, record);
    }

    fn checkpoint(&mut self, keep_last: usize) {
        self.append(Record::Checkpoint(vec![8; 100]));
        let at = self.records.last().unwrap().0;
        self.log.wait_synced(at).unwrap();
        let from = self.records.len().saturating_sub(keep_last);
        self.log.checkpointed(at, self.records[from].0).unwrap();
        self.records.drain(..from);
        self.durable = self.records.len();
        self.written = self.durable;
    }

    /// Another life: what was certain is there, and what is there is a beginning of what was logged.
    fn reopen(&mut self, disk: SimulatedDisk, certain: usize) {
        let fs: Arc<dyn FileSystem> = Arc::new(disk.clone());
        self.log = Log::open(&fs, DIR, &options(), &Environment::simulated(1)).unwrap();
        self.disk = disk;
        let found: Vec<_> = self.log.records(Lsn::default()).map(Result::unwrap).collect();
        assert!(
            found.len() >= certain,
            "{} of {certain} durable records",
            found.len()
        );
        assert!(found.len() <= self.records.len());
        assert_eq!(found, self.records[..found.len()]);
        self.records.clear();
        self.last.clear();
        for (at, record) in found {
            self.logged(at, record);
        }
        self.durable = self.records.len();
        self.written = self.durable;
        self.adopt();
    }

    /// What analysis would do.
    fn adopt(&mut self) {
        for (by, last) in &self.last {
            self.log.adopt(crate::wal::ActiveTransaction {
                id: TxnId::from_raw(*by),
                first: *last,
                last: *last,
            });
        }
    }

    fn check(&self) {
        let found: Vec<_> = self.log.records(Lsn::default()).map(Result::unwrap).collect();
        assert_eq!(found, self.records);
        for (at, record) in &self.records {
            let single = self.log.records(*at).next().unwrap().unwrap();
            assert_eq!(single, (*at, record.clone()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_log_is_a_list_that_survives(steps in proptest::collection::vec(step(), 1..120)) {
        let mut model = Model::new();
        for step in steps {
            model.step(step);
        }
        model.check();
    }
}
