// SPDX-License-Identifier: GPL-2.0

//! The same for the hosts behind this one, if it is a router with a NAT (section 3.4 of the paper): first
//! its NAT makes their packets its own, then they are translated like its own. On the way back first the
//! virtual address is put in (by [`input`](crate::input)), then the NAT undoes its part.

use crate::endpoint::Endpoint;
use crate::flow::Path;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::vat::{Direction, Segment};
use crate::{dns, output, timings};

/// POST_ROUTING, after source NAT (100): the packet is from our address, to a virtual one. Its new
/// conntrack entry is not yet confirmed (that comes at the very end) and stays with a held packet.
pub(crate) struct OutHook;

impl hook::Hook<Endpoint> for OutHook {
    const POINT: Point = Point::PostRouting;
    const PRIORITY: i32 = i32::MAX - 2;
    const TIMED: Option<hook::Timed<Endpoint>> = Some(timings::OUT);

    #[inline(always)]
    fn handle(ns: &Netns<Endpoint>, skb: Skb, state: &State<'_>) -> Verdict {
        // Our own packets were seen when they left their socket.
        match state.has_input() {
            false => Verdict::Accept(skb),
            true => forwarded(ns, skb, state),
        }
    }
}

fn forwarded(ns: &Netns<Endpoint>, skb: Skb, state: &State<'_>) -> Verdict {
    let head = skb.linear();
    match output::destination(head) {
        Some(dst) if ns.is_virtual(dst) => {
            let segment = Segment::parse(head, Direction::Out);
            skb.stay_slow();
            output::to_virtual(ns, skb, segment, Path::Forwarded, state.rcu())
        }
        _ => Verdict::Accept(skb),
    }
}

/// FORWARD, after all: queries of the hosts behind us and their answers, both with the hosts' own
/// addresses.
pub(crate) struct DnsHook;

impl hook::Hook<Endpoint> for DnsHook {
    const POINT: Point = Point::Forward;
    const PRIORITY: i32 = i32::MAX;

    fn handle(ns: &Netns<Endpoint>, mut skb: Skb, _state: &State<'_>) -> Verdict {
        dns::note_query(ns, &mut skb);
        dns::take_answer(ns, &mut skb);
        Verdict::Accept(skb)
    }
}
