// SPDX-License-Identifier: GPL-2.0

//! A DNS answer comes in: names under a configured suffix get a virtual address.

use core::net::Ipv4Addr;
use core::ops::Range;
use core::sync::atomic::Ordering;

use kernel::prelude::*;

use crate::endpoint::Endpoint;
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::linux::table::Key;
use crate::natf::counters::En;
use crate::natf::domains;
use crate::natf::ports::Ports;
use crate::natf::siphash;
use crate::natf::timings::En as Stage;
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::dns::{self as wire, Question};
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::{ports, tcp, udp};
use crate::{names, room};

/// Longest answer that is looked at, in bytes; EDNS0 servers send less.
const MAX_LEN: usize = 4096;

/// How long a query waits for its answer, in milliseconds.
const QUERY_MS: u64 = 10_000;

/// What is remembered of a query that went out, under the addresses, port and id of its answer.
pub(crate) struct Query {
    /// When it is forgotten, in milliseconds since boot.
    pub(crate) until: u64,
    /// What it asked.
    question: u64,
}

/// A number that stands for a question, and that nobody outside can make another question have.
fn number(ns: &Netns<Endpoint>, question: &Question) -> u64 {
    siphash::hash(&ns.secret, question.name.as_bytes()) ^ u64::from(question.qtype)
}

/// A DNS message inside a packet.
struct Found {
    /// UDP or TCP.
    protocol: Protocol,
    /// Where its header starts.
    transport: usize,
    /// Where the message starts and ends.
    message: Range<usize>,
    /// Whether that is all that the packet holds: over TCP there may be more, or only a part.
    whole: bool,
    /// This host's address and port.
    local: (Ipv4Addr, u16),
    /// The server's address.
    server: Ipv4Addr,
    /// Transaction id.
    id: u16,
}

impl Found {
    /// The key of the query in its table.
    fn key(&self) -> Key {
        let [l0, l1, l2, l3] = self.local.0.octets();
        let [s0, s1, s2, s3] = self.server.octets();
        let [p0, p1] = self.local.1.to_be_bytes();
        let [i0, i1] = self.id.to_be_bytes();
        [l0, l1, l2, l3, s0, s1, s2, s3, p0, p1, i0, i1, 0, 0, 0]
    }
}

/// A packet from or to a DNS server.
struct Carrier {
    /// UDP or TCP.
    protocol: Protocol,
    /// Where its header starts.
    transport: usize,
    /// Where the packet ends.
    total: usize,
    /// This host's address and port.
    local: (Ipv4Addr, u16),
    /// The server's address.
    server: Ipv4Addr,
}

/// Whether a packet comes from (`answer`) or goes to a DNS server. Cheap for all others.
fn carrier(ns: &Netns<Endpoint>, skb: &mut Skb, answer: bool) -> Option<Carrier> {
    let ip = ipv4::Packet::new_header_checked(skb.linear()).ok()?;
    let protocol = ip.protocol();
    if !matches!(protocol, Protocol::Udp | Protocol::Tcp) || ip.is_fragment() {
        return None;
    }
    let (transport, total) = (ip.header_len(), usize::from(ip.total_len()));
    let (src, dst) = (ip.src(), ip.dst());
    let head = skb.head(transport.checked_add(4)?)?;
    let (src_port, dst_port) = ports(head.get(transport..)?)?;
    let (src, dst) = ((src, src_port), (dst, dst_port));
    let (local, remote) = if answer { (dst, src) } else { (src, dst) };
    if !Ports::from_bits(ns.dns_ports.load(Ordering::Relaxed)).contains(remote.1) {
        return None;
    }
    Some(Carrier {
        protocol,
        transport,
        total,
        local,
        server: remote.0,
    })
}

/// Finds the DNS message in a packet from or to a DNS server, or its start over TCP.
fn find(skb: &mut Skb, carrier: Carrier) -> Option<Found> {
    let Carrier {
        protocol,
        transport,
        total,
        local,
        server,
    } = carrier;
    let (message, whole) = match protocol {
        Protocol::Udp => datagram(skb, transport)?,
        _ => segment(skb, transport, total)?,
    };
    let id_end = message.start.checked_add(2)?;
    let id = *skb.head(id_end)?.get(message.start..)?.first_chunk()?;
    Some(Found {
        protocol,
        transport,
        message,
        whole,
        local,
        server,
        id: u16::from_be_bytes(id),
    })
}

/// Where the message of a UDP datagram is.
fn datagram(skb: &mut Skb, transport: usize) -> Option<(Range<usize>, bool)> {
    let start = transport.checked_add(udp::HEADER_LEN)?;
    let head = skb.head(start)?;
    let header = udp::Packet::new_header_checked(head.get(transport..)?).ok()?;
    let end = transport.checked_add(usize::from(header.len()))?;
    (start < end && end <= skb.len()).then_some((start..end, true))
}

/// Where the first message of a TCP segment is, behind its length (RFC 1035, 4.2.2), and whether it is
/// there completely and alone.
fn segment(skb: &mut Skb, transport: usize, total: usize) -> Option<(Range<usize>, bool)> {
    let head = skb.head(transport.checked_add(tcp::HEADER_LEN)?)?;
    let header = tcp::Packet::new_header_checked(head.get(transport..)?).ok()?;
    let payload = transport.checked_add(header.header_len())?;
    let start = payload.checked_add(2)?;
    let len = *skb.head(start)?.get(payload..)?.first_chunk()?;
    let end = start.checked_add(usize::from(u16::from_be_bytes(len)))?;
    Some((start..end, end == total && end <= skb.len()))
}

