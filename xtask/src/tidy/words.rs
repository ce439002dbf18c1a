//! Words that are not used, in code, comments and documents, and what to write.

use std::path::Path;

/// A word or phrase, in lower case, and what to write in its place.
const BANNED: &[(&str, &str)] = &[
    // Unfinished work is finished, or is a typed error and a line among the limits.
    ("fixme", "mend it, or return a typed error and list the limit"),
    ("xxx", "say what is meant"),
    ("hack", "say what it does and why it is sound"),
    ("kludge", "say what it does and why it is sound"),
    ("temporarily", "say until when, or leave it out"),
    ("for the time being", "say what is, and list the limit"),
    // Words that belittle the reader who does not find it so.
    ("obviously", "leave it out"),
    ("trivially", "leave it out"),
    ("simply", "leave it out"),
    ("basically", "leave it out"),
    // Long words for short ones.
    ("utilize", "use"),
    ("utilise", "use"),
    ("leverage", "use"),
    ("in order to", "to"),
    ("functionality", "name the thing"),
    ("performant", "fast, with a number"),
    ("blazing", "a number"),
    ("blazingly", "a number"),
    ("seamless", "say what happens"),
    ("seamlessly", "say what happens"),
    // Words that hurt, or say less than their replacement.
    ("blacklist", "deny list"),
    ("whitelist", "allow list"),
    ("sanity check", "check"),
    ("dummy", "name its role"),
    // The text holds on every machine.
    ("/root/", "a path that holds on every machine"),
    ("/home/", "a path that holds on every machine"),
];

/// This list itself has to name the words, and so has its test.
const SPARED: &[&str] = &["xtask/src/tidy/words.rs", "xtask/src/tidy/tests.rs"];

/// Each banned word in `text`.
pub(crate) fn check(path: &Path, text: &str) -> Vec<String> {
    if SPARED.iter().any(|spared| path == Path::new(spared)) {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        for (word, instead) in BANNED {
            if has_word(&lower, word) {
                wrong.push(format!(
                    "{}:{}: not `{word}`: {instead}",
                    path.display(),
                    number + 1
                ));
            }
        }
    }
    wrong
}

/// Whether `word` stands in `line` and is not part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        word.starts_with('/') || (!joins(before) && !joins(after))
    })
}
