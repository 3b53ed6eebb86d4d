// SPDX-License-Identifier: GPL-2.0

//! The keys of the endpoints that this router knows, and what they authenticate.

use core::fmt::{self, Write};

use kernel::prelude::*;
use kernel::sync::Arc;

use crate::linux::clock;
use crate::linux::hmac::{wipe, HmacKey};
use crate::linux::netns::Netns;
use crate::linux::sysfs::{Text, Written};
use crate::natf::auth::{self, Command, KeyId, KeyName, Stamp};
use crate::router::Router;

/// Most keys at a time.
const KEYS_MAX: usize = 256;

/// One key.
#[pin_data]
pub(crate) struct Key {
    name: KeyName,
    id: KeyId,
    #[pin]
    secret: HmacKey,
}

/// All of a namespace.
pub(crate) type Keys = KVVec<Arc<Key>>;

/// Who sent a request.
pub(crate) enum Sender {
    /// Somebody without a key, or the owner of this one.
    Known(Option<KeyName>),
    /// Somebody who has not this key.
    Unknown,
    /// The owner of a key, at another time: our clock, or his, is wrong, or he is not the sender.
    Stale,
}

/// Finds out who sent `message`, which has this `stamp`. Softirq.
pub(crate) fn sender(ns: &Netns<Router>, stamp: Option<Stamp>, message: &[u8]) -> Sender {
    let Some(stamp) = stamp else {
        return Sender::Known(None);
    };
    let keys = ns.keys.get();
    match keys.iter().find(|key| key.id == stamp.key) {
        Some(key) if !auth::verify(message, &key.secret) => Sender::Unknown,
        Some(_) if !stamp.is_fresh(clock::wall_ms()) => Sender::Stale,
        Some(key) => Sender::Known(Some(key.name)),
        None => Sender::Unknown,
    }
}

/// Signs `message`, which has this `stamp`. False: the key was taken away meanwhile.
pub(crate) fn sign(ns: &Netns<Router>, stamp: Stamp, message: &mut [u8]) -> bool {
    let keys = ns.keys.get();
    let key = keys.iter().find(|key| key.id == stamp.key);
    key.map(|key| auth::sign(message, &key.secret)).is_some()
}

/// Writes names and ids; never a key.
pub(crate) fn show(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let keys = ns.keys.get();
    keys.iter()
        .try_for_each(|key| writeln!(out, "{} {}", key.name, key.id))
}

/// Takes lines that change the keys.
pub(crate) fn store(ns: &Netns<Router>, written: &Written<'_>) -> Result<usize> {
    ns.keys.update(|present| {
        let mut new = Keys::with_capacity(present.len(), GFP_KERNEL)?;
        for key in present.iter() {
            new.push(key.clone(), GFP_KERNEL)?;
        }
        for line in written.lines.split(|&byte| byte == b'\n') {
            match Command::parse(line).map_err(|()| EINVAL)? {
                None => {}
                Some(Command::Flush) => new.clear(),
                Some(Command::Del(name)) => {
                    let name = KeyName::parse(name).ok_or(EINVAL)?;
                    remove(&mut new, name).ok_or(ENOENT)?;
                }
                Some(Command::Add(name, mut raw)) => {
                    let added = KeyName::parse(name)
                        .ok_or(EINVAL)
                        .map(|name| add(&mut new, name, &raw));
                    wipe(&mut raw);
                    added??;
                }
            }
        }
        Ok(new)
    })?;
    Ok(written.lines.len())
}

fn remove(keys: &mut Keys, name: KeyName) -> Option<()> {
    let at = keys.iter().position(|key| key.name == name)?;
    keys.remove(at).ok().map(drop)
}

/// Adds a key, or puts it in the place of that of the same name. `EEXIST`: another name has it.
fn add(keys: &mut Keys, name: KeyName, raw: &[u8]) -> Result {
    let id = {
        let key = Arc::pin_init(HmacKey::new(raw), GFP_KERNEL)?;
        KeyId::of(&*key)
    };
    remove(keys, name);
    if keys.iter().any(|key| key.id == id) {
        return Err(EEXIST);
    }
    if keys.len() >= KEYS_MAX {
        return Err(ENOSPC);
    }
    let key = pin_init!(Key {
        name,
        id,
        secret <- HmacKey::new(raw),
    });
    keys.push(Arc::pin_init(key, GFP_KERNEL)?, GFP_KERNEL)?;
    Ok(())
}
