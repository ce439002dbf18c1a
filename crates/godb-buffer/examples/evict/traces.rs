//! The traces: which pages are asked for, one after the other.

/// How many pages there are.
pub(crate) const PAGES: u32 = 20_000;

/// How many accesses a trace has.
pub(crate) const ACCESSES: usize = 400_000;

/// The trace by which scan resistance is judged.
pub(crate) const SCANS: &str = "zipf + scan";

/// The skew of YCSB's Zipf distribution.
const SKEW: f64 = 0.99;

/// Of so many accesses, the first half has a scan going by.
const CYCLE: usize = 40_000;

/// Pages that are visited again and again in the same order: more than most of the pools have.
const LOOP: u32 = 3000;

/// Pages asked for.
pub(crate) struct Trace {
    pub(crate) name: &'static str,
    pub(crate) asked: Vec<u32>,
}

/// All traces.
pub(crate) fn all() -> Vec<Trace> {
    vec![zipf(), zipf_with_scans(), looping(), uniform()]
}

fn zipf() -> Trace {
    let (zipf, mut random) = (Zipf::new(PAGES), Random(1));
    Trace {
        name: "zipf",
        asked: (0..ACCESSES).map(|_| zipf.draw(&mut random)).collect(),
    }
}

/// Zipf; in the first half of each cycle every other access is a step of a scan, which visits half of all pages.
fn zipf_with_scans() -> Trace {
    let (zipf, mut random) = (Zipf::new(PAGES), Random(2));
    let mut scanned = 0;
    let mut ask = |at: usize| {
        if at % CYCLE < CYCLE / 2 && at.is_multiple_of(2) {
            scanned = (scanned + 1) % PAGES;
            scanned
        } else {
            zipf.draw(&mut random)
        }
    };
    Trace {
        name: SCANS,
        asked: (0..ACCESSES).map(&mut ask).collect(),
    }
}

fn looping() -> Trace {
    Trace {
        name: "loop",
        asked: (0..LOOP).cycle().take(ACCESSES).collect(),
    }
}

fn uniform() -> Trace {
    let mut random = Random(3);
    Trace {
        name: "uniform",
        asked: (0..ACCESSES).map(|_| random.below(PAGES)).collect(),
    }
}

/// Pages of which the nth is wanted in proportion to 1 / n^skew.
struct Zipf {
    /// For each rank, how likely it or a lower one is.
    sums: Vec<f64>,
}

impl Zipf {
    fn new(pages: u32) -> Self {
        let weights = (1..=pages).map(|rank| f64::from(rank).powf(-SKEW));
        let mut sum = 0.0;
        let mut sums: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        sums.iter_mut().for_each(|part| *part /= sum);
        Self { sums }
    }

    fn draw(&self, random: &mut Random) -> u32 {
        let at = random.fraction();
        let rank = self.sums.partition_point(|part| *part < at);
        // Ranks are strewn over the file: 7,919 has no factor in common with the number of pages.
        let rank = u32::try_from(rank).expect("there are fewer ranks than 32 bits count") % PAGES;
        rank * 7919 % PAGES
    }
}

/// Steele, Lea and Flood's SplitMix.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from zero up to one.
    fn fraction(&mut self) -> f64 {
        f64::from(self.below(1 << 30)) / f64::from(1_u32 << 30)
    }

    fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.next() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).expect("it is below the bound")
    }
}
