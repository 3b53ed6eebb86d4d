// SPDX-License-Identifier: GPL-2.0

//! `natfctl en`

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::Subcommand;
use natf::domains::Suffix;
use natf::early::EN_CHOICES;
use natf::ports::Ports;
use natf::vaddr;
use serde_json::json;

use super::setting::{self, Limits};
use crate::error::Result;
use crate::file;
use crate::listing::records;
use crate::output::Output;
use crate::record::{Limit, Occupancy, Record};
use crate::sysfs::{Module, Sysfs};
use crate::Context;

/// Show and change the settings of the endpoint
///
/// An endpoint gives virtual addresses to the names below its domains, and asks their routers for mappings. It does
/// nothing in a network namespace before the first domain is added there.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Suffixes of the names that get a virtual address
    Domains {
        #[command(subcommand)]
        action: Option<Domains>,
    },
    /// Range of the virtual addresses
    ///
    /// It can be changed as long as there are neither names nor flows.
    Prefix {
        /// The new one, a /8 as 240.0.0.0/8; without it, the present one is shown
        #[arg(value_parser = prefix)]
        prefix: Option<String>,
    },
    /// Ports of DNS servers whose answers are looked at
    Ports {
        /// The new ones, one to four; without them, the present ones are shown
        #[arg(value_name = "PORT", num_args = 0..=4, value_parser = clap::value_parser!(u16).range(1..))]
        ports: Vec<u16>,
    },
    /// Whether the first packet of a flow travels in the request to the router: on or off
    Early {
        /// The new choice; without it, the present one is shown
        #[arg(value_parser = PossibleValuesParser::new(EN_CHOICES))]
        choice: Option<String>,
    },
    /// Most entries of the tables
    ///
    /// Without a limit, all are shown.
    Limits(Limits),
    /// Names that have a virtual address
    Names {
        #[command(subcommand)]
        action: Option<Names>,
    },
    /// How full the tables are
    Tables,
}

#[derive(Debug, Subcommand)]
enum Domains {
    /// Show them
    List,
    /// Add some
    Add {
        /// A domain, as home.example.net; * for every name of two labels or more
        #[arg(required = true, value_parser = suffix)]
        domain: Vec<String>,
    },
    /// Remove some
    Del {
        /// A domain that is there
        #[arg(required = true, value_parser = suffix)]
        domain: Vec<String>,
    },
    /// Remove all
    Flush,
}

#[derive(Debug, Subcommand)]
enum Names {
    /// Show them
    List,
    /// Write them to a file, so that they keep their addresses over a reboot
    Save {
        /// The file; - for standard output
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Give names the addresses that they had
    ///
    /// Of a page with a line that is wrong nothing is taken. Where another name has the address, or there is no room, the
    /// lines before that one have been taken, and so have the pages before.
    Load {
        /// The file; - for standard input
        file: PathBuf,
    },
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let set = |context: &mut Context, file, lines: &str| {
            setting::set(context, Module::En, file, lines)
        };
        match &self.what {
            What::Domains { action } => match action {
                None | Some(Domains::List) => setting::show(context, Module::En, "domains"),
                Some(Domains::Add { domain }) => set(context, "domains", &lines("add", domain)),
                Some(Domains::Del { domain }) => set(context, "domains", &lines("del", domain)),
                Some(Domains::Flush) => set(context, "domains", "flush"),
            },
            What::Prefix { prefix: None } => setting::show(context, Module::En, "prefix"),
            What::Prefix { prefix: Some(new) } => set(context, "prefix", new),
            What::Ports { ports } if ports.is_empty() => {
                setting::show(context, Module::En, "dns_ports")
            }
            What::Ports { ports } => {
                let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
                let line = ports.join(" ");
                let right = Ports::parse(line.as_bytes()).is_ok();
                setting::check(right, "these are not one to four ports")?;
                set(context, "dns_ports", &line)
            }
            What::Early { choice: None } => setting::show(context, Module::En, "early"),
            What::Early { choice: Some(new) } => set(context, "early", new),
            What::Limits(limits) => limits.run(context, Module::En),
            What::Names { action } => match action {
                None | Some(Names::List) => setting::show(context, Module::En, "nrt"),
                Some(Names::Save { file }) => {
                    let text = context.sysfs.read(Module::En, "nrt")?;
                    file::replace(context, file, &text)
                }
                Some(Names::Load { file }) => load(context, file),
            },
            What::Tables => tables(context),
        }
    }
}

/// A line for each word.
fn lines(verb: &str, words: &[String]) -> String {
    let lines: Vec<_> = words.iter().map(|word| format!("{verb} {word}")).collect();
    lines.join("\n")
}

fn suffix(text: &str) -> std::result::Result<String, String> {
    match Suffix::parse(text.as_bytes()) {
        Ok(suffix) => Ok(suffix.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn prefix(text: &str) -> std::result::Result<String, String> {
    match vaddr::Prefix::parse(text.as_bytes()) {
        Some(prefix) => Ok(prefix.to_string()),
        None => Err("write a /8 as 240.0.0.0/8, not of 0, 127, 224 to 239 or 255".into()),
    }
}

fn load(context: &mut Context, path: &std::path::Path) -> Result {
    context.sysfs.require(Module::En)?;
    let text = file::read(path)?;
    let end = if text.ends_with('\n') { "" } else { "\n" };
    context
        .sysfs
        .write(Module::En, "nrt", format!("{text}{end}").as_bytes())?;
    let count = text.lines().filter(|line| !line.trim().is_empty()).count();
    context
        .output
        .done(&json!({"file": file::name(path), "names": count}))
}

/// What the router has a file for.
fn tables(context: &mut Context) -> Result {
    let Context { sysfs, output } = context;
    let rows = occupancy(sysfs)?;
    write_tables(output, &rows)
}

fn occupancy(sysfs: &Sysfs) -> Result<Vec<Occupancy>> {
    let limits = sysfs.read(Module::En, "limits")?;
    let limit = |name: &str| records::<Limit>(&limits).find(|limit| limit.name == name);
    let used = |file: &str| -> Result<u64> {
        let text = sysfs.read(Module::En, file)?;
        Ok(u64::try_from(text.lines().count()).unwrap_or(u64::MAX))
    };
    let mut rows = Vec::new();
    for (name, file, explanation) in [
        ("names", "nrt", "names with a virtual address"),
        ("flows", "vat", "flows that are alive, or were a moment ago"),
    ] {
        rows.push(Occupancy {
            name: name.into(),
            used: used(file)?,
            max: limit(name).map_or(0, |limit| limit.value),
            explanation: explanation.into(),
        });
    }
    Ok(rows)
}

fn write_tables(output: &mut Output, rows: &[Occupancy]) -> Result {
    if output.is_json() {
        return output.done(&json!({"natf_en": {"tables": rows}}));
    }
    output.columns(Occupancy::COLUMNS, || {
        Box::new(rows.iter().map(|row| (row.cells(), row.mark())))
    })
}
