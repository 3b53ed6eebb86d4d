// SPDX-License-Identifier: GPL-2.0

//! /sys/kernel/natf_router: what a person sets and sees.

use core::fmt::{self, Write};

use kernel::prelude::*;

use crate::linux::netns::Netns;
use crate::linux::sysfs::{File, Text};
use crate::natf::act::{Command, Entry};
use crate::natf::name::Name;
use crate::router::Router;

/// Most entries of the access control table.
const ACT_MAX: usize = 10_000;

/// The files.
pub(crate) const FILES: &[File<Router>] = &[
    File {
        name: c"act",
        show: show_act,
        store: Some(store_act),
    },
    File {
        name: c"stats",
        show: |ns, out| write!(out, "{}", ns.counters),
        store: None,
    },
];

fn show_act(ns: &Netns<Router>, out: &mut Text<'_>) -> fmt::Result {
    ns.act
        .get()
        .iter()
        .try_for_each(|entry| writeln!(out, "{entry}"))
}

fn store_act(ns: &Netns<Router>, lines: &[u8]) -> Result {
    ns.act.update(|new| {
        for line in lines.split(|&byte| byte == b'\n') {
            match Command::parse(line).map_err(|_| EINVAL)? {
                None => {}
                Some(Command::Flush) => new.clear(),
                Some(Command::Del(name)) => {
                    let at = position(new, &name).ok_or(ENOENT)?;
                    new.remove(at).map_err(|_| ENOENT)?;
                }
                Some(Command::Add(entry)) => match position(new, &entry.name) {
                    Some(at) => new
                        .get_mut(at)
                        .into_iter()
                        .for_each(|present| *present = entry),
                    None if new.len() >= ACT_MAX => return Err(ENOSPC),
                    None => new.push(entry, GFP_KERNEL)?,
                },
            }
        }
        // The lookup of a request wants them sorted.
        new.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Ok(())
    })
}

fn position(list: &[Entry], name: &Name) -> Option<usize> {
    list.iter().position(|entry| entry.name == *name)
}
