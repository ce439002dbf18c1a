//! [`Reader`]: takes numbers and bytes off an input, as long as there are any.

/// What is left of an input.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Up to so many bytes.
    pub(super) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// The next byte; zero behind the end.
    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number.
    pub(super) fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// One of `count` things.
    pub(super) fn choose(&mut self, count: usize) -> usize {
        let number = match count {
            0..=256 => usize::from(self.byte()),
            _ => usize::from(self.short()),
        };
        number % count.max(1)
    }
}

/// Puts `bytes` over `into`, from its beginning, as far as they reach.
pub(super) fn lay_over(into: &mut [u8], bytes: &[u8]) {
    let length = bytes.len().min(into.len());
    into[..length].copy_from_slice(&bytes[..length]);
}
