// SPDX-License-Identifier: GPL-2.0

//! What the router knows in one network namespace.

use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::{Mutex, SetOnce};

use crate::act::{self, Act, Writers};
use crate::guard::Guard;
use crate::keys::Keys;
use crate::linux::clock;
use crate::linux::counters::Counters;
use crate::linux::hook::Spec;
use crate::linux::lock::Snapshot;
use crate::linux::netns::{Id, Namespace, Net, Netns};
use crate::linux::table::Map;
use crate::linux::timings::{Start, Timings};
use crate::mappings::{self, Mappings, SWEEP_MS};
use crate::natf::act::Limit;
use crate::natf::counters::Router as Count;
use crate::natf::early::ROUTER_CHOICES;
use crate::natf::line::Choice;
use crate::natf::timings::Router as Stage;
use crate::natf::wire::control::Response;
use crate::reply::Echo;
use crate::{early, pseudo, request};

/// Requests under way at a time.
pub(crate) const PENDING_MAX: u32 = 4096;

/// State of one namespace.
#[pin_data]
pub(crate) struct Router {
    pub(crate) counters: Counters<Count>,
    #[pin]
    pub(crate) timings: Timings<Stage>,
    /// Access control table. Empty: the module does nothing here.
    #[pin]
    pub(crate) act: Snapshot<Act>,
    /// Keys of endpoints.
    #[pin]
    pub(crate) keys: Keys,
    /// Those who change it, one at a time.
    #[pin]
    pub(crate) writers: Mutex<Writers>,
    /// What stands before it; there from the first entry on.
    pub(crate) guard: SetOnce<Guard>,
    /// Requests whose pseudo-packet is on its way, by what the NAT keeps of it.
    #[pin]
    pub(crate) pending: Map<Pending>,
    /// Those that were made.
    #[pin]
    pub(crate) mappings: Mappings,
    /// Whose first packets are delivered: at first all, as with a forwarded port.
    pub(crate) early: Choice,
    /// Requests whose first packets were delivered, by nonce and source: when they are forgotten, in milliseconds since boot.
    #[pin]
    pub(crate) delivered: Map<u64>,
    /// Told to endpoints; another one when mappings may have been lost.
    pub(crate) epoch: AtomicU64,
}

/// Where packets of a flow come in.
#[derive(Clone, Copy)]
pub(crate) struct Mapped {
    /// Address and port.
    pub(crate) to: (Ipv4Addr, u16),
    /// Interface: the one by which those of the other side leave.
    pub(crate) ifindex: i32,
}

/// A request that waits for its pseudo-packet to come back.
pub(crate) struct Pending {
    /// Address of the private host.
    pub(crate) host: Ipv4Addr,
    /// Private host name that was asked for.
    pub(crate) name: KVec<u8>,
    /// That of the entry which allows it.
    pub(crate) limit: Option<Limit>,
    /// Whether the endpoint has shown, by a key or a cookie, that it is the one.
    pub(crate) proven: bool,
    /// What will be answered, the mapping still missing.
    pub(crate) response: Response,
    /// The request's carrier.
    pub(crate) echo: Echo,
    /// Whether the request has its answer. The pseudo-packet may still be about, in an NFQUEUE, and must
    /// be caught all the same.
    pub(crate) answered: AtomicBool,
    /// The pseudo-packet met the entry of a connection that has closed: it must be sent once more.
    pub(crate) again: AtomicBool,
    /// The pseudo-packet came back as it was sent, or a copy of it that a rule made before the NAT.
    pub(crate) bare: AtomicBool,
    /// When the pseudo-packet was made.
    pub(crate) made: Start,
    /// Where the NAT has put the flow, once the request was answered so.
    pub(crate) mapped: SetOnce<Mapped>,
    /// When it is forgotten, in milliseconds since boot.
    pub(crate) until: u64,
}

/// How long a pseudo-packet may stay away, in milliseconds.
pub(crate) const PENDING_MS: u32 = 30_000;

static ID: Id<Router> = Id::new();

impl Namespace for Router {
    const HOOKS: &'static [Spec<Self>] = &[Spec::of::<pseudo::Hook>(), Spec::of::<request::Hook>()];
    const SOURCES: usize = 1;

    fn id() -> &'static Id<Self> {
        &ID
    }

    fn new(_net: Net<'_>) -> impl PinInit<Self, Error> {
        try_pin_init!(Router {
            counters: Counters::new()?,
            timings <- Timings::new(),
            act <- Snapshot::new(act::empty()),
            keys <- Keys::new(KVVec::new()),
            writers <- new_mutex!(Writers::new()),
            guard: SetOnce::new(),
            pending <- Map::new(PENDING_MAX),
            mappings <- Mappings::new(),
            early: Choice::new(&ROUTER_CHOICES, 2),
            delivered <- Map::new(early::DELIVERED_MAX),
            epoch: AtomicU64::new(clock::random_u64()),
        }? Error)
    }

    fn tick(ns: &Netns<Self>) -> Option<u32> {
        let now = clock::now_ms();
        ns.pending.retain(|pending| pending.until >= now);
        ns.delivered.retain(|until| ***until >= now);
        mappings::sweep(ns);
        let busy = ns.pending.len() > 0 || ns.mappings.len() > 0 || ns.delivered.len() > 0;
        busy.then_some(SWEEP_MS)
    }

    /// The NAT forgets the mappings of an address that went away.
    fn address_gone(ns: &Netns<Self>, _address: Ipv4Addr) {
        ns.epoch.store(clock::random_u64(), Ordering::Relaxed);
    }
}
