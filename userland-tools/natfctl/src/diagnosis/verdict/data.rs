// SPDX-License-Identifier: GPL-2.0

//! What became of the first packet, once the router had answered.

use std::net::Ipv4Addr;
use std::time::Duration;

use natf::wire::icmp;
use natf::wire::ipv4::Protocol;

use crate::diagnosis::attempt::{Answer, Back, Outcome};
use crate::diagnosis::verdict::{complaint, Case};
use crate::diagnosis::{Finding, Place, Report, State};
use crate::error::words;

impl Case<'_> {
    /// The first packet, and what became of it.
    pub(super) fn data(
        &self,
        answered: Duration,
        answer: Answer,
        report: &mut Report,
    ) -> Option<Finding> {
        let seen = self.seen;
        let host = match answer {
            Answer::Plain => "it".to_string(),
            Answer::Response(_) => self.host.to_string(),
        };
        let Some((sent, to, port)) = seen.first else {
            report.step("first packet", State::Problem, "it did not leave this host");
            return Some(self.not_sent());
        };
        let place = match self.protocol {
            Protocol::Icmp => to.to_string(),
            _ => format!("{to}:{port}"),
        };
        if seen.early {
            let text = "it travelled in the request, and the router has delivered it";
            report.step("first packet", State::Ok, text);
        } else {
            let took = Some(sent.saturating_sub(answered));
            report.timed("first packet", State::Ok, took, format!("to {place}"));
        }
        let (back, took) = match seen.back {
            Some((at, back)) => (Some(back), Some(at.saturating_sub(sent))),
            None => (None, None),
        };
        let finding = match back {
            Some(Back::Answer) => {
                report.timed("packet back", State::Ok, took, format!("{host} answers"));
                return self.heard(report);
            }
            Some(Back::Reset) => {
                report.timed("packet back", State::Problem, took, "a reset");
                self.closed(&format!(
                    "{host} refuses {}: nothing listens there, or its own firewall resets",
                    self.what()
                ))
            }
            Some(Back::Error(from, code)) => {
                let says = code.map_or("an ICMP error".into(), |code| {
                    complaint(icmp::UNREACHABLE, code)
                });
                report.timed(
                    "packet back",
                    State::Problem,
                    took,
                    format!("{from} says {says}"),
                );
                self.error_back(from, code, &says)
            }
            None => {
                // Many services say nothing to an empty datagram.
                let state = match self.protocol {
                    Protocol::Udp => State::Warning,
                    _ => State::Problem,
                };
                report.step("packet back", state, "none");
                if state == State::Warning {
                    return None;
                }
                self.dropped()
            }
        };
        match answer {
            Answer::Plain => Some(
                self.behind_nat()
                    .unwrap_or_else(|| self.no_natf(to, &finding)),
            ),
            Answer::Response(_) => Some(finding),
        }
    }

    fn not_sent(&self) -> Finding {
        Finding::new(
            "own_firewall_out",
            Place::Here,
            "the mapping is made, and the first packet did not leave this host: its own firewall drops it (it sees the router's address and port), or its table of flows is full",
            "let the output chain pass packets to the router's address; natfctl stats en tells of out_no_route and out_table_full",
        )
    }

    fn heard(&self, report: &mut Report) -> Option<Finding> {
        match &self.seen.outcome {
            Outcome::Connected(_) => None,
            other => {
                let said = match other {
                    Outcome::Failed(error) => words(error),
                    _ => "it hears nothing".into(),
                };
                report.step("connection", State::Problem, &said);
                Some(Finding::new(
                    "own_firewall_in",
                    Place::Here,
                    format!("the inside host's answer came to this host, and not to the application ({said}): this host's own firewall drops it"),
                    "let the input chain pass ct state established; it sees the router's address",
                ))
            }
        }
    }

    fn closed(&self, explanation: &str) -> Finding {
        Finding::new(
            "inside_refuses",
            Place::Inside,
            explanation,
            "is the service running, on this port, for more than the loopback (ss -ln)? NAT-f itself works",
        )
    }

    fn error_back(&self, from: Ipv4Addr, code: Option<u8>, says: &str) -> Finding {
        match code {
            // Port unreachable.
            Some(3) => self.closed(&format!(
                "{} refuses {}: {from} says {says}",
                self.host,
                self.what()
            )),
            // Network, host; of them unknown.
            Some(0 | 1 | 6 | 7) => Finding::new(
                "inside_unreachable",
                Place::Inside,
                format!("the mapping is made, and {from} says {says}: {} is off, or has another address than the table says", self.host),
                "on the router: natfctl act list tells the address; ping it from there",
            ),
            _ => Finding::new(
                "data_refused",
                Place::Router,
                format!("the mapping is made, and the first packet is refused: {from} says {says}"),
                "let the router's forward chain pass ct state established,related",
            ),
        }
    }

    fn dropped(&self) -> Finding {
        Finding::new(
            "data_dropped",
            Place::Router,
            format!("the mapping is made, and nothing comes back for the first packet: the router's firewall drops it, or the answer of {}; or that host is off or silent", self.host),
            "let the router's forward chain pass ct state established,related; on the router, natfctl show mappings and tcpdump on the inside interface tell how far it comes",
        )
    }

    /// A host without NAT-f was talked to directly, and that did not work either.
    fn no_natf(&self, to: Ipv4Addr, why: &Finding) -> Finding {
        let what = match why.cause {
            "inside_refuses" => "is closed there",
            _ => "does not answer there",
        };
        Finding::new(
            "no_natf",
            Place::Router,
            format!("{to} answers ping but does not know NAT-f, so it was talked to directly, and {} {what}", self.what()),
            format!("on the router: is natf_router loaded, its table not empty? If it is, ip address there must show {to}: else a NAT before it (of the carrier, say) answers in its place"),
        )
    }
}
