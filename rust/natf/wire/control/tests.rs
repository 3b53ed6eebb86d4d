// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::natf::name::{Name, MAX_LEN as MAX_NAME_LEN};

const EN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

fn request(name: &[u8]) -> Request<'_> {
    Request {
        nonce: 0x0123_4567_89ab_cdef,
        protocol: Protocol::Tcp,
        en: EN,
        router: ROUTER,
        en_port: 40_000,
        dst_port: 80,
        name: NameRef::parse_wire_text(name).unwrap(),
        cookie: None,
        auth: None,
        early: None,
        unknown_critical: None,
    }
}

fn emitted(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = vec![0xff; request.buffer_len()];
    request.emit(&mut bytes).unwrap();
    bytes
}

/// A request with these options instead of its own.
fn with_options(options: &[u8]) -> Vec<u8> {
    let mut bytes = emitted(&request(b"alice"));
    bytes.truncate(HEADER_LEN);
    bytes.extend_from_slice(options);
    let len = u16::try_from(bytes.len()).unwrap();
    bytes[at::LEN..at::LEN + 2].copy_from_slice(&len.to_be_bytes());
    bytes
}

#[test]
fn the_bytes_of_a_request() {
    let mut expected = vec![
        b'N', b'A', b'T', b'f', 1, 1, 0, 96, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 6, 0,
        0, 0, 203, 0, 113, 1, 198, 51, 100, 2, 0x9c, 0x40, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 5, b'a', b'l', b'i', b'c', b'e', 0, 43,
    ];
    expected.resize(96, 0);
    assert_eq!(emitted(&request(b"alice")), expected);
}

#[test]
fn the_nonce_of_a_start() {
    let bytes = emitted(&request(b"alice"));
    for len in 0..bytes.len() {
        let found = (len >= NONCE_END).then_some(0x0123_4567_89ab_cdef);
        assert_eq!(nonce(&bytes[..len]), found);
    }
    assert_eq!(nonce(&[0; 44]), None);
}

#[test]
fn the_bytes_of_a_response() {
    let response = Response::mapped(&request(b"alice"), ROUTER, 50_000, 86_400);
    let mut bytes = [0xff; 44];
    response.emit(&mut bytes).unwrap();
    let expected = [
        b'N', b'A', b'T', b'f', 1, 2, 0, 44, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 6, 0,
        0, 0, 203, 0, 113, 1, 198, 51, 100, 2, 0x9c, 0x40, 0, 80, 198, 51, 100, 2, 0xc3, 0x50, 0,
        0, 0, 1, 0x51, 0x80,
    ];
    assert_eq!(bytes, expected);
    assert_eq!(Message::classify(&bytes), Message::Response(response));
}

/// A mapped response with both things that are optional.
fn kept() -> Response {
    Response {
        kept: true,
        epoch: Some(0x1122_3344_5566_7788),
        ..Response::mapped(&request(b"alice"), ROUTER, 50_000, 86_400)
    }
}

#[test]
fn the_bytes_of_a_response_with_an_epoch() {
    let mut bytes = [0xff; 56];
    kept().emit(&mut bytes).unwrap();
    let expected = [
        b'N', b'A', b'T', b'f', 1, 2, 0, 56, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 6, 0,
        0, 1, 203, 0, 113, 1, 198, 51, 100, 2, 0x9c, 0x40, 0, 80, 198, 51, 100, 2, 0xc3, 0x50, 0,
        0, 0, 1, 0x51, 0x80, 4, 8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0,
    ];
    assert_eq!(bytes, expected);
    assert_eq!(Message::classify(&bytes), Message::Response(kept()));
    assert!(kept().answers(&request(b"alice")));
    // Flags of later versions are ignored.
    bytes[at::FLAGS] = 0xff;
    bytes[at::FLAGS + 1] = 0xfc;
    let expected = Response {
        kept: false,
        ..kept()
    };
    assert_eq!(Message::classify(&bytes), Message::Response(expected));
    // DELIVERED is one bit, beside the other.
    bytes[at::FLAGS] = 0;
    for flags in 0..4 {
        bytes[at::FLAGS + 1] = flags;
        let expected = Response {
            kept: flags & 1 != 0,
            delivered: flags & 2 != 0,
            ..kept()
        };
        assert_eq!(Message::classify(&bytes), Message::Response(expected));
        let mut again = [0xff; 56];
        expected.emit(&mut again).unwrap();
        assert_eq!(bytes, again);
        // A refusal delivers nothing.
        assert!(!expected.refused(Code::Forbidden).delivered);
    }
}

