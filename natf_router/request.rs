// SPDX-License-Identifier: GPL-2.0

//! A mapping request comes in: checked, looked up in the access control table, and turned into a
//! pseudo-packet. The order of the checks is that of docs/protocol.md.

use core::sync::atomic::{AtomicBool, Ordering};

use kernel::prelude::*;
use kernel::sync::{rcu, SetOnce};

use crate::early::{self, First};
use crate::guard;
use crate::keys::{self, Sender};
use crate::linux::clock;
use crate::linux::conntrack;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::route;
use crate::linux::skb::{Fate, Skb};
use crate::linux::timings::Start;
use crate::mappings;
use crate::natf::act::{self, Query};
use crate::natf::auth::{KeyName, Stamp};
use crate::natf::counters::Router as Count;
use crate::natf::guard::Judged;
use crate::natf::pseudo::Pseudo;
use crate::natf::timings::Router as Stage;
use crate::natf::vat;
use crate::natf::wire::control::{self, Code, Message, Request, Response, MAGIC};
use crate::natf::wire::icmp;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::reply::{self, Echo};
use crate::router::{Mapped, Pending, Router, PENDING_MAX, PENDING_MS};

/// PRE_ROUTING, after defragmentation (-400), before raw (-300), conntrack (-200) and every rule of the
/// user: a router that drops pings from outside still answers requests.
pub(crate) struct Hook;

impl hook::Hook<Router> for Hook {
    const POINT: Point = Point::PreRouting;
    const PRIORITY: i32 = -350;

    #[inline(always)]
    fn handle(ns: &Netns<Router>, skb: Skb, state: &State<'_>) -> Verdict {
        // All that most packets meet of us.
        match skb.protocol() {
            Protocol::Icmp => icmp_comes(ns, skb, state),
            _ => Verdict::Accept(skb),
        }
    }
}

/// It may be a request.
#[cold]
fn icmp_comes(ns: &Netns<Router>, mut skb: Skb, state: &State<'_>) -> Verdict {
    let came = ns.timings.start();
    if !looks_like_request(&mut skb) {
        return Verdict::Accept(skb);
    }
    let guard = rcu::read_lock();
    if ns.act.get().is_empty() || !route::is_for_us(&mut skb, &guard) {
        return Verdict::Accept(skb);
    }
    match check(ns, &mut skb, came, &guard) {
        Checked::Plain => Verdict::Accept(skb),
        Checked::Dropped(counter) => {
            ns.counters.bump(counter);
            Verdict::Drop(skb)
        }
        Checked::Refused(response, echo, counter) => {
            ns.counters.bump(counter);
            reply::send(ns, &response, echo);
            skb.consume();
            Verdict::Stolen
        }
        Checked::Allowed(pending, first) => {
            if route::is_near(&skb, pending.host, &guard) {
                answer_near(ns, &pending);
            } else {
                make_mapping(ns, pending, first, state.input_ifindex(), &guard);
            }
            skb.consume();
            Verdict::Stolen
        }
    }
}

/// Whether an ICMP packet is a request at first sight: an echo request with our magic.
fn looks_like_request(skb: &mut Skb) -> bool {
    let mut look = || {
        let ip = ipv4::Packet::new_header_checked(skb.linear()).ok()?;
        if ip.fragment_offset() != 0 {
            return None;
        }
        let start = ip.header_len();
        let magic = start.checked_add(icmp::HEADER_LEN)?;
        let head = skb.head(magic.checked_add(MAGIC.len())?)?;
        Some(head.get(start) == Some(&icmp::ECHO_REQUEST) && head.ends_with(&MAGIC))
    };
    look().unwrap_or(false)
}

/// What a request is worth.
enum Checked {
    /// Not for us.
    Plain,
    /// Not worth an answer.
    Dropped(Count),
    /// Refused.
    Refused(Response, Echo, Count),
    /// A mapping is to be made, and this packet to be delivered.
    Allowed(Pending, Option<First>),
}

fn check(ns: &Netns<Router>, skb: &mut Skb, came: Start, guard: &rcu::Guard) -> Checked {
    const MAX: usize = 60 + icmp::HEADER_LEN + control::MAX_LEN;
    let len = skb.len().min(MAX);
    let malformed = Checked::Dropped(Count::Malformed);
    // Reassembled here, before us, it does not look like fragments any more.
    let fragmented = skb.was_fragmented();
    let Some(head) = skb.head(len) else {
        return malformed;
    };
    let Ok(ip) = ipv4::Packet::new_checked(head) else {
        return malformed;
    };
    if fragmented || ip.is_fragment() {
        return Checked::Dropped(Count::Fragment);
    }
    let Ok(echo) = icmp::Packet::new_checked(ip.payload()) else {
        return malformed;
    };
    if !echo.verify_checksum() {
        return malformed;
    }
    let data = echo.data();
    let room = data.len();
    match Message::classify(data) {
        Message::NotNatf => Checked::Plain,
        Message::Request(request) if request.router == ip.dst() => {
            let echo = Echo {
                from: ip.src(),
                ident: echo.ident(),
                seq: echo.seq(),
                room,
                came,
                tos: ip.tos(),
                ttl: ip.ttl(),
            };
            guarded(ns, &request, echo, data, guard)
        }
        _ => malformed,
    }
}

