//! The table: every phase, every database, and godb's ratio to the best of the others.

use super::chart;
use super::disk::{BLOCK, DISK};
use super::figure::Figure;
use super::options::Options;
use crate::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Ourselves.
const US: &str = "godb";

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
}

/// A phase, and the ratio to the best peer that is wanted of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) what: &'static str,
    better: Better,
    ratio: Option<f64>,
    /// Reached as well with this share of what the disk itself gives.
    of_disk: Option<f64>,
}

impl Goal {
    pub(super) const fn new(what: &'static str, better: Better, ratio: Option<f64>) -> Self {
        Self {
            what,
            better,
            ratio,
            of_disk: None,
        }
    }

    /// So large a share of what the disk itself gives will do, too.
    pub(super) const fn or_of_disk(mut self, share: f64) -> Self {
        self.of_disk = Some(share);
        self
    }
}

/// One row of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    what: String,
    less_is_better: bool,
    goal: Option<f64>,
    #[serde(default)]
    of_disk: Option<f64>,
    figures: BTreeMap<String, Figure>,
}

/// All figures of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Results {
    items: u64,
    cores: usize,
    names: Vec<String>,
    rows: Vec<Row>,
}

impl Results {
    pub(super) fn new(items: u64) -> Self {
        Self {
            items,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            names: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Notes a figure, and tells of it at once: a run is long.
    pub(super) fn note(&mut self, goal: Goal, name: &str, figure: Figure) {
        println!("  {:<42} {name:<8} {}", goal.what, shown(figure.value));
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
        if self.rows.last().is_none_or(|row| row.what != goal.what)
            && !self.rows.iter().any(|row| row.what == goal.what)
        {
            self.rows.push(Row {
                what: goal.what.to_owned(),
                less_is_better: goal.better == Better::Less,
                goal: goal.ratio,
                of_disk: goal.of_disk,
                figures: BTreeMap::new(),
            });
        }
        if let Some(row) = self.rows.iter_mut().find(|row| row.what == goal.what) {
            row.figures.insert(name.to_owned(), figure);
        }
    }

    /// What part of a phase of single reads is waiting for blocks from the disk, if each takes as long as one that `disk` read.
    pub(super) fn tell_waiting(&self, goal: Goal, disk: &Figure) {
        let Some(row) = self.rows.iter().find(|row| row.what == goal.what) else {
            return;
        };
        for (name, figure) in &row.figures {
            let operations = figure.value * figure.seconds;
            let blocks = figure.read * 1024.0 * 1024.0 / BLOCK as f64;
            println!(
                "{:<32} {name:<8} {:.2} blocks from the disk for each, which alone take {:.0} % of the time",
                goal.what,
                blocks / operations,
                100.0 * blocks / disk.value / figure.seconds
            );
        }
    }

    /// Phases with their ratios, for the chart.
    pub(super) fn ratios(&self) -> Vec<(String, f64, Option<f64>)> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((row.what.clone(), row.ratio()?, row.goal)))
            .collect()
    }

    /// Writes the files that were asked for, and shows what changed since an earlier run.
    pub(super) fn keep(&self, options: &Options) -> Result<()> {
        if let Some(old) = &options.compare {
            let old: Self = serde_json::from_slice(&std::fs::read(old)?)?;
            self.compare(&old);
        }
        if let Some(file) = &options.json {
            std::fs::write(file, serde_json::to_vec_pretty(self)?)?;
        }
        if let Some(file) = &options.chart {
            chart::draw(self, file)?;
        }
        Ok(())
    }

    /// godb's ratios, then and now. Rates of different runs say nothing; ratios to the same peers do.
    fn compare(&self, old: &Self) {
        println!("{:<44} {:>8} {:>8}", "ratio to the best peer", "then", "now");
        for row in &self.rows {
            let then = old
                .rows
                .iter()
                .find(|then| then.what == row.what)
                .and_then(Row::ratio);
            if let (Some(then), Some(now)) = (then, row.ratio()) {
                let worse = if row.less_is_better {
                    now > then * 1.1
                } else {
                    now < then * 0.9
                };
                let mark = if worse { "  WORSE" } else { "" };
                println!("{:<44} {then:>7.2}× {now:>7.2}×{mark}", row.what);
            }
        }
    }
}

impl Row {
    /// godb's figure over the best of the others.
    fn ratio(&self) -> Option<f64> {
        let ours = self.figures.get(US)?.value;
        let others = self
            .figures
            .iter()
            .filter(|(name, _)| *name != US && *name != DISK)
            .map(|(_, figure)| figure.value);
        let best = if self.less_is_better {
            others.fold(f64::INFINITY, f64::min)
        } else {
            others.fold(0.0, f64::max)
        };
        (best.is_finite() && best > 0.0).then(|| ours / best)
    }

    /// godb's figure as a share of what the disk itself gives.
    fn share_of_disk(&self) -> Option<f64> {
        let disk = self.figures.get(DISK)?.value;
        Some(self.figures.get(US)?.value / disk)
    }

    fn verdict(&self, ratio: f64) -> String {
        let Some(goal) = self.goal else {
            return String::new();
        };
        let met = if self.less_is_better {
            ratio <= goal
        } else {
            ratio >= goal
        };
        let sign = if self.less_is_better { "≤" } else { "≥" };
        let (met, or) = match (self.of_disk, self.share_of_disk()) {
            (Some(wanted), Some(share)) => (
                met || share >= wanted,
                format!(", or {wanted} of the disk's: {share:.2}"),
            ),
            _ => (met, String::new()),
        };
        format!("{} ({sign} {goal}{or})", if met { "met" } else { "MISSED" })
    }
}

/// A number with three telling digits and a unit.
fn shown(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{:.2} G", value / 1e9),
        value if value >= 1e6 => format!("{:.2} M", value / 1e6),
        value if value >= 1e4 => format!("{:.0} K", value / 1e3),
        value if value >= 1e3 => format!("{:.2} K", value / 1e3),
        value => format!("{value:.1}"),
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} pairs, {} cores", self.items, self.cores)?;
        write!(f, "{:<42}", "")?;
        for name in &self.names {
            write!(f, "{name:>10}")?;
        }
        writeln!(f, "{:>8}  goal", "ratio")?;
        for row in &self.rows {
            write!(f, "{:<42}", row.what)?;
            for name in &self.names {
                let cell = row
                    .figures
                    .get(name)
                    .map_or("–".to_owned(), |figure| shown(figure.value));
                write!(f, "{cell:>10}")?;
            }
            match row.ratio() {
                Some(ratio) => writeln!(f, "{ratio:>7.2}×  {}", row.verdict(ratio))?,
                None => writeln!(f)?,
            }
        }
        self.costs(f)
    }
}

impl Results {
    /// What godb's rows cost: CPU, bytes written, latency.
    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<42} {:<8} {:>8} {:>12} {:>10} {:>10} {:>10}",
            "", "", "CPU s", "written MiB", "p50 µs", "p99 µs", "max µs"
        )?;
        for row in &self.rows {
            for name in &self.names {
                let Some(figure) = row.figures.get(name).filter(|figure| figure.cpu > 0.0) else {
                    continue;
                };
                write!(
                    f,
                    "{:<42} {name:<8} {:>8.2} {:>12.1}",
                    row.what, figure.cpu, figure.written
                )?;
                if let Some([median, p99, longest]) = figure.latency {
                    write!(f, " {median:>10.0} {p99:>10.0} {longest:>10.0}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
