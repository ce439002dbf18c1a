//! Records of PostgreSQL's text format: fields between tabs, with backslash escapes.

use super::csv::bad;
use super::input::{Kind, Record};
use super::options::Options;
use crate::error::Result;

/// Reads one record from the beginning of `bytes` into `record` and returns how many bytes it took; `None` when it does not end
/// in `bytes`. With `over` nothing comes after `bytes`.
pub(super) fn parse(
    options: &Options,
    bytes: &[u8],
    over: bool,
    record: &mut Record,
) -> Result<Option<usize>> {
    record.clear();
    let mut field = 0;
    let mut at = 0;
    loop {
        let Some(&byte) = bytes.get(at) else {
            if !over {
                return Ok(None);
            }
            end(options, &bytes[field..at], record)?;
            record.lines = 1;
            return Ok(Some(at));
        };
        match byte {
            b'\\' if at + 1 < bytes.len() => at += 2,
            b'\\' if !over => return Ok(None),
            b'\n' => {
                let line = bytes[field..at].strip_suffix(b"\r").unwrap_or(&bytes[field..at]);
                end(options, line, record)?;
                record.lines = 1;
                return Ok(Some(at + 1));
            }
            delimiter if delimiter == options.delimiter => {
                end(options, &bytes[field..at], record)?;
                at += 1;
                field = at;
            }
            _ => at += 1,
        }
    }
}

/// Unescapes a field.
fn end(options: &Options, raw: &[u8], record: &mut Record) -> Result<()> {
    if raw == options.null.as_bytes() {
        record.end(Kind::Null);
        return Ok(());
    }
    let mut rest = raw;
    while let Some(stop) = rest.iter().position(|&byte| byte == b'\\') {
        record.extend(&rest[..stop]);
        let used = unescape(&rest[stop + 1..], record)?;
        rest = &rest[stop + 1 + used..];
    }
    record.extend(rest);
    record.end(Kind::Plain);
    Ok(())
}

/// Adds what the characters behind a backslash mean; returns how many there were.
fn unescape(after: &[u8], record: &mut Record) -> Result<usize> {
    let Some(&first) = after.first() else {
        record.push(b'\\');
        return Ok(0);
    };
    let plain = match first {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => return number(after, 0, 3, 8, record),
        b'x' if after.get(1).is_some_and(u8::is_ascii_hexdigit) => return number(after, 1, 3, 16, record),
        other => other,
    };
    record.push(plain);
    Ok(1)
}

/// Digits of a character's number.
fn number(after: &[u8], from: usize, to: usize, radix: u32, record: &mut Record) -> Result<usize> {
    let digits = &after[from..after.len().min(to)];
    let digits = digits
        .iter()
        .map_while(|&digit| char::from(digit).to_digit(radix));
    let (count, value) = digits.fold((0, 0), |(count, value), digit| (count + 1, value * radix + digit));
    let byte = u8::try_from(value & 0xFF).map_err(|_| bad("invalid escape in data"))?;
    record.push(byte);
    Ok(from + count)
}

/// Writes a field with escapes.
pub(super) fn escape(options: &Options, text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        let letter = match byte {
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            b'\\' => b'\\',
            byte if byte == options.delimiter => byte,
            byte => {
                out.push(byte);
                continue;
            }
        };
        out.extend([b'\\', letter]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(text: &[u8]) -> Vec<(Vec<u8>, Kind)> {
        let options = Options::new(&[], &[], false).unwrap();
        let mut record = Record::default();
        assert_eq!(
            parse(&options, text, true, &mut record).unwrap(),
            Some(text.len())
        );
        (0..record.len())
            .map(|at| (record.field(at).0.to_vec(), record.field(at).1))
            .collect()
    }

    #[test]
    fn escapes_and_nulls() {
        let expected = [
            ("a\tb", Kind::Plain),
            ("", Kind::Null),
            ("\\N", Kind::Plain),
            ("A!", Kind::Plain),
        ];
        let got = fields(b"a\\tb\t\\N\t\\\\N\t\\101\\x21\n");
        assert_eq!(got, expected.map(|(text, kind)| (text.as_bytes().to_vec(), kind)));
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text: Vec<u8>) {
            let options = Options::new(&[], &[], false).unwrap();
            let mut line = Vec::new();
            escape(&options, &text, &mut line);
            line.push(b'\n');
            prop_assert_eq!(fields(&line), vec![(text, Kind::Plain)]);
        }
    }
}
