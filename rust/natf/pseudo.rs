// SPDX-License-Identifier: GPL-2.0

//! Pseudo-packets: what the router feeds to its NAT, and how it knows them again afterwards.
//!
//! A NAT changes source address and port, and nothing else. So destination and a token that travels in
//! the TCP sequence number or in the data of UDP and ICMP tell which request a translated packet belongs to.

use core::net::Ipv4Addr;

use crate::natf::wire::control::MAGIC;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::{icmp, tcp, udp, Error, Layer};

/// Hop limit: a pseudo-packet that got out in spite of all would die at the next router.
pub const TTL: u8 = 2;

/// Longest pseudo-packet, in bytes, from the IPv4 header on.
pub const MAX_LEN: usize = 44;

/// Bytes of data in a UDP or ICMP one: the magic, the token, zeros.
const DATA_LEN: usize = 16;

/// The packet P1:d -> G1:s; with ICMP an echo request, in which s is where d is else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudo {
    /// TCP, UDP or ICMP.
    pub protocol: Protocol,
    /// P1:d, or P1 and the echo id; after the NAT the mapped address.
    pub src: (Ipv4Addr, u16),
    /// G1:s, or G1 and 0.
    pub dst: (Ipv4Addr, u16),
    /// Random.
    pub token: u32,
}

impl Pseudo {
    /// The packet for a flow from `en` (G1:s) to port `port` (d) of `host` (P1).
    pub fn of_flow(
        protocol: Protocol,
        en: (Ipv4Addr, u16),
        host: Ipv4Addr,
        port: u16,
        token: u32,
    ) -> Self {
        // An echo has one id, and a NAT changes it.
        let (src, dst) = match protocol {
            Protocol::Icmp => ((host, en.1), (en.0, 0)),
            _ => ((host, port), en),
        };
        Pseudo {
            protocol,
            src,
            dst,
            token,
        }
    }

    /// Length in bytes, or `None` for a protocol that has no pseudo-packet.
    pub fn buffer_len(&self) -> Option<usize> {
        match self.protocol {
            Protocol::Tcp => Some(ipv4::HEADER_LEN + tcp::HEADER_LEN),
            Protocol::Udp | Protocol::Icmp => Some(MAX_LEN),
            Protocol::Other(_) => None,
        }
    }

    /// Writes the packet to the start of `buffer`.
    pub fn emit(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let payload_len = match self.protocol {
            Protocol::Tcp => 20,
            _ => 24,
        };
        let header = ipv4::Repr {
            src: self.src.0,
            dst: self.dst.0,
            protocol: self.protocol,
            ttl: TTL,
            dont_fragment: true,
            ident: 0,
            payload_len,
        };
        header.emit(buffer)?;
        let rest = buffer
            .get_mut(ipv4::HEADER_LEN..)
            .ok_or(Error::Truncated(Layer::Ipv4))?;
        match self.protocol {
            Protocol::Tcp => tcp::SynRepr {
                src_port: self.src.1,
                dst_port: self.dst.1,
                seq: self.token,
                window: u16::MAX,
            }
            .emit(rest, self.src.0, self.dst.0),
            Protocol::Icmp => icmp::EchoRepr {
                reply: false,
                ident: self.src.1,
                seq: 0,
                data: &self.data(),
            }
            .emit(rest),
            _ => udp::Repr {
                src_port: self.src.1,
                dst_port: self.dst.1,
                payload: &self.data(),
            }
            .emit(rest, self.src.0, self.dst.0),
        }
    }

