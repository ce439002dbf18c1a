//! What a compaction tells of itself.

use std::ops::ControlFlow;

/// What a compaction is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactionPhase {
    /// Versions are dropped that nobody can see.
    Collecting,
    /// Rows are packed into fewer pages.
    Packing,
    /// Pages are moved to the beginning of the file.
    Moving,
    /// Large values that lie at its end are written anew.
    Rewriting,
    /// The end of the file is given back.
    Cutting,
}

/// How far a compaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionProgress {
    /// What it is doing.
    pub phase: CompactionPhase,
    /// Pages looked at or moved, or values written, in this phase.
    pub done: u64,
    /// How many there were when the phase began; zero where that is not known.
    pub total: u64,
}

/// Told how far a compaction is, after each bounded part of it. Ends it by breaking.
pub type Heed<'a> = dyn FnMut(CompactionProgress) -> ControlFlow<()> + 'a;
