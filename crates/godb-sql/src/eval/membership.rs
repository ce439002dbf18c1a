//! `IN (list)`, and the set that long lists and subqueries are looked up in.

use super::operand::{Input, Operand};
use crate::context::Evaluating;
use crate::error::Result;
use crate::expr::Expr;
use crate::types::DataType;
use crate::vector::{Column, compare_rows, hash_column};

/// Lists up to this long are compared one by one.
const SHORT: usize = 8;

/// Whether the value is in the list. Three-valued: NULL when it is not found but something is NULL.
pub(super) fn in_list(
    expr: &Expr,
    list: &[Expr],
    negated: bool,
    input: Input<'_>,
    with: &Evaluating<'_>,
) -> Result<Operand> {
    let ty = expr.data_type();
    let value = super::operand(expr, input, with)?;
    let mut constants = Column::empty(ty);
    let mut others = Vec::new();
    for item in list {
        let item = super::operand(item, input, with)?;
        if item.constant {
            constants.push(&item.column.value(0, ty));
        } else {
            others.push(item);
        }
    }
    let rows = if value.constant && others.is_empty() {
        1
    } else {
        input.len()
    };
    let set = Members::new(&constants, ty);
    let mut values = Vec::with_capacity(rows);
    let mut nulls = vec![false; rows];
    let found = set.find_all(&value);
    for (row, null) in nulls.iter_mut().enumerate() {
        let at = value.at(row);
        let mut found = found[at];
        if value.column.is_null(at) && !others.is_empty() {
            found = None;
        } else if found.is_none_or(|found| !found) {
            found = or(found, find_among(&others, row, &value.column, at, ty));
        }
        *null = found.is_none();
        values.push(found.unwrap_or(false) != negated);
    }
    let constant = value.constant && others.is_empty();
    let nulls = nulls.contains(&true).then_some(nulls);
    Ok(Operand {
        constant,
        ..Operand::truths(values, nulls)
    })
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (None, _) | (_, None) => None,
        _ => Some(false),
    }
}

fn find_among(items: &[Operand], row: usize, column: &Column, at: usize, ty: DataType) -> Option<bool> {
    let mut found = Some(false);
    for item in items {
        let place = item.at(row);
        let equal =
            (!item.column.is_null(place)).then(|| compare_rows(column, at, &item.column, place, ty).is_eq());
        found = or(found, equal);
    }
    found
}

/// A set of values to look others up in.
pub(super) struct Members<'a> {
    column: &'a Column,
    ty: DataType,
    /// Some value is NULL.
    has_null: bool,
    /// Open addressing: row numbers of the column plus one; zero is a free place. Empty for short lists.
    places: Vec<u32>,
}

impl<'a> Members<'a> {
    /// The values of the column.
    pub(super) fn new(column: &'a Column, ty: DataType) -> Self {
        let has_null = column.nulls.as_ref().is_some_and(|nulls| nulls.contains(&true));
        let mut set = Self {
            column,
            ty,
            has_null,
            places: Vec::new(),
        };
        if column.len() > SHORT {
            set.fill();
        }
        set
    }

    fn fill(&mut self) {
        let rows = self.column.len();
        self.places = vec![0; (rows * 2).next_power_of_two()];
        let hashes = hashes_of(self.column, self.ty);
        for row in (0..rows).filter(|row| !self.column.is_null(*row)) {
            let mut place = self.place(hashes[row]);
            while self.places[place] != 0 {
                place = (place + 1) & (self.places.len() - 1);
            }
            self.places[place] = crate::convert::row_u32(row) + 1;
        }
    }

    fn place(&self, hash: u64) -> usize {
        let mask = self.places.len() as u64 - 1;
        usize::try_from(hash & mask).expect("smaller than the table")
    }

    /// For each value of the operand, whether it is in the set; `None`: nobody knows, since something is NULL.
    pub(super) fn find_all(&self, values: &Operand) -> Vec<Option<bool>> {
        let column = &values.column;
        let hashes = if self.places.is_empty() {
            Vec::new()
        } else {
            hashes_of(column, self.ty)
        };
        let find = |row: usize| {
            if column.is_null(row) {
                return if self.column.is_empty() { Some(false) } else { None };
            }
            let found = match hashes.get(row) {
                Some(hash) => self.find_hashed(column, row, *hash),
                None => self.find_short(column, row),
            };
            if !found && self.has_null {
                None
            } else {
                Some(found)
            }
        };
        (0..column.len()).map(find).collect()
    }

    fn is_member(&self, column: &Column, row: usize, member: usize) -> bool {
        compare_rows(column, row, self.column, member, self.ty).is_eq()
    }

    fn find_short(&self, column: &Column, row: usize) -> bool {
        (0..self.column.len())
            .any(|member| !self.column.is_null(member) && self.is_member(column, row, member))
    }

    fn find_hashed(&self, column: &Column, row: usize, hash: u64) -> bool {
        let mut place = self.place(hash);
        while self.places[place] != 0 {
            if self.is_member(column, row, self.places[place] as usize - 1) {
                return true;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
        false
    }
}

fn hashes_of(column: &Column, ty: DataType) -> Vec<u64> {
    let mut hashes = vec![0; column.len()];
    hash_column(column, ty, &mut hashes);
    hashes
}
