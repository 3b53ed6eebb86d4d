// SPDX-License-Identifier: GPL-2.0

//! The command line of `natf-named`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

fn named(word: &[u8]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_natf-named"));
    command.arg(OsStr::from_bytes(word));
    command
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn it_says_what_it_is() {
    let (status, out, err) = said(&named(b"--help").output().unwrap());
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.contains("Usage: natf-named"), "{out}");
    let (status, out, err) = said(&named(b"--version").output().unwrap());
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("natf-named 0."), "{out}");
}

#[test]
fn words_that_it_does_not_know() {
    for word in [&b"--nosuch"[..], b"", b"\xff\xfe"] {
        let (status, out, err) = said(&named(word).output().unwrap());
        assert_eq!((status, out.as_str()), (Some(2), ""));
        assert!(err.contains("Usage: natf-named"), "{err}");
    }
}

/// As where the journal restarts: nobody ends for that.
#[test]
fn nobody_can_be_told() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (word, wanted) in [("--help", 0), ("--version", 0), ("--nosuch", 2)] {
        let mut command = named(word.as_bytes());
        let status = command.stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(wanted), "{word}");
    }
}
