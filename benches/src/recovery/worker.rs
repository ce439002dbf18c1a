//! The processes of the recovery benchmark: one that works until it is killed, and one that opens what that left.

use super::Work;
use crate::Result;
use crate::kv::{Durability, Opening, Pairs, open_peer};
use crate::memory::peak_resident;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// The seed of the pairs that are in place before.
const BASE: u64 = 21;
/// The seed of the pairs put since.
const SINCE: u64 = 22;

/// Memory for pages, for everybody.
const CACHE: usize = 256 << 20;

/// Runs the role that the arguments name: `write` or `open`, database, folder, base, puts, pairs of a transaction.
pub(crate) fn work(arguments: &[String]) -> ExitCode {
    match try_work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn try_work(arguments: &[String]) -> Result<()> {
    let [role, name, folder, base, puts, per] = arguments else {
        return Err("six arguments are needed".into());
    };
    let work = Work {
        base: base.parse()?,
        puts: puts.parse()?,
        per: per.parse()?,
    };
    let folder = PathBuf::from(folder);
    match role.as_str() {
        "write" => write(name, &folder, work),
        _ => open(name, &folder, work),
    }
}

fn opening(folder: &PathBuf, checkpoints: bool) -> Opening<'_> {
    Opening {
        folder,
        cache: CACHE,
        durability: Durability::Synced,
        checkpoints,
        larger_than_memory: false,
    }
}

fn write(name: &str, folder: &PathBuf, work: Work) -> Result<()> {
    let peer = open_peer(name, &opening(folder, true))?;
    let mut pairs = Pairs::new(BASE);
    peer.session()?.write(&mut |tx| {
        for _ in 0..work.base {
            let (key, value) = pairs.next_pair();
            tx.put(key, value)?;
        }
        Ok(())
    })?;
    peer.checkpoint()?;
    drop(peer);

    let peer = open_peer(name, &opening(folder, false))?;
    let mut session = peer.session()?;
    let mut pairs = Pairs::new(SINCE);
    for _ in 0..work.puts / work.per {
        session.write(&mut |tx| {
            for _ in 0..work.per {
                let (key, value) = pairs.next_pair();
                tx.put(key, value)?;
            }
            Ok(())
        })?;
    }
    session.write(&mut |tx| {
        for _ in 0..work.per {
            let (key, value) = pairs.next_pair();
            tx.put(key, value)?;
        }
        println!("ready");
        std::io::stdout().flush()?;
        // The kill comes while it waits here.
        std::io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    })
}

fn open(name: &str, folder: &PathBuf, work: Work) -> Result<()> {
    let mut pairs = Pairs::new(SINCE);
    for _ in 1..work.puts {
        pairs.next_pair();
    }
    let (key, value) = pairs.next_pair();
    let begun = Instant::now();
    let peer = open_peer(name, &opening(folder, false))?;
    let mut right = false;
    peer.session()?.read(&mut |view| {
        view.get(key, &mut |found| right = found == value)?;
        Ok(())
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    if !right {
        return Err("the last acknowledged pair is not there".into());
    }
    println!("{seconds} {}", peak_resident()? as f64 / f64::from(1 << 20));
    std::io::stdout().flush()?;
    // Closing is not what is measured.
    std::process::exit(0);
}
