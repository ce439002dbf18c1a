//! Scans and index joins over a table with indexes, against the rows that were put in.

use super::{World, column, int, ints, less_than, node};
use crate::catalog::{Index, Table, TableColumn};
use crate::dml::{RowNumbers, TableWriter};
use crate::expr::Expr;
use crate::plan::logical::JoinKind;
use crate::plan::physical::{KeyBound, KeyRange, Node, Physical, Source};
use crate::types::DataType;
use crate::value::Value;
use crate::vector::Column;
use proptest::prelude::*;
use std::sync::Arc;

type Row = Vec<Option<i64>>;

/// A table of three integer columns; with a primary key on the first, an index on (second descending, third), a unique one on the third.
fn table(world: &mut World, keyed: bool, rows: &[Row]) -> Arc<Table> {
    let columns = ["a", "b", "c"].map(|name| TableColumn {
        id: 0,
        name: name.to_owned(),
        ty: DataType::Int8,
        not_null: false,
        default: None,
        missing: Value::Null,
    });
    let tree = world.tx.create_tree().unwrap();
    let key = if keyed { vec![0] } else { Vec::new() };
    let mut table = Table::new(1, "t", tree, columns.to_vec(), key);
    for (name, columns, unique) in [
        ("t_b", vec![(1, true), (2, false)], false),
        ("t_c", vec![(2, false)], true),
    ] {
        let tree = world.tx.create_tree().unwrap();
        let (name, constraint) = (name.to_owned(), false);
        table.indexes.push(Arc::new(Index {
            name,
            tree,
            columns,
            unique,
            constraint,
        }));
    }
    let table = Arc::new(table);
    let mut writer = TableWriter::new(&table, &Arc::new(RowNumbers::default()), world.engine.max_key());
    let column = |at: usize| {
        let mut column = Column::empty(DataType::Int8);
        rows.iter().for_each(|row: &Row| column.push(&int(row[at])));
        Arc::new(column)
    };
    writer
        .insert_all(&mut *world.tx, &[column(0), column(1), column(2)], rows.len())
        .unwrap();
    table
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((prop::option::of(0_i64..6), any::<bool>()), 0..60).prop_map(|values| {
        let number = |(n, (b, present)): (usize, (Option<i64>, bool))| {
            let n = i64::try_from(n).unwrap();
            vec![Some(n), b, present.then_some(n * 7 % 61)]
        };
        values.into_iter().enumerate().map(number).collect()
    })
}

fn literal(value: i64) -> Expr {
    Expr::Literal(Value::Int(value), DataType::Int8)
}

fn scan(
    table: &Arc<Table>,
    index: Option<usize>,
    range: KeyRange,
    columns: Vec<usize>,
    backward: bool,
) -> Node {
    let types = vec![DataType::Int8; columns.len()];
    let source = Source {
        table: table.clone(),
        alias: "t".to_owned(),
        index: index.map(|at| table.indexes[at].clone()),
        range,
        backward,
        columns,
        filter: None,
        as_of: None,
        with_key: false,
    };
    node(Physical::Scan(source), types)
}

fn pick(rows: &[Row], columns: &[usize]) -> Vec<Vec<Value>> {
    rows.iter()
        .map(|row| columns.iter().map(|&at| int(row[at])).collect())
        .collect()
}

