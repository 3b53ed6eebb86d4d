// SPDX-License-Identifier: GPL-2.0

//! The mappings that were made: for which name, and since when. Whether one is alive, and where the NAT has
//! put it, only conntrack knows, and is asked each time; what has no entry there any more is forgotten.

use core::fmt::{self, Write};
use core::net::Ipv4Addr;
use core::ops::ControlFlow;

use kernel::prelude::*;
use kernel::sync::rcu;

use crate::linked;
use crate::linux::netns::Netns;
use crate::linux::shared::{Counted, Shared};
use crate::linux::skb::Skb;
use crate::linux::sysfs::Text;
use crate::linux::table::{Key, Link, Table};
use crate::linux::{clock, conntrack};
use crate::natf::act::{Entry, Limit, Subject};
use crate::natf::wire::control::Response;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::tcp::{self, RstRepr};
use crate::router::{Pending, Router};

/// Most of them. Conntrack's own table is smaller.
pub(crate) const MAX: u32 = 1 << 20;

/// After how many milliseconds those that are over are forgotten.
pub(crate) const SWEEP_MS: u32 = 10_000;

/// The same, when there is no room.
const FULL_SWEEP_MS: u32 = 1_000;

/// Hop limit of a reset.
const TTL: u8 = 64;

/// One mapping.
pub(crate) struct Mapping {
    by_flow: Link,
    /// Without a key, if its entry of the access control table has no maximum.
    by_place: Link,
    flow: conntrack::Flow,
    /// Private host name, as it was asked for.
    name: KVec<u8>,
    /// Milliseconds since boot.
    since: u64,
}

linked!(Mapping, 0, by_flow);
linked!(Mapping, 1, by_place);

/// All of one namespace.
#[pin_data]
pub(crate) struct Mappings {
    #[pin]
    flows: Table<Mapping, 0>,
    /// Of those whose entry of the access control table has a maximum.
    #[pin]
    places: Table<Mapping, 1>,
}

impl Mappings {
    /// None yet.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            flows <- Table::new(MAX),
            places <- Table::new(MAX),
        }? Error)
    }

    /// How many are remembered, those included that are over but not forgotten yet.
    pub(crate) fn len(&self) -> u32 {
        self.flows.len()
    }

    fn forget(&self, mapping: &Counted<Mapping>) {
        self.places.remove(mapping);
        self.flows.remove(mapping);
    }
}

/// The flow that an answer is about, behind the NAT.
fn flow_of(host: Ipv4Addr, response: &Response) -> conntrack::Flow {
    conntrack::Flow {
        protocol: response.protocol.into(),
        host: match response.protocol {
            Protocol::Icmp => (host, response.en_port),
            _ => (host, response.dst_port),
        },
        en: (response.en, response.en_port),
        zone: 0,
    }
}

fn key_of(flow: &conntrack::Flow) -> Key {
    let [h0, h1, h2, h3] = flow.host.0.octets();
    let [p0, p1] = flow.host.1.to_be_bytes();
    let [e0, e1, e2, e3] = flow.en.0.octets();
    let [s0, s1] = flow.en.1.to_be_bytes();
    [
        h0,
        h1,
        h2,
        h3,
        p0,
        p1,
        e0,
        e1,
        e2,
        e3,
        s0,
        s1,
        flow.protocol,
        0,
        0,
    ]
}

/// Whether an entry of the access control table has as many mappings as it may have, without that of
/// `response`, the answer that is wanted: to ask for one that is there must not fail.
pub(crate) fn is_full(
    ns: &Netns<Router>,
    host: Ipv4Addr,
    limit: Limit,
    response: &Response,
    guard: &rcu::Guard,
) -> bool {
    conntrack::find(ns.net(), &flow_of(host, response)).is_none()
        && free_place(ns, limit, guard).is_none()
}

/// A place that no mapping has which is alive.
fn free_place(ns: &Netns<Router>, limit: Limit, guard: &rcu::Guard) -> Option<Key> {
    let [a, b, c, d, ..] = clock::random_u64().to_be_bytes();
    limit
        .places(u32::from_be_bytes([a, b, c, d]))
        .find(|place| match ns.mappings.places.get(place, guard) {
            None => true,
            Some(other) if conntrack::find(ns.net(), &other.flow).is_none() => {
                ns.mappings.forget(other);
                true
            }
            Some(_) => false,
        })
}

/// Remembers the mapping that was made for `pending`, of which `skb` is the pseudo-packet; `kept`: it was there
/// before. False: there is no room for one more.
pub(crate) fn note(
    ns: &Netns<Router>,
    pending: &Pending,
    skb: &Skb,
    kept: bool,
    guard: &rcu::Guard,
) -> bool {
    let flow = conntrack::Flow {
        zone: conntrack::zone(skb),
        ..flow_of(pending.host, &pending.response)
    };
    let key = key_of(&flow);
    match ns.mappings.flows.get(&key, guard) {
        Some(_) if kept => return true,
        // Of an earlier one of the same ports, which is over.
        Some(other) => ns.mappings.forget(other),
        None => {}
    }
    ns.kick(SWEEP_MS);
    let done = match pending.limit {
        // One that this module did not make, or before it was loaded anew, has no place to lose.
        Some(limit) if !kept => take_place(ns, pending, flow, limit, guard),
        _ => enter(ns, pending, flow, Link::unset()).is_ok(),
    };
    if !done {
        ns.kick(FULL_SWEEP_MS);
    }
    done || kept
}

