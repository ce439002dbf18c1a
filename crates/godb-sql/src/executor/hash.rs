//! [`KeyTable`]: which of the keys seen so far is this one? What grouping, joining and removing duplicates are made of.
//!
//! Keys are numbered densely in the order in which they were first seen. Columns of a key are written as in an index
//! ([`KeyColumn`]), so that what SQL calls equal (`1.0` and `1.00`, both zeros) are equal bytes. A key of one integer column is kept as
//! the integer. Probing is linear over a power of two of slots, kept at most half full.

use crate::storage::KeyColumn;
use crate::types::{DataType, Physical};
use crate::vector::{Column, ColumnData};
use std::sync::Arc;

const EMPTY: u32 = u32::MAX;

/// Numbers keys.
#[derive(Debug)]
pub(crate) struct KeyTable {
    seed: u64,
    /// Where the number of a key is found, by its hash; with some bits of the hash beside it.
    slots: Vec<(u32, u32)>,
    keys: Keys,
    columns: Vec<KeyColumn>,
    scratch: Vec<u8>,
}

#[derive(Debug)]
enum Keys {
    /// One integer column; the number of the NULL key, if it was seen.
    Ints { values: Vec<i64>, null: Option<u32> },
    /// Any columns.
    Bytes { bytes: Vec<u8>, ends: Vec<usize> },
}

impl KeyTable {
    /// For keys of these types.
    pub(crate) fn new(types: &[DataType], seed: u64) -> Self {
        let keys = match types {
            [ty] if ty.physical() == Physical::Int => Keys::Ints {
                values: Vec::new(),
                null: None,
            },
            _ => Keys::Bytes {
                bytes: Vec::new(),
                ends: Vec::new(),
            },
        };
        let columns = types.iter().map(|ty| KeyColumn::indexed(*ty, false)).collect();
        Self {
            seed,
            slots: vec![(EMPTY, 0); 64],
            keys,
            columns,
            scratch: Vec::new(),
        }
    }

    /// How many keys.
    pub(crate) fn len(&self) -> usize {
        match &self.keys {
            Keys::Ints { values, .. } => values.len(),
            Keys::Bytes { ends, .. } => ends.len(),
        }
    }

    /// Roughly how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let keys = match &self.keys {
            Keys::Ints { values, .. } => values.len() * 8,
            Keys::Bytes { bytes, ends } => bytes.len() + ends.len() * 8,
        };
        keys + self.slots.len() * 8
    }

    /// The number of the key in row `row`; a new one when it was not seen before.
    #[inline]
    pub(crate) fn insert(&mut self, key: &[Arc<Column>], row: usize) -> u32 {
        self.find_or(key, row, true).expect("inserted when missing")
    }

    /// The number of the key in row `row`, if it was seen.
    #[inline]
    pub(crate) fn find(&mut self, key: &[Arc<Column>], row: usize) -> Option<u32> {
        self.find_or(key, row, false)
    }

    /// The hash of the key in row `row`.
    pub(crate) fn hash(&mut self, key: &[Arc<Column>], row: usize) -> u64 {
        match int_at(&self.keys, key, row) {
            Some(Some(value)) => mix(self.seed ^ value.cast_unsigned()),
            Some(None) => mix(mix(self.seed)),
            None => {
                self.write(key, row);
                hash_bytes(self.seed, &self.scratch)
            }
        }
    }

    fn find_or(&mut self, key: &[Arc<Column>], row: usize, insert: bool) -> Option<u32> {
        match int_at(&self.keys, key, row) {
            Some(Some(value)) => self.find_int(value, insert),
            Some(None) => self.find_null(insert),
            None => {
                self.write(key, row);
                self.find_bytes(insert)
            }
        }
    }

    fn find_null(&mut self, insert: bool) -> Option<u32> {
        let Keys::Ints { values, null } = &mut self.keys else {
            unreachable!("an integer key")
        };
        if null.is_none() && insert {
            *null = Some(number(values.len()));
            values.push(0);
        }
        *null
    }

    #[inline]
    fn find_int(&mut self, value: i64, insert: bool) -> Option<u32> {
        let hash = mix(self.seed ^ value.cast_unsigned());
        let Keys::Ints { values, .. } = &mut self.keys else {
            unreachable!("an integer key")
        };
        let found = probe(&self.slots, hash, |id| values[id as usize] == value);
        self.settle(found, hash, insert, |keys| {
            if let Keys::Ints { values, .. } = keys {
                values.push(value);
            }
        })
    }

    fn find_bytes(&mut self, insert: bool) -> Option<u32> {
        let hash = hash_bytes(self.seed, &self.scratch);
        let Keys::Bytes { bytes, ends } = &self.keys else {
            unreachable!("a key of bytes")
        };
        let found = probe(&self.slots, hash, |id| key_at(bytes, ends, id) == self.scratch);
        let scratch = std::mem::take(&mut self.scratch);
        let id = self.settle(found, hash, insert, |keys| {
            if let Keys::Bytes { bytes, ends } = keys {
                bytes.extend_from_slice(&scratch);
                ends.push(bytes.len());
            }
        });
        self.scratch = scratch;
        id
    }

    #[inline]
    fn settle(
        &mut self,
        found: Result<u32, usize>,
        hash: u64,
        insert: bool,
        add: impl FnOnce(&mut Keys),
    ) -> Option<u32> {
        match found {
            Ok(id) => Some(id),
            Err(_) if !insert => None,
            Err(slot) => {
                let id = number(self.len());
                self.slots[slot] = (id, tag(hash));
                add(&mut self.keys);
                if self.len() * 2 > self.slots.len() {
                    self.grow();
                }
                Some(id)
            }
        }
    }

    fn write(&mut self, key: &[Arc<Column>], row: usize) {
        self.scratch.clear();
        for (column, values) in self.columns.iter().zip(key) {
            column.put(&mut self.scratch, values, row);
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mut slots = vec![(EMPTY, 0); self.slots.len() * 2];
        let mut place = |id: u32, hash: u64| {
            if let Err(slot) = probe(&slots, hash, |_| false) {
                slots[slot] = (id, tag(hash));
            }
        };
        match &self.keys {
            Keys::Ints { values, null } => {
                let numbered = values.iter().enumerate().map(|(id, value)| (number(id), value));
                for (id, value) in numbered.filter(|(id, _)| Some(*id) != *null) {
                    place(id, mix(self.seed ^ value.cast_unsigned()));
                }
            }
            Keys::Bytes { bytes, ends } => {
                for id in 0..number(ends.len()) {
                    place(id, hash_bytes(self.seed, key_at(bytes, ends, id)));
                }
            }
        }
        self.slots = slots;
    }
}

