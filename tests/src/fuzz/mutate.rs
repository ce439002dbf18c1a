//! [`mutants`]: changed copies of seeds, for runs without libFuzzer.

use godb_page::{Random, SeededRandom};

/// Numbers that programs stumble over.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    1 << 60,
    u64::MAX,
];

fn below(random: &SeededRandom, bound: usize) -> usize {
    usize::try_from(random.next_u64() % (bound.max(1) as u64)).unwrap_or(0)
}

/// `count` inputs of at most `longest` bytes, made of `seeds` by a few changes each; the same for the same seed.
#[must_use]
pub fn mutants(seeds: &[Vec<u8>], count: usize, longest: usize, seed: u64) -> Vec<Vec<u8>> {
    let random = SeededRandom::new(seed);
    let any = |length: usize| {
        let mut bytes = vec![0; length];
        random.fill(&mut bytes);
        bytes
    };
    (0..count)
        .map(|_| {
            let mut input = match seeds.is_empty() || below(&random, 16) == 0 {
                true => any(below(&random, longest.min(512))),
                false => seeds[below(&random, seeds.len())].clone(),
            };
            for _ in 0..=below(&random, 4) {
                mutate(&mut input, seeds, &random);
            }
            input.truncate(longest);
            input
        })
        .collect()
}

/// Makes one change.
fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &SeededRandom) {
    let at = below(random, input.len() + 1);
    let length = below(random, 9).min(input.len() - at);
    match below(random, 8) {
        0 | 1 if at < input.len() => input[at] ^= 1 << below(random, 8),
        2 | 3 => {
            let number = NUMBERS[below(random, NUMBERS.len())].to_le_bytes();
            input[at..at + length.min(8)].copy_from_slice(&number[..length.min(8)]);
        }
        4 => drop(input.drain(at..at + length)),
        5 => {
            let copy = input[at..at + length].to_vec();
            drop(input.splice(at..at, copy));
        }
        6 if !seeds.is_empty() => {
            let other = &seeds[below(random, seeds.len())];
            let from = below(random, other.len() + 1);
            let piece = other[from..].iter().take(64).copied();
            drop(input.splice(at..at + length, piece));
        }
        _ => {
            let mut bytes = vec![0; length];
            random.fill(&mut bytes);
            input[at..at + length].copy_from_slice(&bytes);
        }
    }
}
