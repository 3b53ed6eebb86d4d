// SPDX-License-Identifier: GPL-2.0

//! Why a name has no virtual address.

use std::fs;
use std::net::Ipv4Addr;

use natf::name::Name;

use crate::diagnosis::name::{Answers, Counters};
use crate::diagnosis::{resolver, Finding, Place};
use crate::error::Result;
use crate::sysfs::{Module, Sysfs};

/// Why there is no virtual address, though a domain fits the name.
pub(super) fn unresolved(
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
        ("dns_no_router", "no router has such an address"),
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

#[cfg(test)]
mod tests {
    use super::*;

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
