// SPDX-License-Identifier: GPL-2.0

//! `stats`, `timings` and `watch`.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::Fake;
use serde_json::json;

#[test]
fn counters() {
    let fake = Fake::new("stats");
    assert_eq!(
        fake.ok(&["stats"]),
        "natf_en\ncounter  value\nheld     7\n\nnatf_router\ncounter  value\nmapped   1\n"
    );
    assert_eq!(
        fake.ok(&["stats", "en", "--all", "--explain"]),
        "natf_en\n\
         counter  value  meaning\n\
         held     7      packets held while their flow is negotiated\n\
         silent   0      flows given up because the router did not answer\n"
    );
    assert_eq!(
        fake.json(&["stats"])["natf_en"]["stats"][1]["value"],
        json!(0)
    );
    assert!(fake.json(&["stats", "router"])["natf_en"].is_null());
    fake.set("natf_router/stats", "mapped 0 requests\n");
    assert_eq!(fake.ok(&["stats", "router"]), "natf_router\nall are zero\n");
    fake.unload("natf_router");
    fake.fails(3, &["stats", "router"]);
    fake.fails(2, &["stats", "nobody"]);
}

#[test]
fn times_beside_the_papers() {
    let fake = Fake::new("timings");
    assert_eq!(
        fake.ok(&["timings"]),
        "natf_en (measuring; in \u{b5}s)\n\
         stage    count  median  p99     max     paper   meaning\n\
         setup    40     230.40  712.00  812.00  650.00  all of it\n\
         vat_out  0      -       -       -       -       a packet to a virtual address\n\
         \n\
         natf_router (not measuring: natfctl timings on; in \u{b5}s)\n\
         stage    count  median  p99  max  paper   meaning\n\
         request  0      -       -    -    114.00  a request\n"
    );
    let json = fake.json(&["timings"]);
    assert_eq!(json["natf_router"]["timings"]["on"], json!(false));
    let setup = &json["natf_en"]["timings"]["stages"][0];
    assert_eq!(
        (&setup["median"], &setup["paper"]),
        (&json!(230_400), &json!(650_000))
    );
    assert_eq!(setup["buckets"][0], json!({"from": 65536, "count": 1}));
    assert_eq!(
        fake.ok(&["dump", "timings"]).lines().next(),
        Some("natf_en\ttimings\tsetup\t40\t230400\t712000\t812000")
    );
}

#[test]
fn measuring_is_switched() {
    let fake = Fake::new("timings-switch");
    fake.ok(&["timings", "off"]);
    assert_eq!(fake.get("natf_en/timings"), "off\n");
    assert_eq!(fake.get("natf_router/timings"), "off\n");
    fake.ok(&["timings", "reset", "--module", "router"]);
    assert_eq!(fake.get("natf_en/timings"), "off\n");
    assert_eq!(fake.get("natf_router/timings"), "reset\n");
    fake.fails(2, &["timings", "maybe"]);
    std::fs::remove_file(fake.path("natf_en/timings")).unwrap();
    let said = fake.fails(1, &["timings"]);
    assert!(
        said.ends_with(
            "natf_en/timings: the module has no such file, so it is older than natfctl\n"
        ),
        "{said}"
    );
}

#[test]
fn times_are_drawn() {
    let fake = Fake::new("timings-plot");
    let file = fake.path("times.svg");
    assert_eq!(fake.ok(&["timings", "--plot", file.to_str().unwrap()]), "");
    let svg = fake.get("times.svg");
    assert!(
        svg.starts_with("<svg") && svg.contains("natf_en setup: 40 times, median 230.400 \u{b5}s")
    );
    assert!(!svg.contains("vat_out"), "nothing was measured of it");
    let said = fake.fails(
        1,
        &[
            "timings",
            "--module",
            "router",
            "--plot",
            file.to_str().unwrap(),
        ],
    );
    assert!(said.contains("nothing was measured"), "{said}");
    fake.fails(2, &["timings", "on", "--plot", file.to_str().unwrap()]);
    fake.fails(1, &["timings", "--plot", "/nosuch/times.svg"]);
}

#[test]
fn two_views() {
    let fake = Fake::new("watch");
    let out = fake.ok(&["watch", "--count", "2", "--interval", "0.1"]);
    let views: Vec<_> = out.split("\n\n").collect();
    assert_eq!(views.len(), 2, "{out}");
    assert_eq!(views[0], views[1].trim_end());
    assert!(
        views[0].starts_with("natf_en vat: 2\nprotocol  local"),
        "{out}"
    );
    assert!(views[0].contains("natf_router mappings: 1\n"), "{out}");
    assert!(!out.contains('\u{1b}'), "plain");
    assert_eq!(
        fake.json(&["watch", "--count", "1"])["natf_en"]["vat"][0]["idle"],
        json!(3)
    );
    for wrong in [["--count", "0"], ["--interval", "0"], ["--interval", "x"]] {
        fake.fails(2, &["watch", wrong[0], wrong[1]]);
    }
    fake.unload("natf_router");
    assert!(!fake.ok(&["watch", "--count", "1"]).contains("natf_router"));
    fake.unload("natf_en");
    fake.fails(3, &["watch"]);
}

#[test]
fn somebody_ends_it() {
    let fake = Fake::new("watch-end");
    for signal in ["INT", "TERM"] {
        let mut child = fake
            .command(&["watch", "--interval", "3600"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "natf_en vat: 2\n");
        let pid = child.id().to_string();
        let kill = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "SIG{signal}");
        assert_eq!(output.stderr, b"");
    }
}

#[test]
fn a_watcher_whose_reader_goes() {
    let fake = Fake::new("watch-pipe");
    let mut child = fake
        .command(&["watch", "--interval", "0.1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
