//! The best that any policy can do: the page that will not be wanted for the longest time goes (Belady, *A study of replacement algorithms for a virtual-storage
//! computer*, 1966). It needs to know the future, and so is a bound, not a policy.

use std::collections::{BTreeSet, HashMap};

/// How many pages must be read for a trace in a memory of `room` pages.
pub(crate) fn misses(asked: &[u32], room: usize) -> u64 {
    let next = next_uses(asked);
    let mut next_of: HashMap<u32, usize> = HashMap::new();
    let mut by_next: BTreeSet<(usize, u32)> = BTreeSet::new();
    let mut misses = 0;
    for (page, next) in asked.iter().zip(next) {
        if let Some(now) = next_of.remove(page) {
            by_next.remove(&(now, *page));
        } else {
            misses += 1;
            if by_next.len() == room
                && let Some((_, gone)) = by_next.pop_last()
            {
                next_of.remove(&gone);
            }
        }
        next_of.insert(*page, next);
        by_next.insert((next, *page));
    }
    misses
}

/// For each access, when its page is wanted again.
fn next_uses(asked: &[u32]) -> Vec<usize> {
    let mut later = HashMap::new();
    let mut next: Vec<usize> = asked
        .iter()
        .enumerate()
        .rev()
        .map(|(at, page)| later.insert(*page, at).unwrap_or(usize::MAX))
        .collect();
    next.reverse();
    next
}
