// SPDX-License-Identifier: GPL-2.0

//! Counters per CPU: a packet that is counted shares nothing with those on other CPUs.

use super::bindings;
use crate::natf::counters::{self, Set};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;

/// The values of a set.
pub(crate) struct Counters<S: Set> {
    /// Per-CPU memory: one number for each of the set.
    values: NonNull<u64>,
    _of: PhantomData<S>,
}

// SAFETY: per-CPU memory may be counted up and read from anywhere, and freed by the one owner.
unsafe impl<S: Set> Send for Counters<S> {}
// SAFETY: as above.
unsafe impl<S: Set> Sync for Counters<S> {}

impl<S: Set> Counters<S> {
    /// All zero. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let count = u32::try_from(S::ALL.len())?;
        // SAFETY: no requirements.
        let values = unsafe { bindings::natf_counters_alloc(count) };
        Ok(Self {
            values: NonNull::new(values).ok_or(ENOMEM)?,
            _of: PhantomData,
        })
    }

    /// One more. Any context.
    pub(crate) fn bump(&self, which: S) {
        let index = which.index();
        if index < S::ALL.len() {
            // SAFETY: of the set's numbers the one with this index.
            unsafe { bindings::natf_counters_bump(self.values.as_ptr(), index as u32) };
        }
    }
}

impl<S: Set> Drop for Counters<S> {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody counts any more.
        unsafe { bindings::natf_counters_free(self.values.as_ptr()) };
    }
}

/// A line each: name, value, explanation.
impl<S: Set> fmt::Display for Counters<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        counters::show::<S>(f, |index| {
            // SAFETY: `show` asks for indices of the set only.
            unsafe { bindings::natf_counters_sum(self.values.as_ptr(), index) }
        })
    }
}
