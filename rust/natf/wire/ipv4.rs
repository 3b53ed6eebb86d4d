// SPDX-License-Identifier: GPL-2.0

//! IPv4 packets (RFC 791).

use core::net::Ipv4Addr;

use crate::natf::wire::{checksum, field, Error, Layer};

/// Length in bytes of a header without options.
pub const HEADER_LEN: usize = 20;

/// Offsets of the fields, in bytes.
pub mod at {
    /// Version, and length of the header in words.
    pub const VERSION_IHL: usize = 0;
    /// Type of service.
    pub const TOS: usize = 1;
    /// Length of the packet.
    pub const TOTAL_LEN: usize = 2;
    /// Identification.
    pub const IDENT: usize = 4;
    /// Flags and offset of a fragment.
    pub const FRAGMENT: usize = 6;
    /// Time to live.
    pub const TTL: usize = 8;
    /// Protocol of the payload.
    pub const PROTOCOL: usize = 9;
    /// Header checksum.
    pub const CHECKSUM: usize = 10;
    /// Source address.
    pub const SRC: usize = 12;
    /// Destination address.
    pub const DST: usize = 16;
}

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// The protocol field: those that NAT-f maps, and the rest as their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// 1
    Icmp,
    /// 6
    Tcp,
    /// 17
    Udp,
    /// Anything else. NAT-f passes it on, or answers BAD_PROTOCOL with the same number.
    Other(u8),
}

impl From<u8> for Protocol {
    fn from(number: u8) -> Self {
        match number {
            1 => Protocol::Icmp,
            6 => Protocol::Tcp,
            17 => Protocol::Udp,
            other => Protocol::Other(other),
        }
    }
}

impl From<Protocol> for u8 {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Icmp => 1,
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
            Protocol::Other(number) => number,
        }
    }
}

/// A view of an IPv4 packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<T>(T);

impl<T: AsRef<[u8]>> Packet<T> {
    /// A view of a whole packet: header, options and data are there as the header claims. Bytes after
    /// the packet (link-layer padding) are allowed.
    pub fn new_checked(buffer: T) -> Result<Self, Error> {
        let packet = Self::new_header_checked(buffer)?;
        let (claimed, there) = (packet.total_len(), packet.0.as_ref().len());
        if usize::from(claimed) < packet.header_len() {
            return Err(Error::Length(Layer::Ipv4));
        }
        if usize::from(claimed) > there {
            return Err(Error::Truncated(Layer::Ipv4));
        }
        Ok(packet)
    }

    /// A view of a packet of which perhaps only the header with its options is there: the linear head
    /// of a socket buffer, or the quotation in an ICMP error. A total length of 0 is accepted, as
    /// Linux has it in segments beyond 65,535 bytes (BIG TCP).
    pub fn new_header_checked(buffer: T) -> Result<Self, Error> {
        let data = buffer.as_ref();
        if data.len() < HEADER_LEN {
            return Err(Error::Truncated(Layer::Ipv4));
        }
        if field::byte(data, at::VERSION_IHL) >> 4 != 4 {
            return Err(Error::Version);
        }
        let packet = Packet(buffer);
        let (header, total) = (packet.header_len(), usize::from(packet.total_len()));
        if header < HEADER_LEN || (total != 0 && total < header) {
            return Err(Error::Length(Layer::Ipv4));
        }
        if header > packet.0.as_ref().len() {
            return Err(Error::Truncated(Layer::Ipv4));
        }
        Ok(packet)
    }

    fn fragment_field(&self) -> u16 {
        field::half(self.0.as_ref(), at::FRAGMENT)
    }

    /// Length of the header with its options, in bytes: 20 to 60.
    pub fn header_len(&self) -> usize {
        let words = field::byte(self.0.as_ref(), at::VERSION_IHL) & 0x0f;
        usize::from(words).wrapping_mul(4)
    }

    /// Type of service: DSCP, and ECN in the two low bits (RFC 2474, RFC 3168).
    pub fn tos(&self) -> u8 {
        field::byte(self.0.as_ref(), at::TOS)
    }

    /// Length of the packet that the header claims, in bytes.
    pub fn total_len(&self) -> u16 {
        field::half(self.0.as_ref(), at::TOTAL_LEN)
    }

    /// Identification, by which fragments find each other.
    pub fn ident(&self) -> u16 {
        field::half(self.0.as_ref(), at::IDENT)
    }

    /// Whether routers must not fragment the packet.
    pub fn dont_fragment(&self) -> bool {
        self.fragment_field() & DONT_FRAGMENT != 0
    }

    /// Whether this is a fragment and not the last one.
    pub fn more_fragments(&self) -> bool {
        self.fragment_field() & MORE_FRAGMENTS != 0
    }

