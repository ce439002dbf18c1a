//! Settings in all their life: read, refused, shown, undone.

use super::*;

fn settings() -> Settings {
    Settings::new(Wired {
        work_mem: 64 << 20,
        isolation: Isolation::RepeatableRead,
        max_connections: 100,
        lock_timeout: Duration::from_secs(10),
    })
}

fn code(result: Result<()>) -> &'static str {
    result.unwrap_err().state.0
}

const RUNNING: Running = Running {
    isolation: Isolation::ReadCommitted,
    read_only: false,
    deferrable: false,
};

#[test]
fn values_are_read_and_shown_with_their_units() {
    let mut settings = settings();
    for (given, shown) in [
        ("1024", "1MB"),
        ("1.5MB", "1536kB"),
        (" 2 GB ", "2GB"),
        ("0x400", "1MB"),
    ] {
        settings.set("work_mem", Some(given), false).unwrap();
        assert_eq!(settings.show("Work_Mem").unwrap(), shown);
    }
    settings.set("statement_timeout", Some("90s"), false).unwrap();
    assert_eq!(settings.show("statement_timeout").unwrap(), "90s");
    assert_eq!(settings.effects().statement_timeout.unwrap().as_secs(), 90);
    settings.set("work_mem", None, false).unwrap();
    assert_eq!(settings.effects().work_mem, 64 << 20);
}

#[test]
fn what_would_have_no_effect_is_refused() {
    let mut settings = settings();
    settings.set("timezone", Some("utc"), false).unwrap();
    settings.set("client_encoding", Some("UTF-8"), false).unwrap();
    assert_eq!(
        code(settings.set("client_encoding", Some("LATIN1"), false)),
        "0A000"
    );
    assert_eq!(
        code(settings.set("client_encoding", Some("nonsense"), false)),
        "22023"
    );
    assert_eq!(code(settings.set("nosuch", Some("1"), false)), "42704");
    assert_eq!(code(settings.set("server_version", Some("16"), false)), "55P02");
    assert_eq!(code(settings.set("work_mem", Some("1"), false)), "22023");
    assert_eq!(code(settings.set("a.", Some("1"), false)), "42602");
}

#[test]
fn a_setting_follows_its_transaction() {
    let mut settings = settings();
    let show = |settings: &Settings| settings.show("application_name").unwrap();
    settings.set("application_name", Some("before"), false).unwrap();
    settings.begin(RUNNING);
    settings
        .set("application_name", Some("rolled back"), false)
        .unwrap();
    settings.end(false);
    assert_eq!(show(&settings), "before");
    settings.begin(RUNNING);
    settings.set("application_name", Some("stays"), false).unwrap();
    let point = settings.point();
    settings.set("application_name", Some("local"), true).unwrap();
    assert_eq!(show(&settings), "local");
    settings.return_to(&point);
    assert_eq!(show(&settings), "stays");
    settings.set("application_name", Some("local"), true).unwrap();
    settings.end(true);
    assert_eq!(show(&settings), "stays");
}

#[test]
fn reset_goes_back_to_what_the_client_began_with() {
    let mut settings = settings();
    settings.start_with("application_name", "psql").unwrap();
    settings.set("application_name", Some("other"), false).unwrap();
    settings.set("my.own", Some("x"), false).unwrap();
    assert_eq!(settings.value("MY.own").as_deref(), Some("x"));
    settings.reset_all();
    assert_eq!(settings.show("application_name").unwrap(), "psql");
    assert_eq!(settings.value("my.own").as_deref(), Some(""));
}

#[test]
fn every_default_is_a_value_of_its_setting() {
    for definition in table::TABLE.iter().filter(|one| !one.default.is_empty()) {
        let read = value::read(definition, definition.default).unwrap();
        assert_eq!(read, definition.default, "{}", definition.name);
    }
    assert!(table::TABLE.is_sorted_by_key(|one| one.name.to_ascii_lowercase()));
}
