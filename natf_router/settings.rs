// SPDX-License-Identifier: GPL-2.0

//! /sys/kernel/natf_router: what a person sets and sees.

use core::fmt::Write;

use crate::act;
use crate::guard;
use crate::keys;
use crate::linux::sysfs::File;
use crate::router::Router;

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
        store: Some(guard::store),
    },
    File {
        name: c"keys",
        private: true,
        show: keys::show,
        store: Some(keys::store),
    },
    File {
        name: c"stats",
        private: false,
        show: |ns, out| write!(out, "{}", ns.counters),
        store: None,
    },
];
