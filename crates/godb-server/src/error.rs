//! [`ServeError`]: why a server does not start, or stops.

/// Why a server does not start, or stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// Which one.
        address: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("{file}: {why}")]
    Certificate {
        /// Which file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// An option has a value that cannot be used.
    #[error("{0}")]
    Option(String),
    /// The database refused something.
    #[error(transparent)]
    Database(#[from] godb::Error),
    /// The machine refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
