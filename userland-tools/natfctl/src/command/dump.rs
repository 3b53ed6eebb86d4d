// SPDX-License-Identifier: GPL-2.0

//! `natfctl dump`

use clap::builder::PossibleValuesParser;

use crate::error::Result;
use crate::listing;
use crate::Context;

/// Write tables for programs, with tabs between the columns
///
/// Writes a line for each line of a table, or of all: the module, the table, then its columns, all parted by tabs. A
/// column keeps its place in later versions; new ones come after the last. What is not there is "-".
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
        let chosen = listing::chosen(sysfs, self.file.as_deref())?;
        if output.is_json() {
            return listing::json(sysfs, output, &chosen);
        }
        for listing in chosen {
            let text = listing.read(sysfs)?;
            listing.dump(output, &text)?;
        }
        Ok(())
    }
}
