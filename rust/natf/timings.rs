// SPDX-License-Identifier: GPL-2.0

//! How long the stages of the protocol take: the stages, and the arithmetic of the histograms that keep their
//! times.
//!
//! A time is a number of nanoseconds. Each power of two is divided into eight buckets of equal width, so that what
//! is read from a bucket is wrong by an eighth of itself at most; times below 8 ns have a bucket each. A person is
//! shown whole powers of two.

use core::fmt;

use crate::natf::counters::{set, Set};
use crate::natf::line::words;

set! {
    /// What an endpoint takes time for.
    En {
        DnsRewrite "dns_rewrite" "a DNS answer: from being found in its packet to having the virtual address in it",
        NegotiationStart "negotiation_start" "the first packet of a flow, until its mapping request was handed to IP",
        RequestToReply "request_to_reply" "a mapping request, until the reply came that opens its flow; not if it had to be sent again",
        Resume "resume" "the reply that opens a flow, until the packet that waited for it was sent",
        Setup "setup" "the whole set-up: the first packet of a flow, until that packet was sent",
        VatOut "vat_out" "a packet to a virtual address: translated and routed",
        VatIn "vat_in" "a packet from a mapped address: translated, its flow found unless vat_demux did that",
        VatDemux "vat_demux" "the same before it is routed: its flow found, and its socket, which the kernel then need not do",
    }
}

set! {
    /// What a router takes time for.
    Router {
        Parse "parse" "a request: read and checked, its rate, cookie and signature included",
        Act "act" "its entry of the access control table, found, and room for its mapping",
        PseudoPacket "pseudo_packet" "its pseudo-packet: made, sent through the NAT, and caught",
        Reply "reply" "its mapping: read from the pseudo-packet, kept, and answered",
        Request "request" "the whole request, if it was answered with a mapping",
    }
}

/// Buckets of one stage. The last one holds all times from 16 s.
pub const BUCKETS: usize = 256;

/// What one stage needs: a number for each bucket, how many times it holds, and the longest time.
pub const SLOTS: usize = BUCKETS + 1;

/// The slot of the longest time.
pub const MAX: usize = BUCKETS;

/// The bucket of a time in nanoseconds.
pub fn bucket(ns: u64) -> usize {
    let index = match ns.checked_ilog2().and_then(|log| log.checked_sub(3)) {
        None => ns,
        // The highest bit says which power of two, the next three which part of it.
        Some(shift) => (u64::from(shift) << 3).saturating_add(ns >> shift),
    };
    usize::try_from(index).map_or(BUCKETS - 1, |index| index.min(BUCKETS - 1))
}

/// The shortest time of a bucket, in nanoseconds.
pub fn lowest(bucket: usize) -> u64 {
    let part = (bucket & 7) as u64;
    match (bucket >> 3).checked_sub(1) {
        None => part,
        Some(shift) => (part | 8) << shift.min(60),
    }
}

/// What a tick of the processor's counter is: so many nanoseconds, times 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(u64);

impl Scale {
    /// Measured: `ticks` took `ns`, which is less than 4 s. `None`: that is no counter of time.
    pub fn of(ticks: u64, ns: u64) -> Option<Self> {
        let scale = ns.checked_mul(1 << 32)?.checked_div(ticks)?;
        (scale > 0).then_some(Scale(scale))
    }

    /// The same as a number that is never 0, for [`from_bits`](Self::from_bits).
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// `None` for 0.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits > 0).then_some(Scale(bits))
    }

    /// Nanoseconds from `start` to `end`, in ticks. The counters of two processors may differ: what seems to end
    /// before it began took no time.
    pub fn ns(self, start: u64, end: u64) -> u64 {
        let ticks = match end.wrapping_sub(start) {
            negative if negative > u64::MAX / 2 => 0,
            ticks => ticks,
        };
        // No overflow: two factors of 64 bits.
        let product = u128::from(ticks).wrapping_mul(u128::from(self.0));
        u64::try_from(product >> 32).unwrap_or(u64::MAX)
    }
}

/// The times of one stage.
struct Histogram<'a> {
    counts: &'a [u64],
    max: u64,
}

impl<'a> Histogram<'a> {
    /// Of what the slots of a stage hold, those of all processors together.
    fn new(slots: &'a [u64]) -> Self {
        let (counts, max) = slots.split_at_checked(BUCKETS).unwrap_or((slots, &[]));
        Self {
            counts,
            max: max.first().copied().unwrap_or(0),
        }
    }

    fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// The time that `rank` times do not exceed, counted from 1. In its bucket they are taken to lie at equal
    /// distances, as they would if all its times were as frequent; so it is wrong by the width of the bucket at
    /// most, an eighth.
    fn ranked(&self, rank: u64) -> u64 {
        let mut before = 0_u64;
        for (index, &n) in self.counts.iter().enumerate() {
            let upto = before.saturating_add(n);
            if n == 0 || upto < rank {
                before = upto;
                continue;
            }
            if index >= BUCKETS - 1 {
                break;
            }
            let low = lowest(index);
            let width = lowest(index.saturating_add(1)).saturating_sub(low);
            // 32 bits of both are enough, and more would not go into the product.
            let surplus = u64::BITS
                .saturating_sub(n.leading_zeros())
                .saturating_sub(32);
            let (n, place) = (n >> surplus, rank.saturating_sub(before) >> surplus);
            let within = width
                .saturating_mul(place.saturating_mul(2).saturating_sub(1))
                .checked_div(n.saturating_mul(2));
            return low.saturating_add(within.unwrap_or(0)).min(self.max);
        }
        self.max
    }
}

/// `count N median NS p99 NS max NS buckets B:N …`: N times of at least 2^B ns, and less than 2^(B+1).
impl fmt::Display for Histogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count();
        let median = self.ranked(count.saturating_sub(count / 2));
        let p99 = self.ranked(count.saturating_sub(count / 100));
        write!(
            f,
            "count {count} median {median} p99 {p99} max {} buckets",
            self.max
        )?;
        let mut power = (0, 0_u64);
        for (index, n) in self.counts.iter().enumerate() {
            let log = lowest(index).checked_ilog2().unwrap_or(0);
            if log != power.0 {
                show_power(f, power)?;
                power = (log, 0);
            }
            power.1 = power.1.saturating_add(*n);
        }
        show_power(f, power)
    }
}

fn show_power(f: &mut fmt::Formatter<'_>, (log, n): (u32, u64)) -> fmt::Result {
    match n {
        0 => Ok(()),
        _ => write!(f, " {log}:{n}"),
    }
}

/// Writes whether times are taken, and for each stage what it is and its times. `value` tells what a slot of a stage
/// holds; `slots` is room for [`SLOTS`] numbers.
pub fn show<S: Set>(
    out: &mut dyn fmt::Write,
    on: bool,
    slots: &mut [u64],
    value: impl Fn(usize, usize) -> u64,
) -> fmt::Result {
    writeln!(out, "# {}", if on { "on" } else { "off" })?;
    for (stage, (name, why)) in S::ALL.iter().enumerate() {
        for (slot, place) in slots.iter_mut().enumerate() {
            *place = value(stage, slot);
        }
        writeln!(out, "# {name} {why}")?;
        writeln!(out, "{name} {}", Histogram::new(slots))?;
    }
    Ok(())
}

/// What a person writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take times.
    On,
    /// Take none any more; those that were taken stay.
    Off,
    /// Forget those that were taken.
    Reset,
}

