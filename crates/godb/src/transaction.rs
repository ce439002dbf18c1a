//! [`Transaction`]: reads and writes of keys, all or nothing.

use crate::connection::Connection;
use crate::error::Result;
use crate::keys::KeyTree;
use godb_mvcc::{EngineTransaction, Strength, Timestamp};
use std::io::Read;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// A transaction. Dropped without [`commit`](Self::commit), it is rolled back.
///
/// After an error that [is retryable](crate::Error::is_retryable) (a conflict, a deadlock) the whole transaction is to be run again.
pub struct Transaction {
    inner: Box<dyn EngineTransaction>,
    keys: Arc<KeyTree>,
    _connection: Arc<Connection>,
}

impl Transaction {
    pub(crate) fn new(
        inner: Box<dyn EngineTransaction>,
        keys: Arc<KeyTree>,
        connection: Arc<Connection>,
    ) -> Self {
        Self {
            inner,
            keys,
            _connection: connection,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get_with(key, <[u8]>::to_vec)
    }

    /// Shows the value of a key without copying it; `None` when there is none. `show` must be quick and must not use the database.
    pub fn get_with<R>(&self, key: &[u8], show: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        let Some(keys) = self.keys.get() else {
            return Ok(None);
        };
        let mut show = Some(show);
        let mut shown = None;
        self.inner.get(keys, key, &mut |bytes| {
            shown = show.take().map(|show| show(bytes));
        })?;
        Ok(shown)
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// A retryable conflict when another transaction committed a change of the key that this one does not see.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let keys = self.keys.get_or_make()?;
        Ok(self.inner.put(keys, key, value)?)
    }

    /// Removes a key; tells whether it was there.
    pub fn delete(&mut self, key: &[u8]) -> Result<bool> {
        let Some(keys) = self.keys.get() else {
            return Ok(false);
        };
        Ok(self.inner.delete(keys, key)?)
    }

    /// Sets a value from a stream of up to 1 GiB, in bounded memory. Returns its length.
    pub fn put_reader(&mut self, key: &[u8], mut value: impl Read) -> Result<u64> {
        let keys = self.keys.get_or_make()?;
        Ok(self.inner.put_reader(keys, key, &mut value)?)
    }

    /// A value as a stream, in bounded memory.
    pub fn get_reader(&self, key: &[u8]) -> Result<Option<Box<dyn Read + Send>>> {
        let Some(keys) = self.keys.get() else {
            return Ok(None);
        };
        Ok(self.inner.get_reader(keys, key)?)
    }

    /// Locks a key until the transaction ends: nobody else changes it.
    pub fn lock(&mut self, key: &[u8]) -> Result<()> {
        let keys = self.keys.get_or_make()?;
        Ok(self.inner.lock(keys, key, Strength::Exclusive)?)
    }

    /// The pairs of a range of keys, in order.
    ///
    /// ```
    /// # let db = godb::Database::in_memory()?;
    /// # db.put(b"ant", b"1")?; db.put(b"bee", b"2")?;
    /// let tx = db.begin()?;
    /// for pair in tx.range(b"a".as_slice()..b"b".as_slice())? {
    ///     let (key, value) = pair?;
    ///     assert_eq!((key.as_slice(), value.as_slice()), (b"ant".as_slice(), b"1".as_slice()));
    /// }
    /// # Ok::<(), godb::Error>(())
    /// ```
    pub fn range<'k>(&self, keys: impl RangeBounds<&'k [u8]>) -> Result<crate::pairs::Pairs> {
        self.scan(&keys, false)
    }

    /// The same, from the last key to the first.
    pub fn range_backward<'k>(&self, keys: impl RangeBounds<&'k [u8]>) -> Result<crate::pairs::Pairs> {
        self.scan(&keys, true)
    }

    /// Undoes everything since `savepoint`, which stays.
    pub fn roll_back_to(&mut self, savepoint: Savepoint) -> Result<()> {
        Ok(self.inner.roll_back_to(savepoint.0)?)
    }

    /// A point to [return to](Self::roll_back_to).
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        Ok(Savepoint(self.inner.savepoint()?))
    }

    /// Commits. When it returns, the changes survive whatever happens to the process (and, under sync mode full, the machine).
    ///
    /// # Errors
    /// After a [fault](crate::Error::Fault) the outcome is unknown until the database is opened again.
    pub fn commit(self) -> Result<Timestamp> {
        Ok(self.inner.commit()?)
    }

    /// Undoes everything.
    pub fn roll_back(self) -> Result<()> {
        Ok(self.inner.roll_back()?)
    }

    /// The commit whose state this transaction sees: what [`Database::as_of`](crate::Database::as_of) takes.
    #[must_use]
    pub fn snapshot(&self) -> Timestamp {
        self.inner.snapshot()
    }

    fn scan<'k>(&self, keys: &impl RangeBounds<&'k [u8]>, backward: bool) -> Result<crate::pairs::Pairs> {
        let Some(keys_tree) = self.keys.get() else {
            return Ok(crate::pairs::Pairs::none());
        };
        let bound = |bound: Bound<&&'k [u8]>| bound.map(|key| *key);
        let range = godb_mvcc::Range {
            from: bound(keys.start_bound()),
            to: bound(keys.end_bound()),
            backward,
        };
        Ok(crate::pairs::Pairs::new(self.inner.scan(keys_tree, range)?))
    }
}

/// A point within a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(godb_mvcc::EngineSavepoint);
