// SPDX-License-Identifier: GPL-2.0

//! A DNS answer comes in: names under a configured suffix get a virtual address.

use core::net::Ipv4Addr;

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::endpoint::{Endpoint, PREFIX};
use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::domains;
use crate::natf::nrt;
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::dns as wire;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::udp;
use crate::tick;

/// Port of DNS servers.
const PORT: u16 = 53;

/// Longest answer that is looked at, in bytes; EDNS0 servers send less over UDP.
const MAX_LEN: usize = 4096;

/// How long a query waits for its answer, in milliseconds.
const QUERY_MS: u64 = 10_000;

/// LOCAL_IN, after all: only what the firewall let through is worth rewriting.
pub(crate) struct AnswerHook;

impl hook::Hook<Endpoint> for AnswerHook {
    const POINT: Point = Point::LocalIn;
    const PRIORITY: i32 = i32::MAX - 1;

    fn handle(ns: &Netns<Endpoint>, mut skb: Skb, _state: &State<'_>) -> Verdict {
        if ns.is_active() {
            if let Err(counter) = answer(ns, &mut skb) {
                ns.counters.bump(counter);
            }
        }
        Verdict::Accept(skb)
    }
}

/// A DNS message inside a packet.
struct Found {
    /// Where the UDP header starts.
    transport: usize,
    /// Where the message starts and ends.
    message: core::ops::Range<usize>,
    /// This host's address and port.
    local: (Ipv4Addr, u16),
    /// The server's address.
    server: Ipv4Addr,
    /// Transaction id.
    id: u16,
}

impl Found {
    /// The key of the query in its table.
    fn key(&self) -> [u8; 16] {
        let [l0, l1, l2, l3] = self.local.0.octets();
        let [s0, s1, s2, s3] = self.server.octets();
        let [p0, p1] = self.local.1.to_be_bytes();
        let [i0, i1] = self.id.to_be_bytes();
        [l0, l1, l2, l3, s0, s1, s2, s3, p0, p1, i0, i1, 0, 0, 0, 0]
    }
}

/// Finds the DNS message of a packet from (`answer`) or to port 53. Cheap for all others.
fn find(skb: &mut Skb, answer: bool) -> Option<Found> {
    let ip = ipv4::Packet::new_header_checked(skb.ip_header()?).ok()?;
    if ip.protocol() != Protocol::Udp || ip.is_fragment() {
        return None;
    }
    let transport = ip.header_len();
    let start = transport.checked_add(udp::HEADER_LEN)?;
    let head = skb.head(start.checked_add(2)?)?;
    let ip = ipv4::Packet::new_header_checked(head).ok()?;
    let header = udp::Packet::new_header_checked(head.get(transport..)?).ok()?;
    let (src, dst) = ((ip.src(), header.src_port()), (ip.dst(), header.dst_port()));
    let (local, remote) = if answer { (dst, src) } else { (src, dst) };
    if remote.1 != PORT {
        return None;
    }
    let end = transport.checked_add(usize::from(header.len()))?;
    let id = u16::from_be_bytes(*head.get(start..)?.first_chunk()?);
    (end <= skb.len()).then_some(Found {
        transport,
        message: start..end,
        local,
        server: remote.0,
        id,
    })
}

/// Remembers a query that leaves, so that its answer will be trusted.
pub(crate) fn note_query(ns: &Netns<Endpoint>, skb: &mut Skb) {
    if !ns.is_active() {
        return;
    }
    if let Some(query) = find(skb, false) {
        let until = clock::now_ms().saturating_add(QUERY_MS);
        // The same query again starts its time anew.
        ns.queries.remove(&query.key());
        if ns.queries.insert(query.key(), until).is_err() {
            ns.counters.bump(En::QueriesFull);
        }
        ns.kick(tick::SWEEP_MS);
    }
}

/// Rewrites the answer in `skb` if it is one for a name of ours.
///
/// # Errors
///
/// The counter of the reason why one that is, or may be, passes on unchanged.
fn answer(ns: &Netns<Endpoint>, skb: &mut Skb) -> Result<(), En> {
    let Some(found) = find(skb, true) else {
        return Ok(());
    };
    let asked = ns.queries.remove(&found.key());
    if found.message.len() > MAX_LEN {
        return Err(En::DnsTooLong);
    }
    let bytes = skb.head(found.message.end).ok_or(En::DnsMalformed)?;
    let message = bytes.get(found.message.clone()).ok_or(En::DnsMalformed)?;
    let answer = match wire::inspect(message) {
        Ok(Some(answer)) => answer,
        Ok(None) => return Ok(()),
        Err(_) => return Err(En::DnsMalformed),
    };
    let Some(router) = answer.addresses.as_slice().first().copied() else {
        return Ok(());
    };
    // A resolver of this host passes on what was rewritten already.
    if PREFIX.is_virtual(router) {
        return Ok(());
    }
    let suffixes = ns.domains.get();
    let Some(split) = domains::split(answer.name.view(), suffixes.iter()) else {
        return Ok(());
    };
    if !asked {
        return Err(En::DnsUnasked);
    }
    let addr = virtual_address(ns, split, router, answer.ttl).ok_or(En::DnsPoolFull)?;
    rewrite(skb, &found, addr).ok_or(En::DnsMalformed)?;
    ns.counters.bump(En::DnsRewritten);
    Ok(())
}

/// The virtual address of a name, now known for `ttl` seconds. `None`: none is free, or no memory.
fn virtual_address(
    ns: &Netns<Endpoint>,
    name: domains::Split<'_>,
    router: Ipv4Addr,
    ttl: u32,
) -> Option<Ipv4Addr> {
    let now = clock::now_ms();
    let guard = rcu::read_lock();
    for addr in PREFIX.candidates(name.domain, name.host) {
        let key = nrt::Entry::key(addr);
        match ns.nrt.get(&key, &guard) {
            Some(entry) if !entry.is(name.host, name.domain) => continue,
            // The router has moved: a new entry for new flows, the old one for those that have it.
            Some(entry) if entry.router != router => {
                ns.nrt.remove(&key);
            }
            _ => {}
        }
        if ns.nrt.get(&key, &guard).is_none() {
            let (host, domain) = (name.host.to_name(), name.domain.to_name());
            let entry = nrt::Entry::new(addr, host, domain, router, now, ttl);
            match ns.nrt.insert(key, Arc::new(entry, GFP_ATOMIC).ok()?) {
                // Another CPU may have been quicker, with this name or with another.
                Ok(()) | Err(EEXIST) => {}
                Err(_) => return None,
            }
        }
        let entry = ns.nrt.get(&key, &guard)?;
        if entry.is(name.host, name.domain) {
            entry.refresh(now, ttl);
            ns.kick(tick::SWEEP_MS);
            return Some(addr);
        }
    }
    None
}

/// Puts `addr` into the answer and mends the UDP checksum. `None`: no memory.
fn rewrite(skb: &mut Skb, found: &Found, addr: Ipv4Addr) -> Option<()> {
    let partial = skb.checksum_is_partial();
    let bytes = skb.writable(found.message.end)?;
    let message = bytes.get_mut(found.message.clone())?;
    let mut delta = Delta::new();
    wire::rewrite(message, addr, None, &mut delta).ok()?;
    // Nothing to do where the checksum is still to be made, or where there is none. The sum over the
    // whole packet that a device may have left in the sk_buff stays true, as data and checksum balance.
    if !partial {
        let header = bytes.get_mut(found.transport..)?;
        let mut udp = udp::Packet::new_header_checked(header).ok()?;
        udp.set_checksum(delta.apply_udp(udp.checksum()));
    }
    Some(())
}
