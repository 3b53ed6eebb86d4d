// SPDX-License-Identifier: GPL-2.0

//! Token buckets: how often something may happen. One 64-bit number each, which any number of CPUs may use at
//! the same time without a lock.
//!
//! The number is the time up to which the tokens are spent ("theoretical arrival time" in the generic cell rate
//! algorithm of ITU-T I.371): a token is one interval, and the bucket holds those of one second.

use core::sync::atomic::{AtomicU64, Ordering};

const SECOND_NS: u64 = 1_000_000_000;

/// Tokens a second. A bucket that was left alone for a second has so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u32);

impl Rate {
    /// So many a second.
    pub const fn per_second(tokens: u32) -> Self {
        Rate(tokens)
    }

    /// Tokens a second.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Nanoseconds for one token, at least 1; without tokens longer than any bucket lasts.
    fn interval(self) -> u64 {
        SECOND_NS
            .checked_div(u64::from(self.0))
            .map_or(u64::MAX, |interval| interval.max(1))
    }
}

/// One bucket, full at first.
#[derive(Debug, Default)]
pub struct Bucket(AtomicU64);

impl Bucket {
    /// A full one.
    pub const fn new() -> Self {
        Bucket(AtomicU64::new(0))
    }

    /// Takes a token at `now_ms`, in milliseconds since boot. False: there is none.
    pub fn take(&self, rate: Rate, now_ms: u64) -> bool {
        let now = now_ms.saturating_mul(1_000_000);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
                let spent = spent.max(now).saturating_add(rate.interval());
                (spent <= now.saturating_add(SECOND_NS)).then_some(spent)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_second_holds_its_tokens_and_no_more() {
        let bucket = Bucket::new();
        let rate = Rate::per_second(3);
        let taken = |now| (0..10).filter(|_| bucket.take(rate, now)).count();
        assert_eq!(taken(50_000), 3, "full at first");
        assert_eq!(taken(50_000), 0);
        assert_eq!(taken(50_333), 0);
        assert_eq!(taken(50_334), 1, "one after a third of a second");
        assert_eq!(taken(51_334), 3);
        assert_eq!(taken(90_000), 3, "and never more than a second's");
    }

    #[test]
    fn a_clock_that_another_cpu_sees_earlier_gives_nothing() {
        let bucket = Bucket::new();
        let rate = Rate::per_second(1);
        assert!(bucket.take(rate, 10_000));
        assert!(!bucket.take(rate, 9_000));
        assert!(!bucket.take(rate, 10_999));
        assert!(bucket.take(rate, 11_000));
    }

    #[test]
    fn rates_beyond_the_clock() {
        let bucket = Bucket::new();
        assert!(!bucket.take(Rate::per_second(0), 1_000_000));
        for _ in 0..1000 {
            assert!(bucket.take(Rate::per_second(u32::MAX), 7));
        }
    }

    proptest! {
        /// However the takers come, between any two moments there are no more than what the bucket held and
        /// what came in between; and one who takes less than the rate is never refused.
        #[test]
        fn the_rate_holds(rate in 1u32..2000, pauses in prop::collection::vec(0u64..50, 1..300)) {
            let (bucket, rate) = (Bucket::new(), Rate::per_second(rate));
            let mut now = 1_000_000;
            let mut times = vec![];
            for pause in pauses {
                now += pause;
                if bucket.take(rate, now) {
                    times.push(now);
                }
            }
            for (first, from) in times.iter().enumerate() {
                for (count, to) in times[first..].iter().enumerate() {
                    let tokens = u64::from(rate.get()) * (to - from + 1000) / 1000;
                    // An interval is rounded down to whole nanoseconds.
                    prop_assert!(count as u64 <= tokens + 1);
                }
            }
        }

        #[test]
        fn who_asks_less_is_never_refused(rate in 1u32..1000, jitter in prop::collection::vec(0u64..20, 1..200)) {
            let (bucket, rate) = (Bucket::new(), Rate::per_second(rate));
            let mut now = 5;
            for extra in jitter {
                now += 1000 / u64::from(rate.get()) + 1 + extra;
                prop_assert!(bucket.take(rate, now));
            }
        }
    }
}
