//! Functions of strings.

mod case;
mod concat;
mod encoding;
mod format;
mod like;
mod md5;
mod pad;
mod pick;
mod quote;
mod regex;
mod replace;
mod search;

pub use md5::digest as md5;
pub(super) use pad::check_size;

use super::table::types::{ANY, BOOL, BYTEA, CHAR, I4, I8, TEXT};
use super::table::{Entry, entry};

/// The operators on strings.
#[rustfmt::skip]
pub(super) static OPERATORS: &[Entry] = &[
    entry("||", &[TEXT, TEXT], TEXT, concat::texts), entry("||", &[BYTEA, BYTEA], BYTEA, concat::bytes),
    entry("||", &[TEXT, ANY], TEXT, concat::anything), entry("||", &[ANY, TEXT], TEXT, concat::anything),
    entry("~~", &[TEXT, TEXT], BOOL, like::like), entry("!~~", &[TEXT, TEXT], BOOL, like::not_like),
    entry("~~", &[CHAR, TEXT], BOOL, like::like), entry("!~~", &[CHAR, TEXT], BOOL, like::not_like),
    entry("~~", &[BYTEA, BYTEA], BOOL, like::like_bytes), entry("!~~", &[BYTEA, BYTEA], BOOL, like::not_like_bytes),
    entry("~~*", &[TEXT, TEXT], BOOL, like::ilike), entry("!~~*", &[TEXT, TEXT], BOOL, like::not_ilike),
    entry("~~*", &[CHAR, TEXT], BOOL, like::ilike), entry("!~~*", &[CHAR, TEXT], BOOL, like::not_ilike),
    entry("~", &[TEXT, TEXT], BOOL, regex::matches), entry("!~", &[TEXT, TEXT], BOOL, regex::not_matches),
    entry("~*", &[TEXT, TEXT], BOOL, regex::imatches), entry("!~*", &[TEXT, TEXT], BOOL, regex::not_imatches),
    entry("^@", &[TEXT, TEXT], BOOL, search::starts_with),
];

/// The functions of strings.
#[rustfmt::skip]
pub(super) static TABLE: &[Entry] = &[
    entry("length", &[TEXT], I4, pick::characters), entry("char_length", &[TEXT], I4, pick::characters), entry("character_length", &[TEXT], I4, pick::characters),
    entry("length", &[BYTEA], I4, pick::octets),
    entry("octet_length", &[TEXT], I4, pick::octets), entry("octet_length", &[CHAR], I4, pick::octets), entry("octet_length", &[BYTEA], I4, pick::octets),
    entry("bit_length", &[TEXT], I4, pick::bits), entry("bit_length", &[BYTEA], I4, pick::bits),
    entry("left", &[TEXT, I4], TEXT, pick::left), entry("right", &[TEXT, I4], TEXT, pick::right),
    entry("substr", &[TEXT, I4], TEXT, pick::substring), entry("substr", &[TEXT, I4, I4], TEXT, pick::substring),
    entry("substring", &[TEXT, I4], TEXT, pick::substring), entry("substring", &[TEXT, I4, I4], TEXT, pick::substring),
    entry("substr", &[BYTEA, I4], BYTEA, pick::subbytes), entry("substr", &[BYTEA, I4, I4], BYTEA, pick::subbytes),
    entry("substring", &[BYTEA, I4], BYTEA, pick::subbytes), entry("substring", &[BYTEA, I4, I4], BYTEA, pick::subbytes),
    entry("substring", &[TEXT, TEXT], TEXT, regex::substring),
    entry("split_part", &[TEXT, TEXT, I4], TEXT, pick::split_part),
    entry("reverse", &[TEXT], TEXT, pick::reverse),

    entry("upper", &[TEXT], TEXT, case::upper), entry("lower", &[TEXT], TEXT, case::lower), entry("initcap", &[TEXT], TEXT, case::initcap),

    entry("trim", &[TEXT], TEXT, pad::trim_both), entry("trim", &[TEXT, TEXT], TEXT, pad::trim_both),
    entry("btrim", &[TEXT], TEXT, pad::trim_both), entry("btrim", &[TEXT, TEXT], TEXT, pad::trim_both),
    entry("ltrim", &[TEXT], TEXT, pad::trim_start), entry("ltrim", &[TEXT, TEXT], TEXT, pad::trim_start),
    entry("rtrim", &[TEXT], TEXT, pad::trim_end), entry("rtrim", &[TEXT, TEXT], TEXT, pad::trim_end),
    entry("lpad", &[TEXT, I4], TEXT, pad::pad_start), entry("lpad", &[TEXT, I4, TEXT], TEXT, pad::pad_start),
    entry("rpad", &[TEXT, I4], TEXT, pad::pad_end), entry("rpad", &[TEXT, I4, TEXT], TEXT, pad::pad_end),
    entry("repeat", &[TEXT, I4], TEXT, pad::repeat),

    entry("replace", &[TEXT, TEXT, TEXT], TEXT, replace::replace), entry("translate", &[TEXT, TEXT, TEXT], TEXT, replace::translate),
    entry("overlay", &[TEXT, TEXT, I4], TEXT, replace::overlay), entry("overlay", &[TEXT, TEXT, I4, I4], TEXT, replace::overlay),

    entry("position", &[TEXT, TEXT], I4, search::position), entry("strpos", &[TEXT, TEXT], I4, search::position),
    entry("position", &[BYTEA, BYTEA], I4, search::position_of_bytes),
    entry("starts_with", &[TEXT, TEXT], BOOL, search::starts_with),
    entry("like_escape", &[TEXT, TEXT], TEXT, like::escape),
    entry("similar_to_escape", &[TEXT], TEXT, regex::similar), entry("similar_to_escape", &[TEXT, TEXT], TEXT, regex::similar),

    entry("regexp_replace", &[TEXT, TEXT, TEXT], TEXT, regex::replace), entry("regexp_replace", &[TEXT, TEXT, TEXT, TEXT], TEXT, regex::replace),
    entry("regexp_like", &[TEXT, TEXT], BOOL, regex::matches), entry("regexp_like", &[TEXT, TEXT, TEXT], BOOL, regex::like),
    entry("regexp_count", &[TEXT, TEXT], I4, regex::count), entry("regexp_substr", &[TEXT, TEXT], TEXT, regex::first),

    entry("concat", &[ANY], TEXT, concat::all).variadic().lenient(),
    entry("concat_ws", &[TEXT, ANY], TEXT, concat::all_between).variadic().lenient(),
    entry("format", &[TEXT], TEXT, format::format).lenient(), entry("format", &[TEXT, ANY], TEXT, format::format).variadic().lenient(),

    entry("quote_ident", &[TEXT], TEXT, quote::identifier), entry("quote_literal", &[TEXT], TEXT, quote::literal),
    entry("quote_literal", &[ANY], TEXT, quote::literal), entry("quote_nullable", &[ANY], TEXT, quote::nullable).lenient(),

    entry("ascii", &[TEXT], I4, encoding::ascii), entry("chr", &[I4], TEXT, encoding::chr),
    entry("md5", &[TEXT], TEXT, encoding::md5), entry("md5", &[BYTEA], TEXT, encoding::md5),
    entry("encode", &[BYTEA, TEXT], TEXT, encoding::encode), entry("decode", &[TEXT, TEXT], BYTEA, encoding::decode),
    entry("to_hex", &[I4], TEXT, encoding::to_hex), entry("to_hex", &[I8], TEXT, encoding::to_hex),
    entry("get_byte", &[BYTEA, I4], I4, encoding::get_byte),
];