    /// Where the data of this fragment belongs, in bytes.
    pub fn fragment_offset(&self) -> u16 {
        (self.fragment_field() & FRAGMENT_OFFSET).wrapping_mul(8)
    }

    /// Whether this is a fragment. Only that with offset 0 has a transport header, and even its
    /// payload is not the whole of what a checksum covers.
    pub fn is_fragment(&self) -> bool {
        self.fragment_field() & (MORE_FRAGMENTS | FRAGMENT_OFFSET) != 0
    }

    /// Time to live, in hops.
    pub fn ttl(&self) -> u8 {
        field::byte(self.0.as_ref(), at::TTL)
    }

    /// The protocol of the payload.
    pub fn protocol(&self) -> Protocol {
        field::byte(self.0.as_ref(), at::PROTOCOL).into()
    }

    /// The header checksum field.
    pub fn checksum(&self) -> u16 {
        field::half(self.0.as_ref(), at::CHECKSUM)
    }

    /// Source address.
    pub fn src(&self) -> Ipv4Addr {
        field::bytes::<4>(self.0.as_ref(), at::SRC).into()
    }

    /// Destination address.
    pub fn dst(&self) -> Ipv4Addr {
        field::bytes::<4>(self.0.as_ref(), at::DST).into()
    }

    /// Whether the header checksum is right.
    pub fn verify_checksum(&self) -> bool {
        checksum::internet(self.header()) == 0
    }

    /// The header with its options.
    pub fn header(&self) -> &[u8] {
        field::part(self.0.as_ref(), 0, self.header_len())
    }

    /// The data after the header, as much of it as is there: without padding, and less than the
    /// header claims if the view is of a header only.
    pub fn payload(&self) -> &[u8] {
        let data = self.0.as_ref();
        let end = match self.total_len() {
            0 => data.len(),
            total => usize::from(total),
        };
        field::part(data, self.header_len(), end)
    }
}

impl<T: AsRef<[u8]> + AsMut<[u8]>> Packet<T> {
    /// Sets the time to live. The checksum is left for [`fill_checksum`](Self::fill_checksum).
    pub fn set_ttl(&mut self, ttl: u8) {
        field::put(self.0.as_mut(), at::TTL, &[ttl]);
    }

    /// Sets the type of service. The checksum is left for [`fill_checksum`](Self::fill_checksum).
    pub fn set_tos(&mut self, tos: u8) {
        field::put(self.0.as_mut(), at::TOS, &[tos]);
    }

    /// Sets the source address. The checksum is left for [`fill_checksum`](Self::fill_checksum).
    pub fn set_src(&mut self, addr: Ipv4Addr) {
        field::put(self.0.as_mut(), at::SRC, &addr.octets());
    }

    /// Sets the destination address. The checksum is left for
    /// [`fill_checksum`](Self::fill_checksum).
    pub fn set_dst(&mut self, addr: Ipv4Addr) {
        field::put(self.0.as_mut(), at::DST, &addr.octets());
    }

    /// Sets the header checksum field.
    pub fn set_checksum(&mut self, checksum: u16) {
        field::put(self.0.as_mut(), at::CHECKSUM, &checksum.to_be_bytes());
    }

    /// Computes the header checksum and sets it.
    pub fn fill_checksum(&mut self) {
        self.set_checksum(0);
        let checksum = checksum::internet(self.header());
        self.set_checksum(checksum);
    }

    /// The data after the header, to be changed. See [`payload`](Self::payload).
    pub fn payload_mut(&mut self) -> &mut [u8] {
        let (start, len) = (self.header_len(), self.payload().len());
        self.0
            .as_mut()
            .get_mut(start..)
            .and_then(|tail| tail.get_mut(..len))
            .unwrap_or_default()
    }
}

/// A header without options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repr {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Protocol of the payload.
    pub protocol: Protocol,
    /// Time to live, in hops.
    pub ttl: u8,
    /// Whether routers must not fragment the packet.
    pub dont_fragment: bool,
    /// Identification.
    pub ident: u16,
    /// Length of the payload, in bytes.
    pub payload_len: u16,
}

impl Repr {
    /// Length of the header, in bytes. The payload comes on top.
    pub const fn buffer_len(&self) -> usize {
        HEADER_LEN
    }

