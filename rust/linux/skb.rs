// SPDX-License-Identifier: GPL-2.0

//! `struct sk_buff` as an owned IPv4 packet.
//!
//! All offsets count from the IPv4 header. Nothing here sleeps; any context up to softirq.

use super::bindings;
use super::netns::Net;
use crate::natf::wire::ipv4::Protocol;
use core::net::Ipv4Addr;
use core::ptr::NonNull;
use kernel::error::{to_result, Result};
use kernel::sync::rcu;

/// What a packet's transport checksum is (include/linux/skbuff.h, "Checksumming").
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Summed {
    /// All of the field.
    Plain,
    /// A device has left its sum of the whole packet, too.
    Complete,
    /// The field is that of the pseudo-header; a device or the kernel will fill in the rest.
    Partial,
}

/// What beside addresses counts for a route.
#[derive(Clone, Copy, Default)]
pub(crate) struct Way {
    /// Firewall mark, set by the socket (SO_MARK).
    mark: u32,
    /// Interface or VRF that the socket is bound to; 0: none.
    ifindex: i32,
}

/// What became of a packet that was sent on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was dropped.
    Dropped,
    /// A hook took it, it went out, or it waits in an NFQUEUE and goes on later.
    Passed,
}

/// An IPv4 packet that we own: dropping it frees it (and drop monitors see that).
pub(crate) struct Skb(NonNull<kernel::bindings::sk_buff>);

// SAFETY: an owned sk_buff may be freed and sent from any context.
unsafe impl Send for Skb {}

impl Skb {
    /// Takes over a packet.
    ///
    /// # Safety
    ///
    /// `ptr` is a valid sk_buff with its network header at an IPv4 header, and the caller gives up
    /// its ownership.
    pub(super) unsafe fn from_raw(ptr: *mut kernel::bindings::sk_buff) -> Option<Self> {
        NonNull::new(ptr).map(Self)
    }

    /// Gives the ownership back to C.
    pub(super) fn into_raw(self) -> *mut kernel::bindings::sk_buff {
        let ptr = self.0.as_ptr();
        core::mem::forget(self);
        ptr
    }

    pub(super) fn as_ptr(&self) -> *mut kernel::bindings::sk_buff {
        self.0.as_ptr()
    }

    /// A new packet of `len` zero bytes, its transport header after 20 bytes. `None`: no memory.
    pub(crate) fn alloc(len: usize) -> Option<Self> {
        let len = u32::try_from(len).ok()?;
        // SAFETY: no requirements; the result is ours.
        unsafe { Self::from_raw(bindings::natf_skb_alloc(len)) }
    }

    /// Bytes from the IPv4 header to the end of the buffer (link padding included).
    pub(crate) fn len(&self) -> usize {
        // SAFETY: `self.0` is a valid sk_buff by the type's meaning, as in all functions below.
        unsafe { bindings::natf_skb_network_len(self.as_ptr()) as usize }
    }

    /// The protocol that the IPv4 header names (RFC 791).
    pub(crate) fn protocol(&self) -> Protocol {
        // SAFETY: valid sk_buff; the IPv4 input path has made the header linear, as it is in packets that we make.
        unsafe { bindings::natf_skb_protocol(self.as_ptr()) }.into()
    }

    /// The bytes from the IPv4 header on that can be read as the packet is: of packets from a socket or a
    /// device that is all headers.
    pub(crate) fn linear(&self) -> &[u8] {
        // SAFETY: valid sk_buff; so many bytes are linear from the network header on, and stay while nobody has
        // the packet by `&mut`.
        unsafe {
            let span = bindings::natf_skb_linear(self.as_ptr());
            core::slice::from_raw_parts(span.start, span.len as usize)
        }
    }

