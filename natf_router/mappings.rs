// SPDX-License-Identifier: GPL-2.0

//! The mappings that were made: for which name, and since when. Whether one is alive, and where the NAT has
//! put it, only conntrack knows, and is asked each time; what has no entry there any more is forgotten.

use core::fmt::{self, Write};
use core::net::Ipv4Addr;
use core::ops::ControlFlow;

use kernel::prelude::*;
use kernel::sync::rcu;

use crate::guard::Guard;
use crate::linked;
use crate::linux::netns::Netns;
use crate::linux::shared::{Counted, Shared};
use crate::linux::skb::Skb;
use crate::linux::sysfs::Text;
use crate::linux::table::{Key, Link, Linked, Table};
use crate::linux::{clock, conntrack};
use crate::natf::act::{Entry, Limit, Subject};
use crate::natf::guard::Limits;
use crate::natf::wire::control::Response;
use crate::natf::wire::ipv4::Protocol;
use crate::reset;
use crate::router::{Pending, Router};

/// Most of them. Conntrack's own table is smaller.
pub(crate) const MAX: u32 = 1 << 20;

/// After how many milliseconds those that are over are forgotten.
pub(crate) const SWEEP_MS: u32 = 10_000;

/// The same, when there is no room.
const FULL_SWEEP_MS: u32 = 1_000;

/// One mapping.
pub(crate) struct Mapping {
    by_flow: Link,
    /// Without a key, if its entry of the access control table has no maximum.
    by_place: Link,
    /// Without a key, if this module did not make it.
    by_en: Link,
    flow: conntrack::Flow,
    /// Private host name, as it was asked for.
    name: KVec<u8>,
    /// Milliseconds since boot.
    since: u64,
}

linked!(Mapping, 0, by_flow);
linked!(Mapping, 1, by_place);
linked!(Mapping, 2, by_en);

/// All of one namespace.
#[pin_data]
pub(crate) struct Mappings {
    #[pin]
    flows: Table<Mapping, 0>,
    /// Of those whose entry of the access control table has a maximum.
    #[pin]
    places: Table<Mapping, 1>,
    /// Places of endpoints.
    #[pin]
    en_places: Table<Mapping, 2>,
}

impl Mappings {
    /// None yet.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            flows <- Table::new(MAX),
            places <- Table::new(MAX),
            en_places <- Table::new(MAX),
        }? Error)
    }

    /// How many are remembered, those included that are over but not forgotten yet.
    pub(crate) fn len(&self) -> u32 {
        self.flows.len()
    }

    fn forget(&self, mapping: &Counted<Mapping>) {
        self.places.remove(mapping);
        self.en_places.remove(mapping);
        self.flows.remove(mapping);
    }
}

/// The flow that an answer is about, behind the NAT; its zone is known when the pseudo-packet comes back.
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
    free_place(ns, &ns.mappings.places, limit, guard).is_none()
        && !is_there(ns, host, response, guard)
}

/// The same of the endpoint that asks, among requests that are proven to be its own, or among the others.
pub(crate) fn en_is_full(
    ns: &Netns<Router>,
    host: Ipv4Addr,
    proven: bool,
    response: &Response,
    guard: &rcu::Guard,
) -> bool {
    let limit = of_endpoint(ns, response.en, proven);
    free_place(ns, &ns.mappings.en_places, limit, guard).is_none()
        && !is_there(ns, host, response, guard)
}

/// Whether the flow that an answer is about has an entry. In which zone only its mapping tells.
fn is_there(ns: &Netns<Router>, host: Ipv4Addr, response: &Response, guard: &rcu::Guard) -> bool {
    let flow = flow_of(host, response);
    let made = ns.mappings.flows.get(&key_of(&flow), guard);
    let flow = made.map_or(flow, |mapping| mapping.flow);
    conntrack::find(ns.net(), &flow).is_some()
}

