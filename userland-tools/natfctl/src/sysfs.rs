// SPDX-License-Identifier: GPL-2.0

//! The files of the modules. They act on the network namespace of the process that opens them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{words, Error, Result};

/// A kernel module; on the command line `en` or `router`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Module {
    /// The endpoint.
    En,
    /// The router.
    Router,
}

impl Module {
    /// Both.
    pub const ALL: [Module; 2] = [Module::En, Module::Router];

    /// Its name, which is that of its folder, too.
    pub const fn name(self) -> &'static str {
        match self {
            Module::En => "natf_en",
            Module::Router => "natf_router",
        }
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the kernel has its folders for modules like these.
pub const ROOT: &str = "/sys/kernel";

/// The environment variable by which tests put another folder in the place of [`ROOT`].
pub const TESTS: &str = "NATFCTL_SYSFS";

/// The environment variable by which tests put another folder in the place of `/`, for [`doctor`](crate::command::doctor).
pub const TESTS_ROOT: &str = "NATFCTL_ROOT";

/// The folder with those of the modules.
#[derive(Debug)]
pub struct Sysfs {
    root: PathBuf,
}

impl Sysfs {
    /// Below `root`.
    pub fn new(root: PathBuf) -> Self {
        Sysfs { root }
    }

    /// Below [`ROOT`], or for tests below the folder that [`TESTS`] names.
    pub fn from_environment() -> Self {
        let root = std::env::var_os(TESTS).filter(|value| !value.is_empty());
        Sysfs::new(root.map_or(ROOT.into(), PathBuf::from))
    }

    /// Where a file is.
    pub fn path(&self, module: Module, file: &str) -> PathBuf {
        self.root.join(module.name()).join(file)
    }

    /// Whether the module is there.
    pub fn is_loaded(&self, module: Module) -> bool {
        self.root.join(module.name()).is_dir()
    }

    /// The modules that are there; [`Error::NotLoaded`] if none is.
    pub fn loaded(&self) -> Result<Vec<Module>> {
        let all: Vec<_> = Module::ALL
            .into_iter()
            .filter(|module| self.is_loaded(*module))
            .collect();
        match all.is_empty() {
            true => Err(Error::NotLoaded(
                "neither natf_en nor natf_router is loaded: modprobe natf_en, or on a router modprobe natf_router"
                    .into(),
            )),
            false => Ok(all),
        }
    }

    /// [`Error::NotLoaded`] if the module is not there.
    pub fn require(&self, module: Module) -> Result {
        match self.is_loaded(module) {
            true => Ok(()),
            false => Err(Error::NotLoaded(format!(
                "{module} is not loaded: modprobe {module}"
            ))),
        }
    }

    /// Everything that a file says. It may be long: a table has up to a million lines.
    pub fn read(&self, module: Module, file: &str) -> Result<String> {
        let path = self.path(module, file);
        let bytes = fs::read(&path).map_err(|error| self.explain(module, &path, &error))?;
        // The modules write nothing but UTF-8; whoever pretends to be one gets no panic.
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// As [`Sysfs::read`], of a table that is kept: it may change while it is read in pieces, so it is read until it
    /// says the same twice.
    pub fn read_steady(&self, module: Module, file: &str) -> Result<String> {
        let mut before = self.read(module, file)?;
        for _ in 0..20 {
            let now = self.read(module, file)?;
            if now == before {
                return Ok(now);
            }
            before = now;
        }
        let path = self.path(module, file);
        let path = path.display();
        Err(Error::Failed(format!("{path}: it changes all the time")))
    }

    /// Writes `lines`, each with its newline, through one open file. What fits a page takes effect all or not at
    /// all.
    pub fn write(&self, module: Module, file: &str, lines: &[u8]) -> Result {
        self.try_write(module, file, lines)?
            .map_err(|error| self.refused(module, file, &error))
    }

    /// As [`Sysfs::write`], for callers who know more about what the kernel refuses: its error is the inner one.
    pub fn try_write(&self, module: Module, file: &str, lines: &[u8]) -> Result<io::Result<()>> {
        let path = self.path(module, file);
        let mut open = self
            .open(&path)
            .map_err(|error| self.explain(module, &path, &error))?;
        Ok(open.write_all(lines))
    }

    /// The sentence for what the kernel says to a write.
    pub fn refused(&self, module: Module, file: &str, error: &io::Error) -> Error {
        let path = self.path(module, file);
        match reason(module, file, error.raw_os_error().unwrap_or(0)) {
            None => self.explain(module, &path, error),
            Some(reason) => {
                Error::Failed(format!("{}: {}: {reason}", path.display(), words(error)))
            }
        }
    }

    // A file that is there already, never a new one. Truncating means nothing in sysfs.
    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).truncate(true).open(path)
    }

    /// The sentence for an error of a file.
    pub fn explain(&self, module: Module, path: &Path, error: &io::Error) -> Error {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => match self.require(module) {
                Err(error) => return error,
                Ok(()) => "the module has no such file, so it is older than natfctl".into(),
            },
            io::ErrorKind::PermissionDenied => format!("{}: {}", words(error), rights(error)),
            _ => words(error),
        };
        Error::Failed(format!("{}: {reason}", path.display()))
    }
}

/// Numbers of errors, as Linux has them on all architectures.
pub mod errno {
    #![allow(missing_docs)]
    pub const EPERM: i32 = 1;
    pub const ENOENT: i32 = 2;
    pub const ENOMEM: i32 = 12;
    pub const EBUSY: i32 = 16;
    pub const EEXIST: i32 = 17;
    pub const EINVAL: i32 = 22;
    pub const ENOSPC: i32 = 28;
}

/// What an error of a write means, as the documentation of the file has it.
fn reason(module: Module, file: &str, number: i32) -> Option<&'static str> {
    use errno::*;
    let reason = match (module, file, number) {
        (_, "domains", EINVAL) => "this is no suffix",
        (_, "domains", ENOENT) => "there is no such suffix",
        (_, "domains", ENOSPC) => "there are 64 suffixes, which is as many as there may be",
        (_, "prefix", EBUSY) => "there are names or flows, whose addresses must not change their meaning",
        (_, "prefix", EINVAL) => "this is no /8 that can be used",
        (_, "dns_ports", EINVAL) => "these are not one to four ports",
        (_, "nrt", EINVAL) => "a line is not one of a saved table, its address is not one of the name's, or a router's address cannot be one",
        (_, "nrt", EEXIST) => "another name has the address",
        (_, "nrt", ENOSPC) => "these are more names than the limit allows",
        (_, "limits", EINVAL) => "there is no such limit, or it cannot have this value",
        (_, "keys", EINVAL) => "this is no name, or no key",
        (_, "keys", ENOENT) => "there is no key of this name",
        (_, "keys", EEXIST) => "another name has this key",
        (Module::En, "keys", ENOSPC) => "there are 64 keys, which is as many as there may be",
        (Module::Router, "keys", ENOSPC) => "there are 256 keys, which is as many as there may be",
        (_, "timings", EINVAL) => "it takes on, off or reset",
        _ => return None,
    };
    Some(reason)
}

/// Two errors say that one may not: EACCES is about the file, EPERM about the namespace.
fn rights(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(errno::EPERM) => "it takes CAP_NET_ADMIN in this network namespace",
        _ => "it takes root",
    }
}
