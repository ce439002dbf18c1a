//! `to_char` of times.

use super::time_fields::Fields;
use super::time_pattern::{Case, Field, Piece, pieces};
use crate::datetime::calendar::{EPOCH_JULIAN, is_finite, weekday};
use crate::datetime::words::{MONTHS, WEEKDAYS};
use crate::error::{Result, SqlError, state};
use crate::functions::Call;
use crate::vector::Column;

const ROMAN_MONTHS: [&str; 12] = [
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
];
/// Names are padded to the length of the longest, "September" and "Wednesday".
const NAME_WIDTH: usize = 9;

pub(super) fn to_char_time(call: &Call<'_>) -> Result<Column> {
    let (times, patterns) = (call.ints(0), call.strings(1));
    let mut cut = Cut::default();
    call.each_string_or_null(|row, out| {
        let micros = *times.at(row);
        let pieces = cut.get(patterns.text(row)?);
        if !is_finite(micros) || pieces.is_empty() {
            return Ok(false);
        }
        show(&Fields::of_time(micros), pieces, out)?;
        Ok(true)
    })
}

pub(super) fn to_char_span(call: &Call<'_>) -> Result<Column> {
    let (spans, patterns) = (call.intervals(0), call.strings(1));
    let mut cut = Cut::default();
    call.each_string_or_null(|row, out| {
        let pieces = cut.get(patterns.text(row)?);
        show(&Fields::of_span(*spans.at(row)), pieces, out)?;
        Ok(!pieces.is_empty())
    })
}

/// The pattern cut up last: patterns are nearly always the same for all rows.
#[derive(Default)]
struct Cut {
    pattern: String,
    pieces: Vec<Piece>,
}

impl Cut {
    fn get(&mut self, pattern: &str) -> &[Piece] {
        if self.pattern != pattern {
            pattern.clone_into(&mut self.pattern);
            self.pieces = pieces(pattern);
        }
        &self.pieces
    }
}

fn show(fields: &Fields, pieces: &[Piece], out: &mut Vec<u8>) -> Result<()> {
    for piece in pieces {
        match piece {
            Piece::Literal(character, _) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Piece::Field {
                field,
                case,
                bare,
                ordinal,
            } => {
                let start = out.len();
                show_field(fields, *field, *case, *bare, out)?;
                if let Some(case) = ordinal {
                    let suffix = suffix(&out[start..], *case);
                    out.extend_from_slice(suffix.as_bytes());
                }
            }
        }
    }
    Ok(())
}

/// `st`, `nd`, `rd` or `th`, by the last digits.
pub(super) fn suffix(digits: &[u8], case: Case) -> &'static str {
    let (tens, ones) = match digits {
        [.., tens, ones] => (*tens, *ones),
        [ones] => (b'0', *ones),
        [] => (b'0', b'0'),
    };
    let lower = case == Case::Lower;
    match (tens, ones) {
        (b'1', _) => {
            if lower {
                "th"
            } else {
                "TH"
            }
        }
        (_, b'1') => {
            if lower {
                "st"
            } else {
                "ST"
            }
        }
        (_, b'2') => {
            if lower {
                "nd"
            } else {
                "ND"
            }
        }
        (_, b'3') => {
            if lower {
                "rd"
            } else {
                "RD"
            }
        }
        _ => {
            if lower {
                "th"
            } else {
                "TH"
            }
        }
    }
}

fn number(value: i64, width: usize, bare: bool, out: &mut Vec<u8>) {
    let shown = if bare {
        value.to_string()
    } else if value < 0 {
        format!("-{:0width$}", value.unsigned_abs())
    } else {
        format!("{value:0width$}")
    };
    out.extend_from_slice(shown.as_bytes());
}

fn name(full: &str, case: Case, width: usize, out: &mut Vec<u8>) {
    let cased = match case {
        Case::Upper => full.to_ascii_uppercase(),
        Case::Title => full.to_owned(),
        Case::Lower => full.to_ascii_lowercase(),
    };
    out.extend_from_slice(format!("{cased:width$}").as_bytes());
}

#[cold]
fn no_calendar() -> SqlError {
    SqlError::new(
        state::INVALID_DATETIME_FORMAT,
        "invalid format specification for an interval value",
    )
    .hint("Intervals are not tied to specific calendar dates.")
}

/// Whether a field belongs to a day of the calendar, which an interval is not.
fn needs_calendar(field: Field) -> bool {
    matches!(
        field,
        Field::Era { .. }
            | Field::Day
            | Field::Dy
            | Field::DayOfWeek
            | Field::IsoDayOfWeek
            | Field::IsoDayOfYear
            | Field::IsoYear(_)
            | Field::IsoWeek
            | Field::Zone
            | Field::ZoneHour
            | Field::ZoneMinute
            | Field::Offset
    )
}

