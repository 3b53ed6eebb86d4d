// SPDX-License-Identifier: GPL-2.0

//! The option EARLY: more than one option holds, so it is several in a row.

use crate::natf::wire::control::{options, Malformed, NoRoom};
use crate::natf::wire::field;

/// Most bytes of one option's value.
const PIECE: usize = 255;

/// What EARLY carries, as it lies in a message: options of its kind, back to back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Early<'a>(&'a [u8]);

impl<'a> Early<'a> {
    /// Length in bytes of the options that hold `len` bytes.
    pub const fn packed_len(len: usize) -> usize {
        len.saturating_add(len.div_ceil(PIECE).saturating_mul(options::HEADER_LEN))
    }

    /// Puts `data` into options at the start of `run`. Fails if it has no room for them.
    pub fn pack(data: &[u8], run: &'a mut [u8]) -> Result<Self, NoRoom> {
        let run = run.get_mut(..Self::packed_len(data.len())).ok_or(NoRoom)?;
        let mut at = 0_usize;
        for piece in data.chunks(PIECE) {
            options::put(run, at, options::EARLY, piece);
            at = at
                .saturating_add(options::HEADER_LEN)
                .saturating_add(piece.len());
        }
        Ok(Early(run))
    }

    /// What [`pack`](Self::pack) has written.
    pub fn packed(run: &'a [u8]) -> Self {
        Early(run)
    }

    /// As it lies in a message.
    pub(super) fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The values of its options.
    fn pieces(&self) -> impl Iterator<Item = &'a [u8]> {
        options::Options::new(self.0)
            .map_while(Result::ok)
            .map(|(_, value)| value)
    }

    /// Length of what it carries, in bytes.
    pub fn len(&self) -> usize {
        self.pieces()
            .fold(0, |sum, piece| sum.saturating_add(piece.len()))
    }

    /// Whether it carries nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes what it carries to the start of `out`. Fails if there is no room.
    pub fn join(&self, out: &mut [u8]) -> Result<(), NoRoom> {
        if out.len() < self.len() {
            return Err(NoRoom);
        }
        let mut at = 0_usize;
        for piece in self.pieces() {
            field::put(out, at, piece);
            at = at.saturating_add(piece.len());
        }
        Ok(())
    }
}

/// Finds EARLY among the options of a message.
#[derive(Default)]
pub(super) struct Finder<'a> {
    /// All options from the first EARLY on.
    from: Option<&'a [u8]>,
    /// Length of those of EARLY.
    len: usize,
    /// Whether another one has followed.
    over: bool,
}

impl<'a> Finder<'a> {
    /// The next option: its kind, the length of its value, and the options from it on.
    pub(super) fn sees(
        &mut self,
        kind: u8,
        len: usize,
        from_here: &'a [u8],
    ) -> Result<(), Malformed> {
        match (kind == options::EARLY, self.over) {
            (true, true) => return Err(Malformed::Early),
            (true, false) => {
                self.from.get_or_insert(from_here);
                let option = options::HEADER_LEN.saturating_add(len);
                self.len = self.len.saturating_add(option);
            }
            (false, _) => self.over = self.from.is_some(),
        }
        Ok(())
    }

    /// What was found.
    pub(super) fn found(&self) -> Option<Early<'a>> {
        self.from?.get(..self.len).map(Early)
    }
}
