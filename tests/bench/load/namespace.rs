// SPDX-License-Identifier: GPL-2.0

//! Sockets in a named network namespace.

use std::fs::File;

use nix::sched::{setns, CloneFlags};

use crate::Result;

/// What `make` opens in the namespace that `ip netns` knows as `name`. A socket stays in the namespace it
/// was made in; the thread is moved and stays there.
pub fn within<T>(name: &str, make: impl FnOnce() -> Result<T>) -> Result<T> {
    let file = File::open(format!("/run/netns/{name}")).map_err(|e| format!("{name}: {e}"))?;
    setns(&file, CloneFlags::CLONE_NEWNET)?;
    make()
}
