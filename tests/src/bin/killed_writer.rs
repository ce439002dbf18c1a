//! A process that writes until it is killed: four threads, each saying on standard output which of its rows were acknowledged.
//!
//! `killed-writer FILE ROUND`: thread `t` commits rows `ROUND/t/0`, `ROUND/t/1`, … one transaction each (every tenth a
//! batch), and prints `t n` once the commit of row `n` has returned.

#![expect(
    clippy::print_stdout,
    reason = "standard output is how it tells what was acknowledged"
)]

use godb::{Config, Database};
use std::io::Write;
use std::time::Duration;

fn main() -> godb::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(round)) = (args.next(), args.next()) else {
        println!("usage: killed-writer FILE ROUND");
        return Ok(());
    };
    let config = Config {
        buffer_pool_size: 64 * 8192,
        checkpoint_interval: Duration::from_millis(20),
        checkpoint_log_size: Some(1 << 18),
        ..Config::default()
    };
    let db = Database::open_with(file, config)?;
    println!("open");
    let writers: Vec<_> = (0..4)
        .map(|thread| {
            let (db, round) = (db.clone(), round.clone());
            std::thread::spawn(move || write(&db, &round, thread))
        })
        .collect();
    for writer in writers {
        if let Ok(Err(error)) = writer.join() {
            println!("error {error}");
        }
    }
    Ok(())
}

fn write(db: &Database, round: &str, thread: usize) -> godb::Result<()> {
    for n in 0.. {
        let mut tx = db.begin()?;
        let more = if n % 10 == 9 { 40 } else { 0 };
        for part in 0..=more {
            tx.put(
                format!("{round}/{thread}/{n}/{part}").as_bytes(),
                &vec![b'x'; 20 + (n * 37 + part) % 400],
            )?;
        }
        if n % 7 == 3 {
            tx.delete(format!("{round}/{thread}/{}/0", n - 1).as_bytes())?;
        }
        tx.commit()?;
        let mut out = std::io::stdout().lock();
        let told = writeln!(out, "{thread} {n}").and_then(|()| out.flush());
        if told.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
