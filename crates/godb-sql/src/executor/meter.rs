//! [`Meters`]: what operators really did, for EXPLAIN ANALYZE.

use super::Operator;
use super::run::Run;
use crate::error::Result;
use crate::plan::physical::Node;
use crate::vector::Batch;
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// What one node of a plan did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Rows that came out, over all its runs.
    pub rows: u64,
    /// How often it was run: a correlated subquery runs several times.
    pub loops: u64,
    /// Time spent in it and its inputs, over all its runs.
    pub time: Duration,
}

/// What each node of a plan did. Nodes are told apart by where they lie in memory, so the plan must stay where it is.
#[derive(Debug, Default)]
pub struct Meters(RefCell<HashMap<usize, Measured>>);

impl Meters {
    /// What `node` did; nothing when it was never reached.
    #[must_use]
    pub fn of(&self, node: &Node) -> Measured {
        self.0.borrow().get(&address(node)).copied().unwrap_or_default()
    }

    fn change(&self, node: usize, change: impl FnOnce(&mut Measured)) {
        change(self.0.borrow_mut().entry(node).or_default());
    }
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

/// Measures the operator inside it.
pub(super) struct Metered {
    inner: Box<dyn Operator>,
    node: usize,
    begun: bool,
}

impl Metered {
    pub(super) fn new(inner: Box<dyn Operator>, node: &Node) -> Self {
        Self {
            inner,
            node: address(node),
            begun: false,
        }
    }
}

impl Operator for Metered {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        let start = run.statement.now();
        let result = self.inner.next(run);
        let time = run.statement.now().saturating_sub(start);
        let rows = match &result {
            Ok(Some(batch)) => batch.rows as u64,
            _ => 0,
        };
        let first = !std::mem::replace(&mut self.begun, true);
        if let Some(meters) = &run.statement.meters {
            meters.change(self.node, |measured| {
                measured.rows += rows;
                measured.loops += u64::from(first);
                measured.time += time;
            });
        }
        result
    }
}
