// SPDX-License-Identifier: GPL-2.0

//! From a name to its virtual address: domains, resolver, name relation table.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use natf::domains::{self, Suffix};
use natf::name::Name;
use natf::vaddr::Prefix;

use crate::diagnosis::resolver::{self, Direct, System};
use crate::diagnosis::{Finding, Place, Report, State};
use crate::error::{Error, Result};
use crate::listing::records;
use crate::record;
use crate::sysfs::{Module, Sysfs};

mod unresolved;

pub use unresolved::hosts_line;
use unresolved::unresolved;

/// Reads a name from the command line.
pub fn parse(text: &str) -> std::result::Result<Name, String> {
    if text.parse::<IpAddr>().is_ok() {
        return Err("this is an address: write the name that applications use".into());
    }
    Name::parse(text.as_bytes()).map_err(|error| error.to_string())
}

/// The counters of the endpoint.
pub struct Counters(HashMap<String, u64>);

impl Counters {
    /// As they are now.
    pub fn read(sysfs: &Sysfs) -> Result<Self> {
        let text = sysfs.read(Module::En, "stats")?;
        let all = records::<record::Counter>(&text);
        Ok(Counters(all.map(|one| (one.name, one.value)).collect()))
    }

    /// How much `name` has grown since `before`.
    pub fn since(&self, before: &Counters, name: &str) -> u64 {
        let value = |all: &Counters| all.0.get(name).copied().unwrap_or(0);
        value(self).saturating_sub(value(before))
    }
}

/// What was asked, and what was said.
pub struct Answers {
    /// By the system's resolver.
    pub system: System,
    /// By the servers that it has.
    pub direct: Vec<Direct>,
}

/// Says how `name` gets its address. Its entry in the table, unless something is wrong; then the report has a finding.
/// With `compare` the servers are asked as well, though all is right.
pub fn diagnose(
    sysfs: &Sysfs,
    name: &Name,
    timeout: Duration,
    compare: bool,
    report: &mut Report,
) -> Result<(Answers, Option<record::Name>)> {
    let loaded = sysfs.is_loaded(Module::En);
    if !loaded {
        report.step("module", State::Problem, "natf_en is not loaded");
        report.finding = Some(Finding::new(
            "not_loaded",
            Place::Here,
            "natf_en is not loaded, so every name keeps the address that the DNS has",
            "modprobe natf_en, then natfctl en domains add DOMAIN; natfctl doctor says what a module needs",
        ));
    } else {
        report.step("module", State::Ok, "natf_en is loaded");
        domain(sysfs, name, report)?;
    }
    let before = loaded.then(|| Counters::read(sysfs)).transpose()?;
    let system = resolver::system(name.as_str(), timeout);
    let after = loaded.then(|| Counters::read(sysfs)).transpose()?;
    let prefix = prefix(sysfs, loaded)?;
    let found = system.ipv4().find(|address| prefix.is_virtual(*address));
    tell_system(&system, found, report);
    let mut answers = Answers {
        system,
        direct: Vec::new(),
    };
    if compare || (found.is_none() && report.finding.is_none()) {
        for server in resolver::own_servers() {
            let direct = resolver::ask(server, name.as_str(), timeout)?;
            tell_direct(&direct, report);
            answers.direct.push(direct);
        }
    }
    if report.finding.is_some() {
        return Ok((answers, None));
    }
    let (Some(before), Some(after)) = (before, after) else {
        return Ok((answers, None));
    };
    let Some(address) = found else {
        report.finding = Some(unresolved(sysfs, name, &answers, &before, &after)?);
        return Ok((answers, None));
    };
    let entry = table(sysfs, name, address, report)?;
    Ok((answers, entry))
}

fn prefix(sysfs: &Sysfs, loaded: bool) -> Result<Prefix> {
    if !loaded {
        return Ok(Prefix::DEFAULT);
    }
    let text = sysfs.read(Module::En, "prefix")?;
    Prefix::parse(text.as_bytes()).ok_or_else(|| Error::Failed(format!("prefix: {}", text.trim())))
}

fn suffixes(sysfs: &Sysfs) -> Result<Vec<Suffix>> {
    let text = sysfs.read(Module::En, "domains")?;
    let all = records::<record::Domain>(&text);
    Ok(all
        .filter_map(|domain| Suffix::parse(domain.0.as_bytes()).ok())
        .collect())
}

