// SPDX-License-Identifier: GPL-2.0

//! Pseudo-packets: what the router feeds to its NAT, and how it knows them again afterwards.
//!
//! A NAT changes source address and port, and nothing else. So destination and a token that travels in
//! the TCP sequence number or in the UDP data tell which request a translated packet belongs to.

use core::net::Ipv4Addr;

use crate::natf::wire::control::MAGIC;
use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::{tcp, udp, Error, Layer};

/// Hop limit: a pseudo-packet that got out in spite of all would die at the next router.
pub const TTL: u8 = 2;

/// Longest pseudo-packet, in bytes, from the IPv4 header on.
pub const MAX_LEN: usize = 44;

const UDP_DATA_LEN: usize = 16;

/// The packet P1:d -> G1:s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudo {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// P1:d, or after the NAT the mapped address.
    pub src: (Ipv4Addr, u16),
    /// G1:s.
    pub dst: (Ipv4Addr, u16),
    /// Random.
    pub token: u32,
}

impl Pseudo {
    /// Length in bytes, or `None` for a protocol that has no pseudo-packet.
    pub fn buffer_len(&self) -> Option<usize> {
        match self.protocol {
            Protocol::Tcp => Some(ipv4::HEADER_LEN + tcp::HEADER_LEN),
            Protocol::Udp => Some(ipv4::HEADER_LEN + udp::HEADER_LEN + UDP_DATA_LEN),
            _ => None,
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
            _ => {
                let mut data = [0; UDP_DATA_LEN];
                for (to, from) in data
                    .iter_mut()
                    .zip(MAGIC.iter().chain(&self.token.to_be_bytes()))
                {
                    *to = *from;
                }
                udp::Repr {
                    src_port: self.src.1,
                    dst_port: self.dst.1,
                    payload: &data,
                }
                .emit(rest, self.src.0, self.dst.0)
            }
        }
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
                let data = datagram.payload();
                if data.len() != UDP_DATA_LEN {
                    return None;
                }
                let token = data.strip_prefix(&MAGIC)?.first_chunk::<4>()?;
                (
                    datagram.src_port(),
                    datagram.dst_port(),
                    u32::from_be_bytes(*token),
                )
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
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let pseudo = Pseudo { protocol, ..PSEUDO };
            let bytes = forwarded(pseudo);
            assert!(bytes.len() <= MAX_LEN);
            assert_eq!(Pseudo::parse(&bytes), Some(pseudo));
            for len in 0..bytes.len() {
                assert_eq!(Pseudo::parse(&bytes[..len]), None);
            }
        }
        assert_eq!(
            Pseudo {
                protocol: Protocol::Icmp,
                ..PSEUDO
            }
            .buffer_len(),
            None
        );
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
