//! [`Script`]: the text of a script, and back.

use std::fmt::Write;

/// A statement of a session, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who.
    pub session: String,
    /// What.
    pub sql: String,
    /// What comes of it, line by line.
    pub outcome: Vec<String>,
}

/// A line of the text, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// A comment, or nothing.
    Text(String),
    /// `## NAME`.
    Heading(String),
    Step(Step),
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    items: Vec<Item>,
}

/// The steps that are run on one database.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its heading.
    pub name: String,
    /// Those of the setup, and its own.
    pub steps: Vec<Step>,
    /// Where its own begin.
    own: usize,
    /// Where the items of its own steps are.
    places: Vec<usize>,
}

const SETUP: &str = "setup";

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// A line that is none of those there are, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            if let Some(outcome) = line.strip_prefix("    ") {
                match items.last_mut() {
                    Some(Item::Step(step)) => step.outcome.push(outcome.to_owned()),
                    _ => return Err(format!("line {}: nothing came before this", number + 1)),
                }
                continue;
            }
            if let Some(name) = line.strip_prefix("## ") {
                items.push(Item::Heading(name.trim().to_owned()));
                continue;
            }
            if line.starts_with('#') || line.trim().is_empty() {
                items.push(Item::Text(line.to_owned()));
                continue;
            }
            let (session, sql) = line
                .split_once(": ")
                .ok_or_else(|| format!("line {}: neither a step nor a comment", number + 1))?;
            let mut sql = sql.to_owned();
            while let Some(begun) = sql.strip_suffix('\\') {
                let (_, more) = lines.next().ok_or("the script ends in the middle of a step")?;
                sql = format!("{begun}\n{more}");
            }
            items.push(Item::Step(Step {
                session: session.to_owned(),
                sql,
                outcome: Vec::new(),
            }));
        }
        Ok(Self { items })
    }

    /// Its parts, each with the steps of the setup before its own.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let (mut setup, mut parts): (Vec<Step>, Vec<Part>) = (Vec::new(), Vec::new());
        let mut in_setup = true;
        for (place, item) in self.items.iter().enumerate() {
            match item {
                Item::Text(_) => {}
                Item::Heading(name) => {
                    in_setup = name == SETUP;
                    if !in_setup {
                        parts.push(Part {
                            name: name.clone(),
                            steps: setup.clone(),
                            own: setup.len(),
                            places: Vec::new(),
                        });
                    }
                }
                Item::Step(step) => match parts.last_mut().filter(|_| !in_setup) {
                    Some(part) => {
                        part.steps.push(step.clone());
                        part.places.push(place);
                    }
                    None => setup.push(step.clone()),
                },
            }
        }
        parts
    }

    /// Writes down what came of a part's own steps.
    pub fn note(&mut self, part: &Part, outcomes: &[Vec<String>]) {
        for (place, outcome) in part.places.iter().zip(&outcomes[part.own..]) {
            if let Item::Step(step) = &mut self.items[*place] {
                step.outcome.clone_from(outcome);
            }
        }
    }

    /// The script as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            // Writing into a string does not fail.
            let _ = match item {
                Item::Text(line) => writeln!(text, "{line}"),
                Item::Heading(name) => writeln!(text, "## {name}"),
                Item::Step(step) => {
                    let sql = step.sql.replace('\n', "\\\n");
                    let outcome: String = step.outcome.iter().map(|line| format!("    {line}\n")).collect();
                    write!(text, "{}: {sql}\n{outcome}", step.session)
                }
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# About.\n\n## setup\ns: CREATE TABLE t (id int)\n    CREATE TABLE\n## one\na: SELECT 1,\\\n  2\n    1 | 2\nb: COMMIT\n## other\na: COMMIT\n";

    #[test]
    fn what_is_read_is_written_again() {
        assert_eq!(Script::parse(TEXT).unwrap().text(), TEXT);
    }

    #[test]
    fn every_part_begins_with_the_setup() {
        let mut script = Script::parse(TEXT).unwrap();
        let parts = script.parts();
        let names: Vec<_> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.steps.len()))
            .collect();
        assert_eq!(names, [("one", 3), ("other", 2)]);
        assert_eq!(parts[0].steps[1].sql, "SELECT 1,\n  2");
        script.note(&parts[1], &[vec![], vec!["COMMIT".to_owned()]]);
        assert!(script.text().ends_with("a: COMMIT\n    COMMIT\n"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert!(Script::parse("hello\n").is_err());
        assert!(Script::parse("    COMMIT\n").is_err());
    }
}
