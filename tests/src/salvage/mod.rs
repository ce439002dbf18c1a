//! The campaign of salvage: a database is damaged at random, and every row comes back whose page is intact, and none that never was.
//!
//! The judge knows nothing of trees. Each row carries marks, texts found nowhere else: one in its key, one in its value with the number of the change that wrote it, repeated
//! until every page of a long value has some. Looked for in the bytes of the sound files, they tell which pages a row depends on. A row is demanded back when none of
//! the pages that hold one of its marks was hit; and whatever comes back must be, byte for byte, what the last durable commit left under that key. Only where the log itself
//! was hit may it be what an earlier commit, or a transaction of unknown outcome, wrote there.

mod base;
mod damage;

use base::{Base, FILE, NEW, State, key_mark, value_mark};
use damage::Damage;
use godb::{Database, RepairTo, SalvageReport, Value};
use godb_page::{Environment, FileSystem};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::faults::Campaign;

/// The names of the measures.
const SALVAGE: &str = "salvage of a damaged database";
const REPAIR: &str = "repair of a damaged database";

/// What the cases came to, so that a campaign that demands nothing is seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Rows that the sound databases held.
    pub there: u64,
    /// Rows that were demanded back.
    pub demanded: u64,
    /// Rows that came back.
    pub returned: u64,
    /// Databases that could be repaired.
    pub repaired: u64,
}

/// Damages databases so many times, and salvages each.
pub fn run(campaign: &mut Campaign, times: u64) -> Sums {
    let bases: Vec<Base> = (0..4)
        .flat_map(|seed| {
            [
                Base::closed(campaign.seed + seed),
                Base::killed(campaign.seed + seed),
            ]
        })
        .collect();
    let mut sums = Sums::default();
    for number in 0..times {
        let base = &bases[usize::try_from(number).unwrap_or(0) % bases.len()];
        let seed = campaign.seed.wrapping_mul(1_000_003).wrapping_add(number);
        let damage = Damage::random(base, seed);
        let name = || format!("{}: {damage:?}", base.name);
        campaign.case(SALVAGE, name, || judge(base, &damage, &mut sums));
        for damage in [&damage, &Damage::slight(base, seed)] {
            let name = || format!("{}: {damage:?}", base.name);
            campaign.case(REPAIR, name, || judge_repair(base, damage, &mut sums));
        }
    }
    sums
}

fn judge(base: &Base, damage: &Damage, sums: &mut Sums) -> Result<(), String> {
    let files: Arc<dyn FileSystem> = Arc::new(base.files());
    let hit = damage.make(base, &*files);
    let before = base::read(&*files);
    let salvaged = Database::salvage_on(
        &files,
        &Environment::simulated(99),
        Path::new(FILE),
        Path::new(NEW),
        &base::config(),
    );
    let report = match salvaged {
        Ok(report) => report,
        Err(error) if hit.everything => return typed(&error),
        Err(error) => return Err(format!("salvage fails: {error}")),
    };
    let after = base::read(&*files);
    if let Some(name) = before.keys().find(|name| before.get(*name) != after.get(*name)) {
        return Err(format!("salvage changed {name}"));
    }
    let db = base::open(&files, NEW).map_err(|error| format!("the new database does not open: {error}"))?;
    let findings = db.check().map_err(|error| format!("the check fails: {error}"))?;
    if !findings.is_empty() {
        return Err(format!("the check finds {}", findings.join("; ")));
    }
    let found = Found::read(&db, &report)?;
    found.is_true(base, hit.log)?;
    let demanded = base.untouched(&hit);
    sums.there += base.state.len() as u64;
    sums.demanded += demanded.len() as u64;
    sums.returned += (found.rows.len() + found.raw.len()) as u64;
    match demanded.iter().find(|key| !found.has(key, base, hit.log)) {
        Some(key) => Err(format!(
            "row {key} is lost, though no page of it was hit\n{report}"
        )),
        None => Ok(()),
    }
}

