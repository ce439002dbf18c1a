//! A little colour in the line that is typed: keywords, texts and comments.

use super::complete::KEYWORDS;

const KEYWORD: &str = "\x1b[1;34m";
const TEXT: &str = "\x1b[32m";
const COMMENT: &str = "\x1b[90m";
const PLAIN: &str = "\x1b[0m";

/// The line in colours. Only marks are added: without them it is the same text.
pub(crate) fn paint(line: &str) -> String {
    let mut painted = String::with_capacity(line.len() + 32);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (length, colour) = token(rest, first);
        let (piece, after) = rest.split_at(length);
        match colour {
            Some(colour) => painted.extend([colour, piece, PLAIN]),
            None => painted.push_str(piece),
        }
        rest = after;
    }
    painted
}

/// The length of the token that `rest` begins with, and its colour.
fn token(rest: &str, first: char) -> (usize, Option<&'static str>) {
    if rest.starts_with("--") {
        return (rest.find('\n').unwrap_or(rest.len()), Some(COMMENT));
    }
    if rest.starts_with("/*") {
        return (rest.find("*/").map_or(rest.len(), |at| at + 2), Some(COMMENT));
    }
    if first == '\'' {
        return (rest[1..].find('\'').map_or(rest.len(), |at| at + 2), Some(TEXT));
    }
    if first.is_alphabetic() || first == '_' {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let known = KEYWORDS.iter().any(|keyword| {
            keyword
                .split(' ')
                .any(|word| word.eq_ignore_ascii_case(&rest[..end]))
        });
        return (end, known.then_some(KEYWORD));
    }
    (first.len_utf8(), None)
}

#[cfg(test)]
mod tests {
    use super::paint;

    #[test]
    fn words_texts_and_comments() {
        assert_eq!(
            paint("select a, 'it''s' -- x"),
            "\x1b[1;34mselect\x1b[0m a, \x1b[32m'it'\x1b[0m\x1b[32m's'\x1b[0m \x1b[90m-- x\x1b[0m"
        );
    }

    #[test]
    fn nothing_but_marks_is_added() {
        for line in [
            "",
            "'open",
            "/* open",
            "--",
            "täble FROM \"x\"",
            "/* a */ 'b'\n--c\nd",
        ] {
            let bare: String = paint(line)
                .split('\x1b')
                .enumerate()
                .map(|(at, part)| {
                    if at == 0 {
                        part
                    } else {
                        &part[part.find('m').unwrap() + 1..]
                    }
                })
                .collect();
            assert_eq!(bare, line);
        }
    }
}
