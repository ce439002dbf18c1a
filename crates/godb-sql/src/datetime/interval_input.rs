//! Reading intervals: `1 year 2 mons 3 days 04:05:06`, `P1Y2M3DT4H5M6S`, `1-2`, `3 4:05:06`.

use super::calendar::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::convert::near_f64;
use crate::error::{Result, SqlError, SqlState, state};
use crate::value::Interval;

/// A unit of intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// So many months.
    Months(i64),
    /// So many days.
    Days(i64),
    /// So many microseconds.
    Micros(i64),
}

/// The units' names.
const UNITS: &[(&[&str], Unit)] = &[
    (
        &["millennium", "millennia", "mil", "mils", "millenniums"],
        Unit::Months(12_000),
    ),
    (&["century", "centuries", "c", "cent"], Unit::Months(1200)),
    (&["decade", "decades", "dec", "decs"], Unit::Months(120)),
    (&["year", "years", "y", "yr", "yrs"], Unit::Months(12)),
    (&["month", "months", "mon", "mons"], Unit::Months(1)),
    (&["week", "weeks", "w"], Unit::Days(7)),
    (&["day", "days", "d"], Unit::Days(1)),
    (
        &["hour", "hours", "h", "hr", "hrs"],
        Unit::Micros(MICROS_PER_HOUR),
    ),
    (
        &["minute", "minutes", "m", "min", "mins"],
        Unit::Micros(MICROS_PER_MINUTE),
    ),
    (
        &["second", "seconds", "s", "sec", "secs"],
        Unit::Micros(MICROS_PER_SECOND),
    ),
    (
        &["millisecond", "milliseconds", "ms", "msec", "msecs"],
        Unit::Micros(1000),
    ),
    (
        &["microsecond", "microseconds", "us", "usec", "usecs"],
        Unit::Micros(1),
    ),
];

fn unit(word: &str) -> Option<Unit> {
    let named = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    UNITS
        .iter()
        .find(|(names, _)| named(names))
        .map(|(_, unit)| *unit)
}

/// Why a text is no interval.
enum Unreadable {
    Syntax,
    Range,
}

/// The interval that a text writes.
pub(crate) fn interval(text: &str) -> Result<Interval> {
    let trimmed = text.trim();
    let read = match trimmed.strip_prefix(['P', 'p']) {
        Some(rest) => iso(rest),
        None => words(trimmed),
    };
    read.map_err(|why| match why {
        Unreadable::Syntax => SqlError::new(
            state::INVALID_DATETIME_FORMAT,
            format!("invalid input syntax for type interval: \"{text}\""),
        ),
        Unreadable::Range => SqlError::new(
            SqlState("22015"),
            format!("interval field value out of range: \"{text}\""),
        ),
    })
}

/// Sums up the parts.
#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    micros: i64,
}

type Done = std::result::Result<(), Unreadable>;

/// A number's whole part and the rest behind the point, both with its sign.
#[derive(Clone, Copy)]
struct Amount {
    whole: i64,
    rest: f64,
}

impl Amount {
    fn read(text: &str) -> std::result::Result<Self, Unreadable> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
            return Err(Unreadable::Syntax);
        }
        let negative = text.starts_with('-');
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| Unreadable::Range)?
        };
        let rest: f64 = format!("0.{fraction}0").parse().map_err(|_| Unreadable::Syntax)?;
        Ok(if negative {
            Self {
                whole: -whole,
                rest: -rest,
            }
        } else {
            Self { whole, rest }
        })
    }
}

impl Sum {
    fn add(&mut self, amount: Amount, unit: Unit) -> Done {
        let times = |factor: i64| amount.whole.checked_mul(factor).ok_or(Unreadable::Range);
        match unit {
            Unit::Months(factor) if factor >= 12 => {
                let part = (amount.rest * near_f64(factor)).round_ties_even();
                self.add_months(times(factor)?)?;
                self.add_months(crate::convert::whole_i64(part))
            }
            Unit::Months(factor) => {
                self.add_months(times(factor)?)?;
                self.add_days(amount.rest * 30.0)
            }
            Unit::Days(factor) => {
                self.days = self.days.checked_add(times(factor)?).ok_or(Unreadable::Range)?;
                self.add_days(amount.rest * near_f64(factor))
            }
            Unit::Micros(factor) => {
                self.add_micros(times(factor)?)?;
                self.add_micros(crate::convert::whole_i64(
                    (amount.rest * near_f64(factor)).round_ties_even(),
                ))
            }
        }
    }

    fn add_months(&mut self, months: i64) -> Done {
        self.months = self.months.checked_add(months).ok_or(Unreadable::Range)?;
        Ok(())
    }

    fn add_micros(&mut self, micros: i64) -> Done {
        self.micros = self.micros.checked_add(micros).ok_or(Unreadable::Range)?;
        Ok(())
    }

    /// Days that need not be whole: the rest becomes time.
    fn add_days(&mut self, days: f64) -> Done {
        let whole = days.trunc();
        let rest = ((days - whole) * near_f64(MICROS_PER_DAY)).round_ties_even();
        let total = self.days.checked_add(crate::convert::whole_i64(whole));
        self.days = total.ok_or(Unreadable::Range)?;
        self.add_micros(crate::convert::whole_i64(rest))
    }

    fn negate(&mut self) -> Done {
        for part in [&mut self.months, &mut self.days, &mut self.micros] {
            *part = part.checked_neg().ok_or(Unreadable::Range)?;
        }
        Ok(())
    }

    fn finish(self) -> std::result::Result<Interval, Unreadable> {
        Ok(Interval {
            months: i32::try_from(self.months).map_err(|_| Unreadable::Range)?,
            days: i32::try_from(self.days).map_err(|_| Unreadable::Range)?,
            micros: self.micros,
        })
    }
}

