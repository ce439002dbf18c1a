//! The same rows in every mode.

use super::{Mode, Settings, write_rows};
use crate::engine::{Cell, Column, Kind};
use crate::problem::{Failure, Problem};

fn column(name: &str, kind: Kind) -> Column {
    Column {
        name: name.to_owned(),
        kind,
    }
}

fn columns() -> Vec<Column> {
    vec![
        column("id", Kind::Number),
        column("na|me", Kind::Text),
        column("ok", Kind::Boolean),
    ]
}

fn rows() -> Vec<Vec<Cell>> {
    let row = |id: &str, name: Option<&str>, ok: &str| {
        vec![Some(id.to_owned()), name.map(str::to_owned), Some(ok.to_owned())]
    };
    vec![
        row("1.50", Some("a, \"b\"\nc|d"), "t"),
        row("NaN", None, "f"),
        row("7", Some(""), "t"),
    ]
}

fn shown(settings: &Settings, rows: Vec<Vec<Cell>>) -> String {
    let mut out = Vec::new();
    let count = rows.len() as u64;
    let written = write_rows(&mut out, settings, &columns(), &mut rows.into_iter().map(Ok)).unwrap();
    assert_eq!(written, count);
    String::from_utf8(out).unwrap()
}

fn in_mode(mode: Mode) -> Settings {
    Settings {
        mode,
        ..Settings::default()
    }
}

#[test]
fn csv() {
    assert_eq!(
        shown(&in_mode(Mode::Csv), rows()),
        "id,na|me,ok\n1.50,\"a, \"\"b\"\"\nc|d\",t\nNaN,,f\n7,\"\",t\n"
    );
}

#[test]
fn list_is_bare_unless_headers_are_asked_for() {
    let mut settings = in_mode(Mode::List);
    assert_eq!(shown(&settings, rows()[2..].to_vec()), "7||t\n");
    settings.headers = Some(true);
    settings.null = Some("-".to_owned());
    assert_eq!(shown(&settings, rows()[1..2].to_vec()), "id|na|me|ok\nNaN|-|f\n");
}

#[test]
fn json() {
    let objects = [
        r#"{"id":1.50,"na|me":"a, \"b\"\nc|d","ok":true}"#,
        r#"{"id":"NaN","na|me":null,"ok":false}"#,
        r#"{"id":7,"na|me":"","ok":true}"#,
    ];
    assert_eq!(
        shown(&in_mode(Mode::Json), rows()),
        format!("[{}]\n", objects.join(",\n"))
    );
    assert_eq!(shown(&in_mode(Mode::Json), vec![]), "[]\n");
    assert_eq!(
        shown(&in_mode(Mode::JsonLines), rows()),
        format!("{}\n", objects.join("\n"))
    );
}

#[test]
fn markdown() {
    assert_eq!(
        shown(&in_mode(Mode::Markdown), rows()),
        "| id | na\\|me | ok |\n| ---: | --- | --- |\n| 1.50 | a, \"b\"<br>c\\|d | t |\n| NaN | NULL | f |\n| 7 |  | t |\n"
    );
}

#[test]
fn a_box() {
    let drawn = shown(&in_mode(Mode::Box), rows()[1..].to_vec());
    assert_eq!(
        drawn,
        "┌─────┬───────┬────┐\n\
         │  id ┆ na|me ┆ ok │\n\
         ╞═════╪═══════╪════╡\n\
         │ NaN ┆ NULL  ┆ f  │\n\
         │   7 ┆       ┆ t  │\n\
         └─────┴───────┴────┘\n"
    );
    assert_eq!(shown(&in_mode(Mode::Box), vec![]).lines().count(), 4);
}

#[test]
fn large_results_are_drawn_in_batches() {
    let many = vec![rows()[2].clone(); 10_001];
    let drawn = shown(&in_mode(Mode::Box), many);
    assert_eq!(drawn.matches('┌').count(), 2);
    assert_eq!(drawn.matches("│  7 ").count(), 10_001);
}

#[test]
fn control_characters_cannot_disturb_the_terminal() {
    let row = vec![Some("1".to_owned()), Some("\u{1b}[2Jx".to_owned()), None];
    let drawn = shown(&in_mode(Mode::Box), vec![row]);
    assert!(
        !drawn.contains('\u{1b}') && drawn.contains("\\u{1b}[2Jx"),
        "{drawn}"
    );
}

#[test]
fn expanded() {
    let settings = Settings {
        expanded: true,
        ..Settings::default()
    };
    assert_eq!(
        shown(&settings, rows()[..1].to_vec()),
        "-[ RECORD 1 ]-----\nid    | 1.50\nna|me | a, \"b\"\n      | c|d\nok    | t\n"
    );
}

#[test]
fn rows_before_an_error_are_shown() {
    for (mode, wanted) in [
        (Mode::Csv, "7,\"\",t\n"),
        (Mode::Json, "\"ok\":true}]\n"),
        (Mode::Box, "│  7 ┆       ┆ t  │\n└────┴───────┴────┘\n"),
    ] {
        let mut out = Vec::new();
        let failing = vec![Ok(rows()[2].clone()), Err(Box::new(Failure::default()))];
        let result = write_rows(&mut out, &in_mode(mode), &columns(), &mut failing.into_iter());
        assert!(matches!(result, Err(Problem::Failure(_))));
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with(wanted), "{text}");
    }
}

#[test]
fn modes_have_names() {
    for (name, mode) in super::MODES {
        assert_eq!(Mode::named(name), Ok(*mode));
        assert_eq!(mode.name(), *name);
    }
    assert!(Mode::named("html").unwrap_err().contains("jsonlines"));
}
