// SPDX-License-Identifier: GPL-2.0

//! Room in a table, at the cost of what has been unused for longest.

use core::ops::ControlFlow;

use kernel::prelude::*;

use super::shared::{Counted, Shared};
use super::table::{Linked, Table};

/// Objects that are compared at a time, at most; of more, those that are met first.
const COMPARED: usize = 65_536;

/// Whether a table is so full that room should be made.
pub(crate) fn is_tight<T: Linked<N>, const N: usize>(table: &Table<T, N>) -> bool {
    let max = table.max();
    table.len() >= max.saturating_sub(max / 8)
}

/// Calls `out` with the objects of a tight table, the ones first that were used the longest time ago, until a
/// quarter of it is free. `used` tells when that was, on any clock, and `None` of what has to stay. What was used
/// since `fresh` stays, too, as long as it is not a flood: half a table of what could go. Process context, may sleep;
/// the functions must not.
///
/// # Errors
///
/// `ENOMEM`, before anything was done.
pub(crate) fn make_room<T: Linked<N>, const N: usize>(
    table: &Table<T, N>,
    fresh: u64,
    mut used: impl FnMut(&Counted<T>) -> Option<u64>,
    mut out: impl FnMut(&Counted<T>),
) -> Result {
    if !is_tight(table) {
        return Ok(());
    }
    let keep = table.max().saturating_sub(table.max() / 4);
    let room = usize::try_from(table.len()).map_or(COMPARED, |len| len.min(COMPARED));
    let mut found: KVVec<(u64, Shared<T>)> = KVVec::with_capacity(room, GFP_KERNEL)?;
    table.walk(|object| {
        if let Some(found_one) = used(object).and_then(|used| Some((used, object.share()?))) {
            if found.push_within_capacity(found_one).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    found.sort_unstable_by_key(|(used, _)| *used);
    let half = usize::try_from(table.max() / 2).unwrap_or(usize::MAX);
    let flood = found.len() >= half.min(COMPARED);
    for (used, object) in found.iter() {
        if table.len() <= keep || (*used >= fresh && !flood) {
            break;
        }
        out(object);
    }
    Ok(())
}
