//! Values in PostgreSQL's binary formats, in both directions.
//!
//! Numbers are big-endian; dates and times count from 2000-01-01; a decimal is a list of digits to the base 10,000.

use bytes::{BufMut, BytesMut};
use godb::{DataType, Interval, Value, from_text, write_value};

/// Days from 1970-01-01 to 2000-01-01, and microseconds.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;
/// Digits of one group of a decimal.
const GROUP: usize = 4;
const NEGATIVE: u16 = 0x4000;

/// Writes a value that is not NULL, without its length. `None` when it is out of the format's range.
pub fn write(value: &Value, ty: DataType, scratch: &mut Vec<u8>, out: &mut BytesMut) -> Option<()> {
    match (value, ty) {
        (Value::Bool(value), _) => out.put_u8(u8::from(*value)),
        (Value::Int(value), DataType::Int2) => out.put_i16(i16::try_from(*value).ok()?),
        (Value::Int(value), DataType::Int4) => out.put_i32(i32::try_from(*value).ok()?),
        (Value::Int(value), DataType::Date) => out.put_i32(date_out(*value)?),
        (Value::Int(value), DataType::Timestamp | DataType::TimestampTz) => out.put_i64(time_out(*value)),
        (Value::Int(value), _) => out.put_i64(*value),
        (Value::Float(value), DataType::Float4) => out.put_f32(narrow(*value)),
        (Value::Float(value), _) => out.put_f64(*value),
        (Value::Bytes(value), _) => out.put_slice(value),
        (Value::Text(value), _) => out.put_slice(value.as_bytes()),
        (Value::Interval(value), _) => {
            out.put_i64(value.micros);
            out.put_i32(value.days);
            out.put_i32(value.months);
        }
        (Value::Numeric(_), _) => {
            scratch.clear();
            write_value(value, ty, scratch);
            decimal_out(scratch, out)?;
        }
        (Value::Null, _) => {}
    }
    Some(())
}

/// Reads a value of a type; `None` when the bytes are none.
#[must_use]
pub fn read(bytes: &[u8], ty: DataType) -> Option<Value> {
    Some(match ty {
        DataType::Bool => Value::Bool(match bytes {
            [0] => false,
            [_] => true,
            _ => return None,
        }),
        DataType::Int2 => Value::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        DataType::Int4 => Value::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        DataType::Int8 => Value::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        DataType::Float4 => Value::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        DataType::Float8 => Value::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        DataType::Date => Value::Int(date_in(i32::from_be_bytes(bytes.try_into().ok()?))?),
        DataType::Timestamp | DataType::TimestampTz => {
            Value::Int(time_in(i64::from_be_bytes(bytes.try_into().ok()?))?)
        }
        DataType::Interval => {
            let bytes: &[u8; 16] = bytes.try_into().ok()?;
            Value::Interval(Interval {
                micros: i64::from_be_bytes(bytes[..8].try_into().ok()?),
                days: i32::from_be_bytes(bytes[8..12].try_into().ok()?),
                months: i32::from_be_bytes(bytes[12..].try_into().ok()?),
            })
        }
        DataType::Numeric(_) => decimal_in(bytes)?,
        DataType::Bytea => Value::Bytes(bytes.to_vec()),
        _ => Value::Text(
            std::str::from_utf8(bytes)
                .ok()
                .filter(|text| !text.contains('\0'))?
                .to_owned(),
        ),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value was rounded to f32 when it was made"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// The infinite dates are the ends of both ranges.
fn date_out(days: i64) -> Option<i32> {
    match i32::try_from(days).ok()? {
        end @ (i32::MAX | i32::MIN) => Some(end),
        _ => i32::try_from(days - EPOCH_DAYS).ok(),
    }
}

fn date_in(days: i32) -> Option<i64> {
    match days {
        i32::MAX | i32::MIN => Some(days.into()),
        _ => Some(i64::from(days) + EPOCH_DAYS).filter(|days| i32::try_from(*days).is_ok()),
    }
}

fn time_out(micros: i64) -> i64 {
    match micros {
        i64::MAX | i64::MIN => micros,
        _ => micros.saturating_sub(EPOCH_MICROS),
    }
}

fn time_in(micros: i64) -> Option<i64> {
    match micros {
        i64::MAX | i64::MIN => Some(micros),
        _ => micros.checked_add(EPOCH_MICROS),
    }
}

/// From the text of a decimal: groups of four digits, counted from the point.
fn decimal_out(text: &[u8], out: &mut BytesMut) -> Option<()> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, part) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    let lead = whole.len().next_multiple_of(GROUP) - whole.len();
    let mut digits = vec![b'0'; lead];
    digits.extend_from_slice(whole);
    let whole_groups = digits.len() / GROUP;
    digits.extend_from_slice(part);
    digits.resize(digits.len().next_multiple_of(GROUP), b'0');
    let group = |group: &[u8]| {
        group
            .iter()
            .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
    };
    let mut groups: Vec<u16> = digits.chunks(GROUP).map(group).collect();
    let zeros = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..zeros);
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let weight = i32::try_from(whole_groups).ok()? - i32::try_from(zeros).ok()? - 1;
    out.put_u16(u16::try_from(groups.len()).ok()?);
    out.put_i16(if groups.is_empty() {
        0
    } else {
        i16::try_from(weight).ok()?
    });
    out.put_u16(if negative && !groups.is_empty() {
        NEGATIVE
    } else {
        0
    });
    out.put_u16(u16::try_from(part.len()).ok()?);
    groups.into_iter().for_each(|group| out.put_u16(group));
    Some(())
}