    /// The first `len` bytes, made linear if need be. `None`: the packet is shorter, or no memory.
    pub(crate) fn head(&mut self, len: usize) -> Option<&[u8]> {
        let want = u32::try_from(len).ok()?;
        // SAFETY: valid sk_buff, ours alone to reorganise.
        let start = unsafe { bindings::natf_skb_head(self.as_ptr(), want) };
        let start = NonNull::new(start.cast_mut())?;
        // SAFETY: the call above made `len` bytes from the network header linear; `&mut self`
        // keeps anything from moving them while the slice lives.
        Some(unsafe { core::slice::from_raw_parts(start.as_ptr(), len) })
    }

    /// The first `len` bytes, linear and private to this packet, to change in place.
    pub(crate) fn writable(&mut self, len: usize) -> Option<&mut [u8]> {
        let want = u32::try_from(len).ok()?;
        // SAFETY: valid sk_buff, ours alone to reorganise.
        let start = NonNull::new(unsafe { bindings::natf_skb_writable(self.as_ptr(), want) })?;
        // SAFETY: as in `head`; `skb_ensure_writable` made the bytes ours to write.
        Some(unsafe { core::slice::from_raw_parts_mut(start.as_ptr(), len) })
    }

    /// Replaces the four bytes at `at` and mends the transport checksum at `sum`, whatever state the
    /// packet's checksum is in (complete, partial, none). `pseudo`: the bytes belong to the pseudo
    /// header. `at` and `sum` must be even and within the packet. `None`: it is not, or no memory.
    pub(crate) fn replace4(
        &mut self,
        at: usize,
        to: [u8; 4],
        sum: usize,
        pseudo: bool,
    ) -> Option<()> {
        let end = at.max(sum).checked_add(4)?.min(self.len());
        let skb = self.as_ptr();
        let data = self.writable(end)?;
        let field = data.get_mut(at..)?.first_chunk_mut::<4>()?;
        let from = core::mem::replace(field, to);
        let sum = data.get_mut(sum..)?.first_chunk_mut::<2>()?;
        // SAFETY: `sum` points at two writable bytes of the packet; the kernel function touches those
        // and the checksum fields of the sk_buff.
        unsafe {
            bindings::natf_skb_replace4(
                skb,
                sum.as_mut_ptr(),
                u32::from_ne_bytes(from),
                u32::from_ne_bytes(to),
                pseudo,
            )
        };
        Some(())
    }

    /// What is known of the transport checksum.
    pub(crate) fn summed(&self) -> Summed {
        const COMPLETE: u8 = 2;
        const PARTIAL: u8 = 3;
        // SAFETY: valid sk_buff.
        match unsafe { bindings::natf_skb_ip_summed(self.as_ptr()) } {
            PARTIAL => Summed::Partial,
            COMPLETE => Summed::Complete,
            _ => Summed::Plain,
        }
    }

    /// Whether the transport checksum is still to be filled in by the device.
    pub(crate) fn checksum_is_partial(&self) -> bool {
        self.summed() == Summed::Partial
    }

    /// Whether it stands for several packets, which a device or the kernel will make of it.
    pub(crate) fn is_gso(&self) -> bool {
        // SAFETY: valid sk_buff.
        unsafe { bindings::natf_skb_is_gso(self.as_ptr()) }
    }

    /// Whether the packet came in fragments, which were put together on this host.
    pub(crate) fn was_fragmented(&self) -> bool {
        // SAFETY: valid sk_buff in the IPv4 input path, whose control block is that of IPv4.
        unsafe { bindings::natf_skb_was_fragmented(self.as_ptr()) }
    }

    /// Whether the packet has left its device behind, by [`Skb::hold`].
    pub(crate) fn is_detached(&self) -> bool {
        // SAFETY: valid sk_buff.
        unsafe { bindings::natf_skb_is_detached(self.as_ptr()) }
    }

    /// Makes the packet's route outlive the RCU section of the hook, so that the packet can be held.
    /// False if it has none any more: then it cannot.
    pub(crate) fn hold(&mut self, _guard: &rcu::Guard) -> bool {
        // SAFETY: valid sk_buff, inside the hook's RCU section.
        unsafe { bindings::natf_skb_dst_force(self.as_ptr()) }
    }

