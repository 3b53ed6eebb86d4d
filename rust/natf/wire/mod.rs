// SPDX-License-Identifier: GPL-2.0

//! The wire formats, one protocol per file.
//!
//! A `Packet<T>` is a view of a buffer. Its `new_checked` compares every length the packet claims
//! with the buffer, once; after that the accessors cannot fail. A `Repr` is a packet as plain values,
//! for the packets that NAT-f makes itself.

use core::fmt;

pub mod checksum;
pub mod control;
pub mod dns;
mod field;
pub mod icmp;
pub mod ipv4;
pub mod tcp;
pub mod udp;

/// The protocol whose header an [`Error`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// IPv4, RFC 791.
    Ipv4,
    /// ICMP, RFC 792.
    Icmp,
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
}

impl Layer {
    fn name(self) -> &'static str {
        match self {
            Layer::Ipv4 => "IPv4",
            Layer::Icmp => "ICMP",
            Layer::Tcp => "TCP",
            Layer::Udp => "UDP",
        }
    }
}

/// Why bytes are not the packet they should be. It names the layer that lied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The buffer ends before the header, or before the end that the header claims.
    Truncated(Layer),
    /// A length field contradicts the format, whatever the buffer holds.
    Length(Layer),
    /// The IP version is not 4.
    Version,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Truncated(layer) => write!(f, "the {} packet is cut short", layer.name()),
            Error::Length(layer) => write!(f, "the {} length field is wrong", layer.name()),
            Error::Version => write!(f, "the IP version is not 4"),
        }
    }
}

/// Source and destination port of a TCP or UDP header of which perhaps only the start is there.
///
/// An ICMP error quotes no more than eight bytes of it for sure (RFC 792), so the views of whole
/// headers cannot be used on it. `None` if there are not even the four bytes of the ports.
pub fn ports(transport: &[u8]) -> Option<(u16, u16)> {
    let [s0, s1, d0, d1] = *transport.first_chunk::<4>()?;
    Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
}
