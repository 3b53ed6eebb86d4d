// SPDX-License-Identifier: GPL-2.0

//! A packet comes in: a DNS answer gets its virtual address, and a packet from a mapped address shows the
//! application the virtual one.

use core::net::Ipv4Addr;

use kernel::sync::rcu;

use crate::early::{self, Keep};
use crate::endpoint::Endpoint;
use crate::flow::{Flow, Path};
use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::linux::socket;
use crate::natf::counters::En;
use crate::natf::vat::{Direction, Segment};
use crate::natf::wire::ipv4::{at, Protocol};
use crate::output::segment;
use crate::reply;
use crate::translate::{self, Side};
use crate::{dns, errors, timings};

/// PRE_ROUTING, after defragmentation (-400), before conntrack (-200): the entries of hosts behind us speak of the
/// virtual address. Packets for this host keep what the wire says until its firewall has seen them.
pub(crate) struct EarlyHook;

impl hook::Hook<Endpoint> for EarlyHook {
    const POINT: Point = Point::PreRouting;
    const PRIORITY: i32 = -350;
    const TIMED: Option<hook::Timed<Endpoint>> = Some(timings::IN);

    #[inline(always)]
    fn handle(ns: &Netns<Endpoint>, skb: Skb, state: &State<'_>) -> Verdict {
        let Some(mut skb) = reply::take_reply(ns, skb) else {
            return Verdict::Stolen;
        };
        match flow_of(ns, &mut skb, Path::Forwarded, state.rcu()) {
            Some((segment, flow)) if flow.is_settled() => {
                of_known(ns, skb, flow, segment, state.rcu())
            }
            None if ns.awaited.len() == 0 => Verdict::Accept(skb),
            found => comes_early(ns, skb, found, state.rcu()),
        }
    }
}

/// A packet of a flow, in PRE_ROUTING.
#[inline(always)]
fn of_known(
    ns: &Netns<Endpoint>,
    mut skb: Skb,
    flow: &Flow,
    segment: Segment,
    guard: &rcu::Guard,
) -> Verdict {
    match flow.path {
        Path::Forwarded => from_flow(ns, skb, flow, segment),
        Path::Local => {
            give_to_socket(ns, &mut skb, flow, segment, guard);
            Verdict::Accept(skb)
        }
    }
}

/// A packet that comes while its flow is not open yet, or perhaps even before the mapping is known.
#[cold]
fn comes_early(
    ns: &Netns<Endpoint>,
    skb: Skb,
    found: Option<(Segment, &Flow)>,
    guard: &rcu::Guard,
) -> Verdict {
    let kept = match found {
        Some((_, flow)) => flow.keep(ns, skb, guard),
        None => early::comes(ns, skb, guard),
    };
    let mut skb = match kept {
        Keep::Taken => return Verdict::Stolen,
        Keep::NotOurs(skb) if found.is_none() => return Verdict::Accept(skb),
        Keep::NotOurs(skb) | Keep::Open(skb) => skb,
    };
    match flow_of(ns, &mut skb, Path::Forwarded, guard) {
        Some((segment, flow)) => of_known(ns, skb, flow, segment, guard),
        None => Verdict::Accept(skb),
    }
}

/// LOCAL_IN, after all: the firewall and conntrack of this host see the real addresses.
pub(crate) struct Hook;

impl hook::Hook<Endpoint> for Hook {
    const POINT: Point = Point::LocalIn;
    const PRIORITY: i32 = i32::MAX;
    const TIMED: Option<hook::Timed<Endpoint>> = Some(timings::IN);

    #[inline(always)]
    fn handle(ns: &Netns<Endpoint>, mut skb: Skb, state: &State<'_>) -> Verdict {
        let peer = socket::peer(&skb);
        if let Some(peer) = peer.filter(|peer| ns.is_virtual(peer.0)) {
            return from_socket(ns, skb, peer);
        }
        dns::take_answer(ns, &mut skb);
        if peer.is_some() {
            // A connection of another kind.
            return Verdict::Accept(skb);
        }
        match flow_of(ns, &mut skb, Path::Local, state.rcu()) {
            Some((segment, flow)) if flow.path == Path::Local => from_flow(ns, skb, flow, segment),
            _ => Verdict::Accept(skb),
        }
    }
}

