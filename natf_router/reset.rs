// SPDX-License-Identifier: GPL-2.0

//! The end of a TCP connection whose mapping is taken away.

use core::net::Ipv4Addr;

use kernel::sync::rcu;

use crate::linux::conntrack;
use crate::linux::netns::Netns;
use crate::linux::skb::Skb;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::tcp::{self, RstRepr};
use crate::router::Router;

/// Hop limit of a reset.
const TTL: u8 = 64;

/// Tells both ends of an open TCP connection that it is over, as each would tell the other.
pub(crate) fn both_ends(ns: &Netns<Router>, flow: &conntrack::Flow, entry: &conntrack::Entry) {
    let Some((host_next, en_next)) = entry.next else {
        return;
    };
    let guard = rcu::read_lock();
    for (src, dst, seq) in [
        (flow.en, entry.mapped, en_next),
        (flow.host, flow.en, host_next),
    ] {
        // What cannot be told is found out.
        if let Some(skb) = build(src, dst, seq) {
            let _ = skb.inject(ns.net(), src.0, 0, &guard);
        }
    }
}

fn build(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), seq: u32) -> Option<Skb> {
    const LEN: usize = ipv4::HEADER_LEN + tcp::HEADER_LEN;

    let mut skb = Skb::alloc(LEN)?;
    let bytes = skb.writable(LEN)?;
    ipv4::Repr {
        src: src.0,
        dst: dst.0,
        protocol: Protocol::Tcp,
        ttl: TTL,
        dont_fragment: true,
        ident: 0,
        payload_len: u16::try_from(tcp::HEADER_LEN).ok()?,
    }
    .emit(bytes)
    .ok()?;
    RstRepr {
        src_port: src.1,
        dst_port: dst.1,
        seq,
    }
    .emit(bytes.get_mut(ipv4::HEADER_LEN..)?, src.0, dst.0)
    .ok()?;
    Some(skb)
}
