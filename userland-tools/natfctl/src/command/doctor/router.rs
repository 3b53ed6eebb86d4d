// SPDX-License-Identifier: GPL-2.0

//! A router: forwarding, conntrack, the NAT's rule, the table.

use std::net::{IpAddr, UdpSocket};
use std::process::Command;

use super::{Check, Files};
use crate::diagnosis::verdict::private;
use crate::error::Result;
use crate::listing::records;
use crate::record::{self, Record};
use crate::sysfs::{Module, Sysfs};

/// Looks at what a router needs.
pub(super) fn router(sysfs: &Sysfs, files: &Files, checks: &mut Vec<Check>) -> Result {
    if sysfs.is_loaded(Module::Router) {
        let act = sysfs.read(Module::Router, "act")?;
        checks.push(table(&act));
        let tables = sysfs.read(Module::Router, "tables")?;
        checks.extend(full(&tables));
    }
    checks.push(forwarding(files));
    checks.push(conntrack(files));
    checks.push(nat(&rules()));
    checks.push(echo(files));
    checks.extend(outside());
    Ok(())
}

fn table(text: &str) -> Check {
    let all = records::<record::Act>(text).count();
    let allow = text
        .lines()
        .any(|line| line.split_whitespace().any(|word| word == "allow"));
    match (all, allow) {
        (0, _) => Check::problem(
            "act",
            "the access control table is empty, so natf_router does nothing here",
            "natfctl act add HOST ADDRESS allow",
        ),
        (_, false) => Check::warning(
            "act",
            format!("{all} entries, and none allows anything"),
            "natfctl act add HOST ADDRESS allow",
        ),
        _ => Check::ok("act", format!("{all} entries")),
    }
}

fn full(text: &str) -> Option<Check> {
    let full: Vec<_> = records::<record::Occupancy>(text)
        .filter(|table| table.mark() == record::Mark::Bad)
        .map(|table| table.name)
        .collect();
    (!full.is_empty()).then(|| {
        Check::problem(
            "tables",
            format!("full: {}", full.join(", ")),
            "natfctl router tables tells of what; requests for new mappings are refused until there is room",
        )
    })
}

fn forwarding(files: &Files) -> Check {
    match files.is("proc/sys/net/ipv4/ip_forward", "1") {
        true => Check::ok("forwarding", "on"),
        false => Check::problem(
            "forwarding",
            "off, so nothing goes through this router",
            "sysctl -w net.ipv4.ip_forward=1, and the same in /etc/sysctl.d",
        ),
    }
}

fn conntrack(files: &Files) -> Check {
    let number = |name: &str| -> Option<u64> {
        let text = files.read(&format!("proc/sys/net/netfilter/nf_conntrack_{name}"))?;
        text.trim().parse().ok()
    };
    let text = |count, max| format!("{count} of {max} entries");
    match (number("count"), number("max")) {
        (Some(count), Some(max)) if count >= max => Check::problem(
            "conntrack",
            format!("full: {}", text(count, max)),
            "sysctl -w net.netfilter.nf_conntrack_max=NUMBER",
        ),
        (Some(count), Some(max)) if count > max / 10 * 9 => Check::warning(
            "conntrack",
            format!("nearly full: {}", text(count, max)),
            "sysctl -w net.netfilter.nf_conntrack_max=NUMBER",
        ),
        (Some(count), Some(max)) => Check::ok("conntrack", text(count, max)),
        _ => Check::problem(
            "conntrack",
            "nf_conntrack is not loaded, so there is no NAT",
            "modprobe natf_router loads it, and so does a NAT rule",
        ),
    }
}

/// All rules, as the programs list them that are there; `None` if none is.
fn rules() -> Option<String> {
    let programs: [&[&str]; 3] = [
        &["nft", "list", "ruleset"],
        &["iptables-save", "-t", "nat"],
        &["iptables-legacy-save", "-t", "nat"],
    ];
    let texts = programs.iter().filter_map(|words| {
        let (program, args) = words.split_first()?;
        let output = Command::new(program).args(args).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.concat())
}

fn nat(rules: &Option<String>) -> Check {
    let Some(rules) = rules else {
        return Check::warning(
            "nat rule",
            "neither nft nor iptables is there to tell",
            "look whether a rule translates what leaves this router",
        );
    };
    let translates = rules.lines().map(str::trim).find(|line| {
        let line = line.to_ascii_lowercase();
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == "masquerade" || word == "snat") && !line.starts_with("type nat")
    });
    match translates {
        Some(rule) => Check::ok("nat rule", rule),
        None => Check::problem(
            "nat rule",
            "no rule translates what leaves this router (masquerade or snat)",
            "nft add table ip nat; nft add chain ip nat postrouting '{ type nat hook postrouting priority srcnat; }'; nft add rule ip nat postrouting oifname OUTSIDE masquerade",
        ),
    }
}

fn echo(files: &Files) -> Check {
    match files.is("proc/sys/net/ipv4/icmp_echo_ignore_all", "1") {
        false => Check::ok(
            "echo",
            "pings are answered, as far as the firewall lets them",
        ),
        true => Check::ok(
            "echo",
            "pings are ignored (icmp_echo_ignore_all); requests of NAT-f are answered all the same",
        ),
    }
}

/// The address towards the internet. No packet is sent.
fn outside() -> Option<Check> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // An address of the documentation is as far away as any.
    let connected = socket
        .connect(("192.0.2.1", 9))
        .and_then(|()| socket.local_addr());
    let IpAddr::V4(address) = connected.ok()?.ip() else {
        return None;
    };
    Some(match private(address) {
        None => Check::ok("outside", address.to_string()),
        Some(kind) => Check::warning(
            "outside",
            format!("{address}, {kind}: another NAT is between this router and the internet, and nobody reaches it from there"),
            "ask the carrier for a public address, or have the NAT before send everything on to this router",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::State;

    #[test]
    fn rules_that_translate() {
        let state = |text: &str| nat(&Some(text.into())).state;
        for rule in [
            "table ip nat {\n chain p {\n type nat hook postrouting priority srcnat;\n oifname \"wan\" masquerade\n}",
            "-A POSTROUTING -o wan -j MASQUERADE",
            "-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.2",
            "oifname \"wan\" snat to 203.0.113.2",
        ] {
            assert_eq!(state(rule), State::Ok, "{rule}");
        }
        for none in [
            "",
            "type nat hook postrouting priority srcnat; policy accept;",
            "ip saddr 1.2.3.4 dnat to 5.6.7.8",
        ] {
            assert_eq!(state(none), State::Problem, "{none}");
        }
        assert_eq!(nat(&None).state, State::Warning);
    }
}
