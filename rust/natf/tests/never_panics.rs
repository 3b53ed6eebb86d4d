// SPDX-License-Identifier: GPL-2.0

//! No bytes make a parser panic, whether they are random or almost right.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod feed;

use feed::all as feed;
use natf::act;
use natf::early;
use natf::wire::control::Message;
use natf::wire::{dns, ipv4};
use proptest::prelude::*;

/// A DNS response with a CNAME and two A records, compressed.
const DNS: &[u8] = b"\x12\x34\x81\xa0\0\x01\0\x03\0\0\0\x01\x05alice\x04home\0\0\x01\0\x01\
    \xc0\x0c\0\x05\0\x01\0\0\x01\x2c\0\x04\x01r\xc0\x12\
    \xc0\x28\0\x01\0\x01\0\0\x01\x2c\0\x04\xc6\x33\x64\x02\
    \x01R\x04HOME\0\0\x01\0\x01\0\0\x01\x2c\0\x04\xc6\x33\x64\x03\
    \0\0\x29\x04\xd0\0\0\x80\0\0\0";

/// A request for "alice", without its padding.
const CONTROL: &[u8] =
    b"NATf\x01\x01\0\x33\x01\x23\x45\x67\x89\xab\xcd\xef\x06\0\0\0\xcb\0\x71\x01\
    \xc6\x33\x64\x02\x9c\x40\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\x01\x05alice";

/// The same with a UDP datagram as EARLY, in two pieces, its checksum left out.
const EARLY: &[u8] = b"NATf\x01\x01\0\x43\x01\x23\x45\x67\x89\xab\xcd\xef\x11\0\0\0\xcb\0\x71\x01\
    \xc6\x33\x64\x02\x9c\x40\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\x01\x05alice\
    \x05\x06\x9c\x40\0\x50\0\x0c\x05\x06\0\0ABCD";

/// A response with the flag KEPT and an EPOCH.
const RESPONSE: &[u8] =
    b"NATf\x01\x02\0\x38\x01\x23\x45\x67\x89\xab\xcd\xef\x06\0\0\x01\xcb\0\x71\x01\
    \xc6\x33\x64\x02\x9c\x40\0\x50\xc6\x33\x64\x02\xc3\x50\0\0\0\x01\x51\x80\
    \x04\x08\x11\x22\x33\x44\x55\x66\x77\x88\0\0";

/// An entry of the access control table with all that there is.
const ACT: &[u8] =
    b"add Www.alice 192.168.0.10 allow tcp 22,8000-8099 udp icmp from 198.51.100.0/24,\
    203.0.113.7 max 20 until 1800000000 comment \"a # b\" # end";

/// An IPv4 header and four bytes of UDP.
const IPV4: &[u8] =
    b"\x45\0\0\x1c\x12\x34\x40\0\x02\x11\0\0\xcb\0\x71\x01\xc6\x33\x64\x02\0\x35\x9c\x40";

#[test]
fn the_samples_are_right() {
    let answer = dns::inspect(DNS).unwrap().unwrap();
    assert_eq!(answer.addresses.as_slice().len(), 2);
    assert!(matches!(Message::classify(CONTROL), Message::Request(_)));
    let Message::Request(request) = Message::classify(EARLY) else {
        panic!("no request")
    };
    let mut datagram = [0; 12];
    request.early.unwrap().join(&mut datagram).unwrap();
    assert!(early::is_of(&request, &datagram));
    let Message::Response(response) = Message::classify(RESPONSE) else {
        panic!("no response")
    };
    assert!(response.kept && response.epoch.is_some());
    assert!(ipv4::Packet::new_header_checked(IPV4).is_ok());
    assert!(matches!(act::Command::parse(ACT, 0), Ok(Some(_))));
}

#[test]
fn every_prefix_and_every_changed_byte() {
    for sample in [DNS, CONTROL, EARLY, RESPONSE, IPV4, ACT] {
        for len in 0..=sample.len() {
            feed(&sample[..len]);
        }
        for at in 0..sample.len() {
            let mut bytes = sample.to_vec();
            for value in 0..=u8::MAX {
                bytes[at] = value;
                feed(&bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        feed(&bytes);
    }

    #[test]
    fn random_words(line in "(add|del|flush|begin|commit|abort|#| )? ?[a-zA-Z._#*-]{0,20} ?[0-9./]{0,16} ?(allow|deny)?") {
        feed(line.as_bytes());
    }

    #[test]
    fn random_options(
        line in "(add|del) (\\*|[a-zA-Z.]{1,70}) (-|10\\.0\\.0\\.1) (allow|deny)( (tcp|udp|icmp|from|max|until|for|comment|flush|[0-9,./-]{0,60}|\"[^\"]{0,70}\"?)){0,8}"
    ) {
        feed(line.as_bytes());
    }

    #[test]
    fn several_changed_bytes(
        sample in prop::sample::select(&[DNS, CONTROL, EARLY, RESPONSE, IPV4, ACT]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        extra in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = [sample, &extra].concat();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        feed(&bytes);
    }

    /// Compression is where DNS parsers die: records with nothing but pointers.
    #[test]
    fn random_pointers(targets in prop::collection::vec((0u16..200, 0u16..3), 1..20)) {
        let mut bytes = DNS[..28].to_vec();
        bytes[7] = u8::try_from(targets.len()).unwrap();
        for (target, kind) in targets {
            bytes.extend((0xc000 | target).to_be_bytes());
            let kind = [1u16, 5, 16][usize::from(kind)];
            bytes.extend(kind.to_be_bytes());
            bytes.extend([0, 1, 0, 0, 0, 9, 0, 4]);
            bytes.extend([1, b'a', 0xc0, 12]);
        }
        feed(&bytes);
    }
}
