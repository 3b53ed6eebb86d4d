// SPDX-License-Identifier: GPL-2.0

//! The internet checksum (RFC 1071) and its incremental update (RFC 1624).

use core::net::Ipv4Addr;

use crate::natf::wire::ipv4::Protocol;

/// Folds a sum of 16-bit words into 16 bits, ones-complement. 0 only of 0.
#[inline]
const fn fold(sum: u64) -> u16 {
    // Added to itself with its halves changed, a number has in its upper half both, and the carry.
    let [a, b, c, d, ..] = sum.wrapping_add(sum.rotate_left(32)).to_be_bytes();
    let sum = u32::from_be_bytes([a, b, c, d]);
    let [a, b, ..] = sum.wrapping_add(sum.rotate_left(16)).to_be_bytes();
    u16::from_be_bytes([a, b])
}

/// The ones-complement sum of `a` and `b`.
#[inline]
pub const fn add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    // With a carry the sum is at most 0xfffe.
    if carry {
        sum.wrapping_add(1)
    } else {
        sum
    }
}

/// The ones-complement sum of the big-endian 16-bit words of `data`. An odd last byte counts as the
/// high half of a word.
pub fn sum(data: &[u8]) -> u16 {
    // Two words at a time: the carry of the upper half is added when the sum is folded.
    let pairs = data.chunks_exact(4);
    let rest = pairs.remainder().chunks(2).map(|chunk| match *chunk {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(u16::from_be_bytes([high, 0])),
        _ => 0,
    });
    let pairs = pairs.map(|pair| match *pair {
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    });
    // 2^32 pairs would have to be added before this could wrap.
    let add = |sum: u64, pair| sum.wrapping_add(u64::from(pair));
    fold(rest.fold(pairs.fold(0, add), add))
}

/// The checksum field of `data` in which that field is zero. Over data with a right checksum in place
/// the result is 0.
pub fn internet(data: &[u8]) -> u16 {
    !sum(data)
}

/// The sum of the pseudo-header that TCP (RFC 9293, 3.1) and UDP (RFC 768) put before themselves;
/// `len` is the length of their header and data in bytes.
pub fn pseudo_header(src: Ipv4Addr, dst: Ipv4Addr, protocol: Protocol, len: u16) -> u16 {
    let addresses = add(sum(&src.octets()), sum(&dst.octets()));
    add(addresses, add(u16::from(u8::from(protocol)), len))
}

/// The checksum field of a TCP or UDP `segment` in which that field is zero. 0 for a right one, as
/// with [`internet`]. A segment beyond 65,535 bytes does not exist in IPv4; its length is capped.
pub fn transport(src: Ipv4Addr, dst: Ipv4Addr, protocol: Protocol, segment: &[u8]) -> u16 {
    let len = u16::try_from(segment.len()).unwrap_or(u16::MAX);
    !add(pseudo_header(src, dst, protocol, len), sum(segment))
}

/// What a series of edits does to a checksum over the edited bytes.
///
/// The edits are collected first and applied to a checksum field once, so that one set of edits can
/// serve a field, a socket buffer's own sum, or neither. At most 2^31 edits.
///
/// Inside all words are as they lie in the packet, because a sum does not mind the order of bytes (RFC 1071, 2 (B)):
/// what comes from a packet and goes into one is not turned on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta(u64);

impl Delta {
    /// No edit yet.
    pub const fn new() -> Self {
        Delta(0)
    }

    /// Notes that `old` became `new` at `offset` bytes after the start of the checksummed data. Only
    /// whether `offset` is odd matters: an odd byte is the low half of its word.
    pub fn replace(&mut self, offset: usize, old: &[u8], new: &[u8]) {
        let aligned = |data| match offset % 2 {
            0 => sum(data),
            _ => sum(data).swap_bytes(),
        };
        self.replace_word(aligned(old), aligned(new));
    }

    /// [`replace`](Self::replace) of an address at an even offset.
    #[inline]
    pub fn replace_address(&mut self, old: Ipv4Addr, new: Ipv4Addr) {
        // As a number of 32 bits is the sum of its halves, but for multiples of 0xffff.
        let (old, new) = (u32::from(old).to_be(), u32::from(new).to_be());
        self.0 = self
            .0
            .wrapping_add(u64::from(!old))
            .wrapping_add(u64::from(new));
    }

