// SPDX-License-Identifier: GPL-2.0

//! What the router's refusals mean.

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use natf::wire::control::{Code, Response};

use crate::diagnosis::verdict::Case;
use crate::diagnosis::{Finding, Place};

impl Case<'_> {
    /// Every code that is no mapping.
    pub(super) fn refused(&self, from: Ipv4Addr, response: &Response) -> Finding {
        let host = self.host;
        let what = self.what();
        let at_router = |cause, explanation: String, advice: String| {
            Finding::new(cause, Place::Router, explanation, advice)
        };
        match response.code {
            Code::Denied => at_router(
                "denied",
                format!("{from} denies {what} of {host}: its access control table does not allow it to this host, or has no {host}{}", match self.key {
                    None => ", or wants a key, and this host has none for the name",
                    Some(_) => "",
                }),
                format!("on the router: natfctl act list; natfctl act add {host} ADDRESS allow"),
            ),
            Code::Forbidden => at_router(
                "forbidden",
                format!("the table of {from} allows {host}, but a rule of its firewall, or its routing, drops what {host} sends to this host"),
                "on the router: look for rules of the forward and postrouting chains that stop packets from the inside host to here".into(),
            ),
            Code::NoHost => at_router(
                "no_host",
                format!("the table of {from} has an address for {host} that the router cannot reach from its inside"),
                format!("on the router: natfctl act list tells the address; ip route get must lead to an inside interface. Has {host} another address now?"),
            ),
            Code::NoResource => at_router(
                "no_resource",
                format!("the NAT of {from} gave no mapping: it has no rule that translates {host}, no port or entry left, or there are as many mappings as the table (max) or the limits allow"),
                "on the router: natfctl stats router (limited, en_limited, no_resource) tells which; natfctl doctor looks for the NAT rule".into(),
            ),
            Code::BadProtocol => at_router(
                "bad_protocol",
                format!("{from} does not map this protocol"),
                "use TCP, UDP or ping; is natf_router there older?".into(),
            ),
            Code::BadOption => at_router(
                "bad_option",
                format!("{from} does not understand the request"),
                "bring natf_router there up to the version of natf_en here".into(),
            ),
            Code::BadSource => Finding::new(
                "nat_before_endpoint",
                Place::Way,
                format!(
                    "this host is behind a NAT: {} asked, and {from} saw another address",
                    response.en
                ),
                "NAT-f needs an endpoint with an address of its own: run natf_en on the NAT router of this network, for all hosts behind it",
            ),
            Code::BadAuth => self.bad_auth(from, response),
            Code::Ok => at_router(
                "bad_mapping",
                format!("{from} answers with a mapping that cannot be used"),
                "bring natf_router there up to the version of natf_en here".into(),
            ),
            Code::Cookie | Code::Other(_) => at_router(
                "bad_code",
                format!("{from} answers {}, which this version does not know", response.code),
                "bring natf_en here up to the version of natf_router there".into(),
            ),
        }
    }

    fn bad_auth(&self, from: Ipv4Addr, response: &Response) -> Finding {
        let key = self.key.unwrap_or("none");
        match response.auth {
            None => Finding::new(
                "key_unknown",
                Place::Router,
                format!("{from} does not know the key of this host for the name (id {key})"),
                "natfctl key list must show the same id on both sides: natfctl key add router NAME FILE there, with the same file",
            ),
            Some(stamp) => Finding::new(
                "clock_wrong",
                Place::Here,
                format!("the clocks differ: that of {from} is {}, and it took the request for an old one twice", beside_ours(stamp.time)),
                "set both clocks, best by NTP; natfctl doctor tells whether this one is kept right",
            ),
        }
    }
}

/// A clock in milliseconds since 1970, beside this host's.
fn beside_ours(theirs: u64) -> String {
    let ours = SystemTime::now().duration_since(UNIX_EPOCH);
    let ours = ours.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    let seconds = theirs.abs_diff(ours).saturating_add(500) / 1000;
    let word = if theirs > ours { "ahead" } else { "behind" };
    format!("{seconds} s {word}")
}
