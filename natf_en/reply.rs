// SPDX-License-Identifier: GPL-2.0

//! The router answers: the flow is opened, or refused.

use core::net::Ipv4Addr;

use kernel::sync::rcu;

use crate::endpoint::Endpoint;
use crate::flow::{Flow, Path};
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::route;
use crate::linux::shared::Shared;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::vat::{self, Direction, FlowId};
use crate::natf::wire::control::{self, Code, Message, Refusal, Request, Response, MAGIC};
use crate::natf::wire::icmp;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::pending::{nonce_key, Release};
use crate::timings::Opening;
use crate::translate::{self, Side};
use crate::{early, keys, output, renewal, request};

/// Takes a packet in PRE_ROUTING, if it is the reply of a router that was asked, and acts on it. Before every rule of
/// the user, so that the reply does not depend on what the firewall says about ping. None: taken.
#[inline(always)]
pub(crate) fn take_reply(ns: &Netns<Endpoint>, skb: Skb) -> Option<Skb> {
    match ns.negotiating.len() {
        0 => Some(skb),
        _ => take_awaited(ns, skb),
    }
}

fn take_awaited(ns: &Netns<Endpoint>, mut skb: Skb) -> Option<Skb> {
    if !is_ours(&mut skb) {
        early::too_long(ns, &mut skb);
        return Some(skb);
    }
    if !route::is_for_us(&mut skb, &rcu::read_lock()) {
        return Some(skb);
    }
    if take(ns, &mut skb).is_none() {
        ns.counters.bump(En::ReplyMalformed);
    }
    skb.consume();
    None
}

