//! One measurement: how much was done in what time, and what it cost.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What a database did in one phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Operations a second, or bytes for a size.
    pub(crate) value: f64,
    /// CPU time of the process, in seconds.
    pub(crate) cpu: f64,
    /// MiB that were handed to the disk.
    pub(crate) written: f64,
    /// MiB that came from it.
    #[serde(default)]
    pub(crate) read: f64,
    /// How long it took.
    #[serde(default)]
    pub(crate) seconds: f64,
    /// Latency of single operations in microseconds, where they were timed: median, 99th percentile, longest.
    pub(crate) latency: Option<[f64; 3]>,
}

/// Measures a phase from its beginning.
pub(crate) struct Stopwatch {
    begun: Instant,
    cpu: f64,
    written: f64,
    read: f64,
}

impl Stopwatch {
    /// Starts.
    pub(crate) fn start() -> Self {
        Self {
            cpu: cpu_seconds(),
            written: mib_of("write_bytes:"),
            read: mib_of("read_bytes:"),
            begun: Instant::now(),
        }
    }

    /// The figure of `count` operations since the start.
    pub(crate) fn stop(&self, count: u64) -> Figure {
        let seconds = self.begun.elapsed().as_secs_f64();
        Figure {
            value: count as f64 / seconds,
            cpu: cpu_seconds() - self.cpu,
            written: mib_of("write_bytes:") - self.written,
            read: mib_of("read_bytes:") - self.read,
            seconds,
            latency: None,
        }
    }
}

/// Median, 99th percentile and maximum, in microseconds.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> Option<[f64; 3]> {
    times.sort_unstable();
    let micros = |time: &Duration| time.as_secs_f64() * 1e6;
    Some([
        times.get(times.len() / 2).map(micros)?,
        times.get(times.len() * 99 / 100).map(micros)?,
        times.last().map(micros)?,
    ])
}

/// User and system time of the process, as Linux tells it; zero elsewhere.
pub(super) fn cpu_seconds() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return 0.0;
    };
    // The second field is a name in brackets, which may hold blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |at: usize| {
        let field = fields.split_whitespace().nth(at);
        field.and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0)
    };
    // Fields 14 and 15 of the whole line, in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}

/// MiB that the process moved through to the block layer, as Linux tells it; zero elsewhere.
fn mib_of(what: &str) -> f64 {
    let Ok(io) = std::fs::read_to_string("/proc/self/io") else {
        return 0.0;
    };
    let line = io.lines().find_map(|line| line.strip_prefix(what));
    line.and_then(|bytes| bytes.trim().parse::<f64>().ok())
        .unwrap_or(0.0)
        / (1024.0 * 1024.0)
}