fn domain(sysfs: &Sysfs, name: &Name, report: &mut Report) -> Result {
    let all = suffixes(sysfs)?;
    if let Some(split) = domains::split(name.view(), &all) {
        let text = format!("{} of {}", split.host.as_str(), split.domain.as_str());
        report.step("domain", State::Ok, text);
        return Ok(());
    }
    let list: Vec<_> = all.iter().map(Suffix::to_string).collect();
    let list = match list.is_empty() {
        true => "natf_en has no domains".to_string(),
        false => format!("the domains of natf_en are {}", list.join(", ")),
    };
    report.step("domain", State::Problem, &list);
    let is_router = all
        .iter()
        .any(|suffix| matches!(suffix, Suffix::Name(suffix) if suffix == name));
    report.finding = Some(match is_router {
        true => Finding::new(
            "is_router",
            Place::Here,
            format!(
                "{name} is a domain, so it is the name of the router itself and keeps its address"
            ),
            "ask for a host behind it, as HOST.".to_string() + name.as_str(),
        ),
        false => Finding::new(
            "no_domain",
            Place::Here,
            format!("no domain fits {name}, so it keeps the address that the DNS has: {list}"),
            match name.view().split_first() {
                Some((_, rest)) => format!("natfctl en domains add {}", rest.as_str()),
                None => "write the whole name, as alice.home.example.net".into(),
            },
        ),
    });
    Ok(())
}

fn tell_system(system: &System, found: Option<Ipv4Addr>, report: &mut Report) {
    let words = match &system.said {
        Ok(all) => {
            let mut all: Vec<_> = all.iter().map(IpAddr::to_string).collect();
            all.dedup();
            all.join(", ")
        }
        Err(Some(words)) => words.clone(),
        Err(None) => format!("no answer within {} s", system.took.as_secs()),
    };
    // An application that takes the other address goes around.
    let others = system.said.as_ref().is_ok_and(|all| {
        let found = found.map(IpAddr::V4);
        all.iter().any(|address| Some(*address) != found)
    });
    let state = match (found, others, report.finding.is_some()) {
        (Some(_), false, _) => State::Ok,
        (None, _, true) if system.said.is_ok() => State::Ok,
        (Some(_), true, _) => State::Warning,
        (None, ..) => State::Problem,
    };
    report.timed("resolver", state, Some(system.took), words);
}

fn tell_direct(direct: &Direct, report: &mut Report) {
    let server = direct.server;
    let (state, text) = match (&direct.got, &direct.wire) {
        (Err(error), _) => (State::Warning, format!("{server}: {error}")),
        (Ok(got), Some(wire)) if got != wire => (
            State::Ok,
            format!(
                "{server} says {}, of which natf_en makes {}",
                wire.words(),
                got.words()
            ),
        ),
        (Ok(got), _) => (State::Ok, format!("{server} says {}", got.words())),
    };
    let took = Some(Duration::from_micros(direct.micros));
    report.timed("server", state, took, text);
}

fn table(
    sysfs: &Sysfs,
    name: &Name,
    address: Ipv4Addr,
    report: &mut Report,
) -> Result<Option<record::Name>> {
    let text = sysfs.read(Module::En, "nrt")?;
    let entry = records::<record::Name>(&text).find(|entry| entry.address == address);
    let fits = |entry: &record::Name| {
        format!("{}.{}", entry.host, entry.domain).eq_ignore_ascii_case(name.as_str())
    };
    let says = match &entry {
        Some(entry) => {
            let routers: Vec<_> = entry.routers.iter().map(Ipv4Addr::to_string).collect();
            format!(
                "{address} is {} of {}, router {}, for {} s",
                entry.host,
                entry.domain,
                routers.join(", "),
                entry.left
            )
        }
        None => format!("natf_en knows no name with the address {address}"),
    };
    if let Some(entry) = entry.filter(fits) {
        report.step("name", State::Ok, says);
        return Ok(Some(entry));
    }
    report.step("name", State::Problem, &says);
    report.finding = Some(Finding::new(
        "stale_address",
        Place::Resolver,
        format!("the resolver says {address} of {name}, which is out of date: {says}"),
        "flush the cache that has it (resolvectl flush-caches, a restart of nscd, or of the application), and look for it in /etc/hosts",
    ));
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        assert_eq!(parse("Alice.Home.").unwrap().as_str(), "alice.home");
        for wrong in ["", "a..b", "203.0.113.2", "::1", "a b"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