/// A well-formed request: does it come at a bearable rate, or from somebody who hears our answers?
fn guarded(
    ns: &Netns<Router>,
    request: &Request<'_>,
    echo: Echo,
    message: &[u8],
    guard: &rcu::Guard,
) -> Checked {
    match guard::judge(ns, echo.from, request.nonce, request.cookie) {
        Judged::Pass(shown) => {
            if shown {
                ns.counters.bump(Count::CookieShown);
            }
            authenticated(ns, request, echo, message, shown, guard)
        }
        Judged::Drop => Checked::Dropped(Count::RateLimited),
        Judged::Ask(cookie) => ask(request, echo, cookie),
    }
}

/// Answers with this cookie, and nothing else.
fn ask(request: &Request<'_>, echo: Echo, cookie: u64) -> Checked {
    match reply::asking(Response::to(request, Code::Cookie), echo, cookie) {
        Some(response) => Checked::Refused(response, echo, Count::CookieAsked),
        None => Checked::Dropped(Count::RateLimited),
    }
}

/// A request that may be dealt with: from whom? One that is signed is answered by a signature, refusals included.
fn authenticated(
    ns: &Netns<Router>,
    request: &Request<'_>,
    echo: Echo,
    message: &[u8],
    shown: bool,
    guard: &rcu::Guard,
) -> Checked {
    let auth = request.auth.map(|stamp| Stamp {
        time: clock::wall_ms(),
        ..stamp
    });
    let bad = |auth| Response {
        auth,
        ..Response::to(request, Code::BadAuth)
    };
    match keys::sender(ns, request.auth, message) {
        Sender::Unknown => Checked::Refused(bad(None), echo, Count::BadAuth),
        Sender::Stale => Checked::Refused(bad(auth), echo, Count::Stale),
        Sender::Known(key) => {
            if key.is_some() {
                ns.counters.bump(Count::Authenticated);
            }
            match decide(ns, request, echo, key, shown, guard) {
                Checked::Refused(response, echo, counter) => {
                    Checked::Refused(Response { auth, ..response }, echo, counter)
                }
                Checked::Allowed(pending, first) => {
                    let response = Response {
                        auth,
                        ..pending.response
                    };
                    Checked::Allowed(
                        Pending {
                            response,
                            ..pending
                        },
                        first,
                    )
                }
                other => other,
            }
        }
    }
}

/// A request of a known sender: may it be, and to which host? `shown`: it came with its cookie.
fn decide(
    ns: &Netns<Router>,
    request: &Request<'_>,
    echo: Echo,
    key: Option<KeyName>,
    shown: bool,
    guard: &rcu::Guard,
) -> Checked {
    let refuse = |code, counter| Checked::Refused(Response::to(request, code), echo, counter);
    if request.en != echo.from {
        return refuse(Code::BadSource, Count::BadSource);
    }
    if matches!(request.protocol, Protocol::Other(_)) {
        return refuse(Code::BadProtocol, Count::BadProtocol);
    }
    if request.unknown_critical.is_some() {
        return refuse(Code::BadOption, Count::BadOption);
    }
    ns.timings.end(Stage::Parse, echo.came);
    let start = ns.timings.start();
    let act = ns.act.get();
    let entry = act.lookup(&Query {
        name: request.name,
        protocol: request.protocol,
        port: request.dst_port,
        en: request.en,
        key,
        now: clock::wall_s(),
    });
    let response = Response::to(request, Code::Ok);
    let is_full = |host, limit| mappings::is_full(ns, host, limit, &response, guard);
    let (host, limit) = match act::decide(entry, is_full) {
        Ok(allowed) => allowed,
        Err(code @ Code::NoResource) => return refuse(code, Count::Limited),
        Err(code) => return refuse(code, Count::Denied),
    };
    let proven = shown || key.is_some();
    if mappings::en_is_full(ns, host, proven, &response, guard) {
        return match guard::cookie(ns, echo.from, request.nonce).filter(|_| !proven) {
            // Somebody else may have asked in this endpoint's name.
            Some(cookie) => ask(request, echo, cookie),
            None => refuse(Code::NoResource, Count::EnLimited),
        };
    }
    ns.timings.end(Stage::Act, start);
    let mut name = KVec::new();
    if name
        .extend_from_slice(request.name.as_bytes(), GFP_ATOMIC)
        .is_err()
    {
        return refuse(Code::NoResource, Count::NoResource);
    }
    let pending = Pending {
        host,
        name,
        limit,
        proven,
        response,
        echo,
        answered: AtomicBool::new(false),
        again: AtomicBool::new(false),
        bare: AtomicBool::new(false),
        made: Start::default(),
        mapped: SetOnce::new(),
        until: clock::now_ms().saturating_add(u64::from(PENDING_MS)),
    };
    Checked::Allowed(pending, early::take(ns, request, proven))
}

