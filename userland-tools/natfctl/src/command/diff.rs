// SPDX-License-Identifier: GPL-2.0

//! `natfctl diff`

use serde_json::json;

use crate::config::Choice;
use crate::error::Result;
use crate::Context;

/// Show what apply would change
///
/// Compares what the modules do with the configuration, and checks that: a line that begins with "-" is what the module
/// has and the file has not, "+" what apply would add. Nothing is written if there is no difference. Of keys there are
/// names and ids.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let changes = self.choice.changes(&context.sysfs)?;
        let output = &mut context.output;
        if output.is_json() {
            return output.done(&json!({ "changes": changes }));
        }
        for change in &changes {
            output.heading(format_args!("{} {}", change.module, change.file))?;
            for line in &change.removed {
                let line = output.paint("31", format_args!("-{line}")).to_string();
                output.line(line)?;
            }
            for line in &change.added {
                let line = output.paint("32", format_args!("+{line}")).to_string();
                output.line(line)?;
            }
        }
        Ok(())
    }
}
