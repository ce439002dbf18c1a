//! [`Intervals`]: the line of a tree in which ranges of keys are locked.
//!
//! Who scans a range and must see the same rows again has to keep others from putting new ones between them: phantoms. So he locks the *range*, whether keys are in it or not, and a lock on a
//! key in it has to meet that one. Systems that lock the gaps between existing keys ask the tree for the next key (Mohan's ARIES/KVL, 1990); here the lock manager holds intervals, and the tree knows
//! nothing of them (Eswaran, Gray, Lorie and Traiger called them predicate locks, 1976, in their simplest form).
//!
//! A key is an interval too, of one point. Points lie in a map by key, so that a range finds those in it; ranges lie in a list, which is looked through: a transaction that locks very many of them is given the
//! table instead.
//!
//! A request is granted when no other transaction holds anything that overlaps and excludes it, and none stands in line before it that does. There is
//! one exception, the same as an upgrade in a [queue](super::queue): who holds what a waiter waits for need not stand behind that waiter, who could not be served before anyway.

use super::line::{Answer, Edge, Line};
use super::name::{Key, LockedResource};
use super::queue::Queue;
use super::status::LockStatus;
use super::ticket::{Outcome, Ticket};
use crate::transactions::Mode;
use godb_recovery::sync::Arc;
use godb_recovery::{TreeId, TxnId};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// Some keys.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    /// One.
    Point(Key),
    /// From the first on, up to and without the second, or to the end.
    Range(Key, Option<Key>),
}

impl Span {
    fn of(what: &LockedResource) -> Option<Self> {
        match what {
            LockedResource::Key(_, key) => Some(Self::Point(key.clone())),
            LockedResource::KeyRange(_, from, to) => Some(Self::Range(from.clone(), to.clone())),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Range(from, Some(to)) if from >= to)
    }

    fn resource(&self, tree: TreeId) -> LockedResource {
        match self {
            Self::Point(key) => LockedResource::Key(tree, key.clone()),
            Self::Range(from, to) => LockedResource::KeyRange(tree, from.clone(), to.clone()),
        }
    }

    fn has(&self, key: &[u8]) -> bool {
        match self {
            Self::Point(own) => **own == *key,
            Self::Range(from, to) => **from <= *key && to.as_ref().is_none_or(|to| *key < **to),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Point(key), span) | (span, Self::Point(key)) => span.has(key),
            (Self::Range(a, a_end), Self::Range(b, b_end)) => {
                a_end.as_ref().is_none_or(|end| **b < **end) && b_end.as_ref().is_none_or(|end| **a < **end)
            }
        }
    }

    /// Whether every key of `other` is in it.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (span, Self::Point(key)) => span.has(key),
            (Self::Point(_), Self::Range(..)) => false,
            (Self::Range(from, to), Self::Range(other_from, other_to)) => {
                let ends = match (to, other_to) {
                    (None, _) => true,
                    (Some(to), Some(other_to)) => other_to <= to,
                    (Some(_), None) => false,
                };
                from <= other_from && ends
            }
        }
    }
}

/// A request, granted or not.
#[derive(Clone, Debug)]
struct Request {
    by: TxnId,
    span: Span,
    mode: Mode,
}

impl Request {
    fn excludes(&self, other: &Self) -> bool {
        self.by != other.by && !self.mode.is_compatible_with(other.mode) && self.span.overlaps(&other.span)
    }
}

struct Waiter {
    request: Request,
    ticket: Arc<Ticket>,
}

/// Granted and waiting requests for keys and ranges of one tree.
pub(super) struct Intervals {
    tree: TreeId,
    points: BTreeMap<Key, Vec<(TxnId, Mode)>>,
    ranges: Vec<Request>,
    waiting: VecDeque<Waiter>,
}

