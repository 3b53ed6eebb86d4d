// SPDX-License-Identifier: GPL-2.0

//! `natfctl show`

use clap::builder::PossibleValuesParser;

use crate::error::Result;
use crate::listing;
use crate::Context;

/// Show settings and tables
///
/// Shows a table of the modules that are loaded, for people. Without FILE: all that is configured and alive; limits,
/// tables and counters are shown only by name. For programs there are --json and natfctl dump.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The table
    #[arg(value_parser = PossibleValuesParser::new(listing::names()))]
    file: Option<String>,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let Context { sysfs, output } = context;
        let mut chosen = listing::chosen(sysfs, self.file.as_deref())?;
        chosen.retain(|listing| self.file.is_some() || listing.overview);
        if output.is_json() {
            return listing::json(sysfs, output, &chosen);
        }
        let mut first = true;
        for listing in chosen {
            let text = listing.read(sysfs)?;
            if !first {
                output.line("")?;
            }
            first = false;
            output.heading(format_args!("{} {}", listing.module, listing.file))?;
            match text.trim().is_empty() {
                true => {
                    let none = output.paint("2", "none");
                    output.line(none)?;
                }
                false => listing.show(output, &text)?,
            }
        }
        Ok(())
    }
}
