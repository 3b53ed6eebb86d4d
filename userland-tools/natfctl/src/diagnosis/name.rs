// SPDX-License-Identifier: GPL-2.0

//! From a name to its virtual address: domains, resolver, name relation table.

use std::collections::HashMap;
use std::fs;
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

/// Why there is no virtual address, though a domain fits the name.
fn unresolved(
    sysfs: &Sysfs,
    name: &Name,
    answers: &Answers,
    before: &Counters,
    after: &Counters,
) -> Result<Finding> {
    let addresses: Vec<_> = answers.system.ipv4().collect();
    if addresses.is_empty() {
        return Ok(nothing_said(name, answers));
    }
    let addresses: Vec<_> = addresses.iter().map(Ipv4Addr::to_string).collect();
    let addresses = addresses.join(", ");
    if after.since(before, "dns_pool_full") > 0 {
        return Ok(Finding::new(
            "pool_full",
            Place::Here,
            format!("natf_en had no virtual address left for {name} (dns_pool_full), so it keeps {addresses}"),
            "natfctl en tables says how full the names are, natfctl en limits how many there may be; 256 names with equal hashes fill their part of the range",
        ));
    }
    for (counter, why) in [
        ("dns_unasked", "it did not see the question"),
        ("dns_malformed", "it could not be read"),
        ("dns_split", "it came over TCP, in pieces"),
        ("dns_too_long", "it was longer than 4096 bytes"),
    ] {
        if after.since(before, counter) > 0 {
            return Ok(Finding::new(
                "answer_unread",
                Place::Here,
                format!("natf_en passed the DNS answer on unchanged ({counter}): {why}, so {name} keeps {addresses}"),
                "ask another server, over UDP, from this host; natfctl stats en --explain says what was counted",
            ));
        }
    }
    unseen(sysfs, name, answers, &addresses)
}

fn nothing_said(name: &Name, answers: &Answers) -> Finding {
    let system = match &answers.system.said {
        Err(Some(words)) => words.clone(),
        Err(None) => "nothing".into(),
        Ok(_) => "that it has no IPv4 address".into(),
    };
    if answers.direct.is_empty() {
        return Finding::new(
            "no_resolver",
            Place::Here,
            format!(
                "{} names no DNS server, and the resolver says of {name}: {system}",
                resolver::RESOLV_CONF
            ),
            "write a line nameserver ADDRESS there, or let the network's own service do it",
        );
    }
    let said: Vec<_> = answers
        .direct
        .iter()
        .map(|direct| match &direct.got {
            Ok(content) => format!("{} says {}", direct.server, content.words()),
            Err(error) => format!("{}: {error}", direct.server),
        })
        .collect();
    let said = said.join("; ");
    let contents: Vec<_> = answers
        .direct
        .iter()
        .filter_map(|direct| direct.got.as_ref().ok())
        .collect();
    if contents.is_empty() {
        return Finding::new(
            "resolver_silent",
            Place::Resolver,
            format!("no DNS server answers ({said})"),
            format!(
                "look at {}, and whether a firewall drops UDP port 53",
                resolver::RESOLV_CONF
            ),
        );
    }
    if contents.iter().any(|content| content.code == "NXDOMAIN") {
        return Finding::new(
            "no_such_name",
            Place::Resolver,
            format!("the DNS has no name {name} ({said})"),
            "look at the spelling; the zone needs this name, or a wildcard, with the address of the router",
        );
    }
    if contents
        .iter()
        .all(|content| content.code == "NOERROR" && content.addresses.is_empty())
    {
        return Finding::new(
            "no_address",
            Place::Resolver,
            format!("the name {name} has no IPv4 address ({said})"),
            "give it an A record with the address of the router",
        );
    }
    Finding::new(
        "resolver_fails",
        Place::Resolver,
        format!("the resolver says of {name}: {system} ({said})"),
        "mend the resolver: the address has to come from there",
    )
}

/// The resolver has an address that natf_en did not see go by.
fn unseen(sysfs: &Sysfs, name: &Name, answers: &Answers, addresses: &str) -> Result<Finding> {
    let ports = sysfs.read(Module::En, "dns_ports")?;
    let looked_at: Vec<_> = ports.split_ascii_whitespace().collect();
    let looks_at_53 = looked_at.contains(&"53");
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let order = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    let (why, mend) = if in_hosts_file(&hosts, name.as_str()) {
        (
            "it is written in /etc/hosts, which counts before the DNS".to_string(),
            "take the name out of /etc/hosts".to_string(),
        )
    } else if !looks_at_53 {
        (
            format!(
                "natf_en looks at answers from port {} only",
                looked_at.join(" and ")
            ),
            "natfctl en ports 53".into(),
        )
    } else if !answers.direct.is_empty()
        && answers.direct.iter().all(|direct| direct.server.is_ipv6())
    {
        (
            "the DNS servers are asked over IPv6, at which natf_en does not look".into(),
            "name a DNS server by its IPv4 address".into(),
        )
    } else {
        let order = hosts_line(&order).unwrap_or("not given");
        (
            format!(
                "it did not come from UDP or TCP port 53 (DNS over TLS or HTTPS, or a service with a socket of its own; the order in nsswitch.conf is: {order})"
            ),
            "let the resolver ask over port 53, or put natf of libnss-natf before the others in nsswitch.conf"
                .into(),
        )
    };
    Ok(Finding::new(
        "unseen",
        Place::Here,
        format!(
            "the resolver says {addresses} of {name}, and natf_en did not see that answer: {why}"
        ),
        mend,
    ))
}

fn in_hosts_file(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut names = line.split_ascii_whitespace().skip(1);
        names.any(|one| one.trim_end_matches('.').eq_ignore_ascii_case(name))
    })
}

/// What stands behind `hosts:`.
pub fn hosts_line(text: &str) -> Option<&str> {
    let mut lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    lines.find_map(|line| Some(line.trim().strip_prefix("hosts:")?.trim()))
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

    #[test]
    fn the_hosts_file() {
        let text = "127.0.0.1 localhost\n#1.2.3.4 a.b\n203.0.113.2\tx alice.HOME. # c.d\n";
        assert!(in_hosts_file(text, "alice.home"));
        for other in ["a.b", "c.d", "203.0.113.2", "home"] {
            assert!(!in_hosts_file(text, other), "{other}");
        }
    }

    #[test]
    fn the_order_of_services() {
        let text = "passwd: files\n#hosts: x\nhosts:\tfiles resolve [!UNAVAIL=return] dns # y\n";
        assert_eq!(
            hosts_line(text),
            Some("files resolve [!UNAVAIL=return] dns")
        );
        assert_eq!(hosts_line("passwd: files"), None);
    }
}
