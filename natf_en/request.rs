// SPDX-License-Identifier: GPL-2.0

//! Sending a mapping request.

use crate::endpoint::Endpoint;
use crate::flow::Flow;
use crate::keys::{self, Key};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::wire::control::{Request, MAX_REQUEST_LEN};
use crate::natf::wire::icmp::{self, EchoRepr};
use crate::natf::wire::ipv4::{self, Protocol};

/// Hop limit of our own packets.
const TTL: u8 = 64;

/// Sends the flow's request to its router, counted either way. Not while a lock is held.
pub(crate) fn send(ns: &Netns<Endpoint>, flow: &Flow) {
    let key = keys::of(ns, &flow.name);
    let packet = flow
        .request()
        .and_then(|request| build(request, key.as_deref()));
    let way = flow.pending().as_ref().map(|pending| pending.way);
    let sent = packet.is_some_and(|skb| {
        flow.asks(ns);
        skb.send(ns.net(), way.unwrap_or_default()).is_ok()
    });
    ns.counters.bump(if sent {
        En::RequestSent
    } else {
        En::RequestFailed
    });
}

/// The whole packet, signed if there is a key. `None`: no memory.
fn build(mut request: Request<'_>, key: Option<&Key>) -> Option<Skb> {
    request.auth = key.map(Key::stamp);
    let mut buffer = [0; MAX_REQUEST_LEN];
    let message = buffer.get_mut(..request.buffer_len())?;
    request.emit(message).ok()?;
    if let Some(key) = key {
        key.sign(message);
    }
    let [ident_high, ident_low, ..] = request.nonce.to_be_bytes();
    let echo = EchoRepr {
        reply: false,
        ident: u16::from_be_bytes([ident_high, ident_low]),
        seq: 0,
        data: message,
    };
    let payload_len = icmp::HEADER_LEN.checked_add(echo.data.len())?;
    let len = ipv4::HEADER_LEN.checked_add(payload_len)?;
    let mut skb = Skb::alloc(len)?;
    let bytes = skb.writable(len)?;
    ipv4::Repr {
        src: request.en,
        dst: request.router,
        protocol: Protocol::Icmp,
        ttl: TTL,
        dont_fragment: true,
        ident: 0,
        payload_len: u16::try_from(payload_len).ok()?,
    }
    .emit(bytes)
    .ok()?;
    echo.emit(bytes.get_mut(ipv4::HEADER_LEN..)?).ok()?;
    Some(skb)
}
