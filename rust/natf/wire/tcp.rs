// SPDX-License-Identifier: GPL-2.0

//! TCP segments (RFC 9293).

use core::net::Ipv4Addr;

use crate::natf::wire::ipv4::Protocol;
use crate::natf::wire::{checksum, field, Error, Layer};

/// Length in bytes of a header without options.
pub const HEADER_LEN: usize = 20;

/// Offsets of the fields, in bytes.
mod at {
    pub(super) const SRC_PORT: usize = 0;
    pub(super) const DST_PORT: usize = 2;
    pub(super) const SEQ: usize = 4;
    pub(super) const ACK: usize = 8;
    pub(super) const DATA_OFFSET: usize = 12;
    pub(super) const FLAGS: usize = 13;
    pub(super) const WINDOW: usize = 14;
    pub(super) const CHECKSUM: usize = 16;
}

/// The control bits that a translator looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

/// The low byte of the flags field.
impl From<u8> for Flags {
    fn from(bits: u8) -> Self {
        Flags(bits)
    }
}

impl Flags {
    /// FIN alone.
    pub const FIN: Flags = Flags(0x01);
    /// SYN alone: the first segment of a connection.
    pub const SYN: Flags = Flags(0x02);
    /// RST alone.
    pub const RST: Flags = Flags(0x04);
    /// ACK alone.
    pub const ACK: Flags = Flags(0x10);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits as they are on the wire, CWR highest.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether the sender will send no more data.
    pub const fn fin(self) -> bool {
        self.contains(Flags::FIN)
    }

    /// Whether the sender opens a connection.
    pub const fn syn(self) -> bool {
        self.contains(Flags::SYN)
    }

    /// Whether the connection is torn down.
    pub const fn rst(self) -> bool {
        self.contains(Flags::RST)
    }

    /// Whether the acknowledgment number counts.
    pub const fn ack(self) -> bool {
        self.contains(Flags::ACK)
    }
}

/// A view of a TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Packet<T>(T);

impl<T: AsRef<[u8]>> Packet<T> {
    /// A view of a segment whose header and options are there.
    pub fn new_checked(buffer: T) -> Result<Self, Error> {
        let packet = Self::new_header_checked(buffer)?;
        match packet.header_len() > packet.0.as_ref().len() {
            true => Err(Error::Truncated(Layer::Tcp)),
            false => Ok(packet),
        }
    }

