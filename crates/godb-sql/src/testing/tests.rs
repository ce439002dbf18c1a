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

/// What every spawned thread has.
const STACK: usize = 2 << 20;

#[test]
fn views_upon_views_end_in_an_error_before_the_stack_does() {
    let deep = || {
        let sql = sql();
        let mut session = sql.session();
        let parentheses = "(".repeat(80) + "a" + &")".repeat(80);
        session.execute("CREATE VIEW v0 AS SELECT 1 AS a", &[]).unwrap();
        for number in 1.. {
            let below = number - 1;
            let text = format!("CREATE VIEW v{number} AS SELECT {parentheses} AS a FROM v{below}");
            if let Err(error) = session.execute(&text, &[]) {
                assert_eq!(error.state.0, "54001", "{}", error.message);
                let nested = "(SELECT a FROM ".repeat(85) + &format!("v{below}") + &" q)".repeat(85);
                assert_eq!(
                    session
                        .execute(&format!("SELECT a FROM {nested} q"), &[])
                        .unwrap()
                        .finish()
                        .unwrap(),
                    1
                );
                break;
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(deep)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn views_that_double_end_in_an_error() {
    let sql = sql();
    let mut session = sql.session();
    session.execute("CREATE VIEW v0 AS SELECT 1 AS a", &[]).unwrap();
    for number in 1.. {
        let text = format!(
            "CREATE VIEW v{number} AS SELECT x.a FROM v{0} x, v{0} y",
            number - 1
        );
        if let Err(error) = session.execute(&text, &[]) {
            assert_eq!(error.state.0, "54001", "{}", error.message);
            break;
        }
    }
}
