//! [`Image`]: a file's bytes, cheap to copy: copies share what neither has changed.

use std::sync::Arc;

/// Bytes in one shared piece.
const PIECE: usize = 4096;

type Piece = Arc<[u8; PIECE]>;

/// The bytes of a file at one moment.
#[derive(Clone, Default)]
pub(super) struct Image {
    len: u64,
    /// As many as the length needs; bytes of the last one beyond the length are zero. `None` is all zeros.
    pieces: Vec<Option<Piece>>,
}

impl Image {
    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The pieces of which anything but zeros was ever written, with their numbers.
    pub(super) fn written(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let numbered = (0_u64..).zip(&self.pieces);
        numbered.filter_map(|(number, piece)| Some((number, piece.as_ref()?.as_slice())))
    }

    /// Fills `into` from position `at`; returns how many bytes there were.
    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> usize {
        let count = into.len().min(index(self.len.saturating_sub(at)));
        for (piece, inside, range) in spans(at, count) {
            let to = &mut into[range];
            match &self.pieces[piece] {
                Some(bytes) => to.copy_from_slice(&bytes[inside..inside + to.len()]),
                None => to.fill(0),
            }
        }
        count
    }

    /// Writes `from` at position `at`, growing where needed.
    pub(super) fn write(&mut self, at: u64, from: &[u8]) {
        if from.is_empty() {
            return;
        }
        self.set_len(self.len.max(at + from.len() as u64));
        for (piece, inside, range) in spans(at, from.len()) {
            let from = &from[range];
            let piece = &mut self.pieces[piece];
            match <&[u8; PIECE]>::try_from(from) {
                // Files are made long by zeros; those cost nothing, and a file with them is like one without.
                _ if piece.is_none() && is_zero(from) => {}
                Ok(whole) => match piece.as_mut().and_then(Arc::get_mut) {
                    Some(bytes) => bytes.copy_from_slice(whole),
                    None => *piece = Some(Arc::new(*whole)),
                },
                Err(_) => {
                    let bytes = Arc::make_mut(piece.get_or_insert_with(|| Arc::new([0; PIECE])));
                    bytes[inside..inside + from.len()].copy_from_slice(from);
                }
            }
        }
    }

    /// Cuts or grows it; what is new is zero.
    pub(super) fn set_len(&mut self, len: u64) {
        let shrinks = len < self.len;
        self.len = len;
        self.pieces.resize(index(len).div_ceil(PIECE), None);
        let rest = index(len) % PIECE;
        if shrinks
            && rest > 0
            && let Some(Some(last)) = self.pieces.last_mut()
        {
            Arc::make_mut(last)[rest..].fill(0);
        }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}

/// The parts of `at..at + count` that lie in one piece each: its number, where in it, and which bytes of the count.
fn spans(at: u64, count: usize) -> impl Iterator<Item = (usize, usize, std::ops::Range<usize>)> {
    let start = index(at);
    let mut done = 0;
    std::iter::from_fn(move || {
        let inside = (start + done) % PIECE;
        let piece = (start + done) / PIECE;
        let range = done..count.min(done + PIECE - inside);
        done = range.end;
        (!range.is_empty()).then_some((piece, inside, range))
    })
}

/// A position as an index: simulated files are far smaller than memory.
pub(super) fn index(at: u64) -> usize {
    usize::try_from(at).expect("a simulated file fits in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_behaves_like_a_vector() {
        let mut image = Image::default();
        let mut model: Vec<u8> = Vec::new();
        let mut write = |image: &mut Image, at: usize, byte: u8, count: usize| {
            image.write(at as u64, &vec![byte; count]);
            model.resize(model.len().max(at + count), 0);
            model[at..at + count].fill(byte);
            if byte == 3 {
                image.set_len(5000);
                model.truncate(5000);
                image.set_len(9000);
                model.resize(9000, 0);
            }
            let mut bytes = vec![0xEE; model.len() + 10];
            let got = image.read(0, &mut bytes);
            assert_eq!(bytes[..got], model);
        };
        for (at, byte, count) in [
            (10, 1, 5),
            (4090, 2, 20),
            (0, 3, 10_000),
            (8191, 4, 2),
            (20_000, 5, 1),
        ] {
            write(&mut image, at, byte, count);
        }
        let before = image.clone();
        image.write(0, &[9]);
        let mut byte = [0];
        before.read(0, &mut byte);
        assert_eq!(byte, [3], "a copy does not see later writes");
    }
}