    /// Writes the header, with its checksum, to the start of `buffer`. Fails if the buffer has no
    /// room for it, or if header and payload do not fit into one IPv4 packet.
    pub fn emit(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let total = self
            .payload_len
            .checked_add(20)
            .ok_or(Error::Length(Layer::Ipv4))?;
        let header = buffer
            .first_chunk_mut::<HEADER_LEN>()
            .ok_or(Error::Truncated(Layer::Ipv4))?;
        *header = [0; HEADER_LEN];
        let fragment = if self.dont_fragment { DONT_FRAGMENT } else { 0 };
        field::put(header, at::VERSION_IHL, &[0x45]);
        field::put(header, at::TOTAL_LEN, &total.to_be_bytes());
        field::put(header, at::IDENT, &self.ident.to_be_bytes());
        field::put(header, at::FRAGMENT, &fragment.to_be_bytes());
        field::put(header, at::TTL, &[self.ttl]);
        field::put(header, at::PROTOCOL, &[self.protocol.into()]);
        field::put(header, at::SRC, &self.src.octets());
        field::put(header, at::DST, &self.dst.octets());
        Packet(header.as_mut_slice()).fill_checksum();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPR: Repr = Repr {
        src: Ipv4Addr::new(203, 0, 113, 1),
        dst: Ipv4Addr::new(198, 51, 100, 2),
        protocol: Protocol::Udp,
        ttl: 2,
        dont_fragment: true,
        ident: 0x1234,
        payload_len: 8,
    };

    fn packet() -> [u8; 28] {
        let mut bytes = [0; 28];
        REPR.emit(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_was_emitted_is_read() {
        let bytes = packet();
        let packet = Packet::new_checked(&bytes).unwrap();
        assert!(packet.verify_checksum());
        assert_eq!((packet.src(), packet.dst()), (REPR.src, REPR.dst));
        assert_eq!((packet.ttl(), packet.ident()), (2, 0x1234));
        assert_eq!(packet.protocol(), Protocol::Udp);
        assert!(packet.dont_fragment() && !packet.is_fragment());
        assert_eq!(packet.payload(), [0; 8]);
    }

    #[test]
    fn every_short_length_is_refused() {
        let bytes = packet();
        for len in 0..bytes.len() {
            let truncated = Error::Truncated(Layer::Ipv4);
            assert_eq!(Packet::new_checked(&bytes[..len]).unwrap_err(), truncated);
            assert_eq!(Packet::new_header_checked(&bytes[..len]).is_ok(), len >= 20);
        }
    }

    #[test]
    fn lengths_that_lie() {
        let mut bytes = packet();
        bytes[0] = 0x44;
        assert_eq!(
            Packet::new_checked(&bytes).unwrap_err(),
            Error::Length(Layer::Ipv4)
        );
        bytes[0] = 0x4f;
        assert!(Packet::new_checked(&bytes).is_err());
        bytes[0] = 0x65;
        assert_eq!(Packet::new_checked(&bytes).unwrap_err(), Error::Version);
        bytes[0] = 0x45;
        bytes[3] = 19;
        assert_eq!(
            Packet::new_header_checked(&bytes).unwrap_err(),
            Error::Length(Layer::Ipv4)
        );
    }

    #[test]
    fn padding_is_not_payload_and_big_tcp_has_no_length() {
        let mut bytes = packet();
        bytes[3] = 24;
        assert_eq!(Packet::new_checked(&bytes).unwrap().payload().len(), 4);
        bytes[3] = 0;
        assert!(Packet::new_checked(&bytes).is_err());
        assert_eq!(
            Packet::new_header_checked(&bytes).unwrap().payload().len(),
            8
        );
    }

    #[test]
    fn fragments() {
        let mut bytes = packet();
        bytes[6..8].copy_from_slice(&0x2000u16.to_be_bytes());
        let first = Packet::new_checked(&bytes).unwrap();
        assert!(first.is_fragment() && first.more_fragments() && !first.dont_fragment());
        bytes[6..8].copy_from_slice(&0x1fffu16.to_be_bytes());
        let last = Packet::new_checked(&bytes).unwrap();
        assert!(last.is_fragment() && !last.more_fragments());
        assert_eq!(last.fragment_offset(), 65_528);
    }

    #[test]
    fn setters_and_checksum() {
        let mut bytes = packet();
        let mut packet = Packet::new_checked(&mut bytes[..]).unwrap();
        packet.set_dst(REPR.src);
        packet.set_src(REPR.dst);
        packet.set_ttl(64);
        assert!(!packet.verify_checksum());
        packet.fill_checksum();
        assert!(packet.verify_checksum());
        assert_eq!(
            (packet.src(), packet.dst(), packet.ttl()),
            (REPR.dst, REPR.src, 64)
        );
        packet.payload_mut().fill(9);
        assert_eq!(packet.payload(), [9; 8]);
    }

    #[test]
    fn emit_needs_room() {
        assert!(REPR.emit(&mut [0; 19]).is_err());
        let huge = Repr {
            payload_len: 65_516,
            ..REPR
        };
        assert_eq!(huge.emit(&mut [0; 20]), Err(Error::Length(Layer::Ipv4)));
    }
}
