// SPDX-License-Identifier: GPL-2.0

//! /sys/kernel/natf_router: what a person sets and sees.

use core::fmt::{self, Write};

use kernel::prelude::*;

use crate::act;
use crate::early;
use crate::guard;
use crate::linux::netns::Netns;
use crate::linux::sysfs::{File, Text};
use crate::mappings;
use crate::natf::act::MAX as ACT_MAX;
use crate::router::{Router, PENDING_MAX};

/// The files.
pub(crate) const FILES: &[File<Router>] = &[
    File {
        name: c"act",
        private: false,
        show: act::show,
        store: Some(act::store),
    },
    File {
        name: c"act_error",
        private: false,
        show: act::show_error,
        store: None,
    },
    File {
        name: c"limits",
        private: false,
        show: guard::show,
        store: Some(|ns, written| written.whole(guard::store(ns, written.lines))),
    },
    File {
        name: c"keys",
        private: true,
        show: |ns, out| ns.keys.show(out),
        store: Some(|ns, written| written.whole(ns.keys.store(written.lines))),
    },
    File {
        name: c"early",
        private: false,
        show: |ns, out| writeln!(out, "{}", ns.early),
        store: Some(|ns, written| written.whole(ns.early.set(written.lines).ok_or(EINVAL))),
    },
    File {
        name: c"mappings",
        private: false,
        show: mappings::show,
        store: None,
    },
    File {
        name: c"tables",
        private: false,
        show: show_tables,
        store: None,
    },
    File {
        name: c"stats",
        private: false,
        show: |ns, out| write!(out, "{}", ns.counters),
        store: None,
    },
    File {
        name: c"timings",
        private: false,
        show: |ns, out| ns.timings.show(out),
        store: Some(|ns, written| ns.timings.store(written.lines)),
    },
];

/// A line each: name, how much of it is used, how much there is, explanation.
fn show_tables(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    let entries = ns.act.get().rows().len();
    writeln!(
        out,
        "act {entries} {ACT_MAX} entries of the access control table"
    )?;
    let (pending, mappings) = (ns.pending.len(), ns.mappings.len());
    writeln!(
        out,
        "pending {pending} {PENDING_MAX} requests whose pseudo-packet is on its way"
    )?;
    writeln!(
        out,
        "mappings {mappings} {} mappings that are remembered",
        mappings::MAX
    )?;
    writeln!(
        out,
        "delivered {} {} requests whose first packet was delivered a moment ago",
        ns.delivered.len(),
        early::DELIVERED_MAX
    )
}
