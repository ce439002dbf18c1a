//! [`PlanCache`]: statements by their text, up to a number of bytes.

use super::plan::Prepared;
use godb_mvcc::sync::Mutex;
use std::collections::HashMap;

/// What an entry is taken to weigh for each byte of the statement's text: syntax tree and plan are that much larger.
const WEIGHT: usize = 60;
/// What an entry weighs at least.
const LEAST: usize = 4096;

/// Statements that were run before.
#[derive(Debug)]
pub(super) struct PlanCache {
    limit: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_text: HashMap<Box<str>, (Prepared, u64)>,
    bytes: usize,
    clock: u64,
}

fn weight(text: &str) -> usize {
    LEAST + text.len() * WEIGHT
}

impl PlanCache {
    /// For `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: Mutex::new(Entries::default()),
        }
    }

    /// The statement of that text.
    pub(super) fn find(&self, text: &str) -> Option<Prepared> {
        let mut entries = self.entries.lock();
        entries.clock += 1;
        let now = entries.clock;
        let (prepared, used) = entries.by_text.get_mut(text)?;
        *used = now;
        Some(prepared.clone())
    }

    /// Keeps a statement; those that were not used for longest make room.
    pub(super) fn remember(&self, text: &str, prepared: &Prepared) {
        let weight = weight(text);
        if weight > self.limit / 2 {
            return;
        }
        let mut entries = self.entries.lock();
        if entries.bytes + weight > self.limit {
            entries.evict(self.limit / 2);
        }
        let now = entries.clock;
        if entries
            .by_text
            .insert(text.into(), (prepared.clone(), now))
            .is_none()
        {
            entries.bytes += weight;
        }
    }
}

impl Entries {
    /// Throws the longest unused out until `target` bytes are left: half of them at once, so that this is rare.
    fn evict(&mut self, target: usize) {
        let mut by_age: Vec<_> = self
            .by_text
            .iter()
            .map(|(text, (_, used))| (*used, text.clone()))
            .collect();
        by_age.sort_unstable();
        for (_, text) in by_age {
            if self.bytes <= target {
                break;
            }
            self.by_text.remove(&text);
            self.bytes -= weight(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let cache = PlanCache::new(10 * weight("SELECT 00"));
        let text = |n| format!("SELECT {n:02}");
        for n in 0..10 {
            cache.remember(&text(n), &Prepared::parse(&text(n), &[]).unwrap());
        }
        assert!(cache.find(&text(0)).is_some());
        cache.remember(&text(10), &Prepared::parse(&text(10), &[]).unwrap());
        let kept: Vec<_> = (0..11).filter(|n| cache.find(&text(*n)).is_some()).collect();
        assert_eq!(kept, [0, 6, 7, 8, 9, 10]);
        assert!(cache.entries.lock().bytes <= cache.limit);
    }
}
