//! Where the statements of a script end, found without parsing them.
//!
//! A semicolon ends a statement unless it stands in a string, a quoted name, a dollar-quoted text, a comment or
//! parentheses. Nothing here can fail: what is not closed reaches to the end of the text, and the parser will say so.

use std::ops::Range;

/// The statements of a text as byte ranges, without their semicolons; empty ones are left out.
#[must_use]
pub fn split(sql: &str) -> Splitter<'_> {
    Splitter {
        lexer: Lexer::new(sql),
    }
}

/// Iterates over statements; see [`split`].
#[derive(Clone, Debug)]
pub struct Splitter<'a> {
    lexer: Lexer<'a>,
}

impl Splitter<'_> {
    /// The next statement, and whether it was ended by a semicolon: a shell waits for more text where it was not.
    pub fn next_statement(&mut self) -> Option<(Range<usize>, bool)> {
        let mut range: Option<Range<usize>> = None;
        let mut open = 0_usize;
        loop {
            let Some(byte) = self.lexer.next_plain() else {
                return range.map(|range| (range, false));
            };
            let start = self.lexer.started;
            match byte {
                b';' if open == 0 => match range {
                    Some(range) => return Some((range, true)),
                    None => continue,
                },
                b'(' => open += 1,
                b')' => open = open.saturating_sub(1),
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                range.get_or_insert(start..start).end = self.lexer.at;
            }
        }
    }
}

impl Iterator for Splitter<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_statement().map(|(range, _)| range)
    }
}

/// Steps over a text byte by byte; a quoted thing is one step, comments are left out.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// Where the last step began.
    started: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            text: sql.as_bytes(),
            at: 0,
            started: 0,
        }
    }

    /// The first byte of the next step, or `None` at the end.
    pub(super) fn next_plain(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            self.started = self.at;
            match (byte, self.text.get(self.at + 1)) {
                (b'-', Some(b'-')) => self.skip_line(),
                (b'/', Some(b'*')) => self.skip_comment(),
                (b'\'', _) => self.skip_quoted(b'\'', false),
                (b'"', _) => self.skip_quoted(b'"', false),
                (b'e' | b'E', Some(b'\'')) => {
                    self.at += 1;
                    self.skip_quoted(b'\'', true);
                }
                (b'$', _) => self.skip_dollar(),
                (b, _) if is_word(b) => self.skip_word(),
                _ => self.at += 1,
            }
            if !self.was_comment(byte) {
                return Some(byte);
            }
        }
    }

    fn was_comment(&self, byte: u8) -> bool {
        let second = self.text.get(self.started + 1);
        matches!((byte, second), (b'-', Some(b'-')) | (b'/', Some(b'*')))
    }

    fn skip_line(&mut self) {
        while self.text.get(self.at).is_some_and(|b| *b != b'\n') {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            match &self.text[self.at..] {
                [b'/', b'*', ..] => (depth, self.at) = (depth + 1, self.at + 2),
                [b'*', b'/', ..] => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_quoted(&mut self, quote: u8, backslash: bool) {
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            if byte == b'\\' && backslash {
                self.at = (self.at + 1).min(self.text.len());
            } else if byte == quote {
                if self.text.get(self.at) != Some(&quote) {
                    return;
                }
                self.at += 1;
            }
        }
    }

    /// `$tag$ … $tag$`, or a parameter `$1`.
    fn skip_dollar(&mut self) {
        let rest = &self.text[self.at + 1..];
        let tag = rest.iter().take_while(|b| is_word(**b) && **b != b'$').count();
        let opens = rest.get(tag) == Some(&b'$') && !rest.first().is_some_and(u8::is_ascii_digit);
        if !opens {
            self.at += 1 + tag;
            return;
        }
        let delimiter = &self.text[self.at..self.at + tag + 2];
        let body = self.at + delimiter.len();
        let end = find(&self.text[body..], delimiter);
        self.at = end.map_or(self.text.len(), |end| body + end + delimiter.len());
    }

    fn skip_word(&mut self) {
        while self.text.get(self.at).is_some_and(|b| is_word(*b)) {
            self.at += 1;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|b| *b == first) {
        if text[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
