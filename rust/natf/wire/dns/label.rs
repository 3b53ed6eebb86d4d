// SPDX-License-Identifier: GPL-2.0

//! Names inside a DNS message: labels, and pointers to labels that were there before (RFC 1035,
//! 4.1.4).
//!
//! A pointer must lead to a place before the labels it continues. A chain of them therefore ends,
//! whatever a hostile message says; a limit keeps it from being long.

use core::iter;

use crate::natf::name::{self, Name};
use crate::natf::wire::dns::{Error, HEADER_LEN};

/// Longest name in bytes with its lengths and its end (RFC 1035, 2.3.4).
pub(super) const MAX_NAME_LEN: usize = 255;

/// Most pointers in one name. A name has at most 127 labels, and no compressor needs more than one
/// pointer for each.
const MAX_POINTERS: usize = 127;

/// What stands at one place in a name.
enum Element<'a> {
    /// A label, and where the next element is.
    Label(&'a [u8], usize),
    /// The labels go on there; and where the pointer ends.
    Pointer(usize, usize),
    /// The name is at its end; and where that is.
    Root(usize),
}

/// Reads what stands at `at`.
fn element(message: &[u8], at: usize) -> Result<Element<'_>, Error> {
    let tail = message.get(at..).ok_or(Error::Truncated)?;
    let (&first, rest) = tail.split_first().ok_or(Error::Truncated)?;
    let next = at.saturating_add(1);
    match first {
        0 => Ok(Element::Root(next)),
        1..=63 => {
            let len = usize::from(first);
            let label = rest.get(..len).ok_or(Error::Truncated)?;
            Ok(Element::Label(label, next.saturating_add(len)))
        }
        0xc0.. => {
            let &low = rest.first().ok_or(Error::Truncated)?;
            let target = u16::from_be_bytes([first & 0x3f, low]);
            Ok(Element::Pointer(target.into(), next.saturating_add(1)))
        }
        _ => Err(Error::Label),
    }
}

/// Where the name at `at` ends. Pointers are not followed.
pub(super) fn skip(message: &[u8], at: usize) -> Result<usize, Error> {
    let mut here = at;
    loop {
        if here.saturating_sub(at) >= MAX_NAME_LEN {
            return Err(Error::NameTooLong);
        }
        match element(message, here)? {
            Element::Label(_, next) => here = next,
            Element::Pointer(_, end) | Element::Root(end) => return Ok(end),
        }
    }
}

/// The labels of a name, pointers followed.
struct Labels<'a> {
    message: &'a [u8],
    here: usize,
    /// Where the labels in hand begin; a pointer must lead to before them.
    floor: usize,
    /// Length of the labels so far, in bytes.
    len: usize,
    pointers: usize,
}

impl<'a> Labels<'a> {
    fn new(message: &'a [u8], at: usize) -> Self {
        Labels {
            message,
            here: at,
            floor: at,
            len: 0,
            pointers: 0,
        }
    }

    /// The next label; `None` at the end of the name.
    fn next(&mut self) -> Result<Option<&'a [u8]>, Error> {
        loop {
            match element(self.message, self.here)? {
                Element::Label(label, next) => {
                    self.len = self.len.saturating_add(label.len()).saturating_add(1);
                    // The root takes one more byte.
                    if self.len >= MAX_NAME_LEN {
                        return Err(Error::NameTooLong);
                    }
                    self.here = next;
                    return Ok(Some(label));
                }
                Element::Pointer(target, _) => {
                    self.pointers = self.pointers.saturating_add(1);
                    let backwards = (HEADER_LEN..self.floor).contains(&target);
                    if !backwards || self.pointers > MAX_POINTERS {
                        return Err(Error::Pointer);
                    }
                    self.floor = target;
                    self.here = target;
                }
                Element::Root(_) => return Ok(None),
            }
        }
    }
}

/// Whether the names at `a` and `b` are equal, upper and lower case being the same (RFC 4343).
pub(super) fn same(message: &[u8], a: usize, b: usize) -> Result<bool, Error> {
    let (mut a, mut b) = (Labels::new(message, a), Labels::new(message, b));
    loop {
        match (a.next()?, b.next()?) {
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            (None, None) => return Ok(true),
            _ => return Ok(false),
        }
    }
}

/// Whether the name at `at` can be one of ours: see [`Name`].
pub(super) fn is_name(message: &[u8], at: usize) -> Result<bool, Error> {
    let mut labels = Labels::new(message, at);
    let mut count: usize = 0;
    while let Some(label) = labels.next()? {
        if !name::is_label(label) {
            return Ok(false);
        }
        count = count.saturating_add(1);
    }
    Ok(count > 0)
}

