//! COPY with the client: its data becomes a stream that the engine reads or writes as it does a file.
//!
//! The engine is synchronous, the socket is not. While COPY runs, its thread has handed over all other connections, and waits for the socket itself.

use super::{Connection, Stop};
use crate::protocol::answer;
use crate::protocol::request::Request;
use crate::wire::{Broken, Wire};
use bytes::{Buf, Bytes};
use godb::CopyStream;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;

/// So much goes to the client at once.
const PIECE: usize = 32 << 10;

impl Connection<'_> {
    /// Runs a COPY whose data the client sends or gets.
    pub(super) async fn copy(&mut self, text: &str, direction: CopyStream) -> Result<(), Stop> {
        // What was answered before goes first: the client may wait for it.
        self.wire.flush().await?;
        let shape = self.session.copy_shape(text)?;
        let lent = Lent(Arc::new(Mutex::new(self.wire.take())));
        let stream = Stream {
            wire: lent.clone(),
            runtime: Handle::current(),
            piece: Bytes::new(),
            begun: false,
            ended: false,
            shape,
        };
        let outcome = self.engine(false, |this| match direction {
            CopyStream::In => this.session.copy_in(text, Box::new(stream)),
            CopyStream::Out => this.session.copy_out(text, Box::new(stream)),
        });
        lent.give_back(&mut self.wire);
        let outcome = outcome?;
        if direction == CopyStream::Out {
            answer::empty(&mut self.wire.out, b'c');
        }
        if let Some(notice) = &outcome.notice {
            answer::notice(&mut self.wire.out, notice);
        }
        answer::complete(&mut self.wire.out, &outcome.tag);
        Ok(())
    }
}

/// The wire, while the engine's stream has it.
#[derive(Clone)]
struct Lent(Arc<Mutex<Wire>>);

impl Lent {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, to: &mut Wire) {
        *to = self.wire().take();
    }
}

/// COPY's data, as a file.
struct Stream {
    wire: Lent,
    runtime: Handle,
    piece: Bytes,
    begun: bool,
    ended: bool,
    /// Binary or not, and how many columns.
    shape: (bool, usize),
}

impl Stream {
    /// Tells the client that it may begin.
    fn begin(&mut self, kind: u8) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            let mut wire = self.wire.wire();
            answer::copy_begins(&mut wire.out, kind, self.shape.0, self.shape.1);
            self.runtime.block_on(wire.flush())?;
        }
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.begin(b'G')?;
        while self.piece.is_empty() && !self.ended {
            let request = self.runtime.block_on(self.wire.wire().request());
            match request {
                Ok(Request::CopyData(data)) => self.piece = data,
                Ok(Request::CopyDone) => self.ended = true,
                Ok(Request::Flush | Request::Sync) => {}
                Ok(Request::CopyFail(why)) => {
                    self.ended = true;
                    return Err(io::Error::other(format!("COPY from stdin failed: {why}")));
                }
                Ok(_) => return Err(io::Error::other("unexpected message type during COPY from stdin")),
                Err(Broken::Io(error)) => return Err(error),
                Err(broken) => return Err(io::Error::other(broken)),
            }
        }
        let length = into.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.begin(b'H')?;
        let mut wire = self.wire.wire();
        let length = data.len().min(PIECE);
        answer::copy_data(&mut wire.out, &data[..length]);
        if wire.out.len() >= PIECE {
            self.runtime.block_on(wire.flush())?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.begin(b'H')
    }
}
