//! The table: what was measured, against what, the ratio, and whether the goal is met.

use serde::Serialize;
use std::fmt;

/// What a ratio, godb's figure over the other one, shall be.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) enum Goal {
    /// A cost: at most so many times the other one's.
    AtMost(f64),
    /// A rate: at least so many times the other one's.
    AtLeast(f64),
    /// None is set.
    None,
}

impl Goal {
    fn met(self, ratio: f64) -> Option<bool> {
        match self {
            Self::AtMost(limit) => Some(ratio <= limit),
            Self::AtLeast(limit) => Some(ratio >= limit),
            Self::None => None,
        }
    }
}

/// One comparison.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Score {
    /// Which part it belongs to.
    part: &'static str,
    /// What was measured.
    what: String,
    /// In which unit.
    unit: &'static str,
    /// godb's figure.
    ours: f64,
    /// What it is compared with.
    against: &'static str,
    /// The figure of that.
    theirs: f64,
    /// The first over the second.
    ratio: f64,
    /// What the ratio shall be.
    goal: Goal,
    /// Whether it is.
    met: Option<bool>,
}

/// All comparisons of a run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Scores {
    part: &'static str,
    scores: Vec<Score>,
}

impl Scores {
    /// What is noted from now on belongs to this part.
    pub(super) fn begin(&mut self, part: &'static str) {
        self.part = part;
    }

    /// Notes a comparison: godb's figure, and that of what it is compared `against`.
    pub(super) fn note(
        &mut self,
        (what, unit): (&str, &'static str),
        ours: f64,
        (against, theirs): (&'static str, f64),
        goal: Goal,
    ) {
        let ratio = ours / theirs;
        self.scores.push(Score {
            part: self.part,
            what: what.to_owned(),
            unit,
            ours,
            against,
            theirs,
            ratio,
            goal,
            met: goal.met(ratio),
        });
    }
}

/// A number with three or four telling digits.
fn shown(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.2} M", value / 1e6),
        value if value >= 1e4 => format!("{:.1} K", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}

impl fmt::Display for Scores {
    /// A table as it stands in the documentation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | godb | against | | ratio | goal |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for score in &self.scores {
            let goal = match (score.goal, score.met) {
                (Goal::AtMost(limit), Some(true)) => format!("≤ {limit}, met"),
                (Goal::AtMost(limit), _) => format!("≤ {limit}, **missed**"),
                (Goal::AtLeast(limit), Some(true)) => format!("≥ {limit}, met"),
                (Goal::AtLeast(limit), _) => format!("≥ {limit}, **missed**"),
                (Goal::None, _) => String::new(),
            };
            let (ours, theirs) = (shown(score.ours), shown(score.theirs));
            writeln!(
                f,
                "| {}, {} | {ours} | {} | {theirs} | {:.2} | {goal} |",
                score.what, score.unit, score.against, score.ratio
            )?;
        }
        let missed = self
            .scores
            .iter()
            .filter(|score| score.met == Some(false))
            .count();
        let met = self.scores.iter().filter(|score| score.met == Some(true)).count();
        writeln!(f, "\n{met} goals met, {missed} missed")
    }
}
