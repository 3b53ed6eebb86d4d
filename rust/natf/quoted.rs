// SPDX-License-Identifier: GPL-2.0

//! The packet that an ICMP error quotes (RFC 792): the start of one that somebody could not deliver.
//!
//! It quotes what was on the wire, so it must be translated like the packet itself, or the application
//! never hears of it and path-MTU discovery is dead.

use core::net::Ipv4Addr;

use crate::natf::vat::FlowId;
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::icmp;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::ports;

/// Bytes of the quoted transport header that are there for sure, and all that is looked at.
const TRANSPORT_LEN: usize = 8;

/// Longest start of a packet that [`Quoted::parse`] needs: two headers with options, and two of eight bytes.
pub const MAX_LEN: usize = 60 + icmp::HEADER_LEN + 60 + TRANSPORT_LEN;

/// Which end of the quoted packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Source address and port.
    Source,
    /// Destination address and port.
    Destination,
}

/// Where the quoted packet is, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Where the ICMP header starts, in bytes from the IPv4 header.
    icmp: usize,
    /// Where the quoted IPv4 header starts.
    inner: usize,
    /// Where the quoted transport header starts.
    transport: usize,
    /// The flow of the quoted packet as its sender sees it.
    pub sent: FlowId,
}

impl Quoted {
    /// Reads the start of a packet ([`MAX_LEN`] bytes, or all if it is shorter). `None`: no ICMP error, or
    /// it does not quote the start of a TCP or UDP packet or of an ICMP echo.
    pub fn parse(head: &[u8]) -> Option<Self> {
        let outer = ipv4::Packet::new_header_checked(head).ok()?;
        if outer.protocol() != Protocol::Icmp || outer.is_fragment() {
            return None;
        }
        let icmp = outer.header_len();
        if !icmp::Packet::new_checked(head.get(icmp..)?)
            .ok()?
            .is_error()
        {
            return None;
        }
        let inner = icmp.checked_add(icmp::HEADER_LEN)?;
        let quoted = head.get(inner..)?;
        let ip = ipv4::Packet::new_header_checked(quoted).ok()?;
        let rest = quoted.get(ip.header_len()..)?;
        if ip.fragment_offset() != 0 || rest.len() < TRANSPORT_LEN {
            return None;
        }
        let (src, dst) = match ip.protocol() {
            Protocol::Tcp | Protocol::Udp => ports(rest)?,
            Protocol::Icmp => {
                let echo = icmp::Packet::new_checked(rest).ok()?;
                let is_echo = echo.is_echo_request() || echo.is_echo_reply();
                is_echo.then(|| (echo.ident(), echo.ident()))?
            }
            _ => return None,
        };
        Some(Quoted {
            icmp,
            inner,
            transport: inner.checked_add(ip.header_len())?,
            sent: FlowId {
                protocol: ip.protocol(),
                local: (ip.src(), src),
                remote: (ip.dst(), dst),
            },
        })
    }

    /// How many bytes of the packet [`Quoted::rewrite`] may change.
    pub fn writable_len(&self) -> usize {
        self.transport.saturating_add(TRANSPORT_LEN)
    }

