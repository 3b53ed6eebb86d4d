// SPDX-License-Identifier: GPL-2.0

//! `natfctl apply`

use serde_json::json;

use crate::config::Choice;
use crate::error::Result;
use crate::plan;
use crate::Context;

/// Make the modules do what the configuration says
///
/// Reads /etc/natf/en.toml, /etc/natf/router.toml or both, for the modules that are loaded, and gives the modules what
/// is there, all or nothing: a file with a mistake changes nothing, and what the kernel refuses takes back the rest.
/// What the file leaves out gets the value that the module has when it is loaded. Only what differs is written, and
/// what is open stays open. natf.toml(5) has the format.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let changes = self.choice.changes(&context.sysfs)?;
        plan::apply(&context.sysfs, &changes)?;
        context.output.done(&json!({ "changes": changes }))
    }
}
