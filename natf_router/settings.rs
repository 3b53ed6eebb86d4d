// SPDX-License-Identifier: GPL-2.0

//! /sys/kernel/natf_router: what a person sets and sees.

use core::fmt::Write;

use crate::act;
use crate::guard;
use crate::linux::sysfs::File;
use crate::router::Router;

/// The files.
pub(crate) const FILES: &[File<Router>] = &[
    File {
        name: c"act",
        show: act::show,
        store: Some(act::store),
    },
    File {
        name: c"act_error",
        show: act::show_error,
        store: None,
    },
    File {
        name: c"limits",
        show: guard::show,
        store: Some(guard::store),
    },
    File {
        name: c"stats",
        show: |ns, out| write!(out, "{}", ns.counters),
        store: None,
    },
];
