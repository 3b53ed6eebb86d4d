// SPDX-License-Identifier: GPL-2.0

//! DNS messages (RFC 1035): reading what a response says about a name, and changing its addresses
//! where they stand.
//!
//! A response is looked at only if it is a plain, successful, complete answer for an address. Then the
//! address records on the chain of CNAMEs from the question are found; their four bytes, their TTL and
//! the AD bit are all that is ever written, so nothing moves and nothing grows.

use core::fmt;
use core::net::Ipv4Addr;

use crate::natf::name::Name;
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::field;

mod answer;
mod label;

use answer::Found;

/// Length in bytes of the header.
pub const HEADER_LEN: usize = 12;

/// Longest message in bytes: what the length before a message over TCP can say (RFC 1035, 4.2.2).
pub const MAX_LEN: usize = 65_535;

/// Most addresses that an [`Answer`] tells. A NAT-f router with more is reached by its first ones.
pub const MAX_ADDRESSES: usize = 4;

/// Type: IPv4 address.
pub const TYPE_A: u16 = 1;
/// Type: alias.
pub const TYPE_CNAME: u16 = 5;
/// Type: IPv6 address (RFC 3596).
pub const TYPE_AAAA: u16 = 28;
/// Type: service binding (RFC 9460), which may hold addresses.
pub const TYPE_SVCB: u16 = 64;
/// Type: service binding of HTTPS (RFC 9460), which may hold addresses.
pub const TYPE_HTTPS: u16 = 65;
/// Type in a question: all records (RFC 8482).
pub const TYPE_ANY: u16 = 255;

/// Type that records get which must not be understood: the first one for private use (RFC 6895, 3.1).
const TYPE_NONE: u16 = 65_280;

const CLASS_IN: u16 = 1;

/// Offsets of the fields of the header, in bytes.
mod at {
    pub(super) const ID: usize = 0;
    pub(super) const FLAGS: usize = 2;
    pub(super) const QUESTIONS: usize = 4;
    pub(super) const ANSWERS: usize = 6;
}

/// Bits of the flags field.
mod flag {
    pub(super) const RESPONSE: u16 = 0x8000;
    pub(super) const OPCODE: u16 = 0x7800;
    pub(super) const TRUNCATED: u16 = 0x0200;
    pub(super) const AUTHENTIC: u16 = 0x0020;
    pub(super) const RCODE: u16 = 0x000f;
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The message ends inside of something.
    Truncated,
    /// The message is longer than [`MAX_LEN`].
    TooLong,
    /// A label of a kind that does not exist (RFC 1035, 4.1.4).
    Label,
    /// A compression pointer that does not point backwards, or too many of them.
    Pointer,
    /// A name of more than 255 bytes.
    NameTooLong,
    /// An A record whose data is not four bytes long.
    Address,
    /// More records, or a longer chain of CNAMEs, than we are willing to follow.
    TooMany,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Truncated => "the DNS message is cut short",
            Error::TooLong => "the DNS message is too long",
            Error::Label => "a DNS label is of an unknown kind",
            Error::Pointer => "a DNS name is compressed in a way that leads nowhere",
            Error::NameTooLong => "a DNS name is too long",
            Error::Address => "a DNS address record does not hold an address",
            Error::TooMany => "the DNS answer has too many records or aliases",
        })
    }
}

/// What the header says, and the question as far as it is a plain field.
struct Start {
    flags: u16,
    qtype: u16,
    /// Where the question ends and the records begin.
    end: usize,
}

