//! [`Campaign`]: counts the cases of a row, catches panics, and says how to see a failure again.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// Where the last panic of this thread was, and what it said.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// How often a measure was tried, and how often that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What was tried.
    pub what: &'static str,
    /// How often.
    pub tried: u64,
    /// How often the database did not do as it should.
    pub failures: u64,
}

/// One run of one row. Cases are numbered in the order in which they are tried, which depends on nothing but the seed and the form of the run.
pub struct Campaign {
    /// A sample that takes seconds, instead of everything.
    pub quick: bool,
    /// Decides what is left to chance.
    pub seed: u64,
    row: u8,
    only: Option<u64>,
    number: Arc<AtomicU64>,
    tallies: Vec<Tally>,
    failures: Vec<String>,
}

impl Campaign {
    /// A run of `row`; with `only`, of nothing but the case of that number.
    #[must_use]
    pub fn new(row: u8, quick: bool, seed: u64, only: Option<u64>) -> Self {
        Self {
            quick,
            seed,
            row,
            only,
            number: Arc::default(),
            tallies: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// How many cases there were so far, for whoever watches the run.
    #[must_use]
    pub fn number(&self) -> Arc<AtomicU64> {
        self.number.clone()
    }

    /// `full` in the full run, `quick` in the quick one.
    #[must_use]
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// One case of the measure `what`. An error, in words, is a failure; so is a panic.
    pub fn case(
        &mut self,
        what: &'static str,
        name: impl FnOnce() -> String,
        body: impl FnOnce() -> Result<(), String>,
    ) {
        self.cases(what, 1, name, body);
    }

    /// The same for a case that stands for `count` of them, all tried alike.
    pub fn cases(
        &mut self,
        what: &'static str,
        count: u64,
        name: impl FnOnce() -> String,
        body: impl FnOnce() -> Result<(), String>,
    ) {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        if self.only.is_some_and(|only| only != number) {
            return;
        }
        let verdict = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(verdict) => verdict,
            Err(_) => Err(format!("it panicked: {}", LAST_PANIC.with(RefCell::take))),
        };
        let tally = self.tally(what);
        tally.tried += count;
        if let Err(wrong) = verdict {
            tally.failures += 1;
            let quick = if self.quick { " --quick" } else { "" };
            self.failures.push(format!(
                "faults --row {} --seed {}{quick} --number {number}\n    {what}, {}: {wrong}",
                self.row,
                self.seed,
                name()
            ));
        }
    }

    fn tally(&mut self, what: &'static str) -> &mut Tally {
        let at = self.tallies.iter().position(|tally| tally.what == what);
        let at = at.unwrap_or_else(|| {
            self.tallies.push(Tally {
                what,
                tried: 0,
                failures: 0,
            });
            self.tallies.len() - 1
        });
        &mut self.tallies[at]
    }

    /// What was counted, in the order in which it was first tried.
    #[must_use]
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// What failed: the command that shows it again, and what was wrong.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }
}

/// Makes panics silent: a panic in the engine is a failure, reported with the case that met it.
pub fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        LAST_PANIC.with(|last| *last.borrow_mut() = panic.to_string().replace('\n', " "));
    }));
}
