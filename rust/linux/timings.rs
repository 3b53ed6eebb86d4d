// SPDX-License-Identifier: GPL-2.0

//! How long stages take, per namespace and CPU: the processor's counter is read where a stage begins and where it
//! ends.
//!
//! Nearly always nobody wants to know. Then a place that could begin or end a stage is one instruction that does nothing
//! (a static key); in a kernel without jump labels, as User-Mode Linux is, a load and a branch.

use super::bindings;
use super::clock;
use super::counters::Numbers;
use crate::natf::counters::Set;
use crate::natf::timings::{self, bucket, Command, Scale, MAX, SLOTS};
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel::bindings as kb;
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::{Mutex, SetOnce};
use kernel::time::{delay::fsleep, Delta};

/// Whether any namespace takes times.
#[cfg(CONFIG_JUMP_LABEL)]
#[inline(always)]
pub(super) fn any() -> bool {
    'any: {
        // SAFETY: the key is a real one, of helpers.c; the instruction is the kernel's own for its keys.
        unsafe {
            kernel::asm!(
                include!(env!("NATF_BRANCH"));
                l_yes = label {
                    break 'any true;
                },
                symb = sym bindings::natf_timed,
                off = const core::mem::offset_of!(kb::static_key_false, key),
                branch = const 0_i32,
            );
        }
        false
    }
}

/// Whether any namespace takes times.
#[cfg(not(CONFIG_JUMP_LABEL))]
#[inline(always)]
pub(super) fn any() -> bool {
    // SAFETY: the key is there as long as the module, and its count is only changed as a whole.
    let count = unsafe {
        core::sync::atomic::AtomicI32::from_ptr(&raw mut bindings::natf_timed.key.enabled.counter)
    };
    count.load(Ordering::Relaxed) > 0
}

/// When something began, in ticks; 0, the default: nobody wants to know.
#[derive(Clone, Copy, Default)]
pub(crate) struct Start(u64);

impl Start {
    /// Whether somebody wants to know.
    pub(crate) fn is_taken(self) -> bool {
        self.0 != 0
    }
}

/// The times of one namespace.
#[pin_data(PinnedDrop)]
pub(crate) struct Timings<S: Set> {
    /// A [`Scale`] while times are taken, else 0.
    scale: AtomicU64,
    /// Ticks that an empty stage takes, which are no part of any.
    empty: AtomicU64,
    /// Made when they are first wanted; [`SLOTS`] for each stage.
    slots: SetOnce<Numbers>,
    /// Those who write the file, one at a time.
    #[pin]
    writers: Mutex<()>,
    _of: PhantomData<S>,
}

impl<S: Set> Timings<S> {
    /// None are taken.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            scale: AtomicU64::new(0),
            empty: AtomicU64::new(0),
            slots: SetOnce::new(),
            writers <- new_mutex!(()),
            _of: PhantomData,
        })
    }

    /// Now. Any context.
    #[inline(always)]
    pub(crate) fn start(&self) -> Start {
        match any() {
            false => Start(0),
            true => self.taken(),
        }
    }

    #[cold]
    fn taken(&self) -> Start {
        match self.scale.load(Ordering::Relaxed) {
            0 => Start(0),
            _ => Start(clock::ticks().max(1)),
        }
    }

    /// This stage is over, and began at `start`. Any context.
    #[inline(always)]
    pub(crate) fn end(&self, stage: S, start: Start) {
        if any() {
            self.took(stage, start);
        }
    }

    #[cold]
    fn took(&self, stage: S, start: Start) {
        let now = clock::ticks();
        let scale = Scale::from_bits(self.scale.load(Ordering::Acquire));
        if let (true, Some(scale), Some(slots)) = (start.is_taken(), scale, self.slots.as_ref()) {
            let begin = start.0.wrapping_add(self.empty.load(Ordering::Relaxed));
            let ns = scale.ns(begin.min(now), now);
            let first = stage.index().saturating_mul(SLOTS);
            slots.bump(first.saturating_add(bucket(ns)));
            slots.raise(first.saturating_add(MAX), ns);
        }
    }

    /// Writes what the file shows.
    pub(crate) fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut room = KVVec::from_elem(0, SLOTS, GFP_KERNEL).map_err(|_| fmt::Error)?;
        let on = self.scale.load(Ordering::Relaxed) != 0;
        timings::show::<S>(out, on, &mut room, |stage, slot| {
            let Some(slots) = self.slots.as_ref() else {
                return 0;
            };
            let at = stage.saturating_mul(SLOTS).saturating_add(slot);
            match slot {
                MAX => slots.max(at),
                _ => slots.sum(at),
            }
        })
    }

    /// Does what is written to the file. May sleep; `on` does, for 20 ms.
    ///
    /// # Errors
    ///
    /// `EINVAL`: not understood. `ENOMEM`. `EOPNOTSUPP`: this processor has no counter.
    pub(crate) fn store(&self, text: &[u8]) -> Result<usize> {
        let command = Command::parse(text).ok_or(EINVAL)?;
        let _one_at_a_time = self.writers.lock();
        match command {
            Command::On => self.turn_on()?,
            Command::Off => self.turn_off(),
            Command::Reset => {
                if let Some(slots) = self.slots.as_ref() {
                    slots.clear();
                }
            }
        }
        Ok(text.len())
    }

    fn turn_on(&self) -> Result {
        if self.scale.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        if self.slots.as_ref().is_none() {
            let count = S::ALL.len().saturating_mul(SLOTS);
            self.slots.populate(Numbers::new(count)?);
        }
        self.empty.store(empty(), Ordering::Relaxed);
        self.scale.store(measure()?.to_bits(), Ordering::Release);
        // SAFETY: no requirements.
        unsafe { bindings::natf_timed_switch(true) };
        Ok(())
    }

    fn turn_off(&self) {
        if self.scale.swap(0, Ordering::Relaxed) != 0 {
            // SAFETY: it was switched on for this namespace.
            unsafe { bindings::natf_timed_switch(false) };
        }
    }
}

#[pinned_drop]
impl<S: Set> PinnedDrop for Timings<S> {
    fn drop(self: Pin<&mut Self>) {
        self.turn_off();
    }
}

/// What a tick is. The clock that it is measured by is read in less than a microsecond, so the error is some
/// millionths. Sleeps for 20 ms.
fn measure() -> Result<Scale> {
    const EOPNOTSUPP: i32 = kb::EOPNOTSUPP as i32;
    let (ticks, ns) = now();
    fsleep(Delta::from_millis(20));
    let (later_ticks, later_ns) = now();
    Scale::of(later_ticks.wrapping_sub(ticks), later_ns.wrapping_sub(ns))
        .ok_or(Error::from_errno(-EOPNOTSUPP))
}

/// Ticks from one reading of the counter to the next: of some attempts, the one that was least disturbed.
fn empty() -> u64 {
    let pause = |_| {
        let before = clock::ticks();
        clock::ticks().wrapping_sub(before)
    };
    (0..64).map(pause).min().unwrap_or(0)
}

/// The counter and the clock at one moment: of some attempts, the one that was least disturbed.
fn now() -> (u64, u64) {
    let mut best = (u64::MAX, 0, 0);
    for _ in 0..8 {
        let before = clock::ticks();
        let ns = clock::raw_ns();
        let width = clock::ticks().wrapping_sub(before);
        if width < best.0 {
            best = (width, before.wrapping_add(width / 2), ns);
        }
    }
    (best.1, best.2)
}
