// SPDX-License-Identifier: GPL-2.0

//! What a router does with a flood of requests: whose network asks too often, or who comes while too many ask,
//! must first show that he can hear at the address that he sends from. `docs/security.md` says against whom.

use core::fmt;
use core::net::Ipv4Addr;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::natf::bucket::{Bucket, Rate};
use crate::natf::line;
use crate::natf::siphash::{self, Key};

/// Buckets for the networks of those who ask, a power of two.
pub const BUCKETS: usize = 4096;

/// How long a secret is used, in milliseconds; its cookies are good for as long once more.
pub const SECRET_MS: u64 = 60_000;

/// How much is borne, as a person sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second of one network, a /24.
    pub source: Rate,
    /// Requests a second of all who have not shown that they can hear. 0: everybody has to.
    pub cookie: Rate,
    /// Mappings that one endpoint may have at a time.
    pub mappings: u32,
}

impl Limits {
    /// What holds until somebody says otherwise.
    pub const DEFAULT: Limits = Limits {
        source: Rate::per_second(500),
        cookie: Rate::per_second(2000),
        mappings: 4096,
    };

    /// These limits, changed by a line `NAME NUMBER`; a blank line changes nothing. `None`: it is no such line.
    pub fn with(mut self, line: &[u8]) -> Option<Self> {
        let Some((name, number)) = line::setting(line)? else {
            return Some(self);
        };
        match name {
            b"source" if number != 0 => self.source = Rate::per_second(number),
            b"cookie" => self.cookie = Rate::per_second(number),
            b"mappings" if number != 0 => self.mappings = number,
            _ => return None,
        }
        Some(self)
    }
}

/// A line each, as [`Limits::with`] reads them.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "source {}", self.source.get())?;
        writeln!(f, "cookie {}", self.cookie.get())?;
        writeln!(f, "mappings {}", self.mappings)
    }
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Go on with it. `true`: it showed that its sender hears at the address it came from.
    Pass(bool),
    /// Answer with this cookie, and nothing else.
    Ask(u64),
    /// Drop it: a network that can hear asks too often.
    Drop,
}

/// What a router keeps to judge by: nothing of it grows with those who ask.
pub struct Guard<B> {
    key: [Key; 2],
    source: AtomicU32,
    cookie: AtomicU32,
    mappings: AtomicU32,
    all: Bucket,
    /// By the network that a request claims to come from, and those of requests that came with their cookie.
    /// Apart, so that who forges somebody's address does not use up what is his.
    claimed: B,
    shown: B,
}

impl<B: Deref<Target = [Bucket]>> Guard<B> {
    /// With four random numbers, and twice [`BUCKETS`] buckets.
    pub fn new(random: [u64; 4], claimed: B, shown: B) -> Self {
        let [a, b, c, d] = random;
        Guard {
            key: [Key([a, b]), Key([c, d])],
            source: AtomicU32::new(Limits::DEFAULT.source.get()),
            cookie: AtomicU32::new(Limits::DEFAULT.cookie.get()),
            mappings: AtomicU32::new(Limits::DEFAULT.mappings),
            all: Bucket::new(),
            claimed,
            shown,
        }
    }

    /// The limits that hold.
    pub fn limits(&self) -> Limits {
        Limits {
            source: Rate::per_second(self.source.load(Ordering::Relaxed)),
            cookie: Rate::per_second(self.cookie.load(Ordering::Relaxed)),
            mappings: self.mappings.load(Ordering::Relaxed),
        }
    }

    /// Sets them.
    pub fn set_limits(&self, limits: Limits) {
        self.source.store(limits.source.get(), Ordering::Relaxed);
        self.cookie.store(limits.cookie.get(), Ordering::Relaxed);
        self.mappings.store(limits.mappings, Ordering::Relaxed);
    }

    /// Judges a request of this `nonce` that came from `source`, with a `cookie` or without, at `now_ms` in
    /// milliseconds since boot. Any context.
    pub fn judge(&self, source: Ipv4Addr, nonce: u64, cookie: Option<u64>, now_ms: u64) -> Judged {
        let limits = self.limits();
        let minute = now_ms.checked_div(SECRET_MS).unwrap_or(0);
        let made = |minute| self.make(source, nonce, minute);
        let fits = |cookie| cookie == made(minute) || cookie == made(minute.wrapping_sub(1));
        let take = |buckets: &B| {
            let bucket = buckets.get(self.place(source));
            bucket.is_none_or(|bucket| bucket.take(limits.source, now_ms))
        };
        if cookie.is_some_and(fits) {
            return match take(&self.shown) {
                true => Judged::Pass(true),
                false => Judged::Drop,
            };
        }
        // In this order: one network's flood takes no more than its share of what all have.
        match take(&self.claimed) && self.all.take(limits.cookie, now_ms) {
            true => Judged::Pass(false),
            false => Judged::Ask(made(minute)),
        }
    }

    /// The cookie that a request of this `nonce` from `source` has to bring, at `now_ms`.
    pub fn cookie(&self, source: Ipv4Addr, nonce: u64, now_ms: u64) -> u64 {
        self.make(source, nonce, now_ms.checked_div(SECRET_MS).unwrap_or(0))
    }

    /// The cookie of a request. The secret is the key together with the number of the minute.
    fn make(&self, source: Ipv4Addr, nonce: u64, minute: u64) -> u64 {
        let mut data = [0; 20];
        let parts = [
            &source.octets()[..],
            &nonce.to_be_bytes(),
            &minute.to_be_bytes(),
        ];
        for (to, from) in data.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        let [key, _] = &self.key;
        siphash::hash(key, &data)
    }

    /// The bucket of a network. Nobody outside knows which others share it.
    fn place(&self, source: Ipv4Addr) -> usize {
        let [a, b, c, _] = source.octets();
        let [_, key] = &self.key;
        let [low, high, ..] = siphash::hash(key, &[a, b, c]).to_le_bytes();
        usize::from(u16::from_le_bytes([low, high])) & (BUCKETS - 1)
    }
}

#[cfg(test)]
mod tests;
