//! [`Plantation`]: looks for every planted bug, each in a process of its own, and for none in as many processes without.
//!
//! A process has at most one bug, and keeps it. The program that asks therefore starts itself again for each, with the words `--hunt NAME`, and reads
//! one line: what was found, after how many states, in how many milliseconds. The control does the same without the bug and must find nothing:
//! otherwise what the others found need not have been their bug.

use super::plants::{Hunt, PLANTS, Plant};
use std::io::{Error, Result};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is to be looked for, and how.
pub struct Plantation {
    /// The program that hunts.
    pub program: PathBuf,
    /// For random choices.
    pub seed: u64,
    /// Hunts at once.
    pub jobs: usize,
    /// Only these; all when there are none.
    pub only: Vec<String>,
}

/// What one pair of hunts came to.
pub struct Harvest {
    /// The bug.
    pub plant: &'static Plant,
    /// Whether, and where, it was found.
    pub found: Option<String>,
    /// States judged until then.
    pub states: u64,
    /// Milliseconds until then.
    pub millis: u64,
    /// What was found without the bug, where nothing should be.
    pub without: Option<String>,
    /// States judged without it.
    pub states_without: u64,
}

impl Harvest {
    /// Found, and nothing else.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.found.is_some() && self.without.is_none()
    }
}

/// The line that a hunting process prints.
#[must_use]
pub fn line_of(hunt: &Hunt) -> String {
    let found = hunt.found.as_ref().map_or("nothing".to_owned(), |failure| {
        failure.to_string().replace(['\n', '\t'], " ")
    });
    format!("{}\t{}\t{found}", hunt.states, hunt.took.as_millis())
}

/// What that line says: states, milliseconds, what was found.
fn parse(line: &str) -> Option<(u64, u64, Option<String>)> {
    let mut fields = line.trim_end().splitn(3, '\t');
    let states = fields.next()?.parse().ok()?;
    let millis = fields.next()?.parse().ok()?;
    let found = fields.next()?;
    Some((states, millis, (found != "nothing").then(|| found.to_owned())))
}

impl Plantation {
    /// Hunts for each; `tell` hears of each result.
    ///
    /// # Errors
    /// A process cannot be started, or does not end as it should.
    pub fn harvest(&self, tell: &(dyn Fn(&Harvest) + Sync)) -> Result<Vec<Harvest>> {
        let wanted = |plant: &&Plant| self.only.is_empty() || self.only.iter().any(|name| name == plant.name);
        let plants: Vec<&'static Plant> = PLANTS.iter().filter(wanted).collect();
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    while let Some(plant) = plants.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let harvest = self.one(plant);
                        if let Ok(harvest) = &harvest {
                            tell(harvest);
                        }
                        all.lock().expect("nothing panics here").push(harvest);
                    }
                });
            }
        });
        all.into_inner().expect("nothing panicked").into_iter().collect()
    }

    fn one(&self, plant: &'static Plant) -> Result<Harvest> {
        let (states, millis, found) = self.hunt(plant, &[])?;
        let (states_without, _, without) = self.hunt(plant, &["--without"])?;
        Ok(Harvest {
            plant,
            found,
            states,
            millis,
            without,
            states_without,
        })
    }

    fn hunt(&self, plant: &Plant, more: &[&str]) -> Result<(u64, u64, Option<String>)> {
        let seed = self.seed.to_string();
        let output = Command::new(&self.program)
            .args(more)
            .args(["--seed", &seed, "--hunt", plant.name])
            .output()?;
        let words = String::from_utf8_lossy(&output.stdout);
        match (output.status.success(), parse(&words)) {
            (true, Some(said)) => Ok(said),
            _ => Err(Error::other(format!(
                "the hunt for {} ended with {}: {}",
                plant.name,
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hunt, line_of, parse};
    use std::time::Duration;

    #[test]
    fn a_hunt_is_told_in_a_line() {
        let mut hunt = Hunt {
            found: None,
            states: 12,
            took: Duration::from_millis(34),
        };
        assert_eq!(parse(&line_of(&hunt)), Some((12, 34, None)));
        hunt.found = Some(super::super::Failure {
            workload: "put".into(),
            fault: super::super::Fault::PowerLoss,
            at: 1,
            case: 2,
            seed: 3,
            how: "unsynced lost".into(),
            wrong: "it\tdoes not\nopen".into(),
        });
        let (states, millis, found) = parse(&line_of(&hunt)).unwrap();
        assert!(states == 12 && millis == 34 && found.unwrap().contains("it does not open"));
        assert_eq!(parse("some words"), None);
    }
}
