//! Taking times: interleaved, repeated, and the median of them.

use crate::Result;
use std::time::{Duration, Instant};

/// How often each measurement is taken.
pub(crate) const ROUNDS: usize = 5;

/// Runs `ours` and `theirs` in turn; the median time of each.
pub(crate) fn interleaved(
    mut ours: impl FnMut() -> Result<()>,
    mut theirs: impl FnMut() -> Result<()>,
) -> Result<(Duration, Duration)> {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        times.0.push(time(&mut ours)?);
        times.1.push(time(&mut theirs)?);
    }
    Ok((median(times.0), median(times.1)))
}

fn time(run: &mut impl FnMut() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