impl Intervals {
    /// Nothing is locked.
    pub(super) fn new(tree: TreeId) -> Self {
        Self {
            tree,
            points: BTreeMap::new(),
            ranges: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Takes over what was held and wanted of a key before ranges were locked in its tree.
    pub(super) fn take_over(&mut self, key: &Key, queue: Queue) {
        let (granted, waiting) = queue.into_parts();
        if !granted.is_empty() {
            self.points.insert(key.clone(), granted);
        }
        let span = Span::Point(key.clone());
        self.waiting.extend(waiting.into_iter().map(|waiter| Waiter {
            request: Request {
                by: waiter.by,
                span: span.clone(),
                mode: waiter.mode,
            },
            ticket: waiter.ticket,
        }));
    }

    /// Everything held that overlaps `span`.
    fn overlapping(&self, span: &Span) -> impl Iterator<Item = Request> {
        let (from, to) = match span {
            Span::Point(key) => (Bound::Included(&**key), Bound::Included(&**key)),
            Span::Range(from, to) => {
                let end = to.as_ref().map_or(Bound::Unbounded, |to| Bound::Excluded(&**to));
                (Bound::Included(&**from), end)
            }
        };
        let points = self.points.range::<[u8], _>((from, to)).flat_map(|(key, held)| {
            held.iter().map(|(by, mode)| Request {
                by: *by,
                span: Span::Point(key.clone()),
                mode: *mode,
            })
        });
        let ranges = self
            .ranges
            .iter()
            .filter(|held| held.span.overlaps(span))
            .cloned();
        points.chain(ranges)
    }

    /// Who holds what excludes a request.
    fn holders(&self, request: &Request) -> Vec<TxnId> {
        let held = self
            .overlapping(&request.span)
            .filter(|held| held.excludes(request));
        let mut holders: Vec<TxnId> = held.map(|held| held.by).collect();
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    /// Who stands in line before place `at` and excludes a request there. Not those who wait for the asking transaction itself.
    fn before(&self, request: &Request, at: usize) -> Vec<TxnId> {
        let line = self.waiting.iter().take(at);
        let blocks = |waiter: &&Waiter| {
            waiter.ticket.is_waiting()
                && waiter.request.excludes(request)
                && !self.holders(&waiter.request).contains(&request.by)
        };
        line.filter(blocks).map(|waiter| waiter.request.by).collect()
    }

    fn is_free(&self, request: &Request, at: usize) -> bool {
        self.holders(request).is_empty() && self.before(request, at).is_empty()
    }

    /// Whether the transaction holds it all at least so strongly.
    fn is_held(&self, request: &Request) -> bool {
        self.overlapping(&request.span).any(|held| {
            held.by == request.by
                && held.mode.joined_with(request.mode) == held.mode
                && held.span.covers(&request.span)
        })
    }

    /// Whether the transaction holds exactly these keys, in whatever mode.
    fn is_part_held(&self, request: &Request) -> bool {
        self.overlapping(&request.span)
            .any(|held| held.by == request.by && held.span == request.span)
    }

    /// Notes a grant; tells whether nothing was held of it before.
    fn grant(&mut self, request: Request) -> bool {
        let slot = match &request.span {
            Span::Point(key) => {
                let held = self.points.entry(key.clone()).or_default();
                match held.iter_mut().find(|(by, _)| *by == request.by) {
                    Some((_, mode)) => mode,
                    None => {
                        held.push((request.by, request.mode));
                        return true;
                    }
                }
            }
            span => match self
                .ranges
                .iter_mut()
                .find(|r| r.by == request.by && r.span == *span)
            {
                Some(held) => &mut held.mode,
                None => {
                    self.ranges.push(request);
                    return true;
                }
            },
        };
        *slot = slot.joined_with(request.mode);
        false
    }

    /// Grants to those in line who can be served, the first first.
    fn promote(&mut self) -> Vec<TxnId> {
        let mut promoted = Vec::new();
        let mut at = 0;
        while let Some(waiter) = self.waiting.get(at) {
            if !self.is_free(&waiter.request, at) {
                at += 1;
                continue;
            }
            let Some(waiter) = self.waiting.remove(at) else {
                break;
            };
            promoted.push(waiter.request.by);
            if waiter.ticket.settle(Outcome::Granted) {
                self.grant(waiter.request);
            }
        }
        promoted
    }
}

impl Line for Intervals {
    fn ask(&mut self, by: TxnId, what: &LockedResource, mode: Mode, wait: bool) -> Answer {
        // In an empty range there is nothing that others could do.
        let Some(span) = Span::of(what).filter(|span| !span.is_empty()) else {
            return Answer::Held;
        };
        let request = Request { by, span, mode };
        if self.is_held(&request) {
            return Answer::Held;
        }
        if self.is_free(&request, self.waiting.len()) {
            return Answer::Granted(self.grant(request));
        }
        if !wait {
            return Answer::Busy;
        }
        let new = !self.is_part_held(&request);
        let ticket = Arc::new(Ticket::new());
        self.waiting.push_back(Waiter {
            request,
            ticket: ticket.clone(),
        });
        Answer::MustWait(ticket, new)
    }

    fn release(&mut self, by: TxnId, what: &LockedResource) -> Vec<TxnId> {
        match Span::of(what) {
            Some(Span::Point(key)) => {
                if let Some(held) = self.points.get_mut(&key) {
                    held.retain(|(holder, _)| *holder != by);
                    if held.is_empty() {
                        self.points.remove(&key);
                    }
                }
            }
            Some(span) => self.ranges.retain(|held| held.by != by || held.span != span),
            None => {}
        }
        self.promote()
    }

    fn give_up(&mut self, by: TxnId) -> Vec<TxnId> {
        self.waiting.retain(|waiter| waiter.request.by != by);
        self.promote()
    }

    fn has_waiters(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn edges(&self) -> Vec<Edge> {
        let waiting = self.waiting.iter().enumerate();
        let edge = |(at, waiter): (usize, &Waiter)| {
            let mut blockers = self.holders(&waiter.request);
            blockers.extend(self.before(&waiter.request, at));
            (waiter.request.by, blockers, waiter.ticket.clone())
        };
        waiting
            .filter(|(_, waiter)| waiter.ticket.is_waiting())
            .map(edge)
            .collect()
    }

    fn show(&self, _what: &LockedResource, list: &mut Vec<LockStatus>) {
        let points = self.points.iter().flat_map(|(key, held)| {
            let span = Span::Point(key.clone());
            held.iter()
                .map(move |(by, mode)| (*by, span.clone(), *mode, true))
        });
        let ranges = self.ranges.iter().map(|r| (r.by, r.span.clone(), r.mode, true));
        let waiting = self.waiting.iter().map(|waiter| &waiter.request);
        let waiting = waiting.map(|r| (r.by, r.span.clone(), r.mode, false));
        let all = points.chain(ranges).chain(waiting);
        list.extend(all.map(|(by, span, mode, granted)| LockStatus {
            by,
            resource: span.resource(self.tree),
            mode,
            granted,
        }));
    }
}
