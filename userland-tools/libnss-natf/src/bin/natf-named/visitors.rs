// SPDX-License-Identifier: GPL-2.0

//! How many may ask at a time: all together, and of one user, so that no user takes the places of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Connections at a time.
const ALL_MAX: usize = 256;
/// Of those, of one user.
const USER_MAX: usize = 16;

/// Who is there, by user.
#[derive(Debug, Default)]
pub(crate) struct Visitors(Mutex<HashMap<u32, usize>>);

/// A place, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    user: u32,
    visitors: Arc<Visitors>,
}

impl Visitors {
    /// A place for `user`, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, user: u32) -> Option<Visit> {
        let mut there = self.there();
        let all: usize = there.values().sum();
        let own = there.entry(user).or_default();
        if all >= ALL_MAX || *own >= USER_MAX {
            // Who is none of them has an entry only while this looks.
            if *own == 0 {
                there.remove(&user);
            }
            return None;
        }
        *own = own.saturating_add(1);
        Some(Visit {
            user,
            visitors: self.clone(),
        })
    }

    fn there(&self) -> MutexGuard<'_, HashMap<u32, usize>> {
        // A count is changed in one step, so a thread that panicked has not left half of one.
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut there = self.visitors.there();
        if let Some(own) = there.get_mut(&self.user) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                there.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_takes_the_places_of_others() {
        let visitors = Arc::new(Visitors::default());
        let mut visits: Vec<_> = (0..USER_MAX)
            .map(|_| visitors.enter(1000).unwrap())
            .collect();
        assert!(visitors.enter(1000).is_none());
        assert!(visitors.enter(1001).is_some());
        visits.pop();
        assert!(visitors.enter(1000).is_some());
    }

    #[test]
    fn all_together_have_a_bound_and_leave_nothing() {
        let visitors = Arc::new(Visitors::default());
        let users = 0..u32::try_from(ALL_MAX).unwrap();
        let visits: Vec<_> = users.map(|user| visitors.enter(user).unwrap()).collect();
        assert!(visitors.enter(100_000).is_none());
        assert_eq!(visitors.there().len(), ALL_MAX);
        drop(visits);
        assert!(visitors.there().is_empty());
    }
}