/// Splits into numbers with their signs, words, and whole times.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // Other punctuation says nothing, as in PostgreSQL.
    let between = |c: char| c.is_ascii_whitespace() || (c.is_ascii_punctuation() && !"+-.:/@".contains(c));
    for piece in text.split(between) {
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let wordy = first.is_alphabetic();
            let end = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| c.is_alphabetic() != wordy)
                .map_or(rest.len(), |(at, _)| at);
            found.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    found
}

fn words(text: &str) -> std::result::Result<Interval, Unreadable> {
    let mut sum = Sum::default();
    let mut tokens = tokens(text).into_iter().peekable();
    if tokens.peek().is_none() {
        return Err(Unreadable::Syntax);
    }
    if tokens.peek() == Some(&"@") {
        tokens.next();
    }
    let mut seen = Vec::new();
    while let Some(token) = tokens.next() {
        if token.eq_ignore_ascii_case("ago") && tokens.peek().is_none() && !seen.is_empty() {
            sum.negate()?;
            break;
        }
        if token.contains(':') {
            once(&mut seen, Unit::Micros(0))?;
            sum.add_micros(time(token)?)?;
            continue;
        }
        if let Some((years, months)) = year_month(token) {
            once(&mut seen, Unit::Months(12))?;
            sum.add_months(years?.checked_add(months?).ok_or(Unreadable::Range)?)?;
            continue;
        }
        let amount = Amount::read(token)?;
        let of = match tokens.peek() {
            Some(word) if unit(word).is_some() => {
                let of = unit(tokens.next().unwrap_or_default());
                of.ok_or(Unreadable::Syntax)?
            }
            Some(next) if next.contains(':') => Unit::Days(1),
            None => Unit::Micros(MICROS_PER_SECOND),
            Some(_) => return Err(Unreadable::Syntax),
        };
        once(&mut seen, of)?;
        sum.add(amount, of)?;
    }
    sum.finish()
}

/// Each unit may stand once.
fn once(seen: &mut Vec<Unit>, unit: Unit) -> Done {
    if seen.contains(&unit) {
        return Err(Unreadable::Syntax);
    }
    seen.push(unit);
    Ok(())
}

type Months = std::result::Result<i64, Unreadable>;

/// `1-2`: years and months.
fn year_month(token: &str) -> Option<(Months, Months)> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    let (years, months) = unsigned.split_once('-')?;
    let sign = if token.starts_with('-') { -1 } else { 1 };
    let number = |text: &str, factor: i64| {
        let amount = Amount::read(text)?;
        let value = amount.whole.checked_mul(factor * sign);
        value
            .filter(|_| amount.rest == 0.0 && !text.starts_with(['+', '-']))
            .ok_or(Unreadable::Syntax)
    };
    let part = number(months, 1);
    let part = if part.as_ref().is_ok_and(|months| months.abs() > 11) {
        Err(Unreadable::Range)
    } else {
        part
    };
    Some((number(years, 12), part))
}

/// `h:m`, `h:m:s` with a sign: microseconds.
fn time(token: &str) -> std::result::Result<i64, Unreadable> {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    if unsigned.contains(['+', '-']) {
        return Err(Unreadable::Syntax);
    }
    let parts: Vec<&str> = unsigned.split(':').collect();
    let mut sum = Sum::default();
    let whole = |text: &str| {
        Amount::read(text).and_then(|a| {
            if a.rest == 0.0 && !text.contains('.') {
                Ok(a)
            } else {
                Err(Unreadable::Syntax)
            }
        })
    };
    let (hours, minutes, seconds) = match parts.as_slice() {
        // Two parts with a fraction are minutes and seconds.
        [minutes, seconds] if seconds.contains('.') => ("0", *minutes, *seconds),
        [hours, minutes] => (*hours, *minutes, "0"),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return Err(Unreadable::Syntax),
    };
    let (minutes, seconds) = (whole(minutes)?, Amount::read(seconds)?);
    if minutes.whole > 59 || seconds.whole > 59 {
        return Err(Unreadable::Range);
    }
    sum.add(whole(hours)?, Unit::Micros(MICROS_PER_HOUR))?;
    sum.add(minutes, Unit::Micros(MICROS_PER_MINUTE))?;
    sum.add(seconds, Unit::Micros(MICROS_PER_SECOND))?;
    Ok(if token.starts_with('-') {
        -sum.micros
    } else {
        sum.micros
    })
}

/// The rest of `P1Y2M3W4DT5H6M7.8S`.
fn iso(text: &str) -> std::result::Result<Interval, Unreadable> {
    let mut sum = Sum::default();
    let mut time = false;
    let mut rest = text;
    if rest.is_empty() {
        return Err(Unreadable::Syntax);
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['T', 't']) {
            if time {
                return Err(Unreadable::Syntax);
            }
            (time, rest) = (true, after);
            continue;
        }
        let end = rest
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or(Unreadable::Syntax)?;
        let amount = Amount::read(&rest[..end])?;
        let of = match (rest.as_bytes()[end].to_ascii_uppercase(), time) {
            (b'Y', false) => Unit::Months(12),
            (b'M', false) => Unit::Months(1),
            (b'W', false) => Unit::Days(7),
            (b'D', false) => Unit::Days(1),
            (b'H', true) => Unit::Micros(MICROS_PER_HOUR),
            (b'M', true) => Unit::Micros(MICROS_PER_MINUTE),
            (b'S', true) => Unit::Micros(MICROS_PER_SECOND),
            _ => return Err(Unreadable::Syntax),
        };
        sum.add(amount, of)?;
        rest = &rest[end + 1..];
    }
    sum.finish()
}
