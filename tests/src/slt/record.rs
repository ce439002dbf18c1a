//! Reads the records of a file.

/// The engine whose records are run.
const ENGINE: &str = "postgresql";

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'t> {
    /// The line of its first word, from 1.
    pub(super) line: usize,
    /// The statement, its lines joined as they stand.
    pub(super) sql: String,
    /// What must come of it.
    pub(super) wanted: Wanted<'t>,
}

/// What a record wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted<'t> {
    /// `statement ok`
    Success,
    /// `statement error`
    Error,
    /// `query`: the letters of its columns, the order to put its values into, and the lines after `----`.
    Rows {
        /// One letter a column.
        letters: &'t str,
        /// How values are ordered before they are compared.
        order: Order,
        /// The values, one a line, or one line with their number and digest.
        lines: Vec<&'t str>,
    },
}

/// The order in which values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As the query gave them.
    AsGiven,
    /// Row by row, as texts.
    Rows,
    /// All values, as texts.
    Values,
}

/// What a file says, read from its top.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'t> {
    /// To be run.
    Record(Record<'t>),
    /// Of another engine.
    Skipped,
    /// The end, though there is more in the file.
    Halt,
}

/// Reads a file item by item. An error names the line that makes no sense.
pub(super) struct Reader<'t> {
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            lines: text.lines().enumerate(),
        }
    }

    /// The lines up to the next empty one.
    fn body(&mut self) -> Vec<&'t str> {
        self.lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| !line.trim().is_empty())
            .collect()
    }

    fn record(&mut self, number: usize, line: &'t str) -> Result<Item<'t>, String> {
        let mut words = line.split_whitespace();
        let wanted = match (words.next(), words.next()) {
            (Some("halt"), _) => return Ok(Item::Halt),
            (Some("statement"), Some("ok")) => Wanted::Success,
            (Some("statement"), Some("error")) => Wanted::Error,
            (Some("query"), Some(letters)) => {
                let order =
                    order(words.next().unwrap_or("nosort")).ok_or(format!("line {number}: {line}"))?;
                let body = self.body();
                let split = body.iter().position(|line| *line == "----").unwrap_or(body.len());
                let lines = body.get(split + 1..).unwrap_or_default().to_vec();
                let wanted = Wanted::Rows {
                    letters,
                    order,
                    lines,
                };
                let sql = body[..split].join("\n");
                return Ok(Item::Record(Record {
                    line: number,
                    sql,
                    wanted,
                }));
            }
            _ => return Err(format!("line {number}: no such record: {line}")),
        };
        let sql = self.body().join("\n");
        Ok(Item::Record(Record {
            line: number,
            sql,
            wanted,
        }))
    }
}

fn order(word: &str) -> Option<Order> {
    match word {
        "nosort" => Some(Order::AsGiven),
        "rowsort" => Some(Order::Rows),
        "valuesort" => Some(Order::Values),
        _ => None,
    }
}

impl<'t> Iterator for Reader<'t> {
    type Item = Result<Item<'t>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut ours = true;
        loop {
            let (at, line) = self.lines.next()?;
            let line = line.split('#').next().unwrap_or_default().trim_end();
            let mut words = line.split_whitespace();
            match words.next() {
                // The digest decides by itself whether a result was long.
                None | Some("hash-threshold") => {}
                Some("skipif") => ours &= words.next() != Some(ENGINE),
                Some("onlyif") => ours &= words.next() == Some(ENGINE),
                Some(_) => {
                    let item = self.record(at + 1, line);
                    return Some(if ours { item } else { item.map(|_| Item::Skipped) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_those_of_other_engines_are_not() {
        let text = "hash-threshold 8\n\n# a comment\nstatement ok\nCREATE TABLE t\n  (a int)\n\nonlyif sqlite # empty list\n\
            query I nosort\nSELECT 1 IN ()\n----\n0\n\nskipif sqlite\nquery IT rowsort label-1\nSELECT 1, 'x'\n----\n1\nx\n\nhalt\n";
        let items: Vec<_> = Reader::new(text).map(Result::unwrap).collect();
        let create = Record {
            line: 4,
            sql: "CREATE TABLE t\n  (a int)".to_owned(),
            wanted: Wanted::Success,
        };
        let select = Record {
            line: 15,
            sql: "SELECT 1, 'x'".to_owned(),
            wanted: Wanted::Rows {
                letters: "IT",
                order: Order::Rows,
                lines: vec!["1", "x"],
            },
        };
        let expected = [
            Item::Record(create),
            Item::Skipped,
            Item::Record(select),
            Item::Halt,
        ];
        assert_eq!(items, expected);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let error = Reader::new("\nquarry I\nSELECT 1\n").next();
        assert_eq!(error, Some(Err("line 2: no such record: quarry I".to_owned())));
    }
}
