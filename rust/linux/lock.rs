// SPDX-License-Identifier: GPL-2.0

//! A spin lock that keeps bottom halves off: for data that process context shares with softirqs.
//!
//! The `kernel` crate has no such lock. Never take two at a time: all are of one lockdep class.

use super::bindings;
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};
use kernel::types::{NotThreadSafe, Opaque};

/// Data behind a `spin_lock_bh`. Usable in process and softirq context, not in hard interrupts.
#[pin_data]
pub(crate) struct BhLock<T> {
    #[pin]
    lock: Opaque<kernel::bindings::spinlock_t>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock hands out the data to one context at a time.
unsafe impl<T: Send> Send for BhLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for BhLock<T> {}

impl<T> BhLock<T> {
    /// An unlocked lock around `data`.
    pub(crate) fn new(data: T) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: the slot is memory for a spin lock, pinned from now on.
            lock <- Opaque::ffi_init(|slot| unsafe { bindings::natf_spin_lock_init(slot) }),
            data: UnsafeCell::new(data),
        })
    }

    /// Takes the lock; spins while another CPU has it.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        // SAFETY: the lock was initialised by `new` and is pinned.
        unsafe { bindings::natf_spin_lock_bh(self.lock.get()) };
        Guard {
            lock: self,
            _not_send: NotThreadSafe,
        }
    }
}

/// The lock, held.
pub(crate) struct Guard<'a, T> {
    lock: &'a BhLock<T>,
    _not_send: NotThreadSafe,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held, so nobody else has a reference.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and `&mut self` makes this the only reference.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard holds the lock.
        unsafe { bindings::natf_spin_unlock_bh(self.lock.lock.get()) };
    }
}

/// Data that is replaced as a whole: readers in any context get what is there, a writer makes the next at
/// leisure.
#[pin_data]
pub(crate) struct Snapshot<T: Send + Sync + 'static> {
    #[pin]
    current: BhLock<Arc<T>>,
    #[pin]
    writer: Mutex<()>,
}

impl<T: Send + Sync + 'static> Snapshot<T> {
    /// Begins with `first`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(first: T) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let first = Arc::new(first, GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                current <- BhLock::new(first),
                writer <- new_mutex!(()),
            }? Error))
        })
    }

    /// What is there at present. Any context up to softirq.
    pub(crate) fn get(&self) -> Arc<T> {
        self.current.lock().clone()
    }

    /// Makes the next from the present. One writer at a time; may sleep.
    ///
    /// # Errors
    ///
    /// Those of `make`, then nothing has changed; `ENOMEM`.
    pub(crate) fn update(&self, make: impl FnOnce(&T) -> Result<T>) -> Result {
        let _one = self.writer.lock();
        let next = make(&self.get())?;
        let next = Arc::new(next, GFP_KERNEL)?;
        let old = core::mem::replace(&mut *self.current.lock(), next);
        // Packet paths read it inside RCU sections. After those the last reference is this one (or that
        // of a process reading a file), so that the memory is freed where sleeping is allowed.
        // SAFETY: process context.
        unsafe { kernel::bindings::synchronize_rcu() };
        drop(old);
        Ok(())
    }
}