/// Remembers a query that leaves, so that its answer will be trusted.
pub(crate) fn note_query(ns: &Netns<Endpoint>, skb: &mut Skb) {
    if !ns.is_active() {
        return;
    }
    let Some(carrier) = carrier(ns, skb, false) else {
        return;
    };
    // The answer to a host behind this one must come by here.
    skb.stay_slow();
    let Some(found) = find(skb, carrier) else {
        return;
    };
    let start = found.message.start;
    let end = found
        .message
        .end
        .min(start.saturating_add(wire::QUESTION_END))
        .min(skb.len());
    let message = skb.head(end).and_then(|bytes| bytes.get(start..));
    let Some(Ok(Some(question))) = message.map(wire::asked) else {
        return;
    };
    if domains::split(question.name.view(), ns.domains.get().iter()).is_none() {
        return;
    }
    let query = Query {
        until: clock::now_ms().saturating_add(QUERY_MS),
        question: number(ns, &question),
    };
    // The same query again starts its time anew.
    ns.queries.remove_key(&found.key());
    if ns.queries.insert(found.key(), query).is_err() {
        ns.counters.bump(En::QueriesFull);
    }
    ns.kick(room::pause(&ns.queries));
}

/// Rewrites the answer in `skb` if it is one for a name of ours; counts it if it may be one and passes on. Only
/// what the firewall let through is worth that.
pub(crate) fn take_answer(ns: &Netns<Endpoint>, skb: &mut Skb) {
    if !ns.is_active() {
        return;
    }
    if let Err(counter) = answer(ns, skb) {
        ns.counters.bump(counter);
    }
}

/// Rewrites the answer in `skb` if it is one for a name of ours.
///
/// # Errors
///
/// The counter of the reason why one that is, or may be, passes on unchanged.
fn answer(ns: &Netns<Endpoint>, skb: &mut Skb) -> Result<(), En> {
    let found = carrier(ns, skb, true).and_then(|carrier| find(skb, carrier));
    let Some(found) = found else {
        return Ok(());
    };
    let start = ns.timings.start();
    if !found.whole {
        return Err(En::DnsSplit);
    }
    if found.message.len() > MAX_LEN {
        return Err(En::DnsTooLong);
    }
    let bytes = skb.head(found.message.end).ok_or(En::DnsMalformed)?;
    let message = bytes.get(found.message.clone()).ok_or(En::DnsMalformed)?;
    let malformed = |_| En::DnsMalformed;
    let Some(question) = wire::answered(message).map_err(malformed)? else {
        return Ok(());
    };
    let suffixes = ns.domains.get();
    let Some(split) = domains::split(question.name.view(), suffixes.iter()) else {
        return Ok(());
    };
    // Who was asked something else does not answer this. Nothing more is read of what nobody asked for.
    let number = number(ns, &question);
    if !ns
        .queries
        .remove_if(&found.key(), |query| query.question == number)
    {
        return Err(En::DnsUnasked);
    }
    let Some(answer) = wire::inspect(message).map_err(malformed)? else {
        return match question.is_bypass() {
            true => bypass(ns, skb, &found),
            false => Ok(()),
        };
    };
    let routers = answer.addresses.as_slice();
    // A resolver of this host passes on what was rewritten already.
    if routers.iter().any(|addr| ns.prefix().is_virtual(*addr)) {
        return Ok(());
    }
    // What cannot be a router stays what it is for whoever asked: "there is no such host", or a trap that a resolver knows.
    if !routers.iter().all(|addr| ns.prefix().is_mappable(*addr)) {
        return Err(En::DnsNoRouter);
    }
    let addr = names::virtual_address(ns, split, routers, answer.ttl).ok_or(En::DnsPoolFull)?;
    edit(skb, &found, |message, delta| {
        // The one that may still fail goes first: a packet that passes on unchanged is that.
        wire::neutralise(message, delta).ok()?;
        wire::rewrite(message, addr, None, delta).ok()
    })
    .ok_or(En::DnsMalformed)?;
    ns.counters.bump(En::DnsRewritten);
    ns.timings.end(Stage::DnsRewrite, start);
    Ok(())
}

/// An answer that tells of other addresses of a name of ours: it has none.
fn bypass(ns: &Netns<Endpoint>, skb: &mut Skb, found: &Found) -> Result<(), En> {
    match edit(skb, found, |message, delta| {
        wire::neutralise(message, delta).ok()
    }) {
        Some(0) => {}
        Some(_) => ns.counters.bump(En::DnsBypass),
        None => return Err(En::DnsMalformed),
    }
    Ok(())
}

/// Lets `change` write into the message and mends the checksum. `None`: no memory, or `change` failed.
fn edit<T>(
    skb: &mut Skb,
    found: &Found,
    change: impl FnOnce(&mut [u8], &mut Delta) -> Option<T>,
) -> Option<T> {
    let partial = skb.checksum_is_partial();
    let bytes = skb.writable(found.message.end)?;
    let message = bytes.get_mut(found.message.clone())?;
    let mut delta = Delta::new();
    let result = change(message, &mut delta)?;
    // Nothing to do where the checksum is still to be made. The sum over the whole packet that a device
    // may have left in the sk_buff stays true, as data and checksum balance. The message starts at an even
    // offset in UDP (8) and in TCP (a multiple of 4, and 2 for the length), as the delta wants it.
    if !partial {
        let header = bytes.get_mut(found.transport..)?;
        if found.protocol == Protocol::Udp {
            let mut udp = udp::Packet::new_header_checked(header).ok()?;
            udp.set_checksum(delta.apply_udp(udp.checksum()));
        } else {
            let mut tcp = tcp::Packet::new_header_checked(header).ok()?;
            tcp.set_checksum(delta.apply(tcp.checksum()));
        }
    }
    Some(result)
}
