// SPDX-License-Identifier: GPL-2.0

//! The first packet of a flow comes with the request: when the mapping is there it is delivered, once.

use kernel::prelude::*;
use kernel::sync::rcu;

use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::mappings::SWEEP_MS;
use crate::natf::counters::Router as Count;
use crate::natf::early::{is_of, is_wanted, key, remembered_ms, Way};
use crate::natf::wire::control::{Request, Response};
use crate::natf::wire::ipv4;
use crate::reply::Echo;
use crate::router::{Mapped, Router};

/// Most requests that are remembered. Those that nobody has proven to be his own are fewer at the rate that they may
/// come.
pub(crate) const DELIVERED_MAX: u32 = 65_536;

/// The packet of a request, its segment behind room for an IPv4 header.
pub(crate) struct First(Skb);

/// Takes the packet out of `request`, if it has one of its flow.
pub(crate) fn take(ns: &Netns<Router>, request: &Request<'_>, proven: bool) -> Option<First> {
    let early = request.early?;
    if !is_wanted(ns.early.get(), proven) {
        ns.counters.bump(Count::EarlyUnwanted);
        return None;
    }
    let len = ipv4::HEADER_LEN.checked_add(early.len())?;
    let Some(mut skb) = Skb::alloc(len) else {
        ns.counters.bump(Count::EarlyUnwanted);
        return None;
    };
    let segment = skb.writable(len)?.get_mut(ipv4::HEADER_LEN..)?;
    if early.join(segment).is_err() || !is_of(request, segment) {
        ns.counters.bump(Count::EarlyWrong);
        return None;
    }
    Some(First(skb))
}

/// What is to be said of the packet of a request, and done.
pub(crate) enum Claim {
    /// Nothing.
    None,
    /// It was delivered already.
    Again,
    /// It is to be delivered, by this request alone.
    Now(First),
}

/// Claims for the request that `response` is to answer that its packet is delivered, so that no other one does it again.
pub(crate) fn claim(ns: &Netns<Router>, response: &Response, first: Option<First>) -> Claim {
    let guard = rcu::read_lock();
    let key = key(response.nonce, response.en);
    let Some(first) = first else {
        return match ns.delivered.len() > 0 && ns.delivered.get(&key, &guard).is_some() {
            true => Claim::Again,
            false => Claim::None,
        };
    };
    let until = clock::now_ms().saturating_add(remembered_ms(response.auth.is_some()));
    match ns.delivered.insert(key, until) {
        Ok(()) => {
            ns.kick(SWEEP_MS);
            Claim::Now(first)
        }
        Err(EEXIST) => Claim::Again,
        Err(_) => {
            ns.counters.bump(Count::EarlyUnwanted);
            Claim::None
        }
    }
}

impl Claim {
    /// Whether the answer may say so.
    pub(crate) fn is_delivered(&self) -> bool {
        !matches!(self, Claim::None)
    }

    /// The request was answered: with this mapping, or without one.
    pub(crate) fn settle(
        self,
        ns: &Netns<Router>,
        response: &Response,
        echo: Echo,
        mapped: Option<Mapped>,
    ) {
        match (self, mapped) {
            (Claim::None, _) | (Claim::Again, None) => {}
            (Claim::Again, Some(_)) => ns.counters.bump(Count::EarlyAgain),
            (Claim::Now(_), None) => {
                ns.delivered.remove_key(&key(response.nonce, response.en));
            }
            (Claim::Now(first), Some(mapped)) => deliver(ns, response, echo, mapped, first),
        }
    }
}

/// Has the packet come in where others of its flow will: that is not always where the request came in.
fn deliver(
    ns: &Netns<Router>,
    response: &Response,
    echo: Echo,
    mapped: Mapped,
    First(mut skb): First,
) {
    let [ident_high, ident_low, ..] = response.nonce.to_be_bytes();
    let way = Way {
        protocol: response.protocol,
        en: response.en,
        router: response.router,
        to: mapped.to,
        tos: echo.tos,
        ttl: echo.ttl,
        ident: u16::from_be_bytes([ident_high, ident_low]),
    };
    let len = skb.len();
    if skb
        .writable(len)
        .and_then(|bytes| way.prepare(bytes))
        .is_some()
    {
        ns.counters.bump(Count::EarlyDelivered);
        skb.inject_by(ns.net(), mapped.ifindex);
    }
}
