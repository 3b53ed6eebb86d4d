// SPDX-License-Identifier: GPL-2.0

//! The DNS code against hickory-proto: it makes the messages, and reads them again after we have
//! changed them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use core::net::Ipv4Addr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use natf::wire::checksum::{internet, Delta};
use natf::wire::dns;
use proptest::prelude::*;

const V1: Ipv4Addr = Ipv4Addr::new(240, 0, 1, 2);

/// Names that share suffixes, so that the encoder has something to compress, in mixed case.
fn a_name() -> impl Strategy<Value = Name> {
    "[aAbB](\\.[cCdD]){0,2}\\.(Home|hoME)\\.(net|NET|example\\.org)\\."
        .prop_map(|text| Name::from_ascii(text).unwrap())
}

fn a_record(owner: impl Strategy<Value = Name>) -> impl Strategy<Value = Record> {
    let data = prop_oneof![
        4 => any::<[u8; 4]>().prop_map(|addr| RData::A(A(addr.into()))),
        3 => a_name().prop_map(|name| RData::CNAME(CNAME(name))),
        1 => any::<[u8; 16]>().prop_map(|addr| RData::AAAA(AAAA(addr.into()))),
        1 => a_name().prop_map(|name| RData::MX(MX::new(10, name))),
        1 => a_name().prop_map(|name| RData::NS(NS(name))),
        1 => "[a-z]{0,40}".prop_map(|text| RData::TXT(TXT::new(vec![text]))),
    ];
    (owner, 0..100_000u32, data).prop_map(|(owner, ttl, data)| Record::from_rdata(owner, ttl, data))
}

fn records(max: usize) -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(a_record(a_name()), 0..max)
}

prop_compose! {
    /// A chain of up to four CNAMEs from the question to up to six addresses, shuffled with other
    /// records, with authority, additional records and EDNS.
    fn a_response()(
        id in any::<u16>(),
        qtype in prop::sample::select(&[RecordType::A, RecordType::ANY]),
        names in prop::collection::vec(a_name(), 1..6),
        addresses in prop::collection::vec((any::<[u8; 4]>(), 0..100_000u32), 0..7),
        noise in records(6),
        authority in records(3),
        additional in records(3),
        edns in any::<Option<(u16, bool)>>(),
        flags in any::<(bool, bool)>(),
    )(
        answers in {
            let links = names.windows(2).map(|pair| {
                let target = RData::CNAME(CNAME(pair[1].clone()));
                Record::from_rdata(pair[0].clone(), 600, target)
            });
            let last = names.last().unwrap();
            let addresses = addresses.iter().map(|(addr, ttl)| {
                Record::from_rdata(last.clone(), *ttl, RData::A(A((*addr).into())))
            });
            Just(links.chain(addresses).chain(noise).collect::<Vec<_>>()).prop_shuffle()
        },
        qname in Just(names[0].clone()),
        id in Just(id),
        qtype in Just(qtype),
        authority in Just(authority),
        additional in Just(additional),
        edns in Just(edns),
        flags in Just(flags),
    ) -> Message {
        let mut message = Message::new();
        message
            .set_id(id)
            .set_message_type(MessageType::Response)
            .set_op_code(OpCode::Query)
            .set_recursion_desired(true)
            .set_recursion_available(flags.0)
            .set_authentic_data(flags.1)
            .add_query(Query::query(qname, qtype));
        message.insert_answers(answers);
        message.insert_name_servers(authority);
        message.insert_additionals(additional);
        if let Some((payload, dnssec_ok)) = edns {
            let mut edns = Edns::new();
            edns.set_max_payload(payload).set_dnssec_ok(dnssec_ok);
            message.set_edns(edns);
        }
        message
    }
}

/// The names on the chain, worked out the slow way.
fn chain(message: &Message) -> Vec<Name> {
    let mut names = vec![message.queries()[0].name().clone()];
    loop {
        let before = names.len();
        for record in message.answers() {
            if let RData::CNAME(target) = record.data() {
                if names.contains(record.name()) && !names.contains(&target.0) {
                    names.push(target.0.clone());
                }
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// The addresses on the chain, in order, and their TTLs.
fn addresses(message: &Message) -> Vec<(Ipv4Addr, u32)> {
    let names = chain(message);
    let on_chain = message
        .answers()
        .iter()
        .filter(|record| names.contains(record.name()));
    on_chain
        .filter_map(|record| match record.data() {
            RData::A(addr) => Some((addr.0, record.ttl())),
            _ => None,
        })
        .collect()
}

/// What the message should be after the rewriting.
fn rewritten(mut message: Message, max_ttl: Option<u32>) -> Message {
    if addresses(&message).is_empty() {
        return message;
    }
    message.set_authentic_data(false);
    let names = chain(&message);
    for record in message.answers_mut() {
        if names.contains(record.name()) && record.record_type() == RecordType::A {
            record.set_data(RData::A(A(V1)));
            record.set_ttl(record.ttl().min(max_ttl.unwrap_or(u32::MAX)));
        }
    }
    message
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_answer_is_read(message in a_response()) {
        let bytes = message.to_vec().unwrap();
        let expected = addresses(&message);
        let answer = dns::inspect(&bytes).unwrap();
        prop_assert_eq!(answer.is_some(), !expected.is_empty());
        if let Some(answer) = answer {
            let query = &message.queries()[0];
            prop_assert_eq!(answer.id, message.id());
            prop_assert_eq!(answer.qtype, u16::from(query.query_type()));
            prop_assert_eq!(format!("{}.", answer.name), query.name().to_lowercase().to_ascii());
            prop_assert_eq!(answer.ttl, expected.iter().map(|&(_, ttl)| ttl).min().unwrap());
            let mut different = vec![];
            for (addr, _) in expected {
                if !different.contains(&addr) {
                    different.push(addr);
                }
            }
            different.truncate(dns::MAX_ADDRESSES);
            prop_assert_eq!(answer.addresses.as_slice(), different);
        }
    }

    #[test]
    fn nothing_else_is_rewritten(message in a_response(), max_ttl: Option<u16>) {
        let max_ttl = max_ttl.map(u32::from);
        let before = message.to_vec().unwrap();
        let mut after = before.clone();
        let mut delta = Delta::new();
        let count = dns::rewrite(&mut after, V1, max_ttl, &mut delta).unwrap();
        prop_assert_eq!(count, addresses(&message).len());
        prop_assert_eq!(after.len(), before.len());

        let expected = rewritten(Message::from_vec(&before).unwrap(), max_ttl);
        let decoded = Message::from_vec(&after).unwrap();
        prop_assert_eq!(&decoded, &expected);
        // To hickory names are equal whatever their case. The number of changed bytes says that
        // there is no other change.
        let changed = before.iter().zip(&after).filter(|(old, new)| old != new).count();
        prop_assert!(changed <= 8 * count + 1);

        prop_assert_eq!(delta.apply(internet(&before)), internet(&after));
    }

    #[test]
    fn every_short_length_is_an_error(message in a_response()) {
        let bytes = message.to_vec().unwrap();
        let whole = dns::inspect(&bytes).unwrap();
        // Beyond the answers nothing is read, so only the answers can be cut short.
        let mut answers_only = message;
        answers_only.take_name_servers();
        answers_only.take_additionals();
        *answers_only.extensions_mut() = None;
        let bytes = answers_only.to_vec().unwrap();
        prop_assert_eq!(dns::inspect(&bytes).unwrap(), whole);
        for len in 0..bytes.len() {
            prop_assert!(dns::inspect(&bytes[..len]).is_err());
        }
    }
}
