//! [`lane`]: a small number for each running thread, so that threads can keep out of each other's cache lines.

#[cfg(not(godb_loom))]
pub(super) use real::lane;

/// In a model all threads share one lane: what is to be found out is what happens when they meet.
#[cfg(godb_loom)]
pub(super) fn lane() -> usize {
    0
}

#[cfg(not(godb_loom))]
mod real {
    use godb_page::sync::Mutex;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// Numbers that were given out, and those that came back.
    struct Lanes {
        next: usize,
        free: BinaryHeap<Reverse<usize>>,
    }

    static LANES: Mutex<Lanes> = Mutex::new(Lanes {
        next: 0,
        free: BinaryHeap::new(),
    });

    /// A thread's number; given back when the thread ends, so that few threads always have small numbers.
    struct Lane(usize);

    impl Lane {
        fn take() -> Self {
            let mut lanes = LANES.lock();
            if let Some(Reverse(lane)) = lanes.free.pop() {
                return Self(lane);
            }
            lanes.next += 1;
            Self(lanes.next - 1)
        }
    }

    impl Drop for Lane {
        fn drop(&mut self) {
            let mut lanes = LANES.lock();
            lanes.free.push(Reverse(self.0));
        }
    }

    thread_local! {
        static LANE: Lane = Lane::take();
    }

    /// This thread's number. Two threads may have the same one for a moment, while one of them ends.
    #[inline]
    pub(in super::super) fn lane() -> usize {
        LANE.try_with(|lane| lane.0).unwrap_or(0)
    }
}
