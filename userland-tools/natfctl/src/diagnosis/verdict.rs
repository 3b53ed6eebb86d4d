// SPDX-License-Identifier: GPL-2.0

//! What an attempt to connect says about what is wrong, and where.

use std::net::Ipv4Addr;
use std::time::Duration;

use natf::wire::control::{Code, Response};
use natf::wire::icmp;
use natf::wire::ipv4::Protocol;

use crate::diagnosis::attempt::{Answer, Outcome, Seen};
use crate::diagnosis::{Finding, Place, Report, State};
use crate::error::words;

mod data;
mod refusal;

/// What is known beside what was seen.
pub struct Case<'a> {
    /// The private host name.
    pub host: &'a str,
    /// The protocol.
    pub protocol: Protocol,
    /// The port, of TCP and UDP.
    pub port: u16,
    /// The router's addresses.
    pub routers: &'a [Ipv4Addr],
    /// The id of the key that requests for the name are signed with.
    pub key: Option<&'a str>,
    /// What happened.
    pub seen: &'a Seen,
    /// How much a counter of the endpoint has grown meanwhile.
    pub grown: &'a dyn Fn(&str) -> u64,
    /// Whether the router answers a plain ping. Asked only if it answered nothing.
    pub pings: &'a dyn Fn() -> bool,
}

