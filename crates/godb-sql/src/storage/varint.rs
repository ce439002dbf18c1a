//! Integers of one to ten bytes: seven bits a byte, the lowest first, the high bit saying that more follow.

/// Writes `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_seven(value) | 0x80);
        value >>= 7;
    }
    out.push(low_seven(value));
}

fn low_seven(value: u64) -> u8 {
    (value & 0x7F) as u8
}

/// The number at the beginning of `bytes` and how many bytes it took.
#[inline]
pub(crate) fn get(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}

/// Writes a signed number; those close to zero are short.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, (value << 1 ^ value >> 63).cast_unsigned());
}

/// What [`put_signed`] wrote.
pub(crate) fn get_signed(bytes: &[u8]) -> Option<(i64, usize)> {
    let (raw, used) = get(bytes)?;
    Some(((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed(), used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(unsigned: u64, signed: i64, shift in 0_u32..64) {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            put(&mut a, unsigned >> shift);
            put_signed(&mut b, signed >> shift);
            prop_assert_eq!(get(&a), Some((unsigned >> shift, a.len())));
            prop_assert_eq!(get_signed(&b), Some((signed >> shift, b.len())));
        }
    }

    #[test]
    fn endless_numbers_are_refused() {
        assert_eq!(get(&[0xFF; 11]), None);
        assert_eq!(get(&[]), None);
    }
}
