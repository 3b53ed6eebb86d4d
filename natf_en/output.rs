// SPDX-License-Identifier: GPL-2.0

//! A packet leaves: to a virtual address it is translated, held for negotiation, or refused.

use core::net::Ipv4Addr;
use core::sync::atomic::Ordering;

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::endpoint::Endpoint;
use crate::flow::{self, answer_later, Answer, Flow, Path, State as FlowState};
use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::shared::Counted;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::nrt;
use crate::natf::vat::{Direction, Segment, SEGMENT_LEN};
use crate::natf::wire::control::Refusal;
use crate::natf::wire::ipv4;
use crate::pending::{icmp_code, nonce_key, Hold, Pending};
use crate::translate::{self, Side};
use crate::{dns, early, errors, held, renewal, request, tick, timings};

/// LOCAL_OUT, after defragmentation (-400) and before raw (-300) and conntrack (-200): the firewall and
/// conntrack of this host see the real addresses.
pub(crate) struct Hook;

impl hook::Hook<Endpoint> for Hook {
    const POINT: Point = Point::LocalOut;
    const PRIORITY: i32 = -350;
    const TIMED: Option<hook::Timed<Endpoint>> = Some(timings::OUT);

    #[inline(always)]
    fn handle(ns: &Netns<Endpoint>, mut skb: Skb, state: &State<'_>) -> Verdict {
        let head = skb.linear();
        match destination(head) {
            Some(dst) if ns.is_virtual(dst) => {
                let segment = Segment::parse(head, Direction::Out);
                to_virtual(ns, skb, segment, Path::Local, state.rcu())
            }
            _ => {
                dns::note_query(ns, &mut skb);
                Verdict::Accept(skb)
            }
        }
    }
}

/// Where a packet with this head goes.
#[inline]
pub(crate) fn destination(head: &[u8]) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = *head.first_chunk::<{ ipv4::HEADER_LEN }>()?;
    Some(Ipv4Addr::new(a, b, c, d))
}

/// The first bytes of a packet, as far as they matter for its flow. Hooks look at [`Skb::linear`] first: of nearly
/// every packet the headers are there, and to ask for more would move data of TCP, which costs its receiver, too.
#[cold]
pub(crate) fn segment(skb: &mut Skb, direction: Direction) -> Option<Segment> {
    let len = skb.len().min(SEGMENT_LEN);
    Segment::parse(skb.head(len)?, direction)
}

/// A packet to a virtual address, of this host or of one behind it. `segment`: what its linear part says.
#[inline(always)]
pub(crate) fn to_virtual(
    ns: &Netns<Endpoint>,
    skb: Skb,
    segment: Option<Segment>,
    path: Path,
    guard: &rcu::Guard,
) -> Verdict {
    let now = clock::now_ms();
    if let Some(segment) = segment {
        if let Some(flow) = ns.outgoing.find(segment.words, guard) {
            if let Some(to) = flow.takes(now, segment.opens(), path) {
                return translated(ns, flow, skb, segment, to, now, guard);
            }
        }
    }
    // What is in registers up to here would have to be in memory, were it handed on.
    not_open(ns, skb, path, now, guard)
}

/// A packet that is none of an open flow, or of which less is linear.
#[cold]
fn not_open(
    ns: &Netns<Endpoint>,
    mut skb: Skb,
    path: Path,
    now: u64,
    guard: &rcu::Guard,
) -> Verdict {
    let Some(segment) = segment(&mut skb, Direction::Out) else {
        let skb = match errors::outward(ns, skb) {
            Ok(verdict) => return verdict,
            Err(skb) => skb,
        };
        ns.counters.bump(En::OutProtocol);
        return refuse(ns, skb, path, false, Refusal::Prohibited);
    };
    if let Some(flow) = ns.outgoing.find(segment.words, guard) {
        if !flow.is_over(now, segment.opens()) {
            return match flow.path == path {
                true => of_flow(ns, flow, skb, segment, now, guard),
                // One of this host and one of a host behind it, from the same port: on the wire they would be one.
                false => no_place(ns, skb, path, segment),
            };
        }
        flow::forget(ns, flow);
    }
    let name = ns.nrt.get(&nrt::Entry::key(segment.flow().remote.0), guard);
    match name.filter(|name| name.is_alive(now)) {
        Some(name) => first(ns, Arc::clone(name), skb, path, segment, guard),
        None => {
            ns.counters.bump(En::OutUnknown);
            refuse(ns, skb, path, segment.is_tcp(), Refusal::HostUnreachable)
        }
    }
}

