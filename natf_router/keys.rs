// SPDX-License-Identifier: GPL-2.0

//! The keys of the endpoints that this router knows, and what they authenticate.

use crate::linux::clock;
use crate::linux::keys::{self, Owner};
use crate::linux::netns::Netns;
use crate::natf::auth::{KeyName, Stamp};
use crate::router::Router;

/// All of a namespace.
pub(crate) type Keys = keys::Keys<KeyName>;

/// A request names its key by the id alone, so each has one name.
impl Owner for KeyName {
    const MAX: usize = 256;
    const SHARED: bool = false;

    fn parse(text: &[u8]) -> Option<Self> {
        KeyName::parse(text)
    }
}

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
        Some(key) if !key.has_signed(message) => Sender::Unknown,
        Some(_) if !stamp.is_fresh(clock::wall_ms()) => Sender::Stale,
        Some(key) => Sender::Known(Some(key.owner)),
        None => Sender::Unknown,
    }
}

/// Signs `message`, which has this `stamp`. False: the key was taken away meanwhile.
pub(crate) fn sign(ns: &Netns<Router>, stamp: Stamp, message: &mut [u8]) -> bool {
    let keys = ns.keys.get();
    let key = keys.iter().find(|key| key.id == stamp.key);
    key.map(|key| key.sign(message)).is_some()
}
