//! [`Background`]: the few threads of an open database, each calling a `step()` that anybody else could call.
//!
//! | thread | step |
//! | --- | --- |
//! | `godb-log` | writes the log that large transactions make, so that they need not |
//! | `godb-writeback` | writes dirty pages, so that clean frames are ready |
//! | `godb-checkpoint` | takes a checkpoint when its time or its amount of log has come |
//! | `godb-collect` | drops versions that nobody can see |
//! | `godb-compact` | makes the file shorter when much of it is free, if that is configured |
//! | `godb-scrub` | reads pages to see whether they can still be read |

use crate::error::Result;
use crate::scrub::Scrubber;
use crate::settings::LiveSettings;
use crate::storage::Storage;
use godb_page::sync::{Arc, Condvar, Mutex, wait_for};
use godb_page::{Environment, Joining};
use godb_sql::StorageEngine;
use std::ops::ControlFlow;
use std::time::Duration;

/// How long a thread rests when there was nothing to do.
const REST: Duration = Duration::from_millis(50);

/// How long the thread that compacts rests between two parts of its work, and between two looks whether there is any.
const BREATH: Duration = Duration::from_millis(2);
const LOOK: Duration = Duration::from_secs(5);

/// Tells the threads to stop.
#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Whether it is time to stop.
    fn is_asked(&self) -> bool {
        *self.asked.lock()
    }

    /// Rests, unless it is time to stop.
    fn rest(&self, time: Duration) {
        let mut asked = self.asked.lock();
        if !*asked {
            wait_for(&self.changed, &mut asked, time);
        }
    }

    fn ask(&self) {
        *self.asked.lock() = true;
        self.changed.notify_all();
    }
}

/// The running threads.
pub(crate) struct Background {
    stop: Arc<Stop>,
    threads: Mutex<Vec<Box<dyn Joining>>>,
    /// Whose log has a thread that rests until it is woken.
    storage: Option<Arc<Storage>>,
}

impl Background {
    /// Starts them.
    pub(crate) fn start(
        environment: &Environment,
        read_only: bool,
        settings: Arc<LiveSettings>,
        engine: Arc<dyn StorageEngine>,
        storage: Option<Arc<Storage>>,
        scrubber: Option<Arc<Scrubber>>,
    ) -> Self {
        let background = Self {
            stop: Arc::new(Stop::default()),
            threads: Mutex::new(Vec::new()),
            storage: storage.clone(),
        };
        if let Some(scrubber) = scrubber {
            let step = move || scrubber.step().map(|()| false);
            background.run(environment, "godb-scrub", step, Stop::rest);
        }
        if read_only {
            return background;
        }
        if let Some(log) = storage.clone() {
            let bell = log.clone();
            let rest = move |_: &Stop, time| bell.rest_log(time);
            background.run(environment, "godb-log", move || log.write_log(), rest);
        }
        let settling = storage.clone();
        if let Some(storage) = storage.clone() {
            let compact = compaction(engine.clone(), storage, settings.clone(), background.stop.clone());
            background.run(environment, "godb-compact", compact, |stop, _| stop.rest(LOOK));
        }
        if let Some(storage) = storage {
            background.run(
                environment,
                "godb-writeback",
                move || storage.write_back(),
                Stop::rest,
            );
        }
        let checkpoints = checkpoints(environment, settings, engine.clone(), settling);
        background.run(environment, "godb-checkpoint", checkpoints, Stop::rest);
        background.run(
            environment,
            "godb-collect",
            move || Ok(engine.collect()?),
            Stop::rest,
        );
        background
    }

    /// Asks the threads to stop and waits until they have.
    pub(crate) fn stop(self) {
        self.stop.ask();
        if let Some(storage) = &self.storage {
            storage.wake_log();
        }
        self.threads.into_inner().into_iter().for_each(Joining::join);
    }

    /// Starts a thread that calls `step` again and again, and `rest` when that says that there is no more to do.
    fn run(
        &self,
        environment: &Environment,
        name: &str,
        mut step: impl FnMut() -> Result<bool> + Send + 'static,
        rest: impl Fn(&Stop, Duration) + Send + 'static,
    ) {
        let stop = self.stop.clone();
        let body = move || {
            while !stop.is_asked() {
                match step() {
                    Ok(true) => {}
                    Ok(false) => rest(&stop, REST),
                    Err(error) => {
                        tracing::warn!(%error, "background work failed");
                        stop.rest(20 * REST);
                    }
                }
            }
        };
        self.threads
            .lock()
            .extend(environment.spawn.spawn(name, Box::new(body)));
    }
}

/// The step that takes a checkpoint when one is due: after a recovery at once.
fn checkpoints(
    environment: &Environment,
    settings: Arc<LiveSettings>,
    engine: Arc<dyn StorageEngine>,
    storage: Option<Arc<Storage>>,
) -> impl FnMut() -> Result<bool> + Send + 'static {
    let clock = environment.clock.clone();
    let mut last = clock.monotonic();
    move || {
        if let Some(storage) = &storage {
            storage.settle()?;
        }
        let log = engine.log_since_checkpoint();
        let now = clock.monotonic();
        let due = log > 0 && now - last >= settings.checkpoint_interval();
        if due || log > settings.checkpoint_log_size() {
            engine.checkpoint()?;
            last = now;
        }
        Ok(false)
    }
}

/// The step that compacts the file when a share of it is free.
fn compaction(
    engine: Arc<dyn StorageEngine>,
    storage: Arc<Storage>,
    settings: Arc<LiveSettings>,
    stop: Arc<Stop>,
) -> impl FnMut() -> Result<bool> + Send + 'static {
    move || {
        let Some(share) = settings.compaction_threshold() else {
            return Ok(false);
        };
        if !storage.wants_compaction(share)? {
            return Ok(false);
        }
        engine.clone().compact(None, &mut |_| {
            stop.rest(BREATH);
            match stop.is_asked() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        storage.was_compacted()?;
        Ok(false)
    }
}