/// The name at `at`, or `None` if it can be none of ours.
pub(super) fn name(message: &[u8], at: usize) -> Result<Option<Name>, Error> {
    let mut labels = Labels::new(message, at);
    let mut error = None;
    let name = Name::from_labels(iter::from_fn(|| {
        labels.next().unwrap_or_else(|why| {
            error = Some(why);
            None
        })
    }));
    match error {
        Some(error) => Err(error),
        None => Ok(name.ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, then `names`.
    fn message(names: &[u8]) -> Vec<u8> {
        [&[0; HEADER_LEN], names].concat()
    }

    fn text(message: &[u8], at: usize) -> Result<Option<String>, Error> {
        Ok(name(message, at)?.map(|name| name.to_string()))
    }

    #[test]
    fn pointers_lead_backwards() {
        let message = message(b"\x04home\0\x05Alice\xc0\x0c\x01x\xc0\x12\xc0\x1a");
        assert_eq!(text(&message, 12), Ok(Some("home".into())));
        assert_eq!(text(&message, 18), Ok(Some("alice.home".into())));
        assert_eq!(text(&message, 26), Ok(Some("x.alice.home".into())));
        assert_eq!(text(&message, 30), Ok(Some("x.alice.home".into())));
        assert_eq!(skip(&message, 12), Ok(18));
        assert_eq!(skip(&message, 18), Ok(26));
        assert_eq!(skip(&message, 30), Ok(32));
    }

    #[test]
    fn pointers_that_lead_nowhere() {
        for names in [
            &b"\xc0\x0c"[..], // to itself
            b"\x01a\xc0\x0c", // to the start of its own labels
            b"\xc0\x0e\0",    // forwards
            b"\xc0\x00",      // into the header
            b"\xc0\x0b",
            b"\xff\xff", // beyond the message
        ] {
            assert_eq!(text(&message(names), 12), Err(Error::Pointer));
            assert_eq!(same(&message(names), 12, 12), Err(Error::Pointer));
        }
        // Back first, and then forth again, to before the start.
        let message = self::message(b"\xc0\x10\0\0\x01b\0\xc0\x0c");
        assert_eq!(text(&message, 19), Err(Error::Pointer));
        // Two that lead to each other: the second may go back, the first may not come forth.
        let message = self::message(b"\xc0\x0e\xc0\x0c");
        assert_eq!(text(&message, 14), Err(Error::Pointer));
    }

    #[test]
    fn pointers_are_limited() {
        // A root, then pointers each to the one before.
        let chain = |count: usize| {
            let mut bytes = message(b"\x01a\0\0");
            for i in 0..count {
                let target = if i == 0 { 12 } else { 14 + 2 * i };
                bytes.extend((0xc000u16 + u16::try_from(target).unwrap()).to_be_bytes());
            }
            text(&bytes, 14 + 2 * count)
        };
        assert_eq!(chain(MAX_POINTERS), Ok(Some("a".into())));
        assert_eq!(chain(MAX_POINTERS + 1), Err(Error::Pointer));
    }

    #[test]
    fn every_short_length_is_refused() {
        let whole = message(b"\x04home\0\x05alice\xc0\x0c");
        for len in 18..whole.len() {
            assert_eq!(text(&whole[..len], 18), Err(Error::Truncated));
            assert_eq!(skip(&whole[..len], 18), Err(Error::Truncated));
        }
        assert_eq!(skip(&whole, usize::MAX), Err(Error::Truncated));
    }

    #[test]
    fn labels_of_unknown_kinds() {
        for first in 0x40..0xc0 {
            let message = message(&[first, 0, 0]);
            assert_eq!(text(&message, 12), Err(Error::Label));
            assert_eq!(skip(&message, 12), Err(Error::Label));
        }
    }

    #[test]
    fn names_have_a_longest_length() {
        let long = |last: u8| {
            let mut names = [&[63][..], &[b'a'; 63]].concat().repeat(3);
            names.push(last);
            names.extend(vec![b'b'; usize::from(last)]);
            names.push(0);
            message(&names)
        };
        assert_eq!(long(61).len(), HEADER_LEN + MAX_NAME_LEN);
        assert_eq!(text(&long(61), 12).unwrap().unwrap().len(), 253);
        assert_eq!(skip(&long(61), 12), Ok(HEADER_LEN + MAX_NAME_LEN));
        assert_eq!(text(&long(62), 12), Err(Error::NameTooLong));
        assert_eq!(skip(&long(62), 12), Err(Error::NameTooLong));
    }

    #[test]
    fn names_that_are_not_ours() {
        for names in [
            &b"\0"[..],
            b"\x03a.b\0",
            b"\x01*\x04home\0",
            b"\x04caf\xe9\0",
        ] {
            assert_eq!(text(&message(names), 12), Ok(None));
            assert_eq!(is_name(&message(names), 12), Ok(false));
        }
        assert_eq!(is_name(&message(b"\x01_\0"), 12), Ok(true));
    }

    #[test]
    fn case_is_the_same_and_labels_are_not_their_text() {
        let message = message(b"\x01a\x01b\0\x01A\x01B\0\x03a.b\0\x01a\0\x01a\x01b\x01c\0");
        assert_eq!(same(&message, 12, 17), Ok(true));
        assert_eq!(same(&message, 12, 22), Ok(false));
        assert_eq!(same(&message, 12, 27), Ok(false));
        assert_eq!(same(&message, 12, 30), Ok(false));
        assert_eq!(same(&message, 30, 12), Ok(false));
    }
}