impl Start {
    /// `None` if the message is no standard query or response with one question of class IN.
    fn read(message: &[u8]) -> Result<Option<Self>, Error> {
        if message.len() < HEADER_LEN {
            return Err(Error::Truncated);
        }
        if message.len() > MAX_LEN {
            return Err(Error::TooLong);
        }
        let flags = field::half(message, at::FLAGS);
        if flags & flag::OPCODE != 0 || field::half(message, at::QUESTIONS) != 1 {
            return Ok(None);
        }
        let after_name = label::skip(message, HEADER_LEN)?;
        let [t0, t1, c0, c1] = *message
            .get(after_name..)
            .and_then(|tail| tail.first_chunk::<4>())
            .ok_or(Error::Truncated)?;
        if u16::from_be_bytes([c0, c1]) != CLASS_IN {
            return Ok(None);
        }
        Ok(Some(Start {
            flags,
            qtype: u16::from_be_bytes([t0, t1]),
            end: after_name.saturating_add(4),
        }))
    }

    /// Whether the message is a query.
    fn is_query(&self) -> bool {
        self.flags & flag::RESPONSE == 0
    }

    /// Whether the message is a complete and successful answer.
    fn is_answer(&self) -> bool {
        let plain = flag::RESPONSE | flag::TRUNCATED | flag::RCODE;
        self.flags & plain == flag::RESPONSE
    }
}

/// What is asked, by a query or in a response to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, its case folded.
    pub name: Name,
    /// The type.
    pub qtype: u16,
}

impl Question {
    /// Whether the answer is other addresses than IPv4 ones: AAAA, SVCB or HTTPS records.
    pub fn is_bypass(&self) -> bool {
        matches!(self.qtype, TYPE_AAAA | TYPE_SVCB | TYPE_HTTPS)
    }
}

/// Longest start of a message in bytes that [`asked`] and [`answered`] look at.
pub const QUESTION_END: usize = HEADER_LEN + label::MAX_NAME_LEN + 4;

/// The question of a query; `None` if the message is none, or does not ask for a name that can be ours. Only the
/// first [`QUESTION_END`] bytes have to be there.
pub fn asked(message: &[u8]) -> Result<Option<Question>, Error> {
    question(message, Start::is_query)
}

/// The question of a plain, successful, complete answer; `None` for all others.
pub fn answered(message: &[u8]) -> Result<Option<Question>, Error> {
    question(message, Start::is_answer)
}

fn question(message: &[u8], is_one: fn(&Start) -> bool) -> Result<Option<Question>, Error> {
    let Some(start) = Start::read(message)?.filter(is_one) else {
        return Ok(None);
    };
    let name = label::name(message, HEADER_LEN)?;
    Ok(name.map(|name| Question {
        name,
        qtype: start.qtype,
    }))
}

/// What a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Transaction id.
    pub id: u16,
    /// Type that was asked for: A or ANY.
    pub qtype: u16,
    /// Name that was asked for, its case folded.
    pub name: Name,
    /// Its addresses.
    pub addresses: Addresses,
    /// Smallest TTL of its address records, in seconds.
    pub ttl: u32,
}

/// The first different addresses of an answer, in its order: at least one, at most
/// [`MAX_ADDRESSES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    len: usize,
    list: [Ipv4Addr; MAX_ADDRESSES],
}

impl Addresses {
    const EMPTY: Addresses = Addresses {
        len: 0,
        list: [Ipv4Addr::UNSPECIFIED; MAX_ADDRESSES],
    };

    /// The addresses.
    pub fn as_slice(&self) -> &[Ipv4Addr] {
        self.list.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, addr: Ipv4Addr) {
        if self.as_slice().contains(&addr) {
            return;
        }
        if let Some(place) = self.list.get_mut(self.len) {
            *place = addr;
            self.len = self.len.saturating_add(1);
        }
    }
}

/// The address records of a response, or `None` if it is not for us. See [`inspect`].
fn addresses(message: &[u8]) -> Result<Option<(Start, Found)>, Error> {
    let Some(start) = Start::read(message)? else {
        return Ok(None);
    };
    let asked = matches!(start.qtype, TYPE_A | TYPE_ANY);
    if !start.is_answer() || !asked || !label::is_name(message, HEADER_LEN)? {
        return Ok(None);
    }
    let count = field::half(message, at::ANSWERS);
    let found = answer::locate(message, start.end, count)?;
    Ok(found.map(|found| (start, found)))
}

