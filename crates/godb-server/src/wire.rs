//! [`Wire`]: a socket, cut into frames, with or without TLS.
//!
//! Reading and writing go through `try_read` and `try_write` of a shared socket, so that somebody else can look whether the client is still there ([`Socket::is_gone`]) while a statement runs.

use crate::protocol::request::{Malformed, Request};
use bytes::{Buf, Bytes, BytesMut};
use rustls::ServerConnection;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::sync::Arc;
use tokio::net::{TcpStream, UnixStream};

/// What a buffer keeps when it is empty.
const KEEP: usize = 16 << 10;
/// How much is asked of the socket at once.
const PIECE: usize = 8 << 10;
/// Type byte and length.
const HEAD: usize = 5;

/// A connected socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
}

impl Socket {
    async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.readable().await,
            Self::Unix(socket) => socket.readable().await,
        }
    }

    async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.writable().await,
            Self::Unix(socket) => socket.writable().await,
        }
    }

    fn try_read(&self, into: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read_buf(into),
            Self::Unix(socket) => socket.try_read_buf(into),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            Self::Unix(socket) => socket.try_write(bytes),
        }
    }

    /// Whether the client has closed its side: asked from outside, while the connection runs a statement.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        use rustix::net::{RecvFlags, recv};
        let fd = match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        };
        let mut byte = [0_u8; 1];
        match recv(fd, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((_, length)) => length == 0,
            Err(error) => error != rustix::io::Errno::AGAIN && error != rustix::io::Errno::INTR,
        }
    }

    /// Whether it comes from this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(socket) => socket
                .peer_addr()
                .is_ok_and(|peer| peer.ip().to_canonical().is_loopback()),
            Self::Unix(_) => true,
        }
    }

    /// Where the client is, for people.
    #[must_use]
    pub fn peer(&self) -> String {
        match self {
            Self::Tcp(socket) => socket
                .peer_addr()
                .map_or_else(|_| "?".to_owned(), |peer| peer.to_string()),
            Self::Unix(_) => "[local]".to_owned(),
        }
    }
}

/// Why nothing can be read any more.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The socket failed or was closed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What came is no frame.
    #[error("{0}")]
    Protocol(&'static str),
}

impl From<Malformed> for Broken {
    fn from(malformed: Malformed) -> Self {
        Self::Protocol(malformed.0)
    }
}

/// A socket with its buffers.
pub struct Wire {
    socket: Arc<Socket>,
    tls: Option<Box<ServerConnection>>,
    input: BytesMut,
    /// What is to be sent.
    pub out: BytesMut,
    /// The longest frame that is taken.
    pub max_frame: usize,
}

impl Wire {
    /// Around a socket, for one that is not logged in yet.
    #[must_use]
    pub fn new(socket: Socket) -> Self {
        Self {
            socket: Arc::new(socket),
            tls: None,
            input: BytesMut::new(),
            out: BytesMut::new(),
            max_frame: 10_000,
        }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Takes socket and buffers out, for somebody else to use; what stays has nothing to read and nothing to send.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let stays = Self {
            socket: self.socket.clone(),
            tls: None,
            input: BytesMut::new(),
            out: BytesMut::new(),
            max_frame: self.max_frame,
        };
        std::mem::replace(self, stays)
    }

    /// Goes over to TLS. Bytes that came before are not part of it: somebody could have slipped them in.
    ///
    /// # Errors
    /// There are such bytes.
    pub fn encrypt(&mut self, tls: ServerConnection) -> Result<(), Broken> {
        if !self.input.is_empty() {
            return Err(Broken::Protocol("received unencrypted data after SSL request"));
        }
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Waits for more bytes.
    async fn fill(&mut self) -> Result<(), Broken> {
        loop {
            let read = match &mut self.tls {
                None => {
                    self.input.reserve(PIECE);
                    self.socket.try_read(&mut self.input)
                }
                Some(tls) => read_tls(&self.socket, tls, &mut self.input),
            };
            match read {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.flush_tls().await?;
                    self.rest();
                    self.socket.readable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Before a wait that may be long: large buffers are given back.
    fn rest(&mut self) {
        for buffer in [&mut self.input, &mut self.out] {
            if buffer.is_empty() && buffer.capacity() > KEEP {
                *buffer = BytesMut::new();
            }
        }
    }

    /// The type of the next frame, if its first byte has come.
    #[must_use]
    pub fn next_kind(&self) -> Option<u8> {
        self.input.first().copied()
    }

    /// The next frame's type and body.
    pub async fn frame(&mut self) -> Result<(u8, Bytes), Broken> {
        loop {
            if let Some(head) = self.input.first_chunk::<HEAD>() {
                let [kind, length @ ..] = *head;
                let length = self.length(i32::from_be_bytes(length))?;
                if self.input.len() > length {
                    let mut frame = self.input.split_to(length + 1).freeze();
                    frame.advance(HEAD);
                    return Ok((kind, frame));
                }
            }
            self.fill().await?;
        }
    }

    /// The next request.
    pub async fn request(&mut self) -> Result<Request, Broken> {
        let (kind, body) = self.frame().await?;
        Ok(Request::read(kind, body)?)
    }

    /// The first frames of a connection have no type.
    pub async fn first_frame(&mut self) -> Result<Bytes, Broken> {
        loop {
            if let Some(length) = self.input.first_chunk::<4>() {
                let length = self.length(i32::from_be_bytes(*length))?;
                if length < 8 {
                    return Err(Broken::Protocol("invalid length of startup packet"));
                }
                if self.input.len() >= length {
                    let mut frame = self.input.split_to(length).freeze();
                    frame.advance(4);
                    return Ok(frame);
                }
            }
            self.fill().await?;
        }
    }

    fn length(&self, length: i32) -> Result<usize, Broken> {
        usize::try_from(length)
            .ok()
            .filter(|length| (4..=self.max_frame).contains(length))
            .ok_or(Broken::Protocol("invalid message length"))
    }

    /// Sends what is there; waits as long as the client takes to read it.
    pub async fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(&self.out)?;
            self.out.clear();
            return self.flush_tls().await;
        }
        while !self.out.is_empty() {
            let sent = send(&self.socket, &self.out).await?;
            self.out.advance(sent);
        }
        self.out.clear();
        Ok(())
    }

    async fn flush_tls(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed)?;
        }
        let mut rest = &sealed[..];
        while !rest.is_empty() {
            rest = &rest[send(&self.socket, rest).await?..];
        }
        Ok(())
    }
}

async fn send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match socket.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.writable().await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Takes what the socket has through TLS. A handshake's bytes give nothing to read: then it says that it would block.
fn read_tls(socket: &Socket, tls: &mut ServerConnection, into: &mut BytesMut) -> io::Result<usize> {
    let mut sealed = BytesMut::with_capacity(PIECE);
    let came = socket.try_read(&mut sealed)?;
    let mut rest = &sealed[..];
    let before = into.len();
    while !rest.is_empty() {
        tls.read_tls(&mut rest)?;
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let ready = state.plaintext_bytes_to_read();
        let at = into.len();
        into.resize(at + ready, 0);
        tls.reader().read_exact(&mut into[at..])?;
    }
    if came > 0 && into.len() == before {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(into.len() - before)
}
