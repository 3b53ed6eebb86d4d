// SPDX-License-Identifier: GPL-2.0

//! Messages of NAT-f.

#![no_main]

#[path = "../../tests/feed/mod.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::control(bytes));
