// SPDX-License-Identifier: GPL-2.0

//! Sending the answer to a mapping request.

use core::net::Ipv4Addr;

use crate::keys;
use crate::linux::conntrack;
use crate::linux::netns::Netns;
use crate::linux::skb::{Skb, Way};
use crate::linux::timings::Start;
use crate::natf::counters::Router as Count;
use crate::natf::wire::control::{Code, Response, MAX_RESPONSE_LEN};
use crate::natf::wire::icmp::{self, EchoRepr};
use crate::natf::wire::ipv4::{self, Protocol};
use crate::router::Router;

/// Hop limit of our own packets.
const TTL: u8 = 64;

/// The echo request that is answered.
#[derive(Clone, Copy)]
pub(crate) struct Echo {
    /// Who really sent it: the answer goes there, whatever address the request claims.
    pub(crate) from: Ipv4Addr,
    /// Identifier.
    pub(crate) ident: u16,
    /// Sequence number.
    pub(crate) seq: u16,
    /// Length of its data, in bytes: the answer is no longer.
    pub(crate) room: usize,
    /// When it came.
    pub(crate) came: Start,
    /// DSCP and ECN, as they came.
    pub(crate) tos: u8,
    /// Hop limit, as it came.
    pub(crate) ttl: u8,
}

/// What asks the sender of `echo` for this cookie, and says nothing else; `response` is of its request.
///
/// `None`: no answer is longer than its request, and this one would say nothing without its cookie.
pub(crate) fn asking(response: Response, echo: Echo, cookie: u64) -> Option<Response> {
    let response = Response {
        cookie: Some(cookie),
        ..response.refused(Code::Cookie)
    };
    (response.buffer_len() <= echo.room).then_some(response)
}

/// Sends `response` as the reply to `echo`.
pub(crate) fn send(ns: &Netns<Router>, response: &Response, echo: Echo) {
    let sent = build(ns, response, echo).is_some_and(|mut skb| {
        conntrack::untrack(&mut skb);
        skb.send(ns.net(), Way::default()).is_ok()
    });
    if !sent {
        ns.counters.bump(Count::ReplyFailed);
    }
}

/// The whole packet, signed as the response says. `None`: no memory, or the key is gone.
fn build(ns: &Netns<Router>, response: &Response, echo: Echo) -> Option<Skb> {
    let response = response.within(echo.room);
    let mut buffer = [0; MAX_RESPONSE_LEN];
    response.emit(&mut buffer).ok()?;
    let data = buffer.get_mut(..response.buffer_len())?;
    if let Some(stamp) = response.auth {
        keys::sign(ns, stamp, data).then_some(())?;
    }
    let payload_len = icmp::HEADER_LEN.checked_add(data.len())?;
    let len = ipv4::HEADER_LEN.checked_add(payload_len)?;
    let mut skb = Skb::alloc(len)?;
    let bytes = skb.writable(len)?;
    ipv4::Repr {
        src: response.router,
        dst: echo.from,
        protocol: Protocol::Icmp,
        ttl: TTL,
        dont_fragment: true,
        ident: 0,
        payload_len: u16::try_from(payload_len).ok()?,
    }
    .emit(bytes)
    .ok()?;
    EchoRepr {
        reply: true,
        ident: echo.ident,
        seq: echo.seq,
        data,
    }
    .emit(bytes.get_mut(ipv4::HEADER_LEN..)?)
    .ok()?;
    Some(skb)
}
