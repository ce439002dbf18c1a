//! The program as its users meet it: started as a process, fed by arguments and pipes, judged by output and exit code.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A directory with a database that does not exist yet.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_godb"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program with arguments.
    fn godb(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }

    /// Runs the program with a script on its standard input.
    fn script(&self, arguments: &[&str], script: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // The program may stop before the script's end.
        drop(input.write_all(script.as_bytes()));
        drop(input);
        Ended::from(child.wait_with_output().unwrap())
    }

    /// Runs a script on `a.godb` that must go well; gives what it wrote, as CSV.
    fn run(&self, script: &str) -> String {
        let ended = self.script(&["a.godb", "--mode", "csv"], script);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{script}");
        ended.out
    }
}

/// How the program ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

const PEOPLE: &str = "CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, born date);\n\
    INSERT INTO people VALUES (1, 'Ada', '1815-12-10'), (2, 'Grace', '1906-12-09'), (3, 'Edgar', NULL);\n";

#[test]
fn statements_as_arguments_and_a_file_that_lasts() {
    let place = Place::new();
    let create = "CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2)";
    let made = place.godb(&["a.godb", create, "SELECT * FROM t;"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(
        made.out.starts_with("CREATE TABLE\nINSERT 0 2\n┌───┐\n│ a │\n"),
        "{}",
        made.out
    );
    assert!(made.out.ends_with("(2 rows)\n"), "{}", made.out);
    let again = place.godb(&["a.godb", "--mode", "list", "SELECT sum(a) FROM t"]);
    assert_eq!(
        (again.code, again.out.as_str()),
        (Some(0), "3\n"),
        "{}",
        again.err
    );
    assert!(
        !place.path("a.godb-wal").exists(),
        "a clean close leaves one file"
    );
}

#[test]
fn a_database_in_memory_leaves_no_file() {
    let place = Place::new();
    let ended = place.godb(&[":memory:", "--mode", "csv", "SELECT 1 AS one, 'x' AS two"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), "one,two\n1,x\n"),
        "{}",
        ended.err
    );
    assert_eq!(fs::read_dir(place.directory.path()).unwrap().count(), 0);
}

#[test]
fn every_mode() {
    let place = Place::new();
    place.run(PEOPLE);
    let ada = "{\"id\":1,\"name\":\"Ada\",\"born\":\"1815-12-10\"}";
    let edgar = "{\"id\":3,\"name\":\"Edgar\",\"born\":null}";
    for (mode, wanted) in [
        ("csv", "id,name,born\n1,Ada,1815-12-10\n3,Edgar,\n".to_owned()),
        ("list", "1|Ada|1815-12-10\n3|Edgar|\n".to_owned()),
        ("json", format!("[{ada},\n{edgar}]\n")),
        ("jsonlines", format!("{ada}\n{edgar}\n")),
        (
            "markdown",
            "| id | name | born |\n| ---: | --- | --- |\n| 1 | Ada | 1815-12-10 |\n| 3 | Edgar | NULL |\n".to_owned(),
        ),
        (
            "box",
            "┌────┬───────┬────────────┐\n│ id ┆ name  ┆ born       │\n╞════╪═══════╪════════════╡\n\
             │  1 ┆ Ada   ┆ 1815-12-10 │\n│  3 ┆ Edgar ┆ NULL       │\n└────┴───────┴────────────┘\n(2 rows)\n"
                .to_owned(),
        ),
    ] {
        let ended = place.godb(&["a.godb", "--mode", mode, "SELECT * FROM people WHERE id <> 2 ORDER BY id"]);
        assert_eq!((ended.code, ended.out), (Some(0), wanted), "{mode}: {}", ended.err);
    }
}

#[test]
fn a_script_stops_at_its_first_error_and_names_the_line() {
    let place = Place::new();
    let script = "-- a comment; with a semicolon\nCREATE TABLE t (a integer);\n\nINSERT INTO t\nVALUES (1);\nINSERT INTO t VALUES\n  \
                  (2), (nowhere);\nINSERT INTO t VALUES (3);\n";
    let ended = place.script(&["a.godb"], script);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.out, "CREATE TABLE\nINSERT 0 1\n");
    assert!(
        ended.err.starts_with("line 7: ERROR:  ") && ended.err.contains("(42703)"),
        "{}",
        ended.err
    );
    assert_eq!(place.run("SELECT a FROM t;"), "a\n1\n");
}

