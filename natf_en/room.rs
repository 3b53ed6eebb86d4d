// SPDX-License-Identifier: GPL-2.0

//! Bounds of the tables, and who gives way when one is nearly full: what nobody uses, the longest unused first.
//! Names, and with them flows, come from answers of DNS servers, who may want them full.

use core::fmt::{self, Write};

use kernel::prelude::*;

use crate::endpoint::Endpoint;
use crate::linux::evict::{is_tight, make_room};
use crate::linux::netns::Netns;
use crate::linux::sysfs::Text;
use crate::linux::table::{Linked, Table};
use crate::natf::counters::En;
use crate::natf::line;
use crate::{flow, names, tick};

/// Least that a table may be told to hold.
const LEAST: u32 = 16;

/// For so long nobody has to give way to a negotiation that comes after, in milliseconds: most answers come
/// sooner.
const PATIENCE_MS: u64 = 500;

/// What was used so recently does not give way, in milliseconds: an answer may be on its way, an application about to
/// connect.
const FRESH_MS: u64 = 3000;

/// Pause until a table that has grown is looked at, in milliseconds.
pub(crate) fn pause<T: Linked<N>, const N: usize>(table: &Table<T, N>) -> u32 {
    match is_tight(table) {
        true => 10,
        false => tick::SWEEP_MS,
    }
}

/// Makes room in all tables but that of the flows. Process context.
pub(crate) fn make(ns: &Netns<Endpoint>, now: u64) {
    let names = make_room(
        &ns.nrt,
        now.saturating_sub(FRESH_MS),
        |entry| entry.unused_since(),
        |entry| {
            let alive = entry.is_alive(now);
            if names::evict(ns, entry, now).is_ok() && ns.nrt.remove(entry) && alive {
                ns.counters.bump(En::NamesEvicted);
            }
        },
    );
    let queries = make_room(
        &ns.queries,
        u64::MAX,
        |query| Some(query.until),
        |query| {
            if ns.queries.remove(query) {
                ns.counters.bump(En::QueriesEvicted);
            }
        },
    );
    let negotiations = make_room(
        &ns.negotiating,
        u64::MAX,
        |flow| {
            Some(flow.idle_ms(now))
                .filter(|idle| *idle > PATIENCE_MS)
                .map(|idle| now.saturating_sub(idle))
        },
        |flow| {
            ns.counters.bump(En::Hurried);
            tick::give_up(ns, flow);
            ns.negotiating.remove(flow);
        },
    );
    // Without memory for that there is another time.
    let _ = names.and(queries).and(negotiations);
}

/// Makes room in the table of the flows. Those that are answered stay. Process context.
pub(crate) fn make_for_flows(ns: &Netns<Endpoint>, now: u64) {
    let _later_if_there_is_no_memory = make_room(
        &ns.outgoing,
        now.saturating_sub(FRESH_MS),
        |flow| {
            flow.is_dispensable()
                .then(|| now.saturating_sub(flow.idle_ms(now)))
        },
        |flow| {
            if flow::take_out(ns, flow) {
                ns.counters.bump(En::FlowsEvicted);
            }
        },
    );
}

/// Writes the bounds.
pub(crate) fn show(ns: &Netns<Endpoint>, out: &mut Text<'_>) -> fmt::Result {
    writeln!(out, "names {}", ns.nrt.max())?;
    writeln!(out, "flows {}", ns.outgoing.max())?;
    writeln!(out, "queries {}", ns.queries.max())
}

/// Takes bounds, a line each.
///
/// # Errors
///
/// `EINVAL`: a line is none, or more than there may ever be, or too little; nothing was changed.
pub(crate) fn store(ns: &Netns<Endpoint>, lines: &[u8]) -> Result {
    let (mut names, mut flows, mut queries) = (ns.nrt.max(), ns.outgoing.max(), ns.queries.max());
    for line in lines.split(|&byte| byte == b'\n') {
        let Some((name, number)) = line::setting(line).ok_or(EINVAL)? else {
            continue;
        };
        let (bound, most) = match name {
            b"names" => (&mut names, ns.nrt.most()),
            b"flows" => (&mut flows, ns.outgoing.most()),
            b"queries" => (&mut queries, ns.queries.most()),
            _ => return Err(EINVAL),
        };
        if !(LEAST..=most).contains(&number) {
            return Err(EINVAL);
        }
        *bound = number;
    }
    ns.nrt.set_max(names);
    ns.outgoing.set_max(flows);
    ns.queries.set_max(queries);
    ns.kick(1);
    Ok(())
}
