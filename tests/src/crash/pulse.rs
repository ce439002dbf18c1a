//! [`Pulse`]: shows from outside how far a tester is, so that somebody can see when it hangs.
//!
//! A case that never ends is a failure like any other, but the thread that met it can tell nobody. Each tester therefore notes every case that it begins where
//! another thread can read it; one that shows the same case for too long hangs.

use super::fault::Fault;
use super::script::Workload;
use super::tester::Failure;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What one tester is at.
#[derive(Debug, Default)]
pub struct Pulse {
    now: Mutex<Option<Case>>,
}

#[derive(Clone, Debug)]
struct Case {
    workload: String,
    fault: Fault,
    seed: u64,
    at: u64,
    case: u64,
    since: Instant,
}

impl Pulse {
    /// A workload meets a fault.
    pub(super) fn begin(&self, workload: &Workload, fault: Fault, seed: u64) {
        *self.lock() = Some(Case {
            workload: workload.name.clone(),
            fault,
            seed,
            at: 0,
            case: 0,
            since: Instant::now(),
        });
    }

    /// It came to a case.
    pub(super) fn beat(&self, at: u64, case: u64) {
        if let Some(now) = &mut *self.lock() {
            (now.at, now.case, now.since) = (at, case, Instant::now());
        }
    }

    /// It is over.
    pub(super) fn end(&self) {
        *self.lock() = None;
    }

    /// What is wrong when the present case has been taking longer than `patience`. The case named is the last that began: what hangs may
    /// also be the workload itself, on its way to the next moment.
    #[must_use]
    pub fn hangs(&self, patience: Duration) -> Option<Failure> {
        let now = self.lock().clone()?;
        let took = now.since.elapsed();
        (took > patience).then(|| Failure {
            workload: now.workload,
            fault: now.fault,
            at: now.at,
            case: now.case,
            seed: now.seed,
            how: "since this case began".into(),
            wrong: format!("it hangs: nothing has happened for {} s", took.as_secs()),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Case>> {
        self.now.lock().expect("nothing panics while it holds this")
    }
}

#[cfg(test)]
mod tests {
    use super::super::workloads::by_name;
    use super::{Fault, Pulse};
    use std::time::Duration;

    #[test]
    fn a_case_that_does_not_end_is_named() {
        let pulse = Pulse::default();
        let workload = by_name("put").unwrap();
        assert!(pulse.hangs(Duration::ZERO).is_none(), "nothing is tried");
        pulse.begin(&workload, Fault::Clock, 9);
        pulse.beat(3, 2);
        assert!(pulse.hangs(Duration::from_secs(3600)).is_none());
        std::thread::sleep(Duration::from_millis(2));
        let failure = pulse.hangs(Duration::from_millis(1)).unwrap().to_string();
        assert!(
            failure.contains("--workload put --fault clock --seed 9 --at 3 --case 2"),
            "{failure}"
        );
        pulse.end();
        assert!(pulse.hangs(Duration::ZERO).is_none());
    }
}
