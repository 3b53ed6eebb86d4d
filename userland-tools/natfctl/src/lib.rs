// SPDX-License-Identifier: GPL-2.0

//! What `natfctl` is made of: how the files of the kernel modules are read and written ([`sysfs`]), what their
//! lines mean ([`record`]), how that is shown ([`output`]), and a file for each command ([`command`]).

// A test may panic: that is how it fails.
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub mod cli;
pub mod command;
pub mod config;
pub mod diagnosis;
pub mod discover;
pub mod error;
pub mod file;
pub mod listing;
pub mod output;
pub mod plan;
pub mod plot;
pub mod record;
pub mod rehearsal;
pub mod sysfs;

use error::Error;
use output::Output;
use sysfs::Sysfs;

/// What every command gets.
pub struct Context {
    /// The files of the kernel modules.
    pub sysfs: Sysfs,
    /// Where the results go.
    pub output: Output,
}

/// Carries out the command line `args`, whose first word is the program's name. The status is 0 (done), 1
/// (failed), 2 (the command line is wrong) or 3 (a module is not loaded).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let mut context = Context {
        sysfs: Sysfs::from_environment(),
        output: Output::new(cli.global.json, cli.global.color),
    };
    let done = cli.command.run(&mut context);
    match done.and_then(|()| context.output.flush()) {
        // Whoever reads has seen enough.
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(Error::Told(status)) => match context.output.flush() {
            Ok(()) | Err(Error::Closed) => ExitCode::from(status),
            Err(error) => {
                context.output.complain(&error);
                ExitCode::from(error.status())
            }
        },
        Err(error) => {
            // What was written before the error goes out before it.
            let _ = context.output.flush();
            context.output.complain(&error);
            ExitCode::from(error.status())
        }
    }
}
