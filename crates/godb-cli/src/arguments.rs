//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::output::{Mode, Settings};

/// Shown after a mistake.
pub(crate) const USAGE: &str = "usage: godb [--mode MODE] FILE [SQL]...   (godb --help tells more)";

/// Shown on request.
pub(crate) const HELP: &str = "\
godb FILE                        opens a shell on a database, which is created when it is not there
godb FILE SQL...                 runs statements and ends; stops at the first error with exit code 1
godb FILE < script.sql           the same from standard input
godb check FILE                  reads every page and checks every tree, index, version and the free space; changes nothing
godb check --repair FILE         repairs what can be repaired without losing a row, into FILE.repaired or, with --output, NEW;
                                 with --in-place it takes the place of FILE
godb salvage FILE --output NEW   copies every row that can be read out of a broken file into a new database
godb tour [FILE]                 a guided tour: keys, SQL, time travel, a crash and the recovery from it
godb serve FILE                  serves PostgreSQL's clients until it is told to stop (SIGTERM), with these options:
  --listen ADDRESS     a host and port   (default 127.0.0.1:5433)
  --socket DIR         the socket .s.PGSQL.5432 in a directory; --socket-port for another number
  --max-connections N  one more is refused   (default 100)
  --database NAME      the one name by which clients know it   (default: every name will do)
  --tls-cert FILE --tls-key FILE       a certificate chain and its key, in PEM
  --slow-statement TIME                statements that take longer are logged
  Roles with a password log in by SCRAM-SHA-256; where there are none, everybody on this machine may come in.

FILE `:memory:` is a database in memory.

  --mode MODE          how rows are shown: box, csv, json, jsonlines, markdown, list   (default box)
  --headers on|off     column names above the rows   (default on, off for list)
  --null TEXT          how NULL is shown
  --retention TIME     how far back AS OF SYSTEM TIME can look: 30s, 10m, 2h, 7d   (default 0)
  -h, --help           this text
  -V, --version        the version

Exit codes: 0 all went well, 1 a statement failed, the check found damage or not all could be saved, 2 a mistake on the command line,
3 the file could not be looked at (it is not there, in use, or no database).";

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    Version,
    Check(PathBuf),
    Repair {
        file: PathBuf,
        output: Option<PathBuf>,
        in_place: bool,
    },
    Salvage {
        file: PathBuf,
        output: PathBuf,
    },
    Tour(Option<PathBuf>),
    /// The part of the tour that is killed.
    TourVictim(PathBuf),
    /// A server.
    #[cfg(feature = "serve")]
    Serve(crate::serve::Serve),
    Run(Run),
}

/// Statements on a database.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) file: PathBuf,
    /// Statements given as arguments; without any, they come from standard input.
    pub(crate) sql: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) retention: Duration,
}

/// Reads the command line.
pub(crate) fn parse(mut arguments: Parser) -> Result<Request, lexopt::Error> {
    let mut settings = Settings::default();
    let mut retention = Duration::ZERO;
    let mut output: Option<PathBuf> = None;
    let (mut repair, mut in_place) = (false, false);
    let mut words = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("mode") => settings.mode = arguments.value()?.parse_with(Mode::named)?,
            Arg::Long("headers") => settings.headers = Some(arguments.value()?.parse_with(on_or_off)?),
            Arg::Long("null") => settings.null = Some(arguments.value()?.string()?),
            Arg::Long("output") => output = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("repair") => repair = true,
            Arg::Long("in-place") => in_place = true,
            Arg::Long("retention") => retention = arguments.value()?.parse_with(duration)?,
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Request::Version),
            #[cfg(feature = "serve")]
            Arg::Value(word) if words.is_empty() && word == "serve" => {
                return crate::serve::parse(arguments).map(Request::Serve);
            }
            Arg::Value(word) => words.push(word),
            other => return Err(other.unexpected()),
        }
    }
    let mut words = words.into_iter();
    let first = words.next().ok_or("which file?")?;
    if repair && first != "check" {
        return Err("--repair goes with godb check".into());
    }
    if output.is_some() && first != "salvage" && !repair {
        return Err("--output goes with godb salvage and godb check --repair".into());
    }
    if in_place && (!repair || output.is_some()) {
        return Err("--in-place goes with godb check --repair, and not with --output".into());
    }
    match first.to_str() {
        Some("check") if repair => Ok(Request::Repair {
            file: last(words.next(), words.len(), "check")?,
            output,
            in_place,
        }),
        Some("check") => Ok(Request::Check(last(words.next(), words.len(), "check")?)),
        Some("salvage") => Ok(Request::Salvage {
            file: last(words.next(), words.len(), "salvage")?,
            output: output.ok_or("where to? godb salvage FILE --output NEW")?,
        }),
        Some("tour") if words.len() == 0 => Ok(Request::Tour(None)),
        Some("tour") => Ok(Request::Tour(Some(last(words.next(), words.len(), "tour")?))),
        Some("tour-victim") => Ok(Request::TourVictim(last(
            words.next(),
            words.len(),
            "tour-victim",
        )?)),
        _ => Ok(Request::Run(Run {
            file: first.into(),
            sql: words.map(ValueExt::string).collect::<Result<_, _>>()?,
            settings,
            retention,
        })),
    }
}

