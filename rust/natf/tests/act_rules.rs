// SPDX-License-Identifier: GPL-2.0

//! What holds for every access control table: list output is load input, and the table with its index says
//! what a list that is searched from the front says.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use core::net::Ipv4Addr;

use natf::act::{slots_for, Command, Entry, Query, Row, Slot, Subject, Table, Which};
use natf::name::Name;
use natf::wire::ipv4::Protocol;
use proptest::prelude::*;

/// A line of the grammar, as somebody might write it. Few names, so that they meet.
fn a_line() -> impl Strategy<Value = String> {
    let options = prop::collection::vec(an_option(), 0..4);
    let names = "[abAB*]|a\\.b|[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63}){0,2}";
    (names, "10\\.0\\.0\\.[1-3]", "allow|deny", options).prop_map(
        |(name, host, action, options)| {
            let name = match name.contains('*') {
                true => "*".to_owned(),
                false => name,
            };
            format!("add {name} {host} {action} {}", options.join(" "))
        },
    )
}

fn an_option() -> impl Strategy<Value = String> {
    prop_oneof![
        "tcp|udp|icmp",
        "(tcp|udp) [1-9]{1,4}(,[1-9]{1,4}-9999[0-9]{0,1}){0,5}",
        "from 10\\.[0-9]\\.0\\.0/16(,203\\.0\\.113\\.[0-9]){0,3}",
        "max [1-9][0-9]{0,8}",
        "until [0-9]{1,10}",
        "comment \"[ -!#-~\u{e4}\u{20ac}]{0,20}\"",
    ]
}

fn parse(line: &str) -> Option<Entry> {
    match Command::parse(line.as_bytes(), 0) {
        Ok(Some(Command::Add(entry))) => Some(entry),
        Ok(other) => panic!("{line}: {other:?}"),
        Err(_) => None,
    }
}

fn table() -> Table<Vec<Row>, Vec<Slot>> {
    Table::new(vec![Row::BLANK; 64], 0, vec![Slot::EMPTY; slots_for(64)])
}

#[derive(Clone, Debug)]
enum Step {
    Add(String),
    Del(prop::sample::Index, bool),
    Flush,
    Expire(u64),
    Tidy,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => a_line().prop_map(Step::Add),
        4 => any::<(prop::sample::Index, bool)>().prop_map(|(which, all)| Step::Del(which, all)),
        1 => Just(Step::Flush),
        2 => (0..20u64).prop_map(Step::Expire),
        2 => Just(Step::Tidy),
    ]
}

fn same_requests(a: &Entry, b: &Entry) -> bool {
    (a.subject, a.services, a.sources) == (b.subject, b.services, b.sources)
}

proptest! {
    #[test]
    fn what_is_shown_reads_as_it_was_meant(line in a_line()) {
        if let Some(entry) = parse(&line) {
            let shown = entry.to_string();
            prop_assert_eq!(parse(&shown), Some(entry));
            prop_assert_eq!(parse(&shown).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn the_table_is_a_list_searched_from_the_front(
        steps in prop::collection::vec(a_step(), 1..60),
        asked in prop::collection::vec(("[abc]|a\\.b", 0..3u8, 1..10_000u16, 0..3u8), 10),
    ) {
        let mut table = table();
        let mut list: Vec<Entry> = Vec::new();
        for step in steps {
            match step {
                Step::Add(line) => {
                    let Some(entry) = parse(&line) else { continue };
                    match list.iter().position(|other| same_requests(other, &entry)) {
                        Some(at) => list[at] = entry,
                        None => list.push(entry),
                    }
                    prop_assert_eq!(table.add(entry), Ok(()));
                }
                Step::Del(which, all) if !list.is_empty() => {
                    let entry = *which.get(&list);
                    let meant = |other: &Entry| match all {
                        true => other.subject == entry.subject,
                        false => *other == entry,
                    };
                    let mut removed = Vec::new();
                    let which = match all {
                        true => Which::All(entry.subject),
                        false => Which::One(entry),
                    };
                    prop_assert_eq!(table.del(&which, |entry| removed.push(*entry)), Ok(()));
                    let wanted: Vec<_> = list.iter().copied().filter(meant).collect();
                    prop_assert_eq!(removed, wanted);
                    list.retain(|other| !meant(other));
                }
                Step::Del(..) => {}
                Step::Flush => {
                    table.clear();
                    list.clear();
                }
                Step::Expire(now) => {
                    table.expire(now);
                    list.retain(|entry| !entry.is_over(now));
                }
                Step::Tidy => table.tidy(),
            }
            let shown: Vec<_> = table.lines().map(|(entry, _)| *entry).collect();
            prop_assert!(table.lines().all(|(entry, len)| entry.to_string().len() + 1 == len));
            prop_assert_eq!(&shown, &list);
            prop_assert_eq!(table.is_empty(), list.is_empty());
        }
        for (name, protocol, port, source) in asked {
            let name = Name::parse(name.as_bytes()).unwrap();
            let query = Query {
                name: name.view(),
                protocol: [Protocol::Tcp, Protocol::Udp, Protocol::Icmp][usize::from(protocol)],
                port,
                en: [Ipv4Addr::new(10, 1, 0, 7), Ipv4Addr::new(203, 0, 113, 1), Ipv4Addr::new(1, 1, 1, 1)]
                    [usize::from(source)],
                key: None,
                now: 5,
            };
            let wanted = list.iter().find(|entry| {
                let named = match entry.subject {
                    Subject::Any => true,
                    Subject::Name(other) => other == name,
                };
                named && !entry.is_over(5) && entry.covers(query.protocol, query.port, query.en)
            });
            prop_assert_eq!(table.lookup(&query), wanted);
        }
    }
}
