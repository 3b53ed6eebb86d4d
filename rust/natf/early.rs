// SPDX-License-Identifier: GPL-2.0

//! Early data: the first packet of a flow travels in the flow's mapping request, from its transport header on. EN
//! takes it out of a packet and makes its checksum right for the router's address; the router sees whether it is what
//! the request is about, and makes a packet of it again, to the mapped address.

use core::net::Ipv4Addr;

use crate::natf::auth::WINDOW_MS;
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::control::{Request, HEADER_LEN, MAGIC, MAX_LEN};
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::{icmp, tcp, udp};

/// Most bytes that may travel, headers of IPv4 not counted: with the shortest name, and its options' own bytes.
pub const MAX: usize = MAX_LEN - HEADER_LEN - 3 - 8;

/// A packet with a lower hop limit does not travel: its sender counts hops (traceroute), and wants to hear of it, not
/// of the request.
pub const MIN_TTL: u8 = 32;

/// What an endpoint may be told: whether its first packets travel.
pub const EN_CHOICES: [&str; 2] = ["off", "on"];

/// What a router may be told: whose packets it delivers. Nobody's, those of requests that came with a right cookie or
/// signature, all.
pub const ROUTER_CHOICES: [&str; 3] = ["off", "proven", "all"];

/// Whether a router that was told the choice of this number delivers for a request that is `proven` or not.
pub const fn is_wanted(choice: u8, proven: bool) -> bool {
    match choice {
        0 => false,
        1 => proven,
        _ => true,
    }
}

/// How long the router remembers that it has delivered a packet, in milliseconds: longer than requests are repeated;
/// if they are signed, as long as one can be fresh.
pub const fn remembered_ms(signed: bool) -> u64 {
    match signed {
        true => WINDOW_MS.saturating_mul(2).saturating_add(1000),
        false => 10_000,
    }
}

/// The key of a nonce from an address in a table.
pub fn key(nonce: u64, en: Ipv4Addr) -> [u8; 15] {
    let [a, b, c, d, e, f, g, h] = nonce.to_be_bytes();
    let [i, j, k, l] = en.octets();
    [a, b, c, d, e, f, g, h, i, j, k, l, 0, 0, 0]
}

/// Source and destination port of a segment that may be the first of a flow, lengths and flags seen to; of an echo its
/// identifier twice.
fn ports(protocol: Protocol, segment: &[u8]) -> Option<(u16, u16)> {
    match protocol {
        Protocol::Tcp => {
            let packet = tcp::Packet::new_checked(segment).ok()?;
            let flags = packet.flags();
            let opens = flags.syn() && !flags.ack() && !flags.rst() && !flags.fin();
            opens.then(|| (packet.src_port(), packet.dst_port()))
        }
        Protocol::Udp => {
            let packet = udp::Packet::new_checked(segment).ok()?;
            let whole = usize::from(packet.len()) == segment.len();
            whole.then(|| (packet.src_port(), packet.dst_port()))
        }
        Protocol::Icmp => {
            let packet = icmp::Packet::new_checked(segment).ok()?;
            let ident = packet.ident();
            // A request within a request would be one for the router that delivers it, and could have another within.
            let may = packet.is_echo_request() && !packet.data().starts_with(&MAGIC);
            may.then_some((ident, ident))
        }
        Protocol::Other(_) => None,
    }
}

/// What of `packet` may travel. `None`: it must not.
pub fn of_packet<'a>(packet: &'a ipv4::Packet<&[u8]>) -> Option<&'a [u8]> {
    let segment = packet.payload();
    let may = packet.header_len() == ipv4::HEADER_LEN
        && !packet.is_fragment()
        && packet.ttl() >= MIN_TTL
        && segment.len() <= MAX;
    ports(packet.protocol(), segment).filter(|_| may)?;
    Some(segment)
}

/// Makes the checksum of `segment`, which [`of_packet`] took from a packet from `src` to `before`, right for `router`.
/// `partial`: the sender left it to a device, so it is made anew; else one that was wrong stays wrong.
pub fn readdress(
    segment: &mut [u8],
    protocol: Protocol,
    partial: bool,
    src: Ipv4Addr,
    before: Ipv4Addr,
    router: Ipv4Addr,
) {
    let mut delta = Delta::new();
    delta.replace_address(before, router);
    match protocol {
        Protocol::Tcp => {
            if let Ok(mut packet) = tcp::Packet::new_checked(segment) {
                match partial {
                    true => packet.fill_checksum(src, router),
                    false => packet.set_checksum(delta.apply(packet.checksum())),
                }
            }
        }
        Protocol::Udp => {
            if let Ok(mut packet) = udp::Packet::new_checked(segment) {
                match partial {
                    true => packet.fill_checksum(src, router),
                    false => packet.set_checksum(delta.apply_udp(packet.checksum())),
                }
            }
        }
        _ => {
            if let Ok(mut packet) = icmp::Packet::new_checked(segment) {
                if partial {
                    packet.fill_checksum();
                }
            }
        }
    }
}