/// The one file that a subcommand takes.
fn last(word: Option<std::ffi::OsString>, more: usize, command: &str) -> Result<PathBuf, lexopt::Error> {
    match word {
        Some(word) if more == 0 => Ok(word.into()),
        _ => Err(format!("godb {command} takes one file").into()),
    }
}

/// `on` or `off`.
pub(crate) fn on_or_off(word: &str) -> Result<bool, String> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?} is neither on nor off")),
    }
}

/// A time like `90s`, `10m`, `2h`, `7d`; a bare number is seconds.
pub(crate) fn duration(word: &str) -> Result<Duration, String> {
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &word[number.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        unit => return Err(format!("unknown unit {unit:?}: write s, m, h or d")),
    };
    let count: u64 = number.parse().map_err(|_| format!("{word:?} is no time"))?;
    let seconds = count
        .checked_mul(factor)
        .ok_or_else(|| format!("{word:?} is too long"))?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::{Request, Run, parse};
    use crate::output::{Mode, Settings};
    use std::time::Duration;

    fn parsed(words: &[&str]) -> Result<Request, String> {
        parse(lexopt::Parser::from_args(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_and_statements() {
        let run = Run {
            file: "shop.godb".into(),
            sql: vec!["SELECT 1".to_owned()],
            settings: Settings {
                mode: Mode::Csv,
                headers: Some(false),
                null: Some("-".to_owned()),
                ..Settings::default()
            },
            retention: Duration::from_secs(7200),
        };
        let words = [
            "--mode",
            "csv",
            "shop.godb",
            "--headers=off",
            "SELECT 1",
            "--null",
            "-",
            "--retention",
            "2h",
        ];
        assert_eq!(parsed(&words), Ok(Request::Run(run)));
    }

    #[test]
    fn subcommands() {
        assert_eq!(parsed(&["check", "a.godb"]), Ok(Request::Check("a.godb".into())));
        let salvage = Request::Salvage {
            file: "a.godb".into(),
            output: "b.godb".into(),
        };
        assert_eq!(parsed(&["salvage", "a.godb", "--output", "b.godb"]), Ok(salvage));
        let repair = Request::Repair {
            file: "a.godb".into(),
            output: None,
            in_place: true,
        };
        assert_eq!(parsed(&["check", "--repair", "a.godb", "--in-place"]), Ok(repair));
        assert_eq!(parsed(&["tour"]), Ok(Request::Tour(None)));
        assert_eq!(
            parsed(&["tour", "a.godb"]),
            Ok(Request::Tour(Some("a.godb".into())))
        );
        assert_eq!(parsed(&["a.godb", "-h"]), Ok(Request::Help));
        assert_eq!(parsed(&["-V"]), Ok(Request::Version));
    }

    #[test]
    fn mistakes() {
        for words in [
            &[][..],
            &["check"],
            &["check", "a", "b"],
            &["check", "a", "--output", "b"],
            &["salvage", "a"],
            &["salvage", "a", "--output", "b", "--repair"],
            &["check", "a", "--in-place"],
            &["check", "--repair", "a", "--in-place", "--output", "b"],
            &["a", "--mode", "html"],
            &["a", "--headers", "maybe"],
            &["a", "--retention", "3w"],
            &["a", "--retention", "99999999999999999d"],
            &["a", "--fast"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}
