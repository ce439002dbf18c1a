//! Where a statement ends, found while its text still comes in.
//!
//! A shell and a script learn their text line by line, and must run a statement as soon as its semicolon is there. The [`Scanner`] goes over each
//! byte once, however the text is cut into lines, and remembers what it is inside of: a string, a quoted name, a dollar-quoted text, a comment, or
//! parentheses. It takes no view of the SQL itself.

use std::ops::Range;

/// What the next byte stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Inside {
    Plain,
    /// `'…'`; a backslash hides the byte after it when the string began with `E`.
    String {
        escapes: bool,
    },
    /// `"…"`
    Name,
    /// `-- …`
    LineComment,
    /// `/* … */`, so many deep.
    BlockComment(usize),
    /// `$tag$ … $tag$`; holds both dollar signs.
    Dollar(String),
}

/// Finds the statements of a growing text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    /// The next byte to look at.
    at: usize,
    inside: Inside,
    parentheses: usize,
    /// Where the statement began: its first byte that is neither blank nor comment.
    start: Option<usize>,
}

impl Scanner {
    /// At the beginning of a text.
    pub(crate) fn new() -> Self {
        Self {
            at: 0,
            inside: Inside::Plain,
            parentheses: 0,
            start: None,
        }
    }

    /// The next statement that `text` ends with a semicolon, without it; the scanner stands behind it then. `text` is the text of the
    /// previous call, and perhaps more whole lines.
    pub(crate) fn next(&mut self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let begun = self.at;
            let plain = self.inside == Inside::Plain;
            self.step(text, byte);
            let comment = matches!(self.inside, Inside::LineComment | Inside::BlockComment(_));
            if !plain || comment || byte.is_ascii_whitespace() {
                continue;
            }
            if byte == b';' && self.parentheses == 0 {
                if let Some(start) = self.start.take() {
                    return Some(start..begun);
                }
            } else {
                self.start.get_or_insert(begun);
            }
        }
        None
    }

    /// What stands behind the last semicolon, if it is more than blanks and comments: a statement that was not ended.
    pub(crate) fn rest(&self, text: &str) -> Option<Range<usize>> {
        self.start.map(|start| start..text.trim_end().len().max(start))
    }

    /// Whether the text may end here: no statement has begun and nothing is open.
    pub(crate) fn is_between(&self) -> bool {
        self.start.is_none() && matches!(self.inside, Inside::Plain | Inside::LineComment)
    }

    /// Forgets that the first `length` bytes were there.
    pub(crate) fn cut(&mut self, length: usize) {
        self.at -= length;
        self.start = self.start.map(|start| start - length);
    }

    /// Goes over one byte, or over more where they belong together.
    fn step(&mut self, text: &str, byte: u8) {
        let rest = &text.as_bytes()[self.at..];
        let second = rest.get(1).copied();
        let mut length = 1;
        match &mut self.inside {
            Inside::Plain => length = self.step_plain(text, byte, second),
            Inside::String { escapes } => match (byte, second) {
                (b'\\', Some(_)) if *escapes => length = 2,
                (b'\'', Some(b'\'')) => length = 2,
                (b'\'', _) => self.inside = Inside::Plain,
                _ => {}
            },
            Inside::Name => match (byte, second) {
                (b'"', Some(b'"')) => length = 2,
                (b'"', _) => self.inside = Inside::Plain,
                _ => {}
            },
            Inside::LineComment if byte == b'\n' => self.inside = Inside::Plain,
            Inside::LineComment => {}
            Inside::BlockComment(depth) => match (byte, second) {
                (b'/', Some(b'*')) => (*depth, length) = (*depth + 1, 2),
                (b'*', Some(b'/')) if *depth > 1 => (*depth, length) = (*depth - 1, 2),
                (b'*', Some(b'/')) => (self.inside, length) = (Inside::Plain, 2),
                _ => {}
            },
            Inside::Dollar(tag) => {
                if byte == b'$' && rest.starts_with(tag.as_bytes()) {
                    length = tag.len();
                    self.inside = Inside::Plain;
                }
            }
        }
        self.at += length;
    }

    /// The same outside of everything; returns how many bytes belong together.
    fn step_plain(&mut self, text: &str, byte: u8, second: Option<u8>) -> usize {
        match (byte, second) {
            (b'\'', _) => {
                self.inside = Inside::String {
                    escapes: self.follows_escape_mark(text.as_bytes()),
                };
                1
            }
            (b'"', _) => {
                self.inside = Inside::Name;
                1
            }
            (b'-', Some(b'-')) => {
                self.inside = Inside::LineComment;
                2
            }
            (b'/', Some(b'*')) => {
                self.inside = Inside::BlockComment(1);
                2
            }
            (b'$', _) => match dollar_tag(text, self.at) {
                Some(tag) => {
                    self.inside = Inside::Dollar(tag.to_owned());
                    tag.len()
                }
                None => 1,
            },
            (b'(', _) => {
                self.parentheses += 1;
                1
            }
            (b')', _) => {
                self.parentheses = self.parentheses.saturating_sub(1);
                1
            }
            _ => 1,
        }
    }

    /// Whether the byte before is the `E` of a string with escapes, and not the end of a name.
    fn follows_escape_mark(&self, bytes: &[u8]) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map(|at| bytes[at]);
        matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(is_name_byte)
    }
}

