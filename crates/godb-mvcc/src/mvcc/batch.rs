//! [`Batch`]: puts that are made together, in the order of their keys.
//!
//! Keys that come in any order each take a way of their own through the tree, and mostly through cold memory. A transaction that sets many keys of one tree in a row and
//! looks at nothing meanwhile cannot tell *when* they are set. So from the [`STREAK`]th put in a row on they are gathered, and made as one sorted
//! [run](Tree::add) when their share of memory is full or anything else is asked of the transaction, its commit above all. Rows whose keys are there already go the usual way
//! then, one by one.
//!
//! What only shows when they are made, a conflict or a full disk, is told by the call that made them; the rest of the batch is lost then, so the transaction can
//! only be rolled back, or rolled back to a savepoint, before each of which the batch is made.
//!
//! The memory of all batches together is bounded by [`MvccOptions::batch_memory`](super::MvccOptions::batch_memory).

use super::transaction::{MvccTransaction, Writes};
use super::version::{Header, MAX_HEADER};
use super::write::New;
use crate::error::Error;
use godb_txn::sync::atomic::{AtomicUsize, Ordering};
use godb_txn::{Row, Transactions, Tree, TreeId, TxnId, Value};

/// How many puts in a row are made at once, each by itself, before it is worth gathering the next.
const STREAK: u32 = if cfg!(test) { 3 } else { 16 };

/// Rows whose keys are kept from others together.
const GROUP: usize = 64;

/// Rows that came in order are made when there are so many: there is nothing to sort, and they are still in the processor's cache.
const ORDERED: usize = 2 * GROUP;

/// Bytes that a batch asks for at a time.
const GRANT: usize = 16 << 10;

/// The memory that all batches may take.
pub(super) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
        }
    }

    /// What may still be taken.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Where a gathered row lies.
#[derive(Clone, Copy)]
struct Place {
    /// The first bytes of the key: they decide most comparisons.
    prefix: u64,
    at: usize,
    key: u32,
    value: u32,
}

/// Gathered puts.
#[derive(Default)]
pub(super) struct Batch {
    tree: TreeId,
    /// Puts of this tree in a row.
    streak: u32,
    /// Keys and stored values, one behind the other.
    bytes: Vec<u8>,
    places: Vec<Place>,
    /// The keys came in order so far.
    ordered: bool,
    /// What was granted of the budget.
    granted: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Counts a put that is about to be made; tells whether it may be gathered instead.
    fn counts(&mut self, tree: TreeId) -> bool {
        if self.tree != tree {
            self.tree = tree;
            self.streak = 0;
        }
        self.streak = self.streak.saturating_add(1);
        self.streak > STREAK
    }

    /// Makes sure that a row of so many bytes may be held.
    fn has_room(&mut self, bytes: usize, budget: &Budget) -> bool {
        let needed = self.bytes.len() + (self.places.len() + 1) * size_of::<Place>() + bytes;
        while self.granted < needed {
            if !budget.take(GRANT) {
                return false;
            }
            self.granted += GRANT;
        }
        true
    }

    fn push(&mut self, header: Header, key: &[u8], value: &[u8]) {
        let at = self.bytes.len();
        self.ordered = self
            .places
            .last()
            .is_none_or(|last| self.ordered && self.key(last) < key);
        self.bytes.extend_from_slice(key);
        header.encode(&mut self.bytes);
        self.bytes.extend_from_slice(value);
        let stored = self.bytes.len() - at - key.len();
        self.places.push(Place {
            prefix: prefix(key),
            at,
            key: short(key.len()),
            value: short(stored),
        });
    }

    fn key(&self, place: &Place) -> &[u8] {
        &self.bytes[place.at..place.at + place.key as usize]
    }

    fn row(&self, place: &Place) -> Row<'_> {
        let at = place.at + place.key as usize;
        Row {
            key: self.key(place),
            value: Value::inline(&self.bytes[at..at + place.value as usize]),
        }
    }

    /// Puts the rows in the order of their keys. Of those of one key the last counts.
    fn sort(&mut self) {
        if self.ordered {
            return;
        }
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|one, other| {
            one.prefix
                .cmp(&other.prefix)
                .then_with(|| self.key(one).cmp(self.key(other)))
                .then(other.at.cmp(&one.at))
        });
        places.dedup_by(|next, one| next.prefix == one.prefix && self.key(next) == self.key(one));
        self.places = places;
    }

    /// Forgets the rows; the next ones take their memory.
    fn empty(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    /// Forgets everything and gives its memory back, but for a little that the next batch may use.
    fn clear(&mut self, budget: &Budget) {
        self.empty();
        self.bytes.shrink_to(GRANT);
        self.places.shrink_to(GRANT / size_of::<Place>());
        budget.give_back(std::mem::take(&mut self.granted));
    }
}