impl Case<'_> {
    /// Adds what was seen to the report, and what is wrong.
    pub fn judge(&self, report: &mut Report) {
        report.finding = self.steps(report);
    }

    fn steps(&self, report: &mut Report) -> Option<Finding> {
        let seen = self.seen;
        let Some((requested, router)) = seen.request else {
            return Some(self.no_request(report));
        };
        let times = if seen.requests == 1 {
            ""
        } else {
            ", more than once"
        };
        let text = format!("{router} is asked for {}{times}", self.host);
        report.timed("request", State::Ok, Some(requested), text);
        let Some((answered, from, answer)) = seen.answer else {
            return Some(self.no_answer(router, report));
        };
        let took = Some(answered.saturating_sub(requested));
        if !self.routers.contains(&from) {
            let text = format!("{from} answers in the place of {router}");
            report.timed("answer", State::Problem, took, text);
            return Some(Finding::new(
                "answered_by_another",
                Place::Way,
                format!("{router} was asked, and {from} answered: a NAT or several uplinks before the router change its address"),
                "a carrier's NAT cannot be passed; with several uplinks, have answers leave by the one that was asked (ip rule add from ADDRESS lookup TABLE)",
            ));
        }
        let wrong = match answer {
            Answer::Plain => self.plain(from, took, report),
            Answer::Response(response) => self.response(from, &response, took, report),
        };
        wrong.or_else(|| self.data(answered, answer, report))
    }

    /// Nothing was asked: the kernel stopped the packet before.
    fn no_request(&self, report: &mut Report) -> Finding {
        let grown = |name| (self.grown)(name) > 0;
        let said = match &self.seen.outcome {
            Outcome::Failed(error) => words(error),
            _ => "nothing".into(),
        };
        let text = format!("nothing was asked; the kernel says: {said}");
        report.step("request", State::Problem, text);
        let routers = self.routers();
        if grown("request_failed") || grown("out_no_route") {
            return Finding::new(
                "request_stopped",
                Place::Here,
                format!("this host does not let the request to {routers} out: it has no route there, or its own firewall drops ICMP echo requests"),
                format!("ip route get {routers}; let ICMP echo requests to it pass in the output chain"),
            );
        }
        if grown("out_unknown") {
            return Finding::new(
                "stale_address",
                Place::Here,
                "the virtual address was forgotten a moment ago (out_unknown)".to_string(),
                "try again; names_evicted in natfctl stats en tells whether more names are asked for than natfctl en limits allows",
            );
        }
        if grown("out_table_full") || grown("hold_full") || grown("no_memory") {
            return Finding::new(
                "table_full",
                Place::Here,
                "natf_en has no room for another flow (out_table_full, hold_full or no_memory)",
                "natfctl en tables says what is full, natfctl en limits changes it",
            );
        }
        Finding::new(
            "no_request",
            Place::Here,
            format!("the packet to the virtual address did not reach natf_en ({said}): this host's own firewall or routing stops it"),
            "look for rules of the output chain about 240.0.0.0/8, and at ip route get of the virtual address",
        )
    }

    /// The router was asked and said nothing that counts.
    fn no_answer(&self, router: Ipv4Addr, report: &mut Report) -> Finding {
        let seen = self.seen;
        let routers = self.routers();
        if seen.cookie {
            report.step(
                "answer",
                State::Problem,
                format!("{router} wants a cookie, and is silent then"),
            );
            return Finding::new(
                "rate_limited",
                Place::Router,
                format!("{router} gets more requests than it may answer: it asked for a cookie, and dropped the request that brought it"),
                "wait; on the router, rate_limited counts, and natfctl router limits raises what one network may ask (source)",
            );
        }
        if let Some(finding) = self.behind_nat() {
            report.step("answer", State::Problem, "none");
            return finding;
        }
        if let Some((from, kind, code)) = seen.complaint {
            let says = complaint(kind, code);
            report.step("answer", State::Problem, format!("{from} says {says}"));
            return Finding::new(
                "router_unreachable",
                Place::Way,
                format!("{from} says of the request to {router}: {says}"),
                format!("is {router} still the address of the router (DDNS)? Else a firewall on the way refuses ICMP echo"),
            );
        }
        report.step("answer", State::Problem, "none");
        if (self.pings)() {
            return Finding::new(
                "requests_lost",
                Place::Way,
                format!("{routers} answers a plain ping, and not the requests of NAT-f: a firewall before it drops them (by length or content), or natf_router does, as malformed, fragmented or too many"),
                "on the router: natfctl stats router --explain; tcpdump -n icmp there tells whether requests arrive",
            );
        }
        Finding::new(
            "router_silent",
            Place::Way,
            format!("{routers} answers neither requests nor a ping"),
            "is it still the address of the router (DDNS), is the router up, natf_router loaded there with a table that is not empty? Else a firewall on the way drops ICMP echo",
        )
    }

    /// A host answers that does not know NAT-f.
    fn plain(
        &self,
        from: Ipv4Addr,
        took: Option<Duration>,
        report: &mut Report,
    ) -> Option<Finding> {
        let state = match self.key.is_some() {
            true => State::Problem,
            false => State::Warning,
        };
        let text = format!("{from} answers as any host does, without NAT-f");
        report.timed("answer", state, took, text);
        if let Some(key) = self.key {
            return Some(Finding::new(
                "unsigned",
                Place::Router,
                format!("{from} answers without NAT-f, and for this name only answers signed with key {key} count"),
                "load natf_router there, with its keys and its table; or is this another host's address by now (DDNS)?",
            ));
        }
        None
    }

    fn response(
        &self,
        from: Ipv4Addr,
        response: &Response,
        took: Option<Duration>,
        report: &mut Report,
    ) -> Option<Finding> {
        if response.code != Code::BadAuth && self.key.is_some() && response.auth.is_none() {
            report.timed(
                "answer",
                State::Problem,
                took,
                format!("{from} does not sign"),
            );
            return Some(self.unsigned(from));
        }
        if response.code == Code::Ok {
            let text = format!("{from} allows {}", self.host);
            report.timed("answer", State::Ok, took, text);
            let text = format!(
                "{}:{} for {} s",
                response.mapped, response.mapped_port, response.lifetime
            );
            let usable = response.mapped_port != 0 && response.lifetime != 0;
            let state = if usable { State::Ok } else { State::Problem };
            report.step("mapping", state, text);
            return (!usable).then(|| self.refused(from, response));
        }
        let text = format!("{from} says {}", response.code);
        report.timed("answer", State::Problem, took, text);
        Some(self.refused(from, response))
    }

    fn unsigned(&self, from: Ipv4Addr) -> Finding {
        let key = self.key.unwrap_or_default();
        Finding::new(
            "unsigned",
            Place::Router,
            format!("{from} does not sign its answer with key {key}, so it does not count"),
            "is it the router? natfctl key list must show the same id on both sides",
        )
    }

    /// The router's address is one that only a NAT leads to, and not one of this host's own network.
    fn behind_nat(&self) -> Option<Finding> {
        let local = self.seen.local.map(|local| *local.ip());
        let inside = self.routers.iter().find_map(|router| {
            let kind = private(*router)?;
            let own = local.and_then(private).is_some();
            (!own).then_some((*router, kind))
        });
        inside.map(|(router, kind)| {
            Finding::new(
                "router_behind_nat",
                Place::Way,
                format!("the DNS says {router} of the router, {kind}: nobody reaches it from outside"),
                "the router is behind another NAT: ask the carrier for a public address, or have the NAT before it send everything on to the router (DMZ host), and register that one's address",
            )
        })
    }

    fn what(&self) -> String {
        match self.protocol {
            Protocol::Tcp => format!("TCP port {}", self.port),
            Protocol::Udp => format!("UDP port {}", self.port),
            _ => "ping".into(),
        }
    }

    fn routers(&self) -> String {
        let all: Vec<_> = self.routers.iter().map(Ipv4Addr::to_string).collect();
        all.join(", ")
    }
}

/// What an address is that no router has towards the internet.
pub fn private(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [100, 64..=127, ..] => Some("an address of a carrier's NAT (RFC 6598)"),
        _ if address.is_private() => Some("a private address (RFC 1918)"),
        _ if address.is_link_local() => Some("a link-local address"),
        _ => None,
    }
}

/// An ICMP error, in the words of RFC 792 and RFC 1812.
fn complaint(kind: u8, code: u8) -> String {
    match (kind, code) {
        (icmp::UNREACHABLE, 0) => "network unreachable".into(),
        (icmp::UNREACHABLE, 1) => "host unreachable".into(),
        (icmp::UNREACHABLE, 2) => "protocol unreachable".into(),
        (icmp::UNREACHABLE, 3) => "port unreachable".into(),
        (icmp::UNREACHABLE, 4) => "fragmentation needed".into(),
        (icmp::UNREACHABLE, 9 | 10 | 13) => "prohibited".into(),
        (icmp::UNREACHABLE, code) => format!("unreachable, code {code}"),
        (icmp::TIME_EXCEEDED, _) => "time to live exceeded".into(),
        (kind, code) => format!("ICMP type {kind} code {code}"),
    }
}

#[cfg(test)]
mod tests;