/// Whether the packet is an echo reply that carries the magic of NAT-f.
pub(crate) fn is_ours(skb: &mut Skb) -> bool {
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
        let flow = ns.negotiating.get(&nonce_key(nonce), &guard)?;
        let request = flow.request().filter(|asked| asked.router == ip.src())?;
        Some((&***flow, request))
    };
    match Message::classify(echo.data()) {
        Message::Response(response) => match find(response.nonce) {
            Some((flow, request)) if response.answers(&request) => {
                authenticated(ns, flow, &response, echo.data())
            }
            _ => unknown(ns),
        },
        // Our own request came back: the host there does not know NAT-f.
        Message::Request(request) => match find(request.nonce) {
            // A name with a key is answered by the owner of the key, or by nobody.
            Some((flow, _)) if keys::of(ns, &flow.name).is_some() => unauthenticated(ns),
            // What travelled in it was looked at by nobody.
            Some((flow, asked))
                if asked
                    == (Request {
                        early: None,
                        ..request
                    }) =>
            {
                direct(ns, flow, &request)
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

fn unauthenticated(ns: &Netns<Endpoint>) -> Option<()> {
    ns.counters.bump(En::AuthWrong);
    Some(())
}

/// An answer to the flow's request: by whom it should be? A cookie has no code; it costs no more than a round trip.
fn authenticated(
    ns: &Netns<Endpoint>,
    flow: &Shared<Flow>,
    response: &Response,
    message: &[u8],
) -> Option<()> {
    let Some(key) = keys::of(ns, &flow.name).filter(|_| response.code != Code::Cookie) else {
        return answered(ns, flow, response);
    };
    let Some(stamp) = response.auth.filter(|_| key.signed(response.auth, message)) else {
        return unauthenticated(ns);
    };
    // Our clock is not the router's. If that does not help, it is a refusal.
    if response.code == Code::BadAuth && flow.is_told_time() {
        key.set_clock(stamp);
        request::send(ns, flow);
        return Some(());
    }
    answered(ns, flow, response)
}

/// The host answers as any host does: it is to be talked to directly.
fn direct(ns: &Netns<Endpoint>, flow: &Shared<Flow>, request: &Request<'_>) -> Option<()> {
    if !ns.negotiating.remove_key(&nonce_key(request.nonce)) {
        return unknown(ns);
    }
    let lifetime = vat::direct_lifetime(request.protocol);
    // A host behind us would reach what our firewall keeps from it: it would come by loopback, as if from ourselves.
    let inward = flow.path == Path::Forwarded && route::is_local(ns.net(), request.router);
    // It does not know about mappings, so it cannot have lost one.
    if flow.replaces().is_none() {
        let to = (request.router, request.dst_port);
        if inward {
            flow.refuse(ns, Refusal::Prohibited);
        } else {
            open(ns, flow, to, lifetime, false, En::Fallback);
        }
    }
    early::end(ns, flow);
    if inward {
        return None;
    }
    Some(())
}

fn answered(ns: &Netns<Endpoint>, flow: &Shared<Flow>, response: &Response) -> Option<()> {
    if response.code == Code::Cookie {
        return asked_for_cookie(ns, flow, response.cookie?);
    }
    let to = (response.mapped, response.mapped_port);
    let refusal = response.code.refusal();
    if refusal.is_none() && !is_usable(ns, flow, response) {
        return None;
    }
    // Only one of two answers, on two CPUs, finds it there.
    if !ns.negotiating.remove_key(&nonce_key(response.nonce)) {
        return unknown(ns);
    }
    if response
        .epoch
        .is_some_and(|epoch| flow.name.note_epoch(epoch))
    {
        renewal::doubt(ns, &flow.name);
    }
    match (flow.replaces(), refusal) {
        (None, None) => {
            let Response {
                lifetime,
                delivered,
                ..
            } = *response;
            open(ns, flow, to, lifetime, delivered, En::Mapped);
        }
        (Some(old), None) => {
            let same = old.mapped() == Some(to);
            // A connection that had no answer yet begins anew with its next SYN, by any mapping.
            let tcp = response.protocol == Protocol::Tcp && old.was_answered();
            match (same, response.kept) {
                (true, kept) if kept || !tcp => renewal::kept(ns, &old, response.lifetime),
                // Its packets get through all the same, by a mapping that is not lost yet.
                _ if !old.is_unanswered(clock::now_ms()) => {}
                _ if tcp => renewal::broken(ns, &old),
                _ => open(ns, flow, to, response.lifetime, false, En::Moved),
            }
        }
        (replaced, Some(refusal)) => {
            ns.counters.bump(En::Denied);
            flow.refuse(ns, refusal);
            if let Some(old) = replaced {
                renewal::refused(ns, &old, flow);
            }
        }
    }
    early::end(ns, flow);
    Some(())
}

/// The router is under load: it does nothing before it has seen its cookie come back. Once for each of its
/// addresses; the clock of the negotiation goes on.
fn asked_for_cookie(ns: &Netns<Endpoint>, flow: &Flow, cookie: u64) -> Option<()> {
    if !flow.set_cookie(cookie) {
        return unknown(ns);
    }
    ns.counters.bump(En::CookieSent);
    request::send(ns, flow);
    Some(())
}

/// Whether a mapping can be used. (Lifetime 0 would end it before its first packet.) A router elsewhere must not lead to
/// this host itself, past its firewall; its own may.
fn is_usable(ns: &Netns<Endpoint>, flow: &Flow, response: &Response) -> bool {
    let is_own = |addr| route::is_local(ns.net(), addr);
    ns.prefix().is_mappable(response.mapped)
        && response.mapped_port != 0
        && response.lifetime != 0
        && (!is_own(response.mapped) || flow.request().is_some_and(|asked| is_own(asked.router)))
}

/// Opens the flow and lets go of the packets that waited, in their order. `delivered`: the router says so of the first.
fn open(
    ns: &Netns<Endpoint>,
    flow: &Shared<Flow>,
    to: (Ipv4Addr, u16),
    lifetime: u32,
    delivered: bool,
    counter: En,
) {
    let mut opening = Opening::of(ns, flow);
    flow.set_mapped(to);
    if counter != En::Fallback {
        // The router's NAT says that this mapping is ours now. A flow that had it and is over, or long
        // silent, gives way. One in use does not: then both lead to the same port of the same inside
        // host, under two names, from the same port of ours.
        let now = clock::now_ms();
        let wire = flow.id().on_wire(to).key();
        ns.incoming.remove_if(&wire, |other| other.is_stale(now));
    }
    if ns.incoming.enter(flow).is_err() {
        // Full, or another flow has the same ports on the wire: the answers could not be told apart.
        ns.counters.bump(En::OutTableFull);
        flow.refuse(ns, Refusal::HostUnreachable);
        return;
    }
    if !flow.map(lifetime, delivered) {
        ns.incoming.remove(flow);
        return ns.counters.bump(En::ReplyUnknown);
    }
    if let Some(old) = flow.replaces() {
        if !ns.outgoing.replace(&old, flow) {
            // It was over meanwhile.
            ns.incoming.remove(flow);
            return;
        }
        ns.incoming.remove(&old);
    }
    ns.counters.bump(counter);
    loop {
        match flow.release(ns) {
            Release::Send(skb) => send_held(ns, flow, skb, to, false),
            Release::Delivered(skb) => send_held(ns, flow, skb, to, true),
            Release::Open(kept) => break early::come_again(ns, kept),
        }
        opening.resumed(ns);
    }
}

/// Sends a packet that waited on its way. One that was delivered goes it only as far as rules and conntrack of this
/// host have seen it.
fn send_held(
    ns: &Netns<Endpoint>,
    flow: &Flow,
    mut skb: Skb,
    to: (Ipv4Addr, u16),
    delivered: bool,
) {
    let Some(segment) = output::segment(&mut skb, Direction::Out) else {
        return ns.counters.bump(En::NoMemory);
    };
    flow.sends(segment, clock::now_ms());
    let guard = rcu::read_lock();
    let ifindex = skb.route_ifindex();
    match output::translate_out(ns, flow, &mut skb, segment, to, &guard) {
        Ok(()) => {
            ns.counters.bump(match delivered {
                true => En::EarlyDelivered,
                false => En::Released,
            });
            match (flow.path, delivered) {
                (Path::Local, false) => skb.resend(ns.net()),
                (Path::Local, true) => skb.has_left(ns.net()),
                (Path::Forwarded, false) => skb.forward(ns.net(), ifindex),
                (Path::Forwarded, true) => skb.has_been_forwarded(ns.net(), ifindex),
            }
        }
        Err(_) => {
            // The error must quote what the application sent.
            let FlowId {
                protocol, remote, ..
            } = flow.id();
            let at = segment.transport;
            if translate::rewrite(&mut skb, Side::Destination, protocol, at, remote).is_some() {
                skb.refuse(icmp::CODE_HOST);
            }
        }
    }
}
