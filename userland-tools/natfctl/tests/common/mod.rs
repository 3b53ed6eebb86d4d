// SPDX-License-Identifier: GPL-2.0

//! Runs natfctl on a folder that looks like /sys/kernel with both modules loaded.

#![allow(dead_code)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder in the place of /sys/kernel.
pub struct Fake {
    root: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub status: i32,
}

const FILES: &[(&str, &str)] = &[
    ("natf_en/domains", "add home.example.net\nadd *\n"),
    ("natf_en/prefix", "240.0.0.0/8\n"),
    ("natf_en/dns_ports", "53 5353\n"),
    ("natf_en/early", "on\n"),
    ("natf_en/keys", "home.example.net 0123abcd\n"),
    ("natf_en/limits", "names 16384\nflows 1048576\nqueries 4096\n"),
    ("natf_en/nrt", "240.0.230.216 alice home.example.net 203.0.113.2,203.0.113.3 58\n"),
    (
        "natf_en/vat",
        "tcp 198.51.100.2:58556 240.0.230.216:80 203.0.113.2:58556 alice 3\n\
         udp 198.51.100.2:5000 240.0.230.216:53 refused alice 0\n",
    ),
    (
        "natf_en/timings",
        "# on\n\
         # setup all of it\n\
         setup count 40 median 230400 p99 712000 max 812000 buckets 16:1 17:20 18:15 19:4\n\
         # vat_out a packet to a virtual address\n\
         vat_out count 0 median 0 p99 0 max 0 buckets\n",
    ),
    (
        "natf_en/stats",
        "held 7 packets held while their flow is negotiated\n\
         silent 0 flows given up because the router did not answer\n",
    ),
    (
        "natf_router/act",
        "add bob 192.168.0.11 allow tcp 22,8000-8099 icmp from 198.51.100.0/24 key office max 4 until 99999999999 comment \"x y\"\n\
         add * - deny\n",
    ),
    ("natf_router/act_error", ""),
    ("natf_router/early", "all\n"),
    ("natf_router/keys", "office 0123abcd\n"),
    ("natf_router/limits", "source 500\ncookie 2000\nmappings 4096\n"),
    (
        "natf_router/mappings",
        "tcp 192.168.0.11:80 198.51.100.2:40000 203.0.113.2:80 bob 12 431999\n",
    ),
    (
        "natf_router/timings",
        "# off\n# request a request\nrequest count 0 median 0 p99 0 max 0 buckets\n",
    ),
    (
        "natf_router/tables",
        "act 2 10000 entries of the access control table\n\
         mappings 1 1048576 mappings that are remembered\n",
    ),
    ("natf_router/stats", "mapped 1 requests answered with a mapped address\n"),
];

fn said(args: &[&str], output: &Output) -> Said {
    let said = Said {
        out: String::from_utf8(output.stdout.clone()).unwrap(),
        err: String::from_utf8(output.stderr.clone()).unwrap(),
        status: output.status.code().unwrap_or(-1),
    };
    assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
    said
}

impl Fake {
    /// Both modules loaded. `name` must be the test's own.
    pub fn new(name: &str) -> Self {
        let fake = Fake::empty(name);
        for (file, text) in FILES {
            fake.set(file, text);
        }
        fake
    }

    /// No module loaded.
    pub fn empty(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Fake { root }
    }

    /// Where a file is; the folder of a module, or of anything else a test needs.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Writes a file.
    pub fn set(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub fn get(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Ends a module.
    pub fn unload(&self, module: &str) {
        fs::remove_dir_all(self.path(module)).unwrap();
    }

    /// natfctl with these arguments, ready to start.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_natfctl"));
        command.args(args).env("NATFCTL_SYSFS", &self.root);
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        command.stdin(Stdio::null());
        command
    }

    /// Runs it.
    pub fn run(&self, args: &[&str]) -> Said {
        said(args, &self.command(args).output().unwrap())
    }

    /// Runs it with `input` on its standard input.
    pub fn run_with(&self, input: &str, args: &[&str]) -> Said {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Who finds something else wrong first does not read it.
        if let Err(error) = stdin.write_all(input.as_bytes()) {
            assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        }
        drop(stdin);
        said(args, &child.wait_with_output().unwrap())
    }

    /// Runs it; it must succeed. What it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{args:?}");
        said.out
    }

    /// Runs it; it must end with `status`. What it said on standard error.
    pub fn fails(&self, status: i32, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(
            (said.status, said.out.as_str()),
            (status, ""),
            "{args:?}: {}",
            said.err
        );
        said.err
    }

    /// Runs it with --json; what it printed must be JSON.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let args: Vec<_> = ["--json"].iter().chain(args).copied().collect();
        serde_json::from_str(&self.ok(&args)).unwrap()
    }
}

/// A file of the checkout.
pub fn checkout(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file)
}

/// What the source of a module says of its files under /sys/kernel: the name of each, and whether it can be written.
pub fn files_of(module: &str) -> Vec<(String, bool)> {
    let text = fs::read_to_string(checkout(&format!("{module}/settings.rs"))).unwrap();
    let files: Vec<_> = text
        .split("name: c\"")
        .skip(1)
        .map(|file| {
            let name = file.split('"').next().unwrap().to_string();
            let store = file.split("store: ").nth(1).unwrap();
            (name, store.starts_with("Some"))
        })
        .collect();
    assert!(files.len() > 8, "{files:?}");
    files
}
