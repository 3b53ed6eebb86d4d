// SPDX-License-Identifier: GPL-2.0

//! `natfctl resolve`

use std::time::Duration;

use natf::name::Name;
use serde_json::json;

use crate::command::trace::seconds;
use crate::diagnosis::{name, Report};
use crate::error::Result;
use crate::Context;

/// Say what a name leads to, and why
///
/// Asks the system's resolver, as applications do, and each DNS server that it has; tells what came over the wire, what
/// natf_en made of it, and what its table has of the name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name that applications use
    #[arg(value_parser = name::parse)]
    name: Name,
    /// Seconds to wait for each answer
    #[arg(long, short, default_value_t = 5.0, value_parser = seconds)]
    timeout: f64,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let mut report = Report::default();
        let timeout = Duration::from_secs_f64(self.timeout);
        let (answers, entry) =
            name::diagnose(&context.sysfs, &self.name, timeout, true, &mut report)?;
        let system = answers.system.said;
        let about = json!({
            "name": self.name.as_str(),
            "system": system.as_ref().ok(),
            "entry": entry,
            "servers": answers.direct,
        });
        let right = match &entry {
            Some(entry) => format!(
                "{} is virtual: {} of {}.",
                entry.address, entry.host, entry.domain
            ),
            None => "All is right.".into(),
        };
        report.tell(&mut context.output, &about, &right)
    }
}
