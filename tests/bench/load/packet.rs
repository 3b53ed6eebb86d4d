// SPDX-License-Identifier: GPL-2.0

//! Whole IPv4 packets, for raw sockets.

use std::net::Ipv4Addr;

/// A host's address and its port.
pub type End = (Ipv4Addr, u16);

/// Protocol numbers.
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// The internet checksum of `data` (RFC 1071), as it stands in a packet.
pub fn checksum(data: &[u8]) -> [u8; 2] {
    let words = data.chunks(2).map(|pair| {
        let [high, low] = [pair[0], pair.get(1).copied().unwrap_or(0)];
        u32::from(u16::from_be_bytes([high, low]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    let [_, _, high, low] = (!sum).to_be_bytes();
    [high, low]
}

/// An IPv4 packet of `protocol`; the kernel fills in the header's checksum.
pub fn ipv4(protocol: u8, from: Ipv4Addr, to: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX);
    let mut packet = vec![0x45, 0];
    packet.extend(len.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend(payload);
    packet
}

/// A datagram with `data`, as an IPv4 packet.
pub fn udp(from: End, to: End, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(8 + data.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut datagram = Vec::new();
    datagram.extend(from.1.to_be_bytes());
    datagram.extend(to.1.to_be_bytes());
    datagram.extend(len);
    datagram.extend([0, 0]);
    datagram.extend(data);
    let mut pseudo = Vec::new();
    pseudo.extend(from.0.octets());
    pseudo.extend(to.0.octets());
    pseudo.extend([0, UDP]);
    pseudo.extend(len);
    pseudo.extend(&datagram);
    // All ones stands for a sum of zero, which would mean "none" (RFC 768).
    let sum = match checksum(&pseudo) {
        [0, 0] => [0xff, 0xff],
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum);
    ipv4(UDP, from.0, to.0, &datagram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_over_a_packet_with_its_sum_is_zero() {
        let data = [0x45, 0, 0, 3, 9];
        let [a, b] = checksum(&data);
        assert_eq!(checksum(&[0x45, 0, 0, 3, 9, 0, a, b]), [0, 0]);
    }
}
