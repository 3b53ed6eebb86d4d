// SPDX-License-Identifier: GPL-2.0

//! A flow, from its first packet to its end: the entry of the VAT table.

use core::fmt;
use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, AtomicUsize, Ordering};

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::endpoint::Endpoint;
use crate::held::{Held, PER_NAMESPACE};
use crate::linux::clock;
use crate::linux::lock::BhLock;
use crate::linux::netns::Netns;
use crate::linux::route;
use crate::linux::skb::Skb;
use crate::natf::counters::En;
use crate::natf::nrt;
use crate::natf::vat::{self, Direction, Negotiation, Seen, Segment, Step};
use crate::natf::wire::control::{Refusal, Request};
use crate::natf::wire::icmp;
use crate::natf::wire::ipv4::Protocol;

/// Packets that may join those being released; a sender that is quicker than the release loses some.
const RELEASE_MORE: u8 = 64;

/// How far a flow has come.
pub(crate) enum Stage {
    /// Its request is under way; packets wait.
    Negotiating(Negotiation),
    /// Mapped; the packets that waited go out before any other, and so many more may join them.
    Releasing(u8),
    /// Mapped, to this address and port.
    Open((Ipv4Addr, u16)),
    /// Refused; remembered until then, in milliseconds since boot.
    Refused(Refusal, u64),
}

/// What changes under the lock.
struct Waiting {
    stage: Stage,
    /// Gone when the negotiation is: an open flow needs no room for it.
    held: Option<KBox<Held>>,
}

/// Whose packets they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Of an application on this host.
    Local,
    /// Of a host behind this one, after its NAT.
    Forwarded,
}

/// One flow.
#[pin_data]
pub(crate) struct Flow {
    /// As the application sees it: G1:s to V:d.
    pub(crate) id: vat::FlowId,
    /// Where its packets come from.
    pub(crate) path: Path,
    /// Names the flow's request.
    pub(crate) nonce: u64,
    /// The name behind V.
    pub(crate) name: Arc<nrt::Entry>,
    /// Which of the router's addresses is being asked.
    asked: AtomicUsize,
    #[pin]
    waiting: BhLock<Waiting>,
    /// G2:m as address << 16 | port once the flow is open, 0 before. Written once; what a data packet
    /// looks at instead of taking the lock.
    mapped: AtomicU64,
    /// Lifetime without traffic, in seconds.
    lifetime: AtomicU32,
    /// When the last packet passed, in milliseconds since boot.
    used: AtomicU64,
    /// A [`Seen`].
    seen: AtomicU8,
    pub(crate) route: route::Cache,
}

impl Flow {
    /// A flow whose first packet is `first` and whose request goes out now. Any context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; then the packet is gone.
    pub(crate) fn new(
        id: vat::FlowId,
        path: Path,
        name: Arc<nrt::Entry>,
        first: Skb,
    ) -> Result<Arc<Self>> {
        let now = clock::now_ms();
        let mut held = KBox::new(Held::new(), GFP_ATOMIC)?;
        let _room_for_one = held.push(first);
        Arc::pin_init(
            try_pin_init!(Flow {
                id,
                path,
                nonce: clock::random_u64(),
                name,
                asked: AtomicUsize::new(0),
                waiting <- BhLock::new(Waiting {
                    stage: Stage::Negotiating(Negotiation::start(now)),
                    held: Some(held),
                }),
                mapped: AtomicU64::new(0),
                lifetime: AtomicU32::new(0),
                used: AtomicU64::new(now),
                seen: AtomicU8::new(0),
                route: route::Cache::new(),
            }? Error),
            GFP_ATOMIC,
        )
    }

    /// The key by which a reply finds the flow.
    pub(crate) fn nonce_key(&self) -> [u8; 16] {
        nonce_key(self.nonce)
    }