fn sorted(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_index_gives_the_rows_that_the_table_has(
        rows in any_rows(),
        keyed: bool,
        b in 0_i64..6,
        bounds in (prop::option::of((0_i64..61, any::<bool>())), prop::option::of((0_i64..61, any::<bool>()))),
        columns in prop::sample::select(vec![vec![1, 2], vec![0, 1, 2], vec![0], vec![2, 0]]),
    ) {
        let mut world = World::new(1 << 20);
        let table = table(&mut world, keyed, &rows);
        prop_assert_eq!(world.rows(&scan(&table, None, KeyRange::default(), columns.clone(), false)), pick(&rows, &columns));
        for index in [0, 1] {
            let all = world.rows(&scan(&table, Some(index), KeyRange::default(), columns.clone(), false));
            prop_assert_eq!(sorted(all), sorted(pick(&rows, &columns)));
        }
        let bound = |end: Option<(i64, bool)>| end.map(|(value, inclusive)| KeyBound { value: literal(value), inclusive });
        let range = KeyRange { equal: vec![literal(b)], from: bound(bounds.0), to: bound(bounds.1), any_of: Vec::new() };
        let within = |row: &&Row| {
            let c = row[2];
            let from = bounds.0.is_none_or(|(v, inclusive)| c.is_some_and(|c| c > v || inclusive && c == v));
            let to = bounds.1.is_none_or(|(v, inclusive)| c.is_some_and(|c| c < v || inclusive && c == v));
            row[1] == Some(b) && from && to
        };
        let mut expected: Vec<Row> = rows.iter().filter(within).cloned().collect();
        expected.sort_by_key(|row| (row[2].is_none(), row[2], row[0]));
        let forward = world.rows(&scan(&table, Some(0), range.clone(), columns.clone(), false));
        prop_assert_eq!(&forward, &pick(&expected, &columns));
        let mut backward = world.rows(&scan(&table, Some(0), range, columns, true));
        backward.reverse();
        prop_assert_eq!(backward, forward);
    }

    #[test]
    fn values_looked_up_one_by_one(rows in any_rows(), wanted in prop::collection::vec(0_i64..70, 0..6)) {
        let mut world = World::new(1 << 20);
        let table = table(&mut world, true, &rows);
        for (index, at) in [(None, 0), (Some(1), 2)] {
            let range = KeyRange { any_of: wanted.iter().map(|v| literal(*v)).collect(), ..KeyRange::default() };
            let mut expected: Vec<Row> = rows.iter().filter(|row| row[at].is_some_and(|v| wanted.contains(&v))).cloned().collect();
            expected.sort_by_key(|row| row[at]);
            if wanted.is_empty() {
                continue;
            }
            prop_assert_eq!(world.rows(&scan(&table, index, range, vec![0, 2], false)), pick(&expected, &[0, 2]));
        }
    }

    #[test]
    fn a_filter_decodes_late_and_gives_the_same(rows in any_rows()) {
        let mut world = World::new(1 << 20);
        let table = table(&mut world, true, &rows);
        let mut node = scan(&table, None, KeyRange::default(), vec![0, 1, 2], false);
        if let Physical::Scan(source) = &mut node.op {
            source.filter = Some(less_than(2, 0));
        }
        let expected: Vec<Row> = rows.iter().filter(|row| row[2].is_some_and(|c| Some(c) < row[0])).cloned().collect();
        prop_assert_eq!(world.rows(&node), pick(&expected, &[0, 1, 2]));
    }

    #[test]
    fn index_joins_look_every_row_up(
        rows in any_rows(),
        left in prop::collection::vec(prop::option::of(0_i64..70), 0..20),
        kind in prop::sample::select(vec![JoinKind::Inner, JoinKind::Left, JoinKind::Semi, JoinKind::Anti]),
        by in prop::sample::select(vec![(None, 0_usize), (Some(1), 2), (Some(0), 1)]),
    ) {
        let mut world = World::new(1 << 20);
        let table = table(&mut world, true, &rows);
        let range = KeyRange { equal: vec![column(0, DataType::Int8)], ..KeyRange::default() };
        let Node { op: Physical::Scan(source), .. } = scan(&table, by.0, range, vec![0, 1, 2], false) else { unreachable!() };
        let outer: Vec<Row> = left.iter().map(|v| vec![*v]).collect();
        let op = Physical::IndexJoin { kind, left: Box::new(ints(&outer, 1)), source, residual: None };
        let width = if matches!(kind, JoinKind::Semi | JoinKind::Anti) { 1 } else { 4 };
        let got = world.rows(&node(op, vec![DataType::Int8; width]));
        let mut expected: Vec<Vec<Value>> = Vec::new();
        for value in &left {
            let found: Vec<_> = rows.iter().filter(|row| value.is_some() && row[by.1] == *value).collect();
            let alone = vec![int(*value)];
            match kind {
                JoinKind::Semi => if !found.is_empty() { expected.push(alone) },
                JoinKind::Anti => if found.is_empty() { expected.push(alone) },
                JoinKind::Left if found.is_empty() => expected.push([alone, vec![Value::Null; 3]].concat()),
                _ => expected.extend(found.iter().map(|row| [alone.clone(), row.iter().map(|v| int(*v)).collect()].concat())),
            }
        }
        prop_assert_eq!(sorted(got), sorted(expected));
    }
}
