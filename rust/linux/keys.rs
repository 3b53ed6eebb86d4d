// SPDX-License-Identifier: GPL-2.0

//! Keys and whose they are, as lines of a file that nobody reads a key from.

use super::hmac::{wipe, HmacKey};
use super::lock::Snapshot;
use crate::natf::auth::{self, Command, KeyId};
use core::fmt;
use kernel::prelude::*;
use kernel::sync::Arc;

/// By what a key is named. Equal are those of which only one may have a key.
pub(crate) trait Owner: fmt::Display + PartialEq + Send + Sync + Sized + 'static {
    /// Most keys at a time.
    const MAX: usize;
    /// Whether two may have the same key.
    const SHARED: bool;
    /// The one that `text` names.
    fn parse(text: &[u8]) -> Option<Self>;
}

/// A key and whose it is.
pub(crate) struct Key<O> {
    pub(crate) owner: O,
    pub(crate) id: KeyId,
    secret: Pin<KBox<HmacKey>>,
}

/// All of a namespace.
pub(crate) type Keys<O> = Snapshot<List<O>>;

type List<O> = KVVec<Arc<Key<O>>>;

impl<O: Owner> Key<O> {
    fn new(owner: &[u8], raw: &[u8]) -> Result<Self> {
        let owner = O::parse(owner).ok_or(EINVAL)?;
        let secret = KBox::pin_init(HmacKey::new(raw), GFP_KERNEL)?;
        let id = KeyId::of(&*secret);
        Ok(Self { owner, id, secret })
    }

    /// Signs `message`, which has AUTH with this key. Any context up to softirq.
    pub(crate) fn sign(&self, message: &mut [u8]) {
        auth::sign(message, &*self.secret);
    }

    /// Whether `message`, which has AUTH, was signed with this key. Any context up to softirq.
    pub(crate) fn has_signed(&self, message: &[u8]) -> bool {
        auth::verify(message, &*self.secret)
    }
}

impl<O: Owner> Keys<O> {
    /// Writes owners and ids; never a key.
    pub(crate) fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let keys = self.get();
        keys.iter()
            .try_for_each(|key| writeln!(out, "{} {}", key.owner, key.id))
    }

    /// Takes lines that change the keys, all or none. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: not understood. `ENOENT`: no such owner has one. `EEXIST`: another owner has this key. `ENOSPC`, `ENOMEM`.
    pub(crate) fn store(&self, lines: &[u8]) -> Result {
        self.update(|present| {
            let mut new = List::with_capacity(present.len(), GFP_KERNEL)?;
            for key in present.iter() {
                new.push(key.clone(), GFP_KERNEL)?;
            }
            for line in lines.split(|&byte| byte == b'\n') {
                match Command::parse(line).map_err(|()| EINVAL)? {
                    None => {}
                    Some(Command::Flush) => new.clear(),
                    Some(Command::Del(owner)) => {
                        let owner = O::parse(owner).ok_or(EINVAL)?;
                        remove(&mut new, &owner).ok_or(ENOENT)?;
                    }
                    Some(Command::Add(owner, mut raw)) => {
                        let key = Key::new(owner, &raw);
                        wipe(&mut raw);
                        add(&mut new, key?)?;
                    }
                }
            }
            Ok(new)
        })
    }
}

fn remove<O: Owner>(keys: &mut List<O>, owner: &O) -> Option<()> {
    let at = keys.iter().position(|key| key.owner == *owner)?;
    keys.remove(at).ok().map(drop)
}

/// Adds a key, or puts it in the place of that of the same owner.
fn add<O: Owner>(keys: &mut List<O>, key: Key<O>) -> Result {
    remove(keys, &key.owner);
    if !O::SHARED && keys.iter().any(|other| other.id == key.id) {
        return Err(EEXIST);
    }
    if keys.len() >= O::MAX {
        return Err(ENOSPC);
    }
    keys.push(Arc::new(key, GFP_KERNEL)?, GFP_KERNEL)?;
    Ok(())
}
