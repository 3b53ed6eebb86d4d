// SPDX-License-Identifier: GPL-2.0

//! Counters: one for every way a packet can take that is not plain "accept, not ours".

use core::fmt;

/// Names a set of counters. Each has a stable name and one line that explains it to a person.
pub trait Set: Copy + 'static {
    /// Name and explanation, in the order of the discriminants.
    const ALL: &'static [(&'static str, &'static str)];
    /// Place in [`Set::ALL`].
    fn index(self) -> usize;
}

/// An enum and its [`Set`]: of counters here, of stages in [`timings`](crate::natf::timings).
macro_rules! set {
    ($(#[$doc:meta])* $set:ident { $($variant:ident $name:literal $why:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $set { $(#[doc = $why] $variant,)* }

        impl Set for $set {
            const ALL: &'static [(&'static str, &'static str)] = &[$(($name, $why),)*];

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

set! {
    /// What happens to packets on an endpoint.
    En {
        DnsRewritten "dns_rewritten" "DNS answers rewritten to a virtual address",
        DnsMalformed "dns_malformed" "DNS answers that could not be read; passed on unchanged",
        DnsUnasked "dns_unasked" "DNS answers for a configured suffix that no query here asked for, or not that question; passed on unchanged",
        DnsNoRouter "dns_no_router" "DNS answers for a configured suffix with an address that no router has (loopback, multicast, 0.0.0.0); passed on unchanged",
        DnsBypass "dns_bypass" "DNS answers whose AAAA, SVCB or HTTPS records lost their meaning",
        DnsSplit "dns_split" "DNS over TCP: segments that do not hold just one message; passed on unchanged",
        DnsTooLong "dns_too_long" "DNS answers longer than 4096 bytes; passed on unchanged",
        QueriesFull "queries_full" "DNS queries that could not be remembered; their answers will count as unasked",
        QueriesEvicted "queries_evicted" "DNS queries forgotten before their time: their table was nearly full, and they had waited longest",
        NamesEvicted "names_evicted" "names forgotten before their time: their table was nearly full, no flow had them, and they had been unused longest",
        DnsPoolFull "dns_pool_full" "DNS answers passed on unchanged: no virtual address, no table entry or no memory left",
        Held "held" "packets held while their flow is negotiated",
        HoldFull "hold_full" "packets dropped because their flow, or all flows together, hold as many as they may",
        Released "released" "held packets sent on after negotiation",
        RequestSent "request_sent" "mapping requests sent, retransmissions included",
        EarlySent "early_sent" "of these, requests in which their flow's first packet travelled",
        EarlyDelivered "early_delivered" "held packets not sent: they travelled in the request, and the router has delivered them",
        EarlyKept "early_kept" "packets kept until the router has said to which flow they belong; they came before its answer",
        EarlyLost "early_lost" "of such packets, those dropped: too many, or the flow did not come to be",
        CookieSent "cookie_sent" "mapping requests repeated with the cookie that their router asked for",
        RequestFailed "request_failed" "mapping requests that could not be sent (no route, no memory)",
        Mapped "mapped" "flows mapped by a NAT-f router",
        Fallback "fallback" "flows set up directly: their router answered as any host does",
        Denied "denied" "flows refused by the router with an error code",
        Silent "silent" "flows given up because the router did not answer",
        Hurried "hurried" "of these, flows given up early, because nearly as many as may were being negotiated",
        ReplyUnknown "reply_unknown" "NAT-f replies dropped: no negotiation waits for them",
        ReplyMalformed "reply_malformed" "NAT-f replies dropped: malformed, or a mapping that cannot be used",
        AuthWrong "auth_wrong" "NAT-f replies dropped: not signed with the key of their name",
        TranslatedOut "translated_out" "packets translated from a virtual to a mapped address",
        TranslatedIn "translated_in" "packets translated from a mapped to a virtual address",
        ErrorIn "error_in" "ICMP errors about translated packets, translated for the application",
        ErrorOut "error_out" "ICMP errors of this host about translated packets, translated for the router",
        OutUnknown "out_unknown" "packets refused: no name has this virtual address (expired, or never asked for)",
        OutRefused "out_refused" "packets refused because their flow was refused a moment ago",
        OutProtocol "out_protocol" "packets to a virtual address refused: not TCP, UDP or ICMP echo, or a fragment",
        OutTableFull "out_table_full" "packets refused: a table of flows is full, there is no memory, or another flow has the same ports on the wire",
        OutNoRoute "out_no_route" "packets refused or dropped: no route to the mapped address",
        NoMemory "no_memory" "packets dropped because memory was short",
        Expired "expired" "flows ended by close or idle time-out",
        FlowsEvicted "flows_evicted" "flows without answers ended: their table was nearly full, and they had been unused longest",
        Asked "asked" "flows that asked their router again, because nothing was heard or the router changed",
        Kept "kept" "of these, flows whose mapping was still there",
        Moved "moved" "of these, flows that go on by another mapping",
        Broken "broken" "of these, TCP connections that the router lost; they are reset",
        AddressGone "address_gone" "flows ended because their address of this host went away",
    }
}

set! {
    /// What happens to mapping requests on a router.
    Router {
        Mapped "mapped" "requests answered with a mapped address",
        Near "near" "requests answered with the host's own address: no NAT lies between",
        Malformed "malformed" "requests dropped: wrong checksum, version, type, length, name or option, or not meant for the address that it came to",
        Fragment "fragment" "requests dropped: fragmented",
        CookieAsked "cookie_asked" "requests answered with a cookie, and nothing else: too many come, or it matters who asks",
        CookieShown "cookie_shown" "requests that came with their cookie",
        RateLimited "rate_limited" "requests dropped: with their cookies, but too many of one network, or without room for one",
        Authenticated "authenticated" "requests signed with a key that is known",
        BadAuth "bad_auth" "requests refused: their key is unknown, or their signature wrong",
        Stale "stale" "requests refused: signed at another time than now, by our clock",
        BadSource "bad_source" "requests refused: the claimed EN address is not the packet's source",
        BadProtocol "bad_protocol" "requests refused: not TCP, UDP or ICMP echo",
        BadOption "bad_option" "requests refused: an option that must be understood is unknown",
        Denied "denied" "requests refused: the ACT does not allow this flow, or does not know the name",
        Limited "limited" "requests refused: the ACT's entry has as many mappings as it may",
        EnLimited "en_limited" "requests refused: their endpoint has as many mappings as it may",
        NoHost "no_host" "requests refused: no inside interface leads to the ACT's address",
        Forbidden "forbidden" "requests refused: the firewall or routing dropped the pseudo-packet",
        NoResource "no_resource" "requests refused: the NAT has no rule for the host, no port or no entry left, or there is no memory",
        ReplyFailed "reply_failed" "replies that could not be sent (no route, no memory)",
        EarlyDelivered "early_delivered" "requests whose packet was delivered through the mapping",
        EarlyAgain "early_again" "requests whose packet had been delivered already, for an earlier one with the same nonce",
        EarlyWrong "early_wrong" "requests whose packet was ignored: not one of the flow, or its checksum wrong",
        EarlyUnwanted "early_unwanted" "requests whose packet was ignored: the setting, or no memory for it",
        Late "late" "pseudo-packets caught after their request was answered with an error (NFQUEUE)",
        Busy "busy" "requests dropped: too many under way",
    }
}

pub(crate) use set;

/// Writes a line for each counter of a set: name, value, explanation.
pub fn show<S: Set>(out: &mut dyn fmt::Write, value: impl Fn(u32) -> u64) -> fmt::Result {
    for (index, (name, why)) in (0..).zip(S::ALL) {
        writeln!(out, "{name} {} {why}", value(index))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::natf::timings;

    #[test]
    fn every_counter_has_its_own_line() {
        let mut text = String::new();
        show::<Router>(&mut text, u64::from).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), Router::ALL.len());
        let last = lines[Router::Busy.index()];
        assert_eq!(
            last,
            format!(
                "busy {} requests dropped: too many under way",
                lines.len() - 1
            )
        );
    }

    #[test]
    fn names_are_unique_words() {
        let stages = [timings::En::ALL, timings::Router::ALL];
        for all in [En::ALL, Router::ALL].into_iter().chain(stages) {
            let mut names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            assert!(names.iter().all(|name| !name.contains(' ')));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all.len());
        }
    }
}
