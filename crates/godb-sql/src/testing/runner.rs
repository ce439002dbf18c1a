//! Runs golden scripts on anything that understands SQL.

use super::script::{Expected, Item, ValueLine, items, value_text};
use crate::error::SqlError;
use crate::session::{Session, Sql};
use crate::text::to_text;
use crate::types::DataType;
use crate::value::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A database that scripts are run on.
pub trait Subject {
    /// A new session.
    fn session(&self) -> Box<dyn Talk>;
    /// What is wrong with what it stores.
    fn check(&self) -> Vec<String>;
}

/// A session with it.
pub trait Talk {
    /// Runs one statement.
    ///
    /// # Errors
    /// The statement is refused.
    fn say(&mut self, sql: &str) -> Result<Said, Refused>;
}

/// What a statement gave.
pub struct Said {
    /// The command tag.
    pub tag: String,
    /// The types of its columns.
    pub types: Vec<DataType>,
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
}

/// How a statement was refused.
pub struct Refused {
    /// The SQLSTATE.
    pub state: String,
    /// Everything it says: message, detail, hint and context.
    pub words: String,
}

impl Subject for Arc<Sql> {
    fn session(&self) -> Box<dyn Talk> {
        Box::new(Sql::session(self))
    }

    fn check(&self) -> Vec<String> {
        let report = Sql::check(self).expect("the check runs");
        report
            .problems
            .iter()
            .map(|problem| format!("{problem:?}"))
            .collect()
    }
}

impl Talk for Session {
    fn say(&mut self, sql: &str) -> Result<Said, Refused> {
        let result = self.execute(sql, &[])?;
        Ok(Said {
            tag: result.tag.clone(),
            types: result.rows.columns().iter().map(|column| column.ty).collect(),
            rows: result.rows.collect::<Result<_, _>>()?,
        })
    }
}

impl From<SqlError> for Refused {
    fn from(error: SqlError) -> Self {
        let more = [&error.detail, &error.hint, &error.context];
        let more: Vec<_> = more.into_iter().flatten().map(String::as_str).collect();
        Self {
            state: error.state.0.to_owned(),
            words: format!("{} {}", error.message, more.join(" ")),
        }
    }
}

/// Runs a script. `directory` is an empty one that it may use for files.
///
/// # Panics
/// When records are answered otherwise than they say, naming the lines of all of them.
pub fn run(name: &str, script: &str, subject: &dyn Subject, directory: &Path) {
    let mut runner = Runner {
        subject,
        sessions: BTreeMap::new(),
        current: "main".to_owned(),
        words: BTreeMap::from([("$DIR".to_owned(), directory.display().to_string())]),
    };
    let items = items(script).unwrap_or_else(|problem| panic!("{name}.slt, {problem}"));
    let problems: Vec<String> = items
        .iter()
        .filter_map(|item| runner.item(item).err().map(|problem| located(item, &problem)))
        .collect();
    assert!(problems.is_empty(), "{name}.slt:\n{}", problems.join("\n"));
    drop(runner);
    assert_eq!(subject.check(), Vec::<String>::new(), "{name}.slt");
}

/// A problem with where it is; the lines of `values` say so themselves.
fn located(item: &Item, problem: &str) -> String {
    match item.expected {
        Expected::Values(_) => problem.to_owned(),
        _ => format!(
            "line {}: {problem}\n    {}",
            item.line,
            item.body.replace('\n', "\n    ")
        ),
    }
}

struct Runner<'a> {
    subject: &'a dyn Subject,
    sessions: BTreeMap<String, Box<dyn Talk>>,
    current: String,
    /// What stands for what.
    words: BTreeMap<String, String>,
}

impl Runner<'_> {
    fn say(&mut self, sql: &str) -> Result<Said, Refused> {
        let fill = |text: String, (name, value): (&String, &String)| text.replace(name, value);
        let sql = self.words.iter().fold(sql.to_owned(), fill);
        let subject = self.subject;
        let session = self.sessions.entry(self.current.clone());
        session.or_insert_with(|| subject.session()).say(&sql)
    }

    fn item(&mut self, item: &Item) -> Result<(), String> {
        match &item.expected {
            Expected::Session(name) => {
                name.clone_into(&mut self.current);
                Ok(())
            }
            Expected::Moment(name) => self.moment(name),
            Expected::Values(lines) => self.values(lines),
            expected => {
                let said = self.say(&item.body);
                judge(expected, said)
            }
        }
    }

    /// Remembers the time of now, with nothing committed near it.
    fn moment(&mut self, name: &str) -> Result<(), String> {
        let pause = || std::thread::sleep(Duration::from_millis(5));
        pause();
        let said = self
            .say("SELECT clock_timestamp()")
            .map_err(|refused| shown(&refused))?;
        self.words.insert(format!("${name}"), lines(&said).concat());
        pause();
        Ok(())
    }

    fn values(&mut self, lines: &[ValueLine]) -> Result<(), String> {
        let problems: Vec<String> = lines.iter().filter_map(|line| self.value(line).err()).collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("\n"))
        }
    }

    fn value(&mut self, line: &ValueLine) -> Result<(), String> {
        let (got, words) = match self.say(&line.statement()) {
            Err(refused) => (format!("error {}", refused.state), refused.words),
            Ok(Said { types, rows, .. }) => match (types.as_slice(), rows.as_slice()) {
                ([ty], [row]) => {
                    let text = (row[0] != Value::Null).then(|| to_text(&row[0], *ty));
                    (format!("{ty}: {}", value_text(text.as_deref())), String::new())
                }
                _ => (
                    format!("{} rows of {} columns", rows.len(), types.len()),
                    String::new(),
                ),
            },
        };
        if got == line.expected {
            Ok(())
        } else {
            let ValueLine {
                line,
                expression,
                expected,
            } = line;
            Err(format!(
                "line {line}: {expression} is not {expected} but {got} {words}"
            ))
        }
    }
}

fn judge(expected: &Expected, said: Result<Said, Refused>) -> Result<(), String> {
    match (expected, said) {
        (Expected::Error(code, part), Err(refused)) => {
            let same = refused.state == *code && shown(&refused).contains(part);
            if same {
                Ok(())
            } else {
                Err(format!("failed otherwise: {}", shown(&refused)))
            }
        }
        (_, Err(refused)) => Err(format!("failed: {}", shown(&refused))),
        (Expected::Success, Ok(_)) => Ok(()),
        (Expected::Tag(wanted), Ok(said)) if said.tag == *wanted => Ok(()),
        (
            Expected::Rows {
                sorted,
                lines: wanted,
            },
            Ok(said),
        ) => {
            let (mut got, mut wanted) = (lines(&said), wanted.clone());
            if *sorted {
                got.sort_unstable();
                wanted.sort_unstable();
            }
            if got == wanted {
                Ok(())
            } else {
                Err(format!("answered\n{}\n", got.join("\n")))
            }
        }
        (_, Ok(said)) => Err(format!("answered {}", said.tag)),
    }
}

/// The rows, one line each.
fn lines(said: &Said) -> Vec<String> {
    let value = |(value, ty): (&Value, &DataType)| match value {
        Value::Null => "NULL".to_owned(),
        value => {
            let text = to_text(value, *ty);
            if text.is_empty() {
                "(empty)".to_owned()
            } else {
                text
            }
        }
    };
    let line = |row: &Vec<Value>| {
        row.iter()
            .zip(&said.types)
            .map(value)
            .collect::<Vec<_>>()
            .join("|")
    };
    said.rows.iter().map(line).collect()
}

fn shown(refused: &Refused) -> String {
    format!("{} {}", refused.state, refused.words)
}