    fn data(&self) -> [u8; DATA_LEN] {
        let [m0, m1, m2, m3] = MAGIC;
        let [t0, t1, t2, t3] = self.token.to_be_bytes();
        [m0, m1, m2, m3, t0, t1, t2, t3, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// Reads a packet that may be one. `None`: it cannot be. Any other SYN looks like one: the token
    /// tells. The TTL does not: rules of the user may have changed it.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let ip = ipv4::Packet::new_checked(packet).ok()?;
        if ip.is_fragment() {
            return None;
        }
        let (src_port, dst_port, token) = match ip.protocol() {
            Protocol::Tcp => {
                let segment = tcp::Packet::new_checked(ip.payload()).ok()?;
                let syn = tcp::SynRepr::parse(&segment)?;
                (syn.src_port, syn.dst_port, syn.seq)
            }
            Protocol::Udp => {
                let datagram = udp::Packet::new_checked(ip.payload()).ok()?;
                let token = token(datagram.payload())?;
                (datagram.src_port(), datagram.dst_port(), token)
            }
            Protocol::Icmp => {
                let message = icmp::Packet::new_checked(ip.payload()).ok()?;
                let echo = icmp::EchoRepr::parse(&message).filter(|echo| !echo.reply)?;
                (echo.ident, 0, token(echo.data)?)
            }
            _ => return None,
        };
        Some(Pseudo {
            protocol: ip.protocol(),
            src: (ip.src(), src_port),
            dst: (ip.dst(), dst_port),
            token,
        })
    }

    /// The key of a hash table: all but the source, padded with zeros.
    pub fn key(&self) -> [u8; 15] {
        let [a, b, c, d] = self.dst.0.octets();
        let [p0, p1] = self.dst.1.to_be_bytes();
        let [t0, t1, t2, t3] = self.token.to_be_bytes();
        let protocol = u8::from(self.protocol);
        [a, b, c, d, p0, p1, protocol, 0, t0, t1, t2, t3, 0, 0, 0]
    }
}

/// The token in the data of a UDP or ICMP one.
fn token(data: &[u8]) -> Option<u32> {
    let token = data.strip_prefix(&MAGIC)?.first_chunk::<4>()?;
    (data.len() == DATA_LEN).then(|| u32::from_be_bytes(*token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PSEUDO: Pseudo = Pseudo {
        protocol: Protocol::Tcp,
        src: (Ipv4Addr::new(192, 168, 0, 10), 80),
        dst: (Ipv4Addr::new(198, 51, 100, 2), 40_000),
        token: 0xdead_beef,
    };

    /// Built, forwarded by one hop.
    fn forwarded(pseudo: Pseudo) -> Vec<u8> {
        let mut bytes = vec![0; pseudo.buffer_len().unwrap()];
        pseudo.emit(&mut bytes).unwrap();
        let mut ip = ipv4::Packet::new_checked(&mut bytes).unwrap();
        ip.set_ttl(TTL - 1);
        ip.fill_checksum();
        bytes
    }

    #[test]
    fn what_was_built_is_known_again() {
        let (en, host) = (PSEUDO.dst, PSEUDO.src.0);
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Icmp] {
            let pseudo = Pseudo::of_flow(protocol, en, host, 80, 0xdead_beef);
            assert_eq!(pseudo == PSEUDO, protocol == Protocol::Tcp);
            let bytes = forwarded(pseudo);
            assert!(bytes.len() <= MAX_LEN);
            assert_eq!(Pseudo::parse(&bytes), Some(pseudo));
            for len in 0..bytes.len() {
                assert_eq!(Pseudo::parse(&bytes[..len]), None);
            }
        }
        let other = Pseudo {
            protocol: Protocol::Other(132),
            ..PSEUDO
        };
        assert_eq!(other.buffer_len(), None);
    }

    #[test]
    fn an_echo_is_known_whatever_its_id_has_become() {
        let of = |port| {
            Pseudo::of_flow(
                Protocol::Icmp,
                (PSEUDO.dst.0, 7),
                PSEUDO.src.0,
                port,
                PSEUDO.token,
            )
        };
        assert_eq!(of(7), of(8));
        assert_eq!(of(7).src, (PSEUDO.src.0, 7));
        let mut bytes = forwarded(of(7));
        let mut message = icmp::Packet::new_checked(&mut bytes[20..]).unwrap();
        message.set_ident(61_000);
        message.fill_checksum();
        let mapped = Pseudo::parse(&bytes).unwrap();
        assert_eq!(mapped.src.1, 61_000);
        assert_eq!(mapped.key(), of(7).key());
        assert_ne!(mapped.key(), PSEUDO.key());
        // Its answer is none.
        bytes[20] = icmp::ECHO_REPLY;
        assert_eq!(Pseudo::parse(&bytes), None);
    }

    #[test]
    fn a_nat_may_change_the_source_only() {
        let mapped = Pseudo {
            src: (Ipv4Addr::new(203, 0, 113, 2), 61_000),
            ..PSEUDO
        };
        assert_eq!(mapped.key(), PSEUDO.key());
        for other in [
            Pseudo {
                dst: (PSEUDO.dst.0, 1),
                ..PSEUDO
            },
            Pseudo {
                dst: (PSEUDO.src.0, 40_000),
                ..PSEUDO
            },
            Pseudo { token: 1, ..PSEUDO },
            Pseudo {
                protocol: Protocol::Udp,
                ..PSEUDO
            },
        ] {
            assert_ne!(other.key(), PSEUDO.key());
        }
    }

    #[test]
    fn ordinary_packets_are_not_taken_for_one() {
        let mut reset = forwarded(PSEUDO);
        reset[33] = 0x14;
        assert_eq!(Pseudo::parse(&reset), None);
    }
}
