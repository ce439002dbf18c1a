//! Records of comma-separated values.

use super::input::{Kind, Record};
use super::options::Options;
use crate::error::{Result, SqlError, state};

/// Splits lines of CSV.
pub(super) struct CsvParser {
    options: Options,
    /// Bytes that end a stretch of ordinary ones, outside quotes.
    special: [bool; 256],
}

impl CsvParser {
    pub(super) fn new(options: &Options) -> Self {
        let mut special = [false; 256];
        for byte in [options.delimiter, options.quote, b'\n', b'\r'] {
            special[usize::from(byte)] = true;
        }
        Self {
            options: options.clone(),
            special,
        }
    }

    /// Reads one record from the beginning of `bytes` into `record` and returns how many bytes it took; `None` when it does not
    /// end in `bytes`. With `over` nothing comes after `bytes`.
    pub(super) fn parse(&self, bytes: &[u8], over: bool, record: &mut Record) -> Result<Option<usize>> {
        record.clear();
        let mut at = 0;
        let mut quoted = false;
        loop {
            let plain = bytes[at..]
                .iter()
                .position(|&byte| self.special[usize::from(byte)]);
            let Some(plain) = plain else {
                if !over {
                    return Ok(None);
                }
                record.extend(&bytes[at..]);
                self.end(record, quoted);
                record.lines += 1;
                return Ok(Some(bytes.len()));
            };
            record.extend(&bytes[at..at + plain]);
            at += plain;
            let byte = bytes[at];
            at += 1;
            if byte == self.options.delimiter {
                self.end(record, std::mem::take(&mut quoted));
            } else if byte == self.options.quote {
                quoted = true;
                let Some(end) = self.quoted(bytes, at, over, record)? else {
                    return Ok(None);
                };
                at = end;
            } else {
                if byte == b'\r' {
                    match bytes.get(at) {
                        Some(b'\n') => at += 1,
                        None if !over => return Ok(None),
                        None => {}
                        Some(_) => return Err(bad("unquoted carriage return found in data")),
                    }
                }
                self.end(record, quoted);
                record.lines += 1;
                return Ok(Some(at));
            }
        }
    }

    fn end(&self, record: &mut Record, quoted: bool) {
        let kind = match quoted {
            true => Kind::Quoted,
            false if record.current() == self.options.null.as_bytes() => Kind::Null,
            false => Kind::Plain,
        };
        record.end(kind);
    }

    /// Reads up to the closing quote; returns the position behind it.
    fn quoted(&self, bytes: &[u8], mut at: usize, over: bool, record: &mut Record) -> Result<Option<usize>> {
        let (quote, escape) = (self.options.quote, self.options.escape);
        loop {
            let stop = bytes[at..]
                .iter()
                .position(|&byte| byte == quote || byte == escape);
            let Some(stop) = stop else {
                return if over {
                    Err(bad("unterminated CSV quoted field"))
                } else {
                    Ok(None)
                };
            };
            let text = &bytes[at..at + stop];
            record.lines += text.iter().filter(|&&byte| byte == b'\n').count() as u64;
            record.extend(text);
            at += stop;
            let next = bytes.get(at + 1).copied();
            if next.is_none() && !over {
                return Ok(None);
            }
            let escapes = bytes[at] == escape && next.is_some_and(|next| next == quote || next == escape);
            if escapes {
                record.push(next.unwrap_or(quote));
                at += 2;
            } else if bytes[at] == quote {
                return Ok(Some(at + 1));
            } else {
                record.push(bytes[at]);
                at += 1;
            }
        }
    }
}

/// The error for a file that is not in the format it should be in.
pub(super) fn bad(message: impl Into<String>) -> SqlError {
    SqlError::new(state::BAD_COPY_FILE_FORMAT, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(null: &str) -> Options {
        let mut options =
            Options::new(&[], &[sqlparser::ast::CopyLegacyOption::Csv(Vec::new())], false).unwrap();
        options.null = null.to_owned();
        options
    }

    fn parse(text: &str, null: &str) -> Vec<Vec<String>> {
        let parser = CsvParser::new(&options(null));
        let mut rest = text.as_bytes();
        let mut records = Vec::new();
        let mut record = Record::default();
        while !rest.is_empty() {
            let used = parser.parse(rest, true, &mut record).unwrap().unwrap();
            rest = &rest[used..];
            records.push(
                (0..record.len())
                    .map(|at| match record.field(at) {
                        (_, Kind::Null) => "NULL".to_owned(),
                        (text, _) => String::from_utf8(text.to_vec()).unwrap(),
                    })
                    .collect(),
            );
        }
        records
    }

    #[test]
    fn quotes_delimiters_and_lines_within_fields() {
        assert_eq!(
            parse("a,\"b,\"\"c\"\"\nd\",e\r\nf,,\"\"\n", ""),
            [vec!["a", "b,\"c\"\nd", "e"], vec!["f", "NULL", ""]]
        );
    }

    #[test]
    fn only_an_unquoted_null_is_null() {
        assert_eq!(parse("NA,\"NA\",x\"NA\"y", "NA"), [vec!["NULL", "NA", "xNAy"]]);
    }

    #[test]
    fn a_record_cut_anywhere_asks_for_more() {
        let text = b"ab,\"c\"\"\n\",d\r\n";
        let parser = CsvParser::new(&options(""));
        let mut record = Record::default();
        for cut in 0..text.len() {
            assert_eq!(
                parser.parse(&text[..cut], false, &mut record).unwrap(),
                None,
                "cut at {cut}"
            );
        }
        assert_eq!(parser.parse(text, false, &mut record).unwrap(), Some(text.len()));
        assert_eq!((record.len(), record.lines), (3, 2));
    }

    #[test]
    fn an_open_quote_at_the_end_is_an_error() {
        let error = CsvParser::new(&options(""))
            .parse(b"\"abc", true, &mut Record::default())
            .unwrap_err();
        assert_eq!(
            (error.state.0, error.message.as_str()),
            ("22P04", "unterminated CSV quoted field")
        );
    }
}
