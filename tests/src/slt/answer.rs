//! Whether an answer is the one a record wants.

use super::record::Order;
use godb::{Row, Value};
use godb_sql::functions::md5;

/// The values of some rows as the corpus writes them, row by row.
pub(super) fn written(rows: &[Row], letters: &str) -> Result<Vec<Vec<String>>, String> {
    let columns = rows.first().map_or(letters.len(), |row| row.values().len());
    if columns != letters.len() {
        return Err(format!("{columns} columns instead of {}", letters.len()));
    }
    let line = |row: &Row| {
        let values = letters.bytes().enumerate();
        values.map(|(at, letter)| value(row, at, letter)).collect()
    };
    Ok(rows.iter().map(line).collect())
}

fn value(row: &Row, at: usize, letter: u8) -> String {
    let text = match (&row.values()[at], row.text(at)) {
        (Value::Bool(yes), _) => i32::from(*yes).to_string(),
        (_, None) => return "NULL".to_owned(),
        (_, Some(text)) => text,
    };
    match letter {
        b'I' => integer(&text),
        b'R' => format!("{:.3}", text.parse::<f64>().unwrap_or(0.0)),
        _ if text.is_empty() => "(empty)".to_owned(),
        _ => text
            .chars()
            .map(|c| if (' '..='~').contains(&c) { c } else { '@' })
            .collect(),
    }
}

/// As C reads an integer: as many digits as there are.
fn integer(text: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    match digits {
        "" | "0" => "0".to_owned(),
        digits if text.starts_with('-') => format!("-{digits}"),
        digits => digits.to_owned(),
    }
}

/// Compares; an error says what is there instead.
pub(super) fn compare(mut rows: Vec<Vec<String>>, order: Order, wanted: &[&str]) -> Result<(), String> {
    if order == Order::Rows {
        rows.sort_unstable();
    }
    let mut values = rows.concat();
    if order == Order::Values {
        values.sort_unstable();
    }
    let same = match digest_of(wanted) {
        Some((count, digest)) => values.len() == count && hash(&values) == digest,
        None => values.iter().map(String::as_str).eq(wanted.iter().copied()),
    };
    if same { Ok(()) } else { Err(shown(&values)) }
}

/// `30 values hashing to 3c13…`
fn digest_of<'t>(wanted: &[&'t str]) -> Option<(usize, &'t str)> {
    let [line] = wanted else { return None };
    let (count, digest) = line.split_once(" values hashing to ")?;
    Some((count.parse().ok()?, digest))
}

fn hash(values: &[String]) -> String {
    let mut text = values.join("\n");
    text.push('\n');
    md5(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn shown(values: &[String]) -> String {
    let first: Vec<&str> = values.iter().take(12).map(String::as_str).collect();
    format!(
        "{} values, md5 {}: {}",
        values.len(),
        hash(values),
        first.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_c_reads_them() {
        for (text, read) in [
            ("12", "12"),
            ("-3.7", "-3"),
            ("abc", "0"),
            ("-0.5", "0"),
            ("", "0"),
        ] {
            assert_eq!(integer(text), read);
        }
    }

    #[test]
    fn answers_are_compared_in_their_order_and_by_digest() {
        let rows = || {
            vec![
                vec!["2".to_owned(), "b".to_owned()],
                vec!["1".to_owned(), "c".to_owned()],
            ]
        };
        assert!(compare(rows(), Order::AsGiven, &["2", "b", "1", "c"]).is_ok());
        assert!(compare(rows(), Order::AsGiven, &["1", "c", "2", "b"]).is_err());
        assert!(compare(rows(), Order::Rows, &["1", "c", "2", "b"]).is_ok());
        assert!(compare(rows(), Order::Values, &["1", "2", "b", "c"]).is_ok());
        let line = "3 values hashing to c0710d6b4f15dfa88f600b0e6b624077";
        let numbers = || vec![vec!["1".to_owned()], vec!["2".to_owned()], vec!["3".to_owned()]];
        assert!(compare(numbers(), Order::AsGiven, &[line]).is_ok());
        assert!(compare(rows(), Order::AsGiven, &[line]).is_err());
    }
}
