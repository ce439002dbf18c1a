//! [`recover`]: from whatever a crash left to a database that is as if only the committed transactions had ever been.

use crate::analysis::{Analysis, Committed};
use crate::checkpoint::Checkpoint;
use crate::recovered::Recovered;
use crate::redo::{self, Batch};
use crate::resume::Resume;
use crate::undo::undo_losers;
use godb_wal::{Clock, Fault, Lsn, Record, Tree, Wal};
use std::sync::Arc;
use std::time::Duration;

/// Progress is told about every so many records.
const TELL_EVERY: u64 = 1000;

/// What recovery is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading the log and repeating what it says.
    Redo,
    /// Taking back what did not commit.
    Undo,
}

/// How far recovery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// In redo: bytes of log read. In undo: records taken back.
    pub done: u64,
    /// In redo: bytes of log to read. In undo: zero, since chains are not counted beforehand.
    pub total: u64,
}

/// What recovery needs besides the log.
pub struct RecoveryOptions<'a> {
    /// Measures the phases; without one the report's durations are zero.
    pub clock: Option<Arc<dyn Clock>>,
    /// Where a new log starts from, out of the file's header. Of no effect when the log has a checkpoint.
    pub resume: Resume,
    /// Bytes of log after which a checkpoint is due.
    pub checkpoint_every: u64,
    /// Bytes of changes that are gathered before they are repeated; up to twice as many are in memory.
    pub batch: usize,
    /// How many threads repeat changes, while the caller's reads the log. With none, the caller's does both in turn.
    pub helpers: usize,
    /// Is told how far recovery has come.
    pub observe: &'a mut dyn FnMut(Progress),
}

/// Bytes of log between checkpoints, unless configured otherwise: a second or so of recovery.
pub const CHECKPOINT_EVERY: u64 = 64 << 20;

/// What recovery found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The version layer's note of the last checkpoint.
    pub note: Vec<u8>,
    /// The transactions that committed since that checkpoint began, in commit order.
    pub committed: Vec<Committed>,
    /// Records read.
    pub records: u64,
    /// Bytes of log read.
    pub bytes: u64,
    /// Changes of single pages that were repeated.
    pub pages: u64,
    /// Transactions taken back.
    pub losers: u64,
    /// Records taken back, compensations that were followed included.
    pub undone: u64,
    /// Time for analysis and redo.
    pub redo_time: Duration,
    /// Time for undo.
    pub undo_time: Duration,
}

/// Recovers what is under `wal`: reads the log from the last checkpoint, repeats history, takes back what did not commit. A new log gets its first
/// checkpoint, which carries `options.resume` on.
///
/// May be interrupted at any moment and begun anew. What is returned is the only way to a [`Recovered`], so nobody can use a tree that was not recovered.
///
/// # Errors
///
/// [`Fault::Corrupt`] when the log contradicts itself, and whatever the medium reports; a later attempt may succeed.
pub fn recover<W: Wal>(wal: W, options: RecoveryOptions<'_>) -> Result<(Recovered<W>, Report), Fault> {
    let found = Checkpoint::read(&wal)?;
    let first_life = found.is_none();
    let checkpoint = found.unwrap_or_else(|| Checkpoint {
        next: options.resume.next,
        note: options.resume.note.clone(),
        ..Checkpoint::default()
    });
    let mut run = Run {
        wal: &wal,
        clock: options.clock,
        batch: options.batch,
        helpers: options.helpers,
        observe: options.observe,
        report: Report {
            note: checkpoint.note.clone(),
            ..Report::default()
        },
    };
    let analysis = run.repeat_history(&checkpoint)?;
    run.take_back(&analysis)?;
    let mut report = run.report;
    let next = analysis.next();
    report.committed = analysis.committed;
    if first_life && report.committed.is_empty() {
        // With commits the note would not cover them; they are in the log, and so is all that the header had to remember.
        Checkpoint::gather(&wal, || next, || report.note.clone()).take(&wal)?;
    }
    let recovered = Recovered::new(wal, next, checkpoint.begin, options.checkpoint_every);
    Ok((recovered, report))
}

/// One run of recovery.
struct Run<'a, W> {
    wal: &'a W,
    clock: Option<Arc<dyn Clock>>,
    batch: usize,
    helpers: usize,
    observe: &'a mut dyn FnMut(Progress),
    report: Report,
}

/// How far the log has been read.
struct Reading<I> {
    records: I,
    /// The first record's position.
    first: Option<Lsn>,
    /// Where the log ends.
    end: Lsn,
    /// Analysis begins here.
    begin: Lsn,
    analysis: Analysis,
}

impl<W: Wal> Run<'_, W> {
    /// Analysis and redo in one reading of the log. Redo repeats everything, the changes of losers included, and so brings every page to where it was;
    /// that is what makes taking back by key possible.
    fn repeat_history(&mut self, checkpoint: &Checkpoint) -> Result<Analysis, Fault> {
        let started = self.now();
        let wal = self.wal;
        let end = wal.end();
        let mut reading = Reading {
            records: wal.read(checkpoint.redo),
            first: None,
            end,
            begin: checkpoint.begin,
            analysis: Analysis::from(checkpoint),
        };
        let mut batch = self.gather(&mut reading)?;
        while batch.len() > 0 {
            self.report.pages += batch.len() as u64;
            batch = redo::repeat(wal.tree(), &batch, self.helpers, || self.gather(&mut reading))??;
        }
        let bytes = |from: Lsn| end.raw().saturating_sub(from.raw());
        self.report.bytes = reading.first.map_or(0, bytes);
        wal.tree().redone()?;
        self.report.redo_time = self.now().saturating_sub(started);
        Ok(reading.analysis)
    }

    /// Reads on in the log until there are enough changes to repeat; none at its end.
    fn gather(
        &mut self,
        reading: &mut Reading<impl Iterator<Item = Result<(Lsn, Record), Fault>>>,
    ) -> Result<Batch, Fault> {
        let mut batch = Batch::default();
        while batch.size() < self.batch.max(1)
            && let Some(entry) = reading.records.next()
        {
            let (at, record) = entry?;
            let from = *reading.first.get_or_insert(at);
            if let Record::Change { pages, .. } = &record {
                batch.add(at, pages);
            }
            if at >= reading.begin {
                reading.analysis.see(at, record);
            }
            self.report.records += 1;
            if self.report.records.is_multiple_of(TELL_EVERY) {
                let total = reading.end.raw().saturating_sub(from.raw());
                self.tell(Phase::Redo, at.raw() - from.raw(), total);
            }
        }
        Ok(batch)
    }

    fn take_back(&mut self, analysis: &Analysis) -> Result<(), Fault> {
        let started = self.now();
        let losers = analysis.losers();
        self.report.losers = losers.len() as u64;
        let observe = &mut *self.observe;
        self.report.undone = undo_losers(self.wal, &losers, |done| {
            if done.is_multiple_of(TELL_EVERY) {
                observe(Progress {
                    phase: Phase::Undo,
                    done,
                    total: 0,
                });
            }
        })?;
        self.report.undo_time = self.now().saturating_sub(started);
        Ok(())
    }

    fn tell(&mut self, phase: Phase, done: u64, total: u64) {
        (self.observe)(Progress { phase, done, total });
    }

    fn now(&self) -> Duration {
        self.clock
            .as_ref()
            .map_or(Duration::ZERO, |clock| clock.monotonic())
    }
}
