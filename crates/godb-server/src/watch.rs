//! Looks after clients that are gone while their statement runs: nobody reads their socket then.

use crate::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_millis(250);

/// Ends the statements of clients that have hung up, until the task is dropped. What they did is rolled back, and others get their locks.
pub(crate) async fn watch(registry: Arc<Registry>) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        for entry in registry.all() {
            if entry.busy.load(Ordering::Relaxed) && entry.socket.is_gone() {
                tracing::info!(process = entry.process, "the client is gone; its statement ends");
                entry.canceller.cancel();
            }
        }
    }
}
