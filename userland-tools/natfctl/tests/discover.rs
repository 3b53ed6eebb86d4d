// SPDX-License-Identifier: GPL-2.0

//! `act discover` and `act follow`, with lease files in a folder.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Fake;
use serde_json::json;

const LEASES: &str = "\
0 7e:12:ab:00:01:0a 192.168.0.10 Alice *
0 7e:12:ab:00:01:0b 192.168.0.21 bob *
0 7e:12:ab:00:01:0c 192.168.0.12 media-1 *
0 7e:12:ab:00:01:0d 192.168.0.13 k\u{fc}che *
";

const KEA: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n";

/// The arguments, with the folder's files for `=FILE`.
fn args(fake: &Fake, words: &str) -> Vec<String> {
    let rules = format!("--rules={}", fake.path("rules").display());
    let words = words
        .split_ascii_whitespace()
        .map(|word| match word.split_once('=') {
            Some((before, file)) => format!("{before}={}", fake.path(file).display()),
            None => word.to_string(),
        });
    words.chain([rules]).collect()
}

fn fake(name: &str) -> Fake {
    let fake = Fake::new(name);
    fake.set("leases", LEASES);
    fake.set("rules", "\"media-*\" = \"allow tcp 80\"\n");
    fake
}

fn ok(fake: &Fake, words: &str) -> String {
    let args = args(fake, words);
    fake.ok(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

fn fails(fake: &Fake, status: i32, words: &str) -> String {
    let args = args(fake, words);
    fake.fails(status, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn what_is_proposed_can_be_loaded() {
    let fake = fake("discover-propose");
    let before = fake.get("natf_router/act");
    let said = ok(&fake, "act discover --from dnsmasq=leases");
    let proposed = "\
add alice 192.168.0.10 deny comment \"discovered by dnsmasq\"
add media-1 192.168.0.12 allow tcp 80 comment \"discovered by dnsmasq\"
# \"k\u{fc}che\" at 192.168.0.13 (dnsmasq): a name has letters, digits, - and _ only
# \"bob\" at 192.168.0.21 (dnsmasq): an entry made by hand has 192.168.0.11
";
    assert_eq!(said, proposed);
    assert_eq!(fake.get("natf_router/act"), before, "nothing was changed");
    let checked = fake.run_with(&said, &["act", "check", "-"]);
    assert_eq!(
        checked.out,
        "standard input: 2 entries, no line is refused\n"
    );
}

#[test]
fn the_example_of_the_package() {
    let fake = fake("discover-example");
    let example = include_str!("../../../packaging/etc/discover.toml");
    fake.set("rules", example);
    let said = ok(&fake, "act discover --from dnsmasq=leases");
    assert!(said.contains("add media-1 192.168.0.12 deny"), "{said}");
    fake.set(
        "rules",
        &example.replace("\n#\"", "\n\"").replace("\n#p", "\np"),
    );
    let said = ok(&fake, "act discover --from dnsmasq=leases");
    assert!(
        said.contains("add media-1 192.168.0.12 allow tcp 80,443 "),
        "{said}"
    );
}

#[test]
fn it_is_applied_in_one_write() {
    let fake = fake("discover-apply");
    // The folder keeps what was written last, and so not bob, who is made by hand.
    let others: Vec<_> = LEASES
        .lines()
        .filter(|line| !line.contains("bob"))
        .collect();
    fake.set("leases", &format!("{}\n", others.join("\n")));
    ok(&fake, "act discover --from dnsmasq=leases --apply");
    assert_eq!(
        fake.get("natf_router/act"),
        "add alice 192.168.0.10 deny comment \"discovered by dnsmasq\"\n\
         add media-1 192.168.0.12 allow tcp 80 comment \"discovered by dnsmasq\"\n"
    );
    // What is there already is not written again.
    assert_eq!(
        ok(&fake, "act discover --from dnsmasq=leases")
            .lines()
            .count(),
        1
    );
    fake.set("leases", "0 7e:12:ab:00:01:0a 192.168.0.30 alice *\n");
    assert_eq!(
        ok(&fake, "act discover --from dnsmasq=leases --apply"),
        "# alice: it was at 192.168.0.10\n\
         add alice 192.168.0.30 deny comment \"discovered by dnsmasq\"\n\
         # del media-1 192.168.0.12 allow tcp 80 comment \"discovered by dnsmasq\": dnsmasq does not have it any more\n"
    );
}

#[test]
fn where_there_are_no_leases_it_is_said() {
    let fake = fake("discover-none");
    // A host that has them says something else.
    for file in [
        "/var/lib/misc/dnsmasq.leases",
        "/var/lib/kea/kea-leases4.csv",
    ] {
        if std::path::Path::new(file).exists() {
            return;
        }
    }
    let none = "no leases: neither /var/lib/misc/dnsmasq.leases nor /var/lib/kea/kea-leases4.csv is there; \
                --from names another source\n";
    let propose = ok(&fake, "act discover");
    assert!(propose.ends_with(&format!("# {none}")), "{propose}");
    let mut follow = fake
        .command(&["act", "follow", "--interval", "0.1"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = vec![0; "natfctl: ".len() + none.len()];
    follow
        .stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut said)
        .unwrap();
    Command::new("kill")
        .arg(follow.id().to_string())
        .status()
        .unwrap();
    let rest = follow.wait_with_output().unwrap().stderr;
    assert_eq!(String::from_utf8(said).unwrap(), format!("natfctl: {none}"));
    assert_eq!(String::from_utf8(rest).unwrap(), "", "once");
}

#[test]
fn all_sources_of_leases_and_json() {
    let fake = fake("discover-json");
    let kea = format!("{KEA}192.168.0.15,,,60,99999999999,1,0,0,Dave.lan,0,,0\n");
    fake.set("kea", &kea);
    fake.set("kea.1", &kea.replace("Dave", "Old"));
    fake.set("kea.2", &kea.replace(".15,", ".16,").replace("Dave", "Eve"));
    fake.set(
        "odhcpd",
        "# br-lan 7e12 ipv4 frank -1 c0a80011 32 192.168.0.17/32\n",
    );
    let words = "--json act discover --from kea=kea --from odhcpd=odhcpd";
    let said: serde_json::Value = serde_json::from_str(&ok(&fake, words)).unwrap();
    let names: Vec<_> = said["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, [&json!("dave"), &json!("eve"), &json!("frank")]);
    assert_eq!(
        (&said["applied"], &said["left"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(
        said["changes"][0]["line"],
        json!("add dave 192.168.0.15 deny comment \"discovered by kea\"")
    );
}

#[test]
fn what_is_wrong_is_said() {
    let fake = fake("discover-wrong");
    let before = fake.get("natf_router/act");
    let said = fails(&fake, 1, "act discover --from dnsmasq=nosuch");
    assert!(
        said.ends_with("nosuch: No such file or directory\n"),
        "{said}"
    );
    for (words, reason) in [
        ("--from nobody", "say dnsmasq, kea, odhcpd, mdns or netbios"),
        ("--from mdns=leases", "mdns has no such file"),
        ("--from mdns", "say which one with --interface"),
        ("--interface lan", "--interface is for"),
        ("--from mdns --interface lan --wait 0", "write seconds"),
    ] {
        let said = fails(&fake, 2, &format!("act discover {words}"));
        assert!(said.contains(reason), "{words}: {said}");
    }
    let said = fails(&fake, 2, "act follow --from mdns");
    assert!(said.contains("only leases are followed"), "{said}");
    fake.set("rules", "\n\"a\" = \"alow\"\n");
    let said = fails(&fake, 1, "act discover --from dnsmasq=leases --apply");
    assert!(
        said.contains("rules:2: \"alow\": after the address say"),
        "{said}"
    );
    assert_eq!(fake.get("natf_router/act"), before);
    fake.unload("natf_router");
    fails(&fake, 3, "act discover --from dnsmasq=leases");
    fails(&fake, 3, "act follow --from dnsmasq=leases");
}

#[test]
fn leases_are_followed() {
    let fake = fake("discover-follow");
    // The folder keeps what was written last, so one host is all there may be.
    let leases = |address| {
        format!("0 7e:12 192.168.0.{address} alice *\n0 7e:13 192.168.0.13 k\u{fc}che *\n")
    };
    fake.set("leases", &leases(10));
    let words = args(&fake, "act follow --from dnsmasq=leases --interval 0.1");
    let words: Vec<_> = words
        .iter()
        .map(|word| word.trim_start_matches(&*format!("{}/", fake.path("").display())))
        .collect();
    let mut following = fake
        .command(&words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let until = |what: &str| {
        let end = Instant::now() + Duration::from_secs(20);
        while !fake.get("natf_router/act").contains(what) {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    until("add alice 192.168.0.10 deny");
    // An error does not end it.
    std::fs::remove_file(fake.path("leases")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    fake.set("leases", &leases(30));
    until("add alice 192.168.0.30 deny");
    fake.set("rules", "alice = \"allow\"\n");
    until("add alice 192.168.0.30 allow");
    let pid = following.id().to_string();
    Command::new("kill").arg(pid).status().unwrap();
    assert!(following.wait().unwrap().success());
    let mut out = String::new();
    following
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert!(
        out.contains("192.168.0.30 deny comment \"discovered by dnsmasq\" # it was at"),
        "{out}"
    );
    let mut err = String::new();
    following
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(err.matches("k\u{fc}che").count(), 1, "told once: {err}");
    assert!(err.contains("No such file"), "{err}");
}
