//! Reading dates and timestamps.
//!
//! Nearly all of them are written `2013-01-31` or `2013-01-31 12:34:56.789+01`: those are read in one pass over fixed places.
//! Everything else goes through a reader of words and numbers, which takes them in whatever order they come.

use super::calendar::{
    self, Civil, DATE_INFINITY, DATE_MINUS_INFINITY, INFINITY, MICROS_PER_DAY, MICROS_PER_HOUR,
    MICROS_PER_MINUTE, MICROS_PER_SECOND, MINUS_INFINITY,
};
use super::{words, zone};
use crate::error::{Result, SqlError, state};

/// What a text says: a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// Day, microseconds of the day, and seconds east of UTC if it says so.
    At(Civil, i64, Option<i64>),
    /// Later than everything.
    Infinity,
    /// Earlier than everything.
    MinusInfinity,
}

/// Why a text is no moment.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is not written as one.
    Syntax,
    /// Month or day do not exist.
    NoSuchDay,
    /// Another field is out of its range.
    Field,
    /// Something else, said already.
    Other(SqlError),
}

/// The date that a text writes.
pub(crate) fn date(text: &[u8]) -> Result<i64> {
    let read = simple_date(text).map_or_else(|| moment(text), |day| Ok(Moment::At(day, 0, None)));
    match read.map_err(|why| refuse(why, "date", text))? {
        Moment::At(day, ..) => calendar::checked_date(day.days()).map_err(|error| quote(&error, text)),
        Moment::Infinity => Ok(DATE_INFINITY),
        Moment::MinusInfinity => Ok(DATE_MINUS_INFINITY),
    }
}

/// The timestamp that a text writes. With `zone`, its offset counts, else it is passed over.
pub(crate) fn timestamp(text: &[u8], zone: bool) -> Result<i64> {
    let name = if zone {
        "timestamp with time zone"
    } else {
        "timestamp"
    };
    let read = simple_timestamp(text).map_or_else(|| moment(text), Ok);
    match read.map_err(|why| refuse(why, name, text))? {
        Moment::At(day, time, offset) => {
            let micros = i128::from(day.days()) * i128::from(MICROS_PER_DAY) + i128::from(time);
            let offset = if zone { offset.unwrap_or(0) } else { 0 };
            calendar::checked_timestamp(micros - i128::from(offset) * i128::from(MICROS_PER_SECOND))
                .map_err(|error| quote(&error, text))
        }
        Moment::Infinity => Ok(INFINITY),
        Moment::MinusInfinity => Ok(MINUS_INFINITY),
    }
}

#[cold]
fn quote(error: &SqlError, text: &[u8]) -> SqlError {
    SqlError::new(
        error.state,
        format!("{}: \"{}\"", error.message, String::from_utf8_lossy(text)),
    )
}

#[cold]
fn refuse(why: Unreadable, name: &str, text: &[u8]) -> SqlError {
    let text = String::from_utf8_lossy(text);
    match why {
        Unreadable::Syntax => SqlError::new(
            state::INVALID_DATETIME_FORMAT,
            format!("invalid input syntax for type {name}: \"{text}\""),
        ),
        Unreadable::NoSuchDay => {
            field_overflow(&text).hint("Perhaps you need a different \"datestyle\" setting.")
        }
        Unreadable::Field => field_overflow(&text),
        Unreadable::Other(error) => error,
    }
}

fn field_overflow(text: &str) -> SqlError {
    SqlError::new(
        state::DATETIME_FIELD_OVERFLOW,
        format!("date/time field value out of range: \"{text}\""),
    )
}

/// Two digits at a place.
#[inline]
fn two(text: &[u8], at: usize) -> Option<i64> {
    let (high, low) = (
        text.get(at)?.wrapping_sub(b'0'),
        text.get(at + 1)?.wrapping_sub(b'0'),
    );
    (high < 10 && low < 10).then(|| i64::from(high) * 10 + i64::from(low))
}