    /// Makes one end of the quoted packet `to`, and mends its header checksum and that of the ICMP
    /// message. (The quoted transport checksum stays: nobody can verify it, half of its packet is missing.)
    /// `None`: `packet` is not the one that was parsed.
    pub fn rewrite(&self, packet: &mut [u8], end: End, to: (Ipv4Addr, u16)) -> Option<()> {
        let (address, port) = match end {
            End::Source => (12, 0),
            End::Destination => (16, 2),
        };
        // An echo has one identifier, for both ends.
        let port = match self.sent.protocol {
            Protocol::Icmp => 4,
            _ => port,
        };
        let mut message = Delta::new();
        let mut header = Delta::new();
        let mut put = |packet: &mut [u8], at: usize, new: &[u8], header: Option<&mut Delta>| {
            let place = packet.get_mut(at..)?.get_mut(..new.len())?;
            if let Some(header) = header {
                header.replace(0, place, new);
            }
            message.replace(0, place, new);
            place.copy_from_slice(new);
            Some(())
        };
        let at = self.inner.checked_add(address)?;
        put(packet, at, &to.0.octets(), Some(&mut header))?;
        let sum_at = self.inner.checked_add(10)?;
        let sum = u16::from_be_bytes(*packet.get(sum_at..)?.first_chunk()?);
        put(packet, sum_at, &header.apply(sum).to_be_bytes(), None)?;
        let at = self.transport.checked_add(port)?;
        put(packet, at, &to.1.to_be_bytes(), None)?;

        let mut icmp = icmp::Packet::new_checked(packet.get_mut(self.icmp..)?).ok()?;
        let sum = message.apply(icmp.checksum());
        icmp.set_checksum(sum);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const G1: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 2), 40_000);
    const MAPPED: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 2), 61_000);
    const V: (Ipv4Addr, u16) = (Ipv4Addr::new(240, 0, 1, 2), 80);

    fn header(src: Ipv4Addr, dst: Ipv4Addr, protocol: Protocol, payload_len: u16) -> [u8; 20] {
        let mut bytes = [0; 20];
        ipv4::Repr {
            src,
            dst,
            protocol,
            ttl: 64,
            dont_fragment: true,
            ident: 7,
            payload_len,
        }
        .emit(&mut bytes)
        .unwrap();
        bytes
    }

    /// "Fragmentation needed" of the router, about a TCP packet from G1 to the mapped address.
    fn error(kind: u8) -> Vec<u8> {
        let mut message = vec![kind, 4, 0, 0, 0, 0, 5, 0];
        message.extend(header(G1.0, MAPPED.0, Protocol::Tcp, 1480));
        message.extend(G1.1.to_be_bytes());
        message.extend(MAPPED.1.to_be_bytes());
        message.extend([1, 2, 3, 4]);
        icmp::Packet::new_checked(&mut message)
            .unwrap()
            .fill_checksum();
        let mut packet = header(MAPPED.0, G1.0, Protocol::Icmp, message.len() as u16).to_vec();
        packet.extend(message);
        packet
    }

    #[test]
    fn the_quoted_flow_is_found() {
        let quoted = Quoted::parse(&error(3)).unwrap();
        assert_eq!((quoted.sent.local, quoted.sent.remote), (G1, MAPPED));
        assert_eq!(quoted.writable_len(), 56);
        assert!(quoted.writable_len() <= MAX_LEN);
    }

    #[test]
    fn what_is_no_error_quotes_nothing() {
        assert_eq!(Quoted::parse(&error(icmp::ECHO_REQUEST)), None);
        let bytes = error(3);
        for len in 0..bytes.len() {
            assert_eq!(Quoted::parse(&bytes[..len]), None, "{len}");
        }
        let mut fragment = bytes.clone();
        fragment[28 + 7] = 1;
        assert_eq!(Quoted::parse(&fragment), None);
    }

    #[test]
    fn rewriting_keeps_every_checksum_right() {
        for end in [End::Source, End::Destination] {
            let before = error(11);
            let mut bytes = before.clone();
            let quoted = Quoted::parse(&bytes).unwrap();
            quoted.rewrite(&mut bytes, end, V).unwrap();
            let sent = Quoted::parse(&bytes).unwrap().sent;
            let (local, remote) = match end {
                End::Source => (V, MAPPED),
                End::Destination => (G1, V),
            };
            assert_eq!((sent.local, sent.remote), (local, remote));
            assert!(ipv4::Packet::new_header_checked(&bytes[28..])
                .unwrap()
                .verify_checksum());
            assert!(icmp::Packet::new_checked(&bytes[20..])
                .unwrap()
                .verify_checksum());
            assert_eq!(
                bytes[..20],
                before[..20],
                "the outer header is not its business"
            );
            quoted
                .rewrite(
                    &mut bytes,
                    end,
                    if end == End::Source { G1 } else { MAPPED },
                )
                .unwrap();
            assert_eq!(bytes, before, "there and back");
        }
    }

    #[test]
    fn a_quoted_echo_is_translated_by_its_identifier() {
        let mut message = vec![11, 0, 0, 0, 0, 0, 0, 0];
        message.extend(header(G1.0, MAPPED.0, Protocol::Icmp, 8));
        message.extend([icmp::ECHO_REQUEST, 0, 0, 0, 0x12, 0x34, 0, 1]);
        icmp::Packet::new_checked(&mut message)
            .unwrap()
            .fill_checksum();
        let mut bytes = header(MAPPED.0, G1.0, Protocol::Icmp, 36).to_vec();
        bytes.extend(message);
        let quoted = Quoted::parse(&bytes).unwrap();
        assert_eq!(quoted.sent.local, (G1.0, 0x1234));
        quoted
            .rewrite(&mut bytes, End::Destination, (V.0, 7))
            .unwrap();
        assert_eq!(bytes[48..56], [icmp::ECHO_REQUEST, 0, 0, 0, 0, 7, 0, 1]);
        assert_eq!(Quoted::parse(&bytes).unwrap().sent.remote, (V.0, 7));
        assert!(icmp::Packet::new_checked(&bytes[20..])
            .unwrap()
            .verify_checksum());
        // An error about an error is none.
        bytes[48] = 3;
        assert_eq!(Quoted::parse(&bytes), None);
    }

    #[test]
    fn another_packet_is_not_written_beyond_its_end() {
        let quoted = Quoted::parse(&error(3)).unwrap();
        for len in 0..56 {
            let mut short = vec![0; len];
            let _ = quoted.rewrite(&mut short, End::Source, V);
        }
    }
}
