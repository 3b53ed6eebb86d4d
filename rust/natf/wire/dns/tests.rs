// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::natf::wire::checksum::internet;

const G2: [u8; 4] = [198, 51, 100, 2];
const V1: Ipv4Addr = Ipv4Addr::new(240, 0, 1, 2);

/// A name without compression.
fn name(text: &str) -> Vec<u8> {
    let mut bytes = vec![];
    for label in text.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

struct Builder(Vec<u8>);

impl Builder {
    /// A successful response with AD set to a question for `qname`.
    fn new(qname: &str, qtype: u16) -> Self {
        let mut bytes = vec![0x12, 0x34, 0x81, 0xa0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend(name(qname));
        bytes.extend(qtype.to_be_bytes());
        bytes.extend(CLASS_IN.to_be_bytes());
        Builder(bytes)
    }

    /// Adds to the answer section.
    fn record(mut self, owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Self {
        self.0[7] += 1;
        self.0.extend(owner);
        self.0.extend(kind.to_be_bytes());
        self.0.extend(CLASS_IN.to_be_bytes());
        self.0.extend(ttl.to_be_bytes());
        self.0
            .extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        self.0.extend(data);
        self
    }

    fn a(self, owner: &str, data: [u8; 4]) -> Self {
        self.record(&name(owner), TYPE_A, 300, &data)
    }

    fn cname(self, owner: &str, target: &str) -> Self {
        self.record(&name(owner), TYPE_CNAME, 300, &name(target))
    }

    fn addresses(&self) -> Vec<[u8; 4]> {
        match inspect(&self.0).unwrap() {
            Some(answer) => answer
                .addresses
                .as_slice()
                .iter()
                .map(Ipv4Addr::octets)
                .collect(),
            None => vec![],
        }
    }
}

fn plain() -> Vec<u8> {
    Builder::new("Alice.hOme", TYPE_A)
        .record(&[0xc0, 12], TYPE_A, 300, &G2)
        .0
}

/// With one byte changed.
fn spoilt(at: usize, value: u8) -> Vec<u8> {
    let mut bytes = plain();
    bytes[at] = value;
    bytes
}

#[test]
fn a_plain_answer() {
    let answer = inspect(&plain()).unwrap().unwrap();
    assert_eq!((answer.id, answer.qtype, answer.ttl), (0x1234, TYPE_A, 300));
    assert_eq!(answer.name.as_str(), "alice.home");
    assert_eq!(answer.addresses.as_slice(), [Ipv4Addr::from(G2)]);
}

#[test]
fn only_address_ttl_and_ad_are_written() {
    let mut bytes = plain();
    let mut delta = Delta::new();
    assert_eq!(rewrite(&mut bytes, V1, Some(60), &mut delta), Ok(1));
    let mut expected = plain();
    expected[3] &= !0x20;
    let len = expected.len();
    expected[len - 10..len - 6].copy_from_slice(&60u32.to_be_bytes());
    expected[len - 4..].copy_from_slice(&V1.octets());
    assert_eq!(bytes, expected);
    assert_eq!(
        delta.apply(crate::natf::wire::checksum::internet(&plain())),
        crate::natf::wire::checksum::internet(&bytes)
    );
}

#[test]
fn a_ttl_is_never_raised() {
    for max_ttl in [None, Some(300), Some(301), Some(u32::MAX)] {
        let mut bytes = plain();
        rewrite(&mut bytes, V1, max_ttl, &mut Delta::new()).unwrap();
        assert_eq!(inspect(&bytes).unwrap().unwrap().ttl, 300);
    }
    // A TTL with the highest bit set means 0.
    let mut bytes = Builder::new("alice.home", TYPE_A)
        .record(&[0xc0, 12], TYPE_A, 0x8000_0001, &G2)
        .0;
    assert_eq!(inspect(&bytes).unwrap().unwrap().ttl, 0);
    rewrite(&mut bytes, V1, Some(60), &mut Delta::new()).unwrap();
    assert_eq!(inspect(&bytes).unwrap().unwrap().ttl, 0);
}

#[test]
fn every_short_length_is_refused() {
    let bytes = plain();
    for len in 0..bytes.len() {
        assert_eq!(inspect(&bytes[..len]), Err(Error::Truncated), "{len}");
        let mut short = bytes[..len].to_vec();
        assert_eq!(
            rewrite(&mut short, V1, Some(1), &mut Delta::new()),
            Err(Error::Truncated)
        );
        assert_eq!(short, bytes[..len]);
    }
}

#[test]
fn messages_that_are_not_for_us() {
    for bytes in [
        spoilt(2, 0x01),  // a query
        spoilt(2, 0x89),  // another opcode
        spoilt(2, 0x83),  // truncated
        spoilt(3, 0xa3),  // NXDOMAIN
        spoilt(5, 0),     // no question
        spoilt(5, 2),     // two
        spoilt(25, 28),   // for AAAA
        spoilt(27, 3),    // of another class
        spoilt(13, b'*'), // about a name that is not ours
        spoilt(7, 0),     // no answer
    ] {
        assert_eq!(inspect(&bytes), Ok(None));
        let mut rewritten = bytes.clone();
        assert_eq!(
            rewrite(&mut rewritten, V1, Some(1), &mut Delta::new()),
            Ok(0)
        );
        assert_eq!(rewritten, bytes);
    }
}

#[test]
fn records_that_are_not_the_answer() {
    let other = [192, 0, 2, 1];
    let answer = Builder::new("alice.home", TYPE_ANY)
        .a("bob.home", other)
        .record(&name("alice.home"), TYPE_AAAA, 9, &[0; 16])
        .record(&name("alice.home"), TYPE_A, 300, &G2)
        .a("home", other);
    assert_eq!(answer.addresses(), [G2]);
    let mut bytes = answer.0;
    assert_eq!(rewrite(&mut bytes, V1, None, &mut Delta::new()), Ok(1));
    let again = Builder(bytes);
    assert_eq!(again.addresses(), [V1.octets()]);
    assert!(again.0.windows(4).filter(|&four| four == other).count() == 2);
    // A record of another class is no address of the internet.
    let mut bytes = plain();
    let class = bytes.len() - 11;
    bytes[class] = 3;
    assert_eq!(inspect(&bytes), Ok(None));
}

#[test]
fn an_address_has_four_bytes() {
    for len in [0, 3, 5, 16] {
        let answer =
            Builder::new("alice.home", TYPE_A).record(&[0xc0, 12], TYPE_A, 1, &vec![1; len]);
        assert_eq!(inspect(&answer.0), Err(Error::Address));
    }
}

#[test]
fn aliases_in_any_order() {
    let [x, y] = [[192, 0, 2, 1], [192, 0, 2, 2]];
    let start = || Builder::new("alice.home", TYPE_A);
    let forwards = start()
        .cname("ALICE.home", "r.net")
        .cname("R.net", "s.net")
        .a("s.NET", x);
    assert_eq!(forwards.addresses(), [x]);
    let backwards = start()
        .a("s.net", x)
        .cname("r.net", "s.net")
        .cname("alice.home", "r.net");
    assert_eq!(backwards.addresses(), [x]);
    let broken = start()
        .cname("alice.home", "r.net")
        .cname("q.net", "s.net")
        .a("s.net", x);
    assert_eq!(broken.addresses(), [[0; 4]; 0]);
    // A stub resolver may take any name on the chain, so the addresses of all of them count.
    let forked = start()
        .cname("alice.home", "r.net")
        .cname("alice.home", "s.net")
        .a("s.net", x)
        .a("r.net", y);
    assert_eq!(forked.addresses(), [x, y]);
    let circle = start()
        .cname("alice.home", "r.net")
        .cname("r.net", "alice.home")
        .a("r.net", y);
    assert_eq!(circle.addresses(), [y]);
}

#[test]
fn aliases_and_records_are_limited() {
    let chain = |count: u8| {
        let mut answer = Builder::new("n0", TYPE_A);
        for i in (0..count).rev() {
            answer = answer.cname(&format!("n{i}"), &format!("n{}", i + 1));
        }
        inspect(&answer.a(&format!("n{count}"), G2).0)
    };
    assert!(chain(11).unwrap().is_some());
    assert_eq!(chain(12), Err(Error::TooMany));

    let many = |count: u8| {
        let mut answer = Builder::new("alice.home", TYPE_A);
        for i in 0..count {
            answer = answer.a("alice.home", [10, 0, 0, i]);
        }
        answer.0
    };
    let mut bytes = many(128);
    assert_eq!(rewrite(&mut bytes, V1, Some(1), &mut Delta::new()), Ok(128));
    assert_eq!(inspect(&bytes).unwrap().unwrap().addresses.as_slice(), [V1]);
    assert_eq!(inspect(&many(129)), Err(Error::TooMany));
    assert_eq!(inspect(&vec![0; MAX_LEN + 1]), Err(Error::TooLong));
}

#[test]
fn the_first_different_addresses() {
    let mut answer = Builder::new("alice.home", TYPE_A);
    for last in [5, 5, 4, 5, 3, 2, 1] {
        answer = answer.record(
            &[0xc0, 12],
            TYPE_A,
            100 + u32::from(last),
            &[10, 0, 0, last],
        );
    }
    assert_eq!(
        answer.addresses(),
        [5, 4, 3, 2].map(|last| [10, 0, 0, last])
    );
    assert_eq!(inspect(&answer.0).unwrap().unwrap().ttl, 101);
}

#[test]
fn a_name_inside_an_address_does_not_change_the_set() {
    // The second record's owner points into the address of the first, which reads "\x01a\0?".
    let answer =
        Builder::new("a", TYPE_A)
            .a("a", [1, b'a', 0, 0])
            .record(&[0xc0, 32], TYPE_A, 300, &G2);
    assert_eq!(answer.0[32..35], [1, b'a', 0]);
    let mut bytes = answer.0;
    assert_eq!(rewrite(&mut bytes, V1, None, &mut Delta::new()), Ok(2));
    let len = bytes.len();
    assert_eq!(bytes[len - 4..], V1.octets());
}

#[test]
fn no_way_leads_around_the_virtual_address() {
    let data = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let alias = |kind| {
        Builder::new("alice.home", kind)
            .cname("alice.home", "home")
            .record(&name("home"), kind, 60, &data)
            .record(&name("home"), kind, 60, &data)
    };
    for kind in [TYPE_AAAA, TYPE_SVCB, TYPE_HTTPS] {
        let before = alias(kind).0;
        let question = answered(&before).unwrap().unwrap();
        assert!(question.is_bypass());
        assert_eq!(question.name.as_str(), "alice.home");
        let mut after = before.clone();
        let mut delta = Delta::new();
        assert_eq!(neutralise(&mut after, &mut delta), Ok(2));
        // The type of two records and the AD bit: nothing else.
        let mut expected = alias(TYPE_NONE).0;
        let qtype_at = HEADER_LEN + name("alice.home").len();
        expected[qtype_at..qtype_at + 2].copy_from_slice(&kind.to_be_bytes());
        expected[3] &= !0x20;
        assert_eq!(after, expected);
        assert_eq!(
            delta.apply(internet(&before)),
            internet(&after),
            "the checksum follows"
        );
        for len in 0..before.len() {
            let _ = answered(&before[..len]);
            let mut cut = before[..len].to_vec();
            if neutralise(&mut cut, &mut Delta::new()).is_err() {
                assert_eq!(cut, before[..len], "half a section is left alone");
            }
        }
    }
    let other = answered(&Builder::new("alice.home", TYPE_A).0);
    assert!(!other.unwrap().unwrap().is_bypass());
    let mut plain = Builder::new("alice.home", TYPE_A).a("alice.home", G2).0;
    let before = plain.clone();
    assert_eq!(neutralise(&mut plain, &mut Delta::new()), Ok(0));
    assert_eq!(plain, before);
}

/// What a query asks is read from its start alone, and is the same in its answer, whatever its case.
#[test]
fn a_query_and_its_answer_have_the_same_question() {
    let mut query = Builder::new("aLiCe.home", TYPE_A).0;
    query[2..4].copy_from_slice(&[0x01, 0x00]);
    let question = asked(&query).unwrap().unwrap();
    assert_eq!(
        (question.name.as_str(), question.qtype),
        ("alice.home", TYPE_A)
    );
    assert_eq!(answered(&query), Ok(None), "a query is no answer");
    query.extend([0xff; 20]);
    assert_eq!(
        asked(&query),
        Ok(Some(question)),
        "what follows is not read"
    );
    let answer = Builder::new("Alice.home", TYPE_A).a("alice.home", G2).0;
    assert_eq!(answered(&answer), Ok(Some(question)));
    assert_eq!(asked(&answer), Ok(None), "an answer is no query");
    for (at, bits, what) in [(2, 0x02, "cut"), (3, 0x03, "a refusal")] {
        let mut other = answer.clone();
        other[at] |= bits;
        assert_eq!(answered(&other), Ok(None), "{what}");
    }
    let long = [[b'a'; 63]; 3]
        .map(|label| String::from_utf8(label.into()).unwrap())
        .join(".");
    let mut query = Builder::new(&format!("{long}.{}", "b".repeat(61)), TYPE_A).0;
    query[2..4].copy_from_slice(&[0x01, 0x00]);
    assert_eq!(query.len(), QUESTION_END);
    assert!(asked(&query).unwrap().is_some(), "the longest one");
}
