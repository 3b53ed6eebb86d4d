// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::natf::name::Name;
use crate::natf::wire::control::{Code, Early, Malformed, Message, Request, Response};
use crate::natf::wire::ipv4::Protocol;
use core::net::Ipv4Addr;
use hmac::{Hmac, Mac as _};
use proptest::prelude::*;
use sha2::Sha256;

struct Oracle([u8; KEY_LEN]);

impl Mac for Oracle {
    fn mac(&self, data: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap();
        mac.update(data);
        mac.finalize().into_bytes().into()
    }
}

const KEY: Oracle = Oracle([7; KEY_LEN]);

fn request(name: NameRef<'_>, cookie: Option<u64>) -> Request<'_> {
    Request {
        nonce: 5,
        protocol: Protocol::Udp,
        en: Ipv4Addr::new(198, 51, 100, 2),
        router: Ipv4Addr::new(203, 0, 113, 2),
        en_port: 40_000,
        dst_port: 80,
        name,
        cookie,
        auth: Some(Stamp {
            key: KeyId::of(&KEY),
            time: 1_800_000_000_123,
        }),
        early: None,
        unknown_critical: None,
    }
}

fn signed(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = vec![0xff; request.buffer_len()];
    request.emit(&mut bytes).unwrap();
    sign(&mut bytes, &KEY);
    bytes
}

fn alice() -> Name {
    Name::parse(b"alice").unwrap()
}

/// The key id was made by Python's hmac.
#[test]
fn a_signed_request() {
    let name = alice();
    let request = request(name.view(), None);
    let bytes = signed(&request);
    assert_eq!(bytes.len(), 96);
    assert_eq!(bytes[66..68], [3, 28], "the last option");
    assert_eq!(bytes[72..80], 1_800_000_000_123_u64.to_be_bytes());
    assert_eq!(Message::classify(&bytes), Message::Request(request));
    assert!(verify(&bytes, &KEY));
    assert!(!verify(&bytes, &Oracle([8; KEY_LEN])));
    assert_eq!(KeyId::of(&KEY).to_string(), "91c50199");
}

#[test]
fn every_bit_counts() {
    let name = alice();
    let mut run = [0; 14];
    let request = Request {
        early: Some(Early::pack(b"first packet", &mut run).unwrap()),
        ..request(name.view(), Some(9))
    };
    let bytes = signed(&request);
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(&other, &KEY), "{bit}");
    }
    for len in 0..bytes.len() {
        assert!(!verify(&bytes[..len], &KEY));
        sign(&mut bytes.clone()[..len], &KEY);
    }
}

#[test]
fn auth_is_the_last_option_and_whole() {
    let name = alice();
    let bytes = signed(&request(name.view(), None));
    let wrong = |options: &[u8]| {
        let mut message = [&bytes[..44], options].concat();
        let len = u16::try_from(message.len()).unwrap();
        message[6..8].copy_from_slice(&len.to_be_bytes());
        Message::classify(&message) == Message::Malformed(Malformed::Auth)
    };
    let auth = &bytes[66..];
    let name = &bytes[44..51];
    assert!(!wrong(&[name, auth].concat()));
    assert!(wrong(&[auth, name].concat()));
    assert!(wrong(&[name, auth, auth].concat()));
    assert!(wrong(&[name, auth, &[0, 0]].concat()));
    for len in (0..60).filter(|&len| len != 28) {
        let short = [&[3, len][..], &vec![0; usize::from(len)]].concat();
        assert!(wrong(&[name, &short].concat()));
    }
}

#[test]
fn answers_fit_into_the_shortest_request() {
    let name = Name::parse(b"a").unwrap();
    let asked = request(name.view(), None);
    let answer = Response {
        epoch: Some(1),
        auth: asked.auth,
        ..Response::to(&asked, Code::Ok)
    };
    // Fixed part, name of one byte, AUTH.
    let short = answer.within(44 + 3 + 30);
    assert_eq!((short.auth, short.epoch), (asked.auth, None));
    assert!(short.buffer_len() <= 77);
    assert_eq!(answer.within(96), answer);
    let mut bytes = vec![0; answer.buffer_len()];
    answer.emit(&mut bytes).unwrap();
    sign(&mut bytes, &KEY);
    assert_eq!(Message::classify(&bytes), Message::Response(answer));
    assert!(verify(&bytes, &KEY));
}

proptest! {
    #[test]
    fn of_any_length(text in "[a-z0-9]{1,60}(\\.[a-z0-9]{1,60}){0,3}", cookie: Option<u64>) {
        let name = Name::parse(text.as_bytes()).unwrap();
        let request = request(name.view(), cookie);
        let bytes = signed(&request);
        prop_assert!(bytes.len() % 4 == 0);
        prop_assert_eq!(Message::classify(&bytes), Message::Request(request));
        prop_assert!(verify(&bytes, &KEY));
    }

    #[test]
    fn same_means_same(one: Vec<u8>, other: Vec<u8>) {
        prop_assert_eq!(same(&one, &other), one == other);
        prop_assert!(same(&one, &one.clone()));
    }
}

#[test]
fn clocks() {
    let stamp = |time| Stamp {
        key: KeyId([0; 4]),
        time,
    };
    assert!(stamp(100_000).is_fresh(130_000) && stamp(130_000).is_fresh(100_000));
    assert!(!stamp(100_000).is_fresh(130_001) && !stamp(130_001).is_fresh(100_000));
    assert!(!stamp(u64::MAX).is_fresh(0));
}

#[test]
fn names_under_a_suffix() {
    let under = |host: &str, domain: &str, suffix: &str| {
        let name = |text: &str| Name::parse(text.as_bytes()).unwrap();
        is_under(name(host).view(), name(domain).view(), name(suffix).view())
    };
    assert!(under("alice", "home.example.net", "home.example.net"));
    assert!(under("alice", "home.example.net", "net"));
    assert!(under("alice", "home.example.net", "alice.home.example.net"));
    assert!(under(
        "www.alice",
        "home.example.net",
        "alice.home.example.net"
    ));
    assert!(!under("alice", "home.example.net", "other.example.net"));
    assert!(!under("alice", "atome.example.net", "me.example.net"));
    assert!(!under("alice", "net", "home.alice.net"));
}

#[test]
fn lines() {
    let hex = "00112233445566778899aAbBcCdDeEfF00112233445566778899aabbccddeeff";
    let line = format!(" add office {hex} # key");
    let Ok(Some(Command::Add(name, key))) = Command::parse(line.as_bytes()) else {
        panic!()
    };
    assert_eq!(
        (name, key[1], key[15], key[31]),
        (&b"office"[..], 0x11, 0xff, 0xff)
    );
    assert!(matches!(
        Command::parse(b"del x"),
        Ok(Some(Command::Del(b"x")))
    ));
    assert!(matches!(Command::parse(b"flush"), Ok(Some(Command::Flush))));
    assert!(matches!(Command::parse(b" # x"), Ok(None)));
    let short = format!("add x {}", hex.strip_prefix('0').unwrap());
    let long = format!("add x {hex}0");
    let other = format!("add x {}", hex.replace("00", "0g"));
    let more = format!("add x {hex} y");
    for wrong in [
        "add", "add x", "del", "del x y", "flush x", "set", &short, &long, &other, &more,
    ] {
        assert!(Command::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
    for wrong in ["", "Office", "a b", "sixteen-letters1", "a.b"] {
        assert_eq!(KeyName::parse(wrong.as_bytes()), None);
    }
    assert_eq!(
        KeyName::parse(b"fifteen-letters").unwrap().to_string(),
        "fifteen-letters"
    );
}
