// SPDX-License-Identifier: GPL-2.0

//! ICMP messages (RFC 792): echo, which carries the NAT-f control messages, and errors, which quote
//! a packet that has to be translated as well.

use crate::natf::wire::{checksum, field, Error, Layer};

/// Length in bytes of the header; both echo and error messages have eight.
pub const HEADER_LEN: usize = 8;

/// Type: echo reply.
pub const ECHO_REPLY: u8 = 0;
/// Type: destination unreachable.
pub const UNREACHABLE: u8 = 3;
/// Type: source quench, deprecated by RFC 6633.
pub const SOURCE_QUENCH: u8 = 4;
/// Type: redirect.
pub const REDIRECT: u8 = 5;
/// Type: echo request.
pub const ECHO_REQUEST: u8 = 8;
/// Type: time exceeded.
pub const TIME_EXCEEDED: u8 = 11;
/// Type: parameter problem.
pub const PARAMETER_PROBLEM: u8 = 12;

/// Code of [`UNREACHABLE`]: host unreachable.
pub const CODE_HOST: u8 = 1;
/// Code of [`UNREACHABLE`]: fragmentation needed and DF set (RFC 1191).
pub const CODE_FRAGMENTATION_NEEDED: u8 = 4;
/// Code of [`UNREACHABLE`]: communication administratively prohibited (RFC 1812, 5.2.7.1).
pub const CODE_PROHIBITED: u8 = 13;

/// Offsets of the fields, in bytes.
mod at {
    pub(super) const KIND: usize = 0;
    pub(super) const CODE: usize = 1;
    pub(super) const CHECKSUM: usize = 2;
    pub(super) const IDENT: usize = 4;
    pub(super) const SEQ: usize = 6;
}

/// A view of an ICMP message. The buffer must end where the message does.
#[derive(Clone, Copy, Debug)]
pub struct Packet<T>(T);

impl<T: AsRef<[u8]>> Packet<T> {
    /// A view of a message whose header is there. ICMP has no length of its own, so this also serves
    /// for a message of which only the head is there; then its checksum cannot be verified.
    pub fn new_checked(buffer: T) -> Result<Self, Error> {
        match buffer.as_ref().len() {
            0..HEADER_LEN => Err(Error::Truncated(Layer::Icmp)),
            _ => Ok(Packet(buffer)),
        }
    }

    /// Type.
    pub fn kind(&self) -> u8 {
        field::byte(self.0.as_ref(), at::KIND)
    }

    /// Code: the type's finer reason.
    pub fn code(&self) -> u8 {
        field::byte(self.0.as_ref(), at::CODE)
    }

    /// The checksum field.
    pub fn checksum(&self) -> u16 {
        field::half(self.0.as_ref(), at::CHECKSUM)
    }

    /// Whether the checksum over the whole buffer is right.
    pub fn verify_checksum(&self) -> bool {
        checksum::internet(self.0.as_ref()) == 0
    }

    /// Whether this is an echo request.
    pub fn is_echo_request(&self) -> bool {
        self.kind() == ECHO_REQUEST && self.code() == 0
    }

    /// Whether this is an echo reply.
    pub fn is_echo_reply(&self) -> bool {
        self.kind() == ECHO_REPLY && self.code() == 0
    }

    /// Echo: identifier, which takes the place of a port in a NAT.
    pub fn ident(&self) -> u16 {
        field::half(self.0.as_ref(), at::IDENT)
    }

    /// Echo: sequence number.
    pub fn seq(&self) -> u16 {
        field::half(self.0.as_ref(), at::SEQ)
    }

    /// What follows the header: the data of an echo, the quotation of an error.
    pub fn data(&self) -> &[u8] {
        field::part(self.0.as_ref(), HEADER_LEN, usize::MAX)
    }

    /// Whether this is an error message, which quotes the packet it is about.
    pub fn is_error(&self) -> bool {
        matches!(
            self.kind(),
            UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM
        )
    }

    /// The quoted packet of an error message, IP header first: at least that header and eight bytes,
    /// if the sender kept to RFC 792. `None` if this is no error message.
    pub fn inner(&self) -> Option<&[u8]> {
        self.is_error().then(|| self.data())
    }
}

impl<T: AsRef<[u8]> + AsMut<[u8]>> Packet<T> {
    /// Sets the identifier of an echo. The checksum is left for
    /// [`fill_checksum`](Self::fill_checksum).
    pub fn set_ident(&mut self, ident: u16) {
        field::put(self.0.as_mut(), at::IDENT, &ident.to_be_bytes());
    }

