// SPDX-License-Identifier: GPL-2.0

//! Sockets of this host.

use super::bindings;
use super::netns::Net;
use super::skb::Skb;
use core::net::Ipv4Addr;
use kernel::sync::rcu;

/// Ends the TCP connection between these two ends, if this host has it: its application gets
/// `ECONNABORTED`. A socket that is bound to a device is not found. May sleep.
pub(crate) fn abort_tcp(net: Net<'_>, local: (Ipv4Addr, u16), remote: (Ipv4Addr, u16)) {
    let addr = |addr: Ipv4Addr| u32::from_ne_bytes(addr.octets());
    // SAFETY: valid net; process context.
    unsafe {
        bindings::natf_tcp_abort(
            net.as_ptr(),
            addr(remote.0),
            remote.1.to_be(),
            addr(local.0),
            local.1,
        )
    };
}

/// Gives a packet in PRE_ROUTING to the socket of this host that is connected from port `local` to `peer`, as the
/// kernel would do a moment later (ip_early_demux) if the packet came from there: that spares the packet a route
/// and a second look for its socket. `tcp`: else UDP. False if there is no such socket, or this is turned off.
pub(crate) fn early_demux(
    net: Net<'_>,
    skb: &mut Skb,
    tcp: bool,
    local: u16,
    peer: (Ipv4Addr, u16),
    _guard: &rcu::Guard,
) -> bool {
    // SAFETY: valid net, and a valid packet with an input device, as in PRE_ROUTING, inside an RCU section.
    unsafe {
        bindings::natf_early_demux(
            net.as_ptr(),
            skb.as_ptr(),
            tcp,
            local,
            u32::from_ne_bytes(peer.0.octets()),
            peer.1.to_be(),
        )
    }
}

/// The peer of the socket that a packet on its way in was given to, by us or by the kernel. `None`: by nobody yet,
/// or the socket has no peer.
pub(crate) fn peer(skb: &Skb) -> Option<(Ipv4Addr, u16)> {
    // SAFETY: valid packet, which keeps its socket. Little-endian as the machines this is for.
    match unsafe { bindings::natf_skb_peer(skb.as_ptr()) } {
        0 => None,
        peer => {
            let [a, b, c, d, high, low, ..] = peer.to_le_bytes();
            Some((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
        }
    }
}
