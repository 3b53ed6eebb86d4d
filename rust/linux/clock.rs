// SPDX-License-Identifier: GPL-2.0

//! Time and randomness, in the units that the pure code wants. Any context.

use super::bindings;

/// Milliseconds since boot, with the resolution of a timer tick.
pub(crate) fn now_ms() -> u64 {
    // SAFETY: no requirements.
    unsafe { bindings::natf_now_ms() }
}

/// Seconds since 1970, as the wall clock says: it may be set back.
pub(crate) fn wall_s() -> u64 {
    // SAFETY: no requirements.
    let seconds = unsafe { kernel::bindings::ktime_get_real_seconds() };
    u64::try_from(seconds).unwrap_or(0)
}

/// Milliseconds since 1970, likewise.
pub(crate) fn wall_ms() -> u64 {
    // SAFETY: no requirements.
    unsafe { bindings::natf_wall_ms() }
}

/// The counter of the processor: it goes on at a steady pace, which is unknown, and may differ among processors by
/// some microseconds. 0 where there is none.
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of 64 bits has RDTSC, and the kernel may always use it; User-Mode Linux may, too.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: no requirements.
    unsafe {
        bindings::natf_cycles()
    }
}

/// Nanoseconds since boot, by a clock that nobody sets or slows.
pub(crate) fn raw_ns() -> u64 {
    // SAFETY: no requirements.
    let ns = unsafe { kernel::bindings::ktime_get_raw() };
    u64::try_from(ns).unwrap_or(0)
}

/// 64 bits that nobody outside can guess.
pub(crate) fn random_u64() -> u64 {
    // SAFETY: no requirements.
    unsafe { bindings::natf_random_u64() }
}
