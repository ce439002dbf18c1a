//! The workloads: every short one that can be put together of a few ingredients, scripts about one thing each, and random long ones.

mod lives;
mod random;
mod short;
mod sql;
mod trees;

use super::script::Workload;

pub use random::random;

/// The scripted workloads, but those of three ingredients.
#[must_use]
pub fn scripted() -> Vec<Workload> {
    let mut all = short::up_to_two();
    all.extend(trees::all());
    all.extend(lives::all());
    all.extend(sql::all());
    all
}

/// Those put together of three ingredients.
#[must_use]
pub fn triples() -> Vec<Workload> {
    short::of_three()
}

/// The workload of a name: a scripted one, one put together like `put+split+reopen`, or `random-7`.
#[must_use]
pub fn by_name(name: &str) -> Option<Workload> {
    if let Some(seed) = name.strip_prefix("random-") {
        return Some(random(seed.parse().ok()?));
    }
    scripted()
        .into_iter()
        .find(|workload| workload.name == name)
        .or_else(|| short::of_names(name))
}

#[cfg(test)]
mod tests {
    use super::super::oracle::makes_sense;
    use super::{by_name, random, scripted, triples};

    #[test]
    fn every_script_runs_to_its_end_without_a_fault() {
        let all = scripted();
        assert!(all.len() >= 60, "{} workloads", all.len());
        for workload in all {
            assert!(makes_sense(&workload), "{workload}");
        }
        for seed in 0..20 {
            assert!(makes_sense(&random(seed)), "{}", random(seed));
        }
    }

    #[test]
    fn names_lead_back_to_their_workloads() {
        for workload in scripted().into_iter().chain(triples()).chain([random(3)]) {
            let found = by_name(&workload.name).unwrap();
            assert_eq!(found.steps, workload.steps, "{}", workload.name);
        }
        assert!(by_name("put+nothing").is_none() && by_name("random-x").is_none());
    }
}
