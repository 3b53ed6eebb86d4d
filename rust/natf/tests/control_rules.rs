// SPDX-License-Identifier: GPL-2.0

//! What holds for every control message.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use core::net::Ipv4Addr;

use natf::name::{Name, NameRef};
use natf::wire::control::{Code, Early, Message, Request, Response, MAX_LEN, MAX_REQUEST_LEN};
use proptest::prelude::*;

prop_compose! {
    fn a_name()(text in "[a-z0-9_-]{1,40}(\\.[a-z0-9_-]{1,40}){0,5}") -> Name {
        Name::parse(text.as_bytes()).unwrap()
    }
}

type Fields = (u64, u8, u32, u32, u16, u16);

fn a_request(fields: Fields, name: NameRef<'_>) -> Request<'_> {
    let (nonce, protocol, en, router, en_port, dst_port) = fields;
    Request {
        nonce,
        protocol: protocol.into(),
        en: en.into(),
        router: router.into(),
        en_port,
        dst_port,
        name,
        cookie: None,
        auth: None,
        early: None,
        unknown_critical: None,
    }
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(
        fields: Fields,
        name in a_name(),
        cookie: Option<u64>,
        data in prop::option::of(prop::collection::vec(any::<u8>(), 1..900)),
    ) {
        let mut run = vec![0xff; Early::packed_len(data.as_ref().map_or(0, Vec::len))];
        let early = data.as_ref().map(|data| Early::pack(data, &mut run).unwrap());
        let request = Request { cookie, early, ..a_request(fields, name.view()) };
        prop_assume!(request.buffer_len() <= MAX_LEN);
        let mut bytes = vec![0xff; request.buffer_len()];
        request.emit(&mut bytes).unwrap();
        prop_assert_eq!(Message::classify(&bytes), Message::Request(request));
        prop_assert!(bytes.len() >= 96 && bytes.len() % 4 == 0);
        prop_assert!(bytes.len() <= MAX_REQUEST_LEN || early.is_some());
        if let (Some(early), Some(data)) = (early, data) {
            let mut joined = vec![0; data.len()];
            early.join(&mut joined).unwrap();
            prop_assert_eq!(joined, data);
        }
        for len in 4..bytes.len() {
            prop_assert!(matches!(Message::classify(&bytes[..len]), Message::Malformed(_)));
        }
    }

    #[test]
    fn a_response_is_read_as_it_was_written(
        fields: Fields,
        name in a_name(),
        code: u8,
        mapped: (u32, u16, u32),
        kept: bool,
        delivered: bool,
        epoch: Option<u64>,
        cookie: Option<u64>,
    ) {
        let request = a_request(fields, name.view());
        let refusal = Response::to(&request, Code::from(code));
        let mapped = Response::mapped(&request, Ipv4Addr::from(mapped.0), mapped.1, mapped.2);
        let full = Response { kept, delivered, epoch, cookie, ..mapped };
        for response in [refusal, mapped, full] {
            let mut bytes = vec![0xff; response.buffer_len()];
            response.emit(&mut bytes).unwrap();
            prop_assert_eq!(Message::classify(&bytes), Message::Response(response));
            prop_assert!(response.answers(&request));
        }
    }

    /// No amplification, also for requests that are none of ours: fixed parts with random options.
    #[test]
    fn a_response_is_never_longer_than_its_request(
        fields: Fields,
        epoch: Option<u64>,
        name in a_name(),
        // Those of EARLY would have to follow each other.
        options in prop::collection::vec((6u8.., prop::collection::vec(any::<u8>(), 0..60)), 0..10),
        name_first: bool,
    ) {
        let request = a_request(fields, name.view());
        let mut bytes = vec![0; request.buffer_len()];
        request.emit(&mut bytes).unwrap();
        let end = 46 + name.as_bytes().len();
        let own = bytes[44..end].to_vec();
        bytes.truncate(44);
        let mut rest = vec![];
        for (kind, value) in &options {
            rest.extend([*kind, u8::try_from(value.len()).unwrap()]);
            rest.extend(value);
        }
        match name_first {
            true => bytes.extend([own, rest].concat()),
            false => bytes.extend([rest, own].concat()),
        }
        let len = u16::try_from(bytes.len()).unwrap();
        bytes[6..8].copy_from_slice(&len.to_be_bytes());

        let Message::Request(read) = Message::classify(&bytes) else {
            return Err(TestCaseError::fail("no request"));
        };
        let response = Response { epoch, ..Response::to(&read, Code::Ok) };
        let fitted = response.within(bytes.len());
        prop_assert!(fitted.buffer_len() <= bytes.len());
        prop_assert_eq!(fitted == response, response.buffer_len() <= bytes.len());
        let critical = options.iter().map(|&(kind, _)| kind).find(|&kind| kind >= 128);
        prop_assert_eq!(read, Request { unknown_critical: critical, ..request });
    }
}
