//! The crash tester: a database on a simulated disk loses its power at every moment of a workload, in every way a disk may
//! lose what was not synced, and is opened again. An oracle says whether what it then holds is something it may hold.
//!
//! Exhaustive over short workloads: nearly every crash bug that file systems were ever found to have shows in a workload of three
//! operations or fewer (Mohan et al., CrashMonkey, 2018).

mod oracle;
mod tester;
mod workload;

pub use tester::{Fault, Outcome, Tester};
pub use workload::{Workload, all};
