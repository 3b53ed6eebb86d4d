// SPDX-License-Identifier: GPL-2.0

//! The first packet of a flow travels in the flow's request, so that the router can deliver it at once. Here it stays
//! held, to be sent after all if the router has not done that. And an answer may come before that is known.

use core::net::Ipv4Addr;
use core::sync::atomic::Ordering;

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::endpoint::Endpoint;
use crate::flow::{Flow, Path};
use crate::held::{weight, Queue, PER_NAMESPACE};
use crate::linux::netns::Netns;
use crate::linux::shared::Shared;
use crate::linux::skb::Skb;
use crate::linux::table::Key;
use crate::natf::counters::En;
use crate::natf::early::{acknowledges, acknowledgment, of_packet, readdress};
use crate::natf::nrt;
use crate::natf::vat::{Direction, FlowId, Segment};
use crate::natf::wire::control::{self, Early as Options, NONCE_END};
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::{icmp, tcp};
use crate::pending::{nonce_key, Stage};
use crate::translate::{self, Side};
use crate::{output, request};

/// In so many requests the packet travels, since the router last asked for something. Longer packets than the path
/// takes may be what was lost.
const TIMES: u8 = 2;

/// Most packets that a flow keeps until its mapping is known.
const KEPT: usize = 4;

/// Packets that came before it was known to which flow they belong, with the interface by which each came.
pub(crate) type Kept = Queue<(Skb, i32), KEPT>;

/// What travels.
pub(crate) struct Carried {
    /// The options of the message.
    run: KVec<u8>,
    /// DSCP and ECN of the packet.
    pub(crate) tos: u8,
    /// Its hop limit.
    pub(crate) ttl: u8,
    /// By what its answer is known, of whatever address, if it is of TCP.
    acknowledgment: Option<(u32, u32)>,
}

impl Carried {
    /// As the message wants it.
    pub(crate) fn options(&self) -> Options<'_> {
        Options::packed(&self.run)
    }
}

/// What a flow in negotiation knows of it.
pub(crate) struct Early {
    carried: Option<Arc<Carried>>,
    /// In how many requests, since the router last asked for something. `None`: in no further one.
    times: Option<u8>,
    /// Whether the packet has left in a request.
    left: bool,
    /// Whether the router has delivered it.
    delivered: bool,
    kept: Kept,
}

impl Early {
    /// `None`: nothing travels.
    pub(crate) fn new(carried: Option<Arc<Carried>>) -> Self {
        Self {
            times: carried.as_ref().map(|_| 0),
            carried,
            left: false,
            delivered: false,
            kept: Kept::new(),
        }
    }

    /// The router wants the request once more.
    pub(crate) fn begin_anew(&mut self) {
        self.times = self.times.map(|_| 0);
    }

    /// Nothing travels any more, as the request goes to another router. False if nothing would have.
    pub(crate) fn stop(&mut self) -> bool {
        self.times.take().is_some()
    }

    /// The router says whether it has delivered the packet. Believed only of one that left.
    pub(crate) fn set_delivered(&mut self, delivered: bool) {
        self.delivered = delivered && self.left;
    }

    /// Whether the first of the packets that wait has been delivered. True once.
    pub(crate) fn take_delivered(&mut self) -> bool {
        core::mem::take(&mut self.delivered)
    }

    /// The packets that were kept.
    pub(crate) fn take_kept(&mut self, ns: &Netns<Endpoint>) -> Kept {
        let kept = core::mem::replace(&mut self.kept, Kept::new());
        for (skb, _) in kept.iter() {
            ns.held.fetch_sub(weight(skb), Ordering::Relaxed);
        }
        kept
    }

    /// Keeps a packet. Gives it back if there is no room.
    fn keep(&mut self, ns: &Netns<Endpoint>, mut skb: Skb, guard: &rcu::Guard) -> Result<(), Skb> {
        let weight = weight(&skb);
        if self.kept.is_full()
            || ns.held.load(Ordering::Relaxed).saturating_add(weight) > PER_NAMESPACE
        {
            return Err(skb);
        }
        let Some(ifindex) = skb.set_aside(guard) else {
            return Err(skb);
        };
        self.kept.push((skb, ifindex)).map_err(|(skb, _)| skb)?;
        ns.held.fetch_add(weight, Ordering::Relaxed);
        Ok(())
    }
}

