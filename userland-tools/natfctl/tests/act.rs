// SPDX-License-Identifier: GPL-2.0

//! `act`. The kernel's part, what it refuses and that a table is loaded at once, is tested with the kernel.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::os::unix::fs::{symlink, PermissionsExt};

use common::Fake;
use serde_json::json;

#[test]
fn a_file_without_an_end() {
    let fake = Fake::new("act-endless");
    let said = "natfctl: /dev/zero: it is longer than 64 MiB\n";
    assert_eq!(fake.fails(1, &["act", "check", "/dev/zero"]), said);
    assert_eq!(fake.fails(1, &["apply", "--role", "en", "/dev/zero"]), said);
    let words = ["act", "discover", "--from", "dnsmasq=/dev/zero"];
    assert_eq!(fake.fails(1, &words), said);
}

#[test]
fn one_line_is_written() {
    let fake = Fake::new("act-write");
    let written = |args: &[&str]| {
        assert_eq!(fake.ok(args), "");
        fake.get("natf_router/act")
    };
    assert_eq!(
        written(&[
            "act",
            "add",
            "bob",
            "192.168.0.11",
            "allow",
            "tcp",
            "22",
            "comment",
            "at home"
        ]),
        "add bob 192.168.0.11 allow tcp 22 comment \"at home\"\n"
    );
    assert_eq!(written(&["act", "add", "*", "-", "deny"]), "add * - deny\n");
    assert_eq!(
        written(&["act", "add", "bob 192.168.0.11 deny"]),
        "add bob 192.168.0.11 deny\n"
    );
    assert_eq!(written(&["act", "del", "bob"]), "del bob\n");
    assert_eq!(written(&["act", "del", "bob", "flush"]), "del bob flush\n");
    assert_eq!(written(&["act", "del", "*", "-", "deny"]), "del * - deny\n");
    assert_eq!(written(&["act", "flush"]), "flush\n");
    assert_eq!(
        fake.json(&["act", "del", "bob"]),
        json!({"done": "del bob"})
    );
}

#[test]
fn what_is_wrong_is_said_in_the_kernels_words() {
    let fake = Fake::new("act-wrong");
    let before = fake.get("natf_router/act");
    for (words, reason) in [
        (
            "add bob 192.168.0.300 allow",
            "EINVAL: the address is not an IPv4 address",
        ),
        (
            "add bob 192.168.0.11 maybe",
            "EINVAL: after the address say \"allow\" or \"deny\"",
        ),
        (
            "add bob 192.168.0.11 allow tcp 80-22",
            "EINVAL: ports are numbers",
        ),
        (
            "add bob 192.168.0.11 allow frm 1.2.3.4",
            "EINVAL: no such option",
        ),
        ("del a..b", "EINVAL: a label of the name is empty"),
        ("add \u{1b}[2J 192.168.0.11 allow", "add \\x1b[2J"),
    ] {
        let args: Vec<_> = std::iter::once("act").chain(words.split(' ')).collect();
        let said = fake.fails(2, &args);
        assert!(
            said.contains(reason) && said.lines().count() == 1,
            "{words}: {said}"
        );
    }
    for args in [
        &["act"][..],
        &["act", "add"],
        &["act", "nosuch"],
        &["act", "load"],
        &["act", "flush", "x"],
    ] {
        fake.fails(2, args);
    }
    assert_eq!(fake.get("natf_router/act"), before);
}

#[test]
fn a_table_is_listed_saved_and_loaded() {
    let fake = Fake::new("act-load");
    let table = fake.get("natf_router/act");
    assert_eq!(fake.ok(&["act", "list"]), table);
    assert_eq!(fake.ok(&["act", "save"]), table);
    let saved = fake.path("saved");
    let saved = saved.to_str().unwrap();
    assert_eq!(fake.ok(&["act", "save", saved]), "");
    assert_eq!(fake.get("saved"), table);
    assert_eq!(fake.json(&["act", "save", saved])["lines"], json!(2));
    assert_eq!(
        fake.json(&["act", "list"])["natf_router"]["act"][1]["action"],
        json!("deny")
    );

    assert_eq!(
        fake.ok(&["act", "check", saved]),
        format!("{saved}: 2 entries, no line is refused\n")
    );
    assert_eq!(
        fake.json(&["act", "check", saved]),
        json!({"file": saved, "entries": 2, "refused": []})
    );
    assert_eq!(fake.ok(&["act", "load", saved]), "");
    assert_eq!(
        fake.get("natf_router/act"),
        format!("begin\n{table}commit\n")
    );
    assert_eq!(fake.json(&["act", "load", saved])["entries"], json!(2));
    let said = fake.run_with("add alice 192.168.0.10 allow", &["act", "load", "-"]);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(
        fake.get("natf_router/act"),
        "begin\nadd alice 192.168.0.10 allow\ncommit\n"
    );
}

