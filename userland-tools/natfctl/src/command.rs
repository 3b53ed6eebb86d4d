// SPDX-License-Identifier: GPL-2.0

//! A file for each command: its `Args`, as clap reads them, and what it does. `cli.rs` lists them.

pub mod act;
pub mod apply;
pub mod diff;
mod discover;
pub mod doctor;
pub mod dump;
pub mod en;
pub mod key;
pub mod manual;
pub mod resolve;
pub mod router;
mod setting;
pub mod show;
pub mod stats;
pub mod timings;
pub mod trace;
pub mod watch;
