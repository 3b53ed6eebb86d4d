// SPDX-License-Identifier: GPL-2.0

//! ICMP errors about translated packets: the application must find its own packet in them, and the
//! inside host must find its own in those that we send.

use kernel::sync::rcu;

use crate::endpoint::Endpoint;
use crate::flow::Path;
use crate::linux::hook::{self, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::quoted::{End, Quoted, MAX_LEN};
use crate::natf::vat::FlowId;
use crate::translate;

/// What the packet quotes, if it is an ICMP error about TCP, UDP or an ICMP echo.
fn quoted(skb: &mut Skb) -> Option<Quoted> {
    let len = skb.len().min(MAX_LEN);
    Quoted::parse(skb.head(len)?)
}

/// An ICMP error came in. If it is about a packet that we sent to a mapped address, the application is to
/// see the virtual one. (Who sent the error stays as it is.)
pub(crate) fn inward(ns: &Netns<Endpoint>, skb: &mut Skb, path: Path) {
    let Some(quoted) = quoted(skb) else { return };
    let guard = rcu::read_lock();
    let flow = ns.incoming.get(&quoted.sent.key(), &guard);
    let Some(flow) = flow.filter(|flow| flow.path == path) else {
        return;
    };
    let done = skb
        .writable(quoted.writable_len())
        .and_then(|packet| quoted.rewrite(packet, End::Destination, flow.id().remote));
    ns.counters.bump(match done {
        Some(()) => En::ErrorIn,
        None => En::NoMemory,
    });
}

/// We answer a packet from a virtual address with an ICMP error: it goes to the router, about the packet
/// that was on the wire. `None`: it is none, and the packet is given back.
pub(crate) fn outward(ns: &Netns<Endpoint>, mut skb: Skb) -> Result<Verdict, Skb> {
    let Some(quoted) = quoted(&mut skb) else {
        return Err(skb);
    };
    // The quoted packet came from V:d to us.
    let id = FlowId {
        protocol: quoted.sent.protocol,
        local: quoted.sent.remote,
        remote: quoted.sent.local,
    };
    let guard = rcu::read_lock();
    let mapped = ns
        .outgoing
        .get(&id.key(), &guard)
        .and_then(|flow| flow.open_to());
    let Some(to) = mapped else {
        return Err(skb);
    };
    let done = skb
        .writable(quoted.writable_len())
        .and_then(|packet| quoted.rewrite(packet, End::Source, to))
        .and_then(|()| translate::rewrite_destination(&mut skb, to.0));
    if done.is_none() {
        ns.counters.bump(En::NoMemory);
        return Ok(Verdict::Drop(skb));
    }
    Ok(match skb.reroute(ns.net()) {
        Ok(()) => {
            ns.counters.bump(En::ErrorOut);
            Verdict::Accept(skb)
        }
        Err(_) => {
            ns.counters.bump(En::OutNoRoute);
            Verdict::Refuse(skb, hook::host_unreachable())
        }
    })
}
