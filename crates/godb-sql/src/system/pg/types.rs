//! Types by the numbers that PostgreSQL gives them, and `pg_type`.

use super::{PgRelation, name_of, number, oid, text};
use crate::types::{DataType, Element};
use crate::value::Value;

/// The number of a type in PostgreSQL's catalog, which clients know types by.
#[must_use]
pub fn type_oid(ty: DataType) -> u32 {
    match ty {
        DataType::Unknown => 705,
        DataType::Bool => 16,
        DataType::Bytea => 17,
        DataType::Int8 => 20,
        DataType::Int2 => 21,
        DataType::Int4 => 23,
        DataType::Text => 25,
        DataType::Oid => 26,
        DataType::Float4 => 700,
        DataType::Float8 => 701,
        DataType::Char(_) => 1042,
        DataType::Varchar(_) => 1043,
        DataType::Date => 1082,
        DataType::Timestamp => 1114,
        DataType::TimestampTz => 1184,
        DataType::Interval => 1186,
        DataType::Numeric(_) => 1700,
        DataType::Array(Element::Bool) => 1000,
        DataType::Array(Element::Int2) => 1005,
        DataType::Array(Element::Int4) => 1007,
        DataType::Array(Element::Text) => 1009,
        DataType::Array(Element::Int8) => 1016,
        DataType::Array(Element::Oid) => 1028,
    }
}

/// How many bytes a value of the type has in PostgreSQL's binary format; −1 where they differ.
#[must_use]
pub fn type_length(ty: DataType) -> i16 {
    match ty {
        DataType::Bool => 1,
        DataType::Int2 => 2,
        DataType::Int4 | DataType::Oid | DataType::Float4 | DataType::Date => 4,
        DataType::Int8 | DataType::Float8 | DataType::Timestamp | DataType::TimestampTz => 8,
        DataType::Interval => 16,
        DataType::Unknown => -2,
        _ => -1,
    }
}

/// The length, or precision and scale, of a type as PostgreSQL packs them; −1 without.
#[must_use]
pub fn type_modifier(ty: DataType) -> i32 {
    /// What PostgreSQL adds, from of old.
    const HEADER: i32 = 4;
    let plain = |length: u32| i32::try_from(length).map_or(-1, |length| length + HEADER);
    match ty {
        DataType::Varchar(Some(length)) | DataType::Char(length) => plain(length),
        DataType::Numeric(Some((precision, scale))) => {
            ((i32::from(precision) << 16) | (i32::from(scale) & 0x7FF)) + HEADER
        }
        _ => -1,
    }
}

/// Number, name, length, passed by value, category, preferred, element, array, alignment, storage, collation.
type Known = (
    u32,
    &'static str,
    i16,
    bool,
    &'static str,
    bool,
    u32,
    u32,
    &'static str,
    &'static str,
    u32,
);

/// The types that a client may meet or name.
#[rustfmt::skip]
const TYPES: &[Known] = &[
    (16, "bool", 1, true, "B", true, 0, 1000, "c", "p", 0), (17, "bytea", -1, false, "U", false, 0, 1001, "i", "x", 0),
    (18, "char", 1, true, "Z", false, 0, 1002, "c", "p", 0), (19, "name", 64, false, "S", false, 18, 1003, "c", "p", 950),
    (20, "int8", 8, true, "N", false, 0, 1016, "d", "p", 0), (21, "int2", 2, true, "N", false, 0, 1005, "s", "p", 0),
    (23, "int4", 4, true, "N", false, 0, 1007, "i", "p", 0), (25, "text", -1, false, "S", true, 0, 1009, "i", "x", 100),
    (26, "oid", 4, true, "N", true, 0, 1028, "i", "p", 0), (700, "float4", 4, true, "N", false, 0, 1021, "i", "p", 0),
    (701, "float8", 8, true, "N", true, 0, 1022, "d", "p", 0), (705, "unknown", -2, false, "X", false, 0, 0, "c", "p", 0),
    (1000, "_bool", -1, false, "A", false, 16, 0, "i", "x", 0), (1005, "_int2", -1, false, "A", false, 21, 0, "i", "x", 0),
    (1007, "_int4", -1, false, "A", false, 23, 0, "i", "x", 0), (1009, "_text", -1, false, "A", false, 25, 0, "i", "x", 100),
    (1016, "_int8", -1, false, "A", false, 20, 0, "d", "x", 0), (1028, "_oid", -1, false, "A", false, 26, 0, "i", "x", 0),
    (1042, "bpchar", -1, false, "S", false, 0, 1014, "i", "x", 100), (1043, "varchar", -1, false, "S", false, 0, 1015, "i", "x", 100),
    (1082, "date", 4, true, "D", false, 0, 1182, "i", "p", 0), (1114, "timestamp", 8, true, "D", false, 0, 1115, "d", "p", 0),
    (1184, "timestamptz", 8, true, "D", true, 0, 1185, "d", "p", 0), (1186, "interval", 16, false, "T", true, 0, 1187, "d", "p", 0),
    (1700, "numeric", -1, false, "N", false, 0, 1231, "i", "m", 0),
];

pub(super) const PG_TYPE: PgRelation = PgRelation {
    name: "pg_type",
    columns: &[
        ("oid", DataType::Oid),
        ("typname", DataType::Text),
        ("typnamespace", DataType::Oid),
        ("typowner", DataType::Oid),
        ("typlen", DataType::Int2),
        ("typbyval", DataType::Bool),
        ("typtype", DataType::Text),
        ("typcategory", DataType::Text),
        ("typispreferred", DataType::Bool),
        ("typisdefined", DataType::Bool),
        ("typdelim", DataType::Text),
        ("typrelid", DataType::Oid),
        ("typelem", DataType::Oid),
        ("typarray", DataType::Oid),
        ("typalign", DataType::Text),
        ("typstorage", DataType::Text),
        ("typnotnull", DataType::Bool),
        ("typbasetype", DataType::Oid),
        ("typtypmod", DataType::Int4),
        ("typndims", DataType::Int4),
        ("typcollation", DataType::Oid),
        ("typdefault", DataType::Text),
    ],
    rows: |_| Ok(TYPES.iter().map(pg_type).collect()),
};

fn pg_type(known: &Known) -> Vec<Value> {
    let (id, name, length, by_value, category, preferred, element, array, align, storage, collation) = *known;
    vec![
        oid(id),
        name_of(name),
        oid(super::PG_CATALOG),
        oid(super::OWNER),
        number(length),
        Value::Bool(by_value),
        text(if id == 705 { "p" } else { "b" }),
        text(category),
        Value::Bool(preferred),
        Value::Bool(true),
        text(","),
        oid(0),
        oid(element),
        oid(array),
        text(align),
        text(storage),
        Value::Bool(false),
        oid(0),
        number(-1),
        number(0),
        oid(collation),
        Value::Null,
    ]
}
