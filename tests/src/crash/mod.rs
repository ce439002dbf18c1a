//! The crash tester: a database on a simulated disk meets a fault at every moment of a workload, in every way that the disk's promises allow,
//! and is opened again. An oracle says whether what it then holds is something it may hold.
//!
//! Read in this order: [`script`] is the language of workloads, [`workloads`] those there are; [`player`] runs one; [`tester`] crashes it at every moment, by what
//! [`survivors`] says a crash can leave; [`judge`] opens that and asks [`oracle`]. [`nested`] crashes recovery, [`failures`] lets the process live on,
//! [`mod@shrink`] makes a failing workload small, and [`pulse`] tells when one hangs.
//! [`campaign`] shares the time among faults; [`plants`] are bugs for the tester to find, and [`plantation`] has it look for them.
//!
//! Three ideas make it fast enough to be exhaustive. *A workload runs once*: the disk copies itself before every operation, sharing what did not change, and each copy is
//! crashed afterwards. *Disks alike are judged once*: most of what crashes leave has been left before, and a fingerprint tells. *Small ones first*: nearly every
//! crash bug that file systems were ever found to have shows in a workload of three operations or fewer (Mohan and others, OSDI 2018).

mod campaign;
mod clock;
mod failures;
mod fault;
mod judge;
mod nested;
mod oracle;
mod plantation;
mod plants;
mod player;
mod pulse;
mod script;
mod shrink;
mod survivors;
mod tester;
mod workloads;

pub use campaign::{Campaign, Event, Total};
pub use fault::Fault;
pub use plantation::{Harvest, Plantation, line_of};
pub use plants::{Hunt, PLANTS, Plant, plant};
pub use pulse::Pulse;
pub use script::{Change, Key, Step, Workload};
pub use shrink::shrink;
pub use tester::{Effort, Failure, Outcome, Tester};
pub use workloads::{by_name, random, scripted, triples};
