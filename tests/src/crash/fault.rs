//! [`Fault`]: what goes wrong.

use std::fmt;

/// What goes wrong, and how the disk is found afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The power goes; what was not synced is lost.
    PowerLoss,
    /// The power goes; of what was not synced anything may have survived.
    AnySubset,
    /// The power goes while something is written; a part of that write survives.
    TornWrites,
    /// The power goes; names and lengths are lost and the data is not, or the other way round.
    LostNames,
    /// A sync fails, once or for ever, and forgets what it should have written, or some of it.
    FailedSync,
    /// The disk is full, for a moment or for good.
    FullDisk,
    /// The power goes again while the database recovers, and again.
    InRecovery,
    /// The clock goes back, jumps and stops, and the power goes.
    Clock,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::PowerLoss,
        Self::AnySubset,
        Self::TornWrites,
        Self::LostNames,
        Self::FailedSync,
        Self::FullDisk,
        Self::InRecovery,
        Self::Clock,
    ];

    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PowerLoss => "power-loss",
            Self::AnySubset => "any-subset",
            Self::TornWrites => "torn-writes",
            Self::LostNames => "lost-names",
            Self::FailedSync => "failed-sync",
            Self::FullDisk => "full-disk",
            Self::InRecovery => "in-recovery",
            Self::Clock => "clock",
        }
    }

    /// How much of a campaign's time it gets, beside the others.
    #[must_use]
    pub(super) fn weight(self) -> u32 {
        match self {
            Self::PowerLoss | Self::AnySubset => 3,
            Self::InRecovery => 2,
            _ => 1,
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
