// SPDX-License-Identifier: GPL-2.0

use super::*;

fn claim(said: &str, last: u8, source: Source) -> Claim {
    Claim {
        said: said.into(),
        address: Ipv4Addr::new(192, 168, 0, last),
        client: Some(format!("client-{said}-{last}")),
        expires: Some(100),
        source,
    }
}

fn plan(table: &str, claims: &[Claim], rules: &str) -> Plan {
    let read = [Source::Dnsmasq].into();
    Plan::new(table, claims, &read, &Rules::parse(rules).unwrap(), 10)
}

fn commands(table: &str, claims: &[Claim], rules: &str) -> String {
    plan(table, claims, rules).commands(table)
}

const ALICE: &str = "add alice 192.168.0.10 deny comment \"discovered by dnsmasq\"\n";

#[test]
fn a_new_host_is_denied() {
    let alice = claim("Alice.lan", 10, Source::Dnsmasq);
    assert_eq!(commands("", &[alice.clone()], ""), ALICE);
    assert_eq!(commands(ALICE, &[alice.clone()], ""), "");
    let over = Claim {
        expires: Some(10),
        ..alice
    };
    assert_eq!(commands("", &[over], ""), "");
}

#[test]
fn a_rule_allows() {
    let alice = [claim("alice", 10, Source::Dnsmasq)];
    let rule = "'a*' = 'allow tcp 80'";
    let allowed = "add alice 192.168.0.10 allow tcp 80 comment \"discovered by dnsmasq\"\n";
    assert_eq!(commands("", &alice, rule), allowed);
    // Another rule, so it is about other requests.
    let gone = ALICE.replace("add ", "del ");
    assert_eq!(commands(ALICE, &alice, rule), format!("{gone}{allowed}"));
}

#[test]
fn an_address_that_changes_is_followed_in_its_place() {
    let moved = [claim("alice", 20, Source::Dnsmasq)];
    assert_eq!(commands(ALICE, &moved, ""), ALICE.replace(".10", ".20"));
    assert_eq!(
        plan(ALICE, &moved, "").changes[0].why,
        "it was at 192.168.0.10"
    );
}

#[test]
fn a_lease_that_is_over_ends_the_entry() {
    assert_eq!(commands(ALICE, &[], ""), ALICE.replace("add ", "del "));
    // Who was not read, or has no leases, says nothing by being silent.
    for other in ["kea", "mdns"] {
        assert_eq!(commands(&ALICE.replace("dnsmasq", other), &[], ""), "");
    }
}

#[test]
fn what_is_made_by_hand_stays() {
    let alice = [claim("alice", 20, Source::Dnsmasq)];
    for line in [
        "add alice 192.168.0.10 allow\n",
        "add alice 192.168.0.10 deny comment \"mine\"\n",
        "add alice 192.168.0.10 deny comment \"discovered by me\"\n",
    ] {
        let plan = plan(line, &alice, "'*' = 'allow'");
        assert_eq!(plan.changes, []);
        assert_eq!(plan.left[0].why, "an entry made by hand has 192.168.0.10");
        assert_eq!(commands(line, &[], ""), "");
    }
    // An entry by hand behind that of discovery would never be asked.
    let both = format!("{ALICE}add alice 192.168.0.10 allow tcp 22\n");
    let alice = [claim("alice", 10, Source::Dnsmasq)];
    assert_eq!(commands(&both, &alice, ""), ALICE.replace("add ", "del "));
    assert_eq!(plan("add * - deny\n", &[], "").changes, []);
}

#[test]
fn several_hosts_with_one_name() {
    let two = [10, 11].map(|last| claim("alice", last, Source::Dnsmasq));
    let both = plan("", &two, "");
    assert_eq!((both.changes.len(), both.left.len()), (0, 1));
    assert_eq!(commands(ALICE, &two, ""), "", "who has it keeps it");
    let other = ALICE.replace(".10", ".12");
    assert_eq!(commands(&other, &two, ""), other.replace("add ", "del "));
    // One host whose old lease is not over yet.
    let [old, mut new] = two;
    new.client.clone_from(&old.client);
    new.expires = Some(200);
    assert_eq!(commands("", &[old, new], ""), ALICE.replace(".10", ".11"));
}

#[test]
fn who_counts_more() {
    let leased = claim("alice", 10, Source::Dnsmasq);
    let said = claim("alice", 66, Source::Mdns);
    assert_eq!(commands("", &[said.clone(), leased.clone()], ""), ALICE);
    // Not changed by what any host may say, while leases are not asked.
    let read = BTreeSet::new();
    let rules = Rules::default();
    let plan = |table: &str, claim: &Claim| {
        let claims = [claim.clone()];
        Plan::new(table, &claims, &read, &rules, 10).commands(table)
    };
    assert_eq!(plan(ALICE, &said), "");
    let mdns = ALICE.replace("dnsmasq", "mdns").replace(".10", ".66");
    assert_eq!(plan("", &said), mdns);
    assert_eq!(plan(&mdns, &leased), ALICE);
}

#[test]
fn names_and_addresses_that_cannot_be() {
    let mut loopback = claim("bob", 1, Source::Dnsmasq);
    loopback.address = Ipv4Addr::LOCALHOST;
    let plan = plan("", &[claim("Bob's", 10, Source::Dnsmasq), loopback], "");
    assert_eq!(plan.changes, []);
    assert_eq!(plan.left.len(), 2);
    assert!(plan.left[1].why.contains("address"), "{:?}", plan.left);
}

#[test]
fn many_are_a_transaction() {
    let claims: Vec<_> = (1..=100)
        .map(|last| claim(&format!("host-{last}"), last, Source::Dnsmasq))
        .collect();
    let hand = "add bob 192.168.0.11 allow tcp 22\n";
    let table = format!("{ALICE}{hand}");
    let all = commands(&table, &claims, "");
    assert!(
        all.starts_with(&format!("begin\n{hand}add host-1 ")),
        "{all}"
    );
    assert!(all.ends_with("\ncommit\n"));
    assert_eq!(all.lines().count(), 103);
    let inside = all
        .lines()
        .filter(|line| line.starts_with("add "))
        .collect::<Vec<_>>();
    let rehearsal = crate::rehearsal::Rehearsal::of(&inside.join("\n"), 0);
    assert_eq!((rehearsal.entries, rehearsal.refused), (101, vec![]));
}
