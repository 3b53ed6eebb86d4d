// SPDX-License-Identifier: GPL-2.0

//! `begin` … `commit`: a new table that takes the place of the present one at once.
//!
//! A file of ten thousand lines comes in many writes of a page each, and there is no "close" that could
//! be noticed. So a transaction belongs to an open file, known by its address and by how far it was
//! written: an open file begins at 0 and goes on where it stopped, so one that is opened later at the same
//! address is not mistaken for it.

/// How long others wait for a transaction without new lines, in milliseconds.
pub const PATIENCE_MS: u64 = 10_000;

/// Where a write begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which open file: unique while it is open.
    pub file: usize,
    /// Bytes that were written through it before.
    pub offset: u64,
}

/// What a writer has of its own.
#[derive(Debug, PartialEq, Eq)]
pub enum Mine<T> {
    /// No transaction: its lines change the present table.
    Nothing,
    /// The new table of its transaction.
    Open(T),
    /// A transaction that can only be ended.
    Broken,
}

/// Broken transactions whose owners are remembered, so that their lines do not become ordinary ones.
const BROKEN_MAX: usize = 4;

#[derive(Debug)]
struct Owned<T> {
    /// Where the owner's next write will begin.
    by: Place,
    /// When the last one came, in milliseconds.
    touched: u64,
    table: T,
}

/// The transaction of a network namespace: one at a time.
#[derive(Debug)]
pub struct Staging<T> {
    open: Option<Owned<T>>,
    /// The latest first.
    broken: [Option<Place>; BROKEN_MAX],
}

impl<T> Staging<T> {
    /// No transaction.
    pub const fn new() -> Self {
        Staging {
            open: None,
            broken: [None; BROKEN_MAX],
        }
    }

    /// Takes what the writer at `by` has. `None`: somebody else's transaction is under way.
    pub fn take(&mut self, by: Place, now: u64) -> Option<Mine<T>> {
        // A file that is written at another place than it had come to was closed and opened again.
        let reopened = |place: &Place| place.file == by.file && place.offset != by.offset;
        for place in &mut self.broken {
            *place = place.filter(|place| !reopened(place));
        }
        match self.open.take().filter(|open| !reopened(&open.by)) {
            Some(open) if open.by == by => return Some(Mine::Open(open.table)),
            Some(open) if now.saturating_sub(open.touched) < PATIENCE_MS => {
                self.open = Some(open);
                return None;
            }
            Some(open) => self.remember(open.by),
            None => {}
        }
        match self.broken.iter_mut().find(|place| **place == Some(by)) {
            Some(place) => {
                *place = None;
                Some(Mine::Broken)
            }
            None => Some(Mine::Nothing),
        }
    }

    /// Keeps what the writer has until its next write, which will begin at `by`.
    pub fn put(&mut self, by: Place, now: u64, mine: Mine<T>) {
        match mine {
            Mine::Nothing => {}
            Mine::Broken => self.remember(by),
            Mine::Open(table) => {
                self.open = Some(Owned {
                    by,
                    touched: now,
                    table,
                });
            }
        }
    }

    fn remember(&mut self, broken: Place) {
        self.broken.rotate_right(1);
        if let Some(first) = self.broken.first_mut() {
            *first = Some(broken);
        }
    }
}

impl<T> Default for Staging<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: usize, offset: u64) -> Place {
        Place { file, offset }
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let mut staging = Staging::new();
        assert_eq!(staging.take(at(1, 0), 0), Some(Mine::Nothing));
        staging.put(at(1, 6), 0, Mine::Open('a'));
        assert_eq!(staging.take(at(1, 6), 1_000_000), Some(Mine::Open('a')));
        // Committed: the next write of the same file is an ordinary one.
        staging.put(at(1, 9), 0, Mine::Nothing);
        assert_eq!(staging.take(at(1, 9), 0), Some(Mine::Nothing));
    }

    #[test]
    fn others_wait_for_it() {
        let mut staging = Staging::new();
        staging.put(at(1, 6), 0, Mine::Open('a'));
        assert_eq!(staging.take(at(2, 0), 9_999), None);
        assert_eq!(staging.take(at(2, 6), 9_999), None);
        assert_eq!(staging.take(at(1, 6), 9_999), Some(Mine::Open('a')));
        staging.put(at(1, 7), 9_999, Mine::Open('b'));
        assert_eq!(staging.take(at(2, 0), 19_998), None);
        assert_eq!(staging.take(at(2, 0), 19_999), Some(Mine::Nothing));
        // Too late: what it had is gone, and it knows.
        assert_eq!(staging.take(at(1, 7), 20_000), Some(Mine::Broken));
    }

    #[test]
    fn who_gave_way_knows() {
        let mut staging = Staging::new();
        staging.put(at(1, 6), 0, Mine::Open('a'));
        assert_eq!(staging.take(at(2, 0), 10_000), Some(Mine::Nothing));
        staging.put(at(2, 6), 10_000, Mine::Open('b'));
        // It may not even begin anew before the other is through.
        assert_eq!(staging.take(at(1, 6), 10_001), None);
        assert_eq!(staging.take(at(2, 6), 10_002), Some(Mine::Open('b')));
        assert_eq!(staging.take(at(1, 6), 10_003), Some(Mine::Broken));
    }

    #[test]
    fn a_broken_one_keeps_nobody_waiting() {
        let mut staging: Staging<char> = Staging::new();
        for file in 1..=4 {
            staging.put(at(file, 6), 0, Mine::Broken);
        }
        assert_eq!(staging.take(at(9, 0), 0), Some(Mine::Nothing));
        for file in 1..=4 {
            assert_eq!(staging.take(at(file, 6), 0), Some(Mine::Broken));
            assert_eq!(staging.take(at(file, 6), 0), Some(Mine::Nothing));
        }
    }

    #[test]
    fn a_file_opened_at_the_same_address_is_another_one() {
        let mut staging = Staging::new();
        staging.put(at(1, 6), 0, Mine::Open('a'));
        assert_eq!(staging.take(at(1, 0), 0), Some(Mine::Nothing));
        assert_eq!(staging.take(at(1, 6), 0), Some(Mine::Nothing));
        staging.put(at(1, 6), 0, Mine::Broken);
        assert_eq!(staging.take(at(1, 0), 0), Some(Mine::Nothing));
        assert_eq!(staging.take(at(1, 6), 0), Some(Mine::Nothing));
    }
}
