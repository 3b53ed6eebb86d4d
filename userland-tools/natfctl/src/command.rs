// SPDX-License-Identifier: GPL-2.0

//! A file for each command: its `Args`, as clap reads them, and what it does. `cli.rs` lists them.

pub mod dump;
pub mod show;