#[test]
fn what_an_error_interrupts_is_rolled_back() {
    let place = Place::new();
    place.run(PEOPLE);
    let ended = place.script(
        &["a.godb"],
        "BEGIN;\nDELETE FROM people;\nSELECT * FROM nowhere;\nCOMMIT;\n",
    );
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.starts_with("line 3: ") && ended.err.contains("42P01"),
        "{}",
        ended.err
    );
    assert_eq!(place.run("SELECT count(*) FROM people;"), "count\n3\n");
}

#[test]
fn each_result_is_written_before_the_next_statement_is_read() {
    let place = Place::new();
    let mut command = place.command(&["a.godb", "--mode", "list"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for number in 1..=3 {
        // The other end answers before it is sent more.
        write!(input, "SELECT {number} *\n  10;\n").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{}\n", number * 10));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_statement_needs_no_semicolon_at_the_end_of_the_input() {
    let place = Place::new();
    let ended = place.script(
        &["a.godb", "--mode", "list"],
        "SELECT ';' || $$;$$ ; SELECT 2\n-- end",
    );
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), ";;\n2\n"),
        "{}",
        ended.err
    );
}

#[test]
fn mistakes_on_the_command_line_are_told_apart() {
    let place = Place::new();
    for arguments in [
        &[][..],
        &["a.godb", "--mode", "html"],
        &["check"],
        &["a.godb", "--nope"],
    ] {
        let ended = place.godb(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(ended.err.contains("usage: godb"), "{}", ended.err);
    }
    assert!(place.godb(&["--help"]).out.contains("godb check FILE"));
    assert_eq!(
        place.godb(&["-V"]).out,
        format!("godb {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn tables_described() {
    let place = Place::new();
    place.run(PEOPLE);
    place.run("CREATE INDEX by_name ON people (name DESC);");
    assert_eq!(
        place.run(".tables\n.tables x*\n"),
        "table,columns\npeople,3\ntable,columns\n"
    );
    assert_eq!(
        place.run("\\d people\n"),
        "column,type,nullable,default\nid,integer,not null,\"\"\nname,text,not null,\"\"\nborn,date,\"\",\"\"\n\
         Indexes:\n    people_pkey PRIMARY KEY, btree (id)\n    by_name btree (name DESC)\n"
    );
    assert_eq!(
        place.run("\\di\n"),
        "index,table,columns,unique\npeople_pkey,people,id,yes\nby_name,people,name DESC,no\n"
    );
    // What `.schema` shows makes the same tables again.
    let schema = place.run(".schema\n");
    place.write("schema.sql", &schema);
    let again = place.script(&["b.godb"], ".read schema.sql\n.schema\n");
    assert!(again.code == Some(0) && again.out.ends_with(&schema), "{again:?}");
    let unknown = place.script(&["a.godb"], "\\d nobody\n");
    assert_eq!(unknown.code, Some(1));
    assert_eq!(unknown.err, "line 1: there is no table nobody\n");
}

#[test]
fn settings_and_output() {
    let place = Place::new();
    let script = ".headers off\n.nullvalue nil\nSELECT NULL AS a, 1 AS b;\n.output out.txt\nSELECT 2;\n.output\n\
                  .mode json\nSELECT 3 AS c;\n";
    assert_eq!(place.run(script), "nil,1\n[{\"c\":3}]\n");
    assert_eq!(fs::read_to_string(place.path("out.txt")).unwrap(), "2\n");
    let out = place
        .script(&["a.godb"], "\\x on\nSELECT 1 AS a, 'b' AS long;\n")
        .out;
    assert_eq!(out, "-[ RECORD 1 ]----\na    | 1\nlong | b\n(1 row)\n");
    assert!(place.run(".timer on\nSELECT 1;\n").contains("Time: "));
    assert!(place.run(".help\n").contains(".import FILE TABLE"));
    assert_eq!(place.run("SELECT 1 AS a;\n.quit\nSELECT 2;\n"), "a\n1\n");
}

#[test]
fn scripts_that_read_scripts() {
    let place = Place::new();
    place.write("inner.sql", "SELECT 1 AS a;\n\nSELECT nothing;\n");
    let ended = place.script(&["a.godb", "--mode", "csv"], "\n.read inner.sql\nSELECT 2;\n");
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), "a\n1\n"));
    assert!(
        ended.err.starts_with("line 2: inner.sql:3: ERROR:  "),
        "{}",
        ended.err
    );
    place.write("loop.sql", ".read loop.sql\n");
    let ended = place.script(&["a.godb"], ".read loop.sql\n");
    assert!(
        ended.code == Some(1) && ended.err.contains("16 deep"),
        "{ended:?}"
    );
}