/// The integer of an integer key (`Some(None)`: NULL), or `None` for other keys.
#[inline]
fn int_at(keys: &Keys, key: &[Arc<Column>], row: usize) -> Option<Option<i64>> {
    let (Keys::Ints { .. }, [column]) = (keys, key) else {
        return None;
    };
    let ColumnData::Int(values) = &column.data else {
        return None;
    };
    Some((!column.is_null(row)).then(|| values[row]))
}

fn key_at<'a>(bytes: &'a [u8], ends: &[usize], id: u32) -> &'a [u8] {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start..ends[id]]
}

/// The number found, or the free slot where it belongs.
#[inline]
fn probe(slots: &[(u32, u32)], hash: u64, same: impl Fn(u32) -> bool) -> Result<u32, usize> {
    let mask = slots.len() - 1;
    let wanted = tag(hash);
    let mut slot = index(hash) & mask;
    loop {
        let (id, tag) = slots[slot];
        if id == EMPTY {
            return Err(slot);
        }
        if tag == wanted && same(id) {
            return Ok(id);
        }
        slot = (slot + 1) & mask;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
fn index(hash: u64) -> usize {
    hash as usize
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn number(id: usize) -> u32 {
    u32::try_from(id).expect("fewer than 4 billion keys in memory")
}

/// Spreads every bit of `value` over the result.
#[inline]
pub(crate) fn mix(value: u64) -> u64 {
    let once = (value ^ value >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let twice = (once ^ once >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    twice ^ twice >> 32
}

fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash ^ u64::from_le_bytes(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn column(ty: DataType, values: &[Value]) -> Arc<Column> {
        let mut column = Column::empty(ty);
        values.iter().for_each(|value| column.push(value));
        Arc::new(column)
    }

    proptest! {
        #[test]
        fn keys_are_numbered_as_by_a_map(values in prop::collection::vec(prop::option::of(-200_i64..200), 0..600), text: bool) {
            let ty = if text { DataType::Text } else { DataType::Int8 };
            let value = |v: &Option<i64>| match v {
                None => Value::Null,
                Some(v) if text => Value::Text(v.to_string()),
                Some(v) => Value::Int(*v),
            };
            let key = [column(ty, &values.iter().map(value).collect::<Vec<_>>())];
            let mut table = KeyTable::new(&[ty], 7);
            let mut model = HashMap::new();
            for (row, value) in values.iter().enumerate() {
                let count = model.len();
                let expected = *model.entry(*value).or_insert(count);
                prop_assert_eq!(table.insert(&key, row) as usize, expected);
            }
            for row in 0..values.len() {
                prop_assert_eq!(table.find(&key, row).map(|id| id as usize), Some(model[&values[row]]));
            }
            prop_assert_eq!(table.len(), model.len());
        }
    }

    #[test]
    fn equal_decimals_are_one_key() {
        let ty = DataType::Numeric(None);
        let key = [column(
            ty,
            &[
                Value::Numeric("1.0".parse().unwrap()),
                Value::Numeric("1.00".parse().unwrap()),
            ],
        )];
        let mut table = KeyTable::new(&[ty], 0);
        assert_eq!(table.insert(&key, 0), table.insert(&key, 1));
    }
}
