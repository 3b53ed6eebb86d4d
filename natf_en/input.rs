// SPDX-License-Identifier: GPL-2.0

//! A packet comes in: a DNS answer gets its virtual address, and a packet from a mapped address shows the
//! application the virtual one.

use core::net::Ipv4Addr;

use kernel::sync::rcu;

use crate::endpoint::Endpoint;
use crate::flow::{Flow, Path};
use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::linux::socket;
use crate::natf::counters::En;
use crate::natf::vat::{Direction, Segment};
use crate::natf::wire::ipv4::{self, Protocol};
use crate::output::segment;
use crate::reply;
use crate::translate::{self, Side};
use crate::{dns, errors};

/// LOCAL_IN, after all: the firewall and conntrack of this host see the real addresses.
pub(crate) struct Hook;

impl hook::Hook<Endpoint> for Hook {
    const POINT: Point = Point::LocalIn;
    const PRIORITY: i32 = i32::MAX;

    fn handle(ns: &Netns<Endpoint>, mut skb: Skb, _state: &State<'_>) -> Verdict {
        let peer = socket::peer(&skb);
        if let Some(virtual_peer) = peer.filter(|peer| ns.prefix().is_virtual(peer.0)) {
            return from_socket(ns, skb, virtual_peer);
        }
        dns::take_answer(ns, &mut skb);
        match peer {
            // A connection of another kind.
            Some(_) => Verdict::Accept(skb),
            None => from_mapped(ns, skb, Path::Local),
        }
    }
}

/// The socket has its packet already, by [`early`]: its peer is the virtual address.
fn from_socket(ns: &Netns<Endpoint>, skb: Skb, peer: (Ipv4Addr, u16)) -> Verdict {
    let Ok(ip) = ipv4::Packet::new_header_checked(skb.linear()) else {
        return Verdict::Accept(skb);
    };
    let (protocol, transport, src) = (ip.protocol(), ip.header_len(), ip.src());
    match src == peer.0 {
        true => Verdict::Accept(skb),
        false => rewritten(ns, skb, protocol, transport, peer),
    }
}

/// PRE_ROUTING: the packet of a flow of this host gets its socket before its route, if the kernel is told to do so.
fn early(
    ns: &Netns<Endpoint>,
    mut skb: Skb,
    flow: &Flow,
    segment: &Segment,
    guard: &rcu::Guard,
) -> Verdict {
    let tcp = match segment.flow.protocol {
        Protocol::Tcp => true,
        Protocol::Udp => false,
        _ => return Verdict::Accept(skb),
    };
    let (local, peer) = (segment.flow.local.1, flow.id().remote);
    if socket::early_demux(ns.net(), &mut skb, tcp, local, peer, guard) {
        flow.hears(segment, clock::now_ms());
    }
    Verdict::Accept(skb)
}

/// Puts the virtual address into a packet from a mapped one, if its flow is of this path.
pub(crate) fn from_mapped(ns: &Netns<Endpoint>, mut skb: Skb, path: Path) -> Verdict {
    if ns.incoming.len() == 0 {
        return Verdict::Accept(skb);
    }
    let Some(segment) = segment(&mut skb, Direction::In) else {
        errors::inward(ns, &mut skb, path);
        return Verdict::Accept(skb);
    };
    let guard = rcu::read_lock();
    let Some(flow) = ns.incoming.get(&segment.flow.key(), &guard) else {
        return Verdict::Accept(skb);
    };
    if flow.path != path {
        return match flow.path {
            Path::Local => early(ns, skb, flow, &segment, &guard),
            Path::Forwarded => Verdict::Accept(skb),
        };
    }
    // The answer of a router to a request whose identifier happens to be that of a mapped echo.
    if segment.flow.protocol == Protocol::Icmp && reply::is_ours(&mut skb) {
        return Verdict::Accept(skb);
    }
    flow.hears(&segment, clock::now_ms());
    let (protocol, at) = (segment.flow.protocol, segment.transport);
    rewritten(ns, skb, protocol, at, flow.id().remote)
}

fn rewritten(
    ns: &Netns<Endpoint>,
    mut skb: Skb,
    protocol: Protocol,
    transport: usize,
    to: (Ipv4Addr, u16),
) -> Verdict {
    match translate::rewrite(&mut skb, Side::Source, protocol, transport, to) {
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
