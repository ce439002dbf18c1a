//! [`Zipf`]: numbers of which few are drawn often, as in most real traffic.

/// The skew of the YCSB benchmark.
const SKEW: f64 = 0.99;

/// Draws number n in proportion to 1 / (n + 1)^skew, by the approximation of Gray and others (*Quickly generating billion-record synthetic databases*, 1994), which
/// needs no table.
pub(super) struct Zipf {
    count: f64,
    sum: f64,
    exponent: f64,
    eta: f64,
}

impl Zipf {
    /// Numbers below `count`, which is at least two.
    pub(super) fn new(count: u64) -> Self {
        let weight = |rank: u64| (rank as f64).powf(-SKEW);
        let sum: f64 = (1..=count).map(weight).sum();
        let two = 1.0 + weight(2);
        let count = count as f64;
        Self {
            count,
            sum,
            exponent: 1.0 / (1.0 - SKEW),
            eta: (1.0 - (2.0 / count).powf(1.0 - SKEW)) / (1.0 - two / sum),
        }
    }

    /// The next number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is cut to what is below the count, and never negative"
    )]
    pub(super) fn draw(&self, random: &mut fastrand::Rng) -> u64 {
        let at = random.f64();
        let scaled = at * self.sum;
        if scaled < 1.0 {
            return 0;
        }
        if scaled < 1.0 + 0.5_f64.powf(SKEW) {
            return 1;
        }
        let number = self.count * (self.eta * at - self.eta + 1.0).powf(self.exponent);
        number.min(self.count - 1.0) as u64
    }
}
