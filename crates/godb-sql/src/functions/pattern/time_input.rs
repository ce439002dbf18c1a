//! `to_date` and `to_timestamp`: reading a time by a pattern.

use super::time_pattern::{Case, Field, Piece, pieces};
use crate::datetime::calendar::{
    Civil, EPOCH_JULIAN, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, checked_date,
    checked_timestamp,
};
use crate::datetime::words;
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::Column;

pub(super) fn to_date(call: &Call<'_>) -> Result<Column> {
    read_all(call, |read, text| checked_date(read.day(text)?))
}

pub(super) fn to_timestamp(call: &Call<'_>) -> Result<Column> {
    read_all(call, |read, text| {
        let days = i128::from(read.day(text)?) * i128::from(MICROS_PER_DAY);
        checked_timestamp(days + i128::from(read.time(text)?))
    })
}

fn read_all(call: &Call<'_>, value: impl Fn(&Read, &str) -> Result<i64>) -> Result<Column> {
    let (texts, patterns) = (call.strings(0), call.strings(1));
    call.each_int(|row| {
        let text = texts.text(row)?;
        let mut reader = Reader {
            rest: text,
            read: Read::default(),
        };
        reader.read(&pieces(patterns.text(row)?))?;
        value(&reader.read, text)
    })
}

/// What has been read so far.
#[derive(Default)]
struct Read {
    year: Option<i64>,
    century: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    week_of_month: Option<i64>,
    week_of_year: Option<i64>,
    julian: Option<i64>,
    before_christ: bool,
    hour: i64,
    twelve: bool,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    micros: i64,
    seconds_of_day: Option<i64>,
    offset_hours: i64,
    offset_minutes: i64,
}

#[cold]
fn out_of_range(text: &str) -> SqlError {
    SqlError::new(
        state::DATETIME_FIELD_OVERFLOW,
        format!("date/time field value out of range: \"{text}\""),
    )
}

impl Read {
    /// Days since 1970.
    fn day(&self, text: &str) -> Result<i64> {
        if let Some(julian) = self.julian {
            return Ok(julian - EPOCH_JULIAN);
        }
        if let (Some(year), Some(week)) = (self.iso_year, self.iso_week) {
            let fourth = Civil {
                year,
                month: 1,
                day: 4,
            }
            .days();
            let monday = fourth - (fourth + 3).rem_euclid(7);
            return Ok(monday + (week - 1) * 7 + self.iso_day.unwrap_or(1) - 1);
        }
        let year = self.calendar_year();
        let first = Civil {
            year,
            month: 1,
            day: 1,
        };
        let of_year = self
            .day_of_year
            .or(self.week_of_year.map(|week| (week - 1) * 7 + 1));
        if let (Some(day), None) = (of_year, self.month) {
            return Ok(first.days() + day - 1);
        }
        let by_week = self.week_of_month.map(|week| (week - 1) * 7 + 1);
        let civil = Civil {
            year,
            month: self.month.unwrap_or(1),
            day: self.day.or(by_week).unwrap_or(1),
        };
        if civil.exists() {
            Ok(civil.days())
        } else {
            Err(out_of_range(text))
        }
    }

    fn calendar_year(&self) -> i64 {
        let year = match (self.year, self.century) {
            (Some(year), Some(century)) if year < 100 => (century - 1) * 100 + year,
            (Some(year), _) => year,
            (None, Some(century)) => (century - 1) * 100 + 1,
            (None, None) => return 0,
        };
        if self.before_christ { 1 - year } else { year }
    }

