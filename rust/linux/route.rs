// SPDX-License-Identifier: GPL-2.0

//! Routing: is a packet for us, and a route remembered per flow.

use super::bindings;
use super::netns::Net;
use super::skb::Skb;
use core::net::Ipv4Addr;
use kernel::prelude::*;
use kernel::sync::rcu;
use kernel::types::Opaque;

/// Whether a packet in PRE_ROUTING is for one of our own addresses, from a source that is neither
/// martian nor refused by rp_filter. Inside an RCU section.
pub(crate) fn is_for_us(skb: &mut Skb, _guard: &rcu::Guard) -> bool {
    // SAFETY: valid packet with an input device, as in PRE_ROUTING; without one the kernel says no.
    unsafe { bindings::natf_is_for_us(skb.as_ptr()) }
}

/// Whether nothing that translates lies between the sender of a packet in PRE_ROUTING and `host`: the
/// sender is this machine, or both are in one subnet of the interface that the packet came in by.
pub(crate) fn is_near(skb: &Skb, host: Ipv4Addr, _guard: &rcu::Guard) -> bool {
    // SAFETY: valid packet with an input device, as in PRE_ROUTING, inside an RCU section.
    unsafe { bindings::natf_is_near(skb.as_ptr(), u32::from_ne_bytes(host.octets())) }
}

/// Whether `addr` is one of our own addresses.
pub(crate) fn is_local(net: Net<'_>, addr: Ipv4Addr) -> bool {
    // SAFETY: valid net.
    unsafe { bindings::natf_is_local(net.as_ptr(), u32::from_ne_bytes(addr.octets())) }
}

/// The route that a flow took last; looked up again when routing has changed.
pub(crate) struct Cache(Opaque<bindings::natf_route>);

// SAFETY: the kernel object is one RCU pointer, exchanged atomically.
unsafe impl Send for Cache {}
// SAFETY: as above.
unsafe impl Sync for Cache {}

impl Cache {
    /// Nothing remembered.
    pub(crate) const fn new() -> Self {
        Self(Opaque::new(bindings::natf_route {
            dst: core::ptr::null_mut(),
        }))
    }

    /// Gives `skb` the route to its destination, remembered or looked up.
    ///
    /// # Errors
    ///
    /// That of the routing table.
    pub(crate) fn route(&self, net: Net<'_>, skb: &mut Skb, _guard: &rcu::Guard) -> Result {
        // SAFETY: initialised, valid packet, inside an RCU section.
        if unsafe { bindings::natf_route_apply(self.0.get(), skb.as_ptr()) } {
            return Ok(());
        }
        skb.reroute(net)?;
        // SAFETY: as above; the packet has a route now.
        unsafe { bindings::natf_route_store(self.0.get(), skb.as_ptr()) };
        Ok(())
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { bindings::natf_route_drop(self.0.get()) };
    }
}
