// SPDX-License-Identifier: GPL-2.0

//! Hash tables with RCU readers and a bound, over `struct rhashtable`. An object hangs in a table by a
//! [`Link`] that is part of it; it may have several, for several tables.

use super::bindings;
use super::shared::{Counted, Shared};
use core::marker::PhantomData;
use core::mem::forget;
use core::ops::{ControlFlow, Deref};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use kernel::bindings as kb;
use kernel::error::to_result;
use kernel::ffi::c_void;
use kernel::prelude::*;
use kernel::sync::rcu;
use kernel::types::Opaque;

const KEY_LEN: usize = bindings::NATF_KEY_LEN as usize - 1;

/// A key; shorter ones are padded with zeros.
pub(crate) type Key = [u8; KEY_LEN];

/// The same as two little-endian words, the highest byte of the second one zero.
pub(crate) type Words = (u64, u64);

/// The words of a key.
fn words([l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6]: Key) -> Words {
    (
        u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]),
        u64::from_le_bytes([h0, h1, h2, h3, h4, h5, h6, 0]),
    )
}

/// The highest byte of a link's second word: no key yet; being written; written; entered, and perhaps taken out
/// again.
const STATE: u64 = 0xff << 56;
const UNSET: u64 = 0;
const LINKED: u64 = (bindings::NATF_LINKED as u64) << 56;
const SETTING: u64 = 2 << 56;
const SET: u64 = 3 << 56;

/// Where an object is in a table: in which bucket, behind how many others. When the table changes, another one may be
/// there.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cursor {
    slot: u32,
    skip: u32,
}

/// A place in one table, taken once in the life of its object: readers may still follow it when the object
/// is out, so its key is written once and never changes.
///
/// # Invariants
///
/// The key is written only by whoever moved the state from `UNSET` to `SETTING`.
pub(crate) struct Link(Opaque<bindings::natf_link>);

