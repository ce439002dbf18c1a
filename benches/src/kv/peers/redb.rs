//! redb.

use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use redb::{ReadableDatabase, ReadableTableMetadata, TableDefinition};
use std::ops::ControlFlow;

pub(super) const KIND: Kind = Kind { name: "redb", open };

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

const TABLE: Definition = TableDefinition::new("bench");

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let file = opening.folder.join("bench.redb");
    let new = !file.exists();
    let db = redb::Database::builder()
        .set_cache_size(opening.cache)
        .create(file)?;
    if new {
        let tx = db.begin_write()?;
        tx.open_table(TABLE)?;
        tx.commit()?;
    }
    Ok(Box::new(Redb {
        db,
        durability: opening.durability,
    }))
}

struct Redb {
    db: redb::Database,
    durability: Durability,
}

impl Peer for Redb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    fn compact(&mut self) -> Result<bool> {
        self.db.compact()?;
        Ok(true)
    }
}

impl Session for &Redb {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        let mut tx = self.db.begin_write()?;
        if self.durability == Durability::Unsynced {
            tx.set_durability(redb::Durability::None)?;
        }
        {
            let mut table = Table(tx.open_table(TABLE)?);
            body(&mut table)?;
        }
        tx.commit()?;
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        let tx = self.db.begin_read()?;
        let mut table = View(tx.open_table(TABLE)?);
        body(&mut table)
    }
}

struct Table<'tx>(redb::Table<'tx, &'static [u8], &'static [u8]>);

impl Writer for Table<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.0.insert(key, value)?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.0.remove(key)?;
        Ok(())
    }
}

struct View(redb::ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Reader for View {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.0.get(key)?.map(|value| show(value.value())).is_some())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        for pair in self.0.range(from..)? {
            let (key, value) = pair?;
            if let ControlFlow::Break(()) = visit(key.value(), value.value()) {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<u64> {
        Ok(self.0.len()?)
    }
}