fn show_field(fields: &Fields, field: Field, case: Case, bare: bool, out: &mut Vec<u8>) -> Result<()> {
    if fields.span && needs_calendar(field) {
        return Err(no_calendar());
    }
    let two = |value: i64, out: &mut Vec<u8>| number(value, 2, bare, out);
    match field {
        Field::Hh24 => two(fields.hour, out),
        Field::Hh12 => two(
            if fields.hour % 12 == 0 {
                12
            } else {
                fields.hour % 12
            },
            out,
        ),
        Field::Mi => two(fields.minute, out),
        Field::Ss => two(fields.micros / 1_000_000, out),
        Field::Ms => number(fields.micros % 1_000_000 / 1000, 3, false, out),
        Field::Us => number(fields.micros % 1_000_000, 6, false, out),
        Field::Fraction(digits) => {
            let unit = 10_i64.pow(u32::from(6 - digits));
            number(fields.micros % 1_000_000 / unit, usize::from(digits), false, out);
        }
        Field::Ssss => out.extend_from_slice(fields.seconds_of_day().to_string().as_bytes()),
        Field::Meridian { dots } => meridian(fields, case, dots, out),
        Field::Zone => name("UTC", case, 0, out),
        Field::ZoneHour | Field::Offset => out.extend_from_slice(b"+00"),
        Field::ZoneMinute => out.extend_from_slice(b"00"),
        Field::Era { dots } => {
            let shown = match (fields.day.year <= 0, dots) {
                (true, false) => "BC",
                (true, true) => "B.C.",
                (false, false) => "AD",
                (false, true) => "A.D.",
            };
            name(shown, case, 0, out);
        }
        Field::CommaYear | Field::Year(_) | Field::Century => show_year(fields, field, bare, out),
        _ => show_day(fields, field, case, bare, out),
    }
    Ok(())
}

fn meridian(fields: &Fields, case: Case, dots: bool, out: &mut Vec<u8>) {
    let shown = match (fields.is_afternoon(), dots) {
        (true, false) => "PM",
        (true, true) => "P.M.",
        (false, false) => "AM",
        (false, true) => "A.M.",
    };
    name(shown, case, 0, out);
}

fn show_year(fields: &Fields, field: Field, bare: bool, out: &mut Vec<u8>) {
    let year = fields.counted_year();
    match field {
        Field::CommaYear => {
            out.extend_from_slice(format!("{},{:03}", year / 1000, year % 1000).as_bytes());
        }
        Field::Century => {
            let century = if fields.span {
                fields.day.year / 100
            } else if fields.day.year > 0 {
                (fields.day.year - 1) / 100 + 1
            } else {
                fields.day.year / 100 - 1
            };
            number(century, 2, bare, out);
        }
        Field::Year(4) => number(year, 4, bare, out),
        Field::Year(digits) => {
            let shown = year % 10_i64.pow(u32::from(digits));
            number(shown, usize::from(digits), bare, out);
        }
        _ => {}
    }
}

fn show_day(fields: &Fields, field: Field, case: Case, bare: bool, out: &mut Vec<u8>) {
    let day = fields.day;
    let padded = if bare { 0 } else { NAME_WIDTH };
    let month = usize::try_from(day.month - 1).ok().filter(|month| *month < 12);
    let of_week = || usize::try_from(weekday(day.days())).unwrap_or(0);
    let of_year = || {
        if fields.span {
            day.month * 30 + day.day
        } else {
            day.day_of_year()
        }
    };
    match field {
        Field::Month => name(
            month.map_or("", |month| MONTHS[month]),
            case,
            month.map_or(0, |_| padded),
            out,
        ),
        Field::Mon => name(month.map_or("", |month| &MONTHS[month][..3]), case, 0, out),
        Field::MonthNumber => number(day.month, 2, bare, out),
        Field::RomanMonth => {
            name(
                month.map_or("", |month| ROMAN_MONTHS[month]),
                case,
                if bare || month.is_none() { 0 } else { 4 },
                out,
            );
        }
        Field::Day => name(WEEKDAYS[of_week()], case, padded, out),
        Field::Dy => name(&WEEKDAYS[of_week()][..3], case, 0, out),
        Field::DayOfYear => number(of_year(), 3, bare, out),
        Field::DayOfMonth => number(day.day, 2, bare, out),
        Field::DayOfWeek => number(weekday(day.days()) + 1, 1, true, out),
        Field::IsoDayOfWeek => number((weekday(day.days()) + 6) % 7 + 1, 1, true, out),
        Field::IsoDayOfYear => number(
            (day.iso_week().1 - 1) * 7 + (weekday(day.days()) + 6) % 7 + 1,
            3,
            bare,
            out,
        ),
        Field::WeekOfMonth => number((day.day - 1) / 7 + 1, 1, true, out),
        Field::WeekOfYear => number((of_year() - 1) / 7 + 1, 2, bare, out),
        Field::IsoWeek => number(day.iso_week().1, 2, bare, out),
        Field::IsoYear(4) => number(day.iso_week().0, 4, bare, out),
        Field::IsoYear(digits) => {
            number(
                day.iso_week().0 % 10_i64.pow(u32::from(digits)),
                usize::from(digits),
                bare,
                out,
            );
        }
        Field::Julian => number(day.days() + EPOCH_JULIAN, 1, true, out),
        Field::Quarter if day.month > 0 => number((day.month - 1) / 3 + 1, 1, true, out),
        _ => {}
    }
}
