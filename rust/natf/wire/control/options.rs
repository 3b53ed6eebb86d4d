// SPDX-License-Identifier: GPL-2.0

//! The options of a control message: kind, length of the value, value, back to back.

use crate::natf::auth::{KeyId, Stamp};
use crate::natf::wire::control::{Malformed, MAC_LEN, MIN_REQUEST_LEN};
use crate::natf::wire::field;

/// Zeros, ignored.
const PAD: u8 = 0;
/// Private host name.
pub(super) const NAME: u8 = 1;
/// Handed out by a router under load, to be sent back.
pub(super) const COOKIE: u8 = 2;
/// Who sends the message; always the last one.
pub(super) const AUTH: u8 = 3;
/// Changes when the router's mappings may have been lost.
pub(super) const EPOCH: u8 = 4;
/// The first packet of the flow, in as many of these as it takes.
pub(super) const EARLY: u8 = 5;

/// Length in bytes of kind and length.
pub(super) const HEADER_LEN: usize = 2;

/// Length in bytes of an option whose value is a 64-bit number.
pub(super) const WORD_LEN: usize = HEADER_LEN + 8;

/// Takes the 64-bit `value` of an option that may be there once.
pub(super) fn once(
    place: &mut Option<u64>,
    value: &[u8],
    wrong: Malformed,
) -> Result<(), Malformed> {
    let value = value.try_into().map_err(|_| wrong)?;
    match place.replace(u64::from_be_bytes(value)) {
        Some(_) => Err(wrong),
        None => Ok(()),
    }
}

/// Whether a receiver that does not know `kind` must not go on. None of these is known today.
pub(super) const fn is_critical(kind: u8) -> bool {
    kind >= 128
}

/// The options of a message: kind and value of each, and an error where one overruns the message.
pub(super) struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    pub(super) fn new(options: &'a [u8]) -> Self {
        Options { rest: options }
    }

    /// Those that are still to come.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<(u8, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        // An error ends the iteration: what follows has no meaning.
        let rest = core::mem::take(&mut self.rest);
        let option = rest
            .split_first_chunk::<HEADER_LEN>()
            .and_then(|(&[kind, len], tail)| {
                let (value, rest) = tail.split_at_checked(usize::from(len))?;
                self.rest = rest;
                Some((kind, value))
            });
        Some(option.ok_or(Malformed::Option))
    }
}

/// Length of a request whose other options end at `end`: a multiple of 4, with room for PAD.
pub(super) fn padded_len(end: usize) -> usize {
    let round = |len: usize| len.checked_next_multiple_of(4).unwrap_or(len);
    let len = round(end.max(MIN_REQUEST_LEN));
    match len.saturating_sub(end) {
        // One byte is too little for an option, even for an empty one.
        1 => len.saturating_add(4),
        _ => len,
    }
}

/// Writes an option at `at`.
pub(super) fn put(message: &mut [u8], at: usize, kind: u8, value: &[u8]) {
    // No longer value is ever written: a name fits, and so does a piece of EARLY.
    let len = u8::try_from(value.len()).unwrap_or(0);
    field::put(message, at, &[kind, len]);
    field::put(message, at.saturating_add(HEADER_LEN), value);
}

/// Length in bytes of AUTH, if it is there.
pub(super) fn auth_len(auth: Option<Stamp>) -> usize {
    const LEN: usize = HEADER_LEN + 4 + 8 + MAC_LEN;
    auth.map_or(0, |_| LEN)
}

/// What the `value` of AUTH says beside its code.
pub(super) fn stamp(value: &[u8]) -> Result<Stamp, Malformed> {
    let value: [u8; 4 + 8 + MAC_LEN] = value.try_into().map_err(|_| Malformed::Auth)?;
    Ok(Stamp {
        key: KeyId(field::bytes(&value, 0)),
        time: u64::from_be_bytes(field::bytes(&value, 4)),
    })
}

/// Fills a zeroed message from `at` to its end: PAD, and AUTH with zeros for its code.
pub(super) fn put_rest(message: &mut [u8], at: usize, auth: Option<Stamp>) {
    let end = message.len().saturating_sub(auth_len(auth));
    if let Some(stamp) = auth {
        let mut value = [0; 4 + 8 + MAC_LEN];
        field::put(&mut value, 0, &stamp.key.0);
        field::put(&mut value, 4, &stamp.time.to_be_bytes());
        put(message, end, AUTH, &value);
    }
    put_padding(message.get_mut(..end).unwrap_or_default(), at);
}

/// Writes the header of a PAD that fills a zeroed message from `at` to its end.
fn put_padding(message: &mut [u8], at: usize) {
    let value = message
        .len()
        .checked_sub(at)
        .and_then(|gap| gap.checked_sub(HEADER_LEN))
        .and_then(|len| u8::try_from(len).ok());
    if let Some(len) = value {
        field::put(message, at, &[PAD, len]);
    }
}
