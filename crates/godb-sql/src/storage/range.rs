//! [`KeyBytes`]: which part of a tree holds the keys that begin with given values.

use super::key::KeyColumn;
use super::ordered::successor;
use crate::value::Value;
use godb_mvcc::Range;
use std::ops::Bound;

/// A part of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyBytes {
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
}

/// A value that ends a range, and whether it belongs to it.
pub(crate) type End = Option<(Value, bool)>;

impl KeyBytes {
    /// The whole tree.
    pub(crate) const ALL: Self = Self {
        from: Bound::Unbounded,
        to: Bound::Unbounded,
    };

    /// Every key that begins with `prefix`.
    pub(crate) fn prefix(prefix: Vec<u8>) -> Self {
        if prefix.is_empty() {
            return Self::ALL;
        }
        let to = after(prefix.clone());
        Self {
            from: Bound::Included(prefix),
            to,
        }
    }

    /// The keys whose leading columns equal `equal` and whose next column lies between `from` and `to`. `None`: a NULL is
    /// among the values, which nothing equals and nothing lies before or after.
    pub(crate) fn of(columns: &[KeyColumn], equal: &[Value], from: &End, to: &End) -> Option<Self> {
        let ends = [from, to].into_iter().flatten().map(|(value, _)| value);
        if equal.iter().chain(ends).any(Value::is_null) {
            return None;
        }
        let mut prefix = Vec::new();
        for (column, value) in columns.iter().zip(equal) {
            column.put_value(&mut prefix, value);
        }
        if from.is_none() && to.is_none() {
            return Some(Self::prefix(prefix));
        }
        let column = columns[equal.len()];
        let (low, high) = if column.descending { (to, from) } else { (from, to) };
        Some(Self {
            from: lower(column, &prefix, low),
            to: upper(column, &prefix, high),
        })
    }

    /// As the engine takes it.
    pub(crate) fn range(&self, backward: bool) -> Range<'_> {
        fn borrow(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
            bound.as_ref().map(Vec::as_slice)
        }
        Range {
            from: borrow(&self.from),
            to: borrow(&self.to),
            backward,
        }
    }
}

/// Up to before every key that does not begin with `prefix` and comes after those that do.
fn after(prefix: Vec<u8>) -> Bound<Vec<u8>> {
    successor(prefix).map_or(Bound::Unbounded, Bound::Excluded)
}

/// Where the keys begin that follow `prefix` with values from `end` on. Without one they begin behind the NULLs, if those come first.
fn lower(column: KeyColumn, prefix: &[u8], end: &End) -> Bound<Vec<u8>> {
    let mut key = prefix.to_vec();
    match end {
        Some((value, inclusive)) => {
            column.put_value(&mut key, value);
            if *inclusive {
                return Bound::Included(key);
            }
            // Where there is no key behind, an empty range is wanted; no key is as long as this one.
            successor(key.clone()).map_or_else(
                || Bound::Excluded([key, vec![0xFF; 64]].concat()),
                Bound::Included,
            )
        }
        None if column.nullable => {
            column.put_marker(&mut key, false);
            Bound::Included(key)
        }
        None if key.is_empty() => Bound::Unbounded,
        None => Bound::Included(key),
    }
}

/// Where the keys end that follow `prefix` with values up to `end`. Without one they end before the NULLs, if those come last.
fn upper(column: KeyColumn, prefix: &[u8], end: &End) -> Bound<Vec<u8>> {
    let mut key = prefix.to_vec();
    match end {
        Some((value, inclusive)) => {
            column.put_value(&mut key, value);
            if *inclusive {
                after(key)
            } else {
                Bound::Excluded(key)
            }
        }
        None if column.nullable => {
            column.put_marker(&mut key, false);
            after(key)
        }
        None => after(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DataType;
    use proptest::prelude::*;

    fn contains(bytes: &KeyBytes, key: &[u8]) -> bool {
        use std::ops::RangeBounds;
        let range = bytes.range(false);
        (range.from, range.to).contains(key)
    }

    fn any_end() -> impl Strategy<Value = End> {
        prop::option::of(
            (-3_i64..4, any::<bool>()).prop_map(|(value, inclusive)| (Value::Int(value), inclusive)),
        )
    }

    fn within(value: Option<i64>, from: &End, to: &End) -> bool {
        let Some(value) = value else {
            return from.is_none() && to.is_none();
        };
        let end = |end: &End| match end {
            Some((Value::Int(end), inclusive)) => Some((*end, *inclusive)),
            _ => None,
        };
        end(from).is_none_or(|(end, inclusive)| value > end || inclusive && value == end)
            && end(to).is_none_or(|(end, inclusive)| value < end || inclusive && value == end)
    }

    proptest! {
        #[test]
        fn a_range_holds_exactly_the_keys_whose_values_it_names(
            first in -2_i64..3,
            second in prop::option::of(-3_i64..4),
            equal in -2_i64..3,
            from in any_end(),
            to in any_end(),
            descending: bool,
        ) {
            let columns = [KeyColumn::primary(DataType::Int4), KeyColumn::indexed(DataType::Int4, descending)];
            let mut key = Vec::new();
            columns[0].put_value(&mut key, &Value::Int(first));
            columns[1].put_value(&mut key, &second.map_or(Value::Null, Value::Int));
            key.push(0x80);
            let range = KeyBytes::of(&columns, &[Value::Int(equal)], &from, &to).unwrap();
            prop_assert_eq!(contains(&range, &key), first == equal && within(second, &from, &to));
        }
    }

    #[test]
    fn null_matches_nothing() {
        let column = [KeyColumn::indexed(DataType::Int4, false)];
        assert_eq!(KeyBytes::of(&column, &[Value::Null], &None, &None), None);
        assert_eq!(
            KeyBytes::of(&column, &[], &Some((Value::Null, true)), &None),
            None
        );
    }
}
