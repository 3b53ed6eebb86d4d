// SPDX-License-Identifier: GPL-2.0

//! Who asks and who answers: the option AUTH, its code over the message, its clock, and the files in which a
//! person writes keys. HMAC-SHA256 itself is passed in: in the kernel it is the kernel's own.

use core::fmt;

use crate::natf::line::words;
use crate::natf::name::NameRef;
use crate::natf::wire::control::MAC_LEN;

/// Length of a key in bytes.
pub const KEY_LEN: usize = 32;

/// How far the clocks of both sides may be apart, in milliseconds.
pub const WINDOW_MS: u64 = 30_000;

/// Most names of keys that an ACT entry has.
pub const KEYS_MAX: usize = 4;

/// A key that nobody sees.
pub trait Mac {
    /// HMAC-SHA256 of `data` under the key.
    fn mac(&self, data: &[u8]) -> [u8; 32];
}

/// By which a message names its key: made of the key itself, so that both sides configure nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    /// That of a key.
    pub fn of(key: &impl Mac) -> Self {
        let [a, b, c, d, ..] = key.mac(b"NATf key id");
        KeyId([a, b, c, d])
    }
}

/// Eight hexadecimal digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// What AUTH says beside its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The key.
    pub key: KeyId,
    /// The sender's clock, in milliseconds since 1970.
    pub time: u64,
}

impl Stamp {
    /// Whether it was made at about `now`, in milliseconds since 1970.
    pub fn is_fresh(&self, now: u64) -> bool {
        self.time.abs_diff(now) <= WINDOW_MS
    }
}

/// Puts the code at the end of `message`, which has AUTH with room for it.
pub fn sign(message: &mut [u8], key: &impl Mac) {
    let Some(at) = message.len().checked_sub(MAC_LEN) else {
        return;
    };
    let (covered, code) = message.split_at_mut(at);
    for (to, from) in code.iter_mut().zip(key.mac(covered)) {
        *to = from;
    }
}

/// Whether the code at the end of `message`, which has AUTH, is that of `key`.
pub fn verify(message: &[u8], key: &impl Mac) -> bool {
    let at = message.len().checked_sub(MAC_LEN);
    let Some((covered, code)) = at.and_then(|at| message.split_at_checked(at)) else {
        return false;
    };
    let made = key.mac(covered);
    same(code, made.get(..MAC_LEN).unwrap_or_default())
}

/// Whether both are the same bytes. Takes as long wherever they differ, so that nobody finds a code byte by byte.
fn same(one: &[u8], other: &[u8]) -> bool {
    let pairs = one.iter().zip(other);
    // The barrier keeps the compiler from seeing that the rest does not matter once a bit is set.
    let differs = pairs.fold(0, |seen, (a, b)| core::hint::black_box(seen | (a ^ b)));
    one.len() == other.len() && core::hint::black_box(differs) == 0
}

/// The name of a key: 1 to 15 bytes, lower case letters, digits, `-` or `_`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyName {
    len: u8,
    bytes: [u8; 15],
}

impl KeyName {
    /// What unused places hold.
    pub(crate) const BLANK: KeyName = KeyName {
        len: 0,
        bytes: [0; 15],
    };

    /// The name that `text` is.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let fits = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if text.is_empty() || !text.iter().all(fits) {
            return None;
        }
        let mut name = Self::BLANK;
        name.bytes.get_mut(..text.len())?.copy_from_slice(text);
        name.len = u8::try_from(text.len()).ok()?;
        Some(name)
    }

    fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.len));
        core::str::from_utf8(text.unwrap_or_default()).unwrap_or_default()
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Whether `host`.`domain` is `suffix` or ends with it, label by label.
pub fn is_under(host: NameRef<'_>, domain: NameRef<'_>, suffix: NameRef<'_>) -> bool {
    let mut labels = domain.labels().rev().chain(host.labels().rev());
    suffix
        .labels()
        .rev()
        .all(|label| labels.next() == Some(label))
}

/// A line of a file of keys.
pub enum Command<'a> {
    /// `add NAME KEY`: a key, or another one in its place. The caller wipes it.
    Add(&'a [u8], [u8; KEY_LEN]),
    /// `del NAME`.
    Del(&'a [u8]),
    /// `flush`: all.
    Flush,
}

impl<'a> Command<'a> {
    /// The command in `line`; `Ok(None)` if it is blank or a comment.
    #[allow(clippy::result_unit_err)]
    pub fn parse(line: &'a [u8]) -> Result<Option<Self>, ()> {
        let mut words = words(line);
        let Some(verb) = words.next() else {
            return Ok(None);
        };
        let command = match verb {
            b"add" => {
                let name = words.next().ok_or(())?;
                let key = words.next().and_then(parse_hex).ok_or(())?;
                Command::Add(name, key)
            }
            b"del" => Command::Del(words.next().ok_or(())?),
            b"flush" => Command::Flush,
            _ => return Err(()),
        };
        match words.next() {
            Some(_) => Err(()),
            None => Ok(Some(command)),
        }
    }
}

fn parse_hex(text: &[u8]) -> Option<[u8; KEY_LEN]> {
    let mut key = [0; KEY_LEN];
    let (pairs, rest) = (text.chunks_exact(2), text.len() & 1);
    if pairs.len() != KEY_LEN || rest != 0 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let [high, low] = *pair.first_chunk()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests;
