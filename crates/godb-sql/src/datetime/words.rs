//! The words of dates: months, weekdays, and what else may stand in one.

/// The months' English names.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The weekdays' English names, from Sunday.
pub(crate) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The month of that name, from 1; at least three letters of it.
pub(crate) fn month(word: &str) -> Option<i64> {
    if word.eq_ignore_ascii_case("sept") {
        return Some(9);
    }
    position(&MONTHS, word).map(|index| index + 1)
}

/// The weekday of that name, from Sunday = 0.
pub(crate) fn weekday(word: &str) -> Option<i64> {
    let short = ["tues", "wednes", "thur", "thurs"];
    if let Some(found) = short.iter().position(|known| known.eq_ignore_ascii_case(word)) {
        return Some([2, 3, 4, 4][found]);
    }
    position(&WEEKDAYS, word)
}

fn position(names: &[&str], word: &str) -> Option<i64> {
    let is = |name: &&str| word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3]);
    names.iter().position(is).map(crate::convert::length_i64)
}
