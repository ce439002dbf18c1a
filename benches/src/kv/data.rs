//! The pairs: random keys of 24 bytes with random values of 150, the same for everybody.

/// Bytes of a key.
pub(crate) const KEY: usize = 24;
/// Bytes of a value.
pub(crate) const VALUE: usize = 150;

/// A sequence of pairs that a seed decides.
#[derive(Clone)]
pub(crate) struct Pairs {
    random: fastrand::Rng,
    key: [u8; KEY],
    value: [u8; VALUE],
}

impl Pairs {
    /// The sequence of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            key: [0; KEY],
            value: [0; VALUE],
        }
    }

    /// The next pair. Readers draw the value, too, so that reading and writing bear the same cost of drawing.
    pub(crate) fn next_pair(&mut self) -> (&[u8; KEY], &[u8; VALUE]) {
        self.random.fill(&mut self.key);
        self.random.fill(&mut self.value);
        (&self.key, &self.value)
    }
}

/// Keys in ascending order, for loading in order.
pub(crate) fn sorted_key(number: u64) -> [u8; KEY] {
    let mut key = [0; KEY];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

/// Bytes of a pair.
pub(crate) const KEY_AND_VALUE: u64 = (KEY + VALUE) as u64;

/// The pair of a number: as random as any, and found again by whoever knows the number.
pub(crate) fn numbered_pair(number: u64) -> ([u8; KEY], [u8; VALUE]) {
    let mut pairs = Pairs::new(number);
    pairs.next_pair();
    (pairs.key, pairs.value)
}
