//! Commands as text; what they do to a database is tested with the whole program.

use super::describe::matches;
use super::import::{Guess, create};
use super::{COMMANDS, words};

#[test]
fn words_are_split_at_blanks_outside_quotes() {
    assert_eq!(
        words(" .import 'my file.csv'  \"t 1\" NA ;").unwrap(),
        [".import", "my file.csv", "t 1", "NA"]
    );
    assert_eq!(words(".nullvalue ''").unwrap(), [".nullvalue", ""]);
    assert!(words(".read 'open").is_err());
}

#[test]
fn names_of_commands_are_theirs_alone() {
    let mut names: Vec<_> = COMMANDS.iter().flat_map(|command| command.names).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn patterns() {
    for (pattern, name) in [
        ("*", "a"),
        ("fl%", "flights"),
        ("*s", "flights"),
        ("F?ights", "flights"),
        ("a", "a"),
    ] {
        assert!(matches(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [("", "a"), ("a", "ab"), ("*x*", "flights"), ("?", ""), ("?", "ab")] {
        assert!(!matches(pattern, name), "{pattern} {name}");
    }
}

#[test]
fn types_are_guessed_from_every_value() {
    let guess = |fields: &[&str]| {
        fields
            .iter()
            .fold(Guess::Nothing, |guess, field| guess.with(field))
    };
    assert_eq!(guess(&[]), Guess::Nothing);
    assert_eq!(guess(&["1", "-20"]), Guess::BigInt);
    assert_eq!(guess(&["1", "2.5", "1e3"]), Guess::Double);
    assert_eq!(guess(&["2013-01-01"]), Guess::Date);
    assert_eq!(
        guess(&["2013-01-01", "2013-01-01 05:00:00", "2013-01-01T05:00:00.25Z"]),
        Guess::Timestamp
    );
    assert_eq!(guess(&["true", "False"]), Guess::Boolean);
    for text in [
        &["007"][..],
        &["1", "2013-01-01"],
        &["inf"],
        &["true", "1"],
        &["N14228"],
        &["99999999999999999999", "x"],
    ] {
        assert_eq!(guess(text), Guess::Text, "{text:?}");
    }
}

#[test]
fn a_table_for_a_file() {
    let names = ["id".to_owned(), "Tail Number".to_owned()];
    assert_eq!(
        create("planes", &names, &[Guess::BigInt, Guess::Nothing]),
        "CREATE TABLE planes (id bigint, \"Tail Number\" text)"
    );
}
