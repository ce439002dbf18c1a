//! The MD5 digest (RFC 1321), which PostgreSQL offers as a checksum. It is no protection against anybody.

/// How far each step rotates, by round.
const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The digest of the bytes.
pub fn digest(bytes: &[u8]) -> [u8; 16] {
    let constants = constants();
    let mut state = [0x6745_2301_u32, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        step(&mut state, block, &constants);
    }
    // A one bit, zeros, and the length in bits fill the last block or two.
    let mut tail = [0_u8; 128];
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()] = 0x80;
    let used = if rest.len() < 56 { 64 } else { 128 };
    let bits = (bytes.len() as u64).wrapping_mul(8);
    tail[used - 8..used].copy_from_slice(&bits.to_le_bytes());
    for block in tail[..used].as_chunks::<64>().0 {
        step(&mut state, block, &constants);
    }
    let mut digest = [0; 16];
    for (four, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word.to_le_bytes();
    }
    digest
}

/// The first 32 bits of |sin(i)| behind the binary point, for i from 1.
fn constants() -> [u32; 64] {
    std::array::from_fn(|i| {
        let sine = f64::from(u32::try_from(i + 1).unwrap_or(0)).sin().abs();
        u32::try_from(crate::convert::whole_i64(sine * 4_294_967_296.0)).unwrap_or(u32::MAX)
    })
}

fn step(state: &mut [u32; 4], block: &[u8; 64], constants: &[u32; 64]) {
    let mut words = [0_u32; 16];
    for (word, four) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*four);
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for i in 0..64 {
        let (mixed, word) = match i / 16 {
            0 => ((b & c) | (!b & d), i),
            1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
            2 => (b ^ c ^ d, (3 * i + 5) % 16),
            _ => (c ^ (b | !d), (7 * i) % 16),
        };
        let sum = a
            .wrapping_add(mixed)
            .wrapping_add(constants[i])
            .wrapping_add(words[word]);
        (a, d, c) = (d, c, b);
        b = b.wrapping_add(sum.rotate_left(ROTATIONS[i / 16][i % 4]));
    }
    for (part, more) in state.iter_mut().zip([a, b, c, d]) {
        *part = part.wrapping_add(more);
    }
}
