// SPDX-License-Identifier: GPL-2.0

//! natf-named: answers the NSS module `natf`.
//!
//! It runs as root, because only root may have the kernel make virtual addresses; anybody may ask it. It asks the
//! resolver itself, so nobody can plant an address for somebody else.

// A test may panic: that is how it fails.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod kernel;
mod resolver;
mod server;
mod visitors;

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;

use nix::sys::socket::{getsockopt, sockopt};
use nss_natf::protocol::SOCKET;

const HELP: &str = "\
natf-named answers programs that look up names under the suffixes of natf_en through libc's module \"natf\"
(libnss_natf). It asks the services that follow natf in /etc/nsswitch.conf, and has the kernel make the virtual
address.

Usage: natf-named [--help | --version]

It listens at /run/natf/names, or at the socket that is its standard input (systemd: StandardInput=socket).
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        (None, _) => {}
        (Some(word), None) if word == "--help" => {
            let _ = write!(io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        (Some(word), None) if word == "--version" => {
            let _ = writeln!(io::stdout(), "natf-named {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {
            let _ = write!(io::stderr(), "{HELP}");
            return ExitCode::from(2);
        }
    }
    match prepare() {
        Ok(listener) => server::run(&listener),
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

/// Tells the journal. If it cannot be told, as when it restarts, names are answered all the same.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "natf-named: {text}");
}

/// Sees to whom to ask, and where to listen.
fn prepare() -> Result<UnixListener, String> {
    let file = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    let services = resolver::services(&file);
    resolver::use_services(&services)
        .map_err(|error| format!("cannot ask \"{services}\" for names: {error}"))?;
    let listener = listen().map_err(|error| format!("cannot listen at {SOCKET}: {error}"))?;
    say(&format!("listening; names are asked of \"{services}\""));
    if let Some(why) = kernel::Kernel::default().without_names() {
        say(why);
    }
    Ok(listener)
}

/// The socket that was handed over, or one of its own.
fn listen() -> io::Result<UnixListener> {
    let stdin = io::stdin();
    if getsockopt(&stdin.as_fd(), sockopt::AcceptConn) == Ok(true) {
        return Ok(stdin.as_fd().try_clone_to_owned()?.into());
    }
    let path = Path::new(SOCKET);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    // Another one that answers keeps its place; what one has left goes.
    if fs::symlink_metadata(path).is_ok_and(|old| old.file_type().is_socket()) {
        if UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}
