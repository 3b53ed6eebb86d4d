// SPDX-License-Identifier: GPL-2.0

//! The address records of an answer that belong to its question.

use crate::natf::wire::dns::label;
use crate::natf::wire::dns::{Error, CLASS_IN, HEADER_LEN, TYPE_A, TYPE_CNAME};

/// Most records in an answer section that we look through. It is the number of bits of the set in
/// [`Found`]; four times as many addresses do not fit into the usual 1232 bytes.
const MAX_RECORDS: u16 = 128;

/// Most names on a chain of CNAMEs, the question included. Resolvers follow eleven CNAMEs.
const MAX_CHAIN: usize = 12;

/// Where the fields of a resource record are (RFC 1035, 3.2.1).
pub(super) struct Record {
    /// Its place in the section.
    index: u32,
    /// Offset of the name that it is about.
    owner: usize,
    kind: u16,
    class: u16,
    /// Offset of the TTL.
    pub(super) ttl_at: usize,
    /// TTL in seconds.
    pub(super) ttl: u32,
    /// Offset of the data.
    pub(super) data_at: usize,
    /// Length of the data in bytes, all of it inside the message.
    data_len: usize,
}

impl Record {
    /// Its type.
    pub(super) fn kind(&self) -> u16 {
        self.kind
    }

    /// Offset of its type: type and class stand before the TTL.
    pub(super) fn kind_at(&self) -> usize {
        self.ttl_at.saturating_sub(4)
    }

    fn is(&self, kind: u16) -> bool {
        self.class == CLASS_IN && self.kind == kind
    }
}

/// Walks through a section. It holds no borrow, so the message can be changed on the way.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    at: usize,
    index: u32,
    left: u16,
}

impl Cursor {
    pub(super) fn next(&mut self, message: &[u8]) -> Result<Option<Record>, Error> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        let owner = self.at;
        let fixed_at = label::skip(message, owner)?;
        let [k0, k1, c0, c1, t0, t1, t2, t3, l0, l1] = *message
            .get(fixed_at..)
            .and_then(|tail| tail.first_chunk::<10>())
            .ok_or(Error::Truncated)?;
        let data_at = fixed_at.saturating_add(10);
        let data_len = usize::from(u16::from_be_bytes([l0, l1]));
        let end = data_at.saturating_add(data_len);
        if end > message.len() {
            return Err(Error::Truncated);
        }
        let record = Record {
            index: self.index,
            owner,
            kind: u16::from_be_bytes([k0, k1]),
            class: u16::from_be_bytes([c0, c1]),
            ttl_at: fixed_at.saturating_add(4),
            // A TTL with the highest bit set counts as 0 (RFC 2181, 8).
            ttl: match u32::from_be_bytes([t0, t1, t2, t3]) {
                ttl @ 0..0x8000_0000 => ttl,
                _ => 0,
            },
            data_at,
            data_len,
        };
        *self = Cursor {
            at: end,
            index: self.index.saturating_add(1),
            left,
        };
        Ok(Some(record))
    }
}

/// The names that the question stands for: itself, and the targets of CNAMEs. They are offsets into
/// the message.
struct Chain {
    len: usize,
    names: [usize; MAX_CHAIN],
}

impl Chain {
    /// Follows the CNAMEs of the section from the question on. A server may have put them in any order,
    /// and a hostile one in a circle: each name is taken in once.
    fn follow(message: &[u8], section: Cursor) -> Result<Self, Error> {
        let mut chain = Chain {
            len: 0,
            names: [0; MAX_CHAIN],
        };
        chain.push(HEADER_LEN)?;
        let mut done: usize = 0;
        while let Some(&name) = chain.names().get(done) {
            let mut cursor = section;
            while let Some(record) = cursor.next(message)? {
                if record.is(TYPE_CNAME)
                    && label::same(message, name, record.owner)?
                    && !chain.contains(message, record.data_at)?
                {
                    chain.push(record.data_at)?;
                }
            }
            done = done.saturating_add(1);
        }
        Ok(chain)
    }

    fn names(&self) -> &[usize] {
        self.names.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, name: usize) -> Result<(), Error> {
        *self.names.get_mut(self.len).ok_or(Error::TooMany)? = name;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    fn contains(&self, message: &[u8], name: usize) -> Result<bool, Error> {
        for &member in self.names() {
            if label::same(message, member, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The A records that answer the question, one or more, as an iterator that borrows nothing.
///
/// Which they are was settled when it was made and is kept as a set of places. A hostile message can
/// have names that point into the very bytes that are being rewritten; it cannot change the set.
pub(super) struct Found {
    cursor: Cursor,
    set: u128,
}

impl Found {
    /// The next of the records.
    pub(super) fn next(&mut self, message: &[u8]) -> Result<Option<Record>, Error> {
        while let Some(record) = self.cursor.next(message)? {
            if self.set & bit(&record) != 0 {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

/// The bit of a record in the set.
fn bit(record: &Record) -> u128 {
    1u128.checked_shl(record.index).unwrap_or(0)
}

/// The section of `count` records at `at`, from its start.
pub(super) fn section(at: usize, count: u16) -> Result<Cursor, Error> {
    if count > MAX_RECORDS {
        return Err(Error::TooMany);
    }
    Ok(Cursor {
        at,
        index: 0,
        left: count,
    })
}

/// Finds the A records that answer the question in the section of `count` records at `at`. `None` if
/// there are none.
pub(super) fn locate(message: &[u8], at: usize, count: u16) -> Result<Option<Found>, Error> {
    let section = section(at, count)?;
    let chain = Chain::follow(message, section)?;
    let mut set = 0;
    let mut cursor = section;
    while let Some(record) = cursor.next(message)? {
        if record.is(TYPE_A) && chain.contains(message, record.owner)? {
            if record.data_len != 4 {
                return Err(Error::Address);
            }
            set |= bit(&record);
        }
    }
    let found = Found {
        cursor: section,
        set,
    };
    Ok((set != 0).then_some(found))
}
