//! sled. Its transactions are closures that may run again; what is asked here fits batches, which it applies atomically.

use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use std::ops::ControlFlow;

pub(super) const KIND: Kind = Kind { name: "sled", open };

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let db = sled::Config::new()
        .path(opening.folder.join("sled"))
        .cache_capacity(opening.cache as u64)
        .open()?;
    Ok(Box::new(Sled {
        db,
        durability: opening.durability,
    }))
}

struct Sled {
    db: sled::Db,
    durability: Durability,
}

impl Peer for Sled {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }
}

impl Session for &Sled {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        let mut batch = sled::Batch::default();
        body(&mut batch)?;
        self.db.apply_batch(batch)?;
        if self.durability == Durability::Synced {
            self.db.flush()?;
        }
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        body(&mut self.db.clone())
    }
}

impl Writer for sled::Batch {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.insert(key, value);
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        Self::remove(self, key);
        Ok(())
    }
}

impl Reader for sled::Db {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(sled::Tree::get(self, key)?.map(|value| show(&value)).is_some())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        for pair in self.range(from..) {
            let (key, value) = pair?;
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
}
