//! Random queries over random tables.

use super::Server;
use super::ask::{Answer, ask_godb, ask_postgres};
use godb::{Database, params};
use godb_sql::testing::random::{Dice, query, tables};
use std::io;

/// How many queries psql is given at once.
const ROUND: usize = 500;

/// A query that is answered differently.
#[derive(Debug)]
pub struct Difference {
    /// It.
    pub sql: String,
    /// PostgreSQL's answer.
    pub postgres: String,
    /// godb's answer.
    pub godb: String,
}

/// Asks `count` random queries; returns those that are answered differently, and how many both answered with rows.
///
/// # Errors
/// A server that does not answer, a database that does not open.
pub fn random_queries(server: &Server, seed: u64, count: usize) -> io::Result<(Vec<Difference>, usize)> {
    let mut dice = Dice::new(seed);
    let (mut differences, mut answered, mut asked) = (Vec::new(), 0, 0);
    while asked < count {
        let set_up = tables(&mut dice);
        let queries: Vec<String> = (0..ROUND.min(count - asked)).map(|_| query(&mut dice)).collect();
        asked += queries.len();
        let mut all = set_up.clone();
        all.extend(queries.iter().cloned());
        let theirs = ask_postgres(server, &all)?.split_off(set_up.len());
        let database = Database::in_memory().map_err(io::Error::other)?;
        let mut session = database.session().map_err(io::Error::other)?;
        for sql in &set_up {
            session.run(sql, params![]).map_err(io::Error::other)?;
        }
        for (sql, postgres) in queries.into_iter().zip(theirs) {
            let godb = ask_godb(&mut session, &sql).sorted();
            let postgres = postgres.sorted();
            answered += usize::from(matches!((&godb, &postgres), (Answer::Rows(..), Answer::Rows(..))));
            // What godb refuses by name as not supported is no different answer.
            let declined = matches!(&godb, Answer::Failed(state, _) if state == "0A000");
            if !declined && !godb.agrees(&postgres) {
                let (postgres, godb) = (format!("{postgres:?}"), format!("{godb:?}"));
                differences.push(Difference { sql, postgres, godb });
            }
        }
    }
    Ok((differences, answered))
}
