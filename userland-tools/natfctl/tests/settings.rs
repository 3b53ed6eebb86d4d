// SPDX-License-Identifier: GPL-2.0

//! `en`, `router` and `key`.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::Fake;
use serde_json::json;

#[test]
fn settings_are_shown() {
    let fake = Fake::new("settings-show");
    assert_eq!(fake.ok(&["en", "domains"]), "home.example.net\n*\n");
    assert_eq!(fake.ok(&["en", "domains", "list"]), "home.example.net\n*\n");
    assert_eq!(fake.ok(&["en", "prefix"]), "240.0.0.0/8\n");
    assert_eq!(fake.ok(&["en", "ports"]), "53,5353\n");
    assert_eq!(fake.ok(&["en", "early"]), "on\n");
    assert_eq!(fake.ok(&["router", "early"]), "all\n");
    assert!(fake.ok(&["en", "limits"]).contains("flows    1048576\n"));
    assert!(fake.ok(&["en", "names"]).contains("240.0.230.216  alice"));
    assert!(fake.ok(&["en", "tables"]).contains("flows  2     1048576"));
    assert!(fake.ok(&["router", "limits"]).contains("cookie    2000\n"));
    assert!(fake.ok(&["router", "mappings"]).contains("192.168.0.11:80"));
    assert!(fake
        .ok(&["router", "tables"])
        .contains("mappings  1     1048576"));
    assert_eq!(
        fake.json(&["en", "ports"]),
        json!({"natf_en": {"dns_ports": [53, 5353]}})
    );
    assert_eq!(
        fake.json(&["en", "tables"])["natf_en"]["tables"][0]["used"],
        json!(1)
    );
    assert_eq!(
        fake.json(&["router", "limits"])["natf_router"]["limits"][0],
        json!({"name": "source", "value": 500})
    );
}

#[test]
fn settings_are_set() {
    let fake = Fake::new("settings-set");
    for (args, file, text) in [
        (
            &["en", "domains", "add", "Home.Example.net.", "*"][..],
            "domains",
            "add home.example.net\nadd *\n",
        ),
        (
            &["en", "domains", "del", "home.example.net"],
            "domains",
            "del home.example.net\n",
        ),
        (&["en", "domains", "flush"], "domains", "flush\n"),
        (&["en", "prefix", "241"], "prefix", "241.0.0.0/8\n"),
        (&["en", "early", "off"], "early", "off\n"),
        (&["en", "ports", "53", "5300"], "dns_ports", "53 5300\n"),
        (
            &["en", "limits", "names=100", "flows=200"],
            "limits",
            "names 100\nflows 200\n",
        ),
    ] {
        assert_eq!(fake.ok(args), "");
        assert_eq!(fake.get(&format!("natf_en/{file}")), text, "{args:?}");
    }
    assert_eq!(fake.ok(&["router", "limits", "source=9"]), "");
    assert_eq!(fake.get("natf_router/limits"), "source 9\n");
    assert_eq!(fake.ok(&["router", "early", "proven"]), "");
    assert_eq!(fake.get("natf_router/early"), "proven\n");
    assert_eq!(
        fake.json(&["en", "domains", "add", "a.net", "b.net"]),
        json!({"done": ["add a.net", "add b.net"]})
    );
}

#[test]
fn wrong_settings() {
    let fake = Fake::new("settings-wrong");
    for (line, words) in [
        ("en domains add a..b", "a label of the name is empty"),
        ("en domains add", "required"),
        ("en prefix 224.0.0.0/8", "write a /8"),
        ("en prefix 10.1.0.0/16", "write a /8"),
        ("en ports 0", "invalid value '0'"),
        ("en ports dns", "invalid value 'dns'"),
        ("en ports 1 2 3 4 5", "unexpected value '5'"),
        ("en early all", "possible values: off, on"),
        ("router early on", "possible values: off, proven, all"),
        ("en limits names", "as in names=1000"),
        ("en limits names=-1", "as in names=1000"),
        ("router limits names=4294967296", "as in names=1000"),
        ("en", "Usage"),
        ("router", "Usage"),
        ("en names load", "required"),
    ] {
        let args: Vec<_> = line.split(' ').collect();
        let said = fake.fails(2, &args);
        assert!(said.contains(words), "{line}: {said}");
    }
}