/// No NAT lies between the endpoint and the host: they are to talk directly.
fn answer_near(ns: &Netns<Router>, pending: &Pending) {
    let response = Response {
        kept: true,
        epoch: Some(ns.epoch.load(Ordering::Relaxed)),
        mapped: pending.host,
        mapped_port: pending.response.dst_port,
        lifetime: vat::direct_lifetime(pending.response.protocol),
        ..pending.response
    };
    ns.counters.bump(Count::Near);
    reply::send(ns, &response, pending.echo);
}

/// Makes the mapping, answers the request, and delivers the packet that came with it.
fn make_mapping(
    ns: &Netns<Router>,
    mut pending: Pending,
    first: Option<First>,
    not_ifindex: i32,
    guard: &rcu::Guard,
) {
    let (response, echo) = (pending.response, pending.echo);
    let claim = early::claim(ns, &response, first);
    pending.response.delivered = claim.is_delivered();
    let to = through_nat(ns, pending, not_ifindex, guard);
    claim.settle(ns, &response, echo, to);
}

/// Sends the pseudo-packet through the NAT. When this returns, the request was answered: `Some` if with this mapping.
fn through_nat(
    ns: &Netns<Router>,
    pending: Pending,
    not_ifindex: i32,
    guard: &rcu::Guard,
) -> Option<Mapped> {
    let (host, response, echo) = (pending.host, pending.response, pending.echo);
    let [a, b, c, d, ..] = clock::random_u64().to_be_bytes();
    let pseudo = Pseudo::of_flow(
        response.protocol,
        (response.en, response.en_port),
        host,
        response.dst_port,
        u32::from_be_bytes([a, b, c, d]),
    );
    let refuse = |code, counter| {
        ns.counters.bump(counter);
        reply::send(ns, &response.refused(code), echo);
    };
    let pending = Pending {
        made: ns.timings.start(),
        ..pending
    };
    if ns.pending.insert(pseudo.key(), pending).is_err() {
        ns.counters.bump(Count::Busy);
        return None;
    }
    // For as long as the RCU section lasts, also when the hook that catches the pseudo-packet takes it out.
    let entered = ns.pending.get(&pseudo.key(), guard);
    let drops = conntrack::drops(ns.net());
    let mut fate = Fate::Passed;
    // The second time only if the first one cleared the way.
    for _ in 0..2 {
        let Some(skb) = build(&pseudo) else {
            ns.pending.remove_key(&pseudo.key());
            refuse(Code::NoResource, Count::NoResource);
            return None;
        };
        match skb.inject(ns.net(), host, not_ifindex, guard) {
            Ok(became) => fate = became,
            Err(_) => {
                ns.pending.remove_key(&pseudo.key());
                refuse(Code::NoHost, Count::NoHost);
                return None;
            }
        }
        match ns.pending.get(&pseudo.key(), guard) {
            Some(pending) if pending.again.swap(false, Ordering::Relaxed) => {}
            _ => break,
        }
    }
    // If the pseudo-packet came back translated, the hook there has answered and taken the entry.
    let Some(pending) = ns
        .pending
        .get(&pseudo.key(), guard)
        .filter(|pending| !pending.answered.swap(true, Ordering::Relaxed))
    else {
        return entered.and_then(|pending| pending.mapped.copy());
    };
    match fate {
        Fate::Dropped => {
            ns.pending.remove_key(&pseudo.key());
        }
        // It came back as it was. Only if that was a copy, and it waits in an NFQUEUE itself, it is still to come.
        Fate::Passed
            if pending.bare.load(Ordering::Relaxed) && ns.pending.len() > PENDING_MAX / 2 =>
        {
            ns.pending.remove_key(&pseudo.key());
        }
        // It may wait in an NFQUEUE, and will be caught when it comes, for which the entry stays.
        Fate::Passed => ns.kick(PENDING_MS),
    }
    let full = conntrack::drops(ns.net()) != drops;
    let no_nat = fate == Fate::Passed && pending.bare.load(Ordering::Relaxed);
    match full || no_nat {
        true => refuse(Code::NoResource, Count::NoResource),
        false => refuse(Code::Forbidden, Count::Forbidden),
    }
    None
}

fn build(pseudo: &Pseudo) -> Option<Skb> {
    let len = pseudo.buffer_len()?;
    let mut skb = Skb::alloc(len)?;
    pseudo.emit(skb.writable(len)?).ok()?;
    Some(skb)
}
