//! `string_agg`.

use super::groups::array;
use crate::error::Result;
use crate::functions::Accumulator;
use crate::functions::text::check_size;
use crate::types::DataType;
use crate::vector::{BytesColumn, Column, ColumnData};
use std::sync::Arc;

/// The values of each group, with what the second argument says between them.
pub(super) fn joined(_: &[DataType], _: DataType) -> Box<dyn Accumulator> {
    Box::new(Joined {
        strings: Vec::new(),
        bytes: 0,
    })
}

struct Joined {
    strings: Vec<Option<Vec<u8>>>,
    bytes: usize,
}

fn strings(column: &Column) -> &BytesColumn {
    match &column.data {
        ColumnData::Bytes(values) => values,
        other => panic!("strings expected, not {other:?}"),
    }
}

impl Accumulator for Joined {
    fn update(&mut self, groups: &[u32], count: usize, args: &[Arc<Column>]) -> Result<()> {
        self.strings.resize(count.max(self.strings.len()), None);
        let (values, between) = (strings(&args[0]), strings(&args[1]));
        for (row, group) in groups.iter().enumerate() {
            if args[0].is_null(row) {
                continue;
            }
            let before = self.strings[*group as usize].as_ref().map_or(0, Vec::len);
            match &mut self.strings[*group as usize] {
                Some(joined) => {
                    if !args[1].is_null(row) {
                        joined.extend_from_slice(between.get(row));
                    }
                    joined.extend_from_slice(values.get(row));
                }
                empty => *empty = Some(values.get(row).to_vec()),
            }
            self.bytes += self.strings[*group as usize].as_ref().map_or(0, Vec::len) - before;
            check_size(Some(self.bytes))?;
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<Column> {
        let mut joined = std::mem::take(&mut self.strings);
        joined.resize(count, None);
        let mut column = Column::new(ColumnData::Bytes(BytesColumn::with_capacity(count, self.bytes)));
        for string in joined {
            let Some(string) = string else {
                column.push_null();
                continue;
            };
            if let ColumnData::Bytes(values) = &mut column.data {
                values.push_with(|out| {
                    out.extend_from_slice(&string);
                    Ok(())
                })?;
            }
            if let Some(nulls) = &mut column.nulls {
                nulls.push(false);
            }
        }
        Ok(column)
    }

    fn memory(&self) -> usize {
        array(&self.strings) + self.bytes
    }
}
