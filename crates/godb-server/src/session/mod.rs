//! A client's connection, from the first byte to the last: the protocol's state machine over a [`godb::Session`].
//!
//! ```text
//!  login ─▶ idle ─┬─ Query ───────────────────────────▶ answers, ReadyForQuery ─▶ idle
//!                 └─ Parse, Bind, Describe, Execute … ─▶ answers
//!                        │ error: skip everything                    Sync: ReadyForQuery ─▶ idle
//! ```
//!
//! Statements that come together (several in one Query, several Executes before one Sync) are one transaction even if nobody wrote BEGIN. The usual single one is known by what follows it in the
//! buffer, and commits by itself.

mod copy;
mod extended;
mod run;
mod simple;

use crate::login::{Client, Refused, login};
use crate::protocol::answer::{self, Problem};
use crate::protocol::request::{Malformed, Request};
use crate::registry::Registered;
use crate::server::{Phase, Shared};
use crate::wire::{Broken, Socket, Wire};
use extended::Prepared;
use godb::{Identity, Session, TransactionState};
use pgwire::messages::startup::{Authentication, BackendKeyData, SecretKey};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How long a client that is sent away may take to read why.
const PARTING: Duration = Duration::from_secs(1);

/// A client who may ask.
struct Connection<'a> {
    wire: Wire,
    session: Session,
    shared: &'a Shared,
    registered: Registered,
    prepared: Prepared,
    /// After an error in the extended protocol: until Sync.
    skipping: bool,
    /// Settings as the client was told last.
    told: HashMap<&'static str, String>,
    /// The count of changes that belongs to them.
    changes: u64,
    /// Who it is, for what is told of it.
    user: String,
    _place: OwnedSemaphorePermit,
}

