// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::natf::name::NameRef;
use crate::natf::wire::control::{Early, Message};

const EN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const V: Ipv4Addr = Ipv4Addr::new(240, 0, 3, 4);
const ROUTER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
const MAPPED: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 3), 61_000);
const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp];

fn request(protocol: Protocol) -> Request<'static> {
    Request {
        nonce: 7,
        protocol,
        en: EN,
        router: ROUTER,
        en_port: 40_000,
        dst_port: 80,
        name: NameRef::parse_wire_text(b"alice").unwrap(),
        cookie: None,
        auth: None,
        early: None,
        unknown_critical: None,
    }
}

/// The first segment of a flow to V with some data, its checksum right for `dst`.
fn segment(protocol: Protocol, dst: Ipv4Addr) -> Vec<u8> {
    let data = b"some odd data";
    let mut bytes = vec![];
    match protocol {
        Protocol::Tcp => {
            bytes.resize(20, 0);
            tcp::SynRepr {
                src_port: 40_000,
                dst_port: 80,
                seq: 0xdead_beef,
                window: 64_240,
            }
            .emit(&mut bytes, EN, dst)
            .unwrap();
            bytes.extend(data);
            tcp::Packet::new_checked(&mut bytes)
                .unwrap()
                .fill_checksum(EN, dst);
        }
        Protocol::Udp => {
            let repr = udp::Repr {
                src_port: 40_000,
                dst_port: 80,
                payload: data,
            };
            bytes.resize(8 + data.len(), 0);
            repr.emit(&mut bytes, EN, dst).unwrap();
        }
        _ => {
            let repr = icmp::EchoRepr {
                reply: false,
                ident: 40_000,
                seq: 1,
                data,
            };
            bytes.resize(8 + data.len(), 0);
            repr.emit(&mut bytes).unwrap();
        }
    }
    bytes
}

fn packet(protocol: Protocol, ttl: u8, segment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 20];
    ipv4::Repr {
        src: EN,
        dst: V,
        protocol,
        ttl,
        dont_fragment: true,
        ident: 0,
        payload_len: segment.len() as u16,
    }
    .emit(&mut bytes)
    .unwrap();
    bytes.extend(segment);
    bytes
}

fn travels(bytes: &[u8]) -> bool {
    of_packet(&ipv4::Packet::new_checked(bytes).unwrap()).is_some()
}

#[test]
fn a_packet_arrives_as_if_it_had_been_sent_to_the_mapped_address() {
    for protocol in PROTOCOLS {
        for partial in [false, true] {
            // A partial checksum is that of the pseudo-header, or anything.
            let mut sent = segment(protocol, V);
            if partial && protocol != Protocol::Icmp {
                let at = if protocol == Protocol::Tcp { 16 } else { 6 };
                sent[at..at + 2].copy_from_slice(&[0x12, 0x34]);
            }
            let whole = packet(protocol, 64, &sent);
            let view = ipv4::Packet::new_checked(&whole[..]).unwrap();
            let mut taken = of_packet(&view).unwrap().to_vec();
            readdress(&mut taken, protocol, partial, EN, V, ROUTER);
            assert!(is_of(&request(protocol), &taken), "{protocol:?} {partial}");

            let mut made = [&[0; 20], &taken[..]].concat();
            let way = Way {
                protocol,
                en: EN,
                router: ROUTER,
                to: MAPPED,
                tos: 0xb8,
                ttl: 61,
                ident: 9,
            };
            way.prepare(&mut made).unwrap();
            let ip = ipv4::Packet::new_checked(&made[..]).unwrap();
            assert!(ip.verify_checksum());
            assert_eq!((ip.src(), ip.dst(), ip.ttl()), (EN, MAPPED.0, 61));
            assert_eq!((ip.tos(), ip.ident(), ip.protocol()), (0xb8, 9, protocol));
            assert_eq!(ip.dont_fragment(), protocol == Protocol::Tcp);
            let (rest, src, dst) = (ip.payload(), 40_000, MAPPED.1);
            match protocol {
                Protocol::Tcp => {
                    let tcp = tcp::Packet::new_checked(rest).unwrap();
                    assert!(tcp.verify_checksum(EN, MAPPED.0));
                    assert_eq!((tcp.src_port(), tcp.dst_port()), (src, dst));
                    assert_eq!(
                        (tcp.seq(), tcp.payload()),
                        (0xdead_beef, &b"some odd data"[..])
                    );
                }
                Protocol::Udp => {
                    let udp = udp::Packet::new_checked(rest).unwrap();
                    assert!(udp.verify_checksum(EN, MAPPED.0) && udp.checksum() != 0);
                    assert_eq!((udp.src_port(), udp.dst_port()), (src, dst));
                    assert_eq!(udp.payload(), b"some odd data");
                }
                _ => {
                    let icmp = icmp::Packet::new_checked(rest).unwrap();
                    assert!(icmp.verify_checksum());
                    assert_eq!((icmp.ident(), icmp.data()), (dst, &b"some odd data"[..]));
                }
            }
        }
    }
}

