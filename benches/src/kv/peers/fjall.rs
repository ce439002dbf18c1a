//! fjall, a log-structured merge tree in Rust.

use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use fjall::{KeyspaceCreateOptions, PersistMode, Readable, SingleWriterTxDatabase, SingleWriterTxKeyspace};
use std::ops::ControlFlow;

pub(super) const KIND: Kind = Kind { name: "fjall", open };

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let db = SingleWriterTxDatabase::builder(opening.folder.join("fjall"))
        .cache_size(opening.cache as u64)
        .open()?;
    let pairs = db.keyspace("bench", KeyspaceCreateOptions::default)?;
    Ok(Box::new(Fjall {
        db,
        pairs,
        durability: opening.durability,
    }))
}

struct Fjall {
    db: SingleWriterTxDatabase,
    pairs: SingleWriterTxKeyspace,
    durability: Durability,
}

impl Peer for Fjall {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn compact(&mut self) -> Result<bool> {
        self.pairs.inner().major_compact()?;
        Ok(true)
    }
}

impl Session for &Fjall {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        let mode = match self.durability {
            Durability::Synced => Some(PersistMode::SyncAll),
            Durability::Unsynced => None,
        };
        let mut writer = Write {
            tx: self.db.write_tx().durability(mode),
            pairs: &self.pairs,
        };
        body(&mut writer)?;
        writer.tx.commit()?;
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        body(&mut Read {
            snapshot: self.db.read_tx(),
            pairs: &self.pairs,
        })
    }
}

struct Write<'d> {
    tx: fjall::SingleWriterWriteTx<'d>,
    pairs: &'d SingleWriterTxKeyspace,
}

impl Writer for Write<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.tx.insert(self.pairs, key, value);
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.tx.remove(self.pairs, key);
        Ok(())
    }
}

struct Read<'d> {
    snapshot: fjall::Snapshot,
    pairs: &'d SingleWriterTxKeyspace,
}

impl Reader for Read<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self
            .snapshot
            .get(self.pairs, key)?
            .map(|value| show(&value))
            .is_some())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        for pair in self.snapshot.range(self.pairs, from..) {
            let (key, value) = pair.into_inner()?;
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
}
