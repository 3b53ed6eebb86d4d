// SPDX-License-Identifier: GPL-2.0

//! A module is told when an IPv4 address of one of its namespaces goes away.

use super::bindings;
use super::netns::{self, Namespace};
use core::net::Ipv4Addr;
use kernel::bindings as kb;
use kernel::error::to_result;
use kernel::ffi::{c_int, c_ulong, c_void};
use kernel::prelude::*;

/// Calls `N::address_gone` for every namespace, while it lives.
pub(super) struct Watch(KBox<kb::notifier_block>);

// SAFETY: the C structure is only touched by the kernel, under the lock of its notifier chain.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Watch {
    /// Begins. The instances of `N` are there, and stay until this is dropped, except those of
    /// namespaces that die. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new<N: Namespace>() -> Result<Self> {
        let mut block = KBox::new(
            kb::notifier_block {
                notifier_call: Some(changed::<N>),
                next: core::ptr::null_mut(),
                priority: 0,
            },
            GFP_KERNEL,
        )?;
        // SAFETY: the block stays in its box until `drop` unregisters it.
        to_result(unsafe { bindings::register_inetaddr_notifier(&mut *block) })?;
        Ok(Self(block))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: registered by `new`. The call waits for those that are in `changed`: they hold the
        // chain's lock.
        unsafe { bindings::unregister_inetaddr_notifier(&mut *self.0) };
    }
}

/// # Safety
///
/// Called by the chain of IPv4 address changes, with the RTNL held, with the `in_ifaddr` that changed.
unsafe extern "C" fn changed<N: Namespace>(
    _block: *mut kb::notifier_block,
    event: c_ulong,
    address: *mut c_void,
) -> c_int {
    const NOTIFY_DONE: c_int = 0;
    const GONE: c_ulong = bindings::netdev_cmd_NETDEV_DOWN as c_ulong;

    if event == GONE {
        // SAFETY: the address is valid. Its namespace has its instance still: a dying namespace loses
        // its devices, and their addresses, before its instances (`register_pernet_subsys`), and at
        // unload the `Watch` goes first, which waits for this call.
        let ns = unsafe { netns::load::<N>(bindings::natf_address_net(address)) };
        // SAFETY: as above.
        let local = unsafe { bindings::natf_address_local(address) };
        if let Some(ns) = ns {
            N::address_gone(ns, Ipv4Addr::from(local.to_ne_bytes()));
        }
    }
    NOTIFY_DONE
}
