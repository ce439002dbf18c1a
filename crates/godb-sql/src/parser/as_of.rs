//! `AS OF SYSTEM TIME '…'`: recognised between tokens and taken out, so that the grammar need not know it.
//!
//! A moment is written as a string, a time or an interval back from now, or as `TRANSACTION 42`: right after that transaction committed. `COMMIT 4711` is the moment of a commit by
//! its place in the order of commits, which [`EngineTransaction::commit`](godb_mvcc::EngineTransaction::commit) tells; the relation `godb_commits` lists both.
//!
//! Both `AS OF SYSTEM TIME '…'` and the standard's `FOR SYSTEM_TIME AS OF '…'` may follow a table's name or end the statement.
//! Where something of the table goes on after it (an alias, a comma, the next join) it belongs to that table alone; else it belongs to the
//! whole statement. `FOR SYSTEM_TIME` in the middle of a statement and either form inside a subquery belong to the table they follow; so do
//! all of them in a statement that writes, which is how rows are brought back: `INSERT INTO t SELECT * FROM t AS OF SYSTEM TIME '…'`.

use super::position_of;
use crate::error::{Result, SqlError, state};
use crate::text::from_text;
use crate::types::DataType;
use crate::value::Value;
use godb_mvcc::Moment;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

/// What kind of moment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOfKind {
    /// A point in time, or an interval back from now such as `-10s`.
    Time,
    /// The number of a transaction.
    Transaction,
    /// The place of a commit in the order of commits.
    Commit,
}

/// The moment written in an `AS OF` clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// What the text says.
    pub kind: AsOfKind,
    /// A time, an interval, or a number.
    pub text: String,
    /// Where it stands, in characters from 1.
    pub position: usize,
}

/// All clauses of a statement.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub(super) statement: Option<AsOf>,
    pub(super) tables: Vec<(Location, AsOf)>,
}

/// A clause found at some token.
struct Found {
    /// How many tokens it takes up.
    length: usize,
    moment: AsOf,
    /// Written `FOR SYSTEM_TIME AS OF`.
    standard: bool,
}

/// Takes the clauses out of the tokens.
pub(super) fn take(tokens: &mut Vec<TokenWithSpan>, sql: &str) -> Result<Clauses> {
    let mut clauses = Clauses::default();
    if !tokens.iter().any(|t| is(t, Keyword::OF)) {
        return Ok(clauses);
    }
    let begins = tokens
        .first()
        .is_some_and(|t| is(t, Keyword::BEGIN) || is(t, Keyword::START));
    let writes = tokens.first().is_some_and(writes);
    let (mut at, mut open) = (0, 0_usize);
    while at < tokens.len() {
        match tokens[at].token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
        let Some(found) = clause_at(tokens, at, begins, sql)? else {
            at += 1;
            continue;
        };
        let ends = || belongs_to_statement(tokens, at + found.length, open, found.standard);
        let whole = begins || (!writes && ends());
        let table = (!whole).then(|| table_before(tokens, at)).flatten();
        match table {
            Some(location) => clauses.tables.push((location, found.moment)),
            None => set_once(&mut clauses.statement, found.moment)?,
        }
        tokens.drain(at..at + found.length);
    }
    Ok(clauses)
}

/// Whether a statement that begins so changes something.
fn writes(first: &TokenWithSpan) -> bool {
    let words = [
        Keyword::INSERT,
        Keyword::UPDATE,
        Keyword::DELETE,
        Keyword::MERGE,
        Keyword::CREATE,
    ];
    words.into_iter().any(|word| is(first, word))
}

fn set_once(slot: &mut Option<AsOf>, moment: AsOf) -> Result<()> {
    if slot.is_some() {
        let message = "AS OF SYSTEM TIME specified more than once";
        return Err(SqlError::new(state::SYNTAX_ERROR, message).at(moment.position));
    }
    *slot = Some(moment);
    Ok(())
}

fn clause_at(tokens: &[TokenWithSpan], at: usize, begins: bool, sql: &str) -> Result<Option<Found>> {
    let rest = &tokens[at..];
    let starts = |words: &[&str]| {
        rest.len() > words.len() && words.iter().zip(rest).all(|(word, token)| is_word(token, word))
    };
    let (words, standard) = if starts(&["AS", "OF", "SYSTEM", "TIME"]) {
        (4, false)
    } else if starts(&["FOR", "SYSTEM_TIME", "AS", "OF"]) {
        (4, true)
    } else if begins && starts(&["AS", "OF"]) {
        (2, false)
    } else {
        return Ok(None);
    };
    let (kind, typed) = kind_at(&rest[words]);
    let Some(value) = rest.get(words + typed) else {
        return Err(super::near(sql, Location::new(0, 0)));
    };
    let text = match (&value.token, kind) {
        (Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text), AsOfKind::Time) => text,
        (Token::Number(number, false), AsOfKind::Transaction | AsOfKind::Commit) => number,
        _ => return Err(super::near(sql, value.span.start).hint(EXPECTED)),
    };
    let moment = AsOf {
        kind,
        text: text.clone(),
        position: position_of(sql, value.span.start),
    };
    Ok(Some(Found {
        length: words + typed + 1,
        moment,
        standard,
    }))
}