impl Command {
    /// One word: `on`, `off` or `reset`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut words = words(text);
        match (words.next()?, words.next()) {
            (b"on", None) => Some(Self::On),
            (b"off", None) => Some(Self::Off),
            (b"reset", None) => Some(Self::Reset),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slots after these times.
    fn slots(times: &[u64]) -> Vec<u64> {
        let mut slots = vec![0; SLOTS];
        for &ns in times {
            slots[bucket(ns)] += 1;
            slots[MAX] = slots[MAX].max(ns);
        }
        slots
    }

    fn line(times: &[u64]) -> String {
        Histogram::new(&slots(times)).to_string()
    }

    #[test]
    fn buckets_follow_each_other() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(lowest(index)), index);
            assert_eq!(bucket(lowest(index + 1) - 1), index);
        }
        assert_eq!(lowest(BUCKETS - 1), 15 << 30);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert!(lowest(usize::MAX) > 0);
    }

    #[test]
    fn nothing_and_one_and_many() {
        assert_eq!(line(&[]), "count 0 median 0 p99 0 max 0 buckets");
        assert_eq!(line(&[0]), "count 1 median 0 p99 0 max 0 buckets 0:1");
        assert_eq!(
            line(&[1, 0, 7, 2]),
            "count 4 median 1 p99 7 max 7 buckets 0:2 1:1 2:1"
        );
        // 1000 has the bucket from 960 to 1023: its middle.
        assert_eq!(
            line(&[1000]),
            "count 1 median 992 p99 992 max 1000 buckets 9:1"
        );
        let mut times = vec![100; 99];
        times.push(50_000);
        assert_eq!(
            line(&times),
            "count 100 median 100 p99 103 max 50000 buckets 6:99 15:1"
        );
        times.push(u64::MAX);
        times.push(u64::MAX);
        assert_eq!(
            line(&times),
            format!(
                "count 102 median 100 p99 {0} max {0} buckets 6:99 15:1 33:2",
                u64::MAX
            )
        );
    }

    #[test]
    fn more_than_32_bits_count() {
        let mut slots = slots(&[1 << 33, 1 << 33]);
        slots[bucket(1 << 33)] = u64::MAX / 2;
        let text = Histogram::new(&slots).to_string();
        assert!(text.contains(" median 8589934592 "), "{text}");
    }

    #[test]
    fn ticks_become_nanoseconds() {
        let scale = Scale::of(59_880_000, 20_000_000).unwrap();
        assert_eq!(Scale::from_bits(scale.to_bits()), Some(scale));
        assert_eq!(scale.ns(1_000, 2_994_001_000), 999_999_999);
        assert_eq!(scale.ns(u64::MAX, 2_993), 999, "the counter begins anew");
        assert_eq!(scale.ns(7, 6), 0);
        assert_eq!(scale.ns(0, u64::MAX / 2) >> 53, 342);
        assert_eq!(Scale::of(0, 1), None);
        assert_eq!(Scale::of(1, 0), None);
        assert_eq!(Scale::of(1, u64::MAX), None);
        assert_eq!(Scale::from_bits(0), None);
    }

    #[test]
    fn every_stage_has_its_lines() {
        let mut text = String::new();
        let mut room = vec![0; SLOTS];
        show::<Router>(&mut text, true, &mut room, |stage, slot| {
            u64::from(stage == Router::Act.index() && slot == 5)
        })
        .unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 2 * Router::ALL.len());
        assert_eq!(lines[0], "# on");
        assert!(lines[3].starts_with("# act its entry "));
        assert_eq!(lines[4], "act count 1 median 0 p99 0 max 0 buckets 2:1");
        assert_eq!(
            lines[6],
            "pseudo_packet count 0 median 0 p99 0 max 0 buckets"
        );
    }

    #[test]
    fn three_commands() {
        assert_eq!(Command::parse(b"on\n"), Some(Command::On));
        assert_eq!(Command::parse(b"off\n"), Some(Command::Off));
        assert_eq!(Command::parse(b"reset\n"), Some(Command::Reset));
        for wrong in ["", "\n", "On\n", "once\n", "on\noff\n", "1\n"] {
            assert_eq!(Command::parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    proptest! {
        /// What is told is an eighth from the truth at most, and never more than the longest time.
        #[test]
        fn told_is_nearly_true(mut times in prop::collection::vec((0..34_u32, any::<u64>()), 1..300)) {
            let mut times: Vec<u64> = times.drain(..).map(|(log, low)| (1 << log) | (low & ((1 << log) - 1))).collect();
            let slots = slots(&times);
            times.sort_unstable();
            let histogram = Histogram::new(&slots);
            prop_assert_eq!(histogram.count(), times.len() as u64);
            for rank in 1..=times.len() {
                let (truth, told) = (times[rank - 1], histogram.ranked(rank as u64));
                let width = if bucket(truth) == BUCKETS - 1 { 1 << 30 } else { truth / 8 };
                prop_assert!(told.abs_diff(truth) <= width, "{told} for {truth}");
                prop_assert!(told <= histogram.max);
            }
        }

        /// A scale tells the times that it was measured from.
        #[test]
        fn scales_are_exact(ticks in 1..1_000_000_000_u64, ns in 1_000_000..1_000_000_000_u64, start: u64) {
            let scale = Scale::of(ticks, ns).unwrap();
            let told = scale.ns(start, start.wrapping_add(ticks));
            prop_assert!(told <= ns && ns - told <= 1);
        }
    }
}
