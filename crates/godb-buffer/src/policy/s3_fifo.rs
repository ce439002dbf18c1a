//! S3-FIFO: three queues and no order of use (Yang, Zhang, Qiu, Yue and Rashmi, *FIFO queues are all you need for cache eviction*, SOSP 2023).
//!
//! A new page waits in a **small** queue, a tenth of the pool. Used there, it moves to the **main** queue; not used, it leaves, and only its number is kept for a while, in
//! the **ghost** queue. A page that comes back while its number is known there goes to the main queue at once. The main queue is a CLOCK: a page used since it was last in front goes
//! to the back again. So a scan passes through the small queue and leaves the main queue alone, however long the scan is.
//!
//! Why this one, among the scan-resistant policies of today: *SIEVE* (Zhang and others, NSDI 2024) is simpler still, and by its authors' own account not resistant to scans, which
//! is what a database needs; *2Q* (Johnson and Shasha, VLDB 1994), the ancestor of this policy, turns away a page that was used in its first queue until it
//! misses once more, and keeps an order of use in its second; *ARC* and *LIRS* move pages in lists at each hit. Here a hit sets a mark, as with CLOCK.
//!
//! The paper counts uses up to three. The pool's mark has one bit, and by the rule of [`Frames`] a second look shortly after the first is no use at all, so one bit says what the paper
//! wants to know of a new page: that somebody came *back* for it.

use super::{EvictionPolicy, Frames};
use godb_page::PageId;
use std::collections::{HashMap, VecDeque};

/// The small queue has one frame in so many.
const SMALL_SHARE: usize = 10;

/// Where a frame's page waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    Small,
    Main,
}

/// A frame in a queue. It counts only while the frame's page is still the `turn`th.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    frame: usize,
    turn: u32,
}

/// What is known of a frame's page.
#[derive(Clone, Copy, Debug)]
struct Seat {
    page: PageId,
    queue: Queue,
    /// How many pages the frame has had.
    turn: u32,
}

/// Three queues.
#[derive(Debug)]
pub struct S3Fifo {
    seats: Vec<Option<Seat>>,
    small: VecDeque<Waiting>,
    main: VecDeque<Waiting>,
    /// Offered as victims, and not known to have gone.
    offered: Vec<Waiting>,
    ghosts: Ghosts,
    small_size: usize,
    /// How many entries of the small queue and of the main one were passed by, in this search, because their frames are in use.
    passed: [usize; 2],
}

impl S3Fifo {
    /// For a pool of `frames`.
    #[must_use]
    pub fn new(frames: usize) -> Self {
        let small_size = (frames / SMALL_SHARE).max(1);
        Self {
            seats: vec![None; frames],
            small: VecDeque::new(),
            main: VecDeque::new(),
            offered: Vec::new(),
            ghosts: Ghosts::new(frames - small_size.min(frames)),
            small_size,
            passed: [0; 2],
        }
    }

    /// The seat that an entry speaks of, unless another page has it now.
    fn seat(&self, waiting: Waiting) -> Option<Seat> {
        self.seats[waiting.frame].filter(|seat| seat.turn == waiting.turn)
    }

    fn queue(&mut self, queue: Queue) -> &mut VecDeque<Waiting> {
        match queue {
            Queue::Small => &mut self.small,
            Queue::Main => &mut self.main,
        }
    }

    /// Those of the last victims that are still there go back in front.
    fn take_back(&mut self) {
        for waiting in std::mem::take(&mut self.offered).into_iter().rev() {
            if let Some(seat) = self.seat(waiting) {
                self.queue(seat.queue).push_front(waiting);
            }
        }
    }

    /// The queue whose turn it is: the small one while it has its share. The other when every frame of that one is in use.
    fn next_queue(&self) -> Queue {
        let [small_passed, main_passed] = self.passed;
        let small_left = self.small.len() > small_passed;
        let main_left = self.main.len() > main_passed;
        if small_left && (self.small.len() >= self.small_size || !main_left) {
            Queue::Small
        } else {
            Queue::Main
        }
    }

    /// Looks at the next page; a victim, or it goes on to where it belongs.
    fn step(&mut self, frames: &dyn Frames) -> Option<Waiting> {
        let queue = self.next_queue();
        let waiting = self.queue(queue).pop_front()?;
        self.seat(waiting)?;
        if !frames.evictable(waiting.frame) {
            self.queue(queue).push_back(waiting);
            self.passed[usize::from(queue == Queue::Main)] += 1;
            return None;
        }
        if !frames.take_used(waiting.frame) {
            return Some(waiting);
        }
        if let Some(seat) = &mut self.seats[waiting.frame] {
            seat.queue = Queue::Main;
        }
        self.main.push_back(waiting);
        None
    }
}

impl EvictionPolicy for S3Fifo {
    fn loaded(&mut self, frame: usize, page: PageId, _tick: u32) {
        let before = self.seats[frame].take();
        // Only now is it certain that the frame's last page has gone.
        if let Some(gone) = before.filter(|seat| seat.queue == Queue::Small && seat.page != page) {
            self.ghosts.remember(gone.page);
        }
        let queue = match self.ghosts.forget(page) {
            true => Queue::Main,
            false => Queue::Small,
        };
        let turn = before.map_or(0, |seat| seat.turn.wrapping_add(1));
        self.seats[frame] = Some(Seat { page, queue, turn });
        self.queue(queue).push_back(Waiting { frame, turn });
    }

    fn victims(&mut self, frames: &dyn Frames, want: usize) -> Vec<usize> {
        self.take_back();
        self.passed = [0; 2];
        // Each page may be looked at in the small queue, then twice in the main one: to clear its mark, and to find it clear.
        for _ in 0..3 * (self.small.len() + self.main.len()) {
            if self.offered.len() == want {
                break;
            }
            let victim = self.step(frames);
            self.offered.extend(victim);
        }
        self.offered.iter().map(|waiting| waiting.frame).collect()
    }
}

/// Numbers of pages that left the small queue, the oldest in front.
#[derive(Debug)]
struct Ghosts {
    room: usize,
    /// With the ordinal under which each was put there: a number that was forgotten and came again has another.
    queue: VecDeque<(PageId, u64)>,
    known: HashMap<PageId, u64>,
    next: u64,
}

impl Ghosts {
    fn new(room: usize) -> Self {
        Self {
            room,
            queue: VecDeque::new(),
            known: HashMap::new(),
            next: 0,
        }
    }

    fn remember(&mut self, page: PageId) {
        self.known.insert(page, self.next);
        self.queue.push_back((page, self.next));
        self.next += 1;
        while self.known.len() > self.room
            && let Some((oldest, ordinal)) = self.queue.pop_front()
        {
            if self.known.get(&oldest) == Some(&ordinal) {
                self.known.remove(&oldest);
            }
        }
        // Numbers that were forgotten stay in the queue until they are half of it.
        if self.queue.len() > 2 * self.room {
            self.queue
                .retain(|(page, ordinal)| self.known.get(page) == Some(ordinal));
        }
    }

    /// Forgets a page; tells whether it was known.
    fn forget(&mut self, page: PageId) -> bool {
        self.known.remove(&page).is_some()
    }
}
