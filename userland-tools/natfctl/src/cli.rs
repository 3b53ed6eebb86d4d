// SPDX-License-Identifier: GPL-2.0

//! The command line. Help, manual pages and completions are made of it.

use clap::{Parser, Subcommand};

use crate::command;
use crate::error::Result;
use crate::output::Color;
use crate::Context;

/// Show and set what the NAT-f kernel modules do
///
/// natfctl shows and sets what the kernel modules natf_en (on an endpoint) and natf_router (on a router) do, in the
/// network namespace that it runs in. Addresses and ports are numbers. It takes root.
#[derive(Debug, Parser)]
#[command(
    name = "natfctl",
    version,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 done, 1 failed, 2 wrong command line, 3 module not loaded."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Write JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: Color,
}

/// Makes [`Command`] of the modules of [`command`], in the order of the help. Each has its `Args`, whose comment is
/// its help, with a function `run`.
macro_rules! commands {
    ($($name:ident $module:ident,)*) => {
        /// What to do.
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $(#[allow(missing_docs)] $name(command::$module::Args),)*
        }

        impl Command {
            /// Does it.
            pub fn run(&self, context: &mut Context) -> Result {
                match self {
                    $(Command::$name(args) => args.run(context),)*
                }
            }
        }
    };
}

commands! {
    Show show,
    Dump dump,
    Act act,
    En en,
    Router router,
    Key key,
    Stats stats,
    Timings timings,
    Watch watch,
    Resolve resolve,
    Trace trace,
    Doctor doctor,
    Apply apply,
    Diff diff,
    Manual manual,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        super::Cli::command().debug_assert();
    }
}
