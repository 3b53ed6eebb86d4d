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

/// 64 bits that nobody outside can guess.
pub(crate) fn random_u64() -> u64 {
    // SAFETY: no requirements.
    unsafe { bindings::natf_random_u64() }
}