// SAFETY: shared use is that of the table, and the invariant.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Link {
    /// For this key.
    pub(crate) fn new(key: Key) -> Self {
        Self::of(words(key))
    }

    /// For the key of these words.
    pub(crate) fn of(words: Words) -> Self {
        let link = Self::unset();
        link.set(words);
        link
    }

    /// Without a key.
    pub(crate) const fn unset() -> Self {
        Self(Opaque::zeroed())
    }

    /// Sets the key. False if it has one.
    pub(crate) fn set(&self, (low, high): Words) -> bool {
        if !self.step(UNSET, UNSET, SETTING) {
            return false;
        }
        // By the invariant nobody else writes the key now.
        self.low().store(low, Ordering::Relaxed);
        self.high().store((high & !STATE) | SET, Ordering::Release);
        true
    }

    /// The key, if it has one.
    #[inline]
    pub(crate) fn key(&self) -> Option<Words> {
        let high = self.high().load(Ordering::Acquire);
        match high & STATE {
            // The key does not change any more.
            LINKED | SET => Some((self.low().load(Ordering::Relaxed), high & !STATE)),
            _ => None,
        }
    }

    fn low(&self) -> &AtomicU64 {
        // SAFETY: inside the link, aligned, and only ever used as an atomic (C reads it of links with a key only).
        unsafe { AtomicU64::from_ptr((&raw mut (*self.0.get()).key).cast()) }
    }

    fn high(&self) -> &AtomicU64 {
        // SAFETY: as in `low`; the second of two words.
        unsafe { AtomicU64::from_ptr((&raw mut (*self.0.get()).key).cast::<u64>().add(1)) }
    }

    fn step(&self, key: u64, from: u64, to: u64) -> bool {
        self.high()
            .compare_exchange(key | from, key | to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// From now on it counts as entered. False if it has no key, or was entered before.
    fn enter(&self) -> bool {
        self.key()
            .is_some_and(|(_, high)| self.step(high, SET, LINKED))
    }

    fn is_linked(&self) -> bool {
        self.high().load(Ordering::Acquire) & STATE == LINKED
    }
}

/// An object with a link for the tables of number `N`. Implemented by [`linked!`](super::linked).
///
/// # Safety
///
/// At `OFFSET` bytes from the start there is a [`Link`].
pub(crate) unsafe trait Linked<const N: usize>:
    Send + Sync + Sized + 'static
{
    /// Where the link is.
    const OFFSET: usize;
}

/// `linked!(Type, N, field)`: objects of the type hang in tables of number `N` by that field.
#[macro_export]
macro_rules! linked {
    ($type:ty, $number:literal, $field:ident) => {
        const _: fn(&$type) -> &$crate::linux::table::Link = |object| &object.$field;
        // SAFETY: the line above compiles only if the field is a link.
        unsafe impl $crate::linux::table::Linked<$number> for $type {
            const OFFSET: usize = core::mem::offset_of!($type, $field);
        }
    };
}

/// A table. Lookups are wait-free; inserts and removals lock one bucket, in any context up to softirq.
///
/// # Invariants
///
/// Every entry of the rhashtable is the link of number `N` of a `Counted<T>`, of whose count one is the table's.
#[pin_data]
pub(crate) struct Table<T: Linked<N>, const N: usize> {
    #[pin]
    inner: Inner<T, N>,
    /// What was asked for when the table was made.
    most: u32,
    max: AtomicU32,
}

/// Own type so that only a table that was initialised is destroyed.
#[pin_data(PinnedDrop)]
struct Inner<T: Linked<N>, const N: usize> {
    #[pin]
    ht: Opaque<kb::rhashtable>,
    _of: PhantomData<Shared<T>>,
}

// SAFETY: rhashtable is made for concurrent use; the objects are Send + Sync.
unsafe impl<T: Linked<N>, const N: usize> Send for Table<T, N> {}
// SAFETY: as above.
unsafe impl<T: Linked<N>, const N: usize> Sync for Table<T, N> {}

impl<T: Linked<N>, const N: usize> Table<T, N> {
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
            most: max,
            max: AtomicU32::new(max),
        }? Error)
    }

    /// Most entries that there may be at a time.
    pub(crate) fn max(&self) -> u32 {
        self.max.load(Ordering::Relaxed)
    }

    /// Most entries for which the table was made.
    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// Has at most so many entries from now on, if the table was made for them; those that are there stay.
    pub(crate) fn set_max(&self, max: u32) {
        self.max.store(max.min(self.most), Ordering::Relaxed);
    }

    /// Entries present.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        // SAFETY: initialised table, in which this is only ever used as an atomic.
        let count = unsafe { AtomicU32::from_ptr((&raw mut (*self.inner.ht.get()).nelems).cast()) };
        count.load(Ordering::Relaxed)
    }

    /// The object of `key`, for as long as the RCU section lasts.
    pub(crate) fn get<'a>(&'a self, key: &Key, guard: &'a rcu::Guard) -> Option<&'a Counted<T>> {
        self.find(words(*key), guard)
    }

    /// The same by the words of the key.
    #[inline]
    pub(crate) fn find<'a>(
        &'a self,
        (low, high): Words,
        _guard: &'a rcu::Guard,
    ) -> Option<&'a Counted<T>> {
        // SAFETY: initialised table; the guard says that we are in an RCU section. By the type invariant what
        // is found is the link of a `Counted<T>`, which lives until that section ends.
        unsafe {
            let link = bindings::natf_table_lookup(self.inner.ht.get(), low, high | LINKED);
            owner::<T, N>(link).map(|object| object.as_ref())
        }
    }

    /// Enters an object under the key of its link; the table owns it from now on, too.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when full, `EEXIST` when the key is taken, `ENOMEM` and what else the kernel's table says; `EINVAL`
    /// if the link has no key or was entered before. Once tried, except with `ENOSPC`, an object cannot be
    /// entered again.
    pub(crate) fn enter(&self, object: &Shared<T>) -> Result {
        if self.len() >= self.max() {
            return Err(ENOSPC);
        }
        let link = link_of::<T, N>(object);
        if !link.enter() {
            return Err(EINVAL);
        }
        // Counted before another CPU can find it, and take it out again.
        let count = object.clone();
        // SAFETY: a link in no table, of an object of which the table gets a count.
        to_result(unsafe { bindings::natf_table_insert(self.inner.ht.get(), link.0.get()) })?;
        forget(count);
        Ok(())
    }

    /// Enters `new` in the place of `old`, so that a reader finds one or the other at any moment. False if
    /// `old` is not there (any more), has another key, or `new` was entered before.
    pub(crate) fn replace(&self, old: &Counted<T>, new: &Shared<T>) -> bool {
        let (from, to) = (link_of::<T, N>(old), link_of::<T, N>(new));
        if !from.is_linked() || from.key() != to.key() || !to.enter() {
            return false;
        }
        let count = new.clone();
        // SAFETY: as in `enter`; both links have the same key, and only one caller replaces `old`.
        unsafe {
            if bindings::natf_table_replace(self.inner.ht.get(), from.0.get(), to.0.get()) != 0 {
                return false;
            }
            drop(Shared::from_raw(NonNull::from(old)));
        }
        forget(count);
        true
    }

    /// Takes an object out. False if it was not there.
    pub(crate) fn remove(&self, object: &Counted<T>) -> bool {
        let link = link_of::<T, N>(object);
        if !link.is_linked() {
            return false;
        }
        // SAFETY: a link with its key; the kernel looks for the link itself, not only for the key. Only the
        // one caller that really took it out gets the table's count.
        unsafe {
            if bindings::natf_table_remove(self.inner.ht.get(), link.0.get()) != 0 {
                return false;
            }
            drop(Shared::from_raw(NonNull::from(object)));
        }
        true
    }

    /// Takes the object of a key out, if it is there and `which` says so.
    pub(crate) fn remove_if(&self, key: &Key, which: impl FnOnce(&Counted<T>) -> bool) -> bool {
        let guard = rcu::read_lock();
        match self.get(key, &guard) {
            Some(object) if which(object) => self.remove(object),
            _ => false,
        }
    }

    /// Takes the object of a key out, if it is there.
    pub(crate) fn remove_key(&self, key: &Key) -> bool {
        self.remove_if(key, |_| true)
    }

    /// Visits every entry as `walk` does and takes out those for which `keep` is false.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&Counted<T>) -> bool) {
        self.walk(|object| {
            if !keep(object) {
                self.remove(object);
            }
            ControlFlow::<()>::Continue(())
        });
    }

    /// Visits entries until `visit` breaks; entries that come or go meanwhile may or may not be seen, a
    /// resize may show one twice. `visit` must not sleep, but the walk does: process context only.
    pub(crate) fn walk<B>(
        &self,
        mut visit: impl FnMut(&Counted<T>) -> ControlFlow<B>,
    ) -> Option<B> {
        self.walk_from(Cursor::default(), |object, _| visit(object))
    }

    /// As [`Table::walk`], from `start` on; `visit` is told where each object is.
    pub(crate) fn walk_from<B>(
        &self,
        start: Cursor,
        mut visit: impl FnMut(&Counted<T>, Cursor) -> ControlFlow<B>,
    ) -> Option<B> {
        /// Entries between two rests.
        const STRIDE: u32 = 256;

        let mut visited: u32 = 0;
        let mut result = None;
        let mut iter = core::mem::MaybeUninit::<kb::rhashtable_iter>::uninit();
        // SAFETY: initialised table; the iterator is started before it is used and stopped after. It
        // does not move meanwhile. Any bucket, and any number of objects in it to be passed, is a place to start: the
        // iterator knows how many there are. Between start, rest and stop we are in an RCU section, and no object is
        // used beyond.
        unsafe {
            bindings::natf_table_walk_enter(self.inner.ht.get(), iter.as_mut_ptr());
            (*iter.as_mut_ptr()).slot = start.slot;
            (*iter.as_mut_ptr()).skip = start.skip;
            while let Some(object) =
                owner::<T, N>(bindings::natf_table_walk_next(iter.as_mut_ptr()))
            {
                let at = Cursor {
                    slot: (*iter.as_ptr()).slot,
                    // The iterator has passed the object.
                    skip: (*iter.as_ptr()).skip.saturating_sub(1),
                };
                if let ControlFlow::Break(value) = visit(object.as_ref(), at) {
                    result = Some(value);
                    break;
                }
                visited = visited.wrapping_add(1);
                if visited % STRIDE == 0 {
                    bindings::natf_table_walk_stop(iter.as_mut_ptr());
                    bindings::natf_table_walk_resume(iter.as_mut_ptr());
                }
            }
            bindings::natf_table_walk_exit(iter.as_mut_ptr());
        }
        result
    }

    /// Calls `act`, which may sleep, with every object for which `which`, which may not, is true. Process
    /// context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, before anything was done.
    pub(crate) fn each(
        &self,
        mut which: impl FnMut(&Counted<T>) -> bool,
        mut act: impl FnMut(&Counted<T>),
    ) -> Result {
        const BATCH: usize = 64;

        let mut batch: KVec<Shared<T>> = KVec::with_capacity(BATCH, GFP_KERNEL)?;
        let mut iter = core::mem::MaybeUninit::<kb::rhashtable_iter>::uninit();
        // SAFETY: as in `walk`; `act` is called between stop and resume, outside of the RCU section, with objects
        // that the batch owns.
        unsafe {
            bindings::natf_table_walk_enter(self.inner.ht.get(), iter.as_mut_ptr());
            while let Some(object) =
                owner::<T, N>(bindings::natf_table_walk_next(iter.as_mut_ptr()))
            {
                let object = object.as_ref();
                if which(object) {
                    // There is room: a full batch was emptied below.
                    object
                        .share()
                        .map(|object| batch.push_within_capacity(object));
                }
                if batch.len() >= BATCH {
                    bindings::natf_table_walk_stop(iter.as_mut_ptr());
                    batch.drain_all().for_each(|object| act(&object));
                    bindings::natf_table_walk_resume(iter.as_mut_ptr());
                }
            }
            bindings::natf_table_walk_exit(iter.as_mut_ptr());
        }
        batch.drain_all().for_each(|object| act(&object));
        Ok(())
    }
}

