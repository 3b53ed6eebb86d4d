// SPDX-License-Identifier: GPL-2.0

//! The pseudo-packet comes back from the NAT: the mapping is read from it, and it goes no further.

use core::sync::atomic::Ordering;

use kernel::sync::rcu;

use crate::guard;
use crate::linux::conntrack;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::mappings;
use crate::natf::counters::Router as Count;
use crate::natf::pseudo::{Pseudo, MAX_LEN};
use crate::natf::timings::Router as Stage;
use crate::natf::vat;
use crate::natf::wire::control::{Code, Response};
use crate::natf::wire::ipv4::Protocol;
use crate::reply;
use crate::router::{Mapped, Pending, Router};

/// POST_ROUTING, after source NAT (100) and all rules of the user, just before conntrack confirms its
/// entry at the very end: the entry must be kept although the packet is not.
pub(crate) struct Hook;

impl hook::Hook<Router> for Hook {
    const POINT: Point = Point::PostRouting;
    const PRIORITY: i32 = i32::MAX - 1;

    #[inline(always)]
    fn handle(ns: &Netns<Router>, skb: Skb, state: &State<'_>) -> Verdict {
        match ns.pending.len() {
            0 => Verdict::Accept(skb),
            _ => one_is_about(ns, skb, state),
        }
    }
}

/// This may be a pseudo-packet, or a copy of one.
fn one_is_about(ns: &Netns<Router>, mut skb: Skb, state: &State<'_>) -> Verdict {
    if skb.len() > MAX_LEN {
        return Verdict::Accept(skb);
    }
    let len = skb.len();
    let Some(pseudo) = skb.head(len).and_then(Pseudo::parse) else {
        return Verdict::Accept(skb);
    };
    let guard = rcu::read_lock();
    let Some(pending) = ns.pending.get(&pseudo.key(), &guard) else {
        return Verdict::Accept(skb);
    };
    if !pending.answered.load(Ordering::Relaxed) {
        match conntrack::end_stale(&skb, pending.proven) {
            Ok(false) => {}
            Ok(true) => {
                pending.again.store(true, Ordering::Relaxed);
                skb.consume();
                return Verdict::Stolen;
            }
            Err(_) => {
                ns.pending.remove_key(&pseudo.key());
                spare(ns, &skb, pending);
                skb.consume();
                return Verdict::Stolen;
            }
        }
    }
    if pseudo.src.0 == pending.host {
        pending.bare.store(true, Ordering::Relaxed);
        skb.consume();
        return Verdict::Stolen;
    }
    ns.pending.remove_key(&pseudo.key());
    if pending.answered.swap(true, Ordering::Relaxed) {
        ns.counters.bump(Count::Late);
    } else {
        ns.timings.end(Stage::PseudoPacket, pending.made);
        let caught = ns.timings.start();
        let (response, counter) = read_mapping(ns, &skb, &pseudo, pending, &guard);
        ns.counters.bump(counter);
        if response.code == Code::Ok {
            // Before the answer says that the packet is delivered.
            pending.mapped.populate(Mapped {
                to: (response.mapped, response.mapped_port),
                ifindex: state.output_ifindex(),
            });
        }
        reply::send(ns, &response, pending.echo);
        if response.code == Code::Ok {
            ns.timings.end(Stage::Reply, caught);
            ns.timings.end(Stage::Request, pending.echo.came);
        }
    }
    skb.consume();
    Verdict::Stolen
}

/// The pseudo-packet met a connection that one side has closed, and the other one may still use. Its endpoint knows
/// whether it does; somebody else may have asked in its name. So whoever asks has to show first which of them he is.
fn spare(ns: &Netns<Router>, skb: &Skb, pending: &Pending) {
    // Conntrack forgets that it saw a SYN.
    conntrack::adopt(skb);
    if pending.answered.swap(true, Ordering::Relaxed) {
        return ns.counters.bump(Count::Late);
    }
    let (response, echo) = (pending.response, pending.echo);
    let asking = guard::cookie(ns, echo.from, response.nonce)
        .and_then(|cookie| reply::asking(response, echo, cookie));
    match asking {
        Some(response) => {
            ns.counters.bump(Count::CookieAsked);
            reply::send(ns, &response, echo);
        }
        None => ns.counters.bump(Count::RateLimited),
    }
}

/// The answer: where the NAT has put the flow, or that there is no room.
fn read_mapping(
    ns: &Netns<Router>,
    skb: &Skb,
    pseudo: &Pseudo,
    pending: &Pending,
    guard: &rcu::Guard,
) -> (Response, Count) {
    let echo = pseudo.protocol == Protocol::Icmp;
    // A new entry is prepared before anybody else can find it.
    let tracked = conntrack::adopt(skb);
    if echo {
        conntrack::may_expect(skb);
    }
    // A NAT other than nf_nat does not tell: what it says is as good as what it said before.
    let kept = !tracked || conntrack::is_confirmed(skb);
    let confirmed = conntrack::confirm(skb);
    // A NAT other than nf_nat does not tell how long it keeps its mappings.
    let lifetime = match conntrack::lifetime(ns.net(), skb) {
        0 if !tracked => vat::direct_lifetime(pseudo.protocol),
        seconds => seconds,
    };
    let done = confirmed
        && (!echo || conntrack::expect_echo(skb, lifetime, guard))
        && (!tracked || mappings::note(ns, pending, skb, kept, guard));
    if !done {
        if confirmed {
            conntrack::kill(skb);
        }
        return (
            pending.response.refused(Code::NoResource),
            Count::NoResource,
        );
    }
    let response = Response {
        kept,
        epoch: Some(ns.epoch.load(Ordering::Relaxed)),
        mapped: pseudo.src.0,
        mapped_port: pseudo.src.1,
        lifetime,
        ..pending.response
    };
    (response, Count::Mapped)
}
