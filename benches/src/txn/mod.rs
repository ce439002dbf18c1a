//! What transactions cost: `cargo xtask bench --txn`.
//!
//! Each part measures one promise of the transaction layer beside what it is promised against, by turns, in one run, and notes whether the goal is met. Parts are independent: `--only locks,bank`
//! runs those two.

mod bank;
mod locks;
mod options;
mod reads;
mod scores;

use crate::Result;
use options::Options;
use scores::Scores;

/// A part: its name, and what measures it.
type Part = (&'static str, fn(&Options, &mut Scores) -> Result<()>);

/// All parts, in the order in which they are run.
const PARTS: [Part; 3] = [
    ("locks", locks::measure),
    ("reads", reads::measure),
    ("bank", bank::measure),
];

/// Runs the parts that are asked for, prints the table, writes the file.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments, &PARTS.map(|(name, _)| name))?;
    let mut scores = Scores::default();
    for (name, measure) in PARTS {
        if options.wants(name) {
            println!("{name}");
            scores.begin(name);
            measure(&options, &mut scores)?;
        }
    }
    println!("\n{scores}");
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec_pretty(&scores)?)?;
    }
    Ok(())
}

/// The middle one; of an even number the upper middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
