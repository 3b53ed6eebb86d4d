// SPDX-License-Identifier: GPL-2.0

//! Keys for names under a suffix: their requests are signed, and nothing but signed answers counts.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU64, Ordering};

use kernel::prelude::*;
use kernel::sync::Arc;

use crate::endpoint::Endpoint;
use crate::linux::clock;
use crate::linux::hmac::{wipe, HmacKey};
use crate::linux::netns::Netns;
use crate::linux::sysfs::{Text, Written};
use crate::natf::auth::{self, Command, KeyId, Stamp};
use crate::natf::name::Name;
use crate::natf::nrt;

/// Most keys at a time.
const KEYS_MAX: usize = 64;

/// One key.
#[pin_data]
pub(crate) struct Key {
    suffix: Name,
    id: KeyId,
    /// By how much the router's clock is ahead of ours, in milliseconds, as it has told; modulo 2^64.
    ahead: AtomicU64,
    #[pin]
    secret: HmacKey,
}

/// All of a namespace.
pub(crate) type Keys = KVVec<Arc<Key>>;

impl Key {
    /// What a request that is signed now says.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            key: self.id,
            time: clock::wall_ms().wrapping_add(self.ahead.load(Ordering::Relaxed)),
        }
    }

    /// Signs `message`, which has such a stamp.
    pub(crate) fn sign(&self, message: &mut [u8]) {
        auth::sign(message, &self.secret);
    }

    /// Whether `message`, which has this `stamp`, was signed by the router.
    pub(crate) fn signed(&self, stamp: Option<Stamp>, message: &[u8]) -> bool {
        stamp.is_some_and(|stamp| stamp.key == self.id) && auth::verify(message, &self.secret)
    }

    /// The router says what time it is there.
    pub(crate) fn set_clock(&self, stamp: Stamp) {
        let ahead = stamp.time.wrapping_sub(clock::wall_ms());
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

/// The key for a name: that of the longest suffix. Any context up to softirq.
pub(crate) fn of(ns: &Netns<Endpoint>, name: &nrt::Entry) -> Option<Arc<Key>> {
    let keys = ns.keys.get();
    let fits =
        |key: &&Arc<Key>| auth::is_under(name.host.view(), name.domain.view(), key.suffix.view());
    let longest = keys.iter().filter(fits);
    longest
        .max_by_key(|key| key.suffix.as_bytes().len())
        .cloned()
}

/// Writes suffixes and ids; never a key.
pub(crate) fn show(ns: &Netns<Endpoint>, out: &mut Text<'_>) -> fmt::Result {
    let keys = ns.keys.get();
    keys.iter()
        .try_for_each(|key| writeln!(out, "{} {}", key.suffix, key.id))
}

/// Takes lines that change the keys.
pub(crate) fn store(ns: &Netns<Endpoint>, written: &Written<'_>) -> Result<usize> {
    ns.keys.update(|present| {
        let mut new = Keys::with_capacity(present.len(), GFP_KERNEL)?;
        for key in present.iter() {
            new.push(key.clone(), GFP_KERNEL)?;
        }
        for line in written.lines.split(|&byte| byte == b'\n') {
            match Command::parse(line).map_err(|()| EINVAL)? {
                None => {}
                Some(Command::Flush) => new.clear(),
                Some(Command::Del(suffix)) => {
                    let suffix = Name::parse(suffix).map_err(|_| EINVAL)?;
                    remove(&mut new, &suffix).ok_or(ENOENT)?;
                }
                Some(Command::Add(suffix, mut raw)) => {
                    let suffix = Name::parse(suffix).map_err(|_| EINVAL);
                    let added = suffix.map(|suffix| add(&mut new, suffix, &raw));
                    wipe(&mut raw);
                    added??;
                }
            }
        }
        Ok(new)
    })?;
    Ok(written.lines.len())
}

fn remove(keys: &mut Keys, suffix: &Name) -> Option<()> {
    let at = keys.iter().position(|key| key.suffix == *suffix)?;
    keys.remove(at).ok().map(drop)
}

/// Adds a key, or puts it in the place of that of the same suffix.
fn add(keys: &mut Keys, suffix: Name, raw: &[u8]) -> Result {
    let id = {
        let key = Arc::pin_init(HmacKey::new(raw), GFP_KERNEL)?;
        KeyId::of(&*key)
    };
    remove(keys, &suffix);
    if keys.len() >= KEYS_MAX {
        return Err(ENOSPC);
    }
    let key = pin_init!(Key {
        suffix,
        id,
        ahead: AtomicU64::new(0),
        secret <- HmacKey::new(raw),
    });
    keys.push(Arc::pin_init(key, GFP_KERNEL)?, GFP_KERNEL)?;
    Ok(())
}
