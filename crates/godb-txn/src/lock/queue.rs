//! [`Queue`]: the requests for one resource.

use super::line::{Answer, Edge, Line};
use super::name::LockedResource;
use super::status::LockStatus;
use super::ticket::{Outcome, Ticket};
use crate::transactions::Mode;
use godb_recovery::TxnId;
use godb_recovery::sync::Arc;
use std::collections::VecDeque;

/// A request that waits.
pub(super) struct Waiter {
    pub(super) by: TxnId,
    /// What it will hold when granted; for an upgrade the join of old and new.
    pub(super) mode: Mode,
    upgrade: bool,
    pub(super) ticket: Arc<Ticket>,
}

/// Who holds it: most often one, for whom no memory is asked.
#[derive(Default)]
struct Holders {
    first: Option<(TxnId, Mode)>,
    others: Vec<(TxnId, Mode)>,
}

impl Holders {
    fn iter(&self) -> impl Iterator<Item = (TxnId, Mode)> {
        self.first.iter().chain(&self.others).copied()
    }

    fn mode_of(&self, by: TxnId) -> Option<Mode> {
        self.iter()
            .find(|(holder, _)| *holder == by)
            .map(|(_, mode)| mode)
    }

    /// Sets what one holds.
    fn set(&mut self, by: TxnId, mode: Mode) {
        let mut held = self.first.iter_mut().chain(&mut self.others);
        if let Some(slot) = held.find(|(holder, _)| *holder == by) {
            slot.1 = mode;
        } else if self.first.is_none() {
            self.first = Some((by, mode));
        } else {
            self.others.push((by, mode));
        }
    }

    fn remove(&mut self, by: TxnId) {
        self.first.take_if(|(holder, _)| *holder == by);
        self.others.retain(|(holder, _)| *holder != by);
    }
}

/// Granted and waiting requests for one resource.
#[derive(Default)]
pub(super) struct Queue {
    granted: Holders,
    waiting: VecDeque<Waiter>,
}

impl Queue {
    /// Whether nobody holds or wants anything.
    pub(super) fn is_empty(&self) -> bool {
        self.granted.iter().next().is_none() && self.waiting.is_empty()
    }

    /// Everything that is held and wanted.
    pub(super) fn into_parts(self) -> (Vec<(TxnId, Mode)>, VecDeque<Waiter>) {
        (self.granted.iter().collect(), self.waiting)
    }

    fn fits(&self, by: TxnId, mode: Mode) -> bool {
        self.granted
            .iter()
            .all(|(holder, held)| holder == by || mode.is_compatible_with(held))
    }

    fn stand_in_line(&mut self, by: TxnId, mode: Mode, upgrade: bool) -> Arc<Ticket> {
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
        ticket
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
                self.granted.set(waiter.by, waiter.mode);
            }
            promoted.push(waiter.by);
        }
        promoted
    }
}

impl Line for Queue {
    fn ask(&mut self, by: TxnId, _what: &LockedResource, mode: Mode, wait: bool) -> Answer {
        let held = self.granted.mode_of(by);
        let wanted = held.map_or(mode, |held| held.joined_with(mode));
        if held == Some(wanted) {
            return Answer::Held;
        }
        // A newcomer stands behind those who wait already; an upgrade goes before them.
        if self.fits(by, wanted) && (held.is_some() || self.waiting.is_empty()) {
            self.granted.set(by, wanted);
            return Answer::Granted(held.is_none());
        }
        match wait {
            true => Answer::MustWait(self.stand_in_line(by, wanted, held.is_some()), held.is_none()),
            false => Answer::Busy,
        }
    }

    fn release(&mut self, by: TxnId, _what: &LockedResource) -> Vec<TxnId> {
        self.granted.remove(by);
        self.promote()
    }

    fn give_up(&mut self, by: TxnId) -> Vec<TxnId> {
        self.waiting.retain(|waiter| waiter.by != by);
        if cfg!(godb_plant = "leave-line-quietly") {
            return Vec::new();
        }
        self.promote()
    }

    fn has_waiters(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn edges(&self) -> Vec<Edge> {
        let edge = |(place, waiter): (usize, &Waiter)| {
            let holders = self
                .granted
                .iter()
                .filter(|(by, mode)| *by != waiter.by && !waiter.mode.is_compatible_with(*mode));
            let before = self
                .waiting
                .iter()
                .take(place)
                .filter(|other| !waiter.mode.is_compatible_with(other.mode) && other.ticket.is_waiting());
            let blockers = holders
                .map(|(by, _)| by)
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

    fn show(&self, what: &LockedResource, list: &mut Vec<LockStatus>) {
        let held = self.granted.iter().map(|(by, mode)| (by, mode, true));
        let wanted = self.waiting.iter().map(|waiter| (waiter.by, waiter.mode, false));
        list.extend(held.chain(wanted).map(|(by, mode, granted)| LockStatus {
            by,
            resource: what.clone(),
            mode,
            granted,
        }));
    }
}
