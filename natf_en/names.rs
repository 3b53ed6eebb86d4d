// SPDX-License-Identifier: GPL-2.0

//! Names get their virtual addresses, and keep them.

use core::fmt;
use core::net::Ipv4Addr;
use core::sync::atomic::Ordering;

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::endpoint::Endpoint;
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::sysfs::Text;
use crate::natf::domains::{self, Split};
use crate::natf::nrt;
use crate::natf::siphash;
use crate::natf::told::Told;
use crate::{renewal, room, tick};

/// What is left of a name that had to make room while applications may still have its address.
pub(crate) struct SetAside {
    /// In milliseconds since boot.
    pub(crate) until: u64,
    /// Which name it was.
    name: u64,
}

/// A number that stands for a name, and that nobody outside can make another name have.
fn number(ns: &Netns<Endpoint>, host: &[u8], domain: &[u8]) -> u64 {
    let [a, b] = [host, domain].map(|part| siphash::hash(&ns.secret, part).to_be_bytes());
    siphash::hash(&ns.secret, [a, b].as_flattened())
}

/// Forgets a name to make room. Its address stays its own; if there is no room for that, so does the name.
pub(crate) fn evict(ns: &Netns<Endpoint>, entry: &nrt::Entry, now: u64) -> Result {
    let Some(until) = entry.set_aside_until(now) else {
        return Ok(());
    };
    let name = number(ns, entry.host.as_bytes(), entry.domain.as_bytes());
    let key = nrt::Entry::key(entry.addr);
    ns.set_aside.remove_key(&key);
    ns.set_aside.insert(key, SetAside { until, name })
}

/// The virtual address of a name, now known for `ttl` seconds. `None`: none is free, or no memory.
pub(crate) fn virtual_address(
    ns: &Netns<Endpoint>,
    name: Split<'_>,
    routers: &[Ipv4Addr],
    ttl: u32,
) -> Option<Ipv4Addr> {
    let now = clock::now_ms();
    let guard = rcu::read_lock();
    let candidates = || ns.prefix().candidates(name.domain, name.host);
    let aside = |addr: &Ipv4Addr| {
        let found = ns.set_aside.get(&nrt::Entry::key(*addr), &guard)?;
        (found.until >= now).then_some(found.name)
    };
    // Hardly ever is there anything of the kind.
    let number =
        (ns.set_aside.len() > 0).then(|| number(ns, name.host.as_bytes(), name.domain.as_bytes()));
    // The address that the name has already, or had, goes before the first free one: names with the same
    // hash must not change places.
    let own = candidates()
        .find(|addr| {
            ns.nrt
                .get(&nrt::Entry::key(*addr), &guard)
                .is_some_and(|entry| entry.is(name.host, name.domain))
        })
        .or_else(|| candidates().find(|addr| number.is_some() && aside(addr) == number));
    ns.kick(room::pause(&ns.nrt));
    for addr in Iterator::chain(own.into_iter(), candidates()) {
        let key = nrt::Entry::key(addr);
        let fresh = || {
            let (host, domain) = (name.host.to_name(), name.domain.to_name());
            let entry = nrt::Entry::new(addr, host, domain, routers);
            entry.refresh(now, ttl);
            Arc::new(entry, GFP_ATOMIC).ok()
        };
        match ns.nrt.get(&key, &guard) {
            Some(entry) if !entry.is(name.host, name.domain) => continue,
            // The router has moved: a new entry for new flows, the old one for those that have it.
            Some(entry) if !entry.is_at(routers) => {
                if ns.nrt.exchange(entry, fresh()?).ok()? {
                    entry.set_replaced();
                    if entry.has_left(routers) {
                        renewal::doubt(ns, entry);
                    }
                }
            }
            Some(_) => {}
            None if number.is_some() && aside(&addr).is_some_and(|other| Some(other) != number) => {
                continue
            }
            None => match ns.nrt.insert(key, fresh()?) {
                // Another CPU may have been quicker, with this name or with another.
                Ok(()) | Err(EEXIST) => {}
                Err(_) => return None,
            },
        }
        let entry = ns.nrt.get(&key, &guard)?;
        if entry.is(name.host, name.domain) {
            entry.refresh(now, ttl);
            return Some(addr);
        }
    }
    None
}

