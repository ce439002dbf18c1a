//! Patterns of times, cut into fields and what stands between them.

/// A field of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Hh12,
    Hh24,
    Mi,
    Ss,
    Ms,
    Us,
    Fraction(u8),
    Ssss,
    Meridian { dots: bool },
    Era { dots: bool },
    CommaYear,
    Year(u8),
    IsoYear(u8),
    Month,
    Mon,
    MonthNumber,
    RomanMonth,
    Day,
    Dy,
    DayOfYear,
    IsoDayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfWeek,
    WeekOfMonth,
    WeekOfYear,
    IsoWeek,
    Century,
    Julian,
    Quarter,
    Zone,
    ZoneHour,
    ZoneMinute,
    Offset,
}

/// How a field's letters are written in the pattern, and so in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// `MONTH`
    Upper,
    /// `Month`
    Title,
    /// `month`
    Lower,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A field.
    Field {
        /// Which.
        field: Field,
        /// Its letters.
        case: Case,
        /// `FM`: neither blanks nor zeros in front.
        bare: bool,
        /// `TH` or `th` behind it.
        ordinal: Option<Case>,
    },
    /// Anything else, as it is. The second says that it was quoted.
    Literal(char, bool),
}

/// The fields by their names, longer names before their beginnings.
const FIELDS: &[(&str, Field)] = &[
    ("A.D.", Field::Era { dots: true }),
    ("B.C.", Field::Era { dots: true }),
    ("A.M.", Field::Meridian { dots: true }),
    ("P.M.", Field::Meridian { dots: true }),
    ("AD", Field::Era { dots: false }),
    ("BC", Field::Era { dots: false }),
    ("AM", Field::Meridian { dots: false }),
    ("PM", Field::Meridian { dots: false }),
    ("CC", Field::Century),
    ("DAY", Field::Day),
    ("DDD", Field::DayOfYear),
    ("DD", Field::DayOfMonth),
    ("DY", Field::Dy),
    ("D", Field::DayOfWeek),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("HH24", Field::Hh24),
    ("HH12", Field::Hh12),
    ("HH", Field::Hh12),
    ("IDDD", Field::IsoDayOfYear),
    ("ID", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("I", Field::IsoYear(1)),
    ("J", Field::Julian),
    ("MI", Field::Mi),
    ("MM", Field::MonthNumber),
    ("MONTH", Field::Month),
    ("MON", Field::Mon),
    ("MS", Field::Ms),
    ("OF", Field::Offset),
    ("Q", Field::Quarter),
    ("RM", Field::RomanMonth),
    ("SSSSS", Field::Ssss),
    ("SSSS", Field::Ssss),
    ("SS", Field::Ss),
    ("TZH", Field::ZoneHour),
    ("TZM", Field::ZoneMinute),
    ("TZ", Field::Zone),
    ("US", Field::Us),
    ("WW", Field::WeekOfYear),
    ("W", Field::WeekOfMonth),
    ("Y,YYY", Field::CommaYear),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
];

/// The field that the pattern begins with, how its letters are written, and how long its name is.
fn field(pattern: &str) -> Option<(Field, Case, usize)> {
    for (name, field) in FIELDS {
        let Some(start) = pattern.get(..name.len()) else {
            continue;
        };
        if start == *name {
            return Some((*field, Case::Upper, name.len()));
        }
        if start.eq_ignore_ascii_case(name) {
            if !start.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Some((*field, Case::Lower, name.len()));
            }
            let rest_lower = !start[1..].bytes().any(|byte| byte.is_ascii_uppercase());
            if rest_lower && matches!(field, Field::Month | Field::Mon | Field::Day | Field::Dy) {
                return Some((*field, Case::Title, name.len()));
            }
        }
    }
    None
}

/// Cuts a pattern up.
pub(super) fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    let mut bare = false;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = strip(rest, "FM") {
            (bare, rest) = (true, after);
        } else if let Some(after) = strip(rest, "FX").or_else(|| strip(rest, "TM")) {
            rest = after;
        } else if let Some((field, case, length)) = field(rest) {
            rest = &rest[length..];
            let ordinal = ordinal(&mut rest);
            pieces.push(Piece::Field {
                field,
                case,
                bare,
                ordinal,
            });
            bare = false;
        } else if first == '"' {
            rest = quoted(&rest[1..], &mut pieces);
        } else {
            let (literal, length) = escaped(rest, first);
            pieces.push(Piece::Literal(literal, false));
            rest = &rest[length..];
        }
    }
    pieces
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)
        .or_else(|| text.strip_prefix(prefix.to_ascii_lowercase().as_str()))
}

fn ordinal(rest: &mut &str) -> Option<Case> {
    for (suffix, case) in [("TH", Case::Upper), ("th", Case::Lower)] {
        if let Some(after) = rest.strip_prefix(suffix) {
            *rest = after;
            return Some(case);
        }
    }
    None
}

/// A backslash protects a quote.
fn escaped(rest: &str, first: char) -> (char, usize) {
    if rest.starts_with("\\\"") {
        ('"', 2)
    } else {
        (first, first.len_utf8())
    }
}

/// Takes in what stands up to the closing quote.
fn quoted<'a>(text: &'a str, pieces: &mut Vec<Piece>) -> &'a str {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return &text[at + 1..],
            '\\' => {
                if let Some((_, next)) = characters.next() {
                    pieces.push(Piece::Literal(next, true));
                }
            }
            other => pieces.push(Piece::Literal(other, true)),
        }
    }
    ""
}
