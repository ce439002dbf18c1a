//! RocksDB; built from C++ behind the feature `rocksdb`.

use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use rocksdb::{
    BlockBasedOptions, Cache, Direction, IteratorMode, OptimisticTransactionDB, OptimisticTransactionOptions,
    Options, WriteOptions,
};
use std::ops::ControlFlow;

pub(super) const KIND: Kind = Kind {
    name: "RocksDB",
    open,
};

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(&Cache::new_lru_cache(opening.cache));
    blocks.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&blocks);
    options.increase_parallelism(4);
    let db = OptimisticTransactionDB::open(&options, opening.folder.join("rocksdb"))?;
    Ok(Box::new(Rocks {
        db,
        durability: opening.durability,
    }))
}

struct Rocks {
    db: OptimisticTransactionDB,
    durability: Durability,
}

impl Peer for Rocks {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn compact(&mut self) -> Result<bool> {
        self.db.compact_range::<&[u8], &[u8]>(None, None);
        Ok(true)
    }
}

impl Session for &Rocks {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(self.durability == Durability::Synced);
        let mut tx = self
            .db
            .transaction_opt(&options, &OptimisticTransactionOptions::default());
        body(&mut tx)?;
        tx.commit()?;
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        body(&mut self.db.snapshot())
    }
}

impl Writer for rocksdb::Transaction<'_, OptimisticTransactionDB> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(Self::put(self, key, value)?)
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        Ok(self.delete(key)?)
    }
}

impl Reader for rocksdb::SnapshotWithThreadMode<'_, OptimisticTransactionDB> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.get_pinned(key)?.map(|value| show(&value)).is_some())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        for pair in self.iterator(IteratorMode::From(from, Direction::Forward)) {
            let (key, value) = pair?;
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
}
