// SPDX-License-Identifier: GPL-2.0

//! What the table promises, as its writers and the requests see it.

use core::net::Ipv4Addr;

use super::*;
use crate::natf::act::tests::entry;
use crate::natf::act::Command;
use crate::natf::name::Name;
use crate::natf::wire::ipv4::Protocol;

type Act = Table<Vec<Row>, Vec<Slot>>;

fn room(rows: usize) -> Act {
    Table::new(
        vec![Row::BLANK; rows],
        0,
        vec![Slot::EMPTY; slots_for(rows)],
    )
}

fn table(lines: &[&str]) -> Act {
    let mut table = room(64);
    lines.iter().for_each(|line| run(&mut table, line).unwrap());
    table
}

fn run(table: &mut Act, line: &str) -> Result<(), Problem> {
    match Command::parse(line.as_bytes(), 0).unwrap().unwrap() {
        Command::Add(entry) => table.add(entry),
        Command::Del { which, .. } => table.del(&which, |_| {}),
        Command::Flush => {
            table.clear();
            Ok(())
        }
        _ => panic!("{line}"),
    }
}

fn lines(table: &Act) -> Vec<String> {
    let shown = table.lines().map(|(entry, len)| {
        let line = entry.to_string();
        assert_eq!(line.len() + 1, len);
        line
    });
    shown.collect()
}

/// The comment of the entry that is found for TCP, if one is: the tests number their entries so.
fn found(table: &Act, name: &str, port: u16, now: u64) -> Option<String> {
    let name = Name::parse(name.as_bytes()).unwrap();
    let query = Query {
        name: name.view(),
        protocol: Protocol::Tcp,
        port,
        en: Ipv4Addr::new(198, 51, 100, 2),
        key: None,
        now,
    };
    let entry = table.lookup(&query)?;
    Some(String::from_utf8(entry.comment.as_slice().into()).unwrap())
}

#[test]
fn the_first_that_matches_wins() {
    let table = table(&[
        "add alice 10.0.0.1 allow tcp 22 comment \"1\"",
        "add alice - deny from 203.0.113.0/24 comment \"2\"",
        "add * - deny tcp 25 comment \"3\"",
        "add alice 10.0.0.2 allow comment \"4\"",
        "add * 10.0.0.3 allow tcp 80 comment \"5\"",
        "add bob 10.0.0.4 allow comment \"6\"",
    ]);
    for (name, port, number) in [
        ("alice", 22, Some("1")),
        ("alice", 25, Some("3")),
        ("alice", 80, Some("4")),
        ("bob", 25, Some("3")),
        ("bob", 80, Some("5")),
        ("bob", 81, Some("6")),
        ("carol", 80, Some("5")),
        ("carol", 81, None),
        ("bob.home", 81, None),
    ] {
        assert_eq!(
            found(&table, name, port, 0).as_deref(),
            number,
            "{name} {port}"
        );
    }
}

#[test]
fn an_entry_that_is_over_matches_nothing() {
    let mut table = table(&[
        "add alice 10.0.0.1 allow until 100 comment \"1\"",
        "add alice 10.0.0.1 allow tcp comment \"2\"",
    ]);
    assert_eq!(found(&table, "alice", 22, 99).as_deref(), Some("1"));
    assert_eq!(found(&table, "alice", 22, 100).as_deref(), Some("2"));
    table.expire(100);
    table.tidy();
    assert_eq!(table.rows().len(), 1);
    assert_eq!(found(&table, "alice", 22, 0).as_deref(), Some("2"));
}

#[test]
fn the_later_one_about_the_same_requests_takes_the_place() {
    let mut table = table(&[
        "add alice 10.0.0.1 allow",
        "add alice 10.0.0.1 allow tcp 22",
        "add bob 10.0.0.2 allow",
    ]);
    run(&mut table, "add alice 10.0.0.3 deny comment \"new\"").unwrap();
    run(&mut table, "add alice 10.0.0.1 allow tcp 22,23").unwrap();
    let wanted = [
        "add alice 10.0.0.3 deny comment \"new\"",
        "add alice 10.0.0.1 allow tcp 22",
        "add bob 10.0.0.2 allow",
        "add alice 10.0.0.1 allow tcp 22,23",
    ];
    assert_eq!(lines(&table), wanted);
}

