// SPDX-License-Identifier: GPL-2.0

//! Counted objects that RCU readers may still look at after their last owner has let go.
//!
//! `kernel::sync::Arc` frees at once; what hangs in a [`Table`](super::table::Table) must wait for its readers.

use core::ops::Deref;
use core::pin::Pin;
use core::ptr::NonNull;
use core::sync::atomic::{fence, AtomicU32, Ordering};
use kernel::alloc::Flags;
use kernel::bindings as kb;
use kernel::prelude::*;
use kernel::types::Opaque;

/// The object, its count, and what RCU needs to free it.
#[pin_data]
#[repr(C)]
pub(crate) struct Counted<T> {
    /// Only used when the count is 0.
    rcu: Opaque<kb::callback_head>,
    /// Owners.
    count: AtomicU32,
    #[pin]
    value: T,
}

/// An owner of a counted object.
///
/// # Invariants
///
/// The object came from `pin_init`, and one of its count is this owner's.
pub(crate) struct Shared<T: Send + Sync + 'static>(NonNull<Counted<T>>);

// SAFETY: the object is shared among threads, and the last owner has it dropped in an RCU callback.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T: Send + Sync + 'static> Counted<T> {
    /// Where the value starts.
    pub(super) const VALUE: usize = core::mem::offset_of!(Self, value);

    /// One more owner. `None`: the last one has let go already, and only readers are left.
    pub(crate) fn share(&self) -> Option<Shared<T>> {
        self.count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| match count {
                0 => None,
                owners => owners.checked_add(1),
            })
            .ok()
            // INVARIANT: counted just now.
            .map(|_| Shared(NonNull::from(self)))
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// A new object with one owner.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, or that of `init`.
    pub(crate) fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        let object = KBox::pin_init::<Error>(
            try_pin_init!(Counted {
                rcu: Opaque::uninit(),
                count: AtomicU32::new(1),
                value <- init,
            }? Error),
            flags,
        )?;
        // SAFETY: it stays where it is until it is freed.
        let raw = KBox::into_raw(unsafe { Pin::into_inner_unchecked(object) });
        // INVARIANT: the count is 1, and this is its owner.
        NonNull::new(raw).map(Self).ok_or(ENOMEM)
    }

    /// An owner that was forgotten, back.
    ///
    /// # Safety
    ///
    /// `forget` was called on an owner of this object, and this is the only call for it.
    pub(super) unsafe fn from_raw(raw: NonNull<Counted<T>>) -> Self {
        // INVARIANT: as the caller promises.
        Self(raw)
    }
}

impl<T: Send + Sync + 'static> Clone for Shared<T> {
    fn clone(&self) -> Self {
        self.count.fetch_add(1, Ordering::Relaxed);
        // INVARIANT: counted just now.
        Self(self.0)
    }
}

impl<T: Send + Sync + 'static> Deref for Shared<T> {
    type Target = Counted<T>;

    fn deref(&self) -> &Counted<T> {
        // SAFETY: by the type invariant the object lives.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Send + Sync + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.count.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // What the other owners did comes before the end.
        fence(Ordering::Acquire);
        // SAFETY: the count is 0 and never grows again: nobody else hands the object to RCU.
        unsafe {
            let rcu = Opaque::cast_into(&raw const (*self.0.as_ptr()).rcu);
            kb::call_rcu(rcu, Some(free::<T>));
        }
    }
}

/// # Safety
///
/// `rcu` is that of a `Counted<T>` without owners; all readers are through.
unsafe extern "C" fn free<T>(rcu: *mut kb::callback_head) {
    // SAFETY: it is the first field, so the object starts where it does; it came from a `KBox`.
    drop(unsafe { KBox::from_raw(rcu.cast::<Counted<T>>()) });
}
