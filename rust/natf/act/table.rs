// SPDX-License-Identifier: GPL-2.0

//! The entries in their order, and an index by name that finds them as fast among ten thousand as among
//! ten.
//!
//! The index is open addressing over the names: a slot leads to the first row of its name, each row to
//! the next one of the same name. What a request costs is bounded by [`MAX_OF_NAME`], twice: for the
//! name's own rows and for those of `*`.

use core::fmt::{self, Write};
use core::ops::DerefMut;

use super::problem::Problem;
use super::{Entry, Query, Subject, Which};
use crate::natf::name::NameRef;

/// Most entries of a table.
pub const MAX: usize = 10_000;

/// Most entries of one name, and of `*`.
pub const MAX_OF_NAME: usize = 64;

/// No row.
const NONE: u32 = u32::MAX;

/// A place in the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    entry: Entry,
    /// The next row of the same name.
    next: u32,
    /// Bytes of the line that shows the entry, with its newline.
    len: u16,
    /// Taken out; the row goes with the next [`Table::tidy`].
    gone: bool,
}

impl Row {
    /// For storage that is not used yet.
    pub const BLANK: Row = Row {
        entry: Entry::BLANK,
        next: NONE,
        len: 0,
        gone: false,
    };

    fn set(&mut self, entry: Entry) {
        let mut line = Length(0);
        // It never fails.
        let _ = writeln!(line, "{entry}");
        self.len = line.0;
        self.entry = entry;
    }
}

/// Counts what is written to it.
struct Length(u16);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.0 = self.0.saturating_add(len);
        Ok(())
    }
}

/// A place in the index.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Hash of the name, so that other names are told apart without looking at their rows.
    hash: u32,
    /// The first row of the name.
    first: u32,
}

impl Slot {
    /// For storage that is not used yet.
    pub const EMPTY: Slot = Slot {
        hash: 0,
        first: NONE,
    };
}

/// Slots that a table of `rows` needs: a power of two, at most half of them taken, so that a search ends
/// after a few.
pub fn slots_for(rows: usize) -> usize {
    rows.saturating_mul(2).next_power_of_two()
}

/// A table in storage of the caller's. There must be [`slots_for`] the rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Table<R, S> {
    rows: R,
    slots: S,
    /// Rows in use, the others are behind them.
    used: usize,
    /// Of these, the ones that are gone.
    gone: usize,
}

impl<R: DerefMut<Target = [Row]>, S: DerefMut<Target = [Slot]>> Table<R, S> {
    /// A table of the first `used` of `rows`.
    pub fn new(rows: R, used: usize, slots: S) -> Self {
        let used = used.min(rows.len());
        let mut table = Table {
            rows,
            slots,
            used,
            gone: 0,
        };
        table.index();
        table
    }

    /// The storage, to make it longer. With other slots than before, [`Table::index`] comes next.
    pub fn storage(&mut self) -> (&mut R, &mut S) {
        (&mut self.rows, &mut self.slots)
    }

    /// Whether [`Table::add`] needs longer storage first.
    pub fn needs_room(&self) -> bool {
        self.used >= self.rows.len()
    }

    /// The rows in use, for a copy. [`Table::tidy`] comes first.
    pub fn rows(&self) -> &[Row] {
        self.rows.get(..self.used).unwrap_or_default()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.used == self.gone
    }

    /// The entries in their order, with the lengths in bytes of the lines that show them, newline included:
    /// who reads from the middle need not write what comes before.
    pub fn lines(&self) -> impl Iterator<Item = (&Entry, usize)> {
        let rows = self.rows().iter().filter(|row| !row.gone);
        rows.map(|row| (&row.entry, usize::from(row.len)))
    }

    /// The first entry that the request matches. An entry whose time is over matches nothing.
    pub fn lookup(&self, query: &Query<'_>) -> Option<&Entry> {
        let wanted = |row: &&(usize, &Row)| {
            let entry = &row.1.entry;
            !row.1.gone
                && entry.covers(query.protocol, query.port, query.en)
                && entry.admits(query.key)
                && !entry.is_over(query.now)
        };
        let key = query.name.as_bytes();
        let named = self
            .rows_of(key, query.name.fnv1a())
            .find(|row| wanted(&row));
        let before = named.map_or(usize::MAX, |(at, _)| at);
        let any = Subject::Any;
        self.rows_of(any.key(), hash(&any))
            .take_while(|(at, _)| *at < before)
            .find(|row| wanted(&row))
            .or(named)
            .map(|(_, row)| &row.entry)
    }