    /// Sets the checksum field.
    pub fn set_checksum(&mut self, checksum: u16) {
        field::put(self.0.as_mut(), at::CHECKSUM, &checksum.to_be_bytes());
    }

    /// Computes the checksum over the whole buffer and sets it.
    pub fn fill_checksum(&mut self) {
        self.set_checksum(0);
        let checksum = checksum::internet(self.0.as_ref());
        self.set_checksum(checksum);
    }

    /// What follows the header, to be changed.
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.0.as_mut().get_mut(HEADER_LEN..).unwrap_or_default()
    }
}

/// An echo request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoRepr<'a> {
    /// A reply, not a request.
    pub reply: bool,
    /// Identifier.
    pub ident: u16,
    /// Sequence number.
    pub seq: u16,
    /// Data, returned unchanged by a host that answers.
    pub data: &'a [u8],
}

impl<'a> EchoRepr<'a> {
    /// The echo in `packet`, or `None` if it is another message.
    pub fn parse<T: AsRef<[u8]>>(packet: &'a Packet<T>) -> Option<Self> {
        let reply = packet.is_echo_reply();
        (reply || packet.is_echo_request()).then(|| EchoRepr {
            reply,
            ident: packet.ident(),
            seq: packet.seq(),
            data: packet.data(),
        })
    }

    /// Length of the message, in bytes.
    pub const fn buffer_len(&self) -> usize {
        HEADER_LEN.saturating_add(self.data.len())
    }

    /// Writes the message, with its checksum, to the start of `buffer`. Fails if there is no room.
    pub fn emit(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let message = buffer
            .get_mut(..self.buffer_len())
            .ok_or(Error::Truncated(Layer::Icmp))?;
        let kind = if self.reply { ECHO_REPLY } else { ECHO_REQUEST };
        field::put(message, at::KIND, &[kind, 0]);
        field::put(message, at::IDENT, &self.ident.to_be_bytes());
        field::put(message, at::SEQ, &self.seq.to_be_bytes());
        field::put(message, HEADER_LEN, self.data);
        Packet(message).fill_checksum();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPR: EchoRepr<'_> = EchoRepr {
        reply: false,
        ident: 7,
        seq: 9,
        data: b"hello",
    };

    #[test]
    fn what_was_emitted_is_read() {
        for reply in [false, true] {
            let repr = EchoRepr { reply, ..REPR };
            let mut bytes = [0xff; 13];
            repr.emit(&mut bytes).unwrap();
            let packet = Packet::new_checked(&bytes).unwrap();
            assert!(packet.verify_checksum());
            assert_eq!(EchoRepr::parse(&packet), Some(repr));
            assert_eq!(packet.inner(), None);
        }
    }

    #[test]
    fn every_short_length_is_refused() {
        let mut bytes = [0; 13];
        REPR.emit(&mut bytes).unwrap();
        for len in 0..bytes.len() {
            assert_eq!(Packet::new_checked(&bytes[..len]).is_ok(), len >= 8);
            assert!(REPR.emit(&mut { bytes }[..len]).is_err());
        }
    }

    #[test]
    fn an_error_quotes() {
        let bytes = [3, 4, 0, 0, 0, 0, 0x05, 0xdc, 0x45, 1, 2];
        let packet = Packet::new_checked(&bytes).unwrap();
        assert_eq!(packet.inner(), Some(&[0x45, 1, 2][..]));
        assert_eq!(packet.code(), CODE_FRAGMENTATION_NEEDED);
        assert_eq!(EchoRepr::parse(&packet), None);
    }

    #[test]
    fn an_echo_with_a_code_is_none() {
        let bytes = [8, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(EchoRepr::parse(&Packet::new_checked(&bytes).unwrap()), None);
    }

    #[test]
    fn setters_and_checksum() {
        let mut bytes = [0; 13];
        REPR.emit(&mut bytes).unwrap();
        let mut packet = Packet::new_checked(&mut bytes[..]).unwrap();
        packet.set_ident(0xbeef);
        packet.data_mut()[0] = b'j';
        assert!(!packet.verify_checksum());
        packet.fill_checksum();
        assert!(packet.verify_checksum());
        assert_eq!((packet.ident(), packet.data()), (0xbeef, &b"jello"[..]));
    }
}
