//! The scripts on the engine in memory.

use super::{SCRIPTS, run};
use crate::session::{Sql, SqlOptions};
use godb_mvcc::{Environment, MemoryEngine};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn sql() -> Arc<Sql> {
    let environment = Environment::system();
    let retention = Duration::from_secs(3600);
    let engine = MemoryEngine::with(environment.clone(), retention, Duration::from_secs(2));
    Sql::open(engine, environment, SqlOptions::default()).unwrap()
}

#[test]
fn every_script_is_answered_as_it_says() {
    let only = std::env::var("GODB_SCRIPT").ok();
    for (name, script) in SCRIPTS {
        if only.as_deref().is_none_or(|only| only == *name) {
            let directory = tempfile::tempdir().unwrap();
            run(name, script, &sql(), directory.path());
        }
    }
}