/// Remembers a mapping in a place of its entry.
fn take_place(
    ns: &Netns<Router>,
    pending: &Pending,
    flow: conntrack::Flow,
    limit: Limit,
    guard: &rcu::Guard,
) -> bool {
    // Another CPU may be quicker; a few times.
    for _ in 0..4 {
        let Some(place) = free_place(ns, limit, guard) else {
            return false;
        };
        match enter(ns, pending, flow, Link::new(place)) {
            Ok(()) => return true,
            Err(EBUSY) => {}
            Err(_) => return false,
        }
    }
    false
}

/// `EBUSY`: the place is taken.
fn enter(ns: &Netns<Router>, pending: &Pending, flow: conntrack::Flow, by_place: Link) -> Result {
    let mut name = KVec::with_capacity(pending.name.len(), GFP_ATOMIC)?;
    name.extend_from_slice(&pending.name, GFP_ATOMIC)?;
    let placed = by_place.key().is_some();
    let mapping = Shared::pin_init(
        Mapping {
            by_flow: Link::new(key_of(&flow)),
            by_place,
            flow,
            name,
            since: clock::now_ms(),
        },
        GFP_ATOMIC,
    )?;
    if placed {
        ns.mappings.places.enter(&mapping).map_err(|_| EBUSY)?;
    }
    match ns.mappings.flows.enter(&mapping) {
        Err(error) => {
            ns.mappings.places.remove(&mapping);
            // Two requests for the same flow at once.
            match error {
                EEXIST => Ok(()),
                other => Err(other),
            }
        }
        Ok(()) => Ok(()),
    }
}

/// Forgets those that are over. Process context, may sleep.
pub(crate) fn sweep(ns: &Netns<Router>) {
    ns.mappings.flows.walk(|mapping| {
        if conntrack::find(ns.net(), &mapping.flow).is_none() {
            ns.mappings.forget(mapping);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Ends the mappings that these entries cover, which are gone from the access control table. Both ends of an
/// open TCP connection are told. Process context, may sleep.
pub(crate) fn end(ns: &Netns<Router>, entries: &[Entry]) -> Result {
    if entries.is_empty() {
        return Ok(());
    }
    let covered = |mapping: &Mapping| {
        let (protocol, port) = (mapping.flow.protocol.into(), mapping.flow.host.1);
        entries.iter().any(|entry| {
            let named = match &entry.subject {
                Subject::Any => true,
                Subject::Name(name) => name.as_bytes() == mapping.name.as_slice(),
            };
            named && entry.covers(protocol, port, mapping.flow.en.0)
        })
    };
    ns.mappings.flows.each(
        |mapping| covered(mapping),
        |mapping| {
            if let Some(entry) = conntrack::find(ns.net(), &mapping.flow) {
                reset(ns, &mapping.flow, &entry);
                conntrack::end(ns.net(), &mapping.flow);
            }
            ns.mappings.forget(mapping);
        },
    )
}

/// Tells both ends of an open TCP connection that it is over, as each would tell the other.
fn reset(ns: &Netns<Router>, flow: &conntrack::Flow, entry: &conntrack::Entry) {
    let Some((host_next, en_next)) = entry.next else {
        return;
    };
    let guard = rcu::read_lock();
    for (src, dst, seq) in [
        (flow.en, entry.mapped, en_next),
        (flow.host, flow.en, host_next),
    ] {
        // What cannot be told is found out.
        if let Some(skb) = build_reset(src, dst, seq) {
            let _ = skb.inject(ns.net(), src.0, 0, &guard);
        }
    }
}

fn build_reset(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), seq: u32) -> Option<Skb> {
    const LEN: usize = ipv4::HEADER_LEN + tcp::HEADER_LEN;

    let mut skb = Skb::alloc(LEN)?;
    let bytes = skb.writable(LEN)?;
    ipv4::Repr {
        src: src.0,
        dst: dst.0,
        protocol: Protocol::Tcp,
        ttl: TTL,
        dont_fragment: true,
        ident: 0,
        payload_len: u16::try_from(tcp::HEADER_LEN).ok()?,
    }
    .emit(bytes)
    .ok()?;
    RstRepr {
        src_port: src.1,
        dst_port: dst.1,
        seq,
    }
    .emit(bytes.get_mut(ipv4::HEADER_LEN..)?, src.0, dst.0)
    .ok()?;
    Some(skb)
}

/// A line each: protocol, inside host and port, endpoint and port, mapped address and port (an echo has its id
/// in the place of the ports), name, seconds since it was made, seconds that it lives without traffic.
pub(crate) fn show(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let now = clock::now_ms();
    let full = ns.mappings.flows.walk(|mapping| {
        let Some(entry) = conntrack::find(ns.net(), &mapping.flow) else {
            return ControlFlow::Continue(());
        };
        match line(out, mapping, &entry, now) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fmt::Error) => ControlFlow::Break(()),
        }
    });
    match full {
        None => Ok(()),
        Some(()) => Err(fmt::Error),
    }
}

fn line(out: &mut Text<'_>, mapping: &Mapping, entry: &conntrack::Entry, now: u64) -> fmt::Result {
    let protocol = match mapping.flow.protocol.into() {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        _ => "icmp",
    };
    let age = now.saturating_sub(mapping.since) / 1000;
    let (host, en) = (mapping.flow.host, mapping.flow.en);
    write!(out, "{protocol} {}:{} {}:{} ", host.0, host.1, en.0, en.1)?;
    write!(out, "{}:{} ", entry.mapped.0, entry.mapped.1)?;
    out.write_str(core::str::from_utf8(&mapping.name).unwrap_or_default())?;
    writeln!(out, " {age} {}", entry.left)
}
