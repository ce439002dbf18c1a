//! Quoting identifiers and literals.

use super::concat::write_argument;
use crate::error::Result;
use crate::functions::Call;
use crate::types::DataType;
use crate::vector::Column;

/// Words that an identifier must not be without quotes: all but PostgreSQL's unreserved ones.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// Writes an identifier, quoted if it has to be.
pub(super) fn write_identifier(name: &str, out: &mut Vec<u8>) {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if starts_well && name.bytes().all(plain) && RESERVED.binary_search(&name).is_err() {
        return out.extend_from_slice(name.as_bytes());
    }
    out.push(b'"');
    for byte in name.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Writes a string literal.
pub(super) fn write_literal(text: &[u8], out: &mut Vec<u8>) {
    if text.contains(&b'\\') {
        out.push(b'E');
    }
    out.push(b'\'');
    for byte in text {
        if matches!(byte, b'\'' | b'\\') {
            out.push(*byte);
        }
        out.push(*byte);
    }
    out.push(b'\'');
}

pub(super) fn identifier(call: &Call<'_>) -> Result<Column> {
    let strings = call.strings(0);
    call.each_string(|row, out| {
        write_identifier(strings.text(row)?, out);
        Ok(())
    })
}

/// As a cast to text writes it: `true`, where output says `t`.
fn write_cast(call: &Call<'_>, row: usize, out: &mut Vec<u8>) {
    if call.types[0] == DataType::Bool {
        let word: &[u8] = if *call.bools(0).at(row) { b"true" } else { b"false" };
        out.extend_from_slice(word);
    } else {
        write_argument(call, 0, row, out);
    }
}

pub(super) fn literal(call: &Call<'_>) -> Result<Column> {
    let mut shown = Vec::new();
    call.each_string(|row, out| {
        shown.clear();
        write_cast(call, row, &mut shown);
        write_literal(&shown, out);
        Ok(())
    })
}

pub(super) fn nullable(call: &Call<'_>) -> Result<Column> {
    let mut shown = Vec::new();
    call.each_string(|row, out| {
        if call.is_null(0, row) {
            out.extend_from_slice(b"NULL");
            return Ok(());
        }
        shown.clear();
        write_cast(call, row, &mut shown);
        write_literal(&shown, out);
        Ok(())
    })
}
