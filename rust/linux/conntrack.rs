// SPDX-License-Identifier: GPL-2.0

//! What the router needs of nf_conntrack. `natf_en` does not use this, and so does not load it.

use super::bindings;
use super::netns::Net;
use super::skb::Skb;

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

/// Turns window tracking off for the packet's own TCP entry. False: it has no entry.
pub(crate) fn be_liberal(skb: &Skb) -> bool {
    // SAFETY: valid packet in a hook.
    unsafe { bindings::natf_ct_be_liberal(skb.as_ptr()) }
}

/// Ends the packet's entry if it is that of an earlier TCP connection that has closed. True if it was.
pub(crate) fn end_stale(skb: &Skb) -> bool {
    // SAFETY: valid packet in a hook.
    unsafe { bindings::natf_ct_end_stale(skb.as_ptr()) }
}

/// Seconds that the packet's entry lives without traffic for sure (TCP: once established); 0: it has none.
pub(crate) fn lifetime(net: Net<'_>, skb: &Skb) -> u32 {
    // SAFETY: valid packet in a hook, valid net.
    unsafe { bindings::natf_ct_lifetime(net.as_ptr(), skb.as_ptr()) }
}

/// Keeps conntrack from looking at a packet that we made.
pub(crate) fn untrack(skb: &mut Skb) {
    // SAFETY: valid packet, ours.
    unsafe { bindings::natf_ct_untrack(skb.as_ptr()) };
}
