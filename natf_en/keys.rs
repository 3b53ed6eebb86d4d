// SPDX-License-Identifier: GPL-2.0

//! Keys for names under a suffix: their requests are signed, and nothing but signed answers counts.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use kernel::sync::Arc;

use crate::endpoint::Endpoint;
use crate::linux::clock;
use crate::linux::keys::{self, Owner};
use crate::linux::netns::Netns;
use crate::natf::auth::{self, Stamp};
use crate::natf::name::Name;
use crate::natf::nrt;

/// The names that a key is for, and the router that has it, too.
pub(crate) struct Suffix {
    name: Name,
    /// By how much the router's clock is ahead of ours, in milliseconds, as it has told; modulo 2^64.
    ahead: AtomicU64,
}

/// One key.
pub(crate) type Key = keys::Key<Suffix>;

/// All of a namespace.
pub(crate) type Keys = keys::Keys<Suffix>;

impl Owner for Suffix {
    const MAX: usize = 64;
    const SHARED: bool = true;

    fn parse(text: &[u8]) -> Option<Self> {
        Some(Suffix {
            name: Name::parse(text).ok()?,
            ahead: AtomicU64::new(0),
        })
    }
}

impl PartialEq for Suffix {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl Key {
    /// What a request that is signed now says.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            key: self.id,
            time: clock::wall_ms().wrapping_add(self.owner.ahead.load(Ordering::Relaxed)),
        }
    }

    /// Whether `message`, which has this `stamp`, was signed by the router.
    pub(crate) fn signed(&self, stamp: Option<Stamp>, message: &[u8]) -> bool {
        stamp.is_some_and(|stamp| stamp.key == self.id) && self.has_signed(message)
    }

    /// The router says what time it is there.
    pub(crate) fn set_clock(&self, stamp: Stamp) {
        let ahead = stamp.time.wrapping_sub(clock::wall_ms());
        self.owner.ahead.store(ahead, Ordering::Relaxed);
    }
}

/// The key for a name: that of the longest suffix. Any context up to softirq.
pub(crate) fn of(ns: &Netns<Endpoint>, name: &nrt::Entry) -> Option<Arc<Key>> {
    let keys = ns.keys.get();
    let fits = |key: &&Arc<Key>| {
        auth::is_under(name.host.view(), name.domain.view(), key.owner.name.view())
    };
    let longest = keys.iter().filter(fits);
    longest
        .max_by_key(|key| key.owner.name.as_bytes().len())
        .cloned()
}
