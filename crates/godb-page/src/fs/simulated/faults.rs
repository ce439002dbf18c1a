//! What a test can make go wrong: an [`Injection`] names operations by kind, file and number, and what becomes of them.

use std::ops::BitOr;

/// Kinds of operation; add them up with `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations(u16);

impl Operations {
    /// Opening a file that is there.
    pub const OPEN: Self = Self(1);
    /// Creating a file by opening it, or making a directory.
    pub const CREATE: Self = Self(2);
    /// Reading.
    pub const READ: Self = Self(4);
    /// Writing.
    pub const WRITE: Self = Self(8);
    /// Growing or shrinking a file.
    pub const SET_LEN: Self = Self(16);
    /// Making a file durable.
    pub const SYNC: Self = Self(32);
    /// Making a directory's names durable.
    pub const SYNC_DIR: Self = Self(64);
    /// Renaming.
    pub const RENAME: Self = Self(128);
    /// Removing a file or directory.
    pub const UNLINK: Self = Self(256);
    /// Looking: length, existence, listing.
    pub const LOOK: Self = Self(512);
    /// Everything that can change what a crash leaves behind.
    pub const CHANGES: Self = Self(2 | 8 | 16 | 32 | 64 | 128 | 256);
    /// Everything.
    pub const ALL: Self = Self(1023);

    /// Each kind by itself.
    pub const EACH: [Self; 10] = [
        Self::OPEN,
        Self::CREATE,
        Self::READ,
        Self::WRITE,
        Self::SET_LEN,
        Self::SYNC,
        Self::SYNC_DIR,
        Self::RENAME,
        Self::UNLINK,
        Self::LOOK,
    ];

    /// Whether `other` has a kind in common with these.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Operations {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It fails with EIO and does nothing.
    IoError,
    /// It fails with ENOSPC and does nothing.
    DiskFull,
    /// It fails with this error number of the operating system, and does nothing: EDQUOT, EFBIG, EACCES.
    Refused {
        /// The number.
        errno: i32,
    },
    /// A write that stores its first `bytes` bytes and fails with ENOSPC.
    PartlyFull {
        /// How many bytes are stored.
        bytes: usize,
    },
    /// The power goes before it is done: it and everything after it fails. Then comes [`crash`](super::SimulatedDisk::crash).
    PowerOff,
    /// A sync that fails, after which the system believes the file clean: reads still show what was written, and a later sync
    /// succeeds without writing it. Each pending change is forgotten when the seed's next number is odd; with no seed, all are. The sync of a
    /// directory forgets names likewise.
    SyncForgets {
        /// Chooses what is forgotten.
        seed: Option<u64>,
    },
    /// One bit of what is read or written is wrong, counted from the first byte; no error is reported.
    FlipBit {
        /// Which bit, modulo the number there are.
        bit: u64,
    },
    /// A write that is reported done and never happens.
    LoseWrite,
    /// A read or write that goes to a place this many bytes further, or back.
    Misdirect {
        /// How far off.
        by: i64,
    },
}

/// Makes some operations go wrong.
#[derive(Clone, Debug)]
pub struct Injection {
    /// Which kinds.
    pub on: Operations,
    /// Only those on files whose name ends so; empty for all.
    pub file: String,
    /// Only reads and writes that touch these bytes of their file; `None` for all. A bad sector, when the injection lasts.
    pub place: Option<(u64, u64)>,
    /// The first to go wrong, counting matching operations from now on; 1 is the next.
    pub nth: u64,
    /// Every later one too.
    pub lasting: bool,
    /// What goes wrong.
    pub effect: Effect,
}

impl Injection {
    /// The `nth` operation of these kinds, on any file, once.
    #[must_use]
    pub fn once(on: Operations, nth: u64, effect: Effect) -> Self {
        Self {
            on,
            file: String::new(),
            place: None,
            nth,
            lasting: false,
            effect,
        }
    }

    /// The `nth` operation of these kinds, on any file, and every later one.
    #[must_use]
    pub fn lasting(on: Operations, nth: u64, effect: Effect) -> Self {
        Self {
            lasting: true,
            ..Self::once(on, nth, effect)
        }
    }

    /// The same, on files whose name ends with `file`.
    #[must_use]
    pub fn on_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    /// The same, where the bytes from `from` up to `to`, not included, are read or written.
    #[must_use]
    pub fn within(mut self, from: u64, to: u64) -> Self {
        self.place = Some((from, to));
        self
    }
}

/// An injection and how many matching operations it has seen.
#[derive(Clone)]
pub(super) struct Armed {
    injection: Injection,
    seen: u64,
}

impl Armed {
    pub(super) fn new(injection: Injection) -> Self {
        Self { injection, seen: 0 }
    }

    /// Counts an operation; tells what becomes of it.
    pub(super) fn meets(&mut self, kind: Operations, file: &str, bytes: (u64, u64)) -> Option<Effect> {
        let wanted = &self.injection;
        if !wanted.on.meets(kind) || !file.ends_with(&wanted.file) {
            return None;
        }
        if wanted
            .place
            .is_some_and(|(from, to)| bytes.1 <= from || bytes.0 >= to)
        {
            return None;
        }
        self.seen += 1;
        let hit = self.seen == wanted.nth || (wanted.lasting && self.seen > wanted.nth);
        hit.then_some(wanted.effect)
    }
}
