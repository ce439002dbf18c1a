//! The rules hold here, and each of them bites.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::lengths::{Length, measure};
use super::ratchet::Ratchet;
use super::{head, unsafety, violations, words};
use crate::source::Source;
use crate::workspace;

fn source(text: &str) -> Source {
    Source {
        path: PathBuf::from("a.rs"),
        text: text.to_owned(),
        tokens: proc_macro2::TokenStream::from_str(text)
            .unwrap()
            .into_iter()
            .collect(),
    }
}

fn length(what: &str, lines: usize) -> Length {
    Length {
        what: what.to_owned(),
        lines,
        limit: 80,
    }
}

#[test]
fn this_workspace_is_tidy() {
    assert_eq!(violations(&workspace::root()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_file_opens_with_what_it_is_for() {
    assert_eq!(head(&source("//! Words of the tree.\n")), None);
    assert!(head(&source("//!\n\nfn f() {}\n")).is_some());
    assert!(head(&source("use a::b;\n//! Too late.\n")).is_some());
}

#[test]
fn functions_are_measured_where_they_stand() {
    let body = "let x = 1;\n".repeat(90);
    let text =
        format!("//! F.\nimpl T {{\n    fn long(&self) -> fn(u8) {{\n{body}    }}\n    fn short();\n}}\n");
    assert_eq!(measure(&source(&text)), [length("a.rs::long", 92)]);
}

#[test]
fn the_ratchet_lets_nothing_grow() {
    let ratchet = Ratchet::parse("# why\n\n90 a.rs::f\n85 a.rs::g\n").unwrap();
    assert!(
        ratchet
            .check(&[length("a.rs::f", 90), length("a.rs::g", 85)])
            .is_empty()
    );
    assert_eq!(
        ratchet.check(&[
            length("a.rs::f", 91),
            length("a.rs::g", 84),
            length("a.rs::h", 81)
        ]),
        [
            "a.rs::f: grew from 90 to 91 lines",
            "a.rs::g: shrank to 84 lines; run `cargo xtask tidy --record`",
            "a.rs::h: 81 lines, at most 80",
        ]
    );
    assert_eq!(
        ratchet.check(&[length("a.rs::f", 90)]),
        ["a.rs::g: needs no exception now; run `cargo xtask tidy --record`"]
    );
    assert!(Ratchet::parse("many a.rs").is_err());
}

#[test]
fn recording_lowers_and_never_raises() {
    let ratchet = Ratchet::parse("90 f\n85 g\n82 h\n").unwrap();
    let lowered = ratchet.lowered(&[length("f", 95), length("g", 84), length("new", 99)]);
    assert_eq!(lowered, Ratchet::parse("90 f\n84 g\n").unwrap());
    assert_eq!(Ratchet::parse(&lowered.to_string()).unwrap(), lowered);
}

#[test]
fn unsafe_needs_a_file_that_says_why() {
    let lifted =
        "//! A.\n#![expect(unsafe_code, reason = \"the kernel wants a pointer\")]\nfn f() { unsafe {} }\n";
    assert!(unsafety::check(&source(lifted)).is_empty());
    assert_eq!(
        unsafety::check(&source("//! A.\nfn f() {\n    unsafe {}\n}\n")).len(),
        1
    );
    let unexplained = "//! A.\n#![expect(unsafe_code)]\nfn f() { unsafe {} }\n";
    assert_eq!(unsafety::check(&source(unexplained)).len(), 1);
    assert!(
        unsafety::check(&source(
            "//! It is unsafe to say so.\nconst A: &str = \"unsafe\";\n"
        ))
        .is_empty()
    );
}

#[test]
fn banned_words_are_found_as_words() {
    let wrong = words::check(
        Path::new("a.md"),
        "We utilize it.\nutilizer, Simply_put\nA Hack, in order to pass.\n",
    );
    assert_eq!(
        wrong,
        [
            "a.md:1: not `utilize`: use",
            "a.md:3: not `hack`: say what it does and why it is sound",
            "a.md:3: not `in order to`: to",
        ]
    );
}
