//! Sorting, TopN, grouping and set operations, in memory and from files.

use super::{World, column, int, ints, node};
use crate::expr::Expr;
use crate::plan::logical::{SetKind, SortKey};
use crate::plan::physical::{Node, Physical};
use crate::types::DataType;
use crate::value::Value;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Row = Vec<Option<i64>>;

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let value = || prop::option::weighted(0.9, -40_i64..50);
    prop::collection::vec((value(), value()).prop_map(|(a, b)| vec![a, b]), 0..120)
}

fn key(at: u32, descending: bool, nulls_first: bool) -> SortKey {
    SortKey {
        expr: column(at, DataType::Int8),
        descending,
        nulls_first,
    }
}

fn compare(a: Option<i64>, b: Option<i64>, key: &SortKey) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => {
            if key.nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (Some(_), None) => compare(b, a, key).reverse(),
        (Some(a), Some(b)) => {
            if key.descending {
                b.cmp(&a)
            } else {
                a.cmp(&b)
            }
        }
    }
}

fn values(rows: &[Row]) -> Vec<Vec<Value>> {
    rows.iter()
        .map(|row| row.iter().map(|v| int(*v)).collect())
        .collect()
}

fn literal(count: usize) -> Expr {
    Expr::Literal(Value::Int(i64::try_from(count).unwrap()), DataType::Int8)
}

fn two(op: Physical) -> Node {
    node(op, vec![DataType::Int8; 2])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn rows_come_in_order(rows in any_rows(), flags: [bool; 4], work_mem in prop::sample::select(vec![1_usize, 3000, 1 << 20])) {
        let keys = [key(1, flags[0], flags[1]), key(0, flags[2], flags[3])];
        let mut expected = rows.clone();
        expected.sort_by(|a, b| compare(a[1], b[1], &keys[0]).then_with(|| compare(a[0], b[0], &keys[1])));
        let sort = two(Physical::Sort { input: Box::new(ints(&rows, 2)), keys: keys.to_vec() });
        prop_assert_eq!(World::new(work_mem).rows(&sort), values(&expected));
    }

    #[test]
    fn the_first_rows_of_an_order(rows in any_rows(), limit in 0_usize..30, offset in 0_usize..10, work_mem in prop::sample::select(vec![1_usize, 1 << 20])) {
        let keys = vec![key(0, false, false), key(1, true, true)];
        let mut expected = rows.clone();
        expected.sort_by(|a, b| compare(a[0], b[0], &keys[0]).then_with(|| compare(a[1], b[1], &keys[1])));
        let expected: Vec<_> = expected.into_iter().skip(offset).take(limit).collect();
        let op = Physical::TopN { input: Box::new(ints(&rows, 2)), keys, limit: literal(limit), offset: Some(literal(offset)) };
        prop_assert_eq!(World::new(work_mem).rows(&two(op)), values(&expected));
    }

    #[test]
    fn each_different_row_once(rows in any_rows(), work_mem in prop::sample::select(vec![1_usize, 1 << 20])) {
        let mut expected = rows.clone();
        expected.sort_unstable();
        expected.dedup();
        let op = Physical::Distinct { input: Box::new(ints(&rows, 2)), on: Vec::new() };
        let mut got = World::new(work_mem).rows(&two(op));
        got.sort_by_key(|row| row.iter().map(|v| if let Value::Int(n) = v { Some(*n) } else { None }).collect::<Vec<_>>());
        prop_assert_eq!(got, values(&expected));
    }

    #[test]
    fn set_operations_count_rows(left in any_rows(), right in any_rows(), except: bool, all: bool) {
        let counts = |rows: &[Row]| rows.iter().cloned().fold(BTreeMap::new(), |mut counts, row| {
            *counts.entry(vec![row[0].map(|v| v % 4), None]).or_insert(0_usize) += 1;
            counts
        });
        let narrow = |rows: &[Row]| rows.iter().map(|row| vec![row[0].map(|v| v % 4), None]).collect::<Vec<_>>();
        let (l, r) = (counts(&left), counts(&right));
        let expected: BTreeMap<Row, usize> = l.iter().filter_map(|(row, &n)| {
            let m = r.get(row).copied().unwrap_or(0);
            let count = match (except, all) {
                (true, true) => n.saturating_sub(m),
                (false, true) => n.min(m),
                (true, false) => usize::from(m == 0),
                (false, false) => usize::from(m > 0),
            };
            (count > 0).then(|| (row.clone(), count))
        }).collect();
        let kind = if except { SetKind::Except } else { SetKind::Intersect };
        let op = Physical::Set { kind, all, left: Box::new(ints(&narrow(&left), 2)), right: Box::new(ints(&narrow(&right), 2)) };
        let got = World::new(1 << 20).rows(&two(op)).into_iter().fold(BTreeMap::new(), |mut counts, row| {
            let row: Row = row.iter().map(|v| if let Value::Int(n) = v { Some(*n) } else { None }).collect();
            *counts.entry(row).or_insert(0_usize) += 1;
            counts
        });
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn limit_and_offset_cut_across_batches() {
    let rows: Vec<Row> = (0..3000).map(|n| vec![Some(n), None]).collect();
    let op = Physical::Limit {
        input: Box::new(ints(&rows, 2)),
        limit: Some(literal(1100)),
        offset: Some(literal(1500)),
    };
    assert_eq!(World::new(1 << 20).rows(&two(op)), values(&rows[1500..2600]));
}

#[test]
fn a_negative_limit_is_refused() {
    let minus = Expr::Literal(Value::Int(-1), DataType::Int8);
    let op = Physical::Limit {
        input: Box::new(ints(&[], 2)),
        limit: Some(minus),
        offset: None,
    };
    let error = World::new(1 << 20).try_rows(&two(op)).unwrap_err();
    assert_eq!(
        (error.state.0, error.message.as_str()),
        ("2201W", "LIMIT must not be negative")
    );
}

#[test]
fn a_cancelled_statement_ends() {
    let world = World::new(1 << 20);
    world.statement.canceller.cancel();
    let error = world.try_rows(&ints(&[vec![Some(1), None]], 2)).unwrap_err();
    assert_eq!(error.state.0, "57014");
}