#[test]
fn a_csv_file_becomes_a_table() {
    let place = Place::new();
    let people =
        "id,name,Height,born,code\n1,\"Lovelace, Ada\",1.65,1815-12-10,007\n2,Grace,NA,1906-12-09,012\n";
    place.write("people.csv", people);
    place.run(".import people.csv people NA\n");
    assert_eq!(
        place.run("SELECT * FROM people ORDER BY id;"),
        people.replace("NA", "")
    );
    assert!(
        place.run("\\d people\n").contains("Height,double precision"),
        "numbers are numbers"
    );
    // Into a table that is there: all rows or none.
    place.write("more.csv", "id,name\n3,Edgar\nx,Nobody\n");
    let ended = place.script(&["a.godb"], ".import more.csv people\n");
    assert!(ended.code == Some(1) && ended.err.contains("22P02"), "{ended:?}");
    assert_eq!(place.run("SELECT count(*) FROM people;"), "count\n2\n");
    // A table made for a file that cannot be loaded does not stay.
    place.write("bad.csv", "a,b\n1,2013-99-99\n");
    assert_eq!(place.script(&["a.godb"], ".import bad.csv bad\n").code, Some(1));
    assert_eq!(place.run(".tables bad\n"), "table,columns\n");
}

#[test]
fn the_check_finds_damage_and_names_it() {
    let place = Place::new();
    place.run(PEOPLE);
    let well = place.godb(&["check", "a.godb"]);
    assert_eq!((well.code, well.err.as_str()), (Some(0), ""), "{}", well.out);
    let absent = place.godb(&["check", "b.godb"]);
    assert_eq!(absent.code, Some(3));
    assert!(!place.path("b.godb").exists(), "a check creates nothing");
    let mut bytes = fs::read(place.path("a.godb")).unwrap();
    let at = find(&bytes, b"Grace").expect("the rows are in the file");
    bytes[at] ^= 1;
    fs::write(place.path("a.godb"), &bytes).unwrap();
    let damaged = place.godb(&["check", "a.godb"]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    let page = format!("page {}", at / 8192);
    assert!(
        damaged.out.contains(&page) || damaged.err.contains(&page),
        "wanted {page}: {damaged:?}"
    );
}

#[test]
fn repair_works_on_a_copy_unless_told_otherwise() {
    let place = Place::new();
    place.run(PEOPLE);
    let nothing = place.godb(&["check", "--repair", "a.godb"]);
    assert_eq!(
        (nothing.code, nothing.out.as_str()),
        (Some(0), "a.godb: nothing to repair\n"),
        "{nothing:?}"
    );
    assert!(!place.path("a.godb.repaired").exists());
    // The free map.
    let mut bytes = fs::read(place.path("a.godb")).unwrap();
    bytes[4 * 8192 + 500] ^= 1;
    fs::write(place.path("a.godb"), &bytes).unwrap();
    let repaired = place.godb(&["check", "--repair", "a.godb"]);
    assert_eq!(repaired.code, Some(0), "{repaired:?}");
    assert!(
        repaired.out.contains("page 4") && repaired.out.contains("repaired: "),
        "{repaired:?}"
    );
    assert_eq!(
        fs::read(place.path("a.godb")).unwrap(),
        bytes,
        "the damaged file stays as it is"
    );
    assert_eq!(place.godb(&["check", "a.godb.repaired"]).code, Some(0));
    assert_eq!(place.godb(&["check", "a.godb"]).code, Some(1));
    assert_eq!(
        place.godb(&["check", "--repair", "--in-place", "a.godb"]).code,
        Some(0)
    );
    assert_eq!(place.godb(&["check", "a.godb"]).code, Some(0));
    // A row.
    let mut bytes = fs::read(place.path("a.godb")).unwrap();
    let at = find(&bytes, b"Grace").expect("the rows are in the file");
    bytes[at] ^= 1;
    fs::write(place.path("a.godb"), &bytes).unwrap();
    let refused = place.godb(&["check", "--repair", "--in-place", "a.godb"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("salvage"), "{refused:?}");
    assert_eq!(fs::read(place.path("a.godb")).unwrap(), bytes);
}

#[test]
fn salvage_saves_what_can_be_read() {
    let place = Place::new();
    place.run(PEOPLE);
    let whole = place.godb(&["salvage", "a.godb", "--output", "b.godb"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert!(whole.out.contains("everything was saved"), "{whole:?}");
    let again = place.godb(&["salvage", "a.godb", "--output", "b.godb"]);
    assert_eq!(again.code, Some(3), "it overwrites nothing: {again:?}");
    let mut bytes = fs::read(place.path("a.godb")).unwrap();
    bytes[..16384].fill(0);
    let at = find(&bytes, b"Grace").expect("the rows are in the file");
    bytes[at] ^= 1;
    fs::write(place.path("a.godb"), &bytes).unwrap();
    let partly = place.godb(&["salvage", "a.godb", "--output", "c.godb"]);
    assert_eq!(partly.code, Some(1), "{partly:?}");
    assert!(partly.out.contains(&format!("page {}", at / 8192)), "{partly:?}");
    assert_eq!(
        fs::read(place.path("a.godb")).unwrap(),
        bytes,
        "the broken file stays as it is"
    );
    assert_eq!(place.godb(&["check", "c.godb"]).code, Some(0));
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn a_file_that_is_in_use_is_refused() {
    let place = Place::new();
    let mut command = place.command(&["a.godb", "--mode", "list"]);
    let mut first = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = first.stdin.take().unwrap();
    writeln!(input, "SELECT 1;").unwrap();
    let mut line = String::new();
    BufReader::new(first.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let second = place.godb(&["a.godb", "SELECT 1"]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("in use") && second.err.contains(&first.id().to_string()),
        "{}",
        second.err
    );
    drop(input);
    assert!(first.wait().unwrap().success());
}

#[test]
fn time_travel_with_retention() {
    let place = Place::new();
    let script = "CREATE TABLE t (a integer);\nINSERT INTO t VALUES (1);\n";
    assert_eq!(
        place.script(&["a.godb", "--retention", "1h"], script).code,
        Some(0)
    );
    thread::sleep(Duration::from_millis(600));
    let script = "UPDATE t SET a = 2;\nSELECT a FROM t;\nSELECT a FROM t AS OF SYSTEM TIME '-0.5s';\n";
    let ended = place.script(&["a.godb", "--mode", "list", "--retention", "1h"], script);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), "2\n1\n"),
        "{}",
        ended.err
    );
}

#[test]
fn a_reader_that_goes_ends_the_program_quietly() {
    let place = Place::new();
    place.run(PEOPLE);
    let names: Vec<String> = (0..12).map(|number| format!("people t{number}")).collect();
    let many = format!("SELECT t0.id FROM {};", names.join(", "));
    let mut child = place
        .command(&["a.godb", "--mode", "list", &many])
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 2]).unwrap();
    drop(output);
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (Some(141), ""));
}

#[test]
#[cfg(unix)]
fn control_c_ends_the_statement() {
    let place = Place::new();
    place.run(PEOPLE);
    let names: Vec<String> = (0..30).map(|number| format!("people t{number}")).collect();
    let endless = format!("SELECT count(*) FROM {};", names.join(", "));
    let child = place.command(&["a.godb", &endless]).spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    let begun = Instant::now();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        begun.elapsed()
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("57014"), "{}", ended.err);
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn the_tour_goes_to_its_end() {
    let place = Place::new();
    let ended = place.godb(&["tour", "my.godb"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    for part in [
        "One file",
        "Time travel",
        "A crash",
        "killed after",
        "every commit it told of is there",
        "The check",
    ] {
        assert!(ended.out.contains(part), "no {part:?} in {}", ended.out);
    }
    let looked = place.godb(&["my.godb", "--mode", "list", "SELECT sum(balance) FROM account"]);
    assert_eq!(
        (looked.code, looked.out.as_str()),
        (Some(0), "1000000\n"),
        "{}",
        looked.err
    );
    let again = place.godb(&["tour", "my.godb"]);
    assert!(
        again.code == Some(1) && again.err.contains("already there"),
        "{again:?}"
    );
}