/// Repair either refuses, with an error that says so, or nothing is lost; and the damaged files stay as they are.
fn judge_repair(base: &Base, damage: &Damage, sums: &mut Sums) -> Result<(), String> {
    let files: Arc<dyn FileSystem> = Arc::new(base.files());
    let hit = damage.make(base, &*files);
    let before = base::read(&*files);
    let repaired = Database::repair_on(
        &files,
        &Environment::simulated(99),
        Path::new(FILE),
        &RepairTo::Copy(NEW.into()),
        &base::config(),
    );
    if base::read(&*files) != before {
        return Err("repair changed the damaged files".to_owned());
    }
    let report = match repaired {
        Ok(report) => report,
        Err(error) if matches!(files.exists(NEW), Ok(false)) => return typed(&error),
        Err(error) => return Err(format!("a file is left behind by a repair that failed: {error}")),
    };
    if !report.after.is_sound() {
        return Err(format!(
            "what was repaired is not sound: {:?}",
            report.after.findings
        ));
    }
    if report.before.is_sound() {
        return Ok(());
    }
    sums.repaired += 1;
    let db = base::open(&files, NEW).map_err(|error| format!("it does not open: {error}"))?;
    let rows = base::contents(&db).map_err(|error| format!("it cannot be read: {error}"))?;
    match rows == base.state || hit.log {
        true => Ok(()),
        false => Err(format!(
            "something was lost, and that was not told: {:?}",
            report.done
        )),
    }
}

fn typed(error: &godb::Error) -> Result<(), String> {
    match error.sqlstate() {
        "XX001" | "55000" => Ok(()),
        other => Err(format!("the error is not that of a broken file: {other} {error}")),
    }
}

/// What came back.
struct Found {
    rows: State,
    /// Rows of trees without a description: keys and values as they are stored.
    raw: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Found {
    fn read(db: &Database, report: &SalvageReport) -> Result<Self, String> {
        let words = |error: godb::Error| format!("the new database cannot be read: {error}");
        let rows = base::contents(db).map_err(words)?;
        let mut raw = Vec::new();
        for table in &report.unnamed {
            let sql = format!("SELECT key, value FROM {}", table.table);
            for row in db.query(&sql, &[]).map_err(words)? {
                let row = row.map_err(words)?;
                if let (Value::Bytes(key), Value::Bytes(value)) = (
                    row.get::<Value>(0).map_err(words)?,
                    row.get::<Value>(1).map_err(words)?,
                ) {
                    raw.push((key, value));
                }
            }
        }
        Ok(Self { rows, raw })
    }

    /// Whether everything is as the last commit left it; with a damaged log, as somebody left it at some time.
    fn is_true(&self, base: &Base, log_was_hit: bool) -> Result<(), String> {
        for (key, text) in &self.rows {
            let is_last = base.state.get(key) == Some(text);
            let once_was = log_was_hit && base.ever.contains(&(key.clone(), text.clone()));
            if !(is_last || once_was) {
                let shown: String = text.chars().take(60).collect();
                return Err(format!("row {key} is {shown}, which it never was"));
            }
        }
        let known: HashSet<(Vec<u8>, Vec<u8>)> = base
            .state
            .iter()
            .map(|(key, text)| (key_mark(key), value_mark(text)))
            .collect();
        for (key, value) in &self.raw {
            let (Some(key), Some(value)) = (base::mark_in(key), base::mark_in(value)) else {
                continue;
            };
            if !log_was_hit && !known.contains(&(key.to_vec(), value.to_vec())) {
                let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
                return Err(format!(
                    "a row without a table is {key} {value}, which it never was"
                ));
            }
        }
        Ok(())
    }

    fn has(&self, key: &str, base: &Base, log_was_hit: bool) -> bool {
        if self.rows.contains_key(key) {
            return true;
        }
        let wanted = (key_mark(key), value_mark(&base.state[key]));
        self.raw.iter().any(|(key, value)| {
            base::mark_in(key) == Some(&wanted.0) && (log_was_hit || base::mark_in(value) == Some(&wanted.1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Campaign, run};

    #[test]
    fn rows_of_intact_pages_come_back_and_nothing_else() {
        let mut campaign = Campaign::new(9, true, 1, None);
        let sums = run(&mut campaign, 60);
        assert!(
            campaign.failures().is_empty(),
            "{}",
            campaign.failures().join("\n")
        );
        assert!(sums.demanded * 2 > sums.there && sums.repaired > 3, "{sums:?}");
    }
}