    /// A view of a segment of which perhaps only the first 20 bytes are there.
    pub fn new_header_checked(buffer: T) -> Result<Self, Error> {
        if buffer.as_ref().len() < HEADER_LEN {
            return Err(Error::Truncated(Layer::Tcp));
        }
        let packet = Packet(buffer);
        match packet.header_len() < HEADER_LEN {
            true => Err(Error::Length(Layer::Tcp)),
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

    /// Sequence number.
    pub fn seq(&self) -> u32 {
        field::word(self.0.as_ref(), at::SEQ)
    }

    /// Acknowledgment number; it counts if the ACK flag is set.
    pub fn ack(&self) -> u32 {
        field::word(self.0.as_ref(), at::ACK)
    }

    /// Length of the header with its options, in bytes: 20 to 60.
    pub fn header_len(&self) -> usize {
        let words = field::byte(self.0.as_ref(), at::DATA_OFFSET) >> 4;
        usize::from(words).wrapping_mul(4)
    }

    /// Control bits.
    pub fn flags(&self) -> Flags {
        Flags(field::byte(self.0.as_ref(), at::FLAGS))
    }

    /// Window, unscaled.
    pub fn window(&self) -> u16 {
        field::half(self.0.as_ref(), at::WINDOW)
    }

    /// The checksum field.
    pub fn checksum(&self) -> u16 {
        field::half(self.0.as_ref(), at::CHECKSUM)
    }

    /// Whether the checksum is right. The buffer must hold the whole segment and end with it.
    pub fn verify_checksum(&self, src: Ipv4Addr, dst: Ipv4Addr) -> bool {
        checksum::transport(src, dst, Protocol::Tcp, self.0.as_ref()) == 0
    }

    /// The data after the header and its options, as much of it as is there.
    pub fn payload(&self) -> &[u8] {
        field::part(self.0.as_ref(), self.header_len(), usize::MAX)
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

    /// Computes the checksum over the whole buffer and sets it.
    pub fn fill_checksum(&mut self, src: Ipv4Addr, dst: Ipv4Addr) {
        self.set_checksum(0);
        let checksum = checksum::transport(src, dst, Protocol::Tcp, self.0.as_ref());
        self.set_checksum(checksum);
    }
}

/// A SYN without options: the pseudo-packet of a TCP flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SynRepr {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Initial sequence number.
    pub seq: u32,
    /// Window, unscaled.
    pub window: u16,
}

impl SynRepr {
    /// The SYN in `packet`, or `None` if it is another segment. Its options are not looked at.
    pub fn parse<T: AsRef<[u8]>>(packet: &Packet<T>) -> Option<Self> {
        (packet.flags() == Flags::SYN).then(|| SynRepr {
            src_port: packet.src_port(),
            dst_port: packet.dst_port(),
            seq: packet.seq(),
            window: packet.window(),
        })
    }

    /// Length of the segment, in bytes.
    pub const fn buffer_len(&self) -> usize {
        HEADER_LEN
    }

    /// Writes the segment, with its checksum, to the start of `buffer`. Fails if there is no room.
    pub fn emit(&self, buffer: &mut [u8], src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), Error> {
        let segment = buffer
            .first_chunk_mut::<HEADER_LEN>()
            .ok_or(Error::Truncated(Layer::Tcp))?;
        *segment = [0; HEADER_LEN];
        field::put(segment, at::SRC_PORT, &self.src_port.to_be_bytes());
        field::put(segment, at::DST_PORT, &self.dst_port.to_be_bytes());
        field::put(segment, at::SEQ, &self.seq.to_be_bytes());
        field::put(segment, at::DATA_OFFSET, &[0x50, Flags::SYN.bits()]);
        field::put(segment, at::WINDOW, &self.window.to_be_bytes());
        Packet(segment.as_mut_slice()).fill_checksum(src, dst);
        Ok(())
    }
}

/// A reset without data: what a host answers to a segment of a connection that is none (RFC 9293, 3.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RstRepr {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number: the one that the receiver expects next.
    pub seq: u32,
}

impl RstRepr {
    /// The answer to `segment`. `None` for a reset, which nobody answers, and for one that acknowledges
    /// nothing and so does not tell what its sender expects.
    pub fn answering<T: AsRef<[u8]>>(segment: &Packet<T>) -> Option<Self> {
        let flags = segment.flags();
        (flags.ack() && !flags.rst()).then(|| RstRepr {
            src_port: segment.dst_port(),
            dst_port: segment.src_port(),
            seq: segment.ack(),
        })
    }

