// SPDX-License-Identifier: GPL-2.0

//! Names under the suffixes of `natf_en`, for programs whose DNS the kernel cannot read: DNS over TLS or HTTPS, or
//! a resolver that is asked over a socket of its own.
//!
//! libc loads this library into every program that looks up a host name (`natf` in `/etc/nsswitch.conf`). It may
//! run in anybody's program, so it has no rights: it asks `natf-named` ([`protocol`], [`ask`]), which asks the
//! resolver, has the kernel make the virtual address, and tells it. What libc calls is in [`abi`].

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

#[expect(unsafe_code, reason = "libc's interface is one of pointers")]
pub mod abi;
pub mod ask;
pub mod protocol;