/// The flow of a packet that comes in, of whatever path. An ICMP error about one of this path is translated.
#[inline(always)]
fn flow_of<'a>(
    ns: &'a Netns<Endpoint>,
    skb: &mut Skb,
    path: Path,
    guard: &'a rcu::Guard,
) -> Option<(Segment, &'a Flow)> {
    if ns.incoming.len() == 0 {
        return None;
    }
    match Segment::parse(skb.linear(), Direction::In) {
        Some(segment) => Some((segment, ns.incoming.find(segment.words, guard)?)),
        None => flow_of_unread(ns, skb, path, guard),
    }
}

/// The same for a packet of which less is linear, or that is none of a flow.
#[cold]
fn flow_of_unread<'a>(
    ns: &'a Netns<Endpoint>,
    skb: &mut Skb,
    path: Path,
    guard: &'a rcu::Guard,
) -> Option<(Segment, &'a Flow)> {
    let Some(segment) = segment(skb, Direction::In) else {
        errors::inward(ns, skb, path);
        return None;
    };
    Some((segment, ns.incoming.find(segment.words, guard)?))
}

/// Gives the packet to its socket before its route is looked up, if the kernel is told to do so.
#[inline(always)]
fn give_to_socket(
    ns: &Netns<Endpoint>,
    skb: &mut Skb,
    flow: &Flow,
    segment: Segment,
    guard: &rcu::Guard,
) {
    // What ends a flow counts only if the firewall lets it through: LOCAL_IN notes it.
    if segment.flags.fin() || segment.flags.rst() {
        return;
    }
    let tcp = match segment.protocol() {
        Protocol::Tcp => true,
        Protocol::Udp => false,
        _ => return,
    };
    let (port, peer) = (segment.flow().local.1, flow.id().remote);
    if socket::early_demux(ns.net(), skb, tcp, port, peer, guard) {
        flow.hears(segment, clock::now_ms());
    }
}

/// A packet that has its socket, whose peer is the virtual address.
#[inline(always)]
fn from_socket(ns: &Netns<Endpoint>, skb: Skb, peer: (Ipv4Addr, u16)) -> Verdict {
    match origin(skb.linear()) {
        Some((from, protocol, transport)) if from != peer.0 => {
            rewritten(ns, skb, protocol, transport, peer)
        }
        _ => Verdict::Accept(skb),
    }
}

/// Source, protocol and length of an IPv4 header that the kernel has checked: its packet was given to a socket.
#[inline(always)]
fn origin(head: &[u8]) -> Option<(Ipv4Addr, Protocol, usize)> {
    let source = head.get(at::SRC..)?.first_chunk::<4>()?;
    let (words, protocol) = (head.first()? & 0x0f, *head.get(at::PROTOCOL)?);
    let length = usize::from(words).checked_mul(4)?;
    Some(((*source).into(), protocol.into(), length))
}

/// A packet of this flow, which no socket was found for, or of a host behind us.
#[inline(never)]
fn from_flow(ns: &Netns<Endpoint>, mut skb: Skb, flow: &Flow, segment: Segment) -> Verdict {
    // The late answer of a router to a request whose identifier happens to be that of a mapped echo.
    if segment.protocol() == Protocol::Icmp && reply::is_ours(&mut skb) {
        return Verdict::Accept(skb);
    }
    flow.hears(segment, clock::now_ms());
    let (protocol, transport) = (segment.protocol(), segment.transport);
    rewritten(ns, skb, protocol, transport, flow.id().remote)
}

/// Puts the virtual address and port into a packet.
#[inline(always)]
fn rewritten(
    ns: &Netns<Endpoint>,
    mut skb: Skb,
    protocol: Protocol,
    transport: usize,
    peer: (Ipv4Addr, u16),
) -> Verdict {
    match translate::rewrite(&mut skb, Side::Source, protocol, transport, peer) {
        Some(()) => {
            ns.counters.bump(En::TranslatedIn);
            Verdict::Accept(skb)
        }
        None => {
            ns.counters.bump(En::NoMemory);
            Verdict::Drop(skb)
        }
    }
}
