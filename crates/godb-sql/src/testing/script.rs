//! Reads golden scripts.

/// A record of a script.
#[derive(Clone, Debug)]
pub struct Item {
    /// The line of its head, from 1.
    pub line: usize,
    /// The statement, its lines joined.
    pub body: String,
    /// What it wants.
    pub expected: Expected,
    /// PostgreSQL answers otherwise, for a reason that a comment before the record gives.
    pub unlike_postgres: bool,
}

/// What a record wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// To go on in the session of that name.
    Session(String),
    /// To remember the time under that name.
    Moment(String),
    /// Success, with any tag.
    Success,
    /// Success, with this tag.
    Tag(String),
    /// An error: its SQLSTATE, and a part of what it says.
    Error(String, String),
    /// These rows.
    Rows {
        /// In any order.
        sorted: bool,
        /// One line a row.
        lines: Vec<String>,
    },
    /// The values of expressions.
    Values(Vec<ValueLine>),
}

/// `1 + 1  -- integer: 2`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueLine {
    /// Where it stands, from 1.
    pub line: usize,
    /// The expression.
    pub expression: String,
    /// Its type and value, or `error` and an SQLSTATE.
    pub expected: String,
}

impl Item {
    /// The SQL statements of the record, with `directory` for `$DIR`.
    #[must_use]
    pub fn statements(&self, directory: &str) -> Vec<String> {
        match &self.expected {
            Expected::Session(_) | Expected::Moment(_) => Vec::new(),
            Expected::Values(lines) => lines.iter().map(ValueLine::statement).collect(),
            _ => vec![self.body.replace("$DIR", directory)],
        }
    }
}

impl ValueLine {
    /// The query that gives the value.
    #[must_use]
    pub fn statement(&self) -> String {
        format!("SELECT {}", self.expression)
    }
}

/// Reads a script. An error names the line that makes no sense.
pub fn items(script: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut unlike_postgres = false;
    let mut lines = script.lines().zip(1..).peekable();
    while let Some((head, line)) = lines.next() {
        if head.trim().is_empty() || head.starts_with('#') {
            unlike_postgres =
                head.starts_with("# Unlike PostgreSQL") || (unlike_postgres && head.starts_with('#'));
            continue;
        }
        let mut body = Vec::new();
        while let Some((text, _)) = lines.next_if(|(text, _)| !text.trim().is_empty()) {
            body.push(text);
        }
        let (body, expected) =
            record(head, &body, line).map_err(|problem| format!("line {line}: {problem}"))?;
        items.push(Item {
            line,
            body,
            expected,
            unlike_postgres,
        });
        unlike_postgres = false;
    }
    Ok(items)
}

fn record(head: &str, body: &[&str], line: usize) -> Result<(String, Expected), String> {
    let (kind, rest) = head.split_once(' ').unwrap_or((head, ""));
    let rest = rest.trim();
    let expected = match kind {
        "session" => Expected::Session(rest.to_owned()),
        "moment" => Expected::Moment(rest.to_owned()),
        "statement" => statement(rest),
        "values" => Expected::Values(
            (line + 1..)
                .zip(body)
                .map(|(line, text)| value_line(line, text))
                .collect(),
        ),
        "query" => {
            let split = body
                .iter()
                .position(|line| *line == "----")
                .ok_or("there is no ----")?;
            let lines = body[split + 1..].iter().map(|line| (*line).to_owned()).collect();
            let sorted = rest == "sorted";
            return Ok((body[..split].join("\n"), Expected::Rows { sorted, lines }));
        }
        other => return Err(format!("no such record: {other}")),
    };
    Ok((body.join("\n"), expected))
}

fn statement(rest: &str) -> Expected {
    match rest.split_once(' ') {
        None if rest == "ok" => Expected::Success,
        Some(("error", wanted)) => {
            let (code, part) = wanted.split_once(' ').unwrap_or((wanted, ""));
            Expected::Error(code.to_owned(), part.to_owned())
        }
        _ => Expected::Tag(rest.to_owned()),
    }
}

fn value_line(line: usize, text: &str) -> ValueLine {
    let (expression, expected) = text.rsplit_once("  -- ").unwrap_or((text, ""));
    ValueLine {
        line,
        expression: expression.trim_end().to_owned(),
        expected: expected.to_owned(),
    }
}

/// A value in a `values` record: as it is, or quoted where the eye could not see it.
#[must_use]
pub fn value_text(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) => {
            let hidden = text.is_empty() || text == "NULL" || text.starts_with('"') || text.trim() != text;
            if hidden || text.contains(|c: char| c.is_control()) {
                format!("{text:?}")
            } else {
                text.to_owned()
            }
        }
    }
}