#[test]
fn a_datagram_without_a_checksum_stays_one() {
    let mut taken = segment(Protocol::Udp, V);
    taken[6..8].fill(0);
    readdress(&mut taken, Protocol::Udp, false, EN, V, ROUTER);
    assert_eq!(taken[6..8], [0, 0]);
    assert!(is_of(&request(Protocol::Udp), &taken));
}

#[test]
fn what_was_wrong_is_not_made_right() {
    for protocol in PROTOCOLS {
        let mut taken = segment(protocol, V);
        *taken.last_mut().unwrap() ^= 1;
        readdress(&mut taken, protocol, false, EN, V, ROUTER);
        assert!(!is_of(&request(protocol), &taken), "{protocol:?}");
    }
}

#[test]
fn only_a_segment_of_the_flow_is_delivered() {
    for protocol in PROTOCOLS {
        let right = segment(protocol, ROUTER);
        let request = request(protocol);
        assert!(is_of(&request, &right));
        for len in 0..right.len() {
            assert!(!is_of(&request, &right[..len]), "{protocol:?} {len}");
        }
        assert!(!is_of(&request, &[&right[..], &[0]].concat()) || protocol != Protocol::Udp);
        // Every bit counts, but for those of the TCP header that are reserved or urgent: the checksum sees them.
        for bit in 0..right.len() * 8 {
            let mut wrong = right.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_of(&request, &wrong), "{protocol:?} bit {bit}");
        }
        for other in [
            Request {
                en_port: 1,
                ..request
            },
            Request {
                en: MAPPED.0,
                ..request
            },
            Request {
                router: MAPPED.0,
                ..request
            },
            Request {
                dst_port: 1,
                ..request
            },
        ] {
            let counts = protocol != Protocol::Icmp || other.en_port == 1;
            assert_eq!(is_of(&other, &right), !counts, "{protocol:?} {other:?}");
        }
        for wrong in PROTOCOLS.iter().filter(|&&wrong| wrong != protocol) {
            let other = Request {
                protocol: *wrong,
                ..request
            };
            assert!(!is_of(&other, &right));
        }
    }
}

#[test]
fn a_tcp_segment_has_to_open_a_connection() {
    for flags in 0..=u8::MAX {
        let mut bytes = segment(Protocol::Tcp, ROUTER);
        bytes[13] = flags;
        tcp::Packet::new_checked(&mut bytes)
            .unwrap()
            .fill_checksum(EN, ROUTER);
        let opens = flags & 0x17 == 0x02;
        assert_eq!(is_of(&request(Protocol::Tcp), &bytes), opens, "{flags:#x}");
        assert_eq!(travels(&packet(Protocol::Tcp, 64, &bytes)), opens);
    }
}

#[test]
fn not_every_packet_travels() {
    for protocol in PROTOCOLS {
        let segment = segment(protocol, V);
        let right = packet(protocol, MIN_TTL, &segment);
        assert!(travels(&right));
        assert!(!travels(&packet(protocol, MIN_TTL - 1, &segment)));
        for fragment in [0x20, 0x01] {
            let mut bytes = right.clone();
            bytes[6] = fragment;
            assert!(!travels(&bytes));
        }
        let mut options = packet(protocol, 64, &[&[1, 1, 1, 1], &segment[..]].concat());
        options[0] = 0x46;
        assert!(!travels(&options));
    }
    let long = |len: usize| {
        let mut bytes = vec![0; len];
        bytes[4..6].copy_from_slice(&(len as u16).to_be_bytes());
        travels(&packet(Protocol::Udp, 64, &bytes))
    };
    assert!(long(MAX) && !long(MAX + 1));
    assert!(!travels(&packet(Protocol::Other(132), 64, &[0; 20])));
}

