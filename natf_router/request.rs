// SPDX-License-Identifier: GPL-2.0

//! A mapping request comes in: checked, looked up in the access control table, and turned into a
//! pseudo-packet. The order of the checks is that of docs/protocol.md.

use core::net::Ipv4Addr;

use crate::linux::clock;
use crate::linux::hook::{self, Point, State, Verdict};
use crate::linux::netns::Netns;
use crate::linux::route;
use crate::linux::skb::Skb;
use crate::natf::act;
use crate::natf::counters::Router as Count;
use crate::natf::pseudo::Pseudo;
use crate::natf::wire::control::{self, Code, Message, Request, Response, MAGIC};
use crate::natf::wire::icmp;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::reply;
use crate::router::{Pending, Router};

/// PRE_ROUTING, after defragmentation (-400), before raw (-300), conntrack (-200) and every rule of the
/// user: a router that drops pings from outside still answers requests.
pub(crate) struct Hook;

impl hook::Hook<Router> for Hook {
    const POINT: Point = Point::PreRouting;
    const PRIORITY: i32 = -350;

    fn handle(ns: &Netns<Router>, mut skb: Skb, state: &State<'_>) -> Verdict {
        let Some(dst) = request_to(&mut skb) else {
            return Verdict::Accept(skb);
        };
        if ns.act.get().is_empty() || !route::is_own_address(ns.net(), dst) {
            return Verdict::Accept(skb);
        }
        match check(ns, &mut skb) {
            Checked::Plain => Verdict::Accept(skb),
            Checked::Dropped(counter) => {
                ns.counters.bump(counter);
                Verdict::Drop(skb)
            }
            Checked::Answered(pending, code, counter) => {
                ns.counters.bump(counter);
                reply::send(ns, &pending.refused(code), pending.echo);
                skb.consume();
                Verdict::Stolen
            }
            Checked::Allowed(pending) => {
                make_mapping(ns, pending, state.input_ifindex());
                skb.consume();
                Verdict::Stolen
            }
        }
    }
}

/// The destination of a packet that looks like a request at first sight. Cheap for all others.
fn request_to(skb: &mut Skb) -> Option<Ipv4Addr> {
    let ip = ipv4::Packet::new_header_checked(skb.head(ipv4::HEADER_LEN)?).ok()?;
    if ip.protocol() != Protocol::Icmp || ip.fragment_offset() != 0 {
        return None;
    }
    let (start, dst) = (ip.header_len(), ip.dst());
    let magic = start.checked_add(icmp::HEADER_LEN)?;
    let head = skb.head(magic.checked_add(MAGIC.len())?)?;
    (head.get(start) == Some(&icmp::ECHO_REQUEST) && head.ends_with(&MAGIC)).then_some(dst)
}

/// What a request is worth.
enum Checked {
    /// Not for us.
    Plain,
    /// Not worth an answer.
    Dropped(Count),
    /// Refused.
    Answered(Pending, Code, Count),
    /// A mapping is to be made.
    Allowed(Pending),
}

impl Pending {
    /// The answer that refuses.
    fn refused(&self, code: Code) -> Response {
        Response {
            code,
            ..self.response
        }
    }
}

fn check(ns: &Netns<Router>, skb: &mut Skb) -> Checked {
    const MAX: usize = 60 + icmp::HEADER_LEN + control::MAX_LEN;
    let len = skb.len().min(MAX);
    let malformed = Checked::Dropped(Count::Malformed);
    let Some(head) = skb.head(len) else {
        return malformed;
    };
    let Ok(ip) = ipv4::Packet::new_checked(head) else {
        return malformed;
    };
    if ip.is_fragment() {
        return Checked::Dropped(Count::Fragment);
    }
    let Ok(echo) = icmp::Packet::new_checked(ip.payload()) else {
        return malformed;
    };
    if !echo.verify_checksum() {
        return malformed;
    }
    match Message::classify(echo.data()) {
        Message::NotNatf => Checked::Plain,
        Message::Request(request) if request.router == ip.dst() => {
            decide(ns, &request, ip.src(), (echo.ident(), echo.seq()))
        }
        _ => malformed,
    }
}

/// A well-formed request: may it be, and to which host?
fn decide(ns: &Netns<Router>, request: &Request<'_>, src: Ipv4Addr, echo: (u16, u16)) -> Checked {
    let pending = |host| Pending {
        host,
        response: Response::to(request, Code::Ok),
        echo,
    };
    let refuse = |code, counter| Checked::Answered(pending(Ipv4Addr::UNSPECIFIED), code, counter);
    if request.en != src {
        return refuse(Code::BadSource, Count::BadSource);
    }
    if !matches!(request.protocol, Protocol::Tcp | Protocol::Udp) {
        return refuse(Code::BadProtocol, Count::BadProtocol);
    }
    if request.unknown_critical.is_some() {
        return refuse(Code::BadOption, Count::BadOption);
    }
    let act = ns.act.get();
    let entry = act.iter().find(|entry| entry.name == request.name);
    match act::decide(entry) {
        Ok(host) => Checked::Allowed(pending(host)),
        Err(code) => refuse(code, Count::Denied),
    }
}

/// Sends the pseudo-packet through the NAT. When this returns, the request was answered.
fn make_mapping(ns: &Netns<Router>, pending: Pending, not_ifindex: i32) {
    let response = &pending.response;
    let [a, b, c, d, ..] = clock::random_u64().to_be_bytes();
    let pseudo = Pseudo {
        protocol: response.protocol,
        src: (pending.host, response.dst_port),
        dst: (response.en, response.en_port),
        token: u32::from_be_bytes([a, b, c, d]),
    };
    let Some(skb) = build(&pseudo) else {
        return fail(ns, &pending, Code::NoResource, Count::NoResource);
    };
    if ns.pending.insert(pseudo.key(), pending).is_err() {
        return ns.counters.bump(Count::Busy);
    }
    let injected = skb.inject(ns.net(), pending.host, not_ifindex);
    // If the pseudo-packet came back, the hook there has answered and taken the entry.
    if !ns.pending.remove(&pseudo.key()) {
        return;
    }
    match injected {
        Ok(()) => fail(ns, &pending, Code::Forbidden, Count::Forbidden),
        Err(_) => fail(ns, &pending, Code::NoHost, Count::NoHost),
    }
}

fn fail(ns: &Netns<Router>, pending: &Pending, code: Code, counter: Count) {
    ns.counters.bump(counter);
    reply::send(ns, &pending.refused(code), pending.echo);
}

fn build(pseudo: &Pseudo) -> Option<Skb> {
    let len = pseudo.buffer_len()?;
    let mut skb = Skb::alloc(len)?;
    pseudo.emit(skb.writable(len)?).ok()?;
    Some(skb)
}