fn of_endpoint(ns: &Netns<Router>, en: Ipv4Addr, proven: bool) -> Limit {
    let limits = ns.guard.as_ref().map_or(Limits::DEFAULT, Guard::limits);
    Limit::of_endpoint(en, proven, limits.mappings)
}

/// A place of `table` that no mapping has which is alive.
fn free_place<const N: usize>(
    ns: &Netns<Router>,
    table: &Table<Mapping, N>,
    limit: Limit,
    guard: &rcu::Guard,
) -> Option<Key>
where
    Mapping: Linked<N>,
{
    let [a, b, c, d, ..] = clock::random_u64().to_be_bytes();
    limit
        .places(u32::from_be_bytes([a, b, c, d]))
        .find(|place| match table.get(place, guard) {
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
    let done = match kept {
        // One that this module did not make, or before it was loaded anew, has no place to lose.
        true => enter(ns, pending, flow, Link::unset(), Link::unset()).is_ok(),
        false => take_places(ns, pending, flow, guard),
    };
    if !done {
        ns.kick(FULL_SWEEP_MS);
    }
    done || kept
}

/// Remembers a mapping in a place of its endpoint, and of its entry if that has a maximum.
fn take_places(
    ns: &Netns<Router>,
    pending: &Pending,
    flow: conntrack::Flow,
    guard: &rcu::Guard,
) -> bool {
    let mappings = &ns.mappings;
    let of_en = of_endpoint(ns, flow.en.0, pending.proven);
    let of_entry = |limit| free_place(ns, &mappings.places, limit, guard).map(Link::new);
    // Another CPU may be quicker; a few times.
    for _ in 0..4 {
        let by_place = pending.limit.map_or(Some(Link::unset()), of_entry);
        let by_en = free_place(ns, &mappings.en_places, of_en, guard).map(Link::new);
        let (Some(by_place), Some(by_en)) = (by_place, by_en) else {
            return false;
        };
        match enter(ns, pending, flow, by_place, by_en) {
            Ok(()) => return true,
            Err(EBUSY) => {}
            Err(_) => return false,
        }
    }
    false
}

/// `EBUSY`: a place is taken.
fn enter(
    ns: &Netns<Router>,
    pending: &Pending,
    flow: conntrack::Flow,
    by_place: Link,
    by_en: Link,
) -> Result {
    let mut name = KVec::with_capacity(pending.name.len(), GFP_ATOMIC)?;
    name.extend_from_slice(&pending.name, GFP_ATOMIC)?;
    let (in_entry, in_en) = (by_place.key().is_some(), by_en.key().is_some());
    let mapping = Shared::pin_init(
        Mapping {
            by_flow: Link::new(key_of(&flow)),
            by_place,
            by_en,
            flow,
            name,
            since: clock::now_ms(),
        },
        GFP_ATOMIC,
    )?;
    let all = || {
        if in_entry {
            ns.mappings.places.enter(&mapping).map_err(|_| EBUSY)?;
        }
        if in_en {
            ns.mappings.en_places.enter(&mapping).map_err(|_| EBUSY)?;
        }
        ns.mappings.flows.enter(&mapping)
    };
    match all() {
        Ok(()) => Ok(()),
        Err(error) => {
            ns.mappings.forget(&mapping);
            // Two requests for the same flow at once.
            match error {
                EEXIST => Ok(()),
                other => Err(other),
            }
        }
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
                reset::both_ends(ns, &mapping.flow, &entry);
                conntrack::end(ns.net(), &mapping.flow);
            }
            ns.mappings.forget(mapping);
        },
    )
}

/// A line each: protocol, inside host and port, endpoint and port, mapped address and port (an echo has its id
/// in the place of the ports), name, seconds since it was made, seconds that it lives without traffic.
pub(crate) fn show(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let now = clock::now_ms();
    out.table(&ns.mappings.flows, |mapping, out| {
        match conntrack::find(ns.net(), &mapping.flow) {
            Some(entry) => line(out, mapping, &entry, now),
            None => Ok(()),
        }
    })
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
