// SPDX-License-Identifier: GPL-2.0

//! Sending a mapping request.

use kernel::prelude::*;

use crate::early::Carried;
use crate::endpoint::Endpoint;
use crate::flow::Flow;
use crate::keys::{self, Key};
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::wire::control::{Request, MAX_LEN};
use crate::natf::wire::icmp::{self, EchoRepr};
use crate::natf::wire::ipv4::{self, Protocol};

/// Hop limit of our own packets, if nothing travels in them.
const TTL: u8 = 64;

/// Sends the flow's request to its router, counted either way. Not while a lock is held.
pub(crate) fn send(ns: &Netns<Endpoint>, flow: &Flow) {
    let sent = match flow.carries() {
        None => send_with(ns, flow, None),
        Some((carried, left)) => match send_with(ns, flow, Some(&carried)) {
            Err(EMSGSIZE) => {
                flow.carries_nothing(left);
                send_with(ns, flow, None)
            }
            sent => sent.inspect(|()| ns.counters.bump(En::EarlySent)),
        },
    };
    ns.counters.bump(match sent {
        Ok(()) => En::RequestSent,
        Err(_) => En::RequestFailed,
    });
}

/// `EMSGSIZE`: it is longer than a message may be, or than the path takes.
fn send_with(ns: &Netns<Endpoint>, flow: &Flow, carried: Option<&Carried>) -> Result {
    let key = keys::of(ns, &flow.name);
    let way = flow.pending().as_ref().map(|pending| pending.way);
    let request = flow.request().ok_or(EINVAL)?;
    let request = Request {
        auth: key.as_deref().map(Key::stamp),
        early: carried.map(Carried::options),
        ..request
    };
    if request.buffer_len() > MAX_LEN {
        return Err(EMSGSIZE);
    }
    let skb = build(&request, key.as_deref(), carried).ok_or(ENOMEM)?;
    flow.asks(ns);
    skb.send(ns.net(), way.unwrap_or_default())
}

/// The whole packet, signed if there is a key. `None`: no memory.
fn build(request: &Request<'_>, key: Option<&Key>, carried: Option<&Carried>) -> Option<Skb> {
    let payload_len = icmp::HEADER_LEN.checked_add(request.buffer_len())?;
    let len = ipv4::HEADER_LEN.checked_add(payload_len)?;
    let mut skb = Skb::alloc(len)?;
    let (header, echo) = skb.writable(len)?.split_at_mut_checked(ipv4::HEADER_LEN)?;
    ipv4::Repr {
        src: request.en,
        dst: request.router,
        protocol: Protocol::Icmp,
        ttl: carried.map_or(TTL, |carried| carried.ttl),
        dont_fragment: true,
        ident: 0,
        payload_len: u16::try_from(payload_len).ok()?,
    }
    .emit(header)
    .ok()?;
    if let Some(carried) = carried {
        let mut header = ipv4::Packet::new_header_checked(header).ok()?;
        header.set_tos(carried.tos);
        header.fill_checksum();
    }
    let [ident_high, ident_low, ..] = request.nonce.to_be_bytes();
    EchoRepr {
        reply: false,
        ident: u16::from_be_bytes([ident_high, ident_low]),
        seq: 0,
        data: &[],
    }
    .emit(echo)
    .ok()?;
    let mut echo = icmp::Packet::new_checked(echo).ok()?;
    request.emit(echo.data_mut()).ok()?;
    if let Some(key) = key {
        key.sign(echo.data_mut());
    }
    echo.fill_checksum();
    Some(skb)
}