fn prefix(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = key.len().min(8);
    first[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(first)
}

/// How many there are, as a change of a number of rows.
fn rows_of<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).expect("a group is small")
}

fn short(length: usize) -> u32 {
    u32::try_from(length).expect("a row that lies in a leaf is small")
}

impl<T: Transactions> MvccTransaction<T> {
    /// Gathers a put, if it is one of many in a row, and its value lies in the leaf.
    pub(super) fn gathers(
        &self,
        writes: &mut Writes,
        by: TxnId,
        (tree, key): (TreeId, &[u8]),
        value: &[u8],
    ) -> Result<bool, Error> {
        if writes.batch.tree != tree {
            self.make_batch(writes, by)?;
        }
        // A scan that is going on shows what is put before it.
        if !writes.batch.counts(tree) || self.is_watched() {
            self.make_batch(writes, by)?;
            return Ok(false);
        }
        if writes.batch.ordered && writes.batch.places.len() >= ORDERED {
            self.make_batch(writes, by)?;
        }
        let bytes = MAX_HEADER + key.len() + value.len();
        let budget = &self.engine().budget;
        if !writes.batch.has_room(bytes, budget) {
            self.make_batch(writes, by)?;
            if !writes.batch.has_room(bytes, budget) {
                return Ok(false);
            }
        }
        let header = Header {
            writer: by,
            tombstone: false,
            kept: false,
            previous: None,
        };
        writes.batch.push(header, key, value);
        Ok(true)
    }

    /// Makes the gathered puts. When that fails, some of them are lost, so the transaction has failed.
    pub(super) fn make_batch(&self, writes: &mut Writes, by: TxnId) -> Result<(), Error> {
        if writes.batch.is_empty() {
            return Ok(());
        }
        let mut batch = std::mem::take(&mut writes.batch);
        batch.sort();
        let places = std::mem::take(&mut batch.places);
        let made = places
            .chunks(GROUP)
            .try_for_each(|group| self.make_group(writes, by, &batch, group));
        batch.places = places;
        batch.empty();
        let tree = batch.tree;
        writes.batch = batch;
        made.map_err(|error| {
            let error = self.engine().about_tree(tree, error);
            writes.failed = Some(error.clone());
            error
        })
    }

    /// Makes some of the rows of a batch: as one run those whose keys are new, and then the others.
    fn make_group(
        &self,
        writes: &mut Writes,
        by: TxnId,
        batch: &Batch,
        group: &[Place],
    ) -> Result<(), Error> {
        let engine = self.engine();
        let rows: Vec<Row<'_>> = group.iter().map(|place| batch.row(place)).collect();
        let mut present = Vec::new();
        {
            let _stripes = engine.claims.stripes(batch.tree, rows.iter().map(|row| row.key));
            if engine.claims.has_explicit(batch.tree) {
                present.extend(0..rows.len());
            } else {
                engine
                    .tree()
                    .add(by, batch.tree, &rows, &mut |row| present.push(row))?;
            }
        }
        writes
            .difference
            .add(batch.tree, rows_of(group) - rows_of(&present));
        for row in present.iter().map(|number| &rows[*number]) {
            let (_, value) = Header::decode(row.value.inline).expect("it was encoded when it was gathered");
            self.write(writes, by, batch.tree, row.key, New::Put(Value::inline(value)))?;
        }
        Ok(())
    }

    /// Forgets the gathered puts.
    pub(super) fn drop_batch(&self, writes: &mut Writes) {
        writes.batch.clear(&self.engine().budget);
        writes.batch.streak = 0;
    }

    /// Something else than a put was asked for: makes what is gathered.
    pub(super) fn end_streak(&self, writes: &mut Writes) -> Result<(), Error> {
        writes.batch.streak = 0;
        if writes.batch.granted == 0 {
            return Ok(());
        }
        let made = self.writer().map_or(Ok(()), |by| self.make_batch(writes, by));
        writes.batch.clear(&self.engine().budget);
        made
    }
}
