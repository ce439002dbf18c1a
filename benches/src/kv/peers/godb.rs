//! godb, at its defaults but for the cache: repeatable read, checksums, no retention. Where data is larger than memory it has pages of 4 KiB, as its peers do, and reads them past the system's cache.

use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use godb::{Config, Database, SyncMode, Transaction};
use std::ops::ControlFlow;
use std::time::Duration;

pub(super) const KIND: Kind = Kind { name: "godb", open };

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let config = Config {
        buffer_pool_size: opening.cache,
        wal_sync_mode: match opening.durability {
            Durability::Synced => SyncMode::Full,
            Durability::Unsynced => SyncMode::Off,
        },
        page_size: match opening.larger_than_memory {
            true => 4096,
            false => Config::default().page_size,
        },
        direct_io: opening.larger_than_memory,
        checkpoint_log_size: (!opening.checkpoints).then_some(u64::MAX),
        checkpoint_interval: Duration::from_secs(if opening.checkpoints { 60 } else { 1 << 30 }),
        ..Config::default()
    };
    let db = Database::open_with(opening.folder.join("bench.godb"), config)?;
    Ok(Box::new(Godb(db)))
}

struct Godb(Database);

impl Peer for Godb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Godb(self.0.clone())))
    }

    fn checkpoint(&self) -> Result<()> {
        Ok(self.0.checkpoint()?)
    }

    fn compact(&mut self) -> Result<bool> {
        self.0.compact(|_| ControlFlow::Continue(()))?;
        Ok(true)
    }
}

impl Session for Godb {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        let mut tx = self.0.begin()?;
        body(&mut tx)?;
        tx.commit()?;
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        let mut tx = self.0.begin()?;
        body(&mut tx)
    }
}

impl Writer for Transaction {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(Self::put(self, key, value)?)
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.delete(key)?;
        Ok(())
    }
}

impl Reader for Transaction {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.get_with(key, show)?.is_some())
    }

    fn count(&mut self) -> Result<u64> {
        Ok(Self::count(self)?)
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        Ok(self.range_with(from.., visit)?)
    }
}