#[test]
fn names_are_kept() {
    let fake = Fake::new("settings-names");
    let saved = fake.path("saved");
    let saved = saved.to_str().unwrap();
    let table = fake.get("natf_en/nrt");
    assert_eq!(fake.ok(&["en", "names", "save", saved]), "");
    fake.set("natf_en/nrt", "");
    assert_eq!(
        fake.json(&["en", "names", "load", saved])["names"],
        json!(1)
    );
    assert_eq!(fake.get("natf_en/nrt"), table);
}

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn a_key_is_made() {
    let fake = Fake::new("key-gen");
    let file = fake.path("office.key");
    let path = file.to_str().unwrap();
    let id = fake.ok(&["key", "gen", path]);
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let key = fake.get("office.key");
    assert!(key.len() == 65 && key.trim_end().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(fake.ok(&["key", "id", path]), id);
    assert_eq!(
        fake.fails(1, &["key", "gen", path]),
        format!("natfctl: {path}: File exists\n")
    );
    assert_eq!(fake.get("office.key"), key, "it was not touched");
    let other = fake.path("other.key");
    let json = fake.json(&["key", "gen", other.to_str().unwrap()]);
    assert_ne!(json["id"].as_str().unwrap(), id.trim_end());
    assert!(!json.to_string().contains(fake.get("other.key").trim_end()));
}

#[test]
fn the_id_is_that_of_the_protocol() {
    // printf 'NATf key id' | openssl dgst -sha256 -mac HMAC -macopt hexkey:… | cut -c1-8
    let said = Fake::new("key-id").run_with(KEY, &["key", "id", "-"]);
    assert_eq!((said.status, said.out.as_str()), (0, "95723954\n"));
}

#[test]
fn a_key_is_added_from_a_file_or_standard_input() {
    let fake = Fake::new("key-add");
    fake.set("key", KEY);
    let path = fake.path("key");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(
        fake.ok(&["key", "add", "router", "office", path.to_str().unwrap()]),
        ""
    );
    assert_eq!(fake.get("natf_router/keys"), format!("add office {KEY}\n"));
    let said = fake.run_with(
        &format!("{KEY}\n"),
        &["key", "add", "en", "Home.example.net", "-", "--json"],
    );
    assert_eq!(said.status, 0);
    assert_eq!(
        fake.get("natf_en/keys"),
        format!("add home.example.net {KEY}\n")
    );
    assert!(
        said.out.contains("95723954") && !said.out.contains(KEY),
        "{}",
        said.out
    );
    fake.ok(&["key", "del", "router", "office"]);
    assert_eq!(fake.get("natf_router/keys"), "del office\n");
    fake.ok(&["key", "flush", "router"]);
    assert_eq!(fake.get("natf_router/keys"), "flush\n");
}

#[test]
fn keys_are_listed_by_their_ids() {
    let fake = Fake::new("key-list");
    assert_eq!(
        fake.ok(&["key", "list"]),
        "natf_en\tkeys\thome.example.net\t0123abcd\nnatf_router\tkeys\toffice\t0123abcd\n"
    );
    assert_eq!(
        fake.json(&["key", "list"])["natf_router"]["keys"][0]["id"],
        json!("0123abcd")
    );
}

#[test]
fn a_secret_is_never_repeated() {
    let fake = Fake::new("key-secret");
    let said = fake.fails(2, &["key", "add", "router", "office", KEY]);
    assert!(
        said.contains("everybody on this host can see it now") && !said.contains(KEY),
        "{said}"
    );
    for wrong in [
        &KEY[1..],
        &format!("{KEY}0"),
        &KEY.replace('a', "g"),
        &format!("{KEY} {KEY}"),
        "",
    ] {
        let said = fake.run_with(wrong, &["key", "add", "router", "office", "-"]);
        assert_eq!(said.status, 1);
        assert_eq!(
            said.err,
            "natfctl: standard input: a key is 64 hexadecimal digits\n"
        );
    }
    fake.set("open", KEY);
    let path = fake.path("open");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let said = fake.run(&["key", "add", "router", "office", path.to_str().unwrap()]);
    assert_eq!(said.status, 0);
    assert!(
        said.err.contains("others than its owner may open it"),
        "{}",
        said.err
    );
}

#[test]
fn wrong_keys() {
    let fake = Fake::new("key-wrong");
    for (line, status) in [
        ("key add router Office -", 2),
        ("key add en a..b -", 2),
        ("key add nobody office -", 2),
        ("key add router office", 2),
        ("key del router", 2),
        ("key gen", 2),
        ("key add router office /nosuch", 1),
        ("key id /nosuch", 1),
    ] {
        let args: Vec<_> = line.split(' ').collect();
        fake.fails(status, &args);
    }
    fake.unload("natf_en");
    let said = fake.run_with(KEY, &["key", "add", "en", "home.example.net", "-"]);
    assert_eq!(
        (said.status, said.err.as_str()),
        (3, "natfctl: natf_en is not loaded: modprobe natf_en\n")
    );
}
