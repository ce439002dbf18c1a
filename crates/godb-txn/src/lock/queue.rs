//! [`Queue`]: the requests for one resource.

use super::ticket::{Outcome, Ticket};
use crate::transactions::Mode;
use godb_recovery::TxnId;
use godb_recovery::sync::Arc;
use std::collections::VecDeque;

/// A request that waits.
struct Waiter {
    by: TxnId,
    /// What it will hold when granted; for an upgrade the join of old and new.
    mode: Mode,
    upgrade: bool,
    ticket: Arc<Ticket>,
}

/// Granted and waiting requests for one resource.
#[derive(Default)]
pub(super) struct Queue {
    granted: Vec<(TxnId, Mode)>,
    waiting: VecDeque<Waiter>,
}

/// What came of asking.
pub(super) enum Asked {
    /// The lock is held.
    Granted,
    /// It must be waited for here.
    MustWait(Arc<Ticket>),
}

impl Queue {
    /// Grants the request if that is possible at once.
    pub(super) fn try_grant(&mut self, by: TxnId, mode: Mode) -> bool {
        let held = self.granted.iter().position(|(holder, _)| *holder == by);
        let wanted = held.map_or(mode, |at| self.granted[at].1.joined_with(mode));
        let nothing_new = held.is_some_and(|at| self.granted[at].1 == wanted);
        // A newcomer stands behind those who wait already; an upgrade goes before them.
        let may = nothing_new || (self.fits(by, wanted) && (held.is_some() || self.waiting.is_empty()));
        if may {
            match held {
                Some(at) => self.granted[at].1 = wanted,
                None => self.granted.push((by, wanted)),
            }
        }
        may
    }

    /// Grants the request, or puts it in line.
    pub(super) fn ask(&mut self, by: TxnId, mode: Mode) -> Asked {
        if self.try_grant(by, mode) {
            return Asked::Granted;
        }
        let held = self
            .granted
            .iter()
            .find(|(holder, _)| *holder == by)
            .map(|(_, mode)| *mode);
        let upgrade = held.is_some();
        let mode = held.map_or(mode, |held| held.joined_with(mode));
        let ticket = Arc::new(Ticket::new());
        let waiter = Waiter {
            by,
            mode,
            upgrade,
            ticket: ticket.clone(),
        };
        let upgrades = self.waiting.iter().take_while(|waiter| waiter.upgrade).count();
        let first = upgrade && !cfg!(godb_plant = "upgrade-last");
        self.waiting
            .insert(if first { upgrades } else { self.waiting.len() }, waiter);
        Asked::MustWait(ticket)
    }

    /// Forgets a transaction's grant; returns those whose wait ends thereby.
    pub(super) fn release(&mut self, by: TxnId) -> Vec<TxnId> {
        self.granted.retain(|(holder, _)| *holder != by);
        self.promote()
    }

    /// Forgets a transaction's waiting request; returns those whose wait ends thereby.
    pub(super) fn give_up(&mut self, by: TxnId) -> Vec<TxnId> {
        self.waiting.retain(|waiter| waiter.by != by);
        if cfg!(godb_plant = "leave-line-quietly") {
            return Vec::new();
        }
        self.promote()
    }

    /// Whether somebody waits.
    pub(super) fn has_waiters(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether nobody holds or wants anything.
    pub(super) fn is_empty(&self) -> bool {
        self.granted.is_empty() && self.waiting.is_empty()
    }

    /// For everyone who waits here: whom for. Holders that exclude it, and those in line before it that do.
    pub(super) fn edges(&self) -> Vec<(TxnId, Vec<TxnId>, Arc<Ticket>)> {
        let edge = |(place, waiter): (usize, &Waiter)| {
            let holders = self
                .granted
                .iter()
                .filter(|(by, mode)| *by != waiter.by && !waiter.mode.is_compatible_with(*mode));
            let before = self
                .waiting
                .iter()
                .take(place)
                .filter(|other| !waiter.mode.is_compatible_with(other.mode));
            let blockers = holders
                .map(|(by, _)| *by)
                .chain(before.map(|other| other.by))
                .collect();
            (waiter.by, blockers, waiter.ticket.clone())
        };
        self.waiting
            .iter()
            .enumerate()
            .filter(|(_, waiter)| waiter.ticket.is_waiting())
            .map(edge)
            .collect()
    }

    fn fits(&self, by: TxnId, mode: Mode) -> bool {
        self.granted
            .iter()
            .all(|(holder, held)| *holder == by || mode.is_compatible_with(*held))
    }

    /// Grants from the front of the line as far as that goes.
    fn promote(&mut self) -> Vec<TxnId> {
        let mut promoted = Vec::new();
        while let Some(first) = self.waiting.front() {
            if !self.fits(first.by, first.mode) {
                break;
            }
            let Some(waiter) = self.waiting.pop_front() else {
                break;
            };
            // One that was settled otherwise a moment ago is on its way out and must not be given anything.
            if waiter.ticket.settle(Outcome::Granted) || cfg!(godb_plant = "grant-regardless") {
                self.granted.retain(|(holder, _)| *holder != waiter.by);
                self.granted.push((waiter.by, waiter.mode));
            }
            promoted.push(waiter.by);
        }
        promoted
    }
}
