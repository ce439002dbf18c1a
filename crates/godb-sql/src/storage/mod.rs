//! Rows and index entries as bytes, and the way to them.
//!
//! A table is a tree: its keys are the values of the primary key, written so that bytes compare as values do
//! ([`ordered`], [`key`]), its values the other columns ([`row`]). A table without a primary key numbers its rows; the number is the
//! key. An index is a tree whose keys are the indexed values followed by the row's key, with nothing as value; when the index is
//! unique and none of the values is NULL, the row's key is the value instead, so that two equal rows meet at one key and the
//! engine's own conflict detection keeps them apart.

mod index;
mod key;
mod ordered;
mod range;
mod row;
mod table;
pub(crate) mod varint;
pub(crate) use index::{Entry, EntryDecoder, IndexStore, holds};
pub(crate) use key::KeyColumn;
pub(crate) use ordered::damaged;
pub(crate) use range::{End, KeyBytes};
pub(crate) use table::{
    ScanDecoder, TableStore, check_key_length, primary_columns, put_row_number, row_number,
};
