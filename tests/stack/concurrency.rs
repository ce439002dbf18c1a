//! Many at once: no lock around the engine.

use godb::Database;
use std::sync::{Arc, Barrier};

#[test]
fn eight_writers_are_inside_at_once() {
    let db = Database::in_memory().unwrap();
    let together = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8_u8)
        .map(|n| {
            let (db, together) = (db.clone(), together.clone());
            std::thread::spawn(move || {
                let mut tx = db.begin().unwrap();
                tx.put(&[n], b"before").unwrap();
                // Nobody passes before all eight have written and none has committed.
                together.wait();
                tx.put(&[n, n], b"after").unwrap();
                together.wait();
                tx.commit().unwrap();
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(db.begin().unwrap().range(..).unwrap().count(), 16);
}

#[test]
fn a_reader_runs_through_a_writers_commit() {
    let db = Database::in_memory().unwrap();
    for n in 0..100_u8 {
        db.put(&[n], b"old").unwrap();
    }
    let reader = db.begin().unwrap();
    let mut pairs = reader.range(..).unwrap();
    let first = pairs.next().unwrap().unwrap();
    let mut writer = db.begin().unwrap();
    for n in 0..100_u8 {
        writer.put(&[n], b"new").unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(first.1, b"old");
    assert!(
        pairs.all(|pair| pair.unwrap().1 == b"old"),
        "a snapshot does not change under its reader"
    );
    assert_eq!(reader.get(&[99]).unwrap().unwrap(), b"old");
    assert_eq!(db.get(&[99]).unwrap().unwrap(), b"new");
}

#[test]
fn money_is_neither_made_nor_lost() {
    let db = Database::in_memory().unwrap();
    for account in 0..20_u8 {
        db.put(&[account], &100_i64.to_be_bytes()).unwrap();
    }
    let threads: Vec<_> = (0..4_u64)
        .map(|seed| {
            let db = db.clone();
            std::thread::spawn(move || (0..200).for_each(|n| transfer(&db, seed * 1000 + n)))
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(total(&db), 2000);
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(total(&db), 2000);
}

fn transfer(db: &Database, n: u64) {
    let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mix = mix.to_le_bytes();
    let (from, to) = ([mix[4] % 20], [mix[6] % 20]);
    if from == to {
        return;
    }
    db.transaction(|tx| {
        let (a, b) = (amount(tx, &from)?, amount(tx, &to)?);
        tx.put(&from, &(a - 1).to_be_bytes())?;
        tx.put(&to, &(b + 1).to_be_bytes())
    })
    .unwrap();
}

fn amount(tx: &godb::Transaction, account: &[u8]) -> godb::Result<i64> {
    Ok(i64::from_be_bytes(tx.get(account)?.unwrap().try_into().unwrap()))
}

fn total(db: &Database) -> i64 {
    let tx = db.begin().unwrap();
    tx.range(..)
        .unwrap()
        .map(|pair| i64::from_be_bytes(pair.unwrap().1.try_into().unwrap()))
        .sum()
}