#[test]
fn an_answer_has_the_options_that_its_request_left_room_for() {
    const LEN: usize = 56;
    for room in 0..LEN {
        let response = kept().within(room);
        assert_eq!((response.kept, response.epoch), (true, None));
        assert_eq!(response.buffer_len(), HEADER_LEN);
    }
    assert_eq!(kept().within(LEN), kept());
    for len in 0..LEN {
        assert_eq!(kept().emit(&mut vec![0; len]), Err(NoRoom));
    }
}

#[test]
fn a_cookie_goes_there_and_back() {
    let asked = Response {
        cookie: Some(0x1122_3344_5566_7788),
        ..Response::to(&request(b"alice"), Code::Cookie)
    };
    let mut bytes = [0xff; 56];
    asked.emit(&mut bytes).unwrap();
    assert_eq!(
        bytes[44..],
        [2, 8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0]
    );
    assert_eq!(Message::classify(&bytes), Message::Response(asked));
    let again = Request {
        cookie: asked.cookie,
        ..request(b"alice")
    };
    let bytes = emitted(&again);
    assert_eq!(bytes.len(), MIN_REQUEST_LEN);
    assert_eq!(
        bytes[51..61],
        [2, 8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]
    );
    assert_eq!(Message::classify(&bytes), Message::Request(again));
    assert!(asked.answers(&again));
    // The shortest request has no room for one.
    assert!(asked.within(47).buffer_len() > 47);
}

#[test]
fn cookies_that_are_wrong() {
    let wrong = |options: &[u8]| {
        let reason = Message::Malformed(Malformed::Cookie);
        Message::classify(&with_options(options)) == reason
    };
    for len in (0..=u8::MAX).filter(|&len| len != 8) {
        let mut options = vec![1, 1, b'a', 2, len];
        options.resize(5 + usize::from(len), 9);
        assert!(wrong(&options));
    }
    let mut twice = vec![1, 1, b'a'];
    twice.extend([2, 8, 0, 0, 0, 0, 0, 0, 0, 1].repeat(2));
    assert!(wrong(&twice));
}

