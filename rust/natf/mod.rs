// SPDX-License-Identifier: GPL-2.0

//! The NAT-f protocol: what the packets look like and what the rules say.
//!
//! `core` only: no allocation, no clock, no kernel. What the logic needs (buffers, tables, time,
//! randomness) is passed in, so the same sources are tested in user space and run in the kernel.
//! Nothing in here panics, whatever bytes it is given.

#![forbid(unsafe_code)]
// Each kernel module takes this tree whole and uses the half that concerns it. As part of a module
// crate the other half looks dead and `pub` unreachable; in the cargo build all is public.
#![cfg_attr(not(test), allow(dead_code, unreachable_pub, unused_imports))]

pub mod act;
pub mod auth;
pub mod bucket;
pub mod counters;
pub mod domains;
pub mod early;
pub mod guard;
pub mod line;
pub mod name;
pub mod nrt;
pub mod ports;
pub mod pseudo;
pub mod quoted;
pub mod siphash;
pub mod timings;
pub mod told;
pub mod vaddr;
pub mod vat;
pub mod wire;
