// SPDX-License-Identifier: GPL-2.0

//! `natfctl act discover` and `natfctl act follow`

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::discover::plan::{Left, Plan};
use crate::discover::{ask, dnsmasq, kea, odhcpd, rules, Claim, Source};
use crate::error::{Error, Result};
use crate::file;
use crate::rehearsal::now;
use crate::sysfs::Module;
use crate::Context;

/// Options of both.
#[derive(Debug, clap::Args)]
struct Common {
    /// Where names come from: dnsmasq, kea, odhcpd, mdns or netbios; of leases also with their file
    ///
    /// May be given several times. Without it: the lease files of dnsmasq (/var/lib/misc/dnsmasq.leases) and Kea
    /// (/var/lib/kea/kea-leases4.csv), as far as they are there.
    #[arg(long, value_name = "SOURCE[=FILE]", value_parser = from)]
    from: Vec<From>,
    /// The file that says what is allowed to whom
    #[arg(long, value_name = "FILE", default_value = rules::FILE)]
    rules: PathBuf,
}

/// Propose entries for the hosts of the LAN
///
/// Prints lines that can be loaded: hosts that have a lease or say their name, and are not in the table yet, or at
/// another address. All of them are deny, unless a rule of /etc/natf/discover.toml matches the name. Entries made by
/// hand are never changed; those of discovery have the comment "discovered by …".
///
/// Example: natfctl act discover --from dnsmasq --from mdns --interface lan
#[derive(Debug, clap::Args)]
pub struct Discover {
    #[command(flatten)]
    common: Common,
    /// The interface whose neighbours are asked by mdns and netbios
    #[arg(long, value_name = "IF")]
    interface: Vec<String>,
    /// How many seconds answers of mdns and netbios are waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = wait)]
    wait: f64,
    /// Change the table, at once or not at all
    #[arg(long)]
    apply: bool,
}

/// Follow leases: keep the entries of discovery as they are
///
/// Does what "discover --apply" does whenever leases, rules or the table change, until it is ended, and prints each
/// change. A lease that ends takes its entry with it.
#[derive(Debug, clap::Args)]
pub struct Follow {
    #[command(flatten)]
    common: Common,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = wait)]
    interval: f64,
}

/// How often somebody who wants to end it is listened to.
const SLICE: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
struct From {
    source: Source,
    file: Option<PathBuf>,
}

fn from(text: &str) -> std::result::Result<From, String> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let source = Source::from_str(name, false)
        .map_err(|_| "say dnsmasq, kea, odhcpd, mdns or netbios".to_string())?;
    if file
        .as_ref()
        .is_some_and(|file| file.as_os_str().is_empty() || !source.has_leases())
    {
        return Err(format!("{name} has no such file"));
    }
    Ok(From { source, file })
}

fn wait(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=60.0).contains(&seconds) => Ok(seconds),
        _ => Err("write seconds, from 0.1 to 60".into()),
    }
}

/// What sources said, and which of them said all they know.
#[derive(Default)]
struct Found {
    claims: Vec<Claim>,
    read: BTreeSet<Source>,
}

impl Common {
    /// The lease files that are read: those asked for, else those that are there.
    fn leases(&self) -> Vec<(Source, PathBuf)> {
        let usual = |source| match source {
            Source::Kea => kea::FILE,
            Source::Odhcpd => odhcpd::FILE,
            _ => dnsmasq::FILE,
        };
        if self.from.is_empty() {
            // That of odhcpd is in /tmp, where everybody may put one, so it has to be asked for.
            let known = [Source::Dnsmasq, Source::Kea].map(|source| (source, usual(source).into()));
            let there = |(_, file): &(Source, PathBuf)| file.exists();
            return known.into_iter().filter(there).collect();
        }
        let leases = self.from.iter().filter(|from| from.source.has_leases());
        leases
            .map(|from| {
                let file = from.file.clone();
                (
                    from.source,
                    file.unwrap_or_else(|| usual(from.source).into()),
                )
            })
            .collect()
    }

    /// What a person wants to hear who has named no source, and has no leases where they usually are.
    fn nothing(&self) -> Option<String> {
        (self.from.is_empty() && self.leases().is_empty()).then(|| {
            format!(
                "no leases: neither {} nor {} is there; --from names another source",
                dnsmasq::FILE,
                kea::FILE
            )
        })
    }

    fn read(&self) -> Result<Found> {
        let mut found = Found::default();
        for (source, path) in self.leases() {
            found.claims.extend(match source {
                Source::Kea => {
                    let files = kea::files(&path);
                    let mut texts = Vec::new();
                    for file in &files {
                        if *file == path || file.exists() {
                            texts.push(text(file)?);
                        }
                    }
                    kea::leases(&texts.iter().map(String::as_str).collect::<Vec<_>>())
                }
                Source::Odhcpd => odhcpd::leases(&text(&path)?),
                _ => dnsmasq::leases(&text(&path)?),
            });
            found.read.insert(source);
        }
        Ok(found)
    }

    fn rules(&self) -> Result<rules::Rules> {
        let path = &self.rules;
        if !path.exists() && path == Path::new(rules::FILE) {
            return Ok(rules::Rules::default());
        }
        let text = file::read(path)?;
        rules::Rules::parse(&text)
            .map_err(|(line, why)| Error::Failed(format!("{}:{line}: {why}", path.display())))
    }

