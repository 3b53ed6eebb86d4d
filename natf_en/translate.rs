// SPDX-License-Identifier: GPL-2.0

//! Virtual address translation of one packet: an address, a port, and the checksums over them.

use core::net::Ipv4Addr;

use crate::linux::skb::{Skb, Summed};
use crate::natf::wire::checksum::Delta;
use crate::natf::wire::ipv4::{self, at, Protocol};

/// Which end of the packet changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Source address and port.
    Source,
    /// Destination address and port.
    Destination,
}

/// Makes the destination of a packet without ports `to`. `None`: no memory.
pub(crate) fn rewrite_destination(skb: &mut Skb, to: Ipv4Addr) -> Option<()> {
    let head = skb.writable(ipv4::HEADER_LEN)?;
    mend_header_checksum(head, at::DST, to)?;
    *head.get_mut(at::DST..)?.first_chunk_mut()? = to.octets();
    Some(())
}

/// Mends the header checksum for `to` at offset `address`, which is not yet written. What that changes is part of
/// the transport checksum, too.
#[inline(always)]
fn mend_header_checksum(head: &mut [u8], address: usize, to: Ipv4Addr) -> Option<Delta> {
    let mut delta = Delta::new();
    let before: [u8; 4] = *head.get(address..)?.first_chunk()?;
    delta.replace_address(before.into(), to);
    let sum = head.get_mut(at::CHECKSUM..)?.first_chunk_mut::<2>()?;
    *sum = delta.apply(u16::from_be_bytes(*sum)).to_be_bytes();
    Some(delta)
}

/// Makes one end of a TCP or UDP packet, or of an ICMP echo, `to`. `transport` is where its transport header starts.
/// `None`: no memory, or the packet is shorter than its headers; it may be half changed then.
#[inline(always)]
pub(crate) fn rewrite(
    skb: &mut Skb,
    side: Side,
    protocol: Protocol,
    transport: usize,
    to: (Ipv4Addr, u16),
) -> Option<()> {
    match side {
        Side::Source => rewrite_at::<{ at::SRC }, 0>(skb, protocol, transport, to),
        Side::Destination => rewrite_at::<{ at::DST }, 2>(skb, protocol, transport, to),
    }
}

/// The same for the address at `ADDRESS` of the IPv4 header and the port at `PORT` of the transport header.
#[inline(always)]
fn rewrite_at<const ADDRESS: usize, const PORT: usize>(
    skb: &mut Skb,
    protocol: Protocol,
    transport: usize,
    to: (Ipv4Addr, u16),
) -> Option<()> {
    let checksum = match protocol {
        Protocol::Tcp => 16,
        Protocol::Icmp => return rewrite_echo(skb, ADDRESS, transport, to),
        _ => 6,
    };
    let summed = skb.summed();
    let head = skb.writable(transport.checked_add(checksum)?.checked_add(2)?)?;
    let (ip, rest) = head.split_at_mut_checked(transport)?;
    let field = rest.get(checksum..)?.first_chunk::<2>()?;
    let sum = u16::from_be_bytes(*field);
    if summed == Summed::Complete && (sum != 0 || protocol == Protocol::Tcp) {
        return rewrite_complete(skb, ADDRESS, PORT, protocol, transport, to);
    }

    let mut delta = mend_header_checksum(ip, ADDRESS, to.0)?;
    *ip.get_mut(ADDRESS..)?.first_chunk_mut()? = to.0.octets();
    let port = rest.get_mut(PORT..)?.first_chunk_mut::<2>()?;
    let before = u16::from_be_bytes(core::mem::replace(port, to.1.to_be_bytes()));
    let sum = match summed {
        // Only the addresses are part of the pseudo-header.
        Summed::Partial => delta.apply_partial(sum),
        _ => {
            delta.replace_word(before, to.1);
            match protocol {
                Protocol::Tcp => delta.apply(sum),
                _ => delta.apply_udp(sum),
            }
        }
    };
    *rest.get_mut(checksum..)?.first_chunk_mut()? = sum.to_be_bytes();
    Some(())
}

/// The same for a packet of which a device has left its own sum: that must be mended, too.
#[cold]
fn rewrite_complete(
    skb: &mut Skb,
    address: usize,
    port: usize,
    protocol: Protocol,
    transport: usize,
    to: (Ipv4Addr, u16),
) -> Option<()> {
    let checksum = transport.checked_add(match protocol {
        Protocol::Tcp => 16,
        _ => 6,
    })?;
    let head = skb.writable(checksum.checked_add(2)?)?;
    mend_header_checksum(head, address, to.0)?;
    let mut ports: [u8; 4] = *head.get(transport..)?.first_chunk()?;
    *ports.get_mut(port..)?.first_chunk_mut()? = to.1.to_be_bytes();
    skb.replace4(address, to.0.octets(), checksum, true)?;
    skb.replace4(transport, ports, checksum, false)?;
    if protocol == Protocol::Tcp {
        return Some(());
    }
    never_zero(skb, checksum)
}

/// A UDP checksum of zero would mean "none" (RFC 768).
fn never_zero(skb: &mut Skb, checksum: usize) -> Option<()> {
    let sum = skb
        .writable(checksum.checked_add(2)?)?
        .get_mut(checksum..)?
        .first_chunk_mut::<2>()?;
    if *sum == [0, 0] {
        *sum = [0xff, 0xff];
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
