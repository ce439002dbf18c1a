//! [`Transaction`]: key-value and SQL together, all or nothing.

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::keys::KeyTree;
use crate::rows::Rows;
use godb_sql::{EngineCursor, EngineError, EngineTransaction, Session, Strength, Timestamp, Value};
use std::io::Read;
use std::ops::{Bound, ControlFlow, RangeBounds};
use std::sync::Arc;

/// A transaction. Dropped without [`commit`](Self::commit), it is rolled back.
///
/// After an error that [is retryable](crate::Error::is_retryable) (a conflict, a deadlock) the whole transaction is to be run again.
pub struct Transaction {
    session: Session,
    keys: Arc<KeyTree>,
    connection: Arc<Connection>,
}

impl Transaction {
    pub(crate) fn new(session: Session, keys: Arc<KeyTree>, connection: Arc<Connection>) -> Self {
        Self {
            session,
            keys,
            connection,
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
        self.engine()?.get(keys, key, &mut |bytes| {
            shown = show.take().map(|show| show(bytes));
        })?;
        Ok(shown)
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// A retryable conflict when another transaction committed a change of the key that this one does not see. Of many puts in a row the later ones are made
    /// together, in the order of their keys; what happens then is told by the next call that is not a put, at the latest by [`commit`](Self::commit).
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let keys = self.keys.get_or_make()?;
        Ok(self.engine_mut()?.put(keys, key, value)?)
    }

    /// Removes a key; tells whether it was there.
    pub fn delete(&mut self, key: &[u8]) -> Result<bool> {
        let Some(keys) = self.keys.get() else {
            return Ok(false);
        };
        Ok(self.engine_mut()?.delete(keys, key)?)
    }

    /// How many pairs there are, without counting them one by one: the number is kept with every commit. For a moment of the past they are counted.
    pub fn count(&self) -> Result<u64> {
        let Some(keys) = self.keys.get() else {
            return Ok(0);
        };
        Ok(self.engine()?.count(keys)?)
    }

    /// Sets a value from a stream of up to 1 GiB, in bounded memory. Returns its length.
    pub fn put_reader(&mut self, key: &[u8], mut value: impl Read) -> Result<u64> {
        let keys = self.keys.get_or_make()?;
        Ok(self.engine_mut()?.put_reader(keys, key, &mut value)?)
    }

    /// A value as a stream, in bounded memory.
    pub fn get_reader(&self, key: &[u8]) -> Result<Option<Box<dyn Read + Send>>> {
        let Some(keys) = self.keys.get() else {
            return Ok(None);
        };
        Ok(self.engine()?.get_reader(keys, key)?)
    }

    /// Locks a key until the transaction ends: nobody else changes it.
    pub fn lock(&mut self, key: &[u8]) -> Result<()> {
        let keys = self.keys.get_or_make()?;
        Ok(self.engine_mut()?.lock(keys, key, Strength::Exclusive)?)
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

    /// Shows the pairs of a range, in order, without copying them, until `visit` breaks off. `visit` must be quick and must not use the
    /// database: it may be called while a page is latched.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// # let db = godb::Database::in_memory()?;
    /// # db.put(b"ant", b"1")?; db.put(b"bee", b"2")?;
    /// let mut bytes = 0;
    /// db.begin()?.range_with(b"a".as_slice().., |_key, value| {
    ///     bytes += value.len();
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(bytes, 2);
    /// # Ok::<(), godb::Error>(())
    /// ```
    pub fn range_with<'k>(
        &self,
        keys: impl RangeBounds<&'k [u8]>,
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        let Some(mut cursor) = self.cursor(&keys, false)? else {
            return Ok(());
        };
        let mut broken = false;
        while !broken
            && cursor.next(&mut |key, value| {
                let flow = visit(key, value);
                broken = flow.is_break();
                flow
            })?
        {}
        Ok(())
    }

    /// Runs a query in this transaction.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows> {
        let result = self.session.execute(sql, params)?;
        Ok(Rows::new(result.rows, self.connection.clone()))
    }

    /// Runs a statement in this transaction; returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        Ok(self.session.execute(sql, params)?.finish()?)
    }

    /// Undoes everything since `savepoint`, which stays.
    pub fn roll_back_to(&mut self, savepoint: Savepoint) -> Result<()> {
        Ok(self.session.return_to(savepoint.0)?)
    }

    /// A point to [return to](Self::roll_back_to).
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        Ok(Savepoint(self.session.mark()?))
    }

    /// Commits. When it returns, the changes survive whatever happens to the process (and, under sync mode full, the machine).
    ///
    /// # Errors
    /// [`EngineError::OutcomeUnknown`], SQLSTATE 08007: the log could not be made durable, and whether the commit is in it shows when the database is opened
    /// again. After any other error nothing was committed.
    pub fn commit(mut self) -> Result<Timestamp> {
        Ok(self.session.commit()?)
    }

    /// Undoes everything.
    pub fn roll_back(mut self) -> Result<()> {
        Ok(self.session.roll_back()?)
    }

    /// The commit whose state this transaction sees: what [`Database::as_of`](crate::Database::as_of) takes.
    pub fn snapshot(&self) -> Result<Timestamp> {
        Ok(self.engine()?.snapshot())
    }

    /// The number by which others know it, once it has written; `None` before. When it has committed, [`Moment::After`](crate::Moment::After) and
    /// `AS OF SYSTEM TIME TRANSACTION` lead back to what it left.
    pub fn id(&self) -> Result<Option<crate::TxnId>> {
        Ok(self.engine()?.id())
    }

    fn scan<'k>(&self, keys: &impl RangeBounds<&'k [u8]>, backward: bool) -> Result<crate::pairs::Pairs> {
        Ok(crate::pairs::Pairs::new(self.cursor(keys, backward)?))
    }

    /// A cursor over a range of keys; `None` when there is not a single key yet.
    fn cursor<'k>(
        &self,
        keys: &impl RangeBounds<&'k [u8]>,
        backward: bool,
    ) -> Result<Option<Box<dyn EngineCursor>>> {
        let Some(keys_tree) = self.keys.get() else {
            return Ok(None);
        };
        let bound = |bound: Bound<&&'k [u8]>| bound.map(|key| *key);
        let range = godb_sql::Range {
            from: bound(keys.start_bound()),
            to: bound(keys.end_bound()),
            backward,
        };
        Ok(Some(self.engine()?.scan(keys_tree, range)?))
    }

    fn engine(&self) -> Result<&dyn EngineTransaction> {
        self.session.transaction().ok_or_else(ended)
    }

    fn engine_mut(&mut self) -> Result<&mut dyn EngineTransaction> {
        self.session.transaction_mut().ok_or_else(ended)
    }
}

/// SQL inside the transaction (`COMMIT`, `ROLLBACK`) has ended it.
fn ended() -> Error {
    EngineError::Unsupported {
        what: "using a transaction that SQL has ended",
    }
    .into()
}

/// A point within a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(godb_sql::EngineSavepoint);