/// The `$tag$` or `$$` that begins at `at`, if one does. `$1` is a parameter, and `a$b$` a name.
fn dollar_tag(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    if at > 0 && is_name_byte(bytes[at - 1]) {
        return None;
    }
    let tag = bytes[at + 1..]
        .iter()
        .take_while(|byte| is_name_byte(**byte) && **byte != b'$')
        .count();
    let closed = bytes.get(at + 1 + tag) == Some(&b'$');
    let named = bytes.get(at + 1).is_some_and(|first| !first.is_ascii_digit());
    (closed && named).then(|| &text[at..at + tag + 2])
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::Scanner;

    /// The statements of a text, and the one that is not ended.
    fn split(text: &str) -> (Vec<&str>, Option<&str>) {
        let mut scanner = Scanner::new();
        let mut found = Vec::new();
        while let Some(range) = scanner.next(text) {
            found.push(&text[range]);
        }
        (found, scanner.rest(text).map(|range| &text[range]))
    }

    #[test]
    fn semicolons_end_statements() {
        assert_eq!(
            split("SELECT 1; SELECT 2 ;;\n SELECT 3\n"),
            (vec!["SELECT 1", "SELECT 2 "], Some("SELECT 3"))
        );
        assert_eq!(split(" \n;"), (vec![], None));
    }

    #[test]
    fn semicolons_inside_things_do_not() {
        for whole in [
            "SELECT ';'",
            "SELECT 'it''s;'",
            "SELECT E'\\';'",
            "SELECT \"a;\"\"b\"",
            "SELECT $$;$$",
            "SELECT $tag$ ; $$ $tag$",
            "SELECT /* ; /* ; */ ; */ 1",
            "SELECT -- ;\n 1",
            "SELECT (1; 2)",
        ] {
            assert_eq!(split(&format!("{whole};x;")), (vec![whole, "x"], None), "{whole}");
        }
    }

    #[test]
    fn things_that_only_look_like_quotes() {
        for (text, wanted) in [
            ("SELECT '\\'; x;", vec!["SELECT '\\'", "x"]),
            ("SELECT type'\\'; x;", vec!["SELECT type'\\'", "x"]),
            ("SELECT $1; $2;", vec!["SELECT $1", "$2"]),
            ("SELECT a$b$; x;", vec!["SELECT a$b$", "x"]),
            ("SELECT 1 - 1; x;", vec!["SELECT 1 - 1", "x"]),
        ] {
            assert_eq!(split(text), (wanted, None), "{text}");
        }
    }

    #[test]
    fn comments_begin_no_statement() {
        assert_eq!(
            split("-- ahead\nSELECT 1; -- behind\n/* last */"),
            (vec!["SELECT 1"], None)
        );
    }

    #[test]
    fn text_that_comes_line_by_line_is_split_alike() {
        let whole = "SELECT 'a\n;', $x$\n;\n$x$ /*\n;*/ FROM t;\nSELECT\n2;\n";
        let mut scanner = Scanner::new();
        let (mut text, mut found) = (String::new(), Vec::new());
        for line in whole.split_inclusive('\n') {
            text.push_str(line);
            while let Some(range) = scanner.next(&text) {
                found.push(text[range].to_owned());
                // A reader drops what it has run.
                let done = text.len().min(scanner.at);
                text.drain(..done);
                scanner.cut(done);
            }
        }
        assert_eq!(found, ["SELECT 'a\n;', $x$\n;\n$x$ /*\n;*/ FROM t", "SELECT\n2"]);
        assert!(scanner.is_between());
    }
}
