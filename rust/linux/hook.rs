// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks as functions that take a packet and say what becomes of it.

use super::bindings;
use super::netns::{Namespace, Netns};
use super::skb::Skb;
use super::timings::{self, Start};
use core::mem::ManuallyDrop;
use kernel::error::Error;
use kernel::ffi::{c_uint, c_void};
use kernel::sync::rcu;

/// Where in the IPv4 path (`enum nf_inet_hooks`).
#[derive(Clone, Copy)]
pub(crate) enum Point {
    PreRouting = 0,
    LocalIn = 1,
    Forward = 2,
    LocalOut = 3,
    PostRouting = 4,
}

/// What becomes of the packet.
pub(crate) enum Verdict {
    /// It goes on.
    Accept(Skb),
    /// It is freed.
    Drop(Skb),
    /// It is freed, and a local sender's system call returns this error.
    Refuse(Skb, Error),
    /// It was kept, sent or freed already.
    Stolen,
}

/// `EHOSTUNREACH`, which the `kernel` crate does not name.
pub(crate) fn host_unreachable() -> Error {
    const EHOSTUNREACH: i32 = kernel::bindings::EHOSTUNREACH as i32;
    Error::from_errno(-EHOSTUNREACH)
}

/// `ENOBUFS`: the packet is lost, as on a full device queue; a datagram socket says so only to those who
/// asked (IP_RECVERR).
pub(crate) fn no_buffers() -> Error {
    const ENOBUFS: i32 = kernel::bindings::ENOBUFS as i32;
    Error::from_errno(-ENOBUFS)
}

/// The circumstances of one call.
pub(crate) struct State<'a>(&'a bindings::nf_hook_state);

impl State<'_> {
    /// Index of the interface the packet came in by; 0 if it was made here.
    pub(crate) fn input_ifindex(&self) -> i32 {
        // SAFETY: a valid hook state.
        unsafe { bindings::natf_input_ifindex(self.0) }
    }

    /// That this is an RCU read section: netfilter calls every hook inside one.
    pub(crate) fn rcu(&self) -> &rcu::Guard {
        const { assert!(core::mem::size_of::<rcu::Guard>() == 0) };
        // SAFETY: a guard has no size, so any address will do for a reference. What it stands for is true while
        // `self` lives, and through a reference it cannot be dropped.
        unsafe { core::ptr::NonNull::dangling().as_ref() }
    }

    /// Index of the interface the packet leaves by; 0: not known yet.
    pub(crate) fn output_ifindex(&self) -> i32 {
        // SAFETY: a valid hook state.
        unsafe { bindings::natf_output_ifindex(self.0) }
    }

    /// Whether the packet came in by an interface; if not, it was made here.
    pub(crate) fn has_input(&self) -> bool {
        !self.0.in_.is_null()
    }
}

/// A function on a hook. Called in softirq or in process context, inside an RCU read section.
pub(crate) trait Hook<N: Namespace> {
    /// Where.
    const POINT: Point;
    /// In which order among others there; smaller is earlier.
    const PRIORITY: i32;
    /// Decides about one packet.
    fn handle(ns: &Netns<N>, skb: Skb, state: &State<'_>) -> Verdict;
    /// Which of its packets are timed, if any.
    const TIMED: Option<Timed<N>> = None;
}

/// How the packets of a hook are timed. Called while any namespace takes times.
pub(crate) struct Timed<N: Namespace> {
    /// Before the hook: when a packet came, if it may be one.
    pub(crate) start: fn(&Netns<N>, &Skb) -> Start,
    /// After the hook, which has accepted the packet: it began then.
    pub(crate) end: fn(&Netns<N>, &Skb, Start),
}

/// A hook, ready to be registered in every namespace.
pub(crate) struct Spec<N: Namespace> {
    point: Point,
    priority: i32,
    shim: unsafe extern "C" fn(
        *mut c_void,
        *mut kernel::bindings::sk_buff,
        *const bindings::nf_hook_state,
    ) -> c_uint,
    _of: core::marker::PhantomData<fn(&N)>,
}

impl<N: Namespace> Spec<N> {
    /// The spec of `H`.
    pub(crate) const fn of<H: Hook<N>>() -> Self {
        Self {
            point: H::POINT,
            priority: H::PRIORITY,
            shim: shim::<N, H>,
            _of: core::marker::PhantomData,
        }
    }

