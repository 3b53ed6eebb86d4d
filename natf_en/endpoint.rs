// SPDX-License-Identifier: GPL-2.0

//! What the endpoint knows in one network namespace.

use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering};

use kernel::prelude::*;
use kernel::sync::Arc;

use crate::dns::Query;
use crate::flow::{Flow, Incoming, Outgoing};
use crate::held::{Answers, Queue};
use crate::keys::Keys;
use crate::linux::clock;
use crate::linux::counters::Counters;
use crate::linux::hook::Spec;
use crate::linux::lock::{BhLock, Snapshot};
use crate::linux::netns::{Id, Namespace, Net, Netns};
use crate::linux::shared::Shared;
use crate::linux::table::Map;
use crate::linux::timings::Timings;
use crate::names::SetAside;
use crate::natf::counters::En;
use crate::natf::domains::Suffix;
use crate::natf::early::EN_CHOICES;
use crate::natf::line::Choice;
use crate::natf::nrt;
use crate::natf::ports::Ports;
use crate::natf::siphash;
use crate::natf::timings::En as Stage;
use crate::natf::vaddr::Prefix;
use crate::{forward, input, output, renewal, tick};

/// Names known at a time.
const NRT_MAX: u32 = 16_384;
/// Flows at a time.
const VAT_MAX: u32 = 1 << 20;
/// Flows in negotiation at a time.
pub(crate) const NEGOTIATING_MAX: u32 = 1024;
/// DNS queries under way at a time.
const QUERIES_MAX: u32 = 4096;
/// Names at a time that were forgotten although their answers still hold.
const SET_ASIDE_MAX: u32 = 65_536;

/// State of one namespace.
#[pin_data]
pub(crate) struct Endpoint {
    pub(crate) counters: Counters<En>,
    #[pin]
    pub(crate) timings: Timings<Stage>,
    /// Suffixes of the names that get a virtual address.
    #[pin]
    pub(crate) domains: Snapshot<KVVec<Suffix>>,
    /// Keys for names under a suffix.
    #[pin]
    pub(crate) keys: Keys,
    /// Whether there are suffixes, or ever were.
    pub(crate) configured: AtomicBool,
    /// First octet of the virtual addresses.
    pub(crate) prefix: AtomicU8,
    /// Ports of DNS servers, as [`Ports`] packs them.
    pub(crate) dns_ports: AtomicU64,
    /// DNS queries for names under the suffixes that went out, by addresses, port and id.
    #[pin]
    pub(crate) queries: Map<Query>,
    /// Name relation table, by virtual address.
    #[pin]
    pub(crate) nrt: Map<Arc<nrt::Entry>>,
    /// Names that had to make room there, by virtual address.
    #[pin]
    pub(crate) set_aside: Map<SetAside>,
    /// Virtual address of the name that was told last; 0: none was.
    pub(crate) told: AtomicU32,
    /// For the numbers of names.
    pub(crate) secret: siphash::Key,
    /// Flows as the application sees them: G1:s to V:d.
    #[pin]
    pub(crate) outgoing: Outgoing,
    /// Mapped flows as the wire sees them: G1:s to G2:m.
    #[pin]
    pub(crate) incoming: Incoming,
    /// Flows in negotiation, by nonce.
    #[pin]
    pub(crate) negotiating: Map<Shared<Flow>>,
    /// Of these, those whose first packets travel, by own port and router: answers may come before the mapping is known.
    #[pin]
    pub(crate) awaited: Map<Shared<Flow>>,
    /// Whether first packets travel: they do at first.
    pub(crate) early: Choice,
    /// What the packets held by all flows weigh together.
    pub(crate) held: AtomicU32,
    /// Packets whose senders have still to be told.
    #[pin]
    pub(crate) answers: BhLock<Answers>,
    /// Whether names were doubted of which not all flows know.
    pub(crate) doubts: AtomicBool,
    /// When flows were last told of doubts, in milliseconds since boot.
    pub(crate) doubts_spread: AtomicU64,
    /// Addresses of ours that went away, and whose flows are still there.
    #[pin]
    pub(crate) gone: BhLock<Queue<Ipv4Addr, 16>>,
    /// When the tables were last swept, in milliseconds since boot.
    pub(crate) swept: AtomicU64,
}

impl Endpoint {
    /// Whether this namespace is an endpoint. From its first suffix on no packet to a virtual address leaves,
    /// whatever is left of names and flows. Before, the addresses are nobody's: this may be a host behind
    /// another namespace that is the endpoint.
    pub(crate) fn is_active(&self) -> bool {
        self.configured.load(Ordering::Relaxed) || self.nrt.len() > 0 || self.outgoing.len() > 0
    }

    /// Whether an address is a virtual one of this namespace.
    #[inline]
    pub(crate) fn is_virtual(&self, addr: Ipv4Addr) -> bool {
        let [first, ..] = addr.octets();
        first == self.prefix.load(Ordering::Relaxed) && self.is_active()
    }

    /// The range of virtual addresses.
    pub(crate) fn prefix(&self) -> Prefix {
        Prefix::new(self.prefix.load(Ordering::Relaxed)).unwrap_or(Prefix::DEFAULT)
    }
}

static ID: Id<Endpoint> = Id::new();

impl Namespace for Endpoint {
    const HOOKS: &'static [Spec<Self>] = &[
        Spec::of::<output::Hook>(),
        Spec::of::<input::Hook>(),
        Spec::of::<forward::OutHook>(),
        Spec::of::<input::EarlyHook>(),
        Spec::of::<forward::DnsHook>(),
    ];

    const HOOKS_GONE: Option<fn(&Netns<Self>)> = Some(|ns| {
        ns.negotiating.retain(|flow| {
            while flow.withdraw(ns).is_some() {}
            true
        });
    });

    fn id() -> &'static Id<Self> {
        &ID
    }

    fn new(_net: Net<'_>) -> impl PinInit<Self, Error> {
        try_pin_init!(Endpoint {
            counters: Counters::new()?,
            timings <- Timings::new(),
            domains <- Snapshot::new(KVVec::new()),
            keys <- Keys::new(KVVec::new()),
            configured: AtomicBool::new(false),
            prefix: AtomicU8::new(Prefix::DEFAULT.first()),
            dns_ports: AtomicU64::new(Ports::DEFAULT.to_bits()),
            queries <- Map::new(QUERIES_MAX),
            nrt <- Map::new(NRT_MAX),
            set_aside <- Map::new(SET_ASIDE_MAX),
            told: AtomicU32::new(0),
            secret: siphash::Key([clock::random_u64(), clock::random_u64()]),
            outgoing <- Outgoing::new(VAT_MAX),
            incoming <- Incoming::new(VAT_MAX),
            negotiating <- Map::new(NEGOTIATING_MAX),
            awaited <- Map::new(NEGOTIATING_MAX),
            early: Choice::new(&EN_CHOICES, 1),
            held: AtomicU32::new(0),
            answers <- BhLock::new(Answers::new()),
            doubts: AtomicBool::new(false),
            doubts_spread: AtomicU64::new(0),
            gone <- BhLock::new(Queue::new()),
            swept: AtomicU64::new(0),
        }? Error)
    }

    fn tick(ns: &Netns<Self>) -> Option<u32> {
        tick::tick(ns)
    }

    fn address_gone(ns: &Netns<Self>, address: Ipv4Addr) {
        renewal::address_gone(ns, address);
    }
}
