//! Simple queries: a text of statements, answered one after the other.

use super::{Connection, Stop};
use crate::protocol::answer::{self, Formats, Problem};
use godb::{TransactionState, split_statements};
use std::ops::Range;

/// A text of more bytes is parsed on a thread of its own.
const LONG: usize = 16 << 10;

impl Connection<'_> {
    /// Query: runs the statements of a text, as one transaction if they are several.
    pub(super) async fn query(&mut self, text: &str) -> Result<(), Stop> {
        self.skipping = false;
        self.prepared.forget_unnamed();
        let mut statements = split_statements(text).peekable();
        if statements.peek().is_none() {
            answer::empty(&mut self.wire.out, b'I');
        }
        let mut alone = true;
        while let Some(range) = statements.next() {
            alone &= statements.peek().is_none();
            match self.one(text, range.clone(), alone).await {
                Err(Stop::Problem(problem)) => {
                    self.fail(&problem.behind(text[..range.start].chars().count()));
                    break;
                }
                other => other?,
            }
            alone = false;
        }
        self.end_implicit();
        self.prepared.end_portals(self.session.transaction_state());
        self.ready().await
    }

    async fn one(&mut self, text: &str, range: Range<usize>, alone: bool) -> Result<(), Stop> {
        let text = &text[range];
        let statement = self.engine(text.len() < LONG, |this| this.session.prepare(text, &[]))?;
        if !alone && self.session.transaction_state() == TransactionState::Idle {
            self.session.begin_implicit()?;
        }
        if let Some(direction) = statement.copy_stream() {
            return self.copy(text, direction).await;
        }
        let mut left = usize::MAX;
        let (mut running, filled) = self.start(&statement, &[], Formats::default(), true, &mut left)?;
        self.pour(&mut running, filled, &mut left).await?;
        running.complete(&mut self.wire.out);
        Ok(())
    }

    /// Ends a transaction that nobody began: committed, unless something in it failed.
    pub(super) fn end_implicit(&mut self) {
        if !self.session.is_implicit() {
            return;
        }
        let ended = self.engine(false, |this| match this.session.transaction_state() {
            TransactionState::Failed => this.session.roll_back(),
            _ => this.session.commit().map(drop),
        });
        if let Err(error) = ended {
            Problem::from(error).write(&mut self.wire.out);
        }
    }
}