    /// The C structure that registers this hook for `ns`.
    pub(super) fn ops(&self, ns: *mut c_void) -> bindings::nf_hook_ops {
        const NFPROTO_IPV4: u8 = 2;
        // SAFETY: all-zero is a valid nf_hook_ops; the fields that matter are set below.
        let mut ops: bindings::nf_hook_ops = unsafe { core::mem::zeroed() };
        ops.hook = Some(self.shim);
        ops.priv_ = ns;
        ops.pf = NFPROTO_IPV4;
        ops.hooknum = self.point as c_uint;
        ops.priority = self.priority;
        ops
    }
}

const NF_DROP: c_uint = 0;
const NF_ACCEPT: c_uint = 1;
const NF_STOLEN: c_uint = 2;

/// # Safety
///
/// Called by netfilter with `ns` as registered and a packet whose fate the return value decides.
unsafe extern "C" fn shim<N: Namespace, H: Hook<N>>(
    ns: *mut c_void,
    raw: *mut kernel::bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: as the caller promises.
    unsafe {
        match &H::TIMED {
            Some(by) if timings::any() => timed::<N, H>(by, ns, raw, state),
            _ => untimed::<N, H>(ns, raw, state),
        }
    }
}

/// # Safety
///
/// As for `shim`.
#[cold]
unsafe fn timed<N: Namespace, H: Hook<N>>(
    by: &Timed<N>,
    ns: *mut c_void,
    raw: *mut kernel::bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: as in `untimed`; a copy of the handle that nothing is done with but looking.
    let (of, look) = unsafe {
        let look = || Skb::from_raw(raw).map(ManuallyDrop::new);
        (&*ns.cast::<Netns<N>>(), look)
    };
    let start = look().map_or(Start::default(), |skb| (by.start)(of, &skb));
    // SAFETY: as the caller promises.
    let verdict = unsafe { untimed::<N, H>(ns, raw, state) };
    // A packet that was accepted is still there, and the same.
    if verdict == NF_ACCEPT && start.is_taken() {
        if let Some(skb) = look() {
            (by.end)(of, &skb, start);
        }
    }
    verdict
}

/// A function of its own for the sake of `timed`, and for most packets the end of `shim`: a jump.
///
/// # Safety
///
/// As for `shim`.
unsafe fn untimed<N: Namespace, H: Hook<N>>(
    ns: *mut c_void,
    raw: *mut kernel::bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: `Netns` outlives its hooks: they are unregistered, and readers waited for, before.
    let ns = unsafe { &*ns.cast::<Netns<N>>() };
    // SAFETY: netfilter passes a valid state.
    let state = State(unsafe { &*state });
    // SAFETY: on IPv4 hooks the network header is an IPv4 header; every way out below gives the
    // packet back or says that it is gone.
    let Some(skb) = (unsafe { Skb::from_raw(raw) }) else {
        return NF_ACCEPT;
    };
    let (skb, verdict) = match H::handle(ns, skb, &state) {
        Verdict::Accept(skb) => (skb, NF_ACCEPT),
        Verdict::Drop(skb) => (skb, NF_DROP),
        // NF_DROP_ERR: the positive errno in the upper half.
        Verdict::Refuse(skb, error) => (skb, (error.to_errno().unsigned_abs() << 16) | NF_DROP),
        Verdict::Stolen => return NF_STOLEN,
    };
    if skb.as_ptr() != raw {
        // Another packet was handed back: the one that netfilter knows is gone already.
        return NF_STOLEN;
    }
    skb.into_raw();
    verdict
}
