//! What the tab key offers: commands, modes, keywords, and the names of the database.

use std::collections::BTreeSet;

use crate::engine::Engine;
use crate::meta::COMMANDS;
use crate::output::MODES;
use crate::schema::quoted;

/// Words of SQL worth completing.
pub(crate) const KEYWORDS: &[&str] = &[
    "ABORT",
    "ADD",
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "AS",
    "AS OF SYSTEM TIME",
    "ASC",
    "AVG",
    "BEGIN",
    "BETWEEN",
    "BIGINT",
    "BOOLEAN",
    "BY",
    "CASE",
    "CAST",
    "CHECK",
    "COALESCE",
    "COLUMN",
    "COMMIT",
    "CONFLICT",
    "CONSTRAINT",
    "COPY",
    "COUNT",
    "CREATE",
    "CROSS",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DOUBLE PRECISION",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTRACT",
    "FALSE",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IF",
    "ILIKE",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTEGER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "ISOLATION",
    "JOIN",
    "KEY",
    "LEFT",
    "LEVEL",
    "LIKE",
    "LIMIT",
    "MAX",
    "MIN",
    "NOT",
    "NULL",
    "NUMERIC",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "PRIMARY",
    "REFERENCES",
    "RELEASE",
    "RENAME",
    "RETURNING",
    "RIGHT",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SERIALIZABLE",
    "SET",
    "SHOW",
    "SMALLINT",
    "SUM",
    "TABLE",
    "TEXT",
    "THEN",
    "TIMESTAMP",
    "TO",
    "TRANSACTION",
    "TRUE",
    "TRUNCATE",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VALUES",
    "VARCHAR",
    "WHEN",
    "WHERE",
    "WITH",
];

/// The names of tables and columns, as SQL writes them.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// Asks the database for its names. What it knew stays when the database cannot say: in a transaction that failed, for example.
    pub(crate) fn learn(&mut self, engine: &mut Engine) {
        let Ok(tables) = engine.tables() else { return };
        let columns = tables
            .iter()
            .flat_map(|table| &table.columns)
            .map(|column| quoted(&column.name));
        self.0 = tables
            .iter()
            .map(|table| quoted(&table.name))
            .chain(columns)
            .collect();
    }

    /// What the text up to the cursor can go on as: where the word begins, and what can stand in its place.
    pub(crate) fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || "_\".\\".contains(c)))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[start..];
        let line = before.trim_start();
        if line.starts_with(['.', '\\']) {
            return (start, Self::command_words(line, word));
        }
        // `table.column`: the part behind the dot is completed.
        let start = start + word.rfind('.').map_or(0, |at| at + 1);
        (start, self.sql_words(&before[start..]))
    }

    fn command_words(line: &str, word: &str) -> Vec<String> {
        if line == word {
            let names = COMMANDS.iter().flat_map(|command| command.names);
            return names
                .filter(|name| name.starts_with(word))
                .map(|name| (*name).to_owned())
                .collect();
        }
        if line.starts_with(".mode ") {
            return MODES
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .filter(|name| name.starts_with(word))
                .collect();
        }
        Vec::new()
    }

    /// Names first, then keywords in the case that the user writes them in.
    fn sql_words(&self, word: &str) -> Vec<String> {
        if word.is_empty() {
            return Vec::new();
        }
        let lower = word.to_lowercase();
        let small = word.chars().any(char::is_lowercase);
        let names = self
            .0
            .iter()
            .filter(|name| name.trim_start_matches('"').to_lowercase().starts_with(&lower));
        let keywords = KEYWORDS
            .iter()
            .map(|keyword| keyword.to_lowercase())
            .filter(|keyword| keyword.starts_with(&lower));
        let keywords = keywords.map(|keyword| if small { keyword } else { keyword.to_uppercase() });
        names.cloned().chain(keywords).collect()
    }
}

/// Whether what stands at the cursor is the name of a file.
pub(crate) fn wants_file(before: &str) -> bool {
    [".read ", "\\i ", ".output ", "\\o ", ".import "]
        .iter()
        .any(|command| before.trim_start().starts_with(command) && before.trim().split(' ').count() <= 2)
}

#[cfg(test)]
mod tests {
    use super::{Names, wants_file};

    fn names() -> Names {
        Names(
            ["flights", "flight_no", "\"Seat\"", "origin"]
                .map(str::to_owned)
                .into(),
        )
    }

    fn offered(before: &str) -> (usize, Vec<String>) {
        names().complete(before)
    }

    #[test]
    fn names_come_before_keywords() {
        assert_eq!(
            offered("select * from fli"),
            (14, vec!["flight_no".to_owned(), "flights".to_owned()])
        );
        assert_eq!(
            offered("select o"),
            (
                7,
                ["origin", "offset", "on", "or", "order", "outer"]
                    .map(str::to_owned)
                    .to_vec()
            )
        );
        assert_eq!(
            offered("SELECT flights.OR"),
            (15, ["origin", "OR", "ORDER"].map(str::to_owned).to_vec())
        );
        assert_eq!(offered("x = sea").1, ["\"Seat\""]);
        assert_eq!(offered("select "), (7, vec![]));
        assert_eq!(offered("wählen sel"), (8, vec!["select".to_owned()]));
    }

    #[test]
    fn commands_and_their_words() {
        assert_eq!(offered(".ti").1, [".timer"]);
        assert_eq!(offered("\\d").1, ["\\dt", "\\d", "\\di"]);
        assert_eq!(
            offered(".mode json"),
            (6, vec!["json".to_owned(), "jsonlines".to_owned()])
        );
        assert!(
            wants_file(".read a")
                && wants_file(".import fl")
                && !wants_file(".import a b")
                && !wants_file(".mode b")
        );
    }
}
