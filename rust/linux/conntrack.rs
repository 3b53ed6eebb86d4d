// SPDX-License-Identifier: GPL-2.0

//! What the router needs of nf_conntrack. `natf_en` does not use this, and so does not load it.

use super::bindings;
use super::netns::Net;
use super::skb::Skb;
use core::marker::PhantomData;
use core::net::Ipv4Addr;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::rcu;

/// Enters the packet's new entry into conntrack's table. False: no room, or a clash. Before the packet
/// leaves POST_ROUTING.
pub(crate) fn confirm(skb: &Skb) -> bool {
    const NF_ACCEPT: i32 = 1;
    // SAFETY: valid packet in a hook.
    unsafe { bindings::natf_ct_confirm(skb.as_ptr()) == NF_ACCEPT }
}

/// Whether the packet's entry was in conntrack's table before.
pub(crate) fn is_confirmed(skb: &Skb) -> bool {
    // SAFETY: valid packet in a hook.
    unsafe { bindings::natf_ct_is_confirmed(skb.as_ptr()) }
}

/// Makes the packet's entry fit for a connection that the other side opens: its TCP window tracking begins
/// with the real SYN and SYN/ACK. False: it has no entry.
pub(crate) fn adopt(skb: &Skb) -> bool {
    // SAFETY: valid packet in a hook.
    unsafe { bindings::natf_ct_adopt(skb.as_ptr()) }
}

/// Prepares the packet's new entry for [`expect_echo`]; nothing is done to one that is confirmed.
pub(crate) fn may_expect(skb: &Skb) {
    // SAFETY: valid packet in a hook; its unconfirmed entry is its own.
    unsafe { bindings::natf_ct_may_expect(skb.as_ptr()) };
}

/// The packet is an echo request that the NAT has translated, its entry confirmed. For `lifetime`
/// seconds, echo requests to the mapped id belong to that entry and go to the inside host. False: they do
/// not, because there is no nf_nat, no room for them, or no [`Echoes`].
pub(crate) fn expect_echo(skb: &Skb, lifetime: u32, _guard: &rcu::Guard) -> bool {
    // SAFETY: valid packet in a hook, inside its RCU section.
    unsafe { bindings::natf_ct_expect_echo(skb.as_ptr(), lifetime) }
}

/// While this lives echoes can be expected. What is expected when it is dropped, in any namespace, is not
/// any more: it leads to code of this module. (Code with a parameter is compiled only where it is used:
/// `natf_en` has no conntrack.)
pub(crate) struct Echoes<N>(PhantomData<fn(N)>);

impl<N> Echoes<N> {
    /// To be made once in the life of a module.
    pub(crate) fn new() -> Self {
        // SAFETY: no requirements; the second of two would corrupt a list of the kernel.
        unsafe { bindings::natf_ct_echo_register() };
        Self(PhantomData)
    }
}

impl<N> Drop for Echoes<N> {
    fn drop(&mut self) {
        // SAFETY: registered by `new`; process context, as modules are loaded and unloaded.
        unsafe { bindings::natf_ct_echo_unregister() };
    }
}

/// Ends the packet's entry.
pub(crate) fn kill(skb: &Skb) {
    // SAFETY: valid packet in a hook, which keeps its entry from being freed.
    unsafe { bindings::natf_ct_kill(skb.as_ptr()) };
}

/// Ends the packet's entry if a mapping cannot be made of it: that of an earlier TCP connection that has
/// closed, that of a ping of the inside host. True if it was. `proven`: the endpoint itself wants the mapping.
///
/// # Errors
///
/// `EPERM`: the connection is closed on one side only, so the other one may still be sending, and the request is not
/// proven. Nothing was ended.
pub(crate) fn end_stale(skb: &Skb, proven: bool) -> Result<bool> {
    // SAFETY: valid packet in a hook.
    let ended = unsafe { bindings::natf_ct_end_stale(skb.as_ptr(), proven) };
    to_result(ended).map(|()| ended > 0)
}

/// Seconds that the packet's entry lives without traffic for sure (TCP: once established); 0: it has none.
pub(crate) fn lifetime(net: Net<'_>, skb: &Skb) -> u32 {
    // SAFETY: valid packet in a hook, valid net.
    unsafe { bindings::natf_ct_lifetime(net.as_ptr(), skb.as_ptr()) }
}

/// Packets that conntrack has dropped on this CPU in this namespace, because its table was full. Two calls
/// tell whether it dropped one in between, unless the caller was moved to another CPU meanwhile.
pub(crate) fn drops(net: Net<'_>) -> u32 {
    // SAFETY: valid net.
    unsafe { bindings::natf_ct_drops(net.as_ptr()) }
}

/// A flow between an inside host and an endpoint.
#[derive(Clone, Copy)]
pub(crate) struct Flow {
    /// IP protocol number: TCP, UDP or ICMP (echo).
    pub(crate) protocol: u8,
    /// Inside: P1 and d, or P1 and the echo id.
    pub(crate) host: (Ipv4Addr, u16),
    /// Outside: G1 and s, or G1 and the echo id.
    pub(crate) en: (Ipv4Addr, u16),
    /// Conntrack's zone: see [`zone`].
    pub(crate) zone: u32,
}

/// What conntrack knows of a flow.
pub(crate) struct Entry {
    /// G2 and m.
    pub(crate) mapped: (Ipv4Addr, u16),
    /// Seconds that it lives without traffic.
    pub(crate) left: u32,
    /// An open TCP connection: the sequence numbers that host and endpoint will send next.
    pub(crate) next: Option<(u32, u32)>,
}

impl Flow {
    fn to_c(self) -> bindings::natf_ct_flow {
        bindings::natf_ct_flow {
            host: u32::from_ne_bytes(self.host.0.octets()),
            en: u32::from_ne_bytes(self.en.0.octets()),
            port: self.host.1.to_be(),
            en_port: self.en.1.to_be(),
            zone: self.zone,
            protocol: self.protocol,
        }
    }
}

/// Zone of the packet's entry; 0 is the one of those who have none.
pub(crate) fn zone(skb: &Skb) -> u32 {
    // SAFETY: valid packet in a hook.
    unsafe { bindings::natf_ct_zone(skb.as_ptr()) }
}

/// The flow's entry, if it has one. Any context up to softirq.
pub(crate) fn find(net: Net<'_>, flow: &Flow) -> Option<Entry> {
    let mut entry = core::mem::MaybeUninit::<bindings::natf_ct_entry>::uninit();
    // SAFETY: valid net, and pointers to values of the right type. The entry is filled in if the answer is true.
    let entry = unsafe {
        bindings::natf_ct_find(net.as_ptr(), &flow.to_c(), entry.as_mut_ptr())
            .then(|| entry.assume_init())
    }?;
    Some(Entry {
        mapped: (
            Ipv4Addr::from(entry.mapped.to_ne_bytes()),
            u16::from_be(entry.mapped_port),
        ),
        left: entry.left,
        next: entry.open.then_some((entry.host_next, entry.en_next)),
    })
}

/// Ends the flow's entry. Any context up to softirq.
pub(crate) fn end(net: Net<'_>, flow: &Flow) {
    // SAFETY: valid net, and a pointer to a value of the right type.
    unsafe { bindings::natf_ct_end(net.as_ptr(), &flow.to_c()) };
}

/// Keeps conntrack from looking at a packet that we made.
pub(crate) fn untrack(skb: &mut Skb) {
    // SAFETY: valid packet, ours.
    unsafe { bindings::natf_ct_untrack(skb.as_ptr()) };
}
