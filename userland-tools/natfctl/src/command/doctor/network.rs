// SPDX-License-Identifier: GPL-2.0

//! An endpoint: route, resolver, domains; and what both sides have, keys and a clock.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use natf::vaddr::Prefix;

use super::{Check, Files};
use crate::diagnosis::name::hosts_line;
use crate::diagnosis::resolver;
use crate::error::{words, Result};
use crate::listing::records;
use crate::record;
use crate::sysfs::{Module, Sysfs};

/// Looks at what an endpoint needs.
pub(super) fn endpoint(sysfs: &Sysfs, files: &Files, checks: &mut Vec<Check>) -> Result {
    let loaded = sysfs.is_loaded(Module::En);
    let mut prefix = Prefix::DEFAULT;
    if loaded {
        let domains = sysfs.read(Module::En, "domains")?;
        checks.push(domains_check(&domains));
        let text = sysfs.read(Module::En, "prefix")?;
        prefix = Prefix::parse(text.as_bytes()).unwrap_or(prefix);
    }
    checks.push(route(prefix));
    checks.push(servers(files));
    checks.push(order(files));
    if loaded {
        let ports = sysfs.read(Module::En, "dns_ports")?;
        checks.extend(dns_ports(&ports));
    }
    Ok(())
}

fn domains_check(text: &str) -> Check {
    let all: Vec<_> = records::<record::Domain>(text).map(|one| one.0).collect();
    match all.is_empty() {
        false => Check::ok("domains", all.join(", ")),
        true => Check::problem(
            "domains",
            "none, so natf_en does nothing here",
            "natfctl en domains add DOMAIN, as home.example.net",
        ),
    }
}

fn route(prefix: Prefix) -> Check {
    let to = Ipv4Addr::new(prefix.first(), 0, 1, 1);
    // Connecting a datagram socket looks for the route, and sends nothing.
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((to, 9))?;
        socket.local_addr()
    });
    match found {
        Ok(local) => Check::ok("route", format!("to {prefix}, from {}", local.ip())),
        Err(error) => Check::problem(
            "route",
            format!("none to {prefix}: {}", words(&error)),
            format!("ip route add {prefix} dev lo (any interface does), or have a default route"),
        ),
    }
}

fn servers(files: &Files) -> Check {
    let text = files.read("etc/resolv.conf").unwrap_or_default();
    let all = resolver::servers(&text);
    let words: Vec<_> = all.iter().map(IpAddr::to_string).collect();
    if all.is_empty() {
        return Check::problem(
            "resolver",
            "/etc/resolv.conf names no DNS server",
            "write a line nameserver ADDRESS there, or let the network's own service do it",
        );
    }
    if all.iter().all(IpAddr::is_ipv6) {
        return Check::problem(
            "resolver",
            format!(
                "{}: asked over IPv6, at which natf_en does not look",
                words.join(", ")
            ),
            "name a DNS server by its IPv4 address",
        );
    }
    let strict = tls(files);
    match strict {
        Some(value) => Check::warning(
            "resolver",
            format!("systemd-resolved asks over TLS (DNSOverTLS={value}), which natf_en cannot see"),
            "let it ask in plain for these domains, or put natf of libnss-natf first in nsswitch.conf",
        ),
        None => Check::ok("resolver", words.join(", ")),
    }
}