/// A packet of a known flow.
fn of_flow(
    ns: &Netns<Endpoint>,
    flow: &Counted<Flow>,
    skb: Skb,
    segment: Segment,
    now: u64,
    guard: &rcu::Guard,
) -> Verdict {
    match flow.state() {
        FlowState::Open(to) => return translated(ns, flow, skb, segment, to, now, guard),
        FlowState::Broken => return broken(ns, skb, guard),
        FlowState::Pending => {}
    }
    let (skb, counter) = match flow.hold(ns, skb, guard) {
        Hold::Held => {
            ns.counters.bump(En::Held);
            return Verdict::Stolen;
        }
        Hold::Open(skb) => match flow.open_to() {
            Some(to) => return translated(ns, flow, skb, segment, to, now, guard),
            None => return broken(ns, skb, guard),
        },
        Hold::Refused(skb, refusal) => {
            ns.counters.bump(En::OutRefused);
            return refuse(ns, skb, flow.path, segment.is_tcp(), refusal);
        }
        Hold::Full(skb) => (skb, En::HoldFull),
        Hold::NoRoute(skb) => (skb, En::OutNoRoute),
    };
    ns.counters.bump(counter);
    Verdict::Refuse(skb, hook::no_buffers())
}

/// A segment of a connection that the router lost: answered with a reset, from the tick, because TCP holds
/// its socket now.
#[cold]
fn broken(ns: &Netns<Endpoint>, mut skb: Skb, guard: &rcu::Guard) -> Verdict {
    if !skb.hold(guard) {
        return Verdict::Drop(skb);
    }
    match answer_later(ns, skb, Answer::Reset) {
        Ok(()) => Verdict::Stolen,
        Err(skb) => Verdict::Drop(skb),
    }
}

/// The first packet of a new flow: held, and the router asked.
#[cold]
fn first(
    ns: &Netns<Endpoint>,
    name: Arc<nrt::Entry>,
    mut skb: Skb,
    path: Path,
    segment: Segment,
    guard: &rcu::Guard,
) -> Verdict {
    let start = ns.timings.start();
    if !skb.hold(guard) {
        ns.counters.bump(En::OutNoRoute);
        return Verdict::Drop(skb);
    }
    let weight = held::weight(&skb);
    if ns.held.load(Ordering::Relaxed).saturating_add(weight) > 2 * held::PER_NAMESPACE {
        ns.counters.bump(En::HoldFull);
        return Verdict::Refuse(skb, hook::no_buffers());
    }
    let carried = early::carry(ns, &mut skb, path, &name, segment);
    let made = Pending::of_first(skb, carried, start).and_then(|pending| {
        let nonce = pending.nonce;
        Ok((nonce, Flow::new(&segment.flow(), path, name, pending)?))
    });
    let Ok((nonce, flow)) = made else {
        ns.counters.bump(En::NoMemory);
        return Verdict::Stolen;
    };
    // Counted before anybody else can find the flow and let its packet go.
    ns.held.fetch_add(weight, Ordering::Relaxed);
    let entered = ns
        .negotiating
        .insert(nonce_key(nonce), flow.clone())
        .and_then(|()| ns.outgoing.enter(&flow));
    match entered {
        Ok(()) => {
            ns.counters.bump(En::Held);
            early::await_answers(ns, &flow);
            request::send(ns, &flow);
            ns.kick(tick::NEGOTIATION_MS);
            Verdict::Stolen
        }
        Err(error) => {
            ns.negotiating.remove_key(&nonce_key(nonce));
            match flow.withdraw(ns) {
                Some(skb) => not_entered(ns, skb, path, segment, error, guard),
                None => Verdict::Stolen,
            }
        }
    }
}

