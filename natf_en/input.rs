// SPDX-License-Identifier: GPL-2.0

//! A packet comes in: a DNS answer gets its virtual address, and a packet from a mapped address shows the
//! application the virtual one.

use kernel::sync::rcu;

use crate::endpoint::Endpoint;
use crate::flow::Path;
use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::vat::Direction;
use crate::natf::wire::ipv4::Protocol;
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
        dns::take_answer(ns, &mut skb);
        from_mapped(ns, skb, Path::Local)
    }
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
    let flow = ns.incoming.get(&segment.flow.key(), &guard);
    let Some(flow) = flow.filter(|flow| flow.path == path) else {
        return Verdict::Accept(skb);
    };
    // The answer of a router to a request whose identifier happens to be that of a mapped echo.
    if segment.flow.protocol == Protocol::Icmp && reply::is_ours(&mut skb) {
        return Verdict::Accept(skb);
    }
    flow.hears(&segment, clock::now_ms());
    let (protocol, at) = (segment.flow.protocol, segment.transport);
    match translate::rewrite(&mut skb, Side::Source, protocol, at, flow.id().remote) {
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
