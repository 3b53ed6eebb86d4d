// SPDX-License-Identifier: GPL-2.0

//! `trace`, `resolve` and `doctor`, as far as they need no network: the scenarios `trace-…` and `doctor` have the rest.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::Fake;
use serde_json::{json, Value};

#[test]
fn wrong_command_lines() {
    let fake = Fake::new("diagnose-wrong");
    for (args, words) in [
        (&["trace"][..], "<NAME>"),
        (&["trace", "alice.home"], "<PORT>"),
        (&["trace", "alice.home", "0"], "0 is not in 1..=65535"),
        (&["trace", "alice.home", "70000"], "70000 is not in"),
        (&["trace", "alice.home", "http"], "invalid digit"),
        (&["trace", "a..b", "80"], "a label of the name is empty"),
        (&["trace", "a b", "80"], "cannot be in a name"),
        (&["trace", "203.0.113.2", "80"], "this is an address"),
        (&["trace", "::1", "80"], "this is an address"),
        (
            &["trace", "alice.home", "80", "--icmp"],
            "cannot be used with",
        ),
        (
            &["trace", "alice.home", "--udp", "--icmp"],
            "cannot be used with",
        ),
        (
            &["trace", "alice.home", "80", "--timeout", "0"],
            "from 0.1 to 600",
        ),
        (
            &["trace", "alice.home", "80", "--timeout", "NaN"],
            "from 0.1 to 600",
        ),
        (&["resolve"], "<NAME>"),
        (&["resolve", ""], "the name is empty"),
        (&["resolve", "a.b", "--timeout", "x"], "from 0.1 to 600"),
        (
            &["doctor", "--role", "nosuch"],
            "possible values: en, router",
        ),
        (&["doctor", "x"], "unexpected argument"),
    ] {
        let said = fake.fails(2, args);
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

#[test]
fn what_is_wrong_is_a_result() {
    // Every host knows this name without asking anybody.
    let fake = Fake::empty("diagnose-not-loaded");
    let said = fake.run(&["trace", "localhost", "80"]);
    assert_eq!((said.status, said.err.as_str()), (3, ""));
    assert!(
        said.out
            .contains("\nWrong, at this host: natf_en is not loaded"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("\nWhat to do: modprobe natf_en"),
        "{}",
        said.out
    );
    let fake = Fake::new("diagnose-no-domain");
    let said = fake.run(&["--json", "trace", "localhost", "80"]);
    assert_eq!((said.status, said.err.as_str()), (1, ""));
    let all: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(all["cause"], json!("no_domain"));
    assert_eq!(all["where"], json!("this host"));
    assert_eq!(all["port"], json!(80));
    assert!(all["steps"].as_array().unwrap().len() >= 3);
}

/// A host of which the kernel can build modules, and has none.
fn host(name: &str) -> Fake {
    let fake = Fake::empty(name);
    fake.set("proc/sys/kernel/osrelease", "7.2.12+deb13-amd64\n");
    fake.set(
        "boot/config-7.2.12+deb13-amd64",
        "CONFIG_NET=y\nCONFIG_RUST=y\n",
    );
    let build = "lib/modules/7.2.12+deb13-amd64/build";
    fake.set(&format!("{build}/rust/libkernel.rmeta"), "");
    fake
}

/// The state and the words of one check.
fn check(fake: &Fake, name: &str) -> String {
    let output = fake
        .command(&["doctor", "--json", "--role", "en"])
        .env("NATFCTL_ROOT", fake.path(""))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = all["problems"].as_u64().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(problems > 0)));
    let checks = all["checks"].as_array().unwrap();
    let one = checks.iter().find(|one| one["check"] == name).unwrap();
    format!(
        "{}: {}",
        one["state"].as_str().unwrap(),
        one["text"].as_str().unwrap()
    )
}

#[test]
fn kernels() {
    let fake = host("doctor-kernel");
    assert_eq!(check(&fake, "kernel"), "ok: 7.2.12+deb13-amd64");
    assert!(check(&fake, "rust").starts_with("ok: "));
    assert!(check(&fake, "metadata").starts_with("ok: "));
    fake.set(
        "boot/config-7.2.12+deb13-amd64",
        "# CONFIG_RUST is not set\n",
    );
    assert!(check(&fake, "rust").starts_with("problem: the kernel is built without CONFIG_RUST"));
    std::fs::remove_file(fake.path("boot/config-7.2.12+deb13-amd64")).unwrap();
    assert!(check(&fake, "rust").starts_with("warning: there is no configuration"));
    std::fs::remove_dir_all(fake.path("lib/modules/7.2.12+deb13-amd64/build/rust")).unwrap();
    assert!(check(&fake, "metadata").contains("has no Rust metadata"));
    // natf-dkms makes it in a folder of its own, of links to the headers.
    let made = "var/lib/natf/kernel/7.2.12+deb13-amd64";
    fake.set(&format!("{made}/rust/libkernel.rmeta"), "");
    assert_eq!(
        check(&fake, "metadata"),
        format!("ok: natf-dkms has made it: /{made}")
    );
    std::fs::remove_dir_all(fake.path("lib/modules/7.2.12+deb13-amd64/build")).unwrap();
    assert!(check(&fake, "metadata").starts_with("problem: there are no headers of 7.2.12"));
    fake.set("proc/sys/kernel/osrelease", "6.12.43+deb13-amd64\n");
    assert_eq!(
        check(&fake, "kernel"),
        "problem: 6.12.43+deb13-amd64, which is older than 7.2"
    );
    assert!(check(&fake, "metadata").starts_with("problem: there are no headers of 6.12.43"));
}

#[test]
fn signatures() {
    let fake = host("doctor-signature");
    assert_eq!(check(&fake, "signature"), "ok: not asked for");
    let variable = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    fake.set(variable, "\u{6}\0\0\0\u{1}");
    assert!(check(&fake, "signature").starts_with("warning: Secure Boot"));
    fake.set(variable, "\u{6}\0\0\0\0");
    assert_eq!(check(&fake, "signature"), "ok: not asked for");
    fake.set(
        "sys/kernel/security/lockdown",
        "none [integrity] confidentiality\n",
    );
    assert!(check(&fake, "signature").starts_with("warning: "));
}

#[test]
fn key_files() {
    let fake = host("doctor-keys");
    let key = "0123456789abcdef".repeat(4);
    assert_eq!(check(&fake, "key files"), "ok: none in /etc/natf");
    fake.set("etc/natf/deep/home.toml", &format!("key = \"{key}\"\n"));
    let path = fake.path("etc/natf/deep/home.toml");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let said = check(&fake, "key files");
    assert!(
        said.starts_with("problem: others than root may read") && !said.contains(&key),
        "{said}"
    );
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(
        check(&fake, "key files"),
        "ok: 1 in /etc/natf, for root alone"
    );
}

/// The words of the causes, from the sources: they stand first where a finding is made.
fn causes() -> Vec<String> {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for made in ["Finding::new(", "at_router("] {
                let parts = text.split(made).skip(1);
                let first = parts.filter_map(|part| part.trim_start().strip_prefix('"'));
                found.extend(first.filter_map(|part| Some(part.split('"').next()?.to_string())));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_documentation_has_every_cause() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/troubleshooting.md");
    let text = std::fs::read_to_string(path).unwrap();
    let causes = causes();
    assert!(causes.len() > 35, "{causes:?}");
    for cause in causes {
        assert!(text.contains(&format!("`{cause}`")), "{cause}");
    }
}