    /// Gives the packet the route to its present destination.
    ///
    /// # Errors
    ///
    /// That of the routing table, `ENETUNREACH` for instance.
    pub(crate) fn reroute(&mut self, net: Net<'_>) -> Result {
        // SAFETY: valid sk_buff with a route, valid net.
        to_result(unsafe { bindings::natf_reroute(net.as_ptr(), self.as_ptr()) })
    }

    /// Sends a rerouted packet through LOCAL_OUT.
    pub(crate) fn resend(self, net: Net<'_>) {
        // SAFETY: the packet has a route; the function consumes it.
        unsafe { bindings::natf_resend(net.as_ptr(), self.into_raw()) };
    }

    /// The interface by which the packet's route leaves; 0: it has no route.
    pub(crate) fn route_ifindex(&self) -> i32 {
        // SAFETY: valid sk_buff.
        unsafe { bindings::natf_skb_route_ifindex(self.as_ptr()) }
    }

    /// Sends a rerouted packet that POST_ROUTING held on its way to the interface `ifindex`; it passes
    /// POST_ROUTING once more, as if it still went there.
    pub(crate) fn forward(self, net: Net<'_>, ifindex: i32) {
        // SAFETY: the function consumes the packet and wants a route, which it checks.
        unsafe { bindings::natf_forward(net.as_ptr(), self.into_raw(), ifindex, false) };
    }

    /// The same for a packet that has travelled otherwise: it ends where it would go out.
    pub(crate) fn has_been_forwarded(self, net: Net<'_>, ifindex: i32) {
        // SAFETY: as in `forward`.
        unsafe { bindings::natf_forward(net.as_ptr(), self.into_raw(), ifindex, true) };
    }

    /// Has rules and conntrack see a rerouted packet that LOCAL_OUT held and that has travelled otherwise; it ends
    /// where it would go out.
    pub(crate) fn has_left(self, net: Net<'_>) {
        // SAFETY: the function consumes the packet and wants a route, which it checks.
        unsafe { bindings::natf_has_left(net.as_ptr(), self.into_raw()) };
    }

    /// Whether IPsec would encrypt a rerouted packet.
    pub(crate) fn is_transformed(&self) -> bool {
        // SAFETY: valid sk_buff.
        unsafe { bindings::natf_skb_is_transformed(self.as_ptr()) }
    }

    /// Whether the rules of this host would let a rerouted packet of its own out, as it is. It ends where it would go
    /// out, and leaves no trace in conntrack. False also if a program is asked (NFQUEUE).
    pub(crate) fn may_leave(self, net: Net<'_>) -> bool {
        // SAFETY: the function consumes the packet and wants a route, which it checks.
        unsafe { bindings::natf_may_leave(net.as_ptr(), self.into_raw()) }
    }

    /// A copy, of the same sender. `None`: no memory.
    pub(crate) fn copy(&self) -> Option<Self> {
        // SAFETY: valid sk_buff; the copy is ours.
        unsafe { Self::from_raw(bindings::natf_skb_copy(self.as_ptr())) }
    }

    /// Lets go of what a packet in PRE_ROUTING may not keep when it is set aside. `None`: it cannot be. Else what
    /// [`come_again`](Self::come_again) wants to know.
    pub(crate) fn set_aside(&mut self, _guard: &rcu::Guard) -> Option<i32> {
        // SAFETY: valid sk_buff in PRE_ROUTING, which has a device.
        match unsafe { bindings::natf_skb_set_aside(self.as_ptr()) } {
            0 => None,
            ifindex => Some(ifindex),
        }
    }

    /// Has a packet that was set aside come in again by the interface `ifindex`. Any context up to softirq; not with
    /// a lock held.
    pub(crate) fn come_again(self, net: Net<'_>, ifindex: i32) {
        // SAFETY: the function consumes the packet, and looks whether the interface is still there.
        unsafe { bindings::natf_come_again(net.as_ptr(), self.into_raw(), ifindex) };
    }

