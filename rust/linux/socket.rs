// SPDX-License-Identifier: GPL-2.0

//! Sockets of this host.

use super::bindings;
use super::netns::Net;
use core::net::Ipv4Addr;

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