#[test]
fn what_a_file_is_stays() {
    let fake = Fake::new("act-kept");
    let table = fake.get("natf_router/act");
    fake.set("real", "old");
    let real = fake.path("real");
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o600)).unwrap();
    let link = fake.path("link");
    symlink(&real, &link).unwrap();
    fake.ok(&["act", "save", link.to_str().unwrap()]);
    assert!(link.is_symlink());
    assert_eq!(fake.get("real"), table);
    let mode = std::fs::metadata(&real).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fake.ok(&["act", "save", "/dev/stdout"]), table);
    assert!(std::path::Path::new("/dev/stdout").is_symlink());
}

#[test]
fn a_file_with_mistakes_is_not_loaded() {
    let fake = Fake::new("act-mistakes");
    let before = fake.get("natf_router/act");
    fake.set(
        "bad",
        "# mine\nadd a 10.0.0.1 allow\nadd b 10.0.0.300 allow\ndel nobody\ncommit\n",
    );
    let bad = fake.path("bad");
    let bad = bad.to_str().unwrap();
    for command in ["check", "load"] {
        let said = fake.fails(1, &["act", command, bad]);
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 4, "{said}");
        assert!(lines[0].ends_with("bad:3: add b 10.0.0.300 allow: EINVAL: the address is not an IPv4 address: write it as 192.168.0.10"), "{said}");
        assert!(
            lines[1].ends_with("bad:4: del nobody: ENOENT: there is no such entry"),
            "{said}"
        );
        assert!(
            lines[2].contains("bad:5: commit: EINVAL: begin, commit and abort are not for a file"),
            "{said}"
        );
        assert_eq!(lines[3], "3 lines would be refused; nothing was loaded");
    }
    let said = fake.run(&["act", "check", bad, "--json"]);
    let out: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(said.status, 1);
    assert_eq!(
        out["refused"][1],
        json!({"line": 4, "text": "del nobody", "error": "ENOENT", "reason": "there is no such entry"})
    );
    assert_eq!(fake.get("natf_router/act"), before);
}

#[test]
fn files_that_are_none() {
    let fake = Fake::new("act-files");
    std::fs::write(fake.path("binary"), b"\xff\xfe").unwrap();
    std::fs::create_dir(fake.path("folder")).unwrap();
    for (file, words) in [
        ("nosuch", "No such file or directory"),
        ("folder", "Is a directory"),
        ("binary", "it is not UTF-8 text"),
    ] {
        let path = fake.path(file);
        for command in ["check", "load"] {
            let said = fake.fails(1, &["act", command, path.to_str().unwrap()]);
            assert_eq!(said, format!("natfctl: {}: {words}\n", path.display()));
        }
    }
    let said = fake.fails(
        1,
        &["act", "save", fake.path("nosuch/file").to_str().unwrap()],
    );
    assert!(
        said.ends_with("nosuch/file: No such file or directory\n"),
        "{said}"
    );
    let said = fake.fails(1, &["act", "save", fake.path("folder").to_str().unwrap()]);
    assert!(said.ends_with("folder: Is a directory\n"), "{said}");
    let left = std::fs::read_dir(fake.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(left
        .into_iter()
        .all(|name| !name.to_string_lossy().ends_with("new")));
    fake.unload("natf_router");
    let saved = fake.path("empty");
    fake.set("empty", "");
    for args in [
        &["act", "load", saved.to_str().unwrap()][..],
        &["act", "list"],
        &["act", "flush"],
    ] {
        assert_eq!(
            fake.fails(3, args),
            "natfctl: natf_router is not loaded: modprobe natf_router\n"
        );
    }
    // Nothing is asked of the kernel.
    fake.ok(&["act", "check", saved.to_str().unwrap()]);
}