    /// The address of the router that is asked.
    pub(crate) fn router(&self) -> Ipv4Addr {
        let asked = self.asked.load(Ordering::Relaxed);
        let router = self.name.routers().get(asked).copied();
        router.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// Turns to the router's next address. False if there is none, or nothing to negotiate any more.
    pub(crate) fn ask_next(&self, now: u64) -> bool {
        let mut waiting = self.waiting.lock();
        let Stage::Negotiating(negotiation) = &mut waiting.stage else {
            return false;
        };
        let next = self.asked.load(Ordering::Relaxed).saturating_add(1);
        if next >= self.name.routers().len() {
            return false;
        }
        self.asked.store(next, Ordering::Relaxed);
        *negotiation = Negotiation::start(now);
        true
    }

    /// The request that asks for this flow's mapping.
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            nonce: self.nonce,
            protocol: self.id.protocol,
            en: self.id.local.0,
            router: self.router(),
            en_port: self.id.local.1,
            dst_port: self.id.remote.1,
            name: self.name.host.view(),
            unknown_critical: None,
        }
    }

    /// The mapped address, if the flow is open.
    pub(crate) fn mapped(&self) -> Option<(Ipv4Addr, u16)> {
        match self.mapped.load(Ordering::Acquire) {
            0 => None,
            packed => {
                let [_, _, a, b, c, d, p0, p1] = packed.to_be_bytes();
                Some((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p0, p1])))
            }
        }
    }

    /// Notes a packet that passes.
    pub(crate) fn touch(&self, segment: &Segment, direction: Direction) {
        self.used.store(clock::now_ms(), Ordering::Relaxed);
        let Some(flags) = segment.flags else { return };
        let before = Seen(self.seen.load(Ordering::Relaxed));
        let after = before.and(flags, direction);
        // Two CPUs may lose each other's bit here; the next segment brings it back.
        if after != before {
            self.seen.store(after.0, Ordering::Relaxed);
        }
    }

    /// Whether the flow is over at `now`, in milliseconds; with `opens`, whether it would be for a
    /// packet that opens a connection.
    pub(crate) fn is_over(&self, now: u64, opens: bool) -> bool {
        if self.mapped().is_none() {
            return matches!(self.waiting.lock().stage, Stage::Refused(_, until) if until < now);
        }
        let lifetime = self.lifetime.load(Ordering::Relaxed);
        let seen = Seen(self.seen.load(Ordering::Relaxed));
        let limit = match self.id.protocol {
            Protocol::Tcp => seen.idle_limit_ms(lifetime),
            _ => vat::lifetime_ms(lifetime),
        };
        let idle = now.saturating_sub(self.used.load(Ordering::Relaxed));
        idle > limit || (opens && seen.ends())
    }

    /// Whether the flow may lose its mapping to a new one.
    pub(crate) fn is_stale(&self, now: u64) -> bool {
        let idle = now.saturating_sub(self.used.load(Ordering::Relaxed));
        idle > vat::STALE_MS || self.is_over(now, true)
    }

    /// What the clock of the negotiation wants; `None` if there is none any more.
    pub(crate) fn step(&self, now: u64) -> Option<Step> {
        match &mut self.waiting.lock().stage {
            Stage::Negotiating(negotiation) => Some(negotiation.step(now)),
            _ => None,
        }
    }

    /// Keeps a packet until the flow is open.
    pub(crate) fn hold(&self, ns: &Netns<Endpoint>, mut skb: Skb, guard: &rcu::Guard) -> Hold {
        if !skb.hold(guard) {
            return Hold::NoRoute(skb);
        }
        let mut waiting = self.waiting.lock();
        match &mut waiting.stage {
            Stage::Open(to) => return Hold::Open(skb, *to),
            Stage::Refused(refusal, _) => return Hold::Refused(skb, *refusal),
            Stage::Releasing(0) => return Hold::Full(skb),
            Stage::Releasing(more) => *more = more.saturating_sub(1),
            Stage::Negotiating(_) => {}
        }
        if ns.held.load(Ordering::Relaxed) >= PER_NAMESPACE {
            return Hold::Full(skb);
        }
        let Some(held) = &mut waiting.held else {
            return Hold::Full(skb);
        };
        match held.push(skb) {
            Ok(()) => {
                ns.held.fetch_add(1, Ordering::Relaxed);
                Hold::Held
            }
            Err(skb) => Hold::Full(skb),
        }
    }

    /// Gives the first packet back: the flow did not come to be.
    pub(crate) fn withdraw(&self) -> Option<Skb> {
        self.waiting.lock().held.as_mut()?.pop()
    }

    /// Ends the negotiation well. False if it had ended before.
    pub(crate) fn map(&self, lifetime: u32) -> bool {
        let mut waiting = self.waiting.lock();
        if !matches!(waiting.stage, Stage::Negotiating(_)) {
            return false;
        }
        waiting.stage = Stage::Releasing(RELEASE_MORE);
        self.lifetime.store(lifetime, Ordering::Relaxed);
        self.used.store(clock::now_ms(), Ordering::Relaxed);
        true
    }

    /// The next packet that waited; after the last one the flow is open and `None` is returned.
    pub(crate) fn release(&self, ns: &Netns<Endpoint>, to: (Ipv4Addr, u16)) -> Option<Skb> {
        let mut waiting = self.waiting.lock();
        let next = waiting.held.as_mut().and_then(|held| held.pop());
        match next {
            Some(_) => {
                ns.held.fetch_sub(1, Ordering::Relaxed);
            }
            None => {
                let [a, b, c, d] = to.0.octets();
                let [p0, p1] = to.1.to_be_bytes();
                let packed = u64::from_be_bytes([0, 0, a, b, c, d, p0, p1]);
                self.mapped.store(packed, Ordering::Release);
                waiting.stage = Stage::Open(to);
                waiting.held = None;
            }
        }
        next
    }

    /// Ends the negotiation badly; the packets that waited are refused. Not while a lock is held.
    pub(crate) fn refuse(&self, ns: &Netns<Endpoint>, refusal: Refusal) {
        let mut waiting = self.waiting.lock();
        if !matches!(waiting.stage, Stage::Negotiating(_)) {
            return;
        }
        let until = clock::now_ms().saturating_add(vat::REFUSAL_MS);
        waiting.stage = Stage::Refused(refusal, until);
        let held = waiting.held.take();
        drop(waiting);
        let Some(mut held) = held else { return };
        while let Some(skb) = held.pop() {
            ns.held.fetch_sub(1, Ordering::Relaxed);
            if let Err(skb) = refuse_later(ns, skb, refusal) {
                skb.refuse(icmp_code(refusal));
            }
        }
    }

    /// Writes the flow as one line: protocol, local side, virtual side, mapped side or what it is
    /// waiting for, seconds since the last packet.
    pub(crate) fn show(&self, now: u64, out: &mut dyn fmt::Write) -> fmt::Result {
        let protocol = match self.id.protocol {
            Protocol::Tcp => "tcp",
            _ => "udp",
        };
        let (local, remote) = (self.id.local, self.id.remote);
        let idle = now.saturating_sub(self.used.load(Ordering::Relaxed)) / 1000;
        write!(
            out,
            "{protocol} {}:{} {}:{} ",
            local.0, local.1, remote.0, remote.1
        )?;
        match self.mapped() {
            Some((addr, port)) => write!(out, "{addr}:{port} ")?,
            None => write!(
                out,
                "{} ",
                match self.waiting.lock().stage {
                    Stage::Refused(..) => "refused",
                    _ => "negotiating",
                }
            )?,
        }
        writeln!(out, "{} {idle}", self.name.host)
    }
}

