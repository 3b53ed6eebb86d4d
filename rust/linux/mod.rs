// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers over the parts of the kernel that NAT-f needs and the `kernel` crate lacks.
//!
//! This is the only place with `unsafe` and the only one that sees `bindings`. A wrapper makes no
//! decision about packets: that is the business of `natf`, `natf_en` and `natf_router`.

// Each module uses its own part of this folder; what it leaves is not dead, only not its own.
#![allow(dead_code)]

#[allow(
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    unreachable_pub,
    improper_ctypes,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::cast_lossless,
    clippy::undocumented_unsafe_blocks,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr
)]
#[path = "../bindings/mod.rs"]
mod bindings;

mod address;
pub(crate) mod clock;
pub(crate) mod conntrack;
pub(crate) mod counters;
pub(crate) mod evict;
mod hmac;
pub(crate) mod hook;
pub(crate) mod keys;
pub(crate) mod lock;
pub(crate) mod netns;
pub(crate) mod route;
pub(crate) mod shared;
pub(crate) mod skb;
pub(crate) mod socket;
pub(crate) mod sysfs;
pub(crate) mod table;
pub(crate) mod timings;
