//! Versions: what each transaction sees, how long the past is kept, and how one travels there.
//!
//! # The problem
//!
//! With locks alone a report that reads a million rows either stops every writer or waits for all of them. The way out is as old as Reed's thesis
//! (1978): never overwrite, write a new *version*, and let each reader choose the version that belongs to its moment. Then readers and writers have nothing to
//! wait for in each other. Four questions come with it, and this crate is the answers to them. Where do the versions lie? How does a reader know which one is its own?
//! When may one be thrown away? And what do two *writers* do, who still cannot both have their way?
//!
//! # What a row looks like
//!
//! The newest version lies in the table's tree, where a reader without versions would look for the row. It names its writer, and the version it replaced. The
//! replaced one lies in the *history tree*, one tree for all tables, under a key that ends in the time of its commit:
//!
//! ```text
//!   tree of table 7                                    history tree
//!   ┌─────┬─────────────────────────────────────┐      ┌───────────────────────┬───────────────────────────────────────┐
//!   │ key │ flags │ writer │ previous │ value   │      │ (tree, key, ~commit)  │ flags │ writer │ previous │ value     │
//!   ├─────┼─────────────────────────────────────┤      ├───────────────────────┼───────────────────────────────────────┤
//!   │ ada │  P    │ 17     │ @450 ──────────────┼──────┼▶ 7, ada, ~450         │  P    │ 12     │ @300 ──┐ │ lon       │
//!   │ bob │       │ 12     │          │ paris   │      │                       │       │        │        ▼ │           │
//!   │ eve │  P T  │ 15     │ @300     │         │      │  7, ada, ~300         │       │ 9      │          │ lo        │
//!   └─────┴─────────────────────────────────────┘      │  7, eve, ~300         │       │ 9      │          │ rome      │
//!        P: there is a previous one    T: a tombstone  └───────────────────────┴───────────────────────────────────────┘
//! ```
//!
//! A writer does not know when it will commit, so a version carries its writer's *id*; when that committed is told by a map beside. The time is the place of the
//! commit record in the log: commits have an order there anyway, and no clock has a say in it. Times are inverted (`~`) in history keys, so that a look for "the
//! newest not after @400" is one step forward in the tree. Because a version names the time of the one before it, one who does not see the newest
//! finds the next by a single look, and notices when it is not where it ought to be.
//!
//! A row that everybody sees is *deleted in its place*: the value stays under a header that says so, and goes to the history only if the key is put again. So
//! most deletions copy nothing; see `mvcc/deletions.rs`.
//!
//! All of this is ordinary logged work of the writer's transaction. Rollback and crash take it back like anything else, and nothing has to be mended
//! after a restart.
//!
//! # Which version is mine
//!
//! A *snapshot* is one number, the newest commit published when it was taken. It sees a version if its writer is the reader itself, or committed at or before that
//! number. There is no list of the transactions running at that moment, as PostgreSQL has it: since commits are published in the order of the log and without a gap, "published by
//! then" and "at most this number" are the same.
//!
//! ```text
//!   ids   ·········· old ··········│ floor ···· running 15, 18 · committed 16 @470, 17 @490 ··········▶
//!                all ended,        │        in the map (memory)
//!                and seen by every │
//!                snapshot ≥ floor_at ──── older snapshots ask the timeline (in the history tree, only with retention or crowds)
//! ```
//!
//! Almost every row was written long ago. For it one comparison with the *floor* is all there is: no map, no lock, no shared line of cache written.
//!
//! - *Read committed* takes a new snapshot for each statement.
//! - *Repeatable read* takes one for the whole transaction. That is *snapshot isolation*: a writer waits for whoever is changing the row,
//!   and is refused if that commits ("first updater wins"), so there are no lost updates. Berenson et al. (1995) showed what is left: *write skew* has none of the three anomalies by
//!   which the SQL standard defines its levels, and is wrong all the same. Two transactions each read what the other changes, and both commit.
//! - *Serializable* is snapshot isolation that watches who has read what others changed, and ends one of three transactions whenever two such dependencies in a row become
//!   dangerous (Cahill et al., 2008). Nobody waits for it; see `mvcc/ssi/`.
//!
//! # Two writers
//!
//! The id in the row is also its lock. Whoever wants to write a row whose writer is still running waits for that *transaction* in the lock manager; the lock table has
//! entries only for those who wait, and a transaction that changes ten million rows holds one lock. Between looking at the newest version and replacing it one
//! of a fixed number of *stripes* is held, so that two cannot decide about one key at once. Locks on keys themselves exist for those who want a row kept as it is
//! without changing it; only where there are any do writers ask the lock manager.
//!
//! # The end of a version
//!
//! A version was current from its own commit until that of its successor. It can go when nobody looks, or will look, at any moment in between:
//!
//! ```text
//!   commits      ──300────────────450──────────490────────────────▶ newest
//!   version 300    ├──────────────┤
//!   version 450                   ├────────────┤
//!   somebody looks at         ▲ 420                     ▲ 495
//!   frontier                                            │ nobody will begin to look before this
//!   so:            held by 420    can go: nobody looks between 450 and 490, though 420 is older
//! ```
//!
//! The *frontier* is the newest commit, or that of `now − retention`; it only moves forward. Each commit leaves a list of the history entries that it made
//! superfluous, and they stand in a queue until the frontier has passed them. Entries that a moment in use holds are set aside under that moment. What the queue
//! does not know of, since memory is bounded and processes end, a slow sweep finds. So one long report keeps the versions of *its* moment alive, and not everything that came
//! after it; that is the known weakness of horizons (see PostgreSQL's `xmin`), and collection by intervals its cure (Lee et al., SAP HANA, 2016; Böttcher et
//! al., *Steam*, 2019).
//!
//! Nothing of collection is transactional. What nobody can see needs no undo, and a removal that could be undone might bring back a tombstone under which somebody has meanwhile written.
//!
//! # The past
//!
//! With a retention, the same versions answer `AS OF`. What is needed besides is to know, for times long ago, when an id committed and what the clock showed
//! then; the *timeline*, rows of the history tree, keeps both. The frontier is written down before anything is collected behind it, so that after any restart "too old" is said
//! wherever a wrong answer would have been possible.
//!
//! # What must hold
//!
//! - A snapshot never changes its mind: what it sees is the same at each look, whatever commits, is forgotten or collected meanwhile.
//! - A commit is in the map before any snapshot counts it in, and leaves the map only when no snapshot needs to ask.
//! - A reader registers its moment before it looks, under a latch that the collector takes too: either the collector finds it, or its moment is not older than what the collector
//!   took for newest.
//! - The old version is in the history before the stripe is free, and the new one is in place before the old one is in the history. So a reader who finds neither waits a moment for
//!   the writer instead of giving a wrong answer.
//! - Memory is bounded: what a transaction holds does not grow with what it writes, nor the queue and the map with what is committed.
//!
//! `tests/loom.rs` runs the publication, the snapshots and the collector through every interleaving.
//!
//! # Who calls whom
//!
//! Above stands SQL, and the key-value side of the facade, through the object-safe [`StorageEngine`]; a whole other engine can stand in its place, and
//! [`MemoryEngine`] is one: small, in memory, and the specification that the real one is compared with. Below stands whatever is `Transactions`; commits come back up from
//! there through its port `CommitHook`, which [`Commits`] is.
//!
//! # Where this comes from, and what others do
//!
//! Wu et al., *An Empirical Evaluation of In-Memory Multi-Version Concurrency Control* (2017), lay out the whole space of choices. Some well-known places in it:
//!
//! | | the newest version | old versions | a reader decides by | garbage |
//! | --- | --- | --- | --- | --- |
//! | PostgreSQL | anywhere in the heap; indexes may point at each | in the same heap | list of running ids | vacuum, behind the oldest snapshot |
//! | InnoDB | in place | undo records, as differences | list of running ids | purge, behind the oldest snapshot |
//! | Hekaton | a new record | records, chained, in memory | times in the record, stamped after commit | by cooperation of readers |
//! | here | in place | whole, in a tree, by key and time | one number | by intervals |
//!
//! In place, because most reads are of the newest version, and an index that points at keys need not change when a row moves. Whole versions and not differences, because
//! a reader of the past then reads one entry and not a chain; the price is space in the history. By key and not by commit, because `AS OF` asks by key; the price
//! is a second insertion for each update, in another place of the file.
//!
//! Left out: stamping versions with their commit's time after the fact (it makes readers dirty pages; the floor gives most of what it would), differences, and an order of the history by
//! commit, which would feed followers and make dropping old slices cheap.

mod cancellation;
mod compaction;
mod engine;
mod error;
mod memory;
mod mvcc;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use cancellation::Cancellation;
pub use compaction::{CompactionPhase, CompactionProgress, Heed};
pub use engine::{
    Begin, EngineCursor, EngineSavepoint, EngineTransaction, Isolation, Moment, ShowRow, StorageEngine,
    Strength, Timestamp,
};
pub use error::Error;
pub use godb_txn::sync;
pub use godb_txn::{
    Clock, Environment, Fault, Interrupt, Joining, Lsn, Patience, Range, Spawn, TreeId, TxnId,
};
pub use memory::MemoryEngine;
pub use mvcc::{
    Commits, Committed, KeptVersions, MvccEngine, MvccOptions, RecoveredCommits, VersionCheck, VersionFinding,
};
#[cfg(godb_loom)]
pub use mvcc::{Publication, Taken};
pub use mvcc::{StoredVersion, history_key};