#[test]
fn taking_entries_out() {
    let all = [
        "add alice 10.0.0.1 allow tcp 22",
        "add * - deny",
        "add alice 10.0.0.1 allow udp",
        "add bob 10.0.0.2 allow",
        "add alice 10.0.0.1 allow",
    ];
    let mut table = table(&all);
    run(&mut table, "del alice 10.0.0.1 allow udp").unwrap();
    assert_eq!(
        run(&mut table, "del alice 10.0.0.1 allow udp"),
        Err(Problem::NotThere)
    );
    assert_eq!(
        run(&mut table, "del alice 10.0.0.1 deny"),
        Err(Problem::NotThere)
    );
    assert_eq!(run(&mut table, "del carol"), Err(Problem::NotThere));
    let mut removed = Vec::new();
    let alice = entry(all[0]).subject;
    table
        .del(&Which::All(alice), |entry| removed.push(entry.to_string()))
        .unwrap();
    assert_eq!(removed, [all[0], all[4]]);
    assert_eq!(lines(&table), [all[1], all[3]]);
    // Also with gaps, and after they are closed, what is added comes last and is found.
    run(&mut table, all[0]).unwrap();
    assert_eq!(lines(&table), [all[1], all[3], all[0]]);
    table.tidy();
    assert_eq!(table.rows().len(), 3);
    run(&mut table, all[2]).unwrap();
    assert_eq!(lines(&table), [all[1], all[3], all[0], all[2]]);
    run(&mut table, "del *").unwrap();
    assert_eq!(found(&table, "alice", 22, 0).as_deref(), Some(""));
    run(&mut table, "flush").unwrap();
    assert!(table.is_empty() && lines(&table).is_empty());
    assert_eq!(run(&mut table, "del alice"), Err(Problem::NotThere));
}

#[test]
fn there_are_bounds() {
    let mut table = room(MAX + 1);
    for port in 1..=MAX_OF_NAME {
        run(&mut table, &format!("add * 10.0.0.1 allow tcp {port}")).unwrap();
    }
    assert_eq!(
        run(&mut table, "add * 10.0.0.1 allow"),
        Err(Problem::FullName)
    );
    run(&mut table, "add * 10.0.0.2 allow tcp 1").unwrap();
    for number in MAX_OF_NAME..MAX {
        run(&mut table, &format!("add n{number} 10.0.0.1 allow")).unwrap();
    }
    assert_eq!(
        run(&mut table, "add alice 10.0.0.1 allow"),
        Err(Problem::Full)
    );
    run(&mut table, "add n64 10.0.0.2 allow").unwrap();
    run(&mut table, "del n65").unwrap();
    run(&mut table, "add alice 10.0.0.1 allow").unwrap();
    assert_eq!(lines(&table).len(), MAX);
}

#[test]
fn storage_that_is_too_short_is_told() {
    let mut none: Act = Table::new(Vec::new(), 0, Vec::new());
    assert_eq!(
        run(&mut none, "add alice 10.0.0.1 allow"),
        Err(Problem::NoMemory)
    );
    assert_eq!(found(&none, "alice", 22, 0), None);
    let mut one = room(1);
    assert!(!one.needs_room());
    run(&mut one, "add alice 10.0.0.1 allow").unwrap();
    assert!(one.needs_room());
    assert_eq!(
        run(&mut one, "add bob 10.0.0.1 allow"),
        Err(Problem::NoMemory)
    );
    let (rows, slots) = one.storage();
    rows.push(Row::BLANK);
    slots.resize(slots_for(2), Slot::EMPTY);
    one.index();
    run(&mut one, "add bob 10.0.0.2 allow").unwrap();
    assert_eq!(lines(&one).len(), 2);
    assert!(found(&one, "alice", 22, 0).is_some() && found(&one, "bob", 22, 0).is_some());
}

/// Slots that are looked at to find a name, the mean of all names of a table of `count`.
fn cost(count: usize, name: impl Fn(usize) -> String) -> f64 {
    let mut table = room(count);
    for number in 0..count {
        run(&mut table, &format!("add {} 10.0.0.1 allow", name(number))).unwrap();
    }
    let mask = table.slots.len() - 1;
    let steps: usize = table
        .slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| slot.first != NONE)
        .map(|(at, slot)| 1 + (at.wrapping_sub(slot.hash as usize) & mask))
        .sum();
    steps as f64 / count as f64
}

#[test]
fn ten_thousand_names_cost_as_much_as_ten() {
    let names: [fn(usize) -> String; 3] = [
        |number| format!("host-{number}"),
        |number| format!("n{number:05}.guests.example"),
        |number| format!("{:08x}", number.wrapping_mul(2_654_435_761)),
    ];
    for name in names {
        let (few, many) = (cost(10, name), cost(MAX, name));
        assert!(
            many <= 1.5 && many <= 1.35 * few,
            "{few} slots, {many} slots"
        );
    }
}
