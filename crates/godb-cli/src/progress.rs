//! A line on the terminal that says how far a long statement is: COPY, VACUUM.
//!
//! It goes to standard error, so that results can be redirected, only where a person sees it, and only from a second on.

use godb::{CompactionPhase, Progress};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Before this nothing is said, and not more often.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(200);

/// What was said of the statement that runs.
struct Said {
    begun: Instant,
    last: Option<Instant>,
}

/// The line. Clones are the same one.
#[derive(Clone)]
pub(crate) struct ProgressLine {
    said: Arc<Mutex<Said>>,
    visible: bool,
}

impl ProgressLine {
    /// A line that is seen if `interactive` and standard error is a terminal.
    pub(crate) fn new(interactive: bool) -> Self {
        Self {
            said: Arc::new(Mutex::new(Said {
                begun: Instant::now(),
                last: None,
            })),
            visible: interactive && io::stderr().is_terminal(),
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement begins.
    pub(crate) fn begin(&self) {
        self.said().begun = Instant::now();
    }

    /// Says how far it is, if that is worth a line by now.
    pub(crate) fn say(&self, progress: Progress) {
        if !self.visible {
            return;
        }
        let (mut said, now) = (self.said(), Instant::now());
        let due = said
            .last
            .map_or(now - said.begun >= PATIENCE, |last| now - last >= PAUSE);
        if due {
            said.last = Some(now);
            // Nothing depends on it.
            let _ignored = write!(io::stderr(), "\r\x1b[K{}", text(progress));
        }
    }

    /// The statement has ended: the line goes.
    pub(crate) fn end(&self) {
        if self.said().last.take().is_some() {
            let _ignored = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// The line's text.
fn text(progress: Progress) -> String {
    let Some(of) = progress.compaction else {
        let bytes = progress.bytes >> 20;
        return match progress.total {
            Some(total) => format!("{} rows, {bytes} of {} MiB", progress.rows, total >> 20),
            None => format!("{} rows, {bytes} MiB", progress.rows),
        };
    };
    let doing = match of.phase {
        CompactionPhase::Collecting => "dropping old versions",
        CompactionPhase::Packing => "packing rows",
        CompactionPhase::Moving => "moving pages",
        CompactionPhase::Rewriting => "writing large values anew",
        CompactionPhase::Cutting => "giving back the end of the file",
    };
    match of.done.min(of.total) * 100 / of.total.max(1) {
        _ if of.total == 0 => doing.to_owned(),
        share => format!("{doing}: {share} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use godb::CompactionProgress;

    #[test]
    fn it_says_what_is_done_and_how_much_of_it() {
        let compaction = |phase, done, total| {
            text(Progress {
                compaction: Some(CompactionProgress { phase, done, total }),
                ..Progress::default()
            })
        };
        assert_eq!(
            compaction(CompactionPhase::Packing, 30, 120),
            "packing rows: 25 %"
        );
        assert_eq!(
            compaction(CompactionPhase::Moving, 130, 120),
            "moving pages: 100 %"
        );
        assert_eq!(
            compaction(CompactionPhase::Collecting, 7, 0),
            "dropping old versions"
        );
        let copy = Progress {
            rows: 12,
            bytes: 3 << 20,
            total: Some(9 << 20),
            ..Progress::default()
        };
        assert_eq!(text(copy), "12 rows, 3 of 9 MiB");
    }
}
