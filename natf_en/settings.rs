// SPDX-License-Identifier: GPL-2.0

//! /sys/kernel/natf_en: what a person sets and sees.

use core::fmt::{self, Write};
use core::ops::ControlFlow;
use core::sync::atomic::Ordering;

use kernel::prelude::*;

use crate::endpoint::Endpoint;
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::sysfs::{File, Text};
use crate::natf::domains::{Command, Suffix};
use crate::natf::ports::Ports;
use crate::natf::vaddr::Prefix;
use crate::{names, room};

/// Most suffixes at a time.
const DOMAINS_MAX: usize = 64;

/// The files.
pub(crate) const FILES: &[File<Endpoint>] = &[
    File {
        name: c"domains",
        private: false,
        show: show_domains,
        store: Some(|ns, written| written.whole(store_domains(ns, written.lines))),
    },
    File {
        name: c"prefix",
        private: false,
        show: |ns, out| writeln!(out, "{}", ns.prefix()),
        store: Some(|ns, written| written.whole(store_prefix(ns, written.lines))),
    },
    File {
        name: c"dns_ports",
        private: false,
        show: |ns, out| writeln!(out, "{}", dns_ports(ns)),
        store: Some(|ns, written| written.whole(store_dns_ports(ns, written.lines))),
    },
    File {
        name: c"early",
        private: false,
        show: |ns, out| writeln!(out, "{}", ns.early),
        store: Some(|ns, written| written.whole(ns.early.set(written.lines).ok_or(EINVAL))),
    },
    File {
        name: c"names",
        private: false,
        show: names::show_learnt,
        store: Some(|ns, written| written.whole(names::learn(ns, written.lines))),
    },
    File {
        name: c"nrt",
        private: false,
        show: show_nrt,
        store: Some(|ns, written| written.whole(names::restore(ns, written.lines))),
    },
    File {
        name: c"vat",
        private: false,
        show: show_vat,
        store: None,
    },
    File {
        name: c"limits",
        private: false,
        show: room::show,
        store: Some(|ns, written| written.whole(room::store(ns, written.lines))),
    },
    File {
        name: c"keys",
        private: true,
        show: |ns, out| ns.keys.show(out),
        store: Some(|ns, written| written.whole(ns.keys.store(written.lines))),
    },
    File {
        name: c"stats",
        private: false,
        show: |ns, out| write!(out, "{}", ns.counters),
        store: None,
    },
    File {
        name: c"timings",
        private: false,
        show: |ns, out| ns.timings.show(out),
        store: Some(|ns, written| ns.timings.store(written.lines)),
    },
];

fn show_domains(ns: &Netns<Endpoint>, out: &mut Text<'_>) -> fmt::Result {
    ns.domains
        .get()
        .iter()
        .try_for_each(|suffix| writeln!(out, "add {suffix}"))
}

fn store_domains(ns: &Netns<Endpoint>, lines: &[u8]) -> Result {
    ns.domains.update(|present| {
        let mut new = KVVec::with_capacity(present.len(), GFP_KERNEL)?;
        new.extend_from_slice(present, GFP_KERNEL)?;
        for line in lines.split(|&byte| byte == b'\n') {
            match Command::parse(line).map_err(|_| EINVAL)? {
                None => {}
                Some(Command::Flush) => new.clear(),
                Some(Command::Del(suffix)) => remove(&mut new, &suffix).ok_or(ENOENT)?,
                Some(Command::Add(suffix)) if new.contains(&suffix) => {}
                Some(Command::Add(_)) if new.len() >= DOMAINS_MAX => return Err(ENOSPC),
                Some(Command::Add(suffix)) => new.push(suffix, GFP_KERNEL)?,
            }
        }
        Ok(new)
    })?;
    if !ns.domains.get().is_empty() {
        ns.configured.store(true, Ordering::Relaxed);
    }
    Ok(())
}

fn remove(list: &mut KVVec<Suffix>, suffix: &Suffix) -> Option<()> {
    let at = list.iter().position(|other| other == suffix)?;
    list.remove(at).ok().map(drop)
}

/// Addresses that applications have must not change their meaning: only while there are none.
fn store_prefix(ns: &Netns<Endpoint>, line: &[u8]) -> Result {
    let prefix = Prefix::parse(line).ok_or(EINVAL)?;
    let now = clock::now_ms();
    let alive = ns.nrt.walk(|entry| match entry.is_alive(now) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    if alive.is_some() || ns.outgoing.len() > 0 {
        return Err(EBUSY);
    }
    ns.prefix.store(prefix.first(), Ordering::Relaxed);
    Ok(())
}

fn dns_ports(ns: &Netns<Endpoint>) -> Ports {
    Ports::from_bits(ns.dns_ports.load(Ordering::Relaxed))
}

fn store_dns_ports(ns: &Netns<Endpoint>, line: &[u8]) -> Result {
    let ports = Ports::parse(line).map_err(|_| EINVAL)?;
    ns.dns_ports.store(ports.to_bits(), Ordering::Relaxed);
    Ok(())
}

fn show_nrt(ns: &Netns<Endpoint>, out: &mut Text<'_>) -> fmt::Result {
    let now = clock::now_ms();
    out.table(&ns.nrt, |entry, out| match entry.is_alive(now) {
        true => entry.show(now, out),
        false => Ok(()),
    })
}

fn show_vat(ns: &Netns<Endpoint>, out: &mut Text<'_>) -> fmt::Result {
    let now = clock::now_ms();
    out.table(&ns.outgoing, |flow, out| flow.show(now, out))
}
