// SPDX-License-Identifier: GPL-2.0

//! What every reader of bytes from outside has to hold, whatever the bytes are. For the property tests beside this
//! folder, and for the fuzz targets of `rust/natf/fuzz`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use core::net::Ipv4Addr;

use natf::early;
use natf::pseudo::Pseudo;
use natf::quoted::{End, Quoted};
use natf::vat::{Direction, Segment};
use natf::wire::checksum::Delta;
use natf::wire::control::{Code, Message, Request, Response, MAX_LEN, MAX_RESPONSE_LEN};
use natf::wire::{dns, icmp, ipv4, ports, tcp, udp};
use natf::{act, auth, domains, guard, line, name, nrt, told};

const ADDR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// All of them.
pub fn all(bytes: &[u8]) {
    packets(bytes);
    errors(bytes);
    control(bytes);
    dns(bytes);
    act(bytes);
}

/// Packets of IPv4, TCP, UDP and ICMP, and what is read of them at first sight.
pub fn packets(bytes: &[u8]) {
    if let Ok(mut packet) = ipv4::Packet::new_header_checked(bytes.to_vec()) {
        assert!(packet.payload().len() <= bytes.len());
        assert_eq!(packet.payload().len(), packet.clone().payload_mut().len());
        assert!(packet.header_len() >= 20 && packet.header().len() == packet.header_len());
        packet.set_dst(ADDR);
        packet.fill_checksum();
        assert!(packet.verify_checksum());
    }
    if let Ok(packet) = ipv4::Packet::new_checked(bytes) {
        if let Some(segment) = early::of_packet(&packet) {
            let mut segment = segment.to_vec();
            assert!(segment.len() <= early::MAX);
            let (src, dst) = (packet.src(), packet.dst());
            early::readdress(&mut segment, packet.protocol(), false, src, dst, ADDR);
            early::readdress(&mut segment, packet.protocol(), true, src, dst, ADDR);
        }
        let claimed = usize::from(packet.total_len());
        assert_eq!(packet.header().len() + packet.payload().len(), claimed);
    }
    if let Ok(mut packet) = icmp::Packet::new_checked(bytes.to_vec()) {
        assert_eq!(packet.inner().is_some(), packet.is_error());
        packet.set_ident(1);
        packet.fill_checksum();
        assert!(packet.verify_checksum());
    }
    if let Ok(mut packet) = tcp::Packet::new_header_checked(bytes.to_vec()) {
        assert!(packet.payload().len() <= bytes.len() - 20);
        let _ = tcp::RstRepr::answering(&packet);
        packet.set_dst_port(1);
        packet.fill_checksum(ADDR, ADDR);
        assert!(packet.verify_checksum(ADDR, ADDR));
    }
    if let Ok(packet) = tcp::Packet::new_checked(bytes) {
        assert_eq!(packet.header_len() + packet.payload().len(), bytes.len());
    }
    if let Ok(mut packet) = udp::Packet::new_header_checked(bytes.to_vec()) {
        assert_eq!(packet.payload().len(), packet.clone().payload_mut().len());
        packet.set_dst_port(1);
        packet.fill_checksum(ADDR, ADDR);
    }
    if let Ok(packet) = udp::Packet::new_checked(bytes) {
        assert_eq!(packet.payload().len() + 8, usize::from(packet.len()));
    }
    assert_eq!(ports(bytes).is_some(), bytes.len() >= 4);
    for direction in [Direction::Out, Direction::In] {
        if let Some(segment) = Segment::parse(bytes, direction) {
            assert_eq!(segment.flow().words(), segment.words);
            assert!(segment.transport <= bytes.len());
        }
    }
    if let Some(pseudo) = Pseudo::parse(bytes) {
        let mut again = vec![0; pseudo.buffer_len().unwrap()];
        pseudo.emit(&mut again).unwrap();
        assert_eq!(
            Pseudo::parse(&again).map(|again| again.key()),
            Some(pseudo.key())
        );
    }
}

/// ICMP errors and the packets that they quote: what is rewritten is found again, and undone by rewriting it back.
pub fn errors(bytes: &[u8]) {
    let Some(quoted) = Quoted::parse(bytes) else {
        return;
    };
    assert!(quoted.writable_len() <= bytes.len());
    let sent = quoted.sent;
    for (end, from) in [(End::Source, sent.local), (End::Destination, sent.remote)] {
        let mut changed = bytes.to_vec();
        quoted.rewrite(&mut changed, end, (ADDR, 7)).unwrap();
        assert_eq!(
            changed[quoted.writable_len()..],
            bytes[quoted.writable_len()..]
        );
        let again = Quoted::parse(&changed).unwrap().sent;
        let seen = match end {
            End::Source => again.local,
            End::Destination => again.remote,
        };
        assert_eq!(seen, (ADDR, 7));
        quoted.rewrite(&mut changed, end, from).unwrap();
        // Zero has two forms in a checksum.
        let same = changed.iter().zip(bytes).filter(|(new, old)| new != old);
        assert!(same.count() <= 4);
    }
}

/// Messages of NAT-f: what is written again is read again, and no answer is longer than its request.
pub fn control(bytes: &[u8]) {
    match Message::classify(bytes) {
        Message::Response(response) => {
            let mut again = vec![0xff; response.buffer_len()];
            response.emit(&mut again).unwrap();
            assert!(again.len() <= MAX_RESPONSE_LEN);
            assert_eq!(Message::classify(&again), Message::Response(response));
        }
        Message::Request(request) => {
            assert!(bytes.len() <= MAX_LEN);
            for code in [Code::Ok, Code::Denied] {
                let response = Response {
                    epoch: Some(1),
                    auth: request.auth,
                    ..Response::to(&request, code)
                };
                assert!(response.within(bytes.len()).buffer_len() <= bytes.len());
            }
            early_data(&request);
            let request = Request {
                unknown_critical: None,
                ..request
            };
            // PAD may make it longer than a message can be.
            if request.buffer_len() > MAX_LEN {
                return;
            }
            let mut again = vec![0xff; request.buffer_len()];
            request.emit(&mut again).unwrap();
            assert_eq!(Message::classify(&again), Message::Request(request));
        }
        Message::NotNatf | Message::Malformed(_) => {}
    }
}