    fn plan(&self, table: &str, found: &Found) -> Result<Plan> {
        let rules = self.rules()?;
        Ok(Plan::new(table, &found.claims, &found.read, &rules, now()))
    }
}

/// A lease file, in which a host's name may be of any bytes.
fn text(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&file::bytes(path)?).into_owned())
}

/// Changes the table as it says; it said `table` when the plan was made.
fn apply(context: &Context, plan: &Plan, table: &str) -> Result {
    if plan.changes.is_empty() {
        return Ok(());
    }
    let lines = plan.commands(table);
    super::act::write(&context.sysfs, &lines, |at| {
        lines.lines().nth(at.saturating_sub(1)).unwrap_or("").into()
    })
}

impl Discover {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let found = self.found()?;
        let table = context.sysfs.read_steady(Module::Router, "act")?;
        let plan = self.common.plan(&table, &found)?;
        if self.apply {
            apply(context, &plan, &table)?;
        }
        let output = &mut context.output;
        if output.is_json() {
            output.json(&json!({
                "applied": self.apply, "changes": plan.changes, "left": plan.left,
            }))?;
            return output.line("");
        }
        for change in &plan.changes {
            match (&change.line, &change.was) {
                (Some(line), was) => {
                    if was.is_some() {
                        output.line(format_args!("# {}: {}", change.name, change.why))?;
                    }
                    output.line(line)?;
                }
                (None, was) => {
                    let entry = was
                        .as_deref()
                        .unwrap_or_default()
                        .replacen("add ", "del ", 1);
                    output.line(format_args!("# {entry}: {}", change.why))?;
                }
            }
        }
        for left in &plan.left {
            output.line(said(left))?;
        }
        match self.common.nothing() {
            Some(why) => output.line(format_args!("# {why}")),
            None => Ok(()),
        }
    }

    fn found(&self) -> Result<Found> {
        let mut found = self.common.read()?;
        let asked = self.common.from.iter().map(|from| from.source);
        let asked: BTreeSet<_> = asked.filter(|source| !source.has_leases()).collect();
        if !asked.is_empty() && self.interface.is_empty() {
            return Err(Error::Usage(
                "mdns and netbios ask the hosts of a LAN: say which one with --interface".into(),
            ));
        }
        if asked.is_empty() && !self.interface.is_empty() {
            return Err(Error::Usage(
                "--interface is for --from mdns and --from netbios".into(),
            ));
        }
        let wait = Duration::from_secs_f64(self.wait);
        for interface in &self.interface {
            let neighbours = ask::neighbours(&text(Path::new(ask::NEIGHBOURS))?, interface);
            for source in &asked {
                let claims = ask::ask(*source, interface, &neighbours, wait)
                    .map_err(|error| Error::file(interface, &error))?;
                found.claims.extend(claims);
            }
        }
        Ok(found)
    }
}

/// A comment for a person. What a host calls itself may be anything.
fn said(left: &Left) -> String {
    let Left {
        name,
        address,
        source,
        why,
    } = left;
    format!("# {name:?} at {address} ({source}): {why}")
}

impl Follow {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        if self
            .common
            .from
            .iter()
            .any(|from| !from.source.has_leases())
        {
            return Err(Error::Usage(
                "only leases are followed: dnsmasq, kea, odhcpd".into(),
            ));
        }
        context.sysfs.require(Module::Router)?;
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, ended.clone())
                .map_err(|error| Error::file("signals", &error))?;
        }
        // What was told already, so that a name that cannot be is told once.
        let mut told = HashSet::new();
        let mut wrong = None;
        while !ended.load(Ordering::Relaxed) {
            let next = Instant::now() + Duration::from_secs_f64(self.interval);
            wrong = match self.look(context, &mut told) {
                Ok(()) => None,
                Err(Error::Closed) => return Err(Error::Closed),
                // It may pass: somebody else's transaction, a file that is being written.
                Err(error) => {
                    if wrong.as_ref() != Some(&error) {
                        context.output.complain(&error);
                    }
                    Some(error)
                }
            };
            while Instant::now() < next && !ended.load(Ordering::Relaxed) {
                thread::sleep(SLICE.min(next.saturating_duration_since(Instant::now())));
            }
        }
        Ok(())
    }

    fn look(&self, context: &mut Context, told: &mut HashSet<String>) -> Result {
        let found = self.common.read()?;
        let table = context.sysfs.read_steady(Module::Router, "act")?;
        let plan = self.common.plan(&table, &found)?;
        apply(context, &plan, &table)?;
        let output = &mut context.output;
        for change in &plan.changes {
            if output.is_json() {
                output.done(change)?;
                continue;
            }
            let entry = change.was.as_deref().unwrap_or_default();
            let gone = entry.replacen("add ", "del ", 1);
            let line = change.line.as_deref().unwrap_or(&gone);
            output.line(format_args!("{line} # {}", change.why))?;
        }
        let left = plan.left.iter().map(said).chain(self.common.nothing());
        let left: HashSet<_> = left.collect();
        for line in left.iter().filter(|line| !told.contains(*line)) {
            output.warn(line.trim_start_matches("# "));
        }
        *told = left;
        output.flush()
    }
}
