//! A server in front of a godb database: any PostgreSQL client can talk to it.
//!
//! # The problem
//!
//! A library serves the program that links it. Everything else that people own (drivers of every language, `psql`, load generators, reporting tools) speaks PostgreSQL's protocol, version 3: frames of a type byte,
//! a length and a body, in both directions over one socket. The protocol is simple; what is hard is to hold to it when things go wrong, and to let nobody wait for anybody else.
//!
//! # How a statement passes through
//!
//! ```text
//!  socket ─▶ Wire ─▶ Message ─▶ Connection ─▶ godb::Session ─▶ Rows ─▶ DataRow frames ─▶ Wire ─▶ socket
//!            frames   checked     state                         32 KiB at a time,
//!            TLS      by length   machine                       then the socket has to take them
//! ```
//!
//! - [`wire`] owns the socket and its two buffers, and cuts what comes in into frames. It believes no length: a buffer grows by what has arrived, not by what was announced.
//! - [`protocol`] turns frames into messages and answers into frames. Answers are built with `pgwire`'s messages, those of every row by hand. Requests are read by our own reader
//!   ([`protocol::request`]): `pgwire`'s trusts counts and lengths inside a frame and panics where they lie.
//! - [`session`] is the state machine: simple queries, prepared statements and portals, COPY, transactions that nobody began.
//! - [`server`] listens, lets in, ends.
//!
//! # Who runs what
//!
//! Each connection is a task of a small runtime with a thread for each core. A task that waits for its client is some kilobytes and no thread, so idle connections are cheap.
//! The engine is synchronous: a statement may wait for a lock, for the disk, or compute for an hour. So a statement is run *where it was read* only if it is brief by nature (one row by its key, BEGIN, SET); for all others
//! the thread first hands its other connections to another thread (`tokio::task::block_in_place`), and then blocks as it likes. No statement therefore delays another connection, and the usual ones pay for no handing over.
//! The number of threads is bounded by the number of connections, each of which runs one statement at a time; there is no queue in which a COMMIT could wait behind those that wait for its locks.
//!
//! A client that does not read its rows stops its own query only: its task waits for the socket, without a thread, holding one buffer.
//!
//! # Invariants
//!
//! - Nothing a client sends makes a panic, or takes more memory than it has sent bytes, up to a limit.
//! - After an error in the extended protocol everything up to Sync is skipped; the connection then goes on.
//! - A cancel request ends the statement that runs when it is received, or nothing. The connection that brought it is closed only after it has taken effect, so a client that waits for
//!   that can begin its next statement in peace.
//! - Whatever way a connection ends, its transaction is rolled back at once. A statement that waits for a lock is ended when its client is gone.
//! - Wrong password and unknown user cannot be told apart, by the answer or by its time.
//!
//! # Left out
//!
//! Replication, LISTEN / NOTIFY, function calls (`F` frames), GSSAPI, MD5 and plain passwords, arrays in parameters. They are refused by name.

mod encrypt;
mod error;
mod login;
mod options;
pub mod protocol;
mod registry;
pub mod server;
pub mod session;
mod watch;
pub mod wire;

pub use error::ServeError;
pub use options::{Address, Options};
pub use server::{Server, Stopper};