/// Why a request was not carried out.
enum Stop {
    /// The client is told, and goes on.
    Problem(Problem),
    /// There is no client any more, or it cannot be understood.
    Broken(Broken),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<godb::Error> for Stop {
    fn from(error: godb::Error) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// Serves one client until it goes.
pub(crate) async fn serve(socket: Socket, shared: &Shared) {
    let peer = socket.peer();
    let mut wire = Wire::new(socket);
    let entered = tokio::time::timeout(shared.options.login_timeout, enter(&mut wire, shared)).await;
    let refused = match entered {
        Ok(Ok(entered)) => return Connection::begin(wire, shared, entered).live(&peer).await,
        Ok(Err(Refused::With(problem))) => problem,
        Ok(Err(Refused::Done)) | Err(_) => return,
    };
    part(&mut wire, &refused).await;
    tracing::warn!(peer, code = refused.code, "{}", refused.message);
}

/// The last words to a client.
async fn part(wire: &mut Wire, problem: &Problem) {
    problem.write(&mut wire.out);
    let _ = tokio::time::timeout(PARTING, wire.flush()).await;
}

/// A client that is let in.
struct Entered {
    user: String,
    process: i32,
    session: Session,
    place: OwnedSemaphorePermit,
}

/// Lets a client in, if there is a place, and opens its session.
async fn enter(wire: &mut Wire, shared: &Shared) -> Result<Entered, Refused> {
    let client = login(wire, shared).await?;
    let fatal = |code, message: &str| Refused::With(Problem::fatal(code, message));
    if *shared.phase.borrow() > Phase::Serving {
        return Err(fatal("57P03", "the database system is shutting down"));
    }
    let place = shared.places.clone().try_acquire_owned();
    let place = place.map_err(|_| fatal("53300", "sorry, too many clients already"))?;
    let process = shared.registry.number();
    let session = open_session(shared, &client, process).map_err(|error| {
        Refused::With(Problem {
            severity: "FATAL",
            ..Problem::from(error)
        })
    })?;
    Ok(Entered {
        user: client.user,
        process,
        session,
        place,
    })
}

impl<'a> Connection<'a> {
    /// Greets a client that is let in.
    fn begin(mut wire: Wire, shared: &'a Shared, entered: Entered) -> Self {
        let Entered {
            user,
            process,
            session,
            place,
        } = entered;
        let mut secret = [0; 4];
        shared.random.fill(&mut secret);
        let secret = i32::from_ne_bytes(secret);
        wire.max_frame = shared.options.max_frame;
        answer::put(&mut wire.out, &Authentication::Ok);
        let registered = shared
            .registry
            .enter(process, secret, session.canceller(), wire.socket().clone());
        let mut connection = Self {
            wire,
            session,
            shared,
            registered,
            prepared: Prepared::default(),
            skipping: false,
            told: HashMap::new(),
            changes: u64::MAX,
            user,
            _place: place,
        };
        connection.tell_settings();
        answer::put(
            &mut connection.wire.out,
            &BackendKeyData::new(process, SecretKey::I32(secret)),
        );
        answer::ready(&mut connection.wire.out, TransactionState::Idle);
        connection
    }

    /// Serves the client until it goes, is sent away, or the server ends.
    async fn live(mut self, peer: &str) {
        let user = self.user.clone();
        tracing::info!(peer, user, process = self.registered.entry.process, "connected");
        let mut phase = self.shared.phase.clone();
        let last = tokio::select! {
            last = self.talk() => last,
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => Some(stopped()),
        };
        if let Some(problem) = last {
            part(&mut self.wire, &problem).await;
        }
        tracing::info!(
            peer,
            user,
            process = self.registered.entry.process,
            "disconnected"
        );
        // Rolls back what is open, which may take the disk.
        tokio::task::block_in_place(move || drop(self));
    }

    /// Request after request; returns what is to be said at the end.
    async fn talk(&mut self) -> Option<Problem> {
        loop {
            let request = match self.wait().await {
                Ok(request) => request,
                Err(Stop::Problem(problem)) => return Some(problem),
                Err(Stop::Broken(broken)) => return parting_words(&broken),
            };
            let outcome = match request {
                Request::Terminate => return None,
                Request::Query(text) => self.query(&text).await,
                // What is left of a COPY that failed.
                Request::CopyData(_) | Request::CopyDone | Request::CopyFail(_) => Ok(()),
                Request::Password(_) => Err(Broken::from(Malformed("unexpected password message")).into()),
                Request::Sync => self.sync().await,
                _ if self.skipping => Ok(()),
                other => match self.extended(other).await {
                    Err(Stop::Problem(problem)) => {
                        self.skipping = true;
                        self.fail(&problem);
                        Ok(())
                    }
                    other => other,
                },
            };
            if let Err(Stop::Broken(broken)) = outcome {
                return parting_words(&broken);
            }
        }
    }

    /// The next request. What was answered is sent before the wait.
    async fn wait(&mut self) -> Result<Request, Stop> {
        let state = self.session.transaction_state();
        if self.wire.next_kind().is_none() && !self.wire.out.is_empty() && self.may_rest() {
            self.wire.flush().await?;
        }
        let mut phase = self.shared.phase.clone();
        let stopping = async {
            let _ = phase.wait_for(|phase| *phase > Phase::Serving).await;
        };
        let timeouts = self.session.timeouts();
        let (limit, expired) = if state == TransactionState::Idle {
            (
                timeouts.idle,
                Problem::fatal("57P05", "terminating connection due to idle-session timeout"),
            )
        } else {
            let message = "terminating connection due to idle-in-transaction timeout";
            (timeouts.idle_in_transaction, Problem::fatal("25P03", message))
        };
        tokio::select! {
            biased;
            request = self.wire.request() => Ok(request?),
            () = stopping, if state == TransactionState::Idle => Err(stopped().into()),
            () = expire(limit) => Err(expired.into()),
        }
    }

    /// Answers of the extended protocol are held back until Sync or Flush asks for them; those of a finished series are sent.
    fn may_rest(&self) -> bool {
        !self.prepared.in_series
    }

    /// An error is answered, and what is open has failed.
    fn fail(&mut self, problem: &Problem) {
        self.session.fail();
        problem.write(&mut self.wire.out);
    }

    /// ReadyForQuery, and what has changed.
    async fn ready(&mut self) -> Result<(), Stop> {
        self.tell_settings();
        answer::ready(&mut self.wire.out, self.session.transaction_state());
        self.wire.flush().await?;
        Ok(())
    }

    /// Tells the client of settings that have changed.
    fn tell_settings(&mut self) {
        let changes = self.session.setting_changes();
        if changes == self.changes {
            return;
        }
        self.changes = changes;
        for (name, value) in self.session.reported_settings() {
            if self.told.get(name) != Some(&value) {
                answer::status(&mut self.wire.out, name, &value);
                self.told.insert(name, value);
            }
        }
    }

    /// Runs something of the engine's: where we are if it is brief, else after other connections have been handed over.
    fn engine<T>(&mut self, brief: bool, work: impl FnOnce(&mut Self) -> T) -> T {
        if brief {
            return work(self);
        }
        self.registered.entry.busy.store(true, Ordering::Relaxed);
        let done = tokio::task::block_in_place(|| work(self));
        self.registered.entry.busy.store(false, Ordering::Relaxed);
        done
    }
}

fn stopped() -> Problem {
    Problem::fatal("57P01", "terminating connection due to administrator command")
}

/// What can still be said to a client that is not understood.
fn parting_words(broken: &Broken) -> Option<Problem> {
    match broken {
        Broken::Io(_) => None,
        Broken::Protocol(why) => Some(Problem::fatal("08P01", *why)),
    }
}

/// Returns after the time, or never.
async fn expire(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn open_session(shared: &Shared, client: &Client, process: i32) -> godb::Result<Session> {
    let mut session = shared.database.session()?;
    session.identify(Identity {
        user: Arc::from(&*client.user),
        database: Arc::from(&*client.database),
        process,
        superuser: client.superuser,
    });
    for (name, value) in &client.settings {
        match name.as_str() {
            "options" => start_options(&mut session, value)?,
            "replication" => {}
            name => session.start_with(name, value)?,
        }
    }
    Ok(session)
}

/// `-c name=value` and `--name=value`, as libpq's `options` has them.
fn start_options(session: &mut Session, options: &str) -> godb::Result<()> {
    for word in options.split_whitespace() {
        let word = word
            .strip_prefix("--")
            .or_else(|| word.strip_prefix("-c"))
            .unwrap_or(word);
        if let Some((name, value)) = word.split_once('=') {
            session.start_with(&name.replace('-', "_"), value)?;
        }
    }
    Ok(())
}
