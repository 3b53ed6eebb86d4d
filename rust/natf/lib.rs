// SPDX-License-Identifier: GPL-2.0

//! The NAT-f protocol as an ordinary crate, for tests, fuzzing and user-space tools.
//!
//! The sources are those of `mod.rs`; a kernel module includes the same file. Both builds
//! therefore spell paths as `crate::natf::…`.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
// A test may panic: that is how it fails.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

#[path = "mod.rs"]
mod natf;

pub use natf::*;
