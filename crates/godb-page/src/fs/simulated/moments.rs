//! What a crash tester asks of the disk besides crashing it: copies of it as it was before each operation, what is pending by kind, and whether two
//! disks are alike.
//!
//! With copies a workload runs once, and every moment of it is there to be crashed; without, it would have to run once for each moment.

use super::SimulatedDisk;
use super::crash;
use super::faults::Operations;
use super::image::Image;
use super::state::{Change, Entry, State};
use crate::fs::locks::Locks;

impl SimulatedDisk {
    /// From now on copies the disk before each operation of these kinds, until [`take_moments`](Self::take_moments) has been called for the last time.
    /// Operations on which the power fails or that an injection stops count like all others.
    pub fn keep_moments(&self, kinds: Operations) {
        self.state.lock().watched = Some((kinds, Vec::new()));
    }

    /// The copies made since the last call, in order.
    #[must_use]
    pub fn take_moments(&self) -> Vec<Self> {
        let mut state = self.state.lock();
        let taken = state.watched.as_mut().map(|(_, moments)| std::mem::take(moments));
        taken.unwrap_or_default().into_iter().map(Self::of).collect()
    }

    /// What kind of operation each change is that a crash now could keep or lose, in order: as many as [`pending`](Self::pending) counts.
    #[must_use]
    pub fn pending_kinds(&self) -> Vec<Operations> {
        let state = self.state.lock();
        let units = crash::units(&state.pending, state.fragment);
        units.iter().map(kind).collect()
    }

    /// The disk after a power loss now that keeps those pending changes whose numbers `keep` says yes to; it is asked in order.
    #[must_use]
    pub fn crash_keeping(&self, keep: impl FnMut(usize) -> bool) -> Self {
        Self::of(crash::survivors_of(&self.state.lock(), keep))
    }

    /// A number that two disks share when all their files have the same names and bytes; different disks share one by an accident of
    /// one in 2^100 or less. What is pending does not count.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        let state = self.state.lock();
        let mut print = Fingerprint::new();
        for (name, entry) in &state.names {
            print.bytes(name.as_bytes());
            match entry {
                Entry::Directory => print.word(1),
                Entry::File(file) => {
                    print.word(2);
                    print.image(&state.files[*file].current);
                }
            }
        }
        print.end()
    }
}

impl State {
    /// Copies itself, if operations of this kind are watched.
    pub(super) fn remember(&mut self, kind: Operations) {
        let Some((kinds, mut moments)) = self.watched.take() else {
            return;
        };
        if kinds.meets(kind) && !self.power_off {
            let mut copy = self.clone();
            copy.armed.clear();
            copy.locked = Locks::default();
            moments.push(copy);
        }
        self.watched = Some((kinds, moments));
    }
}

fn kind(change: &Change) -> Operations {
    match change {
        Change::Write { .. } => Operations::WRITE,
        Change::SetLen { .. } => Operations::SET_LEN,
        Change::Enter { .. } => Operations::CREATE,
        Change::Leave { .. } => Operations::UNLINK,
        Change::Move { .. } => Operations::RENAME,
    }
}

/// Two independent sums over words: not against an adversary, but far beyond accidents.
struct Fingerprint {
    one: u64,
    two: u64,
}

impl Fingerprint {
    fn new() -> Self {
        Self {
            one: 0x243F_6A88_85A3_08D3,
            two: 0x1319_8A2E_0370_7344,
        }
    }

    fn word(&mut self, word: u64) {
        self.one = (self.one.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.two = (self.two.rotate_left(37) ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        self.two ^= self.two >> 29;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last));
    }

    fn image(&mut self, image: &Image) {
        self.word(image.len());
        for (number, piece) in image.written() {
            self.word(number);
            self.bytes(piece);
        }
    }

    fn end(mut self) -> u128 {
        self.word(0);
        self.word(1);
        u128::from(self.one) << 64 | u128::from(self.two)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Crash, SimulatedDisk};
    use super::Operations;
    use crate::file_system::{File, FileSystem, OpenMode};

    fn disk_with(bytes: &[u8]) -> (SimulatedDisk, std::sync::Arc<dyn File>) {
        let disk = SimulatedDisk::new();
        let file = disk.open("f", OpenMode::Create).unwrap();
        file.write_at(0, bytes).unwrap();
        file.sync().unwrap();
        disk.sync_dir("").unwrap();
        (disk, file)
    }

    #[test]
    fn every_moment_can_be_crashed_afterwards() {
        let (disk, file) = disk_with(b"old");
        disk.keep_moments(Operations::CHANGES);
        file.write_at(0, b"new").unwrap();
        file.sync().unwrap();
        let moments = disk.take_moments();
        assert_eq!(moments.len(), 2);
        let left = |at: usize, crash| moments[at].crash(crash).bytes("f").unwrap();
        assert_eq!(left(0, Crash::KeepAll), b"old", "before the write");
        assert_eq!(left(1, Crash::KeepNone), b"old", "before the sync");
        assert_eq!(left(1, Crash::KeepAll), b"new");
        assert!(disk.take_moments().is_empty());
    }

    #[test]
    fn disks_are_alike_when_their_files_are() {
        let (disk, file) = disk_with(&[7; 5000]);
        let (other, _) = disk_with(&[7; 5000]);
        assert_eq!(disk.fingerprint(), other.fingerprint());
        file.write_at(4999, &[8]).unwrap();
        assert_ne!(disk.fingerprint(), other.fingerprint());
        assert_eq!(
            disk.crash(Crash::KeepNone).fingerprint(),
            other.fingerprint(),
            "the change was lost"
        );
        file.write_at(4999, &[7]).unwrap();
        file.set_len(5001).unwrap();
        assert_ne!(disk.fingerprint(), other.fingerprint(), "a length counts");
    }

    #[test]
    fn what_is_pending_is_told_by_kind_and_kept_by_number() {
        let (disk, file) = disk_with(b"old");
        file.write_at(0, b"new").unwrap();
        file.set_len(2).unwrap();
        disk.rename("f", "g").unwrap();
        assert_eq!(
            disk.pending_kinds(),
            [Operations::WRITE, Operations::SET_LEN, Operations::RENAME]
        );
        let after = disk.crash_keeping(|number| number != 1);
        assert_eq!(after.bytes("g").unwrap(), b"new");
    }
}
