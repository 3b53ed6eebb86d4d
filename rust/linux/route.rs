// SPDX-License-Identifier: GPL-2.0

//! Routing: whose address is it, and a route remembered per flow.

use super::bindings;
use super::netns::Net;
use super::skb::Skb;
use core::net::Ipv4Addr;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::types::Opaque;

/// Whether `addr` is one of this name space's own addresses. Any context.
pub(crate) fn is_own_address(net: Net, addr: Ipv4Addr) -> bool {
    // SAFETY: valid net.
    unsafe { bindings::natf_is_own_address(net.as_ptr(), u32::from_ne_bytes(addr.octets())) }
}

/// The route of one flow, over `struct dst_cache`: per CPU, dropped by itself when routing changes.
#[pin_data(PinnedDrop)]
pub(crate) struct Cache {
    #[pin]
    inner: Opaque<bindings::dst_cache>,
}

// SAFETY: the kernel object is per CPU inside and made for concurrent use.
unsafe impl Send for Cache {}
// SAFETY: as above.
unsafe impl Sync for Cache {}

impl Cache {
    /// An empty cache. Any context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            inner <- Opaque::try_ffi_init(|slot| {
                // SAFETY: the slot is memory for a dst_cache.
                to_result(unsafe { bindings::natf_route_cache_init(slot) })
            }),
        }? Error)
    }

    /// Gives `skb` the route to its destination, remembered or looked up.
    ///
    /// # Errors
    ///
    /// That of the routing table.
    pub(crate) fn route(&self, net: Net, skb: &mut Skb, source: Ipv4Addr) -> Result {
        let source = u32::from_ne_bytes(source.octets());
        // SAFETY: initialised cache, valid packet, in a hook's RCU section.
        if unsafe { bindings::natf_route_cache_apply(self.inner.get(), skb.as_ptr(), source) } {
            return Ok(());
        }
        skb.reroute(net)?;
        // SAFETY: as above; the packet has a route now.
        unsafe { bindings::natf_route_cache_store(self.inner.get(), skb.as_ptr(), source) };
        Ok(())
    }
}

#[pinned_drop]
impl PinnedDrop for Cache {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: initialised cache that nobody uses any more.
        unsafe { bindings::natf_route_cache_destroy(self.inner.get()) };
    }
}
