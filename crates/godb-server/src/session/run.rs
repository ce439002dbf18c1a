//! Running a statement, and pouring its rows into the socket.

use super::{Connection, Stop};
use crate::protocol::answer::{self, Formats};
use bytes::BytesMut;
use godb::{DataType, Outcome, Rows, Statement, Value};

/// So much is written before the socket has to take it.
const PIECE: usize = 32 << 10;

/// A result that is being read.
pub(super) struct Running {
    rows: Rows,
    tag: String,
    types: Vec<DataType>,
    formats: Formats,
    sent: u64,
    values: Vec<Value>,
    scratch: Vec<u8>,
}

/// Where writing rows stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// There are no more.
    End,
    /// As many as were asked for are written.
    Limit,
    /// The buffer is full.
    Piece,
}

impl Running {
    pub(super) fn new(outcome: Outcome, formats: Formats) -> Self {
        Self {
            types: outcome.rows.columns().iter().map(|column| column.ty).collect(),
            rows: outcome.rows,
            tag: outcome.tag,
            formats,
            sent: 0,
            values: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Whether it has rows, be they none.
    pub(super) fn has_rows(&self) -> bool {
        !self.types.is_empty() || self.tag == "SELECT"
    }

    /// RowDescription.
    pub(super) fn describe(&self, out: &mut BytesMut) {
        let columns = self
            .rows
            .columns()
            .iter()
            .map(|column| (&*column.name, column.ty));
        answer::columns(out, columns, &self.formats);
    }

    /// Writes rows up to a piece; `left` counts down.
    pub(super) fn fill(&mut self, out: &mut BytesMut, left: &mut usize) -> godb::Result<Filled> {
        loop {
            if *left == 0 {
                return Ok(Filled::Limit);
            }
            if out.len() >= PIECE {
                return Ok(Filled::Piece);
            }
            if !self.rows.next_into(&mut self.values)? {
                return Ok(Filled::End);
            }
            answer::row(out, &self.values, &self.types, &self.formats, &mut self.scratch);
            self.sent += 1;
            *left -= 1;
        }
    }

    /// CommandComplete.
    pub(super) fn complete(&self, out: &mut BytesMut) {
        if self.tag == "SELECT" {
            answer::complete(out, &format!("SELECT {}", self.sent));
        } else {
            answer::complete(out, &self.tag);
        }
    }
}

impl Connection<'_> {
    /// Runs a statement and writes the first piece of its rows; `describe` puts their description in front.
    pub(super) fn start(
        &mut self,
        statement: &Statement,
        values: &[Value],
        formats: Formats,
        describe: bool,
        left: &mut usize,
    ) -> godb::Result<(Running, Filled)> {
        self.engine(statement.is_brief(), |this| {
            let outcome = this.session.run_prepared(statement, values)?;
            if let Some(notice) = &outcome.notice {
                answer::notice(&mut this.wire.out, notice);
            }
            let mut running = Running::new(outcome, formats);
            if describe && running.has_rows() {
                running.describe(&mut this.wire.out);
            }
            let filled = running.fill(&mut this.wire.out, left)?;
            Ok((running, filled))
        })
    }

    /// Goes on until the rows end or enough are sent; waits for the client to take each piece.
    pub(super) async fn pour(
        &mut self,
        running: &mut Running,
        mut filled: Filled,
        left: &mut usize,
    ) -> Result<Filled, Stop> {
        while filled == Filled::Piece {
            self.wire.flush().await?;
            filled = self.engine(false, |this| running.fill(&mut this.wire.out, left))?;
        }
        Ok(filled)
    }
}
