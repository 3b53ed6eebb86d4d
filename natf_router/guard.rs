// SPDX-License-Identifier: GPL-2.0

//! What stands before everything else that a request could cause.

use core::fmt::{self, Write};
use core::net::Ipv4Addr;

use kernel::prelude::*;

use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::sysfs::Text;
use crate::natf::bucket::Bucket;
use crate::natf::guard::{self, Judged, Limits, BUCKETS};
use crate::router::Router;

/// The guard in kernel memory.
pub(crate) type Guard = guard::Guard<KVVec<Bucket>>;

/// The guard of a namespace, made when it is first needed: its buckets take 64 KiB. May sleep.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn of(ns: &Netns<Router>) -> Result<&Guard> {
    if ns.guard.as_ref().is_none() {
        let random = core::array::from_fn(|_| clock::random_u64());
        // If somebody else was quicker, theirs is used.
        ns.guard
            .populate(Guard::new(random, buckets()?, buckets()?));
    }
    ns.guard.as_ref().ok_or(EBUSY)
}

fn buckets() -> Result<KVVec<Bucket>> {
    let mut buckets = KVVec::with_capacity(BUCKETS, GFP_KERNEL)?;
    for _ in 0..BUCKETS {
        buckets.push(Bucket::new(), GFP_KERNEL)?;
    }
    Ok(buckets)
}

/// What is to be done with a request from `source`. Softirq.
pub(crate) fn judge(
    ns: &Netns<Router>,
    source: Ipv4Addr,
    nonce: u64,
    cookie: Option<u64>,
) -> Judged {
    match ns.guard.as_ref() {
        Some(guard) => guard.judge(source, nonce, cookie, clock::now_ms()),
        // There is none only as long as the table is empty.
        None => Judged::Drop,
    }
}

/// The cookie that a request from `source` would have to bring. Softirq.
pub(crate) fn cookie(ns: &Netns<Router>, source: Ipv4Addr, nonce: u64) -> Option<u64> {
    let guard = ns.guard.as_ref()?;
    Some(guard.cookie(source, nonce, clock::now_ms()))
}

/// Writes the limits.
pub(crate) fn show(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let limits = ns.guard.as_ref().map_or(Limits::DEFAULT, Guard::limits);
    write!(out, "{limits}")
}

/// Takes limits, a line each.
pub(crate) fn store(ns: &Netns<Router>, lines: &[u8]) -> Result {
    let guard = of(ns)?;
    let mut lines = lines.split(|&byte| byte == b'\n');
    let limits = lines.try_fold(guard.limits(), Limits::with);
    guard.set_limits(limits.ok_or(EINVAL)?);
    Ok(())
}
