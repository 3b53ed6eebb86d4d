// SPDX-License-Identifier: GPL-2.0

//! A short list with its own buffer of fixed size, for table entries.

use core::fmt;

/// At most `N` items, in the order they were pushed.
#[derive(Clone, Copy)]
pub struct List<T, const N: usize> {
    len: u8,
    items: [T; N],
}

impl<T: Copy, const N: usize> List<T, N> {
    /// An empty list; the buffer is filled with `filler`.
    pub const fn new(filler: T) -> Self {
        const { assert!(N <= u8::MAX as usize) };
        List {
            len: 0,
            items: [filler; N],
        }
    }

    /// Appends an item. `None`: no room, and nothing changed.
    pub fn push(&mut self, item: T) -> Option<()> {
        *self.items.get_mut(usize::from(self.len))? = item;
        self.len = self.len.saturating_add(1);
        Some(())
    }

    /// The items.
    pub fn as_slice(&self) -> &[T] {
        self.items.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl<T: Copy + PartialEq, const N: usize> PartialEq for List<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Copy + Eq, const N: usize> Eq for List<T, N> {}

impl<T: Copy + fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut list: List<u8, 2> = List::new(0);
        assert!(list.push(7).is_some() && list.push(8).is_some());
        let before = list;
        assert!(list.push(9).is_none());
        assert_eq!(list, before);
        assert_eq!(list.as_slice(), [7, 8]);
        assert_ne!(list, List::new(7));
    }
}
