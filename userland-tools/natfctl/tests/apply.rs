// SPDX-License-Identifier: GPL-2.0

//! `natfctl apply` and `natfctl diff`

// A test may panic: that is how it fails.
#![allow(
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

mod common;

use common::Fake;

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A configuration and the arguments that name it.
fn args<'a>(command: &'a str, role: &'a str, file: &'a str) -> [&'a str; 4] {
    [command, "--role", role, file]
}

/// A folder like /sys/kernel, and a configuration in it.
fn with(name: &str, text: &str) -> (Fake, String) {
    let fake = Fake::new(name);
    fake.set("natf_en/early", "on\n");
    fake.set("natf_router/early", "all\n");
    fake.set("c.toml", text);
    let path = fake.path("c.toml").display().to_string();
    (fake, path)
}

fn key(fake: &Fake, file: &str, text: &str, mode: u32) {
    fake.set(file, text);
    fs::set_permissions(fake.path(file), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_differs_is_shown_and_written() {
    let (fake, path) = with(
        "differs-en",
        "domains = [\"Office.Example.com\", \"home.example.net\"]\n[limits]\nnames = 1000\n",
    );
    assert_eq!(
        fake.ok(&args("diff", "en", &path)),
        "natf_en dns_ports\n-53 5353\n+53\n\
         natf_en limits\n-names 16384\n+names 1000\n\
         natf_en domains\n-*\n+office.example.com\n\
         natf_en keys\n-home.example.net 0123abcd\n"
    );
    assert_eq!(fake.ok(&args("apply", "en", &path)), "");
    assert_eq!(fake.get("natf_en/dns_ports"), "53\n");
    assert_eq!(fake.get("natf_en/limits"), "names 1000\n");
    assert_eq!(
        fake.get("natf_en/domains"),
        "del *\nadd office.example.com\n"
    );
    assert_eq!(fake.get("natf_en/keys"), "del home.example.net\n");
    // What is as it should be is left alone.
    assert_eq!(fake.get("natf_en/prefix"), "240.0.0.0/8\n");
}

#[test]
fn a_table_is_one_transaction() {
    let (fake, path) = with(
        "table",
        "act = [\n  'alice 192.168.0.10 allow tcp 22',\n  '* - deny # the rest',\n]\n",
    );
    let changes = fake.json(&args("diff", "router", &path));
    assert_eq!(
        changes["changes"][0],
        serde_json::json!({
            "module": "natf_router",
            "file": "act",
            "removed": ["add bob 192.168.0.11 allow tcp 22,8000-8099 icmp from 198.51.100.0/24 key office max 4 until 99999999999 comment \"x y\""],
            "added": ["add alice 192.168.0.10 allow tcp 22"],
        })
    );
    fake.ok(&args("apply", "router", &path));
    assert_eq!(
        fake.get("natf_router/act"),
        "begin\nadd alice 192.168.0.10 allow tcp 22\nadd * - deny\ncommit\n"
    );
}

#[test]
fn what_is_as_it_should_be_is_not_written() {
    let (fake, path) = with(
        "same",
        "act = ['bob 192.168.0.11 allow tcp 22,8000-8099  icmp from 198.51.100.0/24 key office max 4 until 99999999999 comment \"x y\"', '* - deny']\n",
    );
    fake.set("natf_router/keys", "");
    assert_eq!(fake.ok(&args("diff", "router", &path)), "");
    assert_eq!(
        fake.json(&args("apply", "router", &path)),
        serde_json::json!({ "changes": [] })
    );
    fake.set("c.toml", "act = []\n");
    fake.set("natf_router/act", "");
    assert_eq!(fake.ok(&args("diff", "router", &path)), "");
}

#[test]
fn keys_come_from_files_and_are_not_shown() {
    let (fake, path) = with(
        "keys",
        "[keys]\noffice = \"keys/office\"\nlaptop = \"keys/laptop\"\n",
    );
    key(&fake, "keys/office", &format!("{KEY}\n"), 0o600);
    key(&fake, "keys/laptop", &KEY.replace("01", "10"), 0o400);
    fake.set("natf_router/act", "");
    let shown = fake.ok(&args("diff", "router", &path));
    let id = shown
        .lines()
        .find_map(|line| line.strip_prefix("+office "))
        .unwrap();
    assert_eq!((shown.contains(&KEY[..8]), id.len()), (false, 8));
    assert!(shown.contains("-office 0123abcd\n"), "{shown}");
    let before = fake.get("natf_router/keys");
    fake.ok(&args("apply", "router", &path));
    let other = KEY.replace("01", "10");
    assert_eq!(
        fake.get("natf_router/keys"),
        format!("del office\nadd laptop {other}\nadd office {KEY}\n")
    );
    // The kernel has these now.
    let laptop = shown
        .lines()
        .find(|line| line.starts_with("+laptop "))
        .unwrap();
    fake.set(
        "natf_router/keys",
        &format!("{}\noffice {id}\n", &laptop[1..]),
    );
    assert_eq!(fake.ok(&args("diff", "router", &path)), "");
    assert_ne!(before, fake.get("natf_router/keys"));
}

/// A file, and where and why it is wrong.
#[track_caller]
fn refused(name: &str, role: &str, text: &str, line: usize, why: &str) {
    let (fake, path) = with(name, text);
    key(&fake, "good", KEY, 0o600);
    key(&fake, "again", KEY, 0o600);
    key(&fake, "open", KEY, 0o644);
    key(&fake, "short", "0123", 0o600);
    for command in ["apply", "diff"] {
        let said = fake.fails(1, &args(command, role, &path));
        assert!(
            said.starts_with(&format!("natfctl: {path}:{line}: ")) && said.contains(why),
            "{said}"
        );
    }
    assert_eq!(fake.get("natf_en/domains"), "add home.example.net\nadd *\n");
    assert_eq!(
        fake.get("natf_router/limits"),
        "source 500\ncookie 2000\nmappings 4096\n"
    );
}

#[test]
fn each_mistake_has_its_line_and_reason() {
    let long = format!(
        "domains = [\n{}]\n",
        (0..65)
            .map(|i| format!("\"d{i}.net\",\n"))
            .collect::<String>()
    );
    let full = format!(
        "act = [\n{}]\n",
        (0..65)
            .map(|i| format!("'a 10.0.0.1 allow tcp {}',\n", i + 1))
            .collect::<String>()
    );
    let all = [
        (
            "en",
            "domains = []\ndomain = []\n",
            2,
            "unknown field `domain`, expected one of `domains`",
        ),
        ("en", "\ndomains = [\"a.net\"\n", 3, "array"),
        (
            "en",
            "domains = [\n\"a.net\",\n\"a..net\"]",
            3,
            "\"a..net\": ",
        ),
        ("en", "domains = \"a.net\"", 1, "expected a sequence"),
        ("en", long.as_str(), 66, "64 domains at most"),
        ("en", "prefix = \"127.0.0.0/8\"", 1, "no /8"),
        ("en", "prefix = \"10.1.0.0/16\"", 1, "no /8"),
        ("en", "dns_ports = []", 1, "no port"),
        ("en", "dns_ports = [53, 70000]", 1, "from 1 to 65535"),
        (
            "en",
            "[limits]\n\nflow = 1",
            3,
            "no limit flow; there are names, flows, queries",
        ),
        ("en", "[limits]\nnames = 15", 2, "names cannot be 15"),
        ("en", "[limits]\nnames = 16385", 2, "names cannot be 16385"),
        (
            "en",
            "[keys]\n\"a.net\" = \"nowhere\"",
            2,
            "nowhere: No such file",
        ),
        ("en", "[keys]\n\"a.net\" = \"open\"", 2, "chmod 600"),
        // Not to be made one's own by chmod.
        ("en", "[keys]\n\"a.net\" = \"\"", 2, "it is a folder"),
        (
            "en",
            "[keys]\n\"a.net\" = \"short\"",
            2,
            "64 hexadecimal digits",
        ),
        ("en", "[keys]\n\"a..net\" = \"good\"", 2, "\"a..net\""),
        (
            "en",
            "[keys]\n\"a.net\" = \"good\"\n\"A.net\" = \"again\"",
            2,
            "a key already",
        ),
        (
            "en",
            "early = \"all\"",
            1,
            "\"all\" is none of the words off, on",
        ),
        ("router", "domains = []", 1, "unknown field `domains`"),
        (
            "router",
            "act = ['alice 192.168.0.300 allow']",
            1,
            "not an IPv4 address",
        ),
        (
            "router",
            "act = [\n'alice 10.0.0.1 allow',\n\n'bob 10.0.0.2 alow']",
            4,
            "bob 10.0.0.2 alow",
        ),
        (
            "router",
            "act = ['a 10.0.0.1 allow for 60']",
            1,
            "write \"until\"",
        ),
        (
            "router",
            "act = [\"a 10.0.0.1 allow\\nflush\"]",
            1,
            "one line",
        ),
        ("router", "act = ['']", 1, ""),
        ("router", full.as_str(), 66, "this name has 64 entries"),
        ("router", "[limits]\nsource = 0", 2, "source cannot be 0"),
        (
            "router",
            "[limits]\nmappings = -1",
            2,
            "mappings cannot be -1",
        ),
        ("router", "[limits]\nmappings = \"many\"", 2, "invalid type"),
        ("router", "[keys]\nOffice = \"good\"", 2, "a-z, 0-9"),
        (
            "router",
            "[keys]\na = \"good\"\nb = \"again\"",
            3,
            "the same key",
        ),
    ];
    for (at, (role, text, line, why)) in all.into_iter().enumerate() {
        refused(&format!("mistake-{at}"), role, text, line, why);
    }
}

#[test]
fn which_modules_and_files() {
    let fake = Fake::new("which");
    fake.set("natf_en/early", "on\n");
    let said = fake.fails(1, &args("apply", "en", "/nowhere/en.toml"));
    assert_eq!(
        said,
        "natfctl: /nowhere/en.toml: No such file or directory\n"
    );
    // A file is about one side.
    assert!(fake.fails(2, &["apply", "x.toml"]).contains("--role"));
    fake.set("c.toml", "");
    let path = fake.path("c.toml").display().to_string();
    fake.unload("natf_en");
    assert!(fake
        .fails(3, &args("apply", "en", &path))
        .contains("natf_en is not loaded: modprobe natf_en"));
    fake.unload("natf_router");
    assert!(fake.fails(3, &["diff"]).contains("neither"));
}

#[test]
fn what_the_kernel_refuses_is_taken_back() {
    let (fake, path) = with(
        "back",
        "act = ['alice 192.168.0.10 allow']\n[limits]\nsource = 100\n[keys]\noffice = \"k\"\n",
    );
    key(&fake, "k", KEY, 0o600);
    fake.set("natf_router/keys", "");
    // What can be read, but not written to, by root either: a program that runs.
    let busy = fake.path("natf_router/limits");
    fs::remove_file(&busy).unwrap();
    fs::copy("/bin/cat", &busy).unwrap();
    let mut cat = std::process::Command::new(&busy)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let said = fake.fails(1, &args("apply", "router", &path));
    cat.kill().unwrap();
    cat.wait().unwrap();
    assert!(
        said.contains("natf_router/limits: Text file busy"),
        "{said}"
    );
    assert!(said.ends_with("; nothing has changed\n"), "{said}");
    assert!(
        fake.get("natf_router/act").starts_with("begin\nadd bob "),
        "the old one again"
    );
    assert_eq!(fake.get("natf_router/keys"), "");
}

#[test]
fn the_examples_of_the_package() {
    for (role, text) in [
        ("en", include_str!("../../../packaging/etc/en.toml")),
        ("router", include_str!("../../../packaging/etc/router.toml")),
    ] {
        // As it is installed, a module that was just loaded stays as it is.
        let (fake, path) = with(&format!("example-{role}"), text);
        fake.set("natf_en/domains", "");
        fake.set("natf_en/dns_ports", "53\n");
        fake.set("natf_en/keys", "");
        fake.set("natf_router/act", "");
        fake.set("natf_router/keys", "");
        assert_eq!(fake.ok(&args("diff", role, &path)), "");
        // And what it proposes is right.
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') || rest.starts_with("    '") => rest,
                _ => line,
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        key(&fake, "keys/home", KEY, 0o600);
        key(&fake, "keys/office", KEY, 0o600);
        fake.set("c.toml", &uncommented);
        let shown = fake.ok(&args("diff", role, &path));
        assert_eq!(
            shown.matches("\n+").count(),
            if role == "en" { 3 } else { 4 },
            "{shown}"
        );
    }
}

/// What natf.toml(5) says of them: names that have addresses, and measuring, are no settings.
const NO_SETTINGS: &[&str] = &["names", "nrt", "timings"];

#[test]
fn every_setting_lasts_and_is_shown() {
    use natfctl::sysfs::Module;
    for module in [Module::En, Module::Router] {
        let fake = Fake::new(&format!("apply-lasts-{module}"));
        fake.set("empty.toml", "");
        let wanted = natfctl::config::read(module, &fake.path("empty.toml"), 0).unwrap();
        for (file, writable) in common::files_of(module.name()) {
            let lasts = wanted.iter().any(|(name, _)| *name == file);
            let is_setting = writable && !NO_SETTINGS.contains(&file.as_str());
            assert_eq!(lasts, is_setting, "{module}: {file}");
            // The last name that was told, and the last line that was refused, are for who wrote them.
            let is_echo = ["names", "act_error"].contains(&file.as_str());
            let shown = natfctl::listing::of(module, &file).is_some();
            assert_eq!(shown, !is_echo, "{module}: {file}");
        }
    }
}
