// SPDX-License-Identifier: GPL-2.0

//! An open flow that is unsure of its mapping asks its router again, while its packets go on. The question is
//! asked by a second flow like it, which takes its place if the old mapping is lost.

use core::net::Ipv4Addr;
use core::ops::ControlFlow;
use core::sync::atomic::Ordering;

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::endpoint::{Endpoint, NEGOTIATING_MAX};
use crate::flow::{self, Flow, Path, State};
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::shared::{Counted, Shared};
use crate::linux::skb::Skb;
use crate::linux::{route, socket};
use crate::natf::counters::En;
use crate::natf::nrt;
use crate::natf::vat::Segment;
use crate::natf::wire::control::Refusal;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::tcp::{self, RstRepr};
use crate::pending::{nonce_key, Pending};
use crate::{request, tick};

/// Asks for the mapping of `old`, a packet of which is `skb`, again. The name may have got another router
/// meanwhile.
pub(crate) fn ask(ns: &Netns<Endpoint>, old: &Counted<Flow>, skb: &Skb, guard: &rcu::Guard) {
    // First packets of new flows go before.
    if ns.negotiating.len() >= NEGOTIATING_MAX / 2 || !old.begins_to_ask() {
        return;
    }
    let present = ns
        .nrt
        .get(&nrt::Entry::key(old.name.addr), guard)
        .filter(|name| name.is(old.name.host.view(), old.name.domain.view()));
    let (name, router) = match present {
        Some(name) if !Arc::ptr_eq(name, &old.name) => (&***name, 0),
        _ => (&*old.name, old.router()),
    };
    let Some(replaces) = old.share() else { return };
    // From here on its end is the end of the asking.
    let Ok(pending) = Pending::of_renewal(skb, router, replaces) else {
        old.ends_to_ask();
        return ns.counters.bump(En::NoMemory);
    };
    if begin(ns, old, name.clone(), pending).is_err() {
        ns.counters.bump(En::NoMemory);
    }
}

fn begin(
    ns: &Netns<Endpoint>,
    old: &Flow,
    name: Arc<nrt::Entry>,
    pending: KBox<Pending>,
) -> Result {
    let nonce = pending.nonce;
    let new = Flow::new(&old.id(), old.path, name, pending)?;
    ns.negotiating.insert(nonce_key(nonce), new.clone())?;
    old.was_asked();
    ns.counters.bump(En::Asked);
    request::send(ns, &new);
    ns.kick(tick::NEGOTIATION_MS);
    Ok(())
}

/// The mapping is still there.
pub(crate) fn kept(ns: &Netns<Endpoint>, old: &Flow, lifetime: u32) {
    old.reassure(lifetime);
    ns.counters.bump(En::Kept);
}

/// The router lost a TCP connection: no NAT tracks the middle of one that it did not see begin. The next
/// segment of this side is answered with a reset.
pub(crate) fn broken(ns: &Netns<Endpoint>, old: &Flow) {
    old.set_broken();
    ns.counters.bump(En::Broken);
}

/// The router refuses what it once allowed. A flow that still hears something goes on; whatever lets its packets
/// through is not ours to end.
pub(crate) fn refused(ns: &Netns<Endpoint>, old: &Counted<Flow>, new: &Shared<Flow>) {
    if !old.is_unanswered(clock::now_ms()) {
        return;
    }
    if old.protocol() == Protocol::Tcp {
        broken(ns, old);
    } else if ns.outgoing.replace(old, new) {
        ns.incoming.remove(old);
    }
}

/// The mappings of all flows of a name may be lost. Any context.
pub(crate) fn doubt(ns: &Netns<Endpoint>, name: &nrt::Entry) {
    if name.doubt(clock::now_ms()) {
        ns.doubts.store(true, Ordering::Release);
        ns.kick(1);
    }
}

/// Tells the flows of the names that were doubted since the last time. Process context.
pub(crate) fn spread_doubts(ns: &Netns<Endpoint>, now: u64) {
    if !ns.doubts.swap(false, Ordering::Acquire) {
        return;
    }
    let since = ns.doubts_spread.swap(now, Ordering::Relaxed);
    ns.outgoing.walk(|flow| {
        if flow.name.is_doubted(since) {
            flow.doubt(now);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Answers a segment of a lost connection with a reset that looks as if it came from the router. Process
/// context.
pub(crate) fn reset(ns: &Netns<Endpoint>, mut skb: Skb, segment: Segment) -> Option<()> {
    let guard = rcu::read_lock();
    let flow = ns
        .outgoing
        .find(segment.words, &guard)
        .filter(|flow| matches!(flow.state(), State::Broken))?;
    let from = flow.mapped()?;
    let way = skb.way();
    let to = segment.flow().local.0;
    let end = segment.transport.checked_add(tcp::HEADER_LEN)?;
    let head = skb.head(end)?.get(segment.transport..)?;
    let rst = RstRepr {
        src_port: from.1,
        ..RstRepr::answering(&tcp::Packet::new_header_checked(head).ok()?)?
    };
    const LEN: usize = ipv4::HEADER_LEN + tcp::HEADER_LEN;
    let mut answer = Skb::alloc(LEN)?;
    let bytes = answer.writable(LEN)?;
    ipv4::Repr {
        src: from.0,
        dst: to,
        protocol: Protocol::Tcp,
        ttl: 64,
        dont_fragment: true,
        ident: 0,
        payload_len: u16::try_from(tcp::HEADER_LEN).ok()?,
    }
    .emit(bytes)
    .ok()?;
    rst.emit(bytes.get_mut(ipv4::HEADER_LEN..)?, from.0, to)
        .ok()?;
    answer.deliver(ns.net(), way, &guard).ok()
}

/// An address of ours went away. With the RTNL held: the work is left to the tick.
pub(crate) fn address_gone(ns: &Netns<Endpoint>, addr: Ipv4Addr) {
    // More than fit at a time: the flows of the others end as they do without us.
    let _ = ns.gone.lock().push(addr);
    ns.kick(1);
}

/// Flows from addresses that went away are over, and TCP sockets of this host hear of it now instead of after many
/// retransmissions. May sleep.
pub(crate) fn end_gone(ns: &Netns<Endpoint>) {
    loop {
        let next = ns.gone.lock().pop();
        let Some(addr) = next else { return };
        // Another interface may have the same one.
        if route::is_local(ns.net(), addr) {
            continue;
        }
        let ended = ns.outgoing.each(
            |flow| flow.id().local.0 == addr,
            |flow| {
                let id = flow.id();
                if flow.path == Path::Local && id.protocol == Protocol::Tcp {
                    socket::abort_tcp(ns.net(), id.local, id.remote);
                }
                flow.refuse(ns, Refusal::HostUnreachable);
                if flow::take_out(ns, flow) {
                    ns.counters.bump(En::AddressGone);
                }
            },
        );
        if ended.is_err() {
            ns.counters.bump(En::NoMemory);
        }
    }
}
