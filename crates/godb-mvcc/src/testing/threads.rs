//! Many at once.

use super::*;

pub(super) const LESSONS: &[Lesson] = &[
    money_is_neither_made_nor_lost,
    no_update_is_lost,
    a_transaction_is_seen_whole_or_not_at_all,
];

const ACCOUNTS: u32 = 8;

fn number(tx: &Tx, engine: &Engine, key: &str) -> u32 {
    let value = get(tx, engine, key).expect("it is there");
    value.parse().expect("it is a number")
}

/// Runs until it commits.
fn persist(engine: &Engine, work: impl Fn(&mut Tx) -> Result<(), Error>) {
    loop {
        let mut tx = begin(engine);
        match work(&mut tx).and_then(|()| tx.commit().map(drop)) {
            Ok(()) => return,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

fn money_is_neither_made_nor_lost(engine: &Engine) {
    for account in 0..ACCOUNTS {
        store(engine, &account.to_string(), "100");
    }
    godb_txn::sync::thread::scope(|scope| {
        for thread in 0..3_u32 {
            scope.spawn(move || {
                for n in 0..40_u32 {
                    let (from, to) = ((n * (thread + 3)) % ACCOUNTS, (n + thread) % ACCOUNTS);
                    persist(engine, |tx| transfer(tx, engine, from, to));
                }
            });
        }
        for _ in 0..40 {
            engine.collect().expect("it can collect");
            let tx = begin(engine);
            let total: u32 = (0..ACCOUNTS).map(|n| number(&tx, engine, &n.to_string())).sum();
            assert_eq!(total, 100 * ACCOUNTS);
        }
    });
}

fn transfer(tx: &mut Tx, engine: &Engine, from: u32, to: u32) -> Result<(), Error> {
    let (from, to) = (from.to_string(), to.to_string());
    let (has, gets) = (number(tx, engine, &from), number(tx, engine, &to));
    if from != to && has > 0 {
        try_put(tx, engine, &from, &(has - 1).to_string())?;
        try_put(tx, engine, &to, &(gets + 1).to_string())?;
    }
    Ok(())
}

fn no_update_is_lost(engine: &Engine) {
    store(engine, "n", "0");
    godb_txn::sync::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..30 {
                    persist(engine, |tx| {
                        let next = number(tx, engine, "n") + 1;
                        try_put(tx, engine, "n", &next.to_string())
                    });
                }
            });
        }
    });
    assert_eq!(number(&begin(engine), engine, "n"), 90);
}

fn a_transaction_is_seen_whole_or_not_at_all(engine: &Engine) {
    for key in ["a", "b", "c"] {
        store(engine, key, "0");
    }
    godb_txn::sync::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..100 {
                persist(engine, |tx| {
                    ["a", "b", "c"]
                        .into_iter()
                        .try_for_each(|key| try_put(tx, engine, key, &n.to_string()))
                });
            }
        });
        for _ in 0..100 {
            let tx = begin(engine);
            let seen = ["a", "b", "c"].map(|key| number(&tx, engine, key));
            assert!(seen[0] == seen[1] && seen[1] == seen[2], "{seen:?}");
        }
    });
}
