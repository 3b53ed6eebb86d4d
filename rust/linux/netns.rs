// SPDX-License-Identifier: GPL-2.0

//! One instance of a module's state per network namespace, with its hooks and its clock tick.
//!
//! Life of an instance: made with the namespace (or for all at module load). Its hooks are registered when
//! somebody writes to one of its files, so that packets of other namespaces pay nothing; before it dies they are
//! unregistered, readers waited for, its tick stopped. In between it hears of addresses that go away.

use super::address::Watch;
use super::bindings;
use super::clock;
use super::hook::Spec;
use super::sysfs::{File, Folder, Readers};
use core::marker::PhantomData;
use core::net::Ipv4Addr;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use kernel::bindings as kb;
use kernel::error::{from_result, to_result};
use kernel::ffi::{c_int, c_uint, c_void};
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::Mutex;
use kernel::types::Opaque;

/// A network namespace, borrowed from the `Netns` that handed it out.
#[derive(Clone, Copy)]
pub(crate) struct Net<'a>(*mut kb::net, PhantomData<&'a ()>);

impl Net<'_> {
    pub(super) fn as_ptr(self) -> *mut kb::net {
        self.0
    }
}

/// The slot of `N` in every network namespace; a `static` of the module.
pub(crate) struct Id<N>(AtomicU32, PhantomData<fn(N)>);

impl<N> Id<N> {
    /// Not yet given by the kernel.
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0), PhantomData)
    }
}

/// What a module keeps per namespace.
pub(crate) trait Namespace: Sized + Send + Sync + 'static {
    /// Registered at the first setting, in this order.
    const HOOKS: &'static [Spec<Self>];
    /// How many of the last of these make packets that the others have to catch: the others go when no such
    /// packet is about any more.
    const SOURCES: usize = 0;
    /// The module's slot.
    fn id() -> &'static Id<Self>;
    /// A new instance. Process context, may sleep.
    fn new(net: Net<'_>) -> impl PinInit<Self, Error>;
    /// Periodic work, in process context; the delay until the next call in milliseconds, or `None`
    /// to wait for a `kick`.
    fn tick(ns: &Netns<Self>) -> Option<u32>;
    /// What to do when the hooks of a namespace that ends are gone: let go of the packets that it holds, whose connections
    /// others wait for. Process context, may sleep; the tick may still run.
    const HOOKS_GONE: Option<fn(&Netns<Self>)> = None;
    /// An IPv4 address was taken from an interface of the namespace (another interface may have the same
    /// one still). Process context with the RTNL held; may sleep, but not wait for anybody who wants the
    /// RTNL. Called up to the end of the namespace, when its hooks are gone already.
    fn address_gone(_ns: &Netns<Self>, _address: Ipv4Addr) {}
}

/// An instance with all that hangs on it.
#[pin_data]
pub(crate) struct Netns<N: Namespace> {
    net: *mut kb::net,
    ops: KVec<bindings::nf_hook_ops>,
    /// Whether the hooks are registered.
    #[pin]
    hooked: Mutex<bool>,
    /// When the tick is due, in milliseconds since boot; `u64::MAX`: not armed.
    due: AtomicU64,
    #[pin]
    work: Opaque<kb::delayed_work>,
    /// Who reads the files.
    #[pin]
    readers: Mutex<Readers>,
    #[pin]
    state: N,
}

// SAFETY: a `struct net` may be used from any context; `ops` is touched only while the instance is made and taken down; the rest is Sync.
unsafe impl<N: Namespace> Sync for Netns<N> {}
// SAFETY: nothing in it is bound to a thread.
unsafe impl<N: Namespace> Send for Netns<N> {}

impl<N: Namespace> Deref for Netns<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.state
    }
}

impl<N: Namespace> Netns<N> {
    fn new(of: Net<'_>) -> impl PinInit<Self, Error> + '_ {
        try_pin_init!(Self {
            net: of.0,
            ops: KVec::new(),
            hooked <- new_mutex!(false),
            due: AtomicU64::new(u64::MAX),
            work <- Opaque::ffi_init(|slot| {
                // SAFETY: the slot is memory for a delayed work, pinned from now on.
                unsafe { bindings::natf_work_init(slot, Some(run::<N>)) }
            }),
            readers <- new_mutex!(Readers::default()),
            state <- N::new(of),
        })
    }

    /// Who reads its files in pieces.
    pub(super) fn readers(&self) -> &Mutex<Readers> {
        &self.readers
    }

    /// The namespace.
    pub(crate) fn net(&self) -> Net<'_> {
        Net(self.net, PhantomData)
    }

