// SPDX-License-Identifier: GPL-2.0

//! UDP datagrams (RFC 768).

use core::net::Ipv4Addr;

use crate::natf::wire::ipv4::Protocol;
use crate::natf::wire::{checksum, field, Error, Layer};

/// Length in bytes of the header.
pub const HEADER_LEN: usize = 8;

/// Offsets of the fields, in bytes.
mod at {
    pub(super) const SRC_PORT: usize = 0;
    pub(super) const DST_PORT: usize = 2;
    pub(super) const LEN: usize = 4;
    pub(super) const CHECKSUM: usize = 6;
}

/// A view of a UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Packet<T>(T);

impl<T: AsRef<[u8]>> Packet<T> {
    /// A view of a whole datagram: all that its length field claims is there. Bytes after it are
    /// allowed.
    pub fn new_checked(buffer: T) -> Result<Self, Error> {
        let packet = Self::new_header_checked(buffer)?;
        match usize::from(packet.len()) > packet.0.as_ref().len() {
            true => Err(Error::Truncated(Layer::Udp)),
            false => Ok(packet),
        }
    }

    /// A view of a datagram of which perhaps only the header is there.
    pub fn new_header_checked(buffer: T) -> Result<Self, Error> {
        if buffer.as_ref().len() < HEADER_LEN {
            return Err(Error::Truncated(Layer::Udp));
        }
        let packet = Packet(buffer);
        match usize::from(packet.len()) < HEADER_LEN {
            true => Err(Error::Length(Layer::Udp)),
            false => Ok(packet),
        }
    }

    /// Source port.
    pub fn src_port(&self) -> u16 {
        field::half(self.0.as_ref(), at::SRC_PORT)
    }

    /// Destination port.
    pub fn dst_port(&self) -> u16 {
        field::half(self.0.as_ref(), at::DST_PORT)
    }

    /// Length of header and data that the header claims, in bytes: 8 at least.
    #[allow(clippy::len_without_is_empty)] // A datagram has its header: it is never empty.
    pub fn len(&self) -> u16 {
        field::half(self.0.as_ref(), at::LEN)
    }

    /// The checksum field; 0 means that the sender made none.
    pub fn checksum(&self) -> u16 {
        field::half(self.0.as_ref(), at::CHECKSUM)
    }

    fn datagram(&self) -> &[u8] {
        field::part(self.0.as_ref(), 0, usize::from(self.len()))
    }

    /// Whether the checksum is right, or absent. The whole datagram must be there.
    pub fn verify_checksum(&self, src: Ipv4Addr, dst: Ipv4Addr) -> bool {
        self.checksum() == 0 || checksum::transport(src, dst, Protocol::Udp, self.datagram()) == 0
    }

    /// The data after the header, as much of it as is there.
    pub fn payload(&self) -> &[u8] {
        field::part(self.0.as_ref(), HEADER_LEN, usize::from(self.len()))
    }
}

impl<T: AsRef<[u8]> + AsMut<[u8]>> Packet<T> {
    /// Sets the source port. The checksum is left alone.
    pub fn set_src_port(&mut self, port: u16) {
        field::put(self.0.as_mut(), at::SRC_PORT, &port.to_be_bytes());
    }

    /// Sets the destination port. The checksum is left alone.
    pub fn set_dst_port(&mut self, port: u16) {
        field::put(self.0.as_mut(), at::DST_PORT, &port.to_be_bytes());
    }

    /// Sets the checksum field.
    pub fn set_checksum(&mut self, checksum: u16) {
        field::put(self.0.as_mut(), at::CHECKSUM, &checksum.to_be_bytes());
    }

    /// Computes the checksum and sets it. The whole datagram must be there.
    pub fn fill_checksum(&mut self, src: Ipv4Addr, dst: Ipv4Addr) {
        self.set_checksum(0);
        let checksum = match checksum::transport(src, dst, Protocol::Udp, self.datagram()) {
            // On the wire 0 says "no checksum"; both are zero in ones-complement.
            0 => 0xffff,
            checksum => checksum,
        };
        self.set_checksum(checksum);
    }

    /// The data after the header, to be changed. See [`payload`](Self::payload).
    pub fn payload_mut(&mut self) -> &mut [u8] {
        let len = self.payload().len();
        self.0
            .as_mut()
            .get_mut(HEADER_LEN..)
            .and_then(|tail| tail.get_mut(..len))
            .unwrap_or_default()
    }
}

/// A datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repr<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Data.
    pub payload: &'a [u8],
}