    /// Writes the segment, with its checksum, to the start of `buffer`. Fails if there is no room.
    pub fn emit(&self, buffer: &mut [u8], src: Ipv4Addr, dst: Ipv4Addr) -> Result<(), Error> {
        let segment = buffer
            .first_chunk_mut::<HEADER_LEN>()
            .ok_or(Error::Truncated(Layer::Tcp))?;
        *segment = [0; HEADER_LEN];
        field::put(segment, at::SRC_PORT, &self.src_port.to_be_bytes());
        field::put(segment, at::DST_PORT, &self.dst_port.to_be_bytes());
        field::put(segment, at::SEQ, &self.seq.to_be_bytes());
        field::put(segment, at::DATA_OFFSET, &[0x50, Flags::RST.bits()]);
        Packet(segment.as_mut_slice()).fill_checksum(src, dst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_what_the_sender_of_the_segment_expects() {
        let mut bytes = [0; 20];
        bytes[..12].copy_from_slice(&[0, 80, 0x9c, 0x40, 1, 2, 3, 4, 5, 6, 7, 8]);
        bytes[12] = 0x50;
        let answer = |flags: u8| {
            let mut bytes = bytes;
            bytes[13] = flags;
            RstRepr::answering(&Packet::new_checked(bytes).unwrap())
        };
        let reset = answer(0x10).unwrap();
        assert_eq!(
            (reset.src_port, reset.dst_port, reset.seq),
            (40_000, 80, 0x0506_0708)
        );
        assert_eq!(answer(0x02), None);
        assert_eq!(answer(0x14), None);
        let mut out = [0xff; 20];
        reset.emit(&mut out, SRC, DST).unwrap();
        let packet = Packet::new_checked(&out[..]).unwrap();
        assert!(packet.verify_checksum(SRC, DST));
        assert_eq!((packet.flags(), packet.seq()), (Flags::RST, 0x0506_0708));
        assert!(reset.emit(&mut [0; 19], SRC, DST).is_err());
    }

    const SRC: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 10);
    const DST: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
    const REPR: SynRepr = SynRepr {
        src_port: 80,
        dst_port: 40_000,
        seq: 0xdead_beef,
        window: 64_240,
    };

    fn syn() -> [u8; 20] {
        let mut bytes = [0xff; 20];
        REPR.emit(&mut bytes, SRC, DST).unwrap();
        bytes
    }

    #[test]
    fn what_was_emitted_is_read() {
        let bytes = syn();
        let packet = Packet::new_checked(&bytes).unwrap();
        assert!(packet.verify_checksum(SRC, DST));
        assert!(!packet.verify_checksum(SRC, SRC));
        assert_eq!(SynRepr::parse(&packet), Some(REPR));
        assert!(packet.payload().is_empty());
        assert_eq!(packet.ack(), 0);
    }

    #[test]
    fn every_short_length_is_refused() {
        let mut bytes = [0; 24];
        bytes[..20].copy_from_slice(&syn());
        bytes[12] = 0x60;
        for len in 0..bytes.len() {
            let truncated = Error::Truncated(Layer::Tcp);
            assert_eq!(Packet::new_checked(&bytes[..len]).unwrap_err(), truncated);
            assert_eq!(Packet::new_header_checked(&bytes[..len]).is_ok(), len >= 20);
            assert_eq!(
                REPR.emit(&mut { bytes }[..len], SRC, DST).is_ok(),
                len >= 20
            );
        }
        assert!(Packet::new_checked(&bytes).is_ok());
    }

    #[test]
    fn a_data_offset_inside_the_header_is_wrong() {
        let mut bytes = syn();
        bytes[12] = 0x40;
        assert_eq!(
            Packet::new_checked(&bytes).unwrap_err(),
            Error::Length(Layer::Tcp)
        );
        // A view of a head without its options has no payload.
        bytes[12] = 0xf0;
        assert!(Packet::new_header_checked(&bytes)
            .unwrap()
            .payload()
            .is_empty());
    }

    #[test]
    fn flags() {
        let mut bytes = syn();
        bytes[13] = 0x12;
        let packet = Packet::new_checked(&bytes).unwrap();
        let flags = packet.flags();
        assert!(flags.syn() && flags.ack() && !flags.fin() && !flags.rst());
        assert_eq!(SynRepr::parse(&packet), None);
    }

    #[test]
    fn setters_and_checksum() {
        let mut bytes = syn();
        let mut packet = Packet::new_checked(&mut bytes[..]).unwrap();
        packet.set_src_port(1);
        packet.set_dst_port(2);
        packet.fill_checksum(DST, SRC);
        assert!(packet.verify_checksum(DST, SRC));
        assert_eq!((packet.src_port(), packet.dst_port()), (1, 2));
    }
}