#[test]
fn epochs_that_are_wrong() {
    let read = |options: &[u8]| {
        let mut bytes = with_options(options);
        bytes[at::KIND] = RESPONSE;
        match Message::classify(&bytes) {
            Message::Response(response) => Ok(response.epoch),
            Message::Malformed(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    };
    for len in (0..=u8::MAX).filter(|&len| len != 8) {
        let mut options = vec![4, len];
        options.resize(2 + usize::from(len), 9);
        assert_eq!(read(&options), Err(Malformed::Epoch));
    }
    let twice = [4, 8, 0, 0, 0, 0, 0, 0, 0, 1].repeat(2);
    assert_eq!(read(&twice), Err(Malformed::Epoch));
    assert_eq!(read(&twice[..9]), Err(Malformed::Option));
    assert_eq!(read(&twice[..10]), Ok(Some(1)));
    // In a request it says nothing.
    let bytes = with_options(&[4, 1, 9, 1, 1, b'a']);
    assert_eq!(Message::classify(&bytes), Message::Request(request(b"a")));
}

#[test]
fn requests_of_every_name_length() {
    for len in 1..=MAX_NAME_LEN {
        let text: Vec<u8> = (1..=len)
            .map(|i| if i % 50 == 0 && i < len { b'.' } else { b'x' })
            .collect();
        let name = Name::parse(&text).unwrap();
        let request = request(name.as_bytes());
        let with_cookie = Request {
            cookie: Some(7),
            ..request
        };
        let bytes = emitted(&with_cookie);
        assert_eq!(Message::classify(&bytes), Message::Request(with_cookie));
        assert!(bytes.len() % 4 == 0 && bytes.len() <= MAX_REQUEST_LEN);
        let bytes = emitted(&request);
        assert_eq!(Message::classify(&bytes), Message::Request(request));
        assert!(bytes.len() % 4 == 0 && (MIN_REQUEST_LEN..=MAX_REQUEST_LEN).contains(&bytes.len()));
        assert!(kept().buffer_len() <= bytes.len());
        assert_eq!(request.emit(&mut vec![0; bytes.len() - 1]), Err(NoRoom));
    }
}

#[test]
fn every_short_length_is_malformed_or_a_ping() {
    let bytes = emitted(&request(b"alice"));
    for len in 0..bytes.len() {
        let expected = match len {
            0..4 => Message::NotNatf,
            _ => Message::Malformed(Malformed::Length),
        };
        assert_eq!(Message::classify(&bytes[..len]), expected);
        // Cut, and honest about it: the options are what is broken, or missing.
        if len >= HEADER_LEN {
            let message = with_options(&bytes[HEADER_LEN..len]);
            let cut = match len {
                HEADER_LEN => Message::Malformed(Malformed::NoName),
                51 => Message::Request(request(b"alice")),
                _ => Message::Malformed(Malformed::Option),
            };
            assert_eq!(Message::classify(&message), cut, "{len}");
        }
    }
    let mut long = bytes.clone();
    long.push(0);
    assert_eq!(
        Message::classify(&long),
        Message::Malformed(Malformed::Length)
    );
}

#[test]
fn a_message_has_a_longest_length() {
    let padded = |len: usize| {
        let mut options = vec![1, 1, b'a'];
        while HEADER_LEN + options.len() < len {
            let value = (len - HEADER_LEN - options.len() - 2).min(200);
            options.extend([0, u8::try_from(value).unwrap()]);
            options.resize(options.len() + value, 0);
        }
        with_options(&options)
    };
    assert!(matches!(
        Message::classify(&padded(MAX_LEN)),
        Message::Request(_)
    ));
    assert_eq!(padded(MAX_LEN).len(), MAX_LEN);
    let long = padded(MAX_LEN + 4);
    assert_eq!(
        Message::classify(&long),
        Message::Malformed(Malformed::Length)
    );
}

#[test]
fn fixed_fields_that_are_wrong() {
    let spoilt = |at: usize, value: u8| {
        let mut bytes = emitted(&request(b"alice"));
        bytes[at] = value;
        match Message::classify(&bytes) {
            Message::Malformed(reason) => Some(reason),
            _ => None,
        }
    };
    assert_eq!(spoilt(at::VERSION, 2), Some(Malformed::Version));
    assert_eq!(spoilt(at::KIND, 0), Some(Malformed::Type));
    assert_eq!(spoilt(at::KIND, 3), Some(Malformed::Type));
    // What a receiver ignores: code and flags, the mapped address, the reserved field, the lifetime.
    for ignored in (17..20).chain(32..44) {
        assert_eq!(spoilt(ignored, 0xff), None);
    }
}

#[test]
fn names_that_are_wrong() {
    let reason = |options: &[u8]| match Message::classify(&with_options(options)) {
        Message::Malformed(reason) => Some(reason),
        _ => None,
    };
    assert_eq!(reason(&[0, 2, 0, 0]), Some(Malformed::NoName));
    assert_eq!(
        reason(&[1, 1, b'a', 1, 1, b'a']),
        Some(Malformed::SecondName)
    );
    assert_eq!(reason(&[1, 0]), Some(Malformed::Name(NameError::Empty)));
    assert_eq!(
        reason(&[1, 1, b'A']),
        Some(Malformed::Name(NameError::Byte(b'A')))
    );
    assert_eq!(
        reason(&[1, 2, b'a', b'.']),
        Some(Malformed::Name(NameError::EmptyLabel))
    );
    assert_eq!(reason(&[1, 1, b'a', 7]), Some(Malformed::Option));
}

#[test]
fn unknown_options() {
    // A kind that may be skipped, and the reserved ones.
    for kind in (4..128).filter(|&kind| kind != options::EARLY) {
        let bytes = with_options(&[kind, 1, 9, 1, 1, b'a']);
        assert_eq!(Message::classify(&bytes), Message::Request(request(b"a")));
    }
    // A critical one is told, so that the router can answer; so is the first of two.
    for kind in 128..=255 {
        let bytes = with_options(&[kind, 0, 1, 1, b'a', 200, 0]);
        let expected = Request {
            unknown_critical: Some(kind),
            ..request(b"a")
        };
        assert_eq!(Message::classify(&bytes), Message::Request(expected));
        let mut response = bytes;
        response[at::KIND] = RESPONSE;
        assert_eq!(
            Message::classify(&response),
            Message::Malformed(Malformed::CriticalOption)
        );
    }
    // Malformed wins: it must not be answered.
    let bytes = with_options(&[128, 0]);
    assert_eq!(
        Message::classify(&bytes),
        Message::Malformed(Malformed::NoName)
    );
}

#[test]
fn a_packet_in_as_many_options_as_it_takes() {
    let data: Vec<u8> = (0..=255).cycle().take(700).collect();
    for len in [1, 8, 254, 255, 256, 510, 511, 700] {
        let mut run = vec![0xff; Early::packed_len(len)];
        let early = Early::pack(&data[..len], &mut run).unwrap();
        assert_eq!(early.len(), len);
        assert_eq!(early.as_bytes().len(), len + 2 * len.div_ceil(255));
        for cookie in [None, Some(7)] {
            let request = Request {
                early: Some(early),
                cookie,
                ..request(b"alice")
            };
            let bytes = emitted(&request);
            assert_eq!(Message::classify(&bytes), Message::Request(request));
        }
        let mut joined = vec![0; len];
        early.join(&mut joined).unwrap();
        assert_eq!(joined, data[..len]);
        assert_eq!(early.join(&mut joined[..len - 1]), Err(NoRoom));
        let mut short = vec![0; Early::packed_len(len) - 1];
        assert_eq!(Early::pack(&data[..len], &mut short), Err(NoRoom));
    }
}

#[test]
fn pieces_of_a_packet_follow_each_other() {
    let read = |options: &[u8]| match Message::classify(&with_options(options)) {
        Message::Request(request) => {
            let early = request.early.unwrap();
            let mut joined = vec![0; early.len()];
            early.join(&mut joined).unwrap();
            Ok(joined)
        }
        Message::Malformed(reason) => Err(reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        read(&[5, 1, 9, 5, 0, 5, 2, 8, 7, 1, 1, b'a']),
        Ok(vec![9, 8, 7])
    );
    assert_eq!(
        read(&[1, 1, b'a', 5, 2, 9, 8, 0, 1, 0, 6, 0]),
        Ok(vec![9, 8])
    );
    assert_eq!(read(&[1, 1, b'a', 5, 0]), Ok(vec![]));
    for between in [&[0, 0][..], &[6, 1, 0], &[1, 1, b'a']] {
        let options = [&[5, 1, 9], between, &[5, 1, 8, 1, 1, b'a']].concat();
        assert_eq!(read(&options), Err(Malformed::Early));
    }
    assert_eq!(
        read(&[1, 1, b'a', 5, 1, 9, 5, 2, 8]),
        Err(Malformed::Option)
    );
}

#[test]
fn every_protocol_number_comes_back() {
    for number in 0..=u8::MAX {
        let mut bytes = emitted(&request(b"alice"));
        bytes[at::PROTOCOL] = number;
        let Message::Request(request) = Message::classify(&bytes) else {
            panic!("no request")
        };
        assert_eq!(u8::from(request.protocol), number);
        let response = Response::to(&request, Code::BadProtocol);
        let mut answer = [0; 44];
        response.emit(&mut answer).unwrap();
        assert_eq!(answer[at::PROTOCOL], number);
        assert_eq!(Message::classify(&answer), Message::Response(response));
        assert!(response.answers(&request));
    }
}

#[test]
fn only_the_answer_to_the_flow_counts() {
    let request = request(b"alice");
    let response = Response::mapped(&request, ROUTER, 50_000, 60);
    assert!(response.answers(&request));
    for other in [
        Response {
            nonce: 1,
            ..response
        },
        Response {
            protocol: Protocol::Udp,
            ..response
        },
        Response {
            en: ROUTER,
            ..response
        },
        Response {
            en_port: 1,
            ..response
        },
        Response {
            dst_port: 1,
            ..response
        },
    ] {
        assert!(!other.answers(&request));
    }
}

#[test]
fn a_refusal_maps_nothing() {
    let response = Response::to(&request(b"alice"), Code::NoHost);
    assert_eq!(
        (response.mapped, response.mapped_port, response.lifetime),
        (Ipv4Addr::UNSPECIFIED, 0, 0)
    );
    let mut bytes = [0xff; 44];
    response.emit(&mut bytes).unwrap();
    assert_eq!(bytes[at::CODE], 3);
    for len in 0..44 {
        assert_eq!(response.emit(&mut bytes[..len]), Err(NoRoom));
    }
}
