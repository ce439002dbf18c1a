//! [`Server`]: listens, lets clients in, and ends in good order.

use crate::encrypt;
use crate::error::ServeError;
use crate::options::{Address, Options};
use crate::registry::Registry;
use crate::session;
use crate::wire::Socket;
use godb::{Database, Environment, Random};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

/// How far a server has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It serves.
    Serving,
    /// Nobody new comes in; transactions may end.
    Stopping,
    /// Whatever still runs ends now.
    Ended,
}

/// Clients that are logging in, beyond those that may be connected.
const LOGGING_IN: usize = 256;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) options: Options,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) random: Arc<dyn Random>,
    /// What answers for users who do not exist are made from.
    pub(crate) secret: [u8; 32],
    /// Places for clients.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// A server that listens, on threads of its own.
pub struct Server {
    runtime: Runtime,
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    addresses: Vec<SocketAddr>,
    sockets: Vec<PathBuf>,
}

/// Asks a server to stop; cheap to clone.
#[derive(Clone)]
pub struct Stopper(watch::Sender<Phase>);

impl Stopper {
    /// Asks it to stop: nobody new comes in, transactions may end.
    pub fn stop(&self) {
        self.0.send_if_modified(|phase| {
            let first = *phase == Phase::Serving;
            *phase = (*phase).max(Phase::Stopping);
            first
        });
    }
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Server {
    /// Begins to listen. The database should allow some more connections than the server.
    ///
    /// # Errors
    /// An address is in use or not ours, or the certificate cannot be used.
    pub fn start(database: Database, options: Options) -> Result<Self, ServeError> {
        if options.listen.is_empty() {
            return Err(ServeError::Option("there is no address to listen on".to_owned()));
        }
        let tls = options
            .tls
            .as_ref()
            .map(|(certificate, key)| encrypt::configuration(certificate, key))
            .transpose()?;
        let random = Environment::system().random;
        let mut secret = [0; 32];
        random.fill(&mut secret);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("godb-server")
            .max_blocking_threads(options.max_connections + LOGGING_IN + 8)
            .enable_all()
            .build()?;
        let (phase, seen) = watch::channel(Phase::Serving);
        let shared = Arc::new(Shared {
            database,
            registry: Arc::new(Registry::default()),
            tls,
            random,
            secret,
            places: Arc::new(Semaphore::new(options.max_connections)),
            phase: seen,
            options,
        });
        let mut server = Self {
            runtime,
            shared,
            phase,
            addresses: Vec::new(),
            sockets: Vec::new(),
        };
        server.listen()?;
        server
            .runtime
            .spawn(crate::watch::watch(server.shared.registry.clone()));
        Ok(server)
    }

    fn listen(&mut self) -> Result<(), ServeError> {
        let logging_in = Arc::new(Semaphore::new(self.shared.options.max_connections + LOGGING_IN));
        for address in self.shared.options.listen.clone() {
            let listener = match &address {
                Address::Tcp(address) => {
                    let listener = self.runtime.block_on(TcpListener::bind(address));
                    let listener = listener.map_err(|why| cannot_listen(address, why))?;
                    self.addresses.push(listener.local_addr()?);
                    Listener::Tcp(listener)
                }
                Address::Socket { directory, port } => {
                    let path = directory.join(format!(".s.PGSQL.{port}"));
                    let _inside = self.runtime.enter();
                    let listener =
                        bind_socket(&path).map_err(|why| cannot_listen(&path.display().to_string(), why))?;
                    self.sockets.push(path);
                    Listener::Unix(listener)
                }
            };
            self.runtime
                .spawn(accept(listener, self.shared.clone(), logging_in.clone()));
        }
        Ok(())
    }

    /// Where it listens over TCP.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What stops it from elsewhere, from a signal handler's thread for example.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.phase.clone())
    }

    /// Serves until somebody stops it, or the process is asked to end (SIGTERM, SIGINT).
    pub fn run_until_asked(self) -> Result<(), ServeError> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut seen = self.shared.phase.clone();
        self.runtime.block_on(async {
            let (mut terminate, mut interrupt) =
                (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = seen.wait_for(|phase| *phase > Phase::Serving) => {}
            }
            Ok::<_, ServeError>(())
        })?;
        self.stop()
    }

    /// Stops: nobody new comes in, idle clients are sent away, transactions may end until the deadline and are then rolled back; at the end a checkpoint is taken.
    pub fn stop(self) -> Result<(), ServeError> {
        let clients = self.shared.options.max_connections;
        let timeout = self.shared.options.shutdown_timeout;
        let places = self.shared.places.clone();
        let all = u32::try_from(clients).unwrap_or(u32::MAX);
        tracing::info!("stopping");
        self.phase.send_replace(Phase::Stopping);
        self.runtime.block_on(async {
            if tokio::time::timeout(timeout, places.acquire_many(all))
                .await
                .is_err()
            {
                tracing::warn!("transactions are rolled back: they did not end in time");
                self.phase.send_replace(Phase::Ended);
                self.shared
                    .registry
                    .all()
                    .iter()
                    .for_each(|entry| entry.canceller.cancel());
                let _ =
                    tokio::time::timeout(timeout.max(Duration::from_secs(5)), places.acquire_many(all)).await;
            }
        });
        for path in &self.sockets {
            let _ = std::fs::remove_file(path);
        }
        self.shared.database.checkpoint().or_else(|error| {
            if self.shared.database.is_read_only() {
                Ok(())
            } else {
                Err(error)
            }
        })?;
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

fn cannot_listen(address: &str, why: std::io::Error) -> ServeError {
    ServeError::Listen {
        address: address.to_owned(),
        why,
    }
}

/// A socket file that nobody listens on was left behind by a server that was killed.
fn bind_socket(path: &Path) -> std::io::Result<UnixListener> {
    let is_socket = std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && BlockingUnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    Ok(listener)
}

/// Takes connections until the server stops.
async fn accept(listener: Listener, shared: Arc<Shared>, logging_in: Arc<Semaphore>) {
    let mut phase = shared.phase.clone();
    loop {
        let socket = tokio::select! {
            socket = next(&listener) => socket,
            _ = phase.wait_for(|phase| *phase > Phase::Serving) => return,
        };
        match socket {
            Ok(socket) => {
                // Beyond that number nobody is even listened to.
                let Ok(place) = logging_in.clone().try_acquire_owned() else {
                    continue;
                };
                let shared = shared.clone();
                tokio::spawn(async move {
                    session::serve(socket, &shared).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::error!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn next(listener: &Listener) -> std::io::Result<Socket> {
    match listener {
        Listener::Tcp(listener) => {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            Ok(Socket::Tcp(socket))
        }
        Listener::Unix(listener) => Ok(Socket::Unix(listener.accept().await?.0)),
    }
}