/// The packet that a request carries: whatever it is, if it is delivered it is a right one of the flow, to the mapped
/// address.
fn early_data(request: &Request<'_>) {
    let Some(early) = request.early else { return };
    let mut packet = vec![0; 20 + early.len()];
    early.join(&mut packet[20..]).unwrap();
    let way = early::Way {
        protocol: request.protocol,
        en: request.en,
        router: request.router,
        to: (ADDR, 7),
        tos: 3,
        ttl: 63,
        ident: 1,
    };
    if !early::is_of(request, &packet[20..]) {
        let _ = way.prepare(&mut packet);
        return;
    }
    way.prepare(&mut packet).unwrap();
    let ip = ipv4::Packet::new_checked(&packet[..]).unwrap();
    assert!(ip.verify_checksum() && (ip.tos(), ip.ttl()) == (3, 63));
    let segment = Segment::parse(&packet, Direction::Out).unwrap();
    assert_eq!(segment.flow().remote, (ADDR, 7));
    let right = match ip.protocol() {
        ipv4::Protocol::Tcp => tcp::Packet::new_checked(ip.payload())
            .is_ok_and(|tcp| tcp.verify_checksum(request.en, ADDR)),
        ipv4::Protocol::Udp => udp::Packet::new_checked(ip.payload())
            .is_ok_and(|udp| udp.verify_checksum(request.en, ADDR)),
        _ => icmp::Packet::new_checked(ip.payload()).is_ok_and(|icmp| icmp.verify_checksum()),
    };
    assert!(right);
}

/// DNS messages: only what has to be is changed, or nothing.
pub fn dns(bytes: &[u8]) {
    let answer = dns::inspect(bytes);
    let mut rewritten = bytes.to_vec();
    let count = dns::rewrite(&mut rewritten, ADDR, Some(60), &mut Delta::new());
    match (answer, count) {
        (Ok(Some(answer)), Ok(count)) => {
            assert!((1..=count).contains(&answer.addresses.as_slice().len()));
            let changed = bytes.iter().zip(&rewritten).filter(|(old, new)| old != new);
            assert!(changed.count() <= 8 * count + 1);
        }
        (Ok(None), Ok(0)) => assert_eq!(rewritten, bytes),
        (Err(_), Err(_)) => assert_eq!(rewritten, bytes),
        (answer, count) => panic!("{answer:?} but {count:?}"),
    }
    // Nothing is read of an answer whose question cannot be read, and none is a query, too.
    let (asked, answered) = (dns::asked(bytes), dns::answered(bytes));
    assert!(!matches!((&asked, &answered), (Ok(Some(_)), Ok(Some(_)))));
    if let Ok(Some(answer)) = &answer {
        let question = answered.unwrap().unwrap();
        assert_eq!((question.name, question.qtype), (answer.name, answer.qtype));
    }
    let mut neutral = bytes.to_vec();
    match dns::neutralise(&mut neutral, &mut Delta::new()) {
        Ok(count) => {
            let changed = bytes.iter().zip(&neutral).filter(|(old, new)| old != new);
            assert!(changed.count() <= 2 * count + 1);
            // There is nothing left to change.
            assert_eq!(dns::neutralise(&mut neutral, &mut Delta::new()), Ok(0));
        }
        Err(_) => assert_eq!(neutral, bytes),
    }
}

/// Lines that a person writes: of the access control table, and of the other files.
pub fn act(bytes: &[u8]) {
    for now in [0, 1_800_000_000, u64::MAX] {
        match act::Command::parse(bytes, now) {
            Ok(Some(act::Command::Add(entry))) => {
                let shown = entry.to_string();
                let again = act::Command::parse(shown.as_bytes(), 0);
                assert_eq!(again, Ok(Some(act::Command::Add(entry))), "{shown}");
            }
            Ok(_) => {}
            Err(problem) => assert!(!problem.to_string().is_empty()),
        }
    }
    let said = act::Said(bytes).to_string();
    assert!(!said.contains(char::is_control));
    let _ = domains::Command::parse(bytes);
    let _ = auth::Command::parse(bytes);
    let _ = line::setting(bytes);
    if let Some(limits) = guard::Limits::DEFAULT.with(bytes) {
        let mut shown = limits.to_string();
        assert_eq!(
            shown
                .lines()
                .try_fold(limits, |all, line| all.with(line.as_bytes())),
            Some(limits)
        );
        shown.clear();
    }
    if let Some(entry) = nrt::Entry::parse(bytes, 0) {
        let mut shown = String::new();
        entry.show(0, &mut shown).unwrap();
        assert!(nrt::Entry::parse(shown.as_bytes(), 0).is_some(), "{shown}");
    }
    if let Some(Some(told)) = told::Told::parse(bytes) {
        let routers: Vec<_> = told
            .routers
            .as_slice()
            .iter()
            .map(ToString::to_string)
            .collect();
        let shown = format!("{} {} {}", told.name, routers.join(","), told.ttl);
        let again = told::Told::parse(shown.as_bytes());
        assert!(
            again.flatten().is_some_and(|again| again.name == told.name),
            "{shown}"
        );
    }
    let parsed = name::NameRef::parse_wire_text(bytes);
    assert!(parsed.is_err() || name::Name::parse(bytes).is_ok());
}