    /// Runs a packet that we made through the input path, as if it had come in by the interface `ifindex`. It can only
    /// be forwarded.
    pub(crate) fn inject_by(self, net: Net<'_>, ifindex: i32) {
        // SAFETY: a complete IPv4 packet, which the function consumes; it looks whether the interface is still there.
        unsafe { bindings::natf_inject_by(net.as_ptr(), self.into_raw(), ifindex) };
    }

    /// What beside its addresses counts for the packet's route.
    pub(crate) fn way(&self) -> Way {
        // SAFETY: valid sk_buff.
        unsafe {
            Way {
                mark: bindings::natf_skb_mark(self.as_ptr()),
                ifindex: bindings::natf_skb_bound_ifindex(self.as_ptr()),
            }
        }
    }

    /// Sends a packet that we made, routed by its own addresses and `way`.
    ///
    /// # Errors
    ///
    /// That of the routing table or the output path, `EMSGSIZE` if the packet is longer than the path takes; it is gone
    /// in any case.
    pub(crate) fn send(self, net: Net<'_>, way: Way) -> Result {
        // SAFETY: a complete IPv4 packet; the function consumes it.
        let errno =
            unsafe { bindings::natf_send(net.as_ptr(), self.into_raw(), way.mark, way.ifindex) };
        match errno {
            errno if errno < 0 => to_result(errno),
            _ => Ok(()),
        }
    }

    /// Runs a packet that we made through the input path, as if it came from `near`. Returns when it
    /// was forwarded, dropped, queued or stolen, and tells which.
    ///
    /// # Errors
    ///
    /// `ENETUNREACH`: no interface but `not_ifindex` leads to `near`.
    pub(crate) fn inject(
        self,
        net: Net<'_>,
        near: Ipv4Addr,
        not_ifindex: i32,
        _guard: &rcu::Guard,
    ) -> Result<Fate> {
        let near = u32::from_ne_bytes(near.octets());
        // SAFETY: a complete IPv4 packet; the function consumes it.
        match unsafe { bindings::natf_inject(net.as_ptr(), self.into_raw(), near, not_ifindex) } {
            0 => Ok(Fate::Passed),
            errno if errno < 0 => to_result(errno).map(|()| Fate::Passed),
            _ => Ok(Fate::Dropped),
        }
    }

    /// Runs a packet that we made through the input path, also to this host, as if it came from its source and
    /// answers one that went out by `way`. Process context; not with a socket locked.
    ///
    /// # Errors
    ///
    /// `ENETUNREACH`: no interface leads to its source.
    pub(crate) fn deliver(self, net: Net<'_>, way: Way, _guard: &rcu::Guard) -> Result {
        // SAFETY: a complete IPv4 packet; the function consumes it.
        to_result(unsafe {
            bindings::natf_deliver(net.as_ptr(), self.into_raw(), way.mark, way.ifindex)
        })
    }

    /// Keeps the packet's connection, if conntrack knows it, out of flow tables: its packets have to pass
    /// our hooks.
    pub(crate) fn stay_slow(&self) {
        // SAFETY: valid sk_buff.
        unsafe { bindings::natf_skb_stay_slow(self.as_ptr()) };
    }

    /// Tells the sender with an ICMP destination unreachable of this code, and frees the packet.
    pub(crate) fn refuse(self, code: u8) {
        const DEST_UNREACH: u8 = 3;
        // SAFETY: valid sk_buff; without a route the kernel sends nothing.
        unsafe { bindings::natf_icmp_error(self.as_ptr(), DEST_UNREACH, code) };
    }

    /// Frees the packet as one that reached its end, not as a loss.
    pub(crate) fn consume(self) {
        // SAFETY: the packet is ours.
        unsafe { bindings::natf_consume_skb(self.into_raw()) };
    }
}

impl Drop for Skb {
    fn drop(&mut self) {
        // SAFETY: the packet is ours.
        unsafe { bindings::natf_kfree_skb(self.as_ptr()) };
    }
}