/// The setting of systemd-resolved, if it asks over TLS.
fn tls(files: &Files) -> Option<String> {
    let mut texts = vec![files.read("etc/systemd/resolved.conf").unwrap_or_default()];
    let mut more: Vec<_> = fs::read_dir(files.path("etc/systemd/resolved.conf.d"))
        .map(|all| all.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    more.sort();
    texts.extend(more.iter().filter_map(|path| fs::read_to_string(path).ok()));
    let settings = texts.iter().flat_map(|text| text.lines());
    // The last one counts.
    let value = settings
        .filter_map(|line| line.trim().strip_prefix("DNSOverTLS="))
        .last()?;
    (!matches!(value.trim(), "no" | "false" | "0" | "off" | "")).then(|| value.trim().to_string())
}

fn order(files: &Files) -> Check {
    let text = files.read("etc/nsswitch.conf").unwrap_or_default();
    let line = hosts_line(&text).unwrap_or("files dns");
    let place = |service: &str| {
        line.split_ascii_whitespace()
            .position(|word| word == service)
    };
    let before = |one: &str, other: Option<usize>| match (place(one), other) {
        (Some(one), Some(other)) => one < other,
        (one, None) => one.is_some(),
        _ => false,
    };
    let dns = place("dns");
    let text = format!("hosts: {line}");
    match place("natf") {
        Some(_) if before("resolve", place("natf")) => Check::warning(
            "nsswitch",
            text,
            "put natf before resolve in /etc/nsswitch.conf: resolve answers before it is asked",
        ),
        Some(_) => Check::ok("nsswitch", text),
        None if before("resolve", dns) => Check::warning(
            "nsswitch",
            text,
            "resolve asks systemd-resolved over a socket: names have virtual addresses as long as it asks in plain; libnss-natf does not depend on that",
        ),
        None if dns.is_none() => Check::problem(
            "nsswitch",
            format!("{text}: nothing asks the DNS"),
            "add dns to the line hosts: of /etc/nsswitch.conf",
        ),
        None => Check::ok("nsswitch", text),
    }
}

fn dns_ports(text: &str) -> Option<Check> {
    let mut ports = text.split_ascii_whitespace();
    (!ports.any(|port| port == "53")).then(|| {
        Check::problem(
            "dns ports",
            format!("natf_en looks at answers from port {} only", text.trim()),
            "natfctl en ports 53",
        )
    })
}

/// Whether a module of these has a key.
pub(super) fn has_keys(sysfs: &Sysfs, roles: &[Module]) -> Result<bool> {
    for role in roles.iter().filter(|role| sysfs.is_loaded(**role)) {
        let text = sysfs.read(*role, "keys")?;
        if !text.trim().is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks for keys that others than root may read, below `/etc/natf`.
pub(super) fn key_files(files: &Files) -> Check {
    let mut found = (0, Vec::new());
    collect(&files.path("etc/natf"), &mut found, 4);
    let (keys, open) = found;
    match (keys, open.is_empty()) {
        (0, _) => Check::ok("key files", "none in /etc/natf"),
        (_, true) => Check::ok("key files", format!("{keys} in /etc/natf, for root alone")),
        (_, false) => Check::problem(
            "key files",
            format!("others than root may read {}", open.join(", ")),
            "chmod 600 them, and if somebody may have read one, make another key",
        ),
    }
}

fn collect(folder: &Path, found: &mut (usize, Vec<String>), depth: u32) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        if about.is_dir() && depth > 0 {
            collect(&path, found, depth - 1);
        }
        let is_key = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let text = match about.is_file() && about.len() < 1 << 20 {
            true => fs::read_to_string(&path).unwrap_or_default(),
            false => String::new(),
        };
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
        if words.any(is_key) {
            found.0 += 1;
            if about.permissions().mode() & 0o077 != 0 {
                found.1.push(path.display().to_string());
            }
        }
    }
}

/// Whether the clock can be right, and is kept so: requests that are signed, and entries that end, need it.
pub(super) fn clock(files: &Files, keys: bool) -> Check {
    /// The first second of 2025.
    const WRITTEN: u64 = 1_735_689_600;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let mend = "timedatectl set-ntp true, or install chrony";
    if now < WRITTEN {
        return Check::problem(
            "clock",
            format!("{now} s since 1970: that is long ago"),
            mend,
        );
    }
    match synchronised(files) {
        Some(true) => Check::ok("clock", "kept right by NTP"),
        _ if !keys => Check::ok("clock", "not kept right by NTP as far as can be seen; no key needs it"),
        Some(false) => Check::warning("clock", "not kept right by NTP, and there are keys: signed requests count for 30 s", mend),
        None => Check::warning("clock", "nothing tells whether it is kept right by NTP, and there are keys: signed requests count for 30 s", mend),
    }
}

fn synchronised(files: &Files) -> Option<bool> {
    if files.path("run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let output = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output()
        .ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}