    /// Microseconds of the day, in UTC.
    fn time(&self, text: &str) -> Result<i64> {
        let mut hour = self.hour;
        if self.twelve || self.afternoon.is_some() {
            if !(1..=12).contains(&hour) && self.twelve {
                return Err(SqlError::new(
                    state::INVALID_DATETIME_FORMAT,
                    format!("hour \"{hour}\" is invalid for the 12-hour clock"),
                )
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            hour = hour % 12 + if self.afternoon == Some(true) { 12 } else { 0 };
        }
        let fits =
            (0..=24).contains(&hour) && (0..60).contains(&self.minute) && (0..60).contains(&self.second);
        if !fits {
            return Err(out_of_range(text));
        }
        let clock =
            hour * MICROS_PER_HOUR + self.minute * MICROS_PER_MINUTE + self.second * MICROS_PER_SECOND;
        let clock = self
            .seconds_of_day
            .map_or(clock, |seconds| seconds * MICROS_PER_SECOND);
        let minutes = if self.offset_hours < 0 {
            -self.offset_minutes
        } else {
            self.offset_minutes
        };
        let offset = self.offset_hours * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE;
        Ok(clock + self.micros - offset)
    }
}

/// Reads a text along a pattern.
struct Reader<'a> {
    rest: &'a str,
    read: Read,
}

fn is_separator(character: char) -> bool {
    character.is_ascii() && !character.is_ascii_alphanumeric()
}

impl Reader<'_> {
    fn read(&mut self, pieces: &[Piece]) -> Result<()> {
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Literal(_, true) => self.pass_one(),
                Piece::Literal(character, false) if is_separator(*character) => self.pass_separator(),
                Piece::Literal(..) => self.pass_one(),
                Piece::Field {
                    field,
                    case,
                    bare,
                    ordinal,
                } => {
                    self.rest = self.rest.trim_start();
                    if self.rest.is_empty() {
                        break;
                    }
                    let tight = !bare
                        && matches!(pieces.get(at + 1), Some(Piece::Field { field, .. }) if is_number(*field));
                    self.field(*field, *case, tight)?;
                    if ordinal.is_some() {
                        self.rest = self.rest.get(2..).unwrap_or_default();
                    }
                }
            }
        }
        Ok(())
    }

    fn pass_one(&mut self) {
        let mut characters = self.rest.chars();
        characters.next();
        self.rest = characters.as_str();
    }

    fn pass_separator(&mut self) {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(is_separator) && !self.rest.starts_with(['+', '-']) {
            self.pass_one();
        } else if let Some(rest) = self.rest.strip_prefix('-') {
            self.rest = rest;
        }
    }

    /// A number; of at most `width` digits when the next field follows at once.
    fn number(&mut self, width: usize, tight: bool, shown: &str) -> Result<i64> {
        let sign = usize::from(self.rest.starts_with(['-', '+']));
        let all = self.rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let length = if tight { all.min(width) } else { all };
        if length == 0 {
            let seen: String = self.rest.chars().take(width).collect();
            return Err(SqlError::new(
                state::INVALID_DATETIME_FORMAT,
                format!("invalid value \"{seen}\" for \"{shown}\""),
            )
            .detail("Value must be an integer."));
        }
        let (digits, rest) = self.rest.split_at(sign + length);
        self.rest = rest;
        digits.parse::<i32>().map(i64::from).map_err(|_| {
            SqlError::new(
                state::DATETIME_FIELD_OVERFLOW,
                format!("value for \"{shown}\" in source string is out of range"),
            )
        })
    }

    /// Digits after the point of a second, as microseconds.
    fn fraction(&mut self, digits: usize) -> Result<i64> {
        let before = self.rest.len();
        let value = self.number(digits, true, "US")?;
        let read = u32::try_from(before - self.rest.len()).unwrap_or(0);
        Ok(value * 10_i64.pow(6_u32.saturating_sub(read)))
    }

    fn field(&mut self, field: Field, _case: Case, tight: bool) -> Result<()> {
        match field {
            Field::Hh12 => {
                self.read.hour = self.number(2, tight, "HH12")?;
                self.read.twelve = true;
            }
            Field::Hh24 => self.read.hour = self.number(2, tight, "HH24")?,
            Field::Mi => self.read.minute = self.number(2, tight, "MI")?,
            Field::Ss => self.read.second = self.number(2, tight, "SS")?,
            Field::Ms => self.read.micros += self.fraction(3)?,
            Field::Us => self.read.micros += self.fraction(6)?,
            Field::Fraction(digits) => self.read.micros += self.fraction(usize::from(digits))?,
            Field::Ssss => self.read.seconds_of_day = Some(self.number(5, tight, "SSSS")?),
            Field::Meridian { .. } => {
                self.read.afternoon = Some(self.one_of(&["A.M.", "P.M.", "AM", "PM"], "AM")? % 2 == 1);
            }
            Field::Era { .. } => {
                self.read.before_christ = self.one_of(&["A.D.", "B.C.", "AD", "BC"], "BC")? % 2 == 1;
            }
            Field::ZoneHour | Field::Offset => {
                self.read.offset_hours = self.number(2, tight, "TZH")?;
                if field == Field::Offset
                    && let Some(rest) = self.rest.strip_prefix(':')
                {
                    self.rest = rest;
                    self.read.offset_minutes = self.number(2, tight, "OF")?;
                }
            }
            Field::ZoneMinute => self.read.offset_minutes = self.number(2, tight, "TZM")?,
            Field::Zone => {
                let message = "formatting field \"TZ\" is only supported in to_char";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
            }
            _ => self.date_field(field, tight)?,
        }
        Ok(())
    }

    fn date_field(&mut self, field: Field, tight: bool) -> Result<()> {
        match field {
            Field::CommaYear => {
                let thousands = self.number(4, false, "Y,YYY")?;
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                self.read.year = Some(thousands * 1000 + self.number(3, tight, "Y,YYY")?);
            }
            Field::Year(digits) => self.read.year = Some(self.year(digits, tight, "YYYY")?),
            Field::IsoYear(digits) => self.read.iso_year = Some(self.year(digits, tight, "IYYY")?),
            Field::Century => self.read.century = Some(self.number(2, tight, "CC")?),
            Field::Month | Field::Mon => self.read.month = Some(self.name(words::month, "MONTH")?),
            Field::MonthNumber => self.read.month = Some(self.number(2, tight, "MM")?),
            Field::RomanMonth => {
                const LONGEST_FIRST: [&str; 12] = [
                    "VIII", "III", "VII", "XII", "II", "IV", "VI", "IX", "XI", "I", "V", "X",
                ];
                const NUMBERS: [i64; 12] = [8, 3, 7, 12, 2, 4, 6, 9, 11, 1, 5, 10];
                self.read.month = Some(NUMBERS[self.one_of(&LONGEST_FIRST, "RM")?]);
            }
            Field::Day | Field::Dy => {
                self.name(words::weekday, "DAY")?;
            }
            Field::DayOfYear => self.read.day_of_year = Some(self.number(3, tight, "DDD")?),
            Field::DayOfMonth => self.read.day = Some(self.number(2, tight, "DD")?),
            Field::DayOfWeek => {
                self.number(1, tight, "D")?;
            }
            Field::IsoDayOfWeek => self.read.iso_day = Some(self.number(1, tight, "ID")?),
            Field::WeekOfMonth => self.read.week_of_month = Some(self.number(1, tight, "W")?),
            Field::WeekOfYear => self.read.week_of_year = Some(self.number(2, tight, "WW")?),
            Field::IsoWeek => self.read.iso_week = Some(self.number(2, tight, "IW")?),
            Field::Julian => self.read.julian = Some(self.number(7, tight, "J")?),
            // A quarter says nothing that the month does not say better.
            Field::Quarter => {
                self.number(1, tight, "Q")?;
            }
            _ => {
                return Err(SqlError::unsupported(
                    "this formatting field in to_date and to_timestamp",
                ));
            }
        }
        Ok(())
    }

    /// A year; with fewer than four digits it is one near 2020.
    fn year(&mut self, digits: u8, tight: bool, shown: &str) -> Result<i64> {
        let year = self.number(usize::from(digits), tight, shown)?;
        Ok(match (digits, year) {
            (4, _) => year,
            (_, 0..70) => year + 2000,
            (_, 70..100) => year + 1900,
            (_, 100..520) => year + 2000,
            (_, 520..1000) => year + 1000,
            _ => year,
        })
    }

    /// Which of the words comes next.
    fn one_of(&mut self, words: &[&str], shown: &str) -> Result<usize> {
        let is = |word: &&str| {
            self.rest
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let Some(found) = words.iter().position(is) else {
            return Err(self.invalid(shown));
        };
        self.rest = &self.rest[words[found].len()..];
        Ok(found)
    }

    /// A name, in full or its first three letters.
    fn name(&mut self, known: fn(&str) -> Option<i64>, shown: &str) -> Result<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        for length in [length, 3.min(length)] {
            if let Some(value) = known(&self.rest[..length]) {
                self.rest = &self.rest[length..];
                return Ok(value);
            }
        }
        Err(self.invalid(shown))
    }

    #[cold]
    fn invalid(&self, shown: &str) -> SqlError {
        let seen: String = self.rest.chars().take_while(|c| !c.is_whitespace()).collect();
        SqlError::new(
            state::INVALID_DATETIME_FORMAT,
            format!("invalid value \"{seen}\" for \"{shown}\""),
        )
        .detail("The given value did not match any of the allowed values for this field.")
    }
}

/// Whether a field is read as a number.
fn is_number(field: Field) -> bool {
    !matches!(
        field,
        Field::Month
            | Field::Mon
            | Field::Day
            | Field::Dy
            | Field::Meridian { .. }
            | Field::Era { .. }
            | Field::RomanMonth
            | Field::Zone
    )
}
