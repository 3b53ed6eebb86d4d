// SPDX-License-Identifier: GPL-2.0

//! Virtual address translation of one packet: an address, a port, and the checksums over them.

use core::net::Ipv4Addr;

use crate::linux::skb::Skb;
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::ipv4::{self, Protocol};

/// Which end of the packet changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Source address and port.
    Source,
    /// Destination address and port.
    Destination,
}

/// Offsets in the IPv4 header (RFC 791).
const HEADER_CHECKSUM: usize = 10;
const SOURCE: usize = 12;
const DESTINATION: usize = 16;

/// Makes the destination of a packet without ports `to`. `None`: no memory.
pub(crate) fn rewrite_destination(skb: &mut Skb, to: Ipv4Addr) -> Option<()> {
    let head = skb.writable(ipv4::HEADER_LEN)?;
    mend_header_checksum(head, DESTINATION, to)?;
    *head.get_mut(DESTINATION..)?.first_chunk_mut()? = to.octets();
    Some(())
}

/// Mends the header checksum for `to` at offset `address`, which is not yet written.
fn mend_header_checksum(head: &mut [u8], address: usize, to: Ipv4Addr) -> Option<()> {
    let mut delta = Delta::new();
    delta.replace(0, head.get(address..)?.first_chunk::<4>()?, &to.octets());
    let sum = head.get_mut(HEADER_CHECKSUM..)?.first_chunk_mut::<2>()?;
    *sum = delta.apply(u16::from_be_bytes(*sum)).to_be_bytes();
    Some(())
}

/// Makes one end of a TCP or UDP packet, or of an ICMP echo, `to`. `transport` is where its transport header starts.
/// `None`: no memory, or the packet is shorter than its headers; it may be half changed then.
pub(crate) fn rewrite(
    skb: &mut Skb,
    side: Side,
    protocol: Protocol,
    transport: usize,
    to: (Ipv4Addr, u16),
) -> Option<()> {
    let address = match side {
        Side::Source => SOURCE,
        Side::Destination => DESTINATION,
    };
    if protocol == Protocol::Icmp {
        return rewrite_echo(skb, address, transport, to);
    }
    let checksum = transport.checked_add(match protocol {
        Protocol::Tcp => 16,
        _ => 6,
    })?;
    let end = checksum.checked_add(2)?;
    let partial = skb.checksum_is_partial();
    let head = skb.writable(end)?;

    mend_header_checksum(head, address, to.0)?;
    let mut ports: [u8; 4] = *head.get(transport..)?.first_chunk()?;
    let [p0, p1] = to.1.to_be_bytes();
    match side {
        Side::Source => [ports[0], ports[1]] = [p0, p1],
        Side::Destination => [ports[2], ports[3]] = [p0, p1],
    }

    // UDP without a checksum stays without one (RFC 768).
    let udp = protocol == Protocol::Udp;
    if udp && !partial && *head.get(checksum..)?.first_chunk::<2>()? == [0, 0] {
        *head.get_mut(address..)?.first_chunk_mut()? = to.0.octets();
        *head.get_mut(transport..)?.first_chunk_mut()? = ports;
        return Some(());
    }
    skb.replace4(address, to.0.octets(), checksum, true)?;
    skb.replace4(transport, ports, checksum, false)?;
    if udp && !partial {
        let sum = skb
            .writable(end)?
            .get_mut(checksum..)?
            .first_chunk_mut::<2>()?;
        if *sum == [0, 0] {
            // Zero would mean "none" (RFC 768).
            *sum = [0xff, 0xff];
        }
    }
    Some(())
}

/// An echo has one identifier for both ends, and no address counts for its checksum.
fn rewrite_echo(
    skb: &mut Skb,
    address: usize,
    transport: usize,
    to: (Ipv4Addr, u16),
) -> Option<()> {
    let checksum = transport.checked_add(2)?;
    let ident = transport.checked_add(4)?;
    let head = skb.writable(ident.checked_add(4)?)?;
    mend_header_checksum(head, address, to.0)?;
    *head.get_mut(address..)?.first_chunk_mut()? = to.0.octets();
    let [_, _, s0, s1] = *head.get(ident..)?.first_chunk::<4>()?;
    let [i0, i1] = to.1.to_be_bytes();
    skb.replace4(ident, [i0, i1, s0, s1], checksum, false)
}
