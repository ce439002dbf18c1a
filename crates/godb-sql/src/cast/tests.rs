//! What converts into what, and what is lost on the way.

use super::*;
use crate::text::{from_text, to_text};
use crate::types::DataType::{
    Bool, Char, Date, Float4, Float8, Int2, Int4, Int8, Text, Timestamp, Unknown, Varchar,
};

fn cast(text: &str, from: DataType, to: DataType) -> Result<String, String> {
    let value = from_text(text, from).map_err(|e| e.message.clone())?;
    cast_value(value, from, to, true)
        .map(|v| to_text(&v, to))
        .map_err(|e| e.message.clone())
}

#[test]
fn the_ways_include_each_other() {
    assert!(can_cast(Int2, Int8, Coercion::Implicit));
    assert!(!can_cast(Int8, Int2, Coercion::Implicit) && can_cast(Int8, Int2, Coercion::Assignment));
    assert!(!can_cast(Int4, Bool, Coercion::Assignment) && can_cast(Int4, Bool, Coercion::Explicit));
    assert!(!can_cast(Date, Int4, Coercion::Explicit));
    assert!(can_cast(Unknown, Date, Coercion::Implicit) && !can_cast(Text, Date, Coercion::Assignment));
}

#[test]
fn common_types_are_postgresql_s() {
    assert_eq!(common_type(&[Int4, Int8]).unwrap(), Int8);
    assert_eq!(
        common_type(&[Int8, DataType::Numeric(Some((4, 2)))]).unwrap(),
        DataType::Numeric(None)
    );
    assert_eq!(common_type(&[Float4, DataType::Numeric(None)]).unwrap(), Float4);
    assert_eq!(common_type(&[Unknown, Date, Timestamp]).unwrap(), Timestamp);
    assert_eq!(
        common_type(&[Varchar(Some(3)), Varchar(Some(5))]).unwrap(),
        Varchar(None)
    );
    assert_eq!(common_type(&[Unknown, Unknown]).unwrap(), Text);
    assert!(common_type(&[Int4, Text]).is_err());
}

#[test]
fn values_are_rounded_cut_and_refused() {
    assert_eq!(cast("2.5", Float8, Int4).unwrap(), "2");
    assert_eq!(cast("2.5", DataType::Numeric(None), Int4).unwrap(), "3");
    assert_eq!(cast("40000", Int4, Int2).unwrap_err(), "smallint out of range");
    assert_eq!(cast("abcdef", Text, Varchar(Some(3))).unwrap(), "abc");
    assert_eq!(cast("ab", Text, Char(4)).unwrap(), "ab  ");
    assert_eq!(cast("ab", Char(4), Text).unwrap(), "ab");
    assert_eq!(cast("t", Bool, Text).unwrap(), "true");
    assert_eq!(
        cast("1e300", Float8, Float4).unwrap_err(),
        "value out of range: overflow"
    );
    assert_eq!(
        cast("2020-02-29 23:59:59", Timestamp, Date).unwrap(),
        "2020-02-29"
    );
}