const EXPECTED: &str =
    "Expected a string with a time or an interval, TRANSACTION and a number, or COMMIT and a number.";

/// What kind of moment follows, and how many words say so.
fn kind_at(token: &TokenWithSpan) -> (AsOfKind, usize) {
    let kinds = [
        ("TRANSACTION", AsOfKind::Transaction),
        ("COMMIT", AsOfKind::Commit),
        ("TIMESTAMP", AsOfKind::Time),
        ("TIMESTAMPTZ", AsOfKind::Time),
    ];
    let found = kinds.into_iter().find(|(word, _)| is_word(token, word));
    found.map_or((AsOfKind::Time, 0), |(_, kind)| (kind, 1))
}

/// Decides by what follows the clause.
fn belongs_to_statement(tokens: &[TokenWithSpan], after: usize, open: usize, standard: bool) -> bool {
    let Some(next) = tokens.get(after).filter(|t| t.token != Token::SemiColon) else {
        return true;
    };
    let Token::Word(word) = &next.token else {
        return false;
    };
    let clause_follows = matches!(
        word.keyword,
        Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::OFFSET
            | Keyword::FETCH
            | Keyword::UNION
            | Keyword::INTERSECT
            | Keyword::EXCEPT
    );
    word.quote_style.is_none() && clause_follows && open == 0 && !standard
}

/// Where the name of the table begins that ends right before `at`.
fn table_before(tokens: &[TokenWithSpan], at: usize) -> Option<Location> {
    let mut first = at.checked_sub(1)?;
    while first >= 2 && tokens[first - 1].token == Token::Period {
        first -= 2;
    }
    matches!(tokens[first].token, Token::Word(_)).then_some(tokens[first].span.start)
}

fn is(token: &TokenWithSpan, keyword: Keyword) -> bool {
    matches!(&token.token, Token::Word(word) if word.keyword == keyword && word.quote_style.is_none())
}

fn is_word(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

impl AsOf {
    /// The moment meant: an interval is counted back from now (`-10s`), anything else is a time, in UTC if it names no zone.
    ///
    /// # Errors
    /// `22007` and its kin when the text is neither; `22023` when it lies in the future.
    pub fn moment(&self) -> Result<Moment> {
        let text = self.text.trim();
        let relative = text.starts_with('-') || text.starts_with('+');
        let moment = match self.kind {
            AsOfKind::Transaction => self.number().map(Moment::after_transaction),
            AsOfKind::Commit => self.number().map(Moment::at_commit),
            AsOfKind::Time if relative => self.ago(text),
            AsOfKind::Time => wall(text),
        };
        moment.map_err(|error| error.at(self.position))
    }

    fn number(&self) -> Result<u64> {
        self.text.parse().map_err(|_| {
            let message = format!("\"{}\" is not the number of a transaction or commit", self.text);
            SqlError::new(state::INVALID_PARAMETER_VALUE, message)
        })
    }

    fn ago(&self, text: &str) -> Result<Moment> {
        let Value::Interval(interval) = from_text(text, DataType::Interval)? else {
            return Err(SqlError::new(
                state::INTERNAL_ERROR,
                "an interval is read as an interval",
            ));
        };
        if interval.months != 0 {
            let message = format!("AS OF SYSTEM TIME '{text}': months have no fixed length");
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message).hint("Use days."));
        }
        let days = i64::from(interval.days).saturating_mul(86_400_000_000);
        let micros = days.saturating_add(interval.micros).saturating_neg();
        if micros < 0 {
            let message = format!("AS OF SYSTEM TIME '{text}' lies in the future");
            return Err(
                SqlError::new(state::INVALID_PARAMETER_VALUE, message).hint("Write a negative interval.")
            );
        }
        Ok(Moment::Ago(micros))
    }
}

fn wall(text: &str) -> Result<Moment> {
    match from_text(text, DataType::TimestampTz)? {
        Value::Int(micros) => Ok(Moment::Wall(micros)),
        _ => Err(SqlError::new(state::INTERNAL_ERROR, "a time is read as a number")),
    }
}
