// SPDX-License-Identifier: GPL-2.0

//! What time does: requests are repeated and given up, refusals delivered, entries forgotten.

use core::ops::ControlFlow;
use core::sync::atomic::Ordering;

use kernel::sync::rcu;

use crate::endpoint::Endpoint;
use crate::flow::{self, Answer, Flow};
use crate::held::ANSWERS;
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::natf::counters::En;
use crate::natf::nrt;
use crate::natf::vat::{Direction, Step};
use crate::natf::wire::control::Refusal;
use crate::{early, output, renewal, request, room};

/// Pause between two looks at the negotiations, in milliseconds.
pub(crate) const NEGOTIATION_MS: u32 = 50;

/// Pause between two sweeps of the tables, in milliseconds.
pub(crate) const SWEEP_MS: u32 = 1000;

/// Does what is due; the pause until the next time, or `None` if there is nothing to wait for.
pub(crate) fn tick(ns: &Netns<Endpoint>) -> Option<u32> {
    let now = clock::now_ms();
    give_answers(ns);
    renewal::end_gone(ns);
    renewal::spread_doubts(ns, now);
    ns.negotiating.retain(|flow| negotiate(ns, flow, now));
    room::make(ns, now);
    let swept = ns.swept.load(Ordering::Relaxed);
    if now.saturating_sub(swept) >= sweep_pause(ns) {
        ns.swept.store(now, Ordering::Relaxed);
        sweep(ns, now);
    }
    if ns.negotiating.len() > 0 {
        return Some(NEGOTIATION_MS);
    }
    let idle = ns.outgoing.len() == 0
        && ns.awaited.len() == 0
        && ns.nrt.len() == 0
        && ns.queries.len() == 0
        && ns.set_aside.len() == 0;
    (!idle).then_some(SWEEP_MS)
}

/// A large table is swept less often: a sweep visits every flow.
fn sweep_pause(ns: &Netns<Endpoint>) -> u64 {
    u64::from(SWEEP_MS).saturating_add(u64::from(ns.outgoing.len() / 64))
}

fn give_answers(ns: &Netns<Endpoint>) {
    // No more than fit at a time: whoever keeps adding is served in the next round.
    for _ in 0..ANSWERS {
        // The lock is not held while the answer is sent.
        let next = ns.answers.lock().pop();
        match next {
            Some((skb, Answer::Unreachable(code))) => skb.refuse(code),
            Some((mut skb, Answer::Reset)) => {
                if let Some(segment) = output::segment(&mut skb, Direction::Out) {
                    // Without memory the next segment tries again.
                    let _ = renewal::reset(ns, skb, segment);
                }
            }
            None => return,
        }
    }
    ns.kick(1);
}

/// One negotiation; whether it goes on.
fn negotiate(ns: &Netns<Endpoint>, flow: &Flow, now: u64) -> bool {
    match flow.step(now) {
        Some(Step::Wait) => true,
        Some(Step::Resend) => {
            request::send(ns, flow);
            true
        }
        Some(Step::GiveUp) if flow.ask_next(now) => {
            request::send(ns, flow);
            true
        }
        Some(Step::GiveUp) => {
            give_up(ns, flow);
            false
        }
        None => false,
    }
}

/// Nothing is expected of its router any more. An open flow that asked again goes on; it will ask once more.
pub(crate) fn give_up(ns: &Netns<Endpoint>, flow: &Flow) {
    if flow.replaces().is_none() {
        ns.counters.bump(En::Silent);
        flow.refuse(ns, Refusal::HostUnreachable);
        early::end(ns, flow);
    }
}

/// The name of a flow lives as long as the flow, also when its router moved and it has another entry.
fn keep_name(ns: &Netns<Endpoint>, flow: &Flow, now: u64) {
    let own = &flow.name;
    if !own.is_replaced() {
        return own.refresh(now, 0);
    }
    let guard = rcu::read_lock();
    let present = ns.nrt.get(&nrt::Entry::key(own.addr), &guard);
    if let Some(name) = present.filter(|name| name.is(own.host.view(), own.domain.view())) {
        name.refresh(now, 0);
    }
}

fn sweep(ns: &Netns<Endpoint>, now: u64) {
    ns.outgoing.walk(|flow| {
        if flow.is_over(now, false) {
            flow::forget(ns, flow);
        } else {
            // A name in use stays: an application may open another flow to the address it has (FTP).
            keep_name(ns, flow, now);
        }
        ControlFlow::<()>::Continue(())
    });
    early::sweep(ns);
    room::make_for_flows(ns, now);
    ns.queries.retain(|query| query.until >= now);
    ns.set_aside.retain(|name| name.until >= now);
    // Addresses of expired names stay reserved while there is room.
    let roomy = ns.nrt.len() < ns.nrt.max() / 2;
    ns.nrt
        .retain(|entry| entry.is_alive(now) || (roomy && entry.is_reserved(now)));
}