    /// [`replace`](Self::replace) of a port, or of anything that is one word, at an even offset.
    #[inline]
    pub fn replace_word(&mut self, old: u16, new: u16) {
        // Equation 3 of RFC 1624: HC' = ~(~HC + ~m + m'). Adding ~m subtracts m.
        self.0 = self
            .0
            .wrapping_add(u64::from(!old.to_be()))
            .wrapping_add(u64::from(new.to_be()));
    }

    /// The new value of the checksum field that was `checksum` before the edits.
    #[inline]
    pub fn apply(&self, checksum: u16) -> u16 {
        !self.apply_partial(!checksum)
    }

    /// The new value of a field that holds the sum of the pseudo-header alone, because a device will fill in the
    /// rest: it is not complemented.
    #[inline]
    pub fn apply_partial(&self, sum: u16) -> u16 {
        u16::from_be(fold(self.0.wrapping_add(u64::from(sum.to_be()))))
    }

    /// [`apply`](Self::apply) for the UDP field, in which 0 means that the sender made no checksum
    /// and a sum of zero is sent as all ones (RFC 768).
    #[inline]
    pub fn apply_udp(&self, checksum: u16) -> u16 {
        match checksum {
            0 => 0,
            _ => match self.apply(checksum) {
                0 => 0xffff,
                updated => updated,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addition_is_that_of_ones_complement() {
        for (a, b, sum) in [
            (0, 0, 0),
            (0xffff, 0, 0xffff),
            (0xffff, 1, 1),
            (0xffff, 0xffff, 0xffff),
            (0x8000, 0x8000, 1),
            (0xfffe, 1, 0xffff),
        ] {
            assert_eq!(add(a, b), sum);
        }
    }

    #[test]
    fn replacing_words_is_replacing_bytes() {
        let (old, new) = (Ipv4Addr::new(240, 0, 255, 1), Ipv4Addr::new(203, 0, 113, 2));
        let mut words = Delta::new();
        words.replace_address(old, new);
        words.replace_word(80, 61_000);
        let mut bytes = Delta::new();
        bytes.replace(0, &old.octets(), &new.octets());
        bytes.replace(0, &80_u16.to_be_bytes(), &61_000_u16.to_be_bytes());
        for sum in [0, 1, 0x1234, 0xfffe, 0xffff] {
            assert_eq!(words.apply(sum), bytes.apply(sum));
        }
    }

    #[test]
    fn example_of_rfc_1071() {
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(sum(&data), 0xddf2);
        assert_eq!(internet(&data), 0x220d);
    }

    #[test]
    fn odd_byte_is_the_high_half() {
        assert_eq!(sum(&[0x12]), 0x1200);
        assert_eq!(sum(&[]), 0);
    }

    #[test]
    fn long_data_does_not_overflow() {
        assert_eq!(sum(&[0xff; 70_000]), 0xffff);
    }

    #[test]
    fn example_of_rfc_1624() {
        // Section 4: the case in which the equation of RFC 1141 gives the other zero.
        let mut delta = Delta::new();
        delta.replace(0, &[0x55, 0x55], &[0x32, 0x85]);
        assert_eq!(delta.apply(0xdd2f), 0x0000);
    }

    #[test]
    fn no_edit_changes_nothing() {
        for checksum in 0..=u16::MAX {
            assert_eq!(Delta::new().apply(checksum), checksum);
        }
    }

    #[test]
    fn every_parity_equals_a_new_sum() {
        for offset in 1..9usize {
            for len in 0..5usize {
                let mut data = *b"\x45the quick brown fox";
                let before = internet(&data);
                let mut delta = Delta::new();
                let old = data;
                for byte in &mut data[offset..offset + len] {
                    *byte = byte.wrapping_mul(37).wrapping_add(91);
                }
                delta.replace(
                    offset,
                    &old[offset..offset + len],
                    &data[offset..offset + len],
                );
                assert_eq!(delta.apply(before), internet(&data), "{offset} {len}");
            }
        }
    }

    #[test]
    fn udp_keeps_no_checksum_and_never_makes_one_zero() {
        let mut delta = Delta::new();
        delta.replace(0, &[0x55, 0x55], &[0x32, 0x85]);
        assert_eq!(delta.apply_udp(0), 0);
        assert_eq!(delta.apply_udp(0xdd2f), 0xffff);
    }
}