    /// Adds an entry, at the end or in the place of the one that is about the same requests.
    pub fn add(&mut self, entry: Entry) -> Result<(), Problem> {
        let hash = hash(&entry.subject);
        let mut last = None;
        let mut count: usize = 0;
        let mut same = None;
        for (at, row) in self.rows_of(entry.subject.key(), hash) {
            last = Some(at);
            if !row.gone {
                count = count.saturating_add(1);
                same = same.or(row.entry.is_about_the_same(&entry).then_some(at));
            }
        }
        if let Some(row) = same.and_then(|at| self.rows.get_mut(at)) {
            row.set(entry);
            return Ok(());
        }
        if count >= MAX_OF_NAME {
            return Err(Problem::FullName);
        }
        if self.used.saturating_sub(self.gone) >= MAX {
            return Err(Problem::Full);
        }
        let at = u32::try_from(self.used).map_err(|_| Problem::Full)?;
        let slot = self.slot_of(entry.subject.key(), hash);
        let row = self.rows.get_mut(self.used).ok_or(Problem::NoMemory)?;
        *row = Row::BLANK;
        row.set(entry);
        match last.and_then(|last| self.rows.get_mut(last)) {
            Some(last) => last.next = at,
            None => {
                let slot = slot.and_then(|slot| self.slots.get_mut(slot));
                *slot.ok_or(Problem::NoMemory)? = Slot { hash, first: at };
            }
        }
        self.used = self.used.saturating_add(1);
        Ok(())
    }

    /// Takes entries out; each is shown to `removed`.
    pub fn del(&mut self, which: &Which, mut removed: impl FnMut(&Entry)) -> Result<(), Problem> {
        let subject = match which {
            Which::All(subject) => subject,
            Which::One(entry) => &entry.subject,
        };
        let before = self.gone;
        let mut next = self.first_of(subject.key(), hash(subject));
        while let Some(row) = index(next).and_then(|at| self.rows.get_mut(at)) {
            next = row.next;
            let meant = match which {
                Which::All(_) => true,
                Which::One(entry) => row.entry == *entry,
            };
            if meant && !row.gone {
                row.gone = true;
                self.gone = self.gone.saturating_add(1);
                removed(&row.entry);
            }
        }
        match self.gone == before {
            true => Err(Problem::NotThere),
            false => Ok(()),
        }
    }

    /// Takes all entries out.
    pub fn clear(&mut self) {
        self.slots.fill(Slot::EMPTY);
        self.used = 0;
        self.gone = 0;
    }

    /// Takes out the entries whose time is over at `now`, in seconds since 1970.
    pub fn expire(&mut self, now: u64) {
        for row in self.rows.iter_mut().take(self.used) {
            if row.entry.is_over(now) && !row.gone {
                row.gone = true;
                self.gone = self.gone.saturating_add(1);
            }
        }
    }

    /// Closes the gaps that taken entries left.
    pub fn tidy(&mut self) {
        if self.gone == 0 {
            return;
        }
        let mut kept = 0;
        for at in 0..self.used {
            if self.rows.get(at).is_some_and(|row| !row.gone) {
                self.rows.swap(at, kept);
                kept = kept.saturating_add(1);
            }
        }
        self.used = kept;
        self.gone = 0;
        self.index();
    }

    /// Makes the index anew.
    pub fn index(&mut self) {
        self.slots.fill(Slot::EMPTY);
        // From the end, so that each row becomes the first of its name.
        for at in (0..self.used).rev() {
            let Some(row) = self.rows.get(at) else { return };
            let hash = hash(&row.entry.subject);
            let slot = self.slot_of(row.entry.subject.key(), hash);
            let slot = slot.and_then(|slot| self.slots.get_mut(slot));
            if let (Some(slot), Some(row)) = (slot, self.rows.get_mut(at)) {
                row.next = slot.first;
                *slot = Slot {
                    hash,
                    first: u32::try_from(at).unwrap_or(NONE),
                };
            }
        }
    }

    /// The slot of a name, or an empty one for it. `None`: the storage is too short.
    fn slot_of(&self, key: &[u8], hash: u32) -> Option<usize> {
        // A power of two.
        let mask = self.slots.len().checked_sub(1)?;
        let start = usize::try_from(hash).ok()?;
        (0..self.slots.len())
            .map(|step| start.wrapping_add(step) & mask)
            .find(|&at| match self.slots.get(at) {
                Some(slot) if slot.first == NONE => true,
                Some(slot) if slot.hash == hash => self
                    .row(slot.first)
                    .is_some_and(|row| row.entry.subject.key() == key),
                _ => false,
            })
    }

    fn first_of(&self, key: &[u8], hash: u32) -> u32 {
        let slot = self.slot_of(key, hash).and_then(|at| self.slots.get(at));
        slot.map_or(NONE, |slot| slot.first)
    }

    fn row(&self, at: u32) -> Option<&Row> {
        self.rows.get(index(at)?)
    }

    /// The rows of a name with their places, in their order.
    fn rows_of(&self, key: &[u8], hash: u32) -> impl Iterator<Item = (usize, &Row)> {
        let mut next = self.first_of(key, hash);
        core::iter::from_fn(move || {
            let at = index(next)?;
            let row = self.rows.get(at)?;
            next = row.next;
            Some((at, row))
        })
    }
}

fn index(at: u32) -> Option<usize> {
    usize::try_from(at).ok().filter(|_| at != NONE)
}

/// Not keyed: the names in the table are those that its owner put there, and searching for others stops
/// at the first empty slot.
fn hash(subject: &Subject) -> u32 {
    match subject {
        Subject::Any => 0,
        Subject::Name(name) => NameRef::fnv1a(&name.view()),
    }
}

#[cfg(test)]
mod tests;
