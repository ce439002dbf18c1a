//! [`Background`]: the few threads of an open database, each calling a `step()` that anybody else could call.
//!
//! | thread | step |
//! | --- | --- |
//! | `godb-writeback` | writes dirty pages, so that clean frames are ready |
//! | `godb-checkpoint` | takes a checkpoint when its time or its amount of log has come |
//! | `godb-collect` | drops versions that nobody can see |
//! | `godb-scrub` | reads pages to see whether they can still be read |

use crate::config::Config;
use crate::error::Result;
use crate::scrub::Scrubber;
use crate::storage::Storage;
use godb_page::sync::{Arc, Condvar, Mutex, wait_for};
use godb_page::{Environment, Joining};
use godb_sql::StorageEngine;
use std::time::Duration;

/// How long a thread rests when there was nothing to do.
const REST: Duration = Duration::from_millis(50);

/// Tells the threads to stop.
#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Rests, unless it is time to stop; tells whether it is.
    fn rest(&self, time: Duration) -> bool {
        let mut asked = self.asked.lock();
        if !*asked {
            wait_for(&self.changed, &mut asked, time);
        }
        *asked
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
}

impl Background {
    /// Starts them.
    pub(crate) fn start(
        environment: &Environment,
        config: &Config,
        engine: Arc<dyn StorageEngine>,
        storage: Option<Arc<Storage>>,
        scrubber: Option<Arc<Scrubber>>,
    ) -> Self {
        let background = Self {
            stop: Arc::new(Stop::default()),
            threads: Mutex::new(Vec::new()),
        };
        if let Some(scrubber) = scrubber.filter(|_| config.scrub_rate > 0) {
            background.run(environment, "godb-scrub", move || scrubber.step().map(|()| false));
        }
        if config.read_only {
            return background;
        }
        if let Some(storage) = storage {
            background.run(environment, "godb-writeback", move || storage.write_back());
        }
        background.run(
            environment,
            "godb-checkpoint",
            checkpoints(environment, config, engine.clone()),
        );
        background.run(environment, "godb-collect", move || Ok(engine.collect()?));
        background
    }

    /// Asks the threads to stop and waits until they have.
    pub(crate) fn stop(self) {
        self.stop.ask();
        self.threads.into_inner().into_iter().for_each(Joining::join);
    }

    /// Starts a thread that calls `step` again and again, and rests when it says that there is no more to do.
    fn run(
        &self,
        environment: &Environment,
        name: &str,
        mut step: impl FnMut() -> Result<bool> + Send + 'static,
    ) {
        let stop = self.stop.clone();
        let body = move || {
            let mut rest = Duration::ZERO;
            while !stop.rest(rest) {
                rest = match step() {
                    Ok(true) => Duration::ZERO,
                    Ok(false) => REST,
                    Err(error) => {
                        tracing::warn!(%error, "background work failed");
                        20 * REST
                    }
                };
            }
        };
        self.threads
            .lock()
            .extend(environment.spawn.spawn(name, Box::new(body)));
    }
}

/// The step that takes a checkpoint when one is due.
fn checkpoints(
    environment: &Environment,
    config: &Config,
    engine: Arc<dyn StorageEngine>,
) -> impl FnMut() -> Result<bool> + Send + 'static {
    let clock = environment.clock.clone();
    let (interval, size) = (config.checkpoint_interval, config.log_between_checkpoints());
    let mut last = clock.monotonic();
    move || {
        let log = engine.log_since_checkpoint();
        let now = clock.monotonic();
        if log > size || (log > 0 && now - last >= interval) {
            engine.checkpoint()?;
            last = now;
        }
        Ok(false)
    }
}
