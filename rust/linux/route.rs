// SPDX-License-Identifier: GPL-2.0

//! Routing: is a packet for us, and a route remembered per flow.

use super::bindings;
use super::netns::Net;
use super::skb::Skb;
use core::net::Ipv4Addr;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::rcu;
use kernel::types::Opaque;

/// Whether a packet in PRE_ROUTING is for one of our own addresses, from a source that is neither
/// martian nor refused by rp_filter. Inside an RCU section.
pub(crate) fn is_for_us(skb: &mut Skb, _guard: &rcu::Guard) -> bool {
    // SAFETY: valid packet with an input device, as in PRE_ROUTING; without one the kernel says no.
    unsafe { bindings::natf_is_for_us(skb.as_ptr()) }
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
    pub(crate) fn route(&self, net: Net<'_>, skb: &mut Skb, source: Ipv4Addr) -> Result {
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