/// To a decimal, by way of its text. NaN and infinity do not exist here.
fn decimal_in(bytes: &[u8]) -> Option<Value> {
    let mut numbers = bytes
        .chunks(2)
        .map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
    let mut next = || numbers.next().flatten();
    let (count, weight, sign, scale) = (next()?, next()?.cast_signed(), next()?, next()?);
    if bytes.len() != 8 + usize::from(count) * 2 || !matches!(sign, 0 | NEGATIVE) || scale > 16_383 {
        return None;
    }
    let mut text = String::from(if sign == NEGATIVE { "-0" } else { "0" });
    let weight = i32::from(weight);
    let groups = std::iter::from_fn(next).collect::<Vec<_>>();
    let group = |at: i32| {
        usize::try_from(at)
            .ok()
            .and_then(|at| groups.get(at))
            .copied()
            .unwrap_or(0)
    };
    if groups.iter().any(|group| *group > 9999) {
        return None;
    }
    (0..=weight).for_each(|at| text.push_str(&format!("{:04}", group(at))));
    let mut part = String::new();
    let mut at = weight + 1;
    while part.len() < usize::from(scale) {
        part.push_str(&format!("{:04}", group(at)));
        at += 1;
    }
    part.truncate(scale.into());
    if !part.is_empty() {
        text.push('.');
        text.push_str(&part);
    }
    from_text(&text, DataType::Numeric(None)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &str, ty: DataType) {
        let value = from_text(text, ty).unwrap();
        let mut out = BytesMut::new();
        write(&value, ty, &mut Vec::new(), &mut out).unwrap();
        let back = read(&out, ty).unwrap_or_else(|| panic!("{text}: {out:?}"));
        assert_eq!(godb::to_text(&back, ty), godb::to_text(&value, ty), "{text}");
    }

    #[test]
    fn every_type_comes_back() {
        for text in [
            "0",
            "1",
            "-1",
            "10000",
            "123456789.000123",
            "0.00000001",
            "-99999.5",
            "1e40",
            "0.1000",
            "12345678901234567890.5",
            "0.0001",
            "100000000",
            "0.00",
        ] {
            there_and_back(text, DataType::Numeric(None));
        }
        for text in [
            "2000-01-01",
            "1970-01-01",
            "0001-01-01",
            "infinity",
            "-infinity",
            "9999-12-31",
        ] {
            there_and_back(text, DataType::Date);
            there_and_back(text, DataType::Timestamp);
        }
        there_and_back("2024-02-29 12:34:56.789012", DataType::Timestamp);
        there_and_back("2024-02-29 12:34:56.789012+02", DataType::TimestampTz);
        there_and_back("1 year 2 mons 3 days 04:05:06.7", DataType::Interval);
        there_and_back("-2147483648", DataType::Int4);
        there_and_back("-32768", DataType::Int2);
        there_and_back("9223372036854775807", DataType::Int8);
        there_and_back("1.5", DataType::Float4);
        there_and_back("-1e308", DataType::Float8);
        there_and_back("t", DataType::Bool);
        there_and_back("\\x00ff", DataType::Bytea);
        there_and_back("größer", DataType::Text);
    }

    #[test]
    fn a_decimal_as_postgresql_writes_it() {
        let mut out = BytesMut::new();
        let value = from_text("-12345.678", DataType::Numeric(None)).unwrap();
        write(&value, DataType::Numeric(None), &mut Vec::new(), &mut out).unwrap();
        assert_eq!(out[..], [0, 3, 0, 1, 0x40, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]);
    }

    #[test]
    fn bytes_that_are_no_value_are_refused() {
        for (bytes, ty) in [
            (&b""[..], DataType::Int4),
            (b"12345", DataType::Int4),
            (b"\xff", DataType::Text),
            (b"a\0", DataType::Text),
            (b"\0\x01\0\0\0\0\0\0", DataType::Numeric(None)),
            (b"\0\x01\0\0\0\0\0\0\xff\xff", DataType::Numeric(None)),
            (b"\0\0\0\0\xc0\0\0\0", DataType::Numeric(None)),
            (b"\0\0\0", DataType::Numeric(None)),
        ] {
            assert_eq!(read(bytes, ty), None, "{bytes:?} {ty}");
        }
    }
}