/// `YYYY-MM-DD` and nothing else, if there is such a day.
#[inline]
fn simple_date(text: &[u8]) -> Option<Civil> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    let civil = Civil {
        year,
        month: two(text, 5)?,
        day: two(text, 8)?,
    };
    (year > 0 && civil.exists()).then_some(civil)
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff][+00|Z]`
#[inline]
fn simple_timestamp(text: &[u8]) -> Option<Moment> {
    let (head, rest) = text.split_at_checked(10)?;
    let day = simple_date(head)?;
    if rest.is_empty() {
        return Some(Moment::At(day, 0, None));
    }
    if rest.len() < 9 || !matches!(rest[0], b' ' | b'T') || rest[3] != b':' || rest[6] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(rest, 1)?, two(rest, 4)?, two(rest, 7)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut micros = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE + second * MICROS_PER_SECOND;
    let mut rest = &rest[9..];
    if let [b'.', digits @ ..] = rest {
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 || count > 6 {
            return None;
        }
        micros += fraction(&digits[..count]);
        rest = &digits[count..];
    }
    match rest {
        [] => Some(Moment::At(day, micros, None)),
        b"Z" | b"+00" => Some(Moment::At(day, micros, Some(0))),
        _ => None,
    }
}

/// Digits after the point of a second, as microseconds.
fn fraction(digits: &[u8]) -> i64 {
    let mut micros = 0;
    let mut unit = MICROS_PER_SECOND / 10;
    for byte in digits.iter().take(6) {
        micros += i64::from(byte - b'0') * unit;
        unit /= 10;
    }
    // The seventh digit rounds.
    micros + i64::from(digits.get(6).is_some_and(|byte| *byte >= b'5'))
}

/// Any way of writing a moment.
pub(crate) fn moment(text: &[u8]) -> std::result::Result<Moment, Unreadable> {
    let text = std::str::from_utf8(text).map_err(|_| Unreadable::Syntax)?;
    match text.trim().to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => return Ok(Moment::Infinity),
        "-infinity" => return Ok(Moment::MinusInfinity),
        "epoch" => {
            return Ok(Moment::At(
                Civil {
                    year: 1970,
                    month: 1,
                    day: 1,
                },
                0,
                Some(0),
            ));
        }
        "now" | "today" | "tomorrow" | "yesterday" => {
            let what = format!("\"{}\" as a constant (use now() or current_date)", text.trim());
            return Err(Unreadable::Other(SqlError::unsupported(what)));
        }
        _ => {}
    }
    let mut reader = Reader::default();
    let mut rest = text.as_bytes();
    while let Some(next) = rest.first() {
        rest = match next {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => &rest[1..],
            byte if byte.is_ascii_digit() => reader.number(rest)?,
            byte if byte.is_ascii_alphabetic() => reader.word(rest)?,
            b'-' | b'/' if reader.month.is_some() && reader.year.is_none() => &rest[1..],
            b'+' | b'-' if reader.time.is_some() => reader.offset(rest)?,
            _ => return Err(Unreadable::Syntax),
        };
    }
    reader.finish()
}

/// Gathers the parts of a moment in the order they come.
#[derive(Default)]
struct Reader {
    year: Option<(i64, usize)>,
    month: Option<i64>,
    day: Option<i64>,
    time: Option<i64>,
    offset: Option<i64>,
    afternoon: Option<bool>,
    before_christ: bool,
    after_t: bool,
}

fn span(text: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| belongs(**byte)).count();
    text.split_at(length)
}

fn digits(text: &[u8]) -> std::result::Result<i64, Unreadable> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Unreadable::Syntax);
    }
    if text.len() > 9 {
        return Err(Unreadable::Field);
    }
    Ok(text.iter().fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')))
}

type Rest<'a> = std::result::Result<&'a [u8], Unreadable>;

impl Reader {
    fn has_date(&self) -> bool {
        self.year.is_some() && self.month.is_some() && self.day.is_some()
    }

    fn number<'a>(&mut self, text: &'a [u8]) -> Rest<'a> {
        let (first, rest) = span(text, |byte| byte.is_ascii_digit());
        match rest.first() {
            Some(b':') => self.clock(text),
            Some(separator @ (b'-' | b'/' | b'.')) if self.year.is_none() && self.month.is_none() => {
                self.date(first, *separator, &rest[1..])
            }
            _ => {
                self.bare(first)?;
                Ok(rest)
            }
        }
    }

    /// Three fields with separators: year first when it has three digits or more, else month, day, year.
    fn date<'a>(&mut self, first: &[u8], separator: u8, rest: &'a [u8]) -> Rest<'a> {
        let (second, rest) = span(rest, |byte| byte.is_ascii_alphanumeric());
        let Some((_, rest)) = rest.split_first().filter(|(next, _)| **next == separator) else {
            return Err(Unreadable::Syntax);
        };
        let (third, rest) = span(rest, |byte| byte.is_ascii_digit());
        let named = std::str::from_utf8(second).ok().and_then(words::month);
        let year_first = first.len() > 2;
        let (year, month, day) = match named {
            Some(month) if year_first => (first, Some(month), third),
            Some(month) => (third, Some(month), first),
            None if year_first => (first, Some(digits(second)?), third),
            None => (third, Some(digits(first)?), second),
        };
        self.year = Some((digits(year)?, year.len()));
        self.month = month;
        self.day = Some(digits(day)?);
        Ok(rest)
    }

    /// A number without separators.
    fn bare(&mut self, text: &[u8]) -> std::result::Result<(), Unreadable> {
        let number = digits(text)?;
        if self.has_date() || self.after_t {
            let time = match text.len() {
                6 => (number / 10_000, number / 100 % 100, number % 100),
                4 => (number / 100, number % 100, 0),
                _ => return Err(Unreadable::Syntax),
            };
            return self.set_time(time.0, time.1, time.2 * MICROS_PER_SECOND);
        }
        match text.len() {
            8 => {
                self.year = Some((number / 10_000, 4));
                (self.month, self.day) = (Some(number / 100 % 100), Some(number % 100));
            }
            6 => {
                self.year = Some((number / 10_000, 2));
                (self.month, self.day) = (Some(number / 100 % 100), Some(number % 100));
            }
            1 | 2 if self.day.is_none() && (self.month.is_some() || self.year.is_none()) => {
                self.day = Some(number);
            }
            length if self.year.is_none() => self.year = Some((number, length)),
            _ => return Err(Unreadable::Syntax),
        }
        Ok(())
    }

    fn clock<'a>(&mut self, text: &'a [u8]) -> Rest<'a> {
        let (hour, rest) = span(text, |byte| byte.is_ascii_digit());
        let (minute, mut rest) = span(&rest[1..], |byte| byte.is_ascii_digit());
        let mut micros = 0;
        if let [b':', after @ ..] = rest {
            let (seconds, after) = span(after, |byte| byte.is_ascii_digit());
            let seconds = digits(seconds)?;
            if seconds > 60 {
                return Err(Unreadable::Field);
            }
            micros = seconds * MICROS_PER_SECOND;
            rest = after;
            if let [b'.', after @ ..] = rest {
                let (parts, after) = span(after, |byte| byte.is_ascii_digit());
                micros += fraction(parts);
                rest = after;
            }
        }
        self.set_time(digits(hour)?, digits(minute)?, micros)?;
        Ok(rest)
    }

    fn set_time(&mut self, hour: i64, minute: i64, micros: i64) -> std::result::Result<(), Unreadable> {
        if self.time.is_some() {
            return Err(Unreadable::Syntax);
        }
        let time = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE + micros;
        if minute > 59 || time > MICROS_PER_DAY || hour > 24 {
            return Err(Unreadable::Field);
        }
        self.time = Some(time);
        Ok(())
    }

    fn offset<'a>(&mut self, text: &'a [u8]) -> Rest<'a> {
        let (zone, rest) = span(&text[1..], |byte| byte.is_ascii_digit() || byte == b':');
        let offset = zone::offset(&text[..=zone.len()]).ok_or(Unreadable::Syntax)?;
        if self.offset.replace(offset.map_err(Unreadable::Other)?).is_some() {
            return Err(Unreadable::Syntax);
        }
        Ok(rest)
    }

    fn word<'a>(&mut self, text: &'a [u8]) -> Rest<'a> {
        let (word, rest) = span(text, |byte| byte.is_ascii_alphabetic());
        let word = std::str::from_utf8(word).map_err(|_| Unreadable::Syntax)?;
        if let Some(month) = words::month(word) {
            // "Jan 8" and "8 Jan": what was taken for a month before was a day.
            if self.month.replace(month).is_some() {
                return Err(Unreadable::Syntax);
            }
            return Ok(rest.strip_prefix(b"-").unwrap_or(rest));
        }
        match word.to_ascii_lowercase().as_str() {
            "t" if self.has_date() && !self.after_t => self.after_t = true,
            "am" | "pm" if self.afternoon.is_none() => {
                self.afternoon = Some(word.eq_ignore_ascii_case("pm"));
            }
            "bc" | "bce" => self.before_christ = true,
            "ad" | "ce" => {}
            _ if words::weekday(word).is_some() => {}
            _ => self.zone(word)?,
        }
        Ok(rest)
    }

    fn zone(&mut self, word: &str) -> std::result::Result<(), Unreadable> {
        let offset = zone::abbreviation(word).ok_or(Unreadable::Syntax)?;
        if self.offset.replace(offset).is_some() {
            return Err(Unreadable::Syntax);
        }
        Ok(())
    }

    fn finish(self) -> std::result::Result<Moment, Unreadable> {
        let (Some((year, length)), Some(month), Some(day)) = (self.year, self.month, self.day) else {
            return Err(Unreadable::Syntax);
        };
        let year = match (self.before_christ, length) {
            (true, _) if year > 0 => 1 - year,
            (false, 1 | 2) if year < 70 => year + 2000,
            (false, 1 | 2) => year + 1900,
            (false, _) if year > 0 => year,
            _ => return Err(Unreadable::Field),
        };
        let civil = Civil { year, month, day };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(Unreadable::NoSuchDay);
        }
        if !civil.exists() {
            return Err(Unreadable::Field);
        }
        let mut time = self.time.unwrap_or(0);
        if let Some(afternoon) = self.afternoon {
            let hour = time / MICROS_PER_HOUR;
            if hour > 12 {
                return Err(Unreadable::Field);
            }
            time += (i64::from(afternoon) - i64::from(hour == 12)) * 12 * MICROS_PER_HOUR;
        }
        Ok(Moment::At(civil, time, self.offset))
    }
}
