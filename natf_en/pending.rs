// SPDX-License-Identifier: GPL-2.0

//! A flow before it is open: its request is under way, or was refused, and its packets wait.

use core::sync::atomic::Ordering;

use kernel::prelude::*;
use kernel::sync::{rcu, Arc};

use crate::early::{self, Carried, Early, Kept};
use crate::endpoint::Endpoint;
use crate::flow::{answer_later, Answer, Flow};
use crate::held::{weight, Held, PER_NAMESPACE};
use crate::linux::clock;
use crate::linux::netns::Netns;
use crate::linux::shared::Shared;
use crate::linux::skb::{Skb, Way};
use crate::linux::table::Key;
use crate::linux::timings::Start;
use crate::natf::vat::{self, Negotiation, Step};
use crate::natf::wire::control::{Refusal, Request};
use crate::natf::wire::icmp;
use crate::timings::Moments;

/// Packets that may join those being released; a sender that is quicker than the release loses some.
const RELEASE_MORE: u8 = 64;

/// What a flow needs until it is open.
pub(crate) struct Pending {
    /// Names the flow's request.
    pub(crate) nonce: u64,
    /// Which of the router's addresses is being asked, and how many were before.
    router: u8,
    tried: usize,
    pub(crate) stage: Stage,
    /// What the router that is being asked wants to see.
    cookie: Option<u64>,
    /// Whether it has told its time.
    told_time: bool,
    held: Held,
    pub(crate) moments: Moments,
    /// The first packet may travel in the request.
    pub(crate) early: Early,
    /// The request takes the way of the packet that caused it.
    pub(crate) way: Way,
    /// The open flow that asks again: the new one will take its place, if it has to.
    replaces: Option<Shared<Flow>>,
}

/// How far the flow has come.
pub(crate) enum Stage {
    /// Its request is under way; packets wait.
    Negotiating(Negotiation),
    /// Mapped; the packets that waited go out before any other, and so many more may join them.
    Releasing(u8),
    /// Refused; remembered until then, in milliseconds since boot.
    Refused(Refusal, u64),
}

/// The key of a nonce in a table.
pub(crate) fn nonce_key(nonce: u64) -> Key {
    let [a, b, c, d, e, f, g, h] = nonce.to_be_bytes();
    [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0]
}

/// The code of the ICMP destination unreachable message for a refusal.
pub(crate) fn icmp_code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::Prohibited => icmp::CODE_PROHIBITED,
        Refusal::HostUnreachable => icmp::CODE_HOST,
    }
}

impl Pending {
    /// A negotiation that starts now.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn new(
        way: Way,
        router: u8,
        early: Early,
        replaces: Option<Shared<Flow>>,
        moments: Moments,
    ) -> Result<KBox<Self>> {
        Ok(KBox::new(
            Pending {
                nonce: clock::random_u64(),
                router,
                tried: 0,
                stage: Stage::Negotiating(Negotiation::start(clock::now_ms())),
                cookie: None,
                told_time: false,
                held: Held::new(),
                moments,
                early,
                way,
                replaces,
            },
            GFP_ATOMIC,
        )?)
    }

    /// That of a new flow, which holds its first packet; that came at `start`. What of it travels is `carried`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; then the packet is gone.
    pub(crate) fn of_first(
        first: Skb,
        carried: Option<Arc<Carried>>,
        start: Start,
    ) -> Result<KBox<Self>> {
        let (early, moments) = (Early::new(carried), Moments::of_first(start));
        let mut pending = Self::new(first.way(), 0, early, None, moments)?;
        let _room_for_one = pending.held.push(first);
        Ok(pending)
    }

    /// That of a flow which replaces another if it has to; `skb` is a packet of that one. The first of the
    /// router's addresses to be asked is `router`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn of_renewal(skb: &Skb, router: u8, replaces: Shared<Flow>) -> Result<KBox<Self>> {
        let early = Early::new(None);
        Self::new(skb.way(), router, early, Some(replaces), Moments::default())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(old) = &self.replaces {
            old.ends_to_ask();
        }
    }
}

/// What a flow that is mapped does next.
pub(crate) enum Release {
    /// This packet, which waited, is to be sent.
    Send(Skb),
    /// This one has travelled in the request, and was delivered.
    Delivered(Skb),
    /// The flow is open; what was kept comes in again.
    Open(Kept),
}

/// What became of a packet that wanted to wait.
pub(crate) enum Hold {
    /// It waits.
    Held,
    /// No need: the flow is open.
    Open(Skb),
    /// No use: the flow was refused.
    Refused(Skb, Refusal),
    /// No room.
    Full(Skb),
    /// Its route went away meanwhile.
    NoRoute(Skb),
}