    /// Registers the hooks, if they are not. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn wake(&self) -> Result {
        let mut hooked = self.hooked.lock();
        if !*hooked {
            // SAFETY: the instance is complete, and unregisters them before it dies.
            to_result(unsafe {
                bindings::nf_register_net_hooks(
                    self.net,
                    self.ops.as_ptr(),
                    self.ops.len() as c_uint,
                )
            })?;
            *hooked = true;
        }
        Ok(())
    }

    /// Has the tick run within `delay_ms`, also if it was due later. Any context up to softirq.
    pub(crate) fn kick(&self, delay_ms: u32) {
        let now = clock::now_ms();
        let mut due = now.saturating_add(u64::from(delay_ms));
        if due >= self.due.fetch_min(due, Ordering::AcqRel) {
            return;
        }
        // Whoever wants it earlier may have come in between; the last one to arm it must know.
        loop {
            let delay = u32::try_from(due.saturating_sub(now)).unwrap_or(delay_ms);
            // SAFETY: the work was initialised, and is stopped before the instance is freed.
            unsafe { bindings::natf_work_arm(self.work.get(), delay) };
            match self.due.load(Ordering::Acquire) {
                earlier if earlier < due => due = earlier,
                _ => return,
            }
        }
    }
}

/// # Safety
///
/// Called by the work queue with the `work` of a `Netns<N>` that is alive.
unsafe extern "C" fn run<N: Namespace>(work: *mut kb::work_struct) {
    // SAFETY: `work` is the `work` member of the `delayed_work` that is the `work` of a `Netns<N>`.
    let ns = unsafe {
        let delayed = work
            .byte_sub(core::mem::offset_of!(kb::delayed_work, work))
            .cast::<kb::delayed_work>();
        &*Opaque::cast_from(delayed)
            .byte_sub(core::mem::offset_of!(Netns<N>, work))
            .cast::<Netns<N>>()
    };
    // Before the tick looks at what the kicks were for.
    ns.due.swap(u64::MAX, Ordering::AcqRel);
    if let Some(delay) = N::tick(ns) {
        ns.kick(delay);
    }
}

/// The instance of `net`, if there is one.
///
/// # Safety
///
/// `net` is valid, and the caller keeps the instance from being taken down while `'a` lasts.
pub(super) unsafe fn load<'a, N: Namespace>(net: *mut kb::net) -> Option<&'a Netns<N>> {
    // SAFETY: as the caller promises.
    unsafe { load_ptr::<N>(net).as_ref() }
}

/// # Safety
///
/// `net` is valid and the module's slot is given.
unsafe fn load_ptr<N: Namespace>(net: *mut kb::net) -> *mut Netns<N> {
    let id = N::id().0.load(Ordering::Acquire);
    // SAFETY: as the caller promises.
    unsafe { bindings::natf_net_load(net, id).cast() }
}