/// What acknowledges `segment`, the first of a TCP connection: this number, or up to so many more.
pub fn acknowledgment(segment: &[u8]) -> Option<(u32, u32)> {
    let packet = tcp::Packet::new_checked(segment).ok()?;
    let data = u32::try_from(packet.payload().len()).ok()?;
    Some((packet.seq().wrapping_add(1), data))
}

/// Whether `head`, the start of a TCP segment, answers one that [`acknowledgment`] says this of: that is the answer to
/// a SYN.
pub fn acknowledges(head: &[u8], (first, more): (u32, u32)) -> bool {
    tcp::Packet::new_header_checked(head).is_ok_and(|packet| {
        let flags = packet.flags();
        flags.ack() && (flags.syn() || flags.rst()) && packet.ack().wrapping_sub(first) <= more
    })
}

/// Whether `segment` may be the first of the flow that `request` is about, and came as it was sent.
pub fn is_of(request: &Request<'_>, segment: &[u8]) -> bool {
    let Some((src, dst)) = ports(request.protocol, segment) else {
        return false;
    };
    let (en, router) = (request.en, request.router);
    let right =
        match request.protocol {
            Protocol::Tcp => tcp::Packet::new_checked(segment)
                .is_ok_and(|packet| packet.verify_checksum(en, router)),
            Protocol::Udp => udp::Packet::new_checked(segment)
                .is_ok_and(|packet| packet.verify_checksum(en, router)),
            _ => icmp::Packet::new_checked(segment).is_ok_and(|packet| packet.verify_checksum()),
        };
    // The identifier of an echo is in the place of s; d does not count.
    let same =
        src == request.en_port && (dst == request.dst_port || request.protocol == Protocol::Icmp);
    right && same
}

/// The way of a packet that is made again.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// TCP, UDP or ICMP.
    pub protocol: Protocol,
    /// G1.
    pub en: Ipv4Addr,
    /// G2, for which its checksum is right.
    pub router: Ipv4Addr,
    /// The mapped address, and m.
    pub to: (Ipv4Addr, u16),
    /// DSCP and ECN.
    pub tos: u8,
    /// Hop limit.
    pub ttl: u8,
    /// IPv4's identification, for one that may be fragmented.
    pub ident: u16,
}

impl Way {
    /// Puts an IPv4 header before the segment that stands behind 20 bytes of room in `packet`, and has the segment go to
    /// the mapped port. `None`: there is no such segment; the packet is of no use then.
    pub fn prepare(&self, packet: &mut [u8]) -> Option<()> {
        let segment = packet.get_mut(ipv4::HEADER_LEN..)?;
        let (_, before) = ports(self.protocol, segment)?;
        let mut delta = Delta::new();
        delta.replace_address(self.router, self.to.0);
        delta.replace_word(before, self.to.1);
        match self.protocol {
            Protocol::Tcp => {
                let mut packet = tcp::Packet::new_checked(&mut *segment).ok()?;
                packet.set_dst_port(self.to.1);
                packet.set_checksum(delta.apply(packet.checksum()));
            }
            Protocol::Udp => {
                let mut packet = udp::Packet::new_checked(&mut *segment).ok()?;
                packet.set_dst_port(self.to.1);
                packet.set_checksum(delta.apply_udp(packet.checksum()));
            }
            _ => {
                // No address counts for its checksum.
                let mut delta = Delta::new();
                delta.replace_word(before, self.to.1);
                let mut packet = icmp::Packet::new_checked(&mut *segment).ok()?;
                packet.set_ident(self.to.1);
                packet.set_checksum(delta.apply(packet.checksum()));
            }
        }
        let payload_len = u16::try_from(segment.len()).ok()?;
        ipv4::Repr {
            src: self.en,
            dst: self.to.0,
            protocol: self.protocol,
            ttl: self.ttl,
            // TCP is always sent so. A datagram need not be, and a narrow link inside is no reason to lose it.
            dont_fragment: self.protocol == Protocol::Tcp,
            ident: self.ident,
            payload_len,
        }
        .emit(packet)
        .ok()?;
        let mut header = ipv4::Packet::new_checked(packet).ok()?;
        header.set_tos(self.tos);
        header.fill_checksum();
        Some(())
    }
}

#[cfg(test)]
mod tests;
