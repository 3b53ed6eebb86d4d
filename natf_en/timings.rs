// SPDX-License-Identifier: GPL-2.0

//! Where the times are taken that do not lie within one function: of data packets, around their hook, and of
//! negotiations.

use core::net::Ipv4Addr;

use crate::endpoint::Endpoint;
use crate::flow::Flow;
use crate::linux::hook::Timed;
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::linux::socket;
use crate::linux::timings::Start;
use crate::natf::timings::En as Stage;
use crate::natf::wire::ipv4;

/// Packets to virtual addresses. Counted are those that leave.
pub(crate) const OUT: Timed<Endpoint> = Timed {
    start: |ns, skb| match ends(skb) {
        Some((_, dst)) if ns.is_virtual(dst) => ns.timings.start(),
        _ => Start::default(),
    },
    end: |ns, _, start| ns.timings.end(Stage::VatOut, start),
};

/// Packets from mapped addresses. Counted are those whose source, or the peer of whose socket, the hook made virtual.
pub(crate) const IN: Timed<Endpoint> = Timed {
    start: |ns, skb| match ends(skb) {
        Some((src, _)) if !ns.is_virtual(src) => ns.timings.start(),
        _ => Start::default(),
    },
    end: |ns, skb, start| {
        let is_virtual = |addr| ns.is_virtual(addr);
        if ends(skb).is_some_and(|(src, _)| is_virtual(src)) {
            ns.timings.end(Stage::VatIn, start);
        } else if socket::peer(skb).is_some_and(|(peer, _)| is_virtual(peer)) {
            ns.timings.end(Stage::VatDemux, start);
        }
    },
};

/// Source and destination.
fn ends(skb: &Skb) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let ip = ipv4::Packet::new_header_checked(skb.linear()).ok()?;
    Some((ip.src(), ip.dst()))
}

/// Of a flow in negotiation.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moments {
    /// Its first packet came. Not taken of a flow that asks again.
    first: Start,
    /// When the router was last asked, if it has not been heard since. Not taken if it was asked twice: nobody knows
    /// which of the requests is answered.
    asked: Option<Start>,
    /// Whether it was ever asked.
    started: bool,
}

impl Moments {
    /// The first packet came at this time.
    pub(crate) fn of_first(first: Start) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    /// A request is about to be sent.
    fn ask(&mut self, ns: &Netns<Endpoint>) {
        if !self.started {
            self.started = true;
            ns.timings.end(Stage::NegotiationStart, self.first);
        }
        self.asked = match self.asked {
            None => Some(ns.timings.start()),
            Some(_) => Some(Start::default()),
        };
    }

    /// What is sent next is another request.
    pub(crate) fn ask_anew(&mut self) {
        self.asked = None;
    }
}

impl Flow {
    /// Its request is about to be sent. Not while a lock is held.
    pub(crate) fn asks(&self, ns: &Netns<Endpoint>) {
        if ns.timings.start().is_taken() {
            if let Some(pending) = self.pending().as_deref_mut() {
                pending.moments.ask(ns);
            }
        }
    }
}

/// A flow that is being opened.
#[derive(Default)]
pub(crate) struct Opening {
    first: Start,
    accepted: Start,
}

impl Opening {
    /// The reply came. Not while a lock is held.
    pub(crate) fn of(ns: &Netns<Endpoint>, flow: &Flow) -> Self {
        let accepted = ns.timings.start();
        if !accepted.is_taken() {
            return Self::default();
        }
        let moments = flow.pending().as_ref().map(|pending| pending.moments);
        match moments {
            Some(Moments { first, asked, .. }) if first.is_taken() => {
                ns.timings
                    .end(Stage::RequestToReply, asked.unwrap_or_default());
                Self { first, accepted }
            }
            _ => Self::default(),
        }
    }

    /// A packet that waited was sent. Only the first one counts.
    pub(crate) fn resumed(&mut self, ns: &Netns<Endpoint>) {
        let Self { first, accepted } = core::mem::take(self);
        ns.timings.end(Stage::Resume, accepted);
        ns.timings.end(Stage::Setup, first);
    }
}