impl Flow {
    /// The request that asks for this flow's mapping, without what travels in it. `None`: it is not being negotiated.
    pub(crate) fn request(&self) -> Option<Request<'_>> {
        let guard = self.pending();
        let pending = guard.as_ref()?;
        let Stage::Negotiating(_) = pending.stage else {
            return None;
        };
        let id = self.id();
        Some(Request {
            nonce: pending.nonce,
            protocol: id.protocol,
            en: id.local.0,
            router: *self.name.routers().get(usize::from(pending.router))?,
            en_port: id.local.1,
            dst_port: id.remote.1,
            name: self.name.host.view(),
            cookie: pending.cookie,
            auth: None,
            early: None,
            unknown_critical: None,
        })
    }

    /// The flow that this one is to replace.
    pub(crate) fn replaces(&self) -> Option<Shared<Flow>> {
        self.pending().as_ref()?.replaces.clone()
    }

    /// Turns to the router's next address. False if there is none, or nothing to negotiate any more.
    pub(crate) fn ask_next(&self, now: u64) -> bool {
        let mut guard = self.pending();
        match guard.as_deref_mut() {
            Some(Pending {
                router,
                tried,
                cookie,
                told_time,
                moments,
                early,
                stage: Stage::Negotiating(negotiation),
                ..
            }) if tried.saturating_add(1) < self.name.routers().len() => {
                *tried = tried.saturating_add(1);
                *cookie = None;
                *told_time = false;
                moments.ask_anew();
                early.stop();
                let next = router.saturating_add(1);
                *router = match usize::from(next) < self.name.routers().len() {
                    true => next,
                    false => 0,
                };
                *negotiation = Negotiation::start(now);
                true
            }
            _ => false,
        }
    }

    /// Has the request carry a cookie from now on. False: it has one, or there is nothing to negotiate any more.
    pub(crate) fn set_cookie(&self, cookie: u64) -> bool {
        self.ask_anew(|pending| {
            let is_first = pending.cookie.is_none();
            pending.cookie.get_or_insert(cookie);
            is_first
        })
    }

    /// Notes that the router has told its time. False: it had before, or there is nothing to negotiate any more.
    pub(crate) fn is_told_time(&self) -> bool {
        self.ask_anew(|pending| !core::mem::replace(&mut pending.told_time, true))
    }

    /// The router wants the request once more, with what `add` adds. False: `add` says that it was there, or there is
    /// nothing to negotiate any more.
    fn ask_anew(&self, add: impl FnOnce(&mut Pending) -> bool) -> bool {
        match self.pending().as_deref_mut() {
            Some(pending) if matches!(pending.stage, Stage::Negotiating(_)) => {
                let is_new = add(pending);
                if is_new {
                    pending.moments.ask_anew();
                    pending.early.begin_anew();
                }
                is_new
            }
            _ => false,
        }
    }

    /// What the clock of the negotiation wants; `None` if there is none any more.
    pub(crate) fn step(&self, now: u64) -> Option<Step> {
        match &mut self.pending().as_mut()?.stage {
            Stage::Negotiating(negotiation) => Some(negotiation.step(now)),
            _ => None,
        }
    }

    /// Keeps a packet until the flow is open.
    pub(crate) fn hold(&self, ns: &Netns<Endpoint>, mut skb: Skb, guard: &rcu::Guard) -> Hold {
        if !skb.hold(guard) {
            return Hold::NoRoute(skb);
        }
        let mut guard = self.pending();
        let Some(pending) = guard.as_mut() else {
            return Hold::Open(skb);
        };
        match &mut pending.stage {
            Stage::Refused(refusal, _) => return Hold::Refused(skb, *refusal),
            Stage::Releasing(0) => return Hold::Full(skb),
            Stage::Releasing(more) => *more = more.saturating_sub(1),
            Stage::Negotiating(_) => {}
        }
        let weight = weight(&skb);
        if ns.held.load(Ordering::Relaxed).saturating_add(weight) > PER_NAMESPACE {
            return Hold::Full(skb);
        }
        match pending.held.push(skb) {
            Ok(()) => {
                ns.held.fetch_add(weight, Ordering::Relaxed);
                Hold::Held
            }
            Err(skb) => Hold::Full(skb),
        }
    }

    /// Gives the first packet back: the flow did not come to be.
    pub(crate) fn withdraw(&self, ns: &Netns<Endpoint>) -> Option<Skb> {
        let skb = self.pending().as_mut()?.held.pop()?;
        ns.held.fetch_sub(weight(&skb), Ordering::Relaxed);
        Some(skb)
    }

    /// Ends the negotiation well; `delivered`: so says the router of the first packet. False if it had ended before.
    pub(crate) fn map(&self, lifetime: u32, delivered: bool) -> bool {
        let mut guard = self.pending();
        match guard.as_mut() {
            Some(pending) if matches!(pending.stage, Stage::Negotiating(_)) => {
                pending.stage = Stage::Releasing(RELEASE_MORE);
                pending.early.set_delivered(delivered);
                self.set_lifetime(lifetime, pending.router);
                true
            }
            _ => false,
        }
    }

    /// The next packet that waited; after the last one the flow is open.
    pub(crate) fn release(&self, ns: &Netns<Endpoint>) -> Release {
        let mut guard = self.pending();
        let Some(pending) = guard.as_mut() else {
            return Release::Open(Kept::new());
        };
        match pending.held.pop() {
            Some(skb) => {
                ns.held.fetch_sub(weight(&skb), Ordering::Relaxed);
                match pending.early.take_delivered() {
                    true => Release::Delivered(skb),
                    false => Release::Send(skb),
                }
            }
            None => {
                let kept = pending.early.take_kept(ns);
                self.set_open();
                *guard = None;
                Release::Open(kept)
            }
        }
    }

    /// Ends the negotiation badly; the packets that waited are refused. False if it had ended before. Not
    /// while a lock is held.
    pub(crate) fn refuse(&self, ns: &Netns<Endpoint>, refusal: Refusal) -> bool {
        let until = clock::now_ms().saturating_add(vat::REFUSAL_MS);
        let kept = match self.pending().as_mut() {
            Some(pending) if matches!(pending.stage, Stage::Negotiating(_)) => {
                pending.stage = Stage::Refused(refusal, until);
                pending.early.take_kept(ns)
            }
            _ => return false,
        };
        early::lose(ns, kept);
        // Nothing is added any more.
        while let Some(skb) = self.withdraw(ns) {
            let code = icmp_code(refusal);
            if let Err(skb) = answer_later(ns, skb, Answer::Unreachable(code)) {
                skb.refuse(code);
            }
        }
        true
    }
}
