// SPDX-License-Identifier: GPL-2.0

//! The headers against etherparse: what we write it reads, what it writes we read.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use core::net::Ipv4Addr;

use etherparse::{
    Icmpv4Slice, Icmpv4Type, IpNumber, Ipv4HeaderSlice, PacketBuilder, TcpHeaderSlice,
    UdpHeaderSlice,
};
use natf::wire::checksum::Delta;
use natf::wire::{icmp, ipv4, ports, tcp, udp};
use proptest::prelude::*;

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..64)
}

proptest! {
    #[test]
    fn our_ipv4_header(src: u32, dst: u32, protocol: u8, ttl: u8, df: bool, ident: u16, len in 0u16..65_515) {
        let repr = ipv4::Repr {
            src: src.into(),
            dst: dst.into(),
            protocol: protocol.into(),
            ttl,
            dont_fragment: df,
            ident,
            payload_len: len,
        };
        let mut bytes = [0xff; 20];
        repr.emit(&mut bytes).unwrap();
        let header = Ipv4HeaderSlice::from_slice(&bytes).unwrap().to_header();
        prop_assert_eq!(Ipv4Addr::from(header.source), repr.src);
        prop_assert_eq!(Ipv4Addr::from(header.destination), repr.dst);
        prop_assert_eq!(header.protocol, IpNumber(protocol));
        prop_assert_eq!((header.time_to_live, header.identification), (ttl, ident));
        prop_assert_eq!((header.dont_fragment, header.more_fragments), (df, false));
        prop_assert_eq!(header.total_len, len + 20);
        prop_assert_eq!(header.header_checksum, header.calc_header_checksum());
    }

    #[test]
    fn our_tcp_syn(src: u32, dst: u32, ports: (u16, u16), seq: u32, window: u16) {
        let repr = tcp::SynRepr { src_port: ports.0, dst_port: ports.1, seq, window };
        let mut bytes = [0xff; 20];
        repr.emit(&mut bytes, src.into(), dst.into()).unwrap();
        let slice = TcpHeaderSlice::from_slice(&bytes).unwrap();
        let header = slice.to_header();
        prop_assert_eq!((header.source_port, header.destination_port), ports);
        prop_assert_eq!((header.sequence_number, header.window_size), (seq, window));
        prop_assert!(header.syn && !header.ack && !header.fin && !header.rst && !header.psh);
        let checksum = header.calc_checksum_ipv4_raw(src.to_be_bytes(), dst.to_be_bytes(), &[]);
        prop_assert_eq!(header.checksum, checksum.unwrap());
    }

    #[test]
    fn our_udp_datagram(src: u32, dst: u32, ports: (u16, u16), payload in payload()) {
        let repr = udp::Repr { src_port: ports.0, dst_port: ports.1, payload: &payload };
        let mut bytes = vec![0xff; repr.buffer_len()];
        repr.emit(&mut bytes, src.into(), dst.into()).unwrap();
        let header = UdpHeaderSlice::from_slice(&bytes).unwrap().to_header();
        prop_assert_eq!((header.source_port, header.destination_port), ports);
        prop_assert_eq!(usize::from(header.length), bytes.len());
        let checksum = header.calc_checksum_ipv4_raw(src.to_be_bytes(), dst.to_be_bytes(), &payload);
        prop_assert_eq!(header.checksum, checksum.unwrap());
    }

    #[test]
    fn our_icmp_echo(reply: bool, ident: u16, seq: u16, payload in payload()) {
        let repr = icmp::EchoRepr { reply, ident, seq, data: &payload };
        let mut bytes = vec![0xff; repr.buffer_len()];
        repr.emit(&mut bytes).unwrap();
        let slice = Icmpv4Slice::from_slice(&bytes).unwrap();
        let echo = match slice.icmp_type() {
            Icmpv4Type::EchoRequest(echo) if !reply => echo,
            Icmpv4Type::EchoReply(echo) if reply => echo,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert_eq!((echo.id, echo.seq, slice.payload()), (ident, seq, &payload[..]));
        prop_assert_eq!(slice.checksum(), slice.icmp_type().calc_checksum(&payload));
    }

    #[test]
    fn their_tcp_with_options(src: [u8; 4], dst: [u8; 4], ports_: (u16, u16), seq: u32, payload in payload()) {
        let builder = PacketBuilder::ipv4(src, dst, 64)
            .tcp(ports_.0, ports_.1, seq, 1000)
            .ack(77)
            .fin()
            .options_raw(&[1; 8])
            .unwrap();
        let mut bytes = vec![];
        builder.write(&mut bytes, &payload).unwrap();
        let ip = ipv4::Packet::new_checked(&bytes).unwrap();
        prop_assert!(ip.verify_checksum());
        prop_assert_eq!((ip.src(), ip.dst()), (src.into(), dst.into()));
        prop_assert_eq!((ip.protocol(), ip.ttl()), (ipv4::Protocol::Tcp, 64));
        prop_assert_eq!(ports(ip.payload()), Some(ports_));
        let tcp = tcp::Packet::new_checked(ip.payload()).unwrap();
        prop_assert!(tcp.verify_checksum(ip.src(), ip.dst()));
        prop_assert_eq!((tcp.src_port(), tcp.dst_port()), ports_);
        prop_assert_eq!((tcp.seq(), tcp.ack(), tcp.window()), (seq, 77, 1000));
        prop_assert!(tcp.flags().fin() && tcp.flags().ack() && !tcp.flags().syn());
        prop_assert_eq!((tcp.header_len(), tcp.payload()), (28, &payload[..]));
    }

    /// What a translator does to a packet: addresses and ports change, and one set of edits serves
    /// both checksums.
    #[test]
    fn translation_by_delta(
        src: [u8; 4],
        dst: [u8; 4],
        ports: (u16, u16),
        to: (u32, u16),
        payload in payload(),
    ) {
        let mut bytes = vec![];
        PacketBuilder::ipv4(src, dst, 64)
            .udp(ports.0, ports.1)
            .write(&mut bytes, &payload)
            .unwrap();
        let (addr, port) = (Ipv4Addr::from(to.0), to.1);

        let mut ip = ipv4::Packet::new_checked(bytes).unwrap();
        let mut delta = Delta::new();
        delta.replace(16, &dst, &addr.octets());
        let header_checksum = delta.apply(ip.checksum());
        ip.set_dst(addr);
        ip.set_checksum(header_checksum);
        prop_assert!(ip.verify_checksum());

        delta.replace(2, &ports.1.to_be_bytes(), &port.to_be_bytes());
        let (src, dst) = (ip.src(), ip.dst());
        let mut udp = udp::Packet::new_checked(ip.payload_mut()).unwrap();
        let checksum = delta.apply_udp(udp.checksum());
        udp.set_dst_port(port);
        udp.set_checksum(checksum);
        prop_assert!(udp.verify_checksum(src, dst));
        udp.fill_checksum(src, dst);
        prop_assert_eq!(udp.checksum(), checksum);
    }

    #[test]
    fn delta_equals_a_new_sum(
        mut data in prop::collection::vec(any::<u8>(), 2..80),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..9)), 0..6),
    ) {
        // The sum of data that is all zeros has no complement that an update could reach.
        data.push(1);
        let before = natf::wire::checksum::internet(&data);
        let mut delta = Delta::new();
        let last = data.len() - 1;
        for (at, new) in edits {
            let at = at.index(last);
            let len = new.len().min(last - at);
            delta.replace(at, &data[at..at + len], &new[..len]);
            data[at..at + len].copy_from_slice(&new[..len]);
        }
        prop_assert_eq!(delta.apply(before), natf::wire::checksum::internet(&data));
    }
}
