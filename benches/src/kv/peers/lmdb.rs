//! LMDB, through heed.

use super::lmdb_environment::environment;
use crate::Result;
use crate::kv::peer::{Durability, Kind, Opening, Peer, Reader, Session, Visit, Writer};
use heed::types::Bytes;
use heed::{CompactionOption, Env, EnvFlags};
use std::ops::{Bound, ControlFlow};
use std::path::PathBuf;

pub(super) const KIND: Kind = Kind { name: "LMDB", open };

type Pairs = heed::Database<Bytes, Bytes>;

fn open(opening: &Opening<'_>) -> Result<Box<dyn Peer>> {
    let env = environment(&opening.folder.join("lmdb"), flags(opening))?;
    let mut tx = env.write_txn()?;
    let pairs = env.create_database(&mut tx, None)?;
    tx.commit()?;
    Ok(Box::new(Lmdb {
        env: Some(env),
        pairs,
        folder: opening.folder.to_owned(),
        flags: flags(opening),
    }))
}

/// What LMDB's manual advises: no sync where none is wanted, no read-ahead by the system where memory is short.
fn flags(opening: &Opening<'_>) -> EnvFlags {
    let mut flags = EnvFlags::empty();
    flags.set(EnvFlags::NO_SYNC, opening.durability == Durability::Unsynced);
    flags.set(EnvFlags::NO_READ_AHEAD, opening.larger_than_memory);
    flags
}

struct Lmdb {
    env: Option<Env>,
    pairs: Pairs,
    folder: PathBuf,
    flags: EnvFlags,
}

impl Lmdb {
    fn env(&self) -> Result<&Env> {
        Ok(self.env.as_ref().ok_or("LMDB is closed")?)
    }
}

impl Peer for Lmdb {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(self))
    }

    /// LMDB compacts by copying.
    fn compact(&mut self) -> Result<bool> {
        let live = self.folder.join("lmdb");
        let copy = self.folder.join("lmdb-compact.mdb");
        let env = self.env.take().ok_or("LMDB is closed")?;
        env.copy_to_path(&copy, CompactionOption::Enabled)?;
        env.prepare_for_closing().wait();
        std::fs::rename(&copy, live.join("data.mdb"))?;
        let env = environment(&live, self.flags)?;
        let mut tx = env.write_txn()?;
        self.pairs = env.create_database(&mut tx, None)?;
        tx.commit()?;
        self.env = Some(env);
        Ok(true)
    }
}

impl Drop for Lmdb {
    fn drop(&mut self) {
        if let Some(env) = self.env.take() {
            env.prepare_for_closing().wait();
        }
    }
}

impl Session for &Lmdb {
    fn write(&mut self, body: &mut dyn FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
        let mut writer = Write {
            tx: self.env()?.write_txn()?,
            pairs: self.pairs,
        };
        body(&mut writer)?;
        writer.tx.commit()?;
        Ok(())
    }

    fn read(&mut self, body: &mut dyn FnMut(&mut dyn Reader) -> Result<()>) -> Result<()> {
        let tx = self.env()?.read_txn()?;
        body(&mut Read {
            tx: &tx,
            pairs: self.pairs,
        })
    }
}

struct Write<'e> {
    tx: heed::RwTxn<'e>,
    pairs: Pairs,
}

impl Writer for Write<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(self.pairs.put(&mut self.tx, key, value)?)
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.pairs.delete(&mut self.tx, key)?;
        Ok(())
    }
}

struct Read<'t> {
    tx: &'t heed::RoTxn<'t>,
    pairs: Pairs,
}

impl Reader for Read<'_> {
    fn get(&mut self, key: &[u8], show: &mut dyn FnMut(&[u8])) -> Result<bool> {
        Ok(self.pairs.get(self.tx, key)?.map(show).is_some())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<()> {
        if from.is_empty() {
            return each(self.pairs.iter(self.tx)?, visit);
        }
        let range = (Bound::Included(from), Bound::Unbounded);
        each(self.pairs.range(self.tx, &range)?, visit)
    }

    fn count(&mut self) -> Result<u64> {
        Ok(self.pairs.len(self.tx)?)
    }
}

fn each<'t>(pairs: impl Iterator<Item = heed::Result<(&'t [u8], &'t [u8])>>, visit: Visit<'_>) -> Result<()> {
    for pair in pairs {
        let (key, value) = pair?;
        if let ControlFlow::Break(()) = visit(key, value) {
            break;
        }
    }
    Ok(())
}
