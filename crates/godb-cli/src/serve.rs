//! `godb serve`: a database for PostgreSQL's clients.

use crate::arguments::duration;
use crate::engine::opening;
use crate::problem::Problem;
use godb::{Config, Database};
use godb_server::{Address, Options, ServeError, Server};
use lexopt::{Arg, Parser, ValueExt};
use std::path::PathBuf;
use std::time::Duration;

/// The port in the name of a socket, when no other is asked for: PostgreSQL's.
const PORT: u16 = 5432;

/// Where it listens when nothing else is said.
const USUAL: &str = "127.0.0.1:5433";

/// Connections of the database beyond those of clients.
const SPARE: usize = 16;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Serve {
    file: PathBuf,
    retention: Duration,
    options: Options,
}

impl PartialEq for Serve {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// Reads what follows `godb serve`.
pub(crate) fn parse(mut arguments: Parser) -> Result<Serve, lexopt::Error> {
    let mut options = Options::default();
    let (mut file, mut retention) = (None, Duration::ZERO);
    let (mut certificate, mut key) = (None, None);
    let (mut sockets, mut port) = (Vec::new(), PORT);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("listen") => options.listen.push(Address::Tcp(arguments.value()?.string()?)),
            Arg::Long("socket") => sockets.push(PathBuf::from(arguments.value()?)),
            Arg::Long("socket-port") => port = arguments.value()?.parse()?,
            Arg::Long("max-connections") => options.max_connections = arguments.value()?.parse()?,
            Arg::Long("database") => options.database = Some(arguments.value()?.string()?),
            Arg::Long("tls-cert") => certificate = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("tls-key") => key = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("slow-statement") => {
                options.slow_statement = Some(arguments.value()?.parse_with(duration)?);
            }
            Arg::Long("retention") => retention = arguments.value()?.parse_with(duration)?,
            Arg::Value(word) if file.is_none() => file = Some(PathBuf::from(word)),
            other => return Err(other.unexpected()),
        }
    }
    options.tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("--tls-cert and --tls-key go together".into()),
    };
    let socket = |directory| Address::Socket { directory, port };
    options.listen.extend(sockets.into_iter().map(socket));
    if options.listen.is_empty() {
        options.listen.push(Address::Tcp(USUAL.to_owned()));
    }
    Ok(Serve {
        file: file.ok_or("which file?")?,
        retention,
        options,
    })
}

/// Serves until it is asked to end.
pub(crate) fn serve(request: Serve) -> Result<(), Problem> {
    let config = Config {
        retention: request.retention,
        max_connections: request.options.max_connections.saturating_add(SPARE),
        ..Config::default()
    };
    let database =
        Database::open_with(&request.file, config).map_err(|error| opening(&request.file, &error))?;
    let server = Server::start(database, request.options).map_err(|error| told(&error))?;
    for address in server.addresses() {
        println!("listening on {address}");
    }
    server.run_until_asked().map_err(|error| told(&error))
}

fn told(error: &ServeError) -> Problem {
    Problem::Command(error.to_string())
}
