// SPDX-License-Identifier: GPL-2.0

//! A hash table with RCU readers and a bound, over `struct rhashtable`. Keys are 16 bytes.

use super::bindings;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::ControlFlow;
use kernel::bindings as kb;
use kernel::error::to_result;
use kernel::ffi::c_void;
use kernel::prelude::*;
use kernel::sync::rcu;
use kernel::types::Opaque;

/// A key; shorter ones are padded with zeros.
pub(crate) type Key = [u8; bindings::NATF_KEY_LEN as usize];

#[repr(C)]
struct Node<V> {
    entry: bindings::natf_entry,
    value: ManuallyDrop<V>,
}

/// The table. Lookups are wait-free; inserts and removals lock one bucket, in any context up to softirq.
///
/// # Invariants
///
/// Every entry of the rhashtable is the `entry` of a `Node<V>` made by `insert`, freed after a grace period.
#[pin_data]
pub(crate) struct Table<V: Send + Sync + 'static> {
    #[pin]
    inner: Inner<V>,
    max: u32,
}

/// Own type so that only a table that was initialised is destroyed.
#[pin_data(PinnedDrop)]
struct Inner<V: Send + Sync + 'static> {
    #[pin]
    ht: Opaque<kb::rhashtable>,
    _of: PhantomData<V>,
}

// SAFETY: rhashtable is made for concurrent use; values are Send + Sync.
unsafe impl<V: Send + Sync> Send for Table<V> {}
// SAFETY: as above.
unsafe impl<V: Send + Sync> Sync for Table<V> {}