/// What of `skb`, the first packet of a flow, is to travel to the first of the name's routers. `None`: nothing, because
/// it cannot or should not, or because the rules of this host would not let the packet go there.
pub(crate) fn carry(
    ns: &Netns<Endpoint>,
    skb: &mut Skb,
    path: Path,
    name: &nrt::Entry,
    segment: Segment,
) -> Option<Arc<Carried>> {
    if ns.early.get() == 0 || skb.is_gso() {
        return None;
    }
    let router = *name.routers().first()?;
    let partial = skb.checksum_is_partial();
    let len = usize::from(
        ipv4::Packet::new_header_checked(skb.linear())
            .ok()?
            .total_len(),
    );
    // What cannot travel is not even made linear.
    if len > ipv4::HEADER_LEN.saturating_add(crate::natf::early::MAX) {
        return None;
    }
    let packet = ipv4::Packet::new_checked(skb.head(len)?).ok()?;
    let part = of_packet(&packet)?;
    let mut data = KVec::with_capacity(part.len(), GFP_ATOMIC).ok()?;
    data.extend_from_slice(part, GFP_ATOMIC).ok()?;
    let (protocol, src, dst) = (packet.protocol(), packet.src(), packet.dst());
    let (tos, ttl) = (packet.tos(), packet.ttl());
    readdress(&mut data, protocol, partial, src, dst, router);
    let mut run = KVec::from_elem(0, Options::packed_len(data.len()), GFP_ATOMIC).ok()?;
    Options::pack(&data, &mut run).ok()?;
    let acknowledgment = match protocol {
        Protocol::Tcp => Some(acknowledgment(&data)?),
        _ => None,
    };
    let to = (router, segment.flow().remote.1);
    if !may_leave(ns, skb, path, segment, to)? {
        return None;
    }
    let carried = Carried {
        run,
        tos,
        ttl,
        acknowledgment,
    };
    Arc::new(carried, GFP_ATOMIC).ok()
}

/// Whether a packet may go to `to`, and not encrypted by IPsec: the mapped address is not known yet, but nearly always it
/// is the router's, and its port the one that was asked for. The rules of this host are asked about its own packets;
/// those from behind they have seen, under the virtual address, and will not see under another.
fn may_leave(
    ns: &Netns<Endpoint>,
    skb: &Skb,
    path: Path,
    segment: Segment,
    to: (Ipv4Addr, u16),
) -> Option<bool> {
    let mut copy = skb.copy()?;
    let protocol = segment.protocol();
    translate::rewrite(
        &mut copy,
        Side::Destination,
        protocol,
        segment.transport,
        to,
    )?;
    copy.reroute(ns.net()).ok()?;
    Some(match path {
        Path::Local => copy.may_leave(ns.net()),
        Path::Forwarded => !copy.is_transformed(),
    })
}

/// Under which answers are looked for that come before the mapping is known: of which the other end may be any.
fn key_of(flow: &FlowId) -> Key {
    FlowId {
        remote: (Ipv4Addr::UNSPECIFIED, 0),
        ..*flow
    }
    .key()
}

/// From now on answers to the packet of `flow` may come. If another flow from the same port awaits some, they could
/// not be told apart, and nothing travels.
pub(crate) fn await_answers(ns: &Netns<Endpoint>, flow: &Shared<Flow>) {
    let travels = |flow: &Flow| {
        let guard = flow.pending();
        guard
            .as_ref()
            .is_some_and(|pending| pending.early.times.is_some())
    };
    if travels(flow) && ns.awaited.insert(key_of(&flow.id()), flow.clone()).is_err() {
        flow.carries_nothing(false);
    }
}

/// The negotiation is over.
pub(crate) fn end(ns: &Netns<Endpoint>, flow: &Flow) {
    if ns.awaited.len() > 0 {
        ns.awaited.remove_if(&key_of(&flow.id()), |awaited| {
            let other: &Flow = awaited;
            core::ptr::eq(other, flow)
        });
    }
}

/// An address that went away may have ended a flow before it was entered above.
pub(crate) fn sweep(ns: &Netns<Endpoint>) {
    ns.awaited.retain(|flow| {
        let guard = flow.pending();
        guard
            .as_ref()
            .is_some_and(|pending| matches!(pending.stage, Stage::Negotiating(_)))
    });
}

/// What becomes of a packet that came in.
pub(crate) enum Keep {
    /// It is kept, or was dropped because it could not be.
    Taken,
    /// It goes on: its flow is open meanwhile.
    Open(Skb),
    /// It goes on: it is nothing of ours.
    NotOurs(Skb),
}

/// A packet in PRE_ROUTING that belongs to no mapped flow: it may answer one that travelled.
pub(crate) fn comes(ns: &Netns<Endpoint>, mut skb: Skb, guard: &rcu::Guard) -> Keep {
    let Some(segment) = output::segment(&mut skb, Direction::In) else {
        return Keep::NotOurs(skb);
    };
    match ns.awaited.get(&key_of(&segment.flow()), guard) {
        Some(flow) if flow.is_answered_by(&mut skb, segment) => flow.keep(ns, skb, guard),
        _ => Keep::NotOurs(skb),
    }
}

