// SPDX-License-Identifier: GPL-2.0

//! `show` and `dump`.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::process::Stdio;

use common::Fake;
use serde_json::json;

#[test]
fn a_table_for_people() {
    let fake = Fake::new("show-people");
    assert_eq!(
        fake.ok(&["show", "vat"]),
        "natf_en vat\n\
         protocol  local               virtual           mapped             host   idle\n\
         tcp       198.51.100.2:58556  240.0.230.216:80  203.0.113.2:58556  alice  3\n\
         udp       198.51.100.2:5000   240.0.230.216:53  refused            alice  0\n"
    );
    let all = fake.ok(&["show"]);
    for heading in [
        "natf_en domains",
        "natf_en nrt",
        "natf_router act",
        "natf_router mappings",
    ] {
        assert!(all.contains(heading), "{all}");
    }
    assert!(!all.contains("\x1b["), "no colours in a pipe");
    let colours = fake.ok(&["show", "vat", "--color", "always"]);
    assert!(colours.contains("\x1b[31mudp"), "{colours}");
    fake.set("natf_en/vat", "");
    assert_eq!(fake.ok(&["show", "vat"]), "natf_en vat\nnone\n");
}

#[test]
fn tables_for_programs() {
    let fake = Fake::new("show-dump");
    assert_eq!(
        fake.ok(&["dump", "act"]),
        "natf_router\tact\tbob\t192.168.0.11\tallow\ttcp 22,8000-8099 icmp\t198.51.100.0/24\toffice\t4\t99999999999\tx y\n\
         natf_router\tact\t*\t-\tdeny\t-\t-\t-\t-\t-\t-\n"
    );
    assert_eq!(
        fake.ok(&["dump", "keys"]),
        "natf_en\tkeys\thome.example.net\t0123abcd\nnatf_router\tkeys\toffice\t0123abcd\n"
    );
    let all = fake.ok(&["dump"]);
    assert_eq!(all.lines().count(), 28);
    assert!(
        all.lines().all(|line| line.split('\t').count() >= 3),
        "{all}"
    );
}

#[test]
fn json_of_everything() {
    let fake = Fake::new("show-json");
    let all = fake.json(&["dump"]);
    assert_eq!(all["natf_en"]["prefix"], json!("240.0.0.0/8"));
    assert_eq!(all["natf_en"]["dns_ports"], json!([53, 5353]));
    assert_eq!(all["natf_en"]["early"], json!("on"));
    assert_eq!(all["natf_router"]["early"], json!("all"));
    assert_eq!(all["natf_en"]["domains"], json!(["home.example.net", "*"]));
    assert_eq!(all["natf_en"]["nrt"][0]["routers"][1], json!("203.0.113.3"));
    assert_eq!(all["natf_en"]["vat"][1]["state"], json!("refused"));
    assert_eq!(all["natf_router"]["act"][0]["max"], json!(4));
    assert_eq!(
        all["natf_router"]["mappings"][0]["inside"]["port"],
        json!(80)
    );
    assert_eq!(all["natf_router"]["tables"][1]["max"], json!(1_048_576));
    assert_eq!(
        fake.json(&["show", "stats"])["natf_en"]["stats"][0],
        json!({"name": "held", "value": 7, "explanation": "packets held while their flow is negotiated"})
    );
    fake.set("natf_en/vat", "");
    assert_eq!(fake.json(&["show", "vat"]), json!({"natf_en": {"vat": []}}));
}

#[test]
fn only_one_module() {
    let fake = Fake::new("show-one");
    fake.unload("natf_router");
    assert!(!fake.ok(&["dump"]).contains("natf_router"));
    assert!(fake.json(&["show"])["natf_router"].is_null());
    assert_eq!(
        fake.fails(3, &["show", "act"]),
        "natfctl: natf_router is not loaded: modprobe natf_router\n"
    );
    fake.unload("natf_en");
    let said = fake.fails(3, &["show"]);
    assert!(
        said.starts_with("natfctl: neither natf_en nor natf_router is loaded"),
        "{said}"
    );
    let json = fake.fails(3, &["show", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["status"], json!(3));
}

#[test]
fn wrong_command_lines() {
    let fake = Fake::new("show-wrong");
    for (args, words) in [
        (&["show", "nosuch"][..], "possible values"),
        (&["show", "nrt", "vat"], "unexpected argument"),
        (&["--nosuch"], "unexpected argument"),
        (&["nosuch"], "unrecognized subcommand"),
        (&[], "Usage: natfctl"),
    ] {
        let said = fake.fails(2, args);
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

#[test]
fn what_is_no_record_is_left_out() {
    let fake = Fake::new("show-torn");
    fake.set(
        "natf_en/nrt",
        "240.0.1.2 torn\n\u{1b}[2J\n240.0.1.2 a b.c 203.0.113.2 1\n",
    );
    assert_eq!(fake.ok(&["dump", "nrt"]).lines().count(), 1);
    std::fs::write(fake.path("natf_en/prefix"), b"\xff\xfe\n").unwrap();
    assert_eq!(fake.ok(&["dump", "prefix"]), "");
    assert_eq!(
        fake.json(&["show", "prefix"]),
        json!({"natf_en": {"prefix": null}})
    );
}

#[test]
fn a_reader_that_has_seen_enough() {
    let fake = Fake::new("show-pipe");
    let line = "240.0.1.2 host home.example.net 203.0.113.2 58\n";
    fake.set("natf_en/nrt", &line.repeat(100_000));
    let mut child = fake
        .command(&["dump", "nrt"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 7];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(&start, b"natf_en");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn output_that_nobody_can_write() {
    let fake = Fake::new("show-full");
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = fake.command(&["dump"]).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        said,
        "natfctl: writing the output: No space left on device\n"
    );
    assert_eq!(output.status.code(), Some(1));
}
