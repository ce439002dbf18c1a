//! Pages, checksums and files: the bottom layer of godb.
//!
//! # The problem
//!
//! A database is a file, and a file is a promise that is easy to misread. A write that returned is in a cache. It reaches the disk later, in parts, in any order;
//! the power can go between any two of them, and a disk writes 512 or 4096 bytes at a time, so that a page of 8 KiB can be half new and half old. A new
//! file is durable when its *directory* was synced, not when the file was. A sync that fails may have thrown the data away, and the next
//! one may succeed without it (Rebello and others, *Can applications recover from fsync failures?*, ATC 2020). Disks return, rarely, bytes that nobody
//! wrote, or those of another place, or old ones. And all of this happens on the day that nobody tests for.
//!
//! This crate turns that into something the layers above can reason about: **whole pages, each either as it was or as it was meant to be, and an error
//! where neither is the case.** It knows nothing of trees, transactions or logs; an LSN is a number to it.
//!
//! # A page
//!
//! Pages have one size per file, 4 to 64 KiB. Each begins with a [header](page::header) of 96 bytes under a checksum. The checksum finds bits that
//! flipped; page id and database id beside it find a page that is whole and in the wrong place; the LSN finds one that is whole, in place and *old*. The rest of
//! a page belongs to the layer above; [`slotted`] is how most of them use it.
//!
//! # Three seams
//!
//! | seam | says | implementations |
//! | --- | --- | --- |
//! | [`FileSystem`], [`File`] | bytes at positions, names, syncs, one lock | [`RealFileSystem`], [`MemoryFileSystem`], [`SimulatedDisk`], [`OverlayFileSystem`] |
//! | [`PageStore`] | whole pages, sealed and verified, never torn | [`PageFile`], [`MemoryPageStore`] |
//! | [`Environment`] | the time, randomness, threads | the machine's, or a seed's |
//!
//! Nothing else in godb opens a file, reads a clock, draws a random number or starts a thread, and all locks and atomics come from [`sync`]. That is what
//! makes the layers above testable: a whole database runs on a simulated disk, from a seed, and the models of its protocols run the product's own code.
//!
//! # How a page is overwritten
//!
//! In place, since an index that moved with every change would have to be changed itself. To survive a torn write, a batch of pages is first copied into a *double-write
//! area* and synced there; then the pages are overwritten. Whatever is torn has a whole copy. [`PageFile`] has the order of events, and
//! `safe_copies` the format and a subtle point: copies of an older batch must not be mistaken for ones of the newest.
//!
//! The alternatives and why not: *logging the whole page at its first change after a checkpoint* (PostgreSQL) makes the committer wait for
//! eight kilobytes where he changed eight bytes; *copy on write* (LMDB) needs no copies and no log, and gives that up again as one writer at a time and a
//! path of pages per change; *disks that write atomically* exist, and a database cannot ask whether it has one.
//!
//! # What a file says about itself
//!
//! [`FileHeader`], twice, in pages 0 and 1, one of them always whole: what it is, its version and features (unknown ones are refused), its identity, the epoch of
//! its log, and whether it was closed cleanly. To create a database: take the [lock](FileSystem::lock), [`FileHeader::new`] and [`write`](FileHeader::write), sync the
//! directory, make the log's directory, [`PageFile::open`]. To open one: lock, [`FileHeader::read`], then [`PageFile::open`], which mends what a crash
//! tore, *before* the log is read. To close: sync the pages, then write the header with `clean` set; a header that says so is the last word.
//!
//! # Failing
//!
//! [`Fault`] has one variant for each thing that a caller can do about it: tell the user ([`Fault::Io`], [`Fault::Corrupt`]), make room and go on
//! ([`Fault::Full`]), close and open again ([`Fault::Poisoned`]). It is cheap to clone, for one failed sync is the answer to everybody who waited for it.
//!
//! # Where to read
//!
//! `file_system` and `store` (the seams), `fs/memory` and `file/memory_store` (the simplest that keep them), `page/header`, `file/safe_copies`,
//! `file/page_file`, and `fs/simulated` for how one tests against a disk that does no better than it must.
//!
//! # Left out
//!
//! *Direct and asynchronous I/O*: the operating system's cache is a second buffer pool, and `io_uring` would save a copy and some system calls. Both matter when a
//! database is larger than memory on a fast disk; neither changes a seam. *Compression and encryption* of pages have their 32 bytes in the header and no code yet.

mod ahead;
mod environment;
mod fault;
mod file;
mod file_system;
mod fs;
mod ids;
mod machine;
pub mod page;
mod plant;
pub mod slotted;
mod store;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use ahead::ask_for;
pub use environment::{Clock, Environment, Joining, Random, Spawn};
pub use fault::{DATABASE_FILE, Fault};
pub use file::{
    FORMAT_VERSION, FileHeader, HEADER_PAGES, MAX_STATE, MemoryPageStore, PageFile, PageFileOptions,
};
pub use file_system::{File, FileLock, FileSystem, OpenMode};
pub use fs::{
    Crash, Effect, Injection, MemoryFileSystem, Operations, OverlayFileSystem, RawFile, RealFileSystem,
    SimulatedDisk, Tear, WholeFile,
};
pub use ids::{DatabaseId, Lsn, PageId, TreeId, TxnId};
pub use machine::{ManualClock, NoThreads, SeededRandom, SystemClock, SystemRandom, SystemSpawn};
pub use page::header::PageKind;
#[cfg(feature = "plants")]
pub use plant::plant;
pub use store::PageStore;
