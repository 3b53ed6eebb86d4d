// SPDX-License-Identifier: GPL-2.0

//! `natfctl stats`

use crate::error::Result;
use crate::listing::{self, records};
use crate::record::{Counter, Mark};
use crate::sysfs::Module;
use crate::Context;

/// Show what happened, in numbers
///
/// Every way that a packet can take which is not plain has a counter. Without options those are shown that are not zero.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this module
    module: Option<Module>,
    /// Show those that are zero, too
    #[arg(long, short)]
    all: bool,
    /// Say what each means
    #[arg(long, short)]
    explain: bool,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let Context { sysfs, output } = context;
        if let Some(module) = self.module {
            sysfs.require(module)?;
        }
        let mut all = listing::chosen(sysfs, Some("stats"))?;
        all.retain(|listing| self.module.is_none_or(|module| module == listing.module));
        if output.is_json() {
            return listing::json(sysfs, output, &all);
        }
        let mut first = true;
        for listing in all {
            let text = listing.read(sysfs)?;
            if !first {
                output.line("")?;
            }
            first = false;
            output.heading(listing.module)?;
            let shown = || records::<Counter>(&text).filter(|c| self.all || c.value != 0);
            if shown().next().is_none() {
                let none = output.paint("2", "all are zero");
                output.line(none)?;
                continue;
            }
            let names = ["counter", "value", "meaning"];
            let names = names.get(..if self.explain { 3 } else { 2 });
            output.columns(names.unwrap_or_default(), || {
                Box::new(shown().map(|counter| self.row(counter)))
            })?;
        }
        Ok(())
    }

    fn row(&self, counter: Counter) -> (Vec<String>, Mark) {
        let mark = match counter.value {
            0 => Mark::Faint,
            _ => Mark::Plain,
        };
        let mut cells = vec![counter.name, counter.value.to_string()];
        if self.explain {
            cells.push(counter.explanation);
        }
        (cells, mark)
    }
}
