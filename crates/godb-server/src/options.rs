//! [`Options`]: how a server behaves.

use std::path::PathBuf;
use std::time::Duration;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host and port, `127.0.0.1:5433`; port 0 takes a free one.
    Tcp(String),
    /// A socket `.s.PGSQL.PORT` in a directory, as PostgreSQL's clients look for it.
    Socket {
        /// The directory.
        directory: PathBuf,
        /// The number in its name.
        port: u16,
    },
}

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens.
    pub listen: Vec<Address>,
    /// How many clients may be connected at once; one more is told so (`53300`).
    pub max_connections: usize,
    /// Under which name clients know the database; another one is refused (`3D000`). `None` takes every name.
    pub database: Option<String>,
    /// How long a client may take to log in.
    pub login_timeout: Duration,
    /// How long running transactions may take to end when the server stops; then they are rolled back.
    pub shutdown_timeout: Duration,
    /// The longest frame a client may send once it is logged in, in bytes.
    pub max_frame: usize,
    /// Statements that take longer are logged.
    pub slow_statement: Option<Duration>,
    /// The files of a certificate chain and its private key, in PEM. With them clients may ask for TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            max_connections: 100,
            database: None,
            login_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(10),
            max_frame: 256 << 20,
            slow_statement: None,
            tls: None,
        }
    }
}
