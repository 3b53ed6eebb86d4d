// SPDX-License-Identifier: GPL-2.0

//! Packets that wait: for the end of a negotiation, or for their sender to be told.

use crate::flow::Answer;
use crate::linux::skb::Skb;

/// Packets that one flow may hold.
const PER_FLOW: usize = 16;

/// What the packets that all flows of a namespace hold may weigh together, those that opened their flows not counted
/// among them; with these it may be twice as much.
pub(crate) const PER_NAMESPACE: u32 = 4096;

/// What a packet weighs: 1, and 1 for every 2 KiB. A packet of a host behind this one counts against no socket, and
/// may have 64 KiB.
pub(crate) fn weight(skb: &Skb) -> u32 {
    u32::try_from(skb.len() / 2048).map_or(u32::MAX, |more| more.saturating_add(1))
}

/// Packets whose senders may wait to be told.
pub(crate) const ANSWERS: usize = 64;

/// A queue of fixed size; first in, first out.
pub(crate) struct Queue<T, const N: usize> {
    slots: [Option<T>; N],
    first: usize,
    len: usize,
}

/// Packets of one flow, in order.
pub(crate) type Held = Queue<Skb, PER_FLOW>;

/// Packets that are answered instead of sent.
pub(crate) type Answers = Queue<(Skb, Answer), ANSWERS>;

impl<T, const N: usize> Queue<T, N> {
    /// An empty queue.
    pub(crate) const fn new() -> Self {
        Self {
            slots: [const { None }; N],
            first: 0,
            len: 0,
        }
    }

    /// Appends; gives the item back if there is no room.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if self.len >= N {
            return Err(item);
        }
        let at = self.first.wrapping_add(self.len) % N;
        match self.slots.get_mut(at) {
            Some(slot) => *slot = Some(item),
            None => return Err(item),
        }
        self.len = self.len.wrapping_add(1);
        Ok(())
    }

    /// Whether nothing can be appended.
    pub(crate) fn is_full(&self) -> bool {
        self.len >= N
    }

    /// All of them, in any order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.slots.get_mut(self.first)?.take()?;
        self.first = self.first.wrapping_add(1) % N;
        self.len = self.len.wrapping_sub(1);
        Some(item)
    }
}