/// What became of a packet that wanted to wait.
pub(crate) enum Hold {
    /// It waits.
    Held,
    /// No need: the flow is open.
    Open(Skb, (Ipv4Addr, u16)),
    /// No use: the flow was refused.
    Refused(Skb, Refusal),
    /// No room.
    Full(Skb),
    /// Its route went away meanwhile.
    NoRoute(Skb),
}

/// The key of a nonce in a table.
pub(crate) fn nonce_key(nonce: u64) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h] = nonce.to_be_bytes();
    [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The code of the ICMP destination unreachable message for a refusal.
pub(crate) fn icmp_code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::Prohibited => icmp::CODE_PROHIBITED,
        Refusal::HostUnreachable => icmp::CODE_HOST,
    }
}

/// Has the tick tell the sender of a held packet in a moment, when connect() has let go of its socket:
/// until then TCP would take the ICMP error for a soft one. Gives the packet back if there is no room.
pub(crate) fn refuse_later(ns: &Netns<Endpoint>, skb: Skb, refusal: Refusal) -> Result<(), Skb> {
    let pushed = ns.refusals.lock().push((skb, icmp_code(refusal)));
    pushed.map_err(|(skb, _)| skb)?;
    ns.kick(1);
    Ok(())
}

/// Takes a flow out of all tables.
pub(crate) fn forget(ns: &Netns<Endpoint>, flow: &Flow) {
    let same = |other: &Arc<Flow>| core::ptr::eq(&**other, flow);
    let open = flow.mapped();
    if let Some((addr, port)) = open {
        ns.incoming
            .remove_if(&flow.id.with_remote(addr, port).key(), same);
    }
    ns.negotiating.remove(&flow.nonce_key());
    if ns.outgoing.remove_if(&flow.id.key(), same) && open.is_some() {
        ns.counters.bump(En::Expired);
    }
}
