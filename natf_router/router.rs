// SPDX-License-Identifier: GPL-2.0

//! What the router knows in one network name space.

use core::net::Ipv4Addr;

use kernel::prelude::*;

use crate::linux::hook::Spec;
use crate::linux::lock::Snapshot;
use crate::linux::netns::{Id, Namespace, Net, Netns};
use crate::linux::table::Table;
use crate::natf::act;
use crate::natf::counters::RouterCounters;
use crate::natf::wire::control::Response;
use crate::{pseudo, request};

/// Requests under way at a time.
const PENDING_MAX: u32 = 1024;

/// State of one name space.
#[pin_data]
pub(crate) struct Router {
    pub(crate) counters: RouterCounters,
    /// Access control table. Empty: the module does nothing here.
    #[pin]
    pub(crate) act: Snapshot<act::Entry>,
    /// Requests whose pseudo-packet is on its way, by what the NAT keeps of it.
    #[pin]
    pub(crate) pending: Table<Pending>,
}

/// A request that waits for its pseudo-packet to come back.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    /// Address of the private host.
    pub(crate) host: Ipv4Addr,
    /// What will be answered, the mapping still missing.
    pub(crate) response: Response,
    /// Identifier and sequence number of the echo.
    pub(crate) echo: (u16, u16),
}

static ID: Id = Id::new();

impl Namespace for Router {
    const HOOKS: &'static [Spec<Self>] = &[Spec::of::<request::Hook>(), Spec::of::<pseudo::Hook>()];

    fn id() -> &'static Id {
        &ID
    }

    fn new(_net: Net) -> impl PinInit<Self, Error> {
        try_pin_init!(Router {
            counters: RouterCounters::new(),
            act <- Snapshot::new(),
            pending <- Table::new(PENDING_MAX),
        }? Error)
    }

    fn tick(_ns: &Netns<Self>) -> Option<u32> {
        None
    }
}