fn link_of<T: Linked<N>, const N: usize>(object: &T) -> &Link {
    // SAFETY: the trait's promise.
    unsafe { &*core::ptr::from_ref(object).byte_add(T::OFFSET).cast() }
}

/// The object of a link.
///
/// # Safety
///
/// `link` is null, or the link of number `N` of a `Counted<T>`.
unsafe fn owner<T: Linked<N>, const N: usize>(link: *mut c_void) -> Option<NonNull<Counted<T>>> {
    // SAFETY: as the caller promises.
    NonNull::new(link).map(|link| unsafe {
        link.byte_sub(T::OFFSET)
            .byte_sub(Counted::<T>::VALUE)
            .cast()
    })
}

unsafe extern "C" fn let_go<T: Linked<N>, const N: usize>(link: *mut c_void, _arg: *mut c_void) {
    // SAFETY: the table is being destroyed, and its counts go with it.
    unsafe { drop(owner::<T, N>(link).map(|object| Shared::from_raw(object))) };
}

#[pinned_drop]
impl<T: Linked<N>, const N: usize> PinnedDrop for Inner<T, N> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: initialised table, and `&mut self` says that nobody uses it any more.
        unsafe {
            bindings::natf_table_destroy(self.ht.get(), Some(let_go::<T, N>), core::ptr::null_mut())
        };
    }
}

/// A plain value with a link.
pub(crate) struct Keyed<V> {
    link: Link,
    value: V,
}

// SAFETY: the field is a link.
unsafe impl<V: Send + Sync + 'static> Linked<0> for Keyed<V> {
    const OFFSET: usize = core::mem::offset_of!(Self, link);
}

impl<V> Deref for Keyed<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

/// A table of plain values.
pub(crate) type Map<V> = Table<Keyed<V>, 0>;

impl<V: Send + Sync + 'static> Map<V> {
    /// Enters a value.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when full, `EEXIST` when the key is taken, `ENOMEM`.
    pub(crate) fn insert(&self, key: Key, value: V) -> Result {
        let keyed = Keyed {
            link: Link::new(key),
            value,
        };
        self.enter(&Shared::pin_init(keyed, GFP_ATOMIC)?)
    }

    /// Puts `value` into the place of `old`. False if `old` is not there (any more).
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn exchange(&self, old: &Counted<Keyed<V>>, value: V) -> Result<bool> {
        let keyed = Keyed {
            link: Link::of(old.link.key().ok_or(ENOENT)?),
            value,
        };
        Ok(self.replace(old, &Shared::pin_init(keyed, GFP_ATOMIC)?))
    }
}
