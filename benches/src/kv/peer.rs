//! What a database has to be able to do to take part.

use crate::Result;
use std::ops::ControlFlow;
use std::path::Path;

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Until the medium has it.
    Synced,
    /// Until the operating system has it, or the database's own buffers where it offers no other.
    Unsynced,
}

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    /// A directory of its own.
    pub(crate) folder: &'a Path,
    /// Bytes of memory it may keep pages or blocks in.
    pub(crate) cache: usize,
    /// What commits wait for.
    pub(crate) durability: Durability,
    /// Whether it may take checkpoints by itself, where those are a step of their own.
    pub(crate) checkpoints: bool,
    /// Whether the data is larger than memory: what the system reads beyond what was asked for is then in the way.
    pub(crate) larger_than_memory: bool,
}

/// A kind of database.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Opens or creates one.
    pub(crate) open: fn(&Opening<'_>) -> Result<Box<dyn Peer>>,
}

/// An open database.
pub(crate) trait Peer: Sync {
    /// What a thread works through.
    fn session(&self) -> Result<Box<dyn Session + '_>>;

    /// Gives space back; tells whether it can.
    fn compact(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Puts everything in its place on disk, where that is a step of its own.
    fn checkpoint(&self) -> Result<()> {
        Ok(())
    }
}

/// One thread's access.
pub(crate) trait Session {
    /// Runs `body` in a transaction and commits it.
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()>;

    /// Runs `body` in one snapshot.
    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()>;
}

/// A writing transaction.
pub(crate) trait Writer {
    /// Sets a pair.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Removes a pair.
    fn remove(&mut self, key: &[u8]) -> Result<()>;
}

/// What is called with a key and its value; says whether to go on.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// A snapshot.
pub(crate) trait Reader {
    /// Shows the value of a key; tells whether there is one.
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool>;

    /// Visits pairs from a key on.
    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()>;

    /// How many pairs there are.
    fn count(&mut self) -> Result<u64> {
        let mut count = 0;
        self.scan(&[], &mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }
}
