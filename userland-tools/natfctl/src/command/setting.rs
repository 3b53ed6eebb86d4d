// SPDX-License-Identifier: GPL-2.0

//! What the commands for the settings of both modules share.

use serde_json::json;

use crate::error::{Error, Result};
use crate::listing;
use crate::sysfs::Module;
use crate::Context;

/// Shows a file without a heading.
pub fn show(context: &mut Context, module: Module, file: &str) -> Result {
    let Context { sysfs, output } = context;
    let Some(listing) = listing::of(module, file) else {
        return Ok(());
    };
    if output.is_json() {
        return listing::json(sysfs, output, &[listing]);
    }
    let text = listing.read(sysfs)?;
    listing.show(output, &text)
}

/// Writes `lines`, parted by newlines, to a file.
pub fn set(context: &mut Context, module: Module, file: &str, lines: &str) -> Result {
    let text = format!("{lines}\n");
    context.sysfs.write(module, file, text.as_bytes())?;
    let done: Vec<_> = lines.lines().collect();
    context.output.done(&json!({ "done": done }))
}

/// `limits`: shows them, or sets those in `pairs`.
#[derive(Debug, clap::Args)]
pub struct Limits {
    /// A limit and its new value, as names=1000
    #[arg(value_name = "NAME=NUMBER", value_parser = pair)]
    pairs: Vec<(String, u32)>,
}

impl Limits {
    /// Does it.
    pub fn run(&self, context: &mut Context, module: Module) -> Result {
        if self.pairs.is_empty() {
            return show(context, module, "limits");
        }
        let lines = self
            .pairs
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        let lines: Vec<_> = lines.collect();
        set(context, module, "limits", &lines.join("\n"))
    }
}

fn pair(text: &str) -> std::result::Result<(String, u32), String> {
    let wrong = || "write a name, \"=\" and a number, as in names=1000".to_string();
    let (name, number) = text.split_once('=').ok_or_else(wrong)?;
    let line = format!("{name} {number}");
    match natf::line::setting(line.as_bytes()) {
        Some(Some((word, number))) if word == name.as_bytes() => Ok((name.into(), number)),
        _ => Err(wrong()),
    }
}

/// A usage error unless it is right.
pub fn check(right: bool, why: &str) -> Result {
    match right {
        true => Ok(()),
        false => Err(Error::Usage(why.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        assert_eq!(pair("names=16"), Ok(("names".into(), 16)));
        for wrong in [
            "names", "=16", "names=", "names=x", "names=-1", "a b=1", "#=1",
        ] {
            assert!(pair(wrong).is_err(), "{wrong}");
        }
    }
}