/// Calls `f` with the instance of the current process's namespace, which `admin` wants to change: then it
/// begins to look at packets. Process context only, from a
/// sysfs access: the files are gone before the instances are.
///
/// # Errors
///
/// `EPERM` if `admin` is asked for and the process is none there; `ENODEV` without an instance.
pub(super) fn with_current<N: Namespace, T>(
    admin: bool,
    f: impl FnOnce(&Netns<N>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the current process holds a reference on its namespace while it is in a system call,
    // and sysfs files are removed before the instances.
    let (net, ns) = unsafe {
        let net = bindings::natf_current_net();
        (net, load::<N>(net))
    };
    // SAFETY: `net` is valid as above.
    if admin && !unsafe { bindings::natf_current_is_admin(net) } {
        return Err(EPERM);
    }
    let ns = ns.ok_or(ENODEV)?;
    if admin {
        ns.wake()?;
    }
    f(ns)
}

unsafe extern "C" fn init<N: Namespace>(net: *mut kb::net) -> c_int {
    from_result(|| {
        let mut ns = KBox::pin_init(Netns::<N>::new(Net(net, PhantomData)), GFP_KERNEL)?;
        let context = core::ptr::from_ref(&*ns).cast_mut().cast::<c_void>();
        let mut ops = KVec::with_capacity(N::HOOKS.len(), GFP_KERNEL)?;
        for spec in N::HOOKS {
            ops.push(spec.ops(context), GFP_KERNEL)?;
        }
        // SAFETY: `ops` is not structurally pinned.
        unsafe { ns.as_mut().get_unchecked_mut() }.ops = ops;
        // SAFETY: the instance is complete; it is not moved: it stays in its pinned box.
        let ptr = KBox::into_raw(unsafe { Pin::into_inner_unchecked(ns) });
        // SAFETY: valid net and slot; nobody else touches the instance yet.
        unsafe { bindings::natf_net_store(net, N::id().0.load(Ordering::Acquire), ptr.cast()) };
        Ok(0)
    })
}

/// The kernel waits for RCU readers between this and `exit`: no hook runs any more then.
unsafe extern "C" fn pre_exit<N: Namespace>(net: *mut kb::net) {
    // SAFETY: the kernel calls this once per namespace whose `init` succeeded.
    if let Some(ns) = unsafe { load::<N>(net) } {
        if *ns.hooked.lock() {
            let (catch, make) = ns.ops.split_at(ns.ops.len().saturating_sub(N::SOURCES));
            // SAFETY: these hooks were registered by `wake`.
            unsafe {
                if !make.is_empty() {
                    bindings::nf_unregister_net_hooks(net, make.as_ptr(), make.len() as c_uint);
                    kb::synchronize_rcu();
                    bindings::natf_net_drop_queued(net);
                }
                bindings::nf_unregister_net_hooks(net, catch.as_ptr(), catch.len() as c_uint);
            }
            if let Some(hooks_gone) = N::HOOKS_GONE {
                // SAFETY: process context, and no lock of RCU's is held.
                unsafe { kb::synchronize_rcu() };
                hooks_gone(ns);
            }
        }
    }
}

unsafe extern "C" fn exit<N: Namespace>(net: *mut kb::net) {
    // SAFETY: called once per namespace, after `pre_exit`: nobody uses the instance any more but its tick, which is waited
    // for before it is freed.
    unsafe {
        let ptr = load_ptr::<N>(net);
        if ptr.is_null() {
            return;
        }
        // The tick makes packets, too, and what waited in a queue may wait in the next one when a program lets it go on.
        bindings::natf_work_stop((*ptr).work.get());
        bindings::natf_net_drop_queued(net);
        kb::synchronize_rcu();
        bindings::natf_net_drop_queued(net);
        let id = N::id().0.load(Ordering::Acquire);
        bindings::natf_net_store(net, id, core::ptr::null_mut());
        drop(KBox::from_raw(ptr));
    }
}

/// Keeps an instance in every network namespace, present and future, while it lives, and the folder
/// through which people reach it.
pub(crate) struct Registration<N: Namespace> {
    /// Both are dropped before the instances go: `drop` below takes them first.
    files: Option<Folder>,
    watch: Option<Watch>,
    ops: KBox<bindings::pernet_operations>,
    _of: PhantomData<fn(N)>,
}

// SAFETY: the C structure is only read by the kernel, under its own locks.
unsafe impl<N: Namespace> Send for Registration<N> {}
// SAFETY: as above.
unsafe impl<N: Namespace> Sync for Registration<N> {}

impl<N: Namespace> Registration<N> {
    /// Makes the instances and then /sys/kernel/`name` with `files`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, or what `N::new` says for one of the namespaces; then nothing is left.
    pub(crate) fn new(name: &CStr, files: &'static [File<N>]) -> Result<Self> {
        // SAFETY: all-zero is a valid pernet_operations.
        let mut raw: bindings::pernet_operations = unsafe { core::mem::zeroed() };
        raw.init = Some(init::<N>);
        raw.pre_exit = Some(pre_exit::<N>);
        raw.exit = Some(exit::<N>);
        raw.id = N::id().0.as_ptr();
        raw.size = core::mem::size_of::<*mut c_void>();
        let mut ops = KBox::new(raw, GFP_KERNEL)?;
        // SAFETY: `ops` stays where it is until `drop` unregisters it.
        to_result(unsafe { bindings::register_pernet_subsys(&mut *ops) })?;
        let mut registration = Self {
            files: None,
            watch: None,
            ops,
            _of: PhantomData,
        };
        registration.watch = Some(Watch::new::<N>()?);
        registration.files = Some(Folder::new(name, files)?);
        Ok(registration)
    }
}

impl<N: Namespace> Drop for Registration<N> {
    fn drop(&mut self) {
        self.files = None;
        self.watch = None;
        // SAFETY: registered by `new`. The call also waits (`rcu_barrier`) for the RCU callbacks that
        // table entries still have under way, whose code goes with the module. But what a callback frees may
        // own an object that takes a callback of its own, and that one more: a negotiation, its flow, the
        // flow that it was to replace.
        unsafe {
            bindings::unregister_pernet_subsys(&mut *self.ops);
            kb::rcu_barrier();
            kb::rcu_barrier();
        }
    }
}
