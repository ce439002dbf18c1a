//! Asking the processor for memory before it is needed.
//!
//! A processor that waits for memory does nothing else for a hundred nanoseconds or more, unless it knows already what will be asked for next. Where a program
//! knows and the processor cannot, it may say so.

#![expect(unsafe_code, reason = "prefetching is an instruction of the processor")]

/// Asks for the cache line at an address. Only advice, and nothing at all where there is no such instruction.
#[inline]
pub fn ask_for(address: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program sees, and never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::without_provenance(address)) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = address;
}
