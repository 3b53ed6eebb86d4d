// SPDX-License-Identifier: GPL-2.0

//! Packets of IPv4, TCP, UDP and ICMP.

#![no_main]

#[path = "../../tests/feed/mod.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::packets(bytes));
