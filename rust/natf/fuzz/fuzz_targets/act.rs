// SPDX-License-Identifier: GPL-2.0

//! Lines of the access control table and of the other files.

#![no_main]

#[path = "../../tests/feed/mod.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::act(bytes));
