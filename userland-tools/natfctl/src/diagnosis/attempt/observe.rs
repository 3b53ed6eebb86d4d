// SPDX-License-Identifier: GPL-2.0

//! What a packet that went by says about the attempt.

use std::net::Ipv4Addr;
use std::time::Duration;

use natf::quoted::Quoted;
use natf::wire::control::{Code, Message};
use natf::wire::icmp;
use natf::wire::ipv4::{self, Protocol};
use natf::wire::{tcp, udp};

use crate::diagnosis::attempt::{Answer, Attempt, Back, Seen, Target};
use crate::diagnosis::tap::Packet;

impl Attempt {
    /// Notes what `packet` says. `None`: it is none of ours.
    pub(super) fn note(
        &self,
        target: &Target<'_>,
        packet: &Packet,
        after: Duration,
        seen: &mut Seen,
    ) -> Option<()> {
        let ip = ipv4::Packet::new_checked(packet.bytes.as_slice()).ok()?;
        let place = seen.answer.and_then(|(_, from, answer)| match answer {
            Answer::Plain => Some((from, target.port)),
            Answer::Response(response) => {
                (response.code == Code::Ok).then_some((response.mapped, response.mapped_port))
            }
        });
        // What answers a packet that travelled in the request may come before the router's own answer.
        let is_back = |from: Ipv4Addr, port: u16| match place {
            Some(place) => place == (from, port),
            None => target.routers.contains(&from),
        };
        let mut out = |to: Ipv4Addr, port: u16| {
            if seen.first.is_none() && place.is_some_and(|place| place.0 == to) {
                seen.first = Some((after, to, port));
            }
        };
        match ip.protocol() {
            Protocol::Icmp => return self.note_icmp(target, &ip, &packet.bytes, after, seen),
            Protocol::Tcp => {
                let segment = tcp::Packet::new_header_checked(ip.payload()).ok()?;
                if segment.src_port() == self.port {
                    out(ip.dst(), segment.dst_port());
                } else if is_back(ip.src(), segment.src_port()) && seen.back.is_none() {
                    let back = match segment.flags().rst() {
                        true => Back::Reset,
                        false => Back::Answer,
                    };
                    seen.back = Some((after, back));
                }
            }
            Protocol::Udp => {
                let datagram = udp::Packet::new_header_checked(ip.payload()).ok()?;
                if datagram.src_port() == self.port {
                    out(ip.dst(), datagram.dst_port());
                } else if is_back(ip.src(), datagram.src_port()) && seen.back.is_none() {
                    seen.back = Some((after, Back::Answer));
                }
            }
            Protocol::Other(_) => {}
        }
        Some(())
    }

    fn note_icmp(
        &self,
        target: &Target<'_>,
        ip: &ipv4::Packet<&[u8]>,
        bytes: &[u8],
        after: Duration,
        seen: &mut Seen,
    ) -> Option<()> {
        let message = icmp::Packet::new_checked(ip.payload()).ok()?;
        let is_own =
            |protocol: Protocol, port: u16| protocol == target.protocol && port == self.port;
        if let Some(quoted) = Quoted::parse(bytes) {
            let sent = quoted.sent;
            let code = (message.kind() == icmp::UNREACHABLE).then(|| message.code());
            // A request that was too long is sent again without the first packet.
            let too_long = code == Some(icmp::CODE_FRAGMENTATION_NEEDED);
            if target.routers.contains(&sent.remote.0)
                && sent.protocol == Protocol::Icmp
                && seen.answer.is_none()
                && !too_long
            {
                seen.complaint
                    .get_or_insert((ip.src(), message.kind(), message.code()));
            } else if sent.protocol == target.protocol
                && (sent.local.1 == self.port || sent.protocol == Protocol::Icmp)
                && seen.first.is_some_and(|first| first.1 == sent.remote.0)
            {
                seen.back
                    .get_or_insert((after, Back::Error(ip.src(), code)));
            }
            return None;
        }
        if message.is_echo_request() {
            match Message::classify(message.data()) {
                Message::Request(asked) if is_own(asked.protocol, asked.en_port) => {
                    seen.requests += 1;
                    seen.request.get_or_insert((after, ip.dst()));
                }
                _ if message.data() == self.token && seen.first.is_none() => {
                    seen.first = Some((after, ip.dst(), message.ident()));
                }
                _ => {}
            }
        } else if message.is_echo_reply() {
            let answer = match Message::classify(message.data()) {
                Message::Response(said) if is_own(said.protocol, said.en_port) => {
                    Answer::Response(said)
                }
                Message::Request(asked) if is_own(asked.protocol, asked.en_port) => Answer::Plain,
                _ if message.data() == self.token => {
                    seen.back.get_or_insert((after, Back::Answer));
                    return None;
                }
                _ => return None,
            };
            match answer {
                Answer::Response(said) if said.code == Code::Cookie => seen.cookie = true,
                _ if counts_more(seen.answer, answer) => {
                    seen.answer = Some((after, ip.src(), answer));
                    // The first packet has travelled in the request, and is not sent any more.
                    if let Answer::Response(said) = answer {
                        if said.delivered && seen.first.is_none() {
                            seen.first = Some((after, said.mapped, said.mapped_port));
                            seen.early = true;
                        }
                    }
                }
                _ => {}
            }
        }
        Some(())
    }
}

/// The first answer counts; but one that only tells the time is followed by another.
fn counts_more(before: Option<(Duration, Ipv4Addr, Answer)>, now: Answer) -> bool {
    match before {
        None => true,
        Some((_, _, Answer::Response(before))) if before.code == Code::BadAuth => {
            !matches!(now, Answer::Response(now) if now.code == Code::BadAuth)
        }
        Some(_) => false,
    }
}