/// Takes back names as `nrt` showed them, before a reload or a reboot: two names with the same hash keep the
/// addresses that applications know.
///
/// # Errors
///
/// `EINVAL`: a line is none, its address is not one of the name's, or a router's address cannot be one; then
/// nothing has changed. `EEXIST`: another name has the address. `ENOSPC`, `ENOMEM`.
pub(crate) fn restore(ns: &Netns<Endpoint>, lines: &[u8]) -> Result {
    let now = clock::now_ms();
    let prefix = ns.prefix();
    let entries = || {
        lines
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
            .map(|line| {
                nrt::Entry::parse(line, now).filter(|entry| {
                    prefix
                        .candidates(entry.domain.view(), entry.host.view())
                        .any(|addr| addr == entry.addr)
                        && entry.routers().iter().all(|addr| prefix.is_mappable(*addr))
                })
            })
    };
    if entries().any(|entry| entry.is_none()) {
        return Err(EINVAL);
    }
    ns.kick(tick::SWEEP_MS);
    for entry in entries().flatten() {
        let key = nrt::Entry::key(entry.addr);
        let entry = Arc::new(entry, GFP_KERNEL)?;
        match ns.nrt.insert(key, entry.clone()) {
            Err(EEXIST) => {
                let guard = rcu::read_lock();
                let present = ns.nrt.get(&key, &guard);
                if !present.is_some_and(|other| other.is(entry.host.view(), entry.domain.view())) {
                    return Err(EEXIST);
                }
            }
            result => result?,
        }
    }
    Ok(())
}

/// Takes names that somebody asked for where no DNS answer could be seen. May sleep.
///
/// # Errors
///
/// `EINVAL`: a line is none, or an address cannot be a router's. `ENOENT`: a name is under no suffix. In both cases
/// nothing has changed. `ENOSPC`: no address is free, or no memory; names before that one have theirs.
pub(crate) fn learn(ns: &Netns<Endpoint>, lines: &[u8]) -> Result {
    let prefix = ns.prefix();
    let suffixes = ns.domains.get();
    let told = || lines.split(|&byte| byte == b'\n').map(Told::parse);
    let is_mappable = |told: &Told| {
        let mut routers = told.routers.as_slice().iter();
        routers.all(|addr| prefix.is_mappable(*addr))
    };
    for line in told() {
        match line.ok_or(EINVAL)? {
            Some(told) if !is_mappable(&told) => return Err(EINVAL),
            Some(told) if domains::split(told.name.view(), suffixes.iter()).is_none() => {
                return Err(ENOENT)
            }
            _ => {}
        }
    }
    for told in told().flatten().flatten() {
        let split = domains::split(told.name.view(), suffixes.iter()).ok_or(ENOENT)?;
        let addr = virtual_address(ns, split, told.routers.as_slice(), told.ttl).ok_or(ENOSPC)?;
        ns.told.store(addr.to_bits(), Ordering::Relaxed);
    }
    Ok(())
}

/// Shows the name that was taken last by [`learn`], as `nrt` does.
pub(crate) fn show_learnt(ns: &Netns<Endpoint>, out: &mut Text<'_>) -> fmt::Result {
    let now = clock::now_ms();
    let addr = Ipv4Addr::from_bits(ns.told.load(Ordering::Relaxed));
    let guard = rcu::read_lock();
    match ns.nrt.get(&nrt::Entry::key(addr), &guard) {
        Some(entry) if entry.is_alive(now) => entry.show(now, out),
        _ => Ok(()),
    }
}