impl<'a> Repr<'a> {
    /// The datagram that `packet` is a view of.
    pub fn parse<T: AsRef<[u8]>>(packet: &'a Packet<T>) -> Self {
        Repr {
            src_port: packet.src_port(),
            dst_port: packet.dst_port(),
            payload: packet.payload(),
        }
    }

    /// Length of the datagram, in bytes.
    pub const fn buffer_len(&self) -> usize {
        HEADER_LEN.saturating_add(self.payload.len())
    }

    /// Writes the datagram, with its checksum, to the start of `buffer`. Fails if the buffer has no
    /// room for it, or if it is too long for the length field.
    pub fn emit(&self, buffer: &mut [u8], src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), Error> {
        let len = u16::try_from(self.buffer_len()).map_err(|_| Error::Length(Layer::Udp))?;
        let datagram = buffer
            .get_mut(..self.buffer_len())
            .ok_or(Error::Truncated(Layer::Udp))?;
        field::put(datagram, at::SRC_PORT, &self.src_port.to_be_bytes());
        field::put(datagram, at::DST_PORT, &self.dst_port.to_be_bytes());
        field::put(datagram, at::LEN, &len.to_be_bytes());
        field::put(datagram, HEADER_LEN, self.payload);
        Packet(datagram).fill_checksum(src, dst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SRC: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 10);
    const DST: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
    const REPR: Repr<'_> = Repr {
        src_port: 53,
        dst_port: 40_000,
        payload: b"hello",
    };

    fn datagram() -> [u8; 13] {
        let mut bytes = [0xff; 13];
        REPR.emit(&mut bytes, SRC, DST).unwrap();
        bytes
    }

    #[test]
    fn what_was_emitted_is_read() {
        let bytes = datagram();
        let packet = Packet::new_checked(&bytes).unwrap();
        assert!(packet.verify_checksum(SRC, DST));
        assert!(!packet.verify_checksum(SRC, SRC));
        assert_eq!(Repr::parse(&packet), REPR);
    }

    #[test]
    fn every_short_length_is_refused() {
        let bytes = datagram();
        for len in 0..bytes.len() {
            let truncated = Error::Truncated(Layer::Udp);
            assert_eq!(Packet::new_checked(&bytes[..len]).unwrap_err(), truncated);
            assert_eq!(Packet::new_header_checked(&bytes[..len]).is_ok(), len >= 8);
            assert!(REPR.emit(&mut { bytes }[..len], SRC, DST).is_err());
        }
    }

    #[test]
    fn lengths_that_lie() {
        let mut bytes = datagram();
        bytes[5] = 7;
        assert_eq!(
            Packet::new_header_checked(&bytes).unwrap_err(),
            Error::Length(Layer::Udp)
        );
        bytes[5] = 14;
        assert_eq!(
            Packet::new_checked(&bytes).unwrap_err(),
            Error::Truncated(Layer::Udp)
        );
        bytes[5] = 9;
        assert_eq!(Packet::new_checked(&bytes).unwrap().payload(), b"h");
    }

    #[test]
    fn a_sum_of_zero_is_sent_as_all_ones() {
        // The port is the complement of the sum of all the rest.
        let mut bytes = [0; 8];
        let repr = Repr {
            src_port: 0,
            dst_port: 0,
            payload: b"",
        };
        repr.emit(&mut bytes, SRC, DST).unwrap();
        let free = Packet::new_checked(&bytes).unwrap().checksum();
        Repr {
            src_port: free,
            ..repr
        }
        .emit(&mut bytes, SRC, DST)
        .unwrap();
        let packet = Packet::new_checked(&bytes).unwrap();
        assert_eq!(packet.checksum(), 0xffff);
        assert!(packet.verify_checksum(SRC, DST));
    }

    #[test]
    fn no_checksum_is_right() {
        let mut bytes = datagram();
        Packet::new_checked(&mut bytes[..]).unwrap().set_checksum(0);
        assert!(Packet::new_checked(&bytes)
            .unwrap()
            .verify_checksum(DST, DST));
    }

    #[test]
    fn setters_and_checksum() {
        let mut bytes = datagram();
        let mut packet = Packet::new_checked(&mut bytes[..]).unwrap();
        packet.set_src_port(1);
        packet.set_dst_port(2);
        packet.payload_mut()[0] = b'j';
        packet.fill_checksum(DST, SRC);
        assert!(packet.verify_checksum(DST, SRC));
        let read = Repr {
            src_port: 1,
            dst_port: 2,
            payload: b"jello",
        };
        assert_eq!(Repr::parse(&packet), read);
    }
}