/// A first packet whose flow could not be entered: another CPU was quicker, or there is no room.
#[cold]
fn not_entered(
    ns: &Netns<Endpoint>,
    skb: Skb,
    path: Path,
    segment: Segment,
    error: Error,
    guard: &rcu::Guard,
) -> Verdict {
    match ns.outgoing.find(segment.words, guard) {
        Some(flow) if error == EEXIST && flow.path == path => {
            of_flow(ns, flow, skb, segment, clock::now_ms(), guard)
        }
        _ => no_place(ns, skb, path, segment),
    }
}

/// There is no place for the flow.
fn no_place(ns: &Netns<Endpoint>, skb: Skb, path: Path, segment: Segment) -> Verdict {
    ns.counters.bump(En::OutTableFull);
    refuse(ns, skb, path, segment.is_tcp(), Refusal::HostUnreachable)
}

/// Sends the packet on its way to the mapped address.
#[inline(always)]
fn translated(
    ns: &Netns<Endpoint>,
    flow: &Counted<Flow>,
    mut skb: Skb,
    segment: Segment,
    to: (Ipv4Addr, u16),
    now: u64,
    guard: &rcu::Guard,
) -> Verdict {
    if flow.sends(segment, now) {
        renewal::ask(ns, flow, &skb, guard);
    }
    if flow.path == Path::Forwarded && skb.is_detached() {
        return waited(ns, flow, skb, segment, to, guard);
    }
    match translate_out(ns, flow, &mut skb, segment, to, guard) {
        Ok(()) => Verdict::Accept(skb),
        Err(error) => Verdict::Refuse(skb, error),
    }
}

/// A packet of a host behind us that wanted to wait, while the flow opened: it has lost its device, and goes like one
/// that waited.
#[cold]
fn waited(
    ns: &Netns<Endpoint>,
    flow: &Flow,
    mut skb: Skb,
    segment: Segment,
    to: (Ipv4Addr, u16),
    guard: &rcu::Guard,
) -> Verdict {
    let ifindex = skb.route_ifindex();
    match translate_out(ns, flow, &mut skb, segment, to, guard) {
        Ok(()) => {
            skb.forward(ns.net(), ifindex);
            Verdict::Stolen
        }
        Err(error) => Verdict::Refuse(skb, error),
    }
}

/// Translates and routes a packet.
///
/// # Errors
///
/// `ENOMEM`, or that of the routing table.
#[inline(always)]
pub(crate) fn translate_out(
    ns: &Netns<Endpoint>,
    flow: &Flow,
    skb: &mut Skb,
    segment: Segment,
    to: (Ipv4Addr, u16),
    guard: &rcu::Guard,
) -> Result {
    let (protocol, transport) = (segment.protocol(), segment.transport);
    translate::rewrite(skb, Side::Destination, protocol, transport, to)
        .ok_or(ENOMEM)
        .inspect_err(|_| ns.counters.bump(En::NoMemory))?;
    flow.route
        .route(ns.net(), skb, guard)
        .inspect_err(|_| ns.counters.bump(En::OutNoRoute))?;
    ns.counters.bump(En::TranslatedOut);
    Ok(())
}

/// Tells the sender. A datagram socket of this host hears it from its system call, a TCP socket from the
/// tick, a host behind this one by ICMP.
#[cold]
fn refuse(ns: &Netns<Endpoint>, mut skb: Skb, path: Path, tcp: bool, refusal: Refusal) -> Verdict {
    if path == Path::Forwarded {
        skb.refuse(icmp_code(refusal));
        return Verdict::Stolen;
    }
    let guard = rcu::read_lock();
    if !tcp || !skb.hold(&guard) {
        return Verdict::Refuse(skb, hook::host_unreachable());
    }
    match answer_later(ns, skb, Answer::Unreachable(icmp_code(refusal))) {
        Ok(()) => Verdict::Stolen,
        Err(skb) => Verdict::Refuse(skb, hook::host_unreachable()),
    }
}