/// Reads a response. `None` if it is none, if it was cut (TC) or failed, if its question is not for an
/// address (A or ANY, class IN) of a name that can be ours, or if it has no address of that name.
pub fn inspect(message: &[u8]) -> Result<Option<Answer>, Error> {
    let Some((start, mut found)) = addresses(message)? else {
        return Ok(None);
    };
    let mut addresses = Addresses::EMPTY;
    let mut ttl = u32::MAX;
    while let Some(record) = found.next(message)? {
        addresses.push(field::bytes::<4>(message, record.data_at).into());
        ttl = ttl.min(record.ttl);
    }
    let name = label::name(message, HEADER_LEN)?;
    Ok(name.map(|name| Answer {
        id: field::half(message, at::ID),
        qtype: start.qtype,
        name,
        addresses,
        ttl,
    }))
}

/// Makes every address that [`inspect`] has found `to`, and lowers their TTLs to `max_ttl` seconds. The
/// AD bit is cleared: what the resolver has authenticated is no longer what the message says
/// (RFC 4035, 3.2.3). Nothing else is changed, and nothing at all if there is no such address.
///
/// The edits are added to `delta`, offsets counted from the start of the message. Gives the number of
/// addresses.
pub fn rewrite(
    message: &mut [u8],
    to: Ipv4Addr,
    max_ttl: Option<u32>,
    delta: &mut Delta,
) -> Result<usize, Error> {
    let Some((start, mut found)) = addresses(message)? else {
        return Ok(0);
    };
    let mut count: usize = 0;
    // What is written is no part of what the search goes by, so the same records are found again.
    while let Some(record) = found.next(message)? {
        replace(message, record.data_at, to.octets(), delta);
        if let Some(max_ttl) = max_ttl.filter(|&max_ttl| record.ttl > max_ttl) {
            replace(message, record.ttl_at, max_ttl.to_be_bytes(), delta);
        }
        count = count.saturating_add(1);
    }
    let flags = start.flags & !flag::AUTHENTIC;
    replace(message, at::FLAGS, flags.to_be_bytes(), delta);
    Ok(count)
}

/// Takes the meaning from every AAAA, SVCB and HTTPS record in the answer section, so that no way leads
/// around the virtual address: they get a type that nobody asked for, and the question has no answer
/// (NODATA, RFC 2308, 2.2). Nothing moves. The AD bit is cleared if there was any.
///
/// The edits are added to `delta` as by [`rewrite`]. Gives the number of records. A section that cannot be read to its end
/// is left as it is.
pub fn neutralise(message: &mut [u8], delta: &mut Delta) -> Result<usize, Error> {
    let Some(start) = Start::read(message)? else {
        return Ok(0);
    };
    // The walk skips names and never follows a pointer, so it does not depend on what is written.
    let section = || answer::section(start.end, field::half(message, at::ANSWERS));
    let mut whole = section()?;
    while whole.next(message)?.is_some() {}
    let mut count: usize = 0;
    let mut cursor = section()?;
    while let Some(record) = cursor.next(message)? {
        if [TYPE_AAAA, TYPE_SVCB, TYPE_HTTPS].contains(&record.kind()) {
            replace(message, record.kind_at(), TYPE_NONE.to_be_bytes(), delta);
            count = count.saturating_add(1);
        }
    }
    if count > 0 {
        let flags = field::half(message, at::FLAGS) & !flag::AUTHENTIC;
        replace(message, at::FLAGS, flags.to_be_bytes(), delta);
    }
    Ok(count)
}

/// Writes `new` at `at` and notes what that does to a checksum.
fn replace<const N: usize>(message: &mut [u8], at: usize, new: [u8; N], delta: &mut Delta) {
    delta.replace(at, &field::bytes::<N>(message, at), &new);
    field::put(message, at, &new);
}

#[cfg(test)]
mod tests;