/// Some router on the way may say that a request is longer than the next link takes: then it is sent without what
/// travels in it. (The kernel learns nothing of this, since no socket has sent the request.)
pub(crate) fn too_long(ns: &Netns<Endpoint>, skb: &mut Skb) {
    // Both headers, and of the request what names it: so much is not quoted by all routers, but by most.
    const QUOTED: usize = ipv4::HEADER_LEN + icmp::HEADER_LEN;
    const LEN: usize = QUOTED + QUOTED + NONCE_END;
    // Nothing is asked for of packets of another kind: that would move data of TCP.
    let is_icmp = |head: &[u8]| {
        ipv4::Packet::new_header_checked(head).is_ok_and(|ip| ip.protocol() == Protocol::Icmp)
    };
    if ns.awaited.len() == 0 || !is_icmp(skb.linear()) {
        return;
    }
    let guard = rcu::read_lock();
    let sees = |head: &[u8]| {
        let error = icmp::Packet::new_checked(head.get(ipv4::HEADER_LEN..)?).ok()?;
        let about = error
            .inner()
            .filter(|_| error.code() == icmp::CODE_FRAGMENTATION_NEEDED)?;
        let is_error = error.kind() == icmp::UNREACHABLE;
        let request = ipv4::Packet::new_header_checked(about).ok()?;
        let echo = icmp::Packet::new_checked(about.get(ipv4::HEADER_LEN..)?).ok()?;
        let nonce = control::nonce(echo.data()).filter(|_| {
            is_error && request.protocol() == Protocol::Icmp && echo.is_echo_request()
        })?;
        let flow = ns.negotiating.get(&nonce_key(nonce), &guard)?;
        let asked = flow.request()?;
        let same = (asked.en, asked.router) == (request.src(), request.dst());
        same.then_some(flow)
    };
    if let Some(flow) = skb.head(LEN).and_then(sees) {
        if flow.carries_nothing(true) {
            request::send(ns, flow);
        }
    }
}

impl Flow {
    /// What is to travel in the next request, and whether it has before. It counts as on its way from now on, as the
    /// answer may be quicker than the caller.
    pub(crate) fn carries(&self) -> Option<(Arc<Carried>, bool)> {
        let mut guard = self.pending();
        let pending = guard.as_mut()?;
        let Stage::Negotiating(_) = pending.stage else {
            return None;
        };
        let early = &mut pending.early;
        let times = early.times.filter(|&times| times < TIMES)?;
        early.times = Some(times.saturating_add(1));
        let left = core::mem::replace(&mut early.left, true);
        Some((early.carried.clone()?, left))
    }

    /// Nothing travels any more; `left`: it has before. False if nothing would have.
    pub(crate) fn carries_nothing(&self, left: bool) -> bool {
        match self.pending().as_mut() {
            Some(pending) => {
                pending.early.left = left;
                pending.early.stop()
            }
            None => false,
        }
    }

    /// Whether a packet that came in, and is of no mapped flow, answers the one that travels. The answer to a SYN is known
    /// by its number, another one only by the address of the router that was asked.
    fn is_answered_by(&self, skb: &mut Skb, segment: Segment) -> bool {
        let guard = self.pending();
        let carried = guard
            .as_ref()
            .and_then(|pending| pending.early.carried.as_ref());
        match carried.map(|carried| carried.acknowledgment) {
            Some(Some(acknowledgment)) => {
                let end = segment.transport.saturating_add(tcp::HEADER_LEN);
                skb.head(end)
                    .and_then(|head| head.get(segment.transport..))
                    .is_some_and(|head| acknowledges(head, acknowledgment))
            }
            _ => self.name.routers().first() == Some(&segment.flow().remote.0),
        }
    }

    /// Keeps a packet that came in until the flow is open, if its first packet travels.
    pub(crate) fn keep(&self, ns: &Netns<Endpoint>, skb: Skb, guard: &rcu::Guard) -> Keep {
        let kept = match self.pending().as_mut() {
            None => return Keep::Open(skb),
            Some(pending) if !pending.early.left || matches!(pending.stage, Stage::Refused(..)) => {
                return Keep::NotOurs(skb)
            }
            Some(pending) => pending.early.keep(ns, skb, guard),
        };
        match kept {
            Ok(()) => ns.counters.bump(En::EarlyKept),
            Err(skb) => {
                drop(skb);
                ns.counters.bump(En::EarlyLost);
            }
        }
        Keep::Taken
    }
}

/// The flow is open: what was kept comes in again, in its order. Not with a lock held.
pub(crate) fn come_again(ns: &Netns<Endpoint>, mut kept: Kept) {
    while let Some((skb, ifindex)) = kept.pop() {
        skb.come_again(ns.net(), ifindex);
    }
}

/// The flow did not come to be.
pub(crate) fn lose(ns: &Netns<Endpoint>, mut kept: Kept) {
    while kept.pop().is_some() {
        ns.counters.bump(En::EarlyLost);
    }
}
