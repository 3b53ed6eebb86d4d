// SPDX-License-Identifier: GPL-2.0

//! The router answers: the flow is opened, or refused.

use core::net::Ipv4Addr;

use kernel::sync::{rcu, Arc};

use crate::endpoint::Endpoint;
use crate::flow::{nonce_key, Flow, Path};
use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::vat::{self, Direction};
use crate::natf::wire::control::{self, Message, Refusal, Response, MAGIC};
use crate::natf::wire::icmp;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::output;
use crate::translate::{self, Side};

/// LOCAL_IN, before all: the reply must not depend on what the firewall says about ping.
pub(crate) struct Hook;

impl hook::Hook<Endpoint> for Hook {
    const POINT: Point = Point::LocalIn;
    const PRIORITY: i32 = i32::MIN;

    fn handle(ns: &Netns<Endpoint>, mut skb: Skb, _state: &State<'_>) -> Verdict {
        if ns.negotiating.len() == 0 || !is_ours(&mut skb) {
            return Verdict::Accept(skb);
        }
        match take(ns, &mut skb) {
            Some(()) => {}
            None => ns.counters.bump(En::ReplyMalformed),
        }
        skb.consume();
        Verdict::Stolen
    }
}

/// Whether the packet is an echo reply that carries the magic of NAT-f.
fn is_ours(skb: &mut Skb) -> bool {
    // The magic follows the IPv4 header, without options, and the ICMP header. A reply with IP options
    // is left to the kernel; no NAT-f router sends one.
    const LEN: usize = ipv4::HEADER_LEN + icmp::HEADER_LEN + MAGIC.len();
    skb.head(LEN).is_some_and(|head| {
        ipv4::Packet::new_header_checked(head)
            .is_ok_and(|ip| ip.protocol() == Protocol::Icmp && !ip.is_fragment())
            && head.get(ipv4::HEADER_LEN) == Some(&icmp::ECHO_REPLY)
            && head.ends_with(&MAGIC)
    })
}

/// Reads the reply and acts on it. `None`: malformed.
fn take(ns: &Netns<Endpoint>, skb: &mut Skb) -> Option<()> {
    const MAX: usize = ipv4::HEADER_LEN + icmp::HEADER_LEN + control::MAX_LEN;
    let len = skb.len().min(MAX);
    let ip = ipv4::Packet::new_checked(skb.head(len)?).ok()?;
    let echo = icmp::Packet::new_checked(ip.payload()).ok()?;
    if !echo.verify_checksum() {
        return None;
    }
    let guard = rcu::read_lock();
    let find = |nonce| {
        ns.negotiating
            .get(&nonce_key(nonce), &guard)
            .filter(|flow| flow.router() == ip.src())
    };
    match Message::classify(echo.data()) {
        Message::Response(response) => match find(response.nonce) {
            Some(flow) if response.answers(&flow.request()) => answered(ns, flow, &response),
            _ => unknown(ns),
        },
        // Our own request came back: the host there does not know NAT-f.
        Message::Request(request) => match find(request.nonce) {
            Some(flow) if request == flow.request() => {
                let lifetime = vat::direct_lifetime(flow.id.protocol);
                open(
                    ns,
                    flow,
                    (ip.src(), flow.id.remote.1),
                    lifetime,
                    En::Fallback,
                )
            }
            _ => unknown(ns),
        },
        _ => None,
    }
}

fn unknown(ns: &Netns<Endpoint>) -> Option<()> {
    ns.counters.bump(En::ReplyUnknown);
    Some(())
}

fn answered(ns: &Netns<Endpoint>, flow: &Arc<Flow>, response: &Response) -> Option<()> {
    match response.code.refusal() {
        Some(refusal) => {
            ns.counters.bump(En::Denied);
            ns.negotiating.remove(&flow.nonce_key());
            flow.refuse(ns, refusal);
            Some(())
        }
        None if is_usable(ns, response) => {
            let to = (response.mapped, response.mapped_port);
            open(ns, flow, to, response.lifetime, En::Mapped)
        }
        None => None,
    }
}

/// Whether a mapping can be used. (Lifetime 0 would end it before its first packet.)
fn is_usable(ns: &Netns<Endpoint>, response: &Response) -> bool {
    ns.prefix().is_mappable(response.mapped) && response.mapped_port != 0 && response.lifetime != 0
}

/// Opens the flow and lets go of the packets that waited, in their order.
fn open(
    ns: &Netns<Endpoint>,
    flow: &Arc<Flow>,
    to: (Ipv4Addr, u16),
    lifetime: u32,
    counter: En,
) -> Option<()> {
    let wire = flow.id.with_remote(to.0, to.1).key();
    let same = |other: &Arc<Flow>| Arc::ptr_eq(other, flow);
    if counter == En::Mapped {
        // The router's NAT says that this mapping is ours now. A flow that had it and is over, or long
        // silent, gives way. One in use does not: then both lead to the same port of the same inside
        // host, under two names, from the same port of ours.
        let now = clock::now_ms();
        ns.incoming
            .remove_if(&wire, |other| !same(other) && other.is_stale(now));
    }
    if ns.incoming.insert(wire, flow.clone()).is_err() {
        let guard = rcu::read_lock();
        if ns.incoming.get(&wire, &guard).is_some_and(same) {
            // The same answer twice, on two CPUs.
            return unknown(ns);
        }
        // Full, or another flow has the same ports on the wire: the answers could not be told apart.
        ns.counters.bump(En::OutTableFull);
        ns.negotiating.remove(&flow.nonce_key());
        flow.refuse(ns, Refusal::HostUnreachable);
        return Some(());
    }
    if !flow.map(lifetime) {
        ns.incoming.remove_if(&wire, same);
        return unknown(ns);
    }
    ns.negotiating.remove(&flow.nonce_key());
    ns.counters.bump(counter);
    while let Some(mut skb) = flow.release(ns, to) {
        let Some(segment) = output::segment(&mut skb, Direction::Out) else {
            ns.counters.bump(En::NoMemory);
            continue;
        };
        flow.touch(&segment, Direction::Out);
        match output::translate_out(ns, flow, &mut skb, &segment, to) {
            Ok(()) => {
                ns.counters.bump(En::Released);
                match flow.path {
                    Path::Local => skb.resend(ns.net()),
                    Path::Forwarded => skb.forward(ns.net()),
                }
            }
            Err(_) => {
                // The error must quote what the application sent.
                let (protocol, at) = (flow.id.protocol, segment.transport);
                if translate::rewrite(&mut skb, Side::Destination, protocol, at, flow.id.remote)
                    .is_some()
                {
                    skb.refuse(icmp::CODE_HOST);
                }
            }
        }
    }
    Some(())
}
