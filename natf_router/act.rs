// SPDX-License-Identifier: GPL-2.0

//! The access control table of one network namespace. `docs/act.md` is what a person sees of it.

use core::fmt::{self, Write};

use kernel::prelude::*;

use crate::guard;
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::sysfs::Text;
use crate::natf::act::{slots_for, Row, Slot, Table};
use crate::router::Router;

mod writers;

pub(crate) use writers::{show_error, store, Writers};

/// The table in kernel memory.
pub(crate) type Act = Table<KVVec<Row>, KVVec<Slot>>;

/// Rows by which a table grows at a time.
const ROOM: usize = 128;

/// A table without entries.
pub(crate) fn empty() -> Act {
    Table::new(KVVec::new(), 0, KVVec::new())
}

/// A copy with `room` for more.
fn copy(act: &Act, room: usize) -> Result<Act> {
    let used = act.rows().len();
    let mut rows = KVVec::with_capacity(used.saturating_add(room), GFP_KERNEL)?;
    rows.extend_from_slice(act.rows(), GFP_KERNEL)?;
    rows.extend_with(room, Row::BLANK, GFP_KERNEL)?;
    let slots = KVVec::from_elem(Slot::EMPTY, slots_for(rows.len()), GFP_KERNEL)?;
    Ok(Table::new(rows, used, slots))
}

/// Makes the storage longer.
fn grow(act: &mut Act) -> Result {
    let (rows, slots) = act.storage();
    rows.extend_with(ROOM, Row::BLANK, GFP_KERNEL)?;
    let wanted = slots_for(rows.len());
    if slots.len() < wanted {
        *slots = KVVec::from_elem(Slot::EMPTY, wanted, GFP_KERNEL)?;
        act.index();
    }
    Ok(())
}

/// Has requests judged by `next` from now on. Entries whose time is over are forgotten. May sleep.
fn publish(ns: &Netns<Router>, mut next: Act, now: u64) -> Result {
    guard::of(ns)?;
    next.expire(now);
    next.tidy();
    ns.act.update(|_| Ok(next))
}

/// Writes the entries, in their order. Those whose time is over are not shown.
pub(crate) fn show(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let now = clock::wall_s();
    ns.act
        .get()
        .lines()
        .filter(|(entry, _)| !entry.is_over(now))
        .try_for_each(|(entry, len)| match out.skip(len) {
            true => Ok(()),
            false => writeln!(out, "{entry}"),
        })
}
