//! The memory of all frames: one piece, on huge pages where the system has them.
//!
//! A pool is large and its pages are read at random, so nearly every access needs an address translation that the processor has not at hand. With
//! pages of 2 MiB in place of 4 KiB there are few enough translations to keep; that halves the cost of a miss. Memory is taken from the system as frames
//! are first used, not before.
//!
//! It is taken as small pages all the same, and [joined](Arena::join) to huge ones later. Whoever touches a huge page first waits until the system has found and cleared
//! 2 MiB: 0.2 ms where memory is at hand, 5 to 20 ms in a virtual machine whose host has to find it first.

#![expect(
    unsafe_code,
    reason = "memory is mapped, and cut into pieces that are used independently of each other"
)]

use godb_page::sync::Arc;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;
use std::slice;

/// Where huge pages begin.
const HUGE: usize = 2 << 20;

/// Mapped memory; given back when dropped.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: a mapping is an address and a length. Its bytes are reached only through the pieces, each of which owns its own.
unsafe impl Send for Mapping {}
// SAFETY: as above; a shared mapping gives access to nothing.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps zeros, or `None` when the system has no room for them.
    #[cfg(unix)]
    fn new(length: usize) -> Option<Self> {
        use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
        // SAFETY: no address is asked for, so nothing that exists is touched.
        let start = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        };
        let start = NonNull::new(start.ok()?.cast::<u8>())?;
        Some(Self { start, length })
    }

    /// There is no mapping on this system.
    #[cfg(not(unix))]
    fn new(_length: usize) -> Option<Self> {
        None
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[cfg(unix)]
        // SAFETY: the range was mapped by `new`, and every piece of it holds a reference to this mapping.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// A frame's bytes.
pub(super) struct Piece {
    start: NonNull<u8>,
    length: usize,
    _mapping: Arc<Mapping>,
}

// SAFETY: a piece owns its bytes as a box does: no other piece has any of them, and the mapping stays as long as the piece.
unsafe impl Send for Piece {}
// SAFETY: as above; shared, it only gives shared access to its bytes.
unsafe impl Sync for Piece {}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the range lies in the mapping, is initialised (mapped memory is zero), and belongs to this piece alone.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for Piece {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`; and this piece is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

/// Room for one page.
pub(super) enum Room {
    /// A piece of the arena.
    Mapped(Piece),
    /// Memory of its own.
    Boxed(Box<[u8]>),
}

impl Deref for Room {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(piece) => piece,
            Self::Boxed(bytes) => bytes,
        }
    }
}

impl DerefMut for Room {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Mapped(piece) => piece,
            Self::Boxed(bytes) => bytes,
        }
    }
}

/// The mapping under the frames, by stretches that a huge page may take.
pub(super) struct Arena {
    mapping: Arc<Mapping>,
    /// Where the first stretch begins in the mapping.
    skipped: usize,
    /// How many frames a stretch holds.
    pub(super) frames: usize,
}

impl Arena {
    /// Makes one huge page of the small ones under a stretch, all of whose frames were used. Whoever touches it meanwhile waits. A system that cannot is asked to do it by itself,
    /// in its own time.
    #[cfg(target_os = "linux")]
    pub(super) fn join(&self, stretch: usize) {
        use rustix::mm::{Advice, madvise};
        let at = self.skipped + stretch * HUGE;
        if at + HUGE > self.mapping.length {
            return;
        }
        // SAFETY: as just seen, the stretch lies in the mapping.
        let start = unsafe { self.mapping.start.add(at) }.as_ptr();
        // SAFETY: the range is mapped, and joining changes none of its bytes.
        let joined = unsafe { libc::madvise(start.cast(), HUGE, libc::MADV_COLLAPSE) };
        if joined != 0 {
            // SAFETY: as above. It is only advice: a system without huge pages says no, and nothing is lost.
            let _ = unsafe { madvise(start.cast(), HUGE, Advice::LinuxHugepage) };
        }
    }

    /// Takes the memory of some frames from the system before they are used. A system that cannot leaves it to their use.
    #[cfg(target_os = "linux")]
    pub(super) fn take(&self, frames: Range<usize>) {
        use rustix::mm::{Advice, madvise};
        let at = |frame: usize| (self.skipped + frame * (HUGE / self.frames)).min(self.mapping.length);
        let (from, to) = (at(frames.start), at(frames.end));
        // SAFETY: neither lies beyond the mapping.
        let start = unsafe { self.mapping.start.add(from) }.as_ptr();
        // SAFETY: the range is mapped, and taking its memory changes none of its bytes.
        let _ = unsafe { madvise(start.cast(), to - from, Advice::LinuxPopulateWrite) };
    }

    /// Other systems give memory when it is used.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn take(&self, _frames: Range<usize>) {}

    /// Other systems join pages by themselves, or not at all.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn join(&self, _stretch: usize) {}
}

/// Room for `count` pages of `size` bytes, all zero. Where the system maps no memory, each page gets its own.
pub(super) fn rooms(count: usize, size: usize) -> (Vec<Room>, Option<Arena>) {
    match mapped(count, size) {
        Some((rooms, arena)) => (rooms, Some(arena)),
        None => (
            (0..count).map(|_| Room::Boxed(vec![0; size].into())).collect(),
            None,
        ),
    }
}

fn mapped(count: usize, size: usize) -> Option<(Vec<Room>, Arena)> {
    // A small pool is not worth a huge page, and a model needs no mapping.
    let length = count.checked_mul(size)?;
    if cfg!(godb_loom) || length < HUGE {
        return None;
    }
    let mapping = Arc::new(Mapping::new(length.checked_add(HUGE)?)?);
    // Huge pages begin at multiples of their size, and so does the first frame.
    let skipped = mapping.start.as_ptr().align_offset(HUGE);
    let rooms = (0..count).map(|at| {
        // SAFETY: `skipped` is below `HUGE`, so the last frame ends within `length + HUGE` bytes; frames lie side by side and do not overlap.
        let start = unsafe { mapping.start.add(skipped + at * size) };
        Room::Mapped(Piece {
            start,
            length: size,
            _mapping: mapping.clone(),
        })
    });
    let rooms = rooms.collect();
    let frames = HUGE / size;
    Some((
        rooms,
        Arena {
            mapping,
            skipped,
            frames,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_empty_and_apart_from_each_other() {
        for (count, size) in [(3, 4096), (700, 4096)] {
            let (mut rooms, _) = rooms(count, size);
            assert_eq!(rooms.len(), count);
            assert!(
                rooms
                    .iter()
                    .all(|room| room.len() == size && room.iter().all(|byte| *byte == 0))
            );
            for (room, byte) in rooms.iter_mut().zip((0..=255).cycle()) {
                room.fill(byte);
            }
            assert!(
                rooms
                    .iter()
                    .zip((0..=255).cycle())
                    .all(|(room, byte)| room.iter().all(|found| *found == byte))
            );
        }
    }

    #[test]
    fn a_room_outlives_the_others() {
        let (mut rooms, _) = rooms(1024, 4096);
        let last = rooms.pop().unwrap();
        drop(rooms);
        assert_eq!(last[4095], 0);
    }

    #[test]
    fn joined_memory_keeps_its_bytes() {
        let (mut rooms, arena) = rooms(1024, 4096);
        for (room, byte) in rooms.iter_mut().zip((0..=255).cycle()) {
            room.fill(byte);
        }
        let arena = arena.expect("more than a huge page is mapped");
        arena.take(1000..2000);
        // The last lies beyond the frames.
        (0..4).for_each(|stretch| arena.join(stretch));
        assert!(
            rooms
                .iter()
                .zip((0..=255).cycle())
                .all(|(room, byte)| room.iter().all(|found| *found == byte))
        );
    }

    #[test]
    fn more_than_there_is_falls_back_or_maps() {
        assert!(mapped(usize::MAX, 4096).is_none(), "the length overflows");
    }
}