#[test]
fn the_longest_fits_into_a_request() {
    let data = vec![9; MAX];
    let mut run = vec![0; Early::packed_len(MAX)];
    let request = Request {
        name: NameRef::parse_wire_text(b"a").unwrap(),
        early: Some(Early::pack(&data, &mut run).unwrap()),
        ..request(Protocol::Udp)
    };
    assert!(request.buffer_len() <= MAX_LEN);
    let mut bytes = vec![0xff; request.buffer_len()];
    request.emit(&mut bytes).unwrap();
    assert_eq!(Message::classify(&bytes), Message::Request(request));
}

#[test]
fn nothing_is_made_of_what_is_no_segment() {
    for protocol in PROTOCOLS {
        let way = Way {
            protocol,
            en: EN,
            router: ROUTER,
            to: MAPPED,
            tos: 0,
            ttl: 64,
            ident: 0,
        };
        let right = segment(protocol, ROUTER);
        for len in 0..28 {
            let mut made = [&[0; 20], &right[..]].concat();
            made.truncate(len);
            assert_eq!(way.prepare(&mut made), None);
        }
    }
}

#[test]
fn who_is_wanted() {
    let wanted = |choice| [is_wanted(choice, false), is_wanted(choice, true)];
    assert_eq!(
        [wanted(0), wanted(1), wanted(2)],
        [[false; 2], [false, true], [true; 2]]
    );
    // A signed request is fresh for twice the window at most: its clock may be ahead by one.
    assert!(remembered_ms(true) > 2 * WINDOW_MS);
    assert!(remembered_ms(false) > 2 * crate::natf::vat::PAUSES_MS.iter().sum::<u64>());
    assert_ne!(key(1, EN), key(1, V));
    assert_ne!(key(1, EN), key(1 << 63, EN));
}

#[test]
fn the_answer_to_a_syn_is_known_by_its_acknowledgment() {
    // 13 bytes of data.
    let asked = acknowledgment(&segment(Protocol::Tcp, V)).unwrap();
    assert_eq!(asked, (0xdead_bef0, 13));
    let answer = |flags: u8, ack: u32| {
        let mut bytes = [0; 20];
        bytes[8..12].copy_from_slice(&ack.to_be_bytes());
        bytes[12..14].copy_from_slice(&[0x50, flags]);
        bytes
    };
    for (flags, ack, answers) in [
        (0x12, 0xdead_bef0, true),
        (0x14, 0xdead_bef0, true),
        (0x12, 0xdead_befd, true),
        (0x12, 0xdead_befe, false),
        (0x12, 0xdead_beef, false),
        (0x10, 0xdead_bef0, false),
        (0x02, 0xdead_bef0, false),
        (0x04, 0xdead_bef0, false),
    ] {
        let bytes = answer(flags, ack);
        assert_eq!(acknowledges(&bytes, asked), answers, "{flags:#x} {ack:#x}");
        for len in 0..bytes.len() {
            assert!(!acknowledges(&bytes[..len], asked));
        }
    }
    assert!(acknowledges(&answer(0x12, 2), (u32::MAX, 3)));
    assert_eq!(acknowledgment(&[0; 19]), None);
}

#[test]
fn a_request_does_not_travel_in_a_request() {
    let echo = |data: &[u8]| {
        let mut bytes = vec![0; icmp::HEADER_LEN + data.len()];
        bytes[icmp::HEADER_LEN..].copy_from_slice(data);
        bytes[0] = icmp::ECHO_REQUEST;
        bytes[4..6].copy_from_slice(&40_000_u16.to_be_bytes());
        icmp::Packet::new_checked(&mut bytes)
            .unwrap()
            .fill_checksum();
        bytes
    };
    let request = request(Protocol::Icmp);
    assert!(is_of(&request, &echo(b"some data")));
    assert!(is_of(&request, &echo(&MAGIC[..MAGIC.len() - 1])));
    assert!(!is_of(&request, &echo(&MAGIC)));
    assert!(!is_of(&request, &echo(&[&MAGIC[..], b"and more"].concat())));
}
