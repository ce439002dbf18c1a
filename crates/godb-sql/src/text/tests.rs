//! Text there and back for every type, and nothing that anybody writes brings the reader down.

use super::*;
use crate::types::DataType;
use crate::value::{Interval, Value};
use crate::vector::Column;
use proptest::prelude::*;

const TYPES: [DataType; 17] = [
    DataType::Bool,
    DataType::Int2,
    DataType::Int4,
    DataType::Int8,
    DataType::Float4,
    DataType::Float8,
    DataType::Numeric(None),
    DataType::Numeric(Some((6, 2))),
    DataType::Text,
    DataType::Varchar(Some(3)),
    DataType::Varchar(None),
    DataType::Char(3),
    DataType::Bytea,
    DataType::Date,
    DataType::Timestamp,
    DataType::TimestampTz,
    DataType::Interval,
];

#[test]
fn floats_show_the_fewest_digits() {
    let shown = |value: f64, ty| {
        let mut out = Vec::new();
        write_float(value, ty, &mut out);
        String::from_utf8(out).unwrap()
    };
    let double = [
        (0.1, "0.1"),
        (1e15, "1e+15"),
        (123_456_789_012_345.0, "123456789012345"),
        (1e14, "100000000000000"),
        (0.0001, "0.0001"),
        (0.000_01, "1e-05"),
        (-1.5e300, "-1.5e+300"),
        (-0.0, "-0"),
        (f64::NAN, "NaN"),
        (1234.5, "1234.5"),
    ];
    for (value, text) in double {
        assert_eq!(shown(value, DataType::Float8), text);
    }
    assert_eq!(shown(1e6, DataType::Float4), "1e+06");
    assert_eq!(shown(f64::from(0.1_f32), DataType::Float4), "0.1");
}

fn value() -> impl Strategy<Value = (DataType, Value)> {
    let micros = -210_866_803_200_000_000_i64..i64::MAX;
    prop_oneof![
        any::<bool>().prop_map(|v| (DataType::Bool, Value::Bool(v))),
        any::<i16>().prop_map(|v| (DataType::Int2, Value::Int(v.into()))),
        any::<i64>().prop_map(|v| (DataType::Int8, Value::Int(v))),
        any::<f32>().prop_map(|v| (DataType::Float4, Value::Float(v.into()))),
        any::<f64>().prop_map(|v| (DataType::Float8, Value::Float(v))),
        (any::<i128>(), 0..40_i64).prop_map(|(m, s)| (
            DataType::Numeric(None),
            Value::Numeric(crate::value::Numeric::new(m.into(), s))
        )),
        ".*".prop_map(|v| (DataType::Text, Value::Text(v))),
        any::<Vec<u8>>().prop_map(|v| (DataType::Bytea, Value::Bytes(v))),
        (-2_440_588_i64..2_000_000_000).prop_map(|v| (DataType::Date, Value::Int(v))),
        micros.clone().prop_map(|v| (DataType::Timestamp, Value::Int(v))),
        micros.prop_map(|v| (DataType::TimestampTz, Value::Int(v))),
        (
            any::<i32>(),
            any::<i32>(),
            any::<i64>().prop_filter("has a positive twin", |m| *m != i64::MIN)
        )
            .prop_map(|(months, days, micros)| (
                DataType::Interval,
                Value::Interval(Interval { months, days, micros })
            )),
    ]
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a == b || a.is_nan() && b.is_nan(),
        _ => a == b,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read((ty, value) in value()) {
        let text = to_text(&value, ty);
        let back = from_text(&text, ty).unwrap();
        prop_assert!(same(&back, &value), "{} is {:?}, not {:?}", text, back, value);
        let column = Column::repeat(ty, &value, 2);
        let mut fast = Vec::new();
        write_text(&column, 1, ty, &mut fast);
        prop_assert_eq!(String::from_utf8(fast).unwrap(), text.clone());
        let mut read = Column::empty(ty);
        push_text(&mut read, text.as_bytes(), ty).unwrap();
        prop_assert!(same(&read.value(0, ty), &value));
    }

    #[test]
    fn nothing_makes_the_reader_panic(text in "(\\PC|[-+0-9eE.:,/ TZ]){0,24}") {
        for ty in TYPES {
            let value = from_text(&text, ty);
            let mut column = Column::empty(ty);
            let pushed = push_text(&mut column, text.as_bytes(), ty);
            prop_assert_eq!(value.is_ok(), pushed.is_ok());
            prop_assert_eq!(column.len(), usize::from(pushed.is_ok()));
            if let Ok(value) = value {
                let _ = to_text(&value, ty);
            }
        }
    }
}
