//! Each target on its seeds and on mutants of them: what a run under libFuzzer does for hours, for a second.

use super::{TARGETS, Target, mutants};
use std::time::{Duration, Instant};

/// So long is each target tried, and no longer.
const TIME: Duration = Duration::from_millis(1200);
/// So many mutants at most.
const MOST: usize = 400;

fn try_out(target: &Target) {
    let began = Instant::now();
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} begins with nothing", target.name);
    (target.run)(&[]);
    let inputs = mutants(&seeds, MOST, target.longest, 17);
    let mut run = 0;
    for input in seeds.iter().take(MOST / 4).chain(&inputs) {
        (target.run)(input);
        run += 1;
        if began.elapsed() > TIME {
            break;
        }
    }
    assert!(run > 3, "{} is too slow to find anything", target.name);
}

macro_rules! tries {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            try_out(super::target(stringify!($name)).unwrap());
        })*

        #[test]
        fn every_target_is_tried() {
            let tried = [$(stringify!($name)),*];
            assert!(TARGETS.iter().all(|target| tried.contains(&target.name)));
        }
    };
}

tries!(page header control blocks records database rows catalog sql csv);

#[test]
fn mutants_are_the_same_each_time() {
    let seeds = vec![b"a seed".to_vec(), vec![0; 100]];
    let once = mutants(&seeds, 50, 80, 3);
    assert_eq!(once, mutants(&seeds, 50, 80, 3));
    assert!(once.iter().all(|input| input.len() <= 80));
    assert!(once.iter().any(|input| !seeds.contains(input)));
}
