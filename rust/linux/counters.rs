// SPDX-License-Identifier: GPL-2.0

//! Counters per CPU: a packet that is counted shares nothing with those on other CPUs.

use super::bindings;
use crate::natf::counters::{self, Set};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;

/// Numbers that every CPU has.
///
/// # Invariants
///
/// `first` is per-CPU memory for `count` of them, and this its owner.
pub(super) struct Numbers {
    first: NonNull<u64>,
    count: usize,
}

// SAFETY: per-CPU memory may be counted up and read from anywhere, and freed by the one owner.
unsafe impl Send for Numbers {}
// SAFETY: as above.
unsafe impl Sync for Numbers {}

impl Numbers {
    /// All zero; 32 KiB at most. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(count: usize) -> Result<Self> {
        // SAFETY: no requirements.
        let first = unsafe { bindings::natf_counters_alloc(u32::try_from(count)?) };
        // INVARIANT: just allocated.
        Ok(Self {
            first: NonNull::new(first).ok_or(ENOMEM)?,
            count,
        })
    }

    /// One more of this one. Any context.
    #[inline(always)]
    pub(super) fn bump(&self, which: usize) {
        if which < self.count {
            // SAFETY: by the type invariant there is one with this index.
            unsafe { bindings::natf_counters_bump(self.first.as_ptr(), which as u32) };
        }
    }

    /// Makes this CPU's number `value` if it is less. Any context.
    pub(super) fn raise(&self, which: usize, value: u64) {
        if which < self.count {
            // SAFETY: as above.
            unsafe { bindings::natf_counters_raise(self.first.as_ptr(), which as u32, value) };
        }
    }

    /// The sum over all CPUs.
    pub(super) fn sum(&self, which: usize) -> u64 {
        match which < self.count {
            // SAFETY: as above.
            true => unsafe { bindings::natf_counters_sum(self.first.as_ptr(), which as u32) },
            false => 0,
        }
    }

    /// The greatest of all CPUs.
    pub(super) fn max(&self, which: usize) -> u64 {
        match which < self.count {
            // SAFETY: as above.
            true => unsafe { bindings::natf_counters_max(self.first.as_ptr(), which as u32) },
            false => 0,
        }
    }

    /// Makes all of them 0. What is counted meanwhile is lost, or counts from 0. May sleep.
    pub(super) fn clear(&self) {
        // SAFETY: by the type invariant there are so many.
        unsafe { bindings::natf_counters_clear(self.first.as_ptr(), self.count as u32) };
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody counts any more.
        unsafe { bindings::natf_counters_free(self.first.as_ptr()) };
    }
}

/// The values of a set.
pub(crate) struct Counters<S: Set> {
    /// One number for each of the set.
    values: Numbers,
    _of: PhantomData<S>,
}

impl<S: Set> Counters<S> {
    /// All zero. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            values: Numbers::new(S::ALL.len())?,
            _of: PhantomData,
        })
    }

    /// One more. Any context.
    pub(crate) fn bump(&self, which: S) {
        self.values.bump(which.index());
    }
}

/// A line each: name, value, explanation.
impl<S: Set> fmt::Display for Counters<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        counters::show::<S>(f, |index| self.values.sum(index as usize))
    }
}