impl<V: Send + Sync + 'static> Table<V> {
    /// An empty table for at most `max` entries. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(max: u32) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            inner <- try_pin_init!(Inner {
                ht <- Opaque::try_ffi_init(|slot| {
                    // SAFETY: the slot is memory for a rhashtable, pinned from now on.
                    to_result(unsafe { bindings::natf_table_init(slot, max) })
                }),
                _of: PhantomData,
            }? Error),
            max,
        }? Error)
    }

    /// Entries present.
    pub(crate) fn len(&self) -> u32 {
        // SAFETY: initialised table.
        unsafe { bindings::natf_table_len(self.inner.ht.get()) }
    }

    fn find(&self, key: &Key) -> Option<&Node<V>> {
        /// The hash function reads words.
        #[repr(align(4))]
        struct Aligned(Key);

        let key = Aligned(*key);
        // SAFETY: initialised table; the caller is in an RCU section. By the type invariant what is
        // found is a `Node<V>`, and it lives until that section ends.
        unsafe {
            bindings::natf_table_lookup(self.inner.ht.get(), key.0.as_ptr())
                .cast::<Node<V>>()
                .as_ref()
        }
    }

    /// The value of `key`, for as long as the RCU section lasts.
    pub(crate) fn get<'a>(&'a self, key: &Key, _guard: &'a rcu::Guard) -> Option<&'a V> {
        self.find(key).map(|node| &*node.value)
    }

    /// Enters a value.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when full, `EEXIST` when the key is taken, `ENOMEM`.
    pub(crate) fn insert(&self, key: Key, value: V) -> Result {
        if self.len() >= self.max {
            return Err(ENOSPC);
        }
        // SAFETY: all-zero is a valid natf_entry.
        let mut entry: bindings::natf_entry = unsafe { core::mem::zeroed() };
        entry.key = key;
        let node = KBox::into_raw(KBox::new(
            Node {
                entry,
                value: ManuallyDrop::new(value),
            },
            GFP_ATOMIC,
        )?);
        // SAFETY: a fresh node with the layout that the table expects.
        let errno = unsafe { bindings::natf_table_insert(self.inner.ht.get(), node.cast()) };
        let inserted = to_result(errno);
        if inserted.is_err() {
            // SAFETY: the node did not enter the table: nobody else knows it.
            unsafe { free_node::<V>(node) };
        }
        inserted
    }

    /// Takes an entry out, if it is there and `which` says so; it is freed when all readers are through.
    pub(crate) fn remove_if(&self, key: &Key, which: impl FnOnce(&V) -> bool) -> bool {
        let _guard = rcu::read_lock();
        match self.find(key) {
            Some(node) if which(&node.value) => self.unlink(node),
            _ => false,
        }
    }

    /// Takes an entry out, if it is there.
    pub(crate) fn remove(&self, key: &Key) -> bool {
        self.remove_if(key, |_| true)
    }

    fn unlink(&self, node: &Node<V>) -> bool {
        let node = core::ptr::from_ref(node).cast_mut();
        // SAFETY: the node is one of this table's, kept by the caller's RCU section; only the one
        // caller that really took it out hands it to RCU.
        unsafe {
            if bindings::natf_table_remove(self.inner.ht.get(), node.cast()) != 0 {
                return false;
            }
            kb::call_rcu(&raw mut (*node).entry.rcu, Some(free_rcu::<V>));
        }
        true
    }

    /// Visits entries until `visit` breaks; entries that come or go meanwhile may or may not be seen, a
    /// resize may show one twice. `visit` must not sleep, but the walk does: process context only.
    pub(crate) fn walk<B>(&self, mut visit: impl FnMut(&V) -> ControlFlow<B>) -> Option<B> {
        self.walk_nodes(|node| visit(&node.value))
    }

    /// Visits every entry as `walk` does and takes out those for which `keep` is false.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&V) -> bool) {
        self.walk_nodes(|node| {
            if !keep(&node.value) {
                self.unlink(node);
            }
            ControlFlow::<()>::Continue(())
        });
    }

    fn walk_nodes<B>(&self, mut visit: impl FnMut(&Node<V>) -> ControlFlow<B>) -> Option<B> {
        /// Entries between two rests.
        const STRIDE: u32 = 256;

        let mut visited: u32 = 0;
        let mut result = None;
        let mut iter = core::mem::MaybeUninit::<kb::rhashtable_iter>::uninit();
        // SAFETY: initialised table; the iterator is started before it is used and stopped after. It
        // does not move meanwhile. Between start, rest and stop we are in an RCU section, and no node is
        // used beyond.
        unsafe {
            bindings::natf_table_walk_start(self.inner.ht.get(), iter.as_mut_ptr());
            while let Some(node) = bindings::natf_table_walk_next(iter.as_mut_ptr())
                .cast::<Node<V>>()
                .as_ref()
            {
                if let ControlFlow::Break(value) = visit(node) {
                    result = Some(value);
                    break;
                }
                visited = visited.wrapping_add(1);
                if visited % STRIDE == 0 {
                    bindings::natf_table_walk_pause(iter.as_mut_ptr());
                }
            }
            bindings::natf_table_walk_stop(iter.as_mut_ptr());
        }
        result
    }
}

/// # Safety
///
/// `node` came from `insert` and nobody else can reach it.
unsafe fn free_node<V>(node: *mut Node<V>) {
    // SAFETY: as the caller promises; the value was never dropped before.
    unsafe {
        let mut node = KBox::from_raw(node);
        ManuallyDrop::drop(&mut node.value);
    }
}

unsafe extern "C" fn free_rcu<V>(head: *mut kb::callback_head) {
    // SAFETY: `head` is the `rcu` of a node that `unlink` took out; all readers are through.
    unsafe {
        let entry = head.byte_sub(core::mem::offset_of!(bindings::natf_entry, rcu));
        free_node::<V>(entry.cast());
    }
}

unsafe extern "C" fn free_last<V>(entry: *mut c_void, _arg: *mut c_void) {
    // SAFETY: the table is being destroyed: nobody else can reach its nodes.
    unsafe { free_node::<V>(entry.cast()) };
}

#[pinned_drop]
impl<V: Send + Sync + 'static> PinnedDrop for Inner<V> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: initialised table, and `&mut self` says that nobody uses it any more.
        unsafe {
            bindings::natf_table_destroy(self.ht.get(), Some(free_last::<V>), core::ptr::null_mut())
        };
    }
}
