// SPDX-License-Identifier: GPL-2.0

//! What the lines of the modules' files mean.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::Serialize;

mod act;
mod en;
mod router;
mod setting;
mod timing;

pub use act::Act;
pub use en::{Domain, Flow, Name, Prefix, State};
pub use router::{Mapping, Occupancy};
pub use setting::{Counter, Early, Key, Limit, Ports};
pub use timing::{Bucket, Timing};

/// How a row should look to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As any other.
    Plain,
    /// It works.
    Good,
    /// Something is wrong.
    Bad,
    /// It does not matter.
    Faint,
}

/// A line of a file. As JSON it is an object whose keys are the columns, or what they are made of.
pub trait Record: Serialize + Sized {
    /// Names of the columns.
    const COLUMNS: &'static [&'static str];

    /// Whether the file has just one line, which is then all of its JSON.
    const SINGLE: bool = false;

    /// The record that the kernel writes as `line`. `None`: it is none, as a torn line of a table that changes while
    /// it is read.
    fn parse(line: &str) -> Option<Self>;

    /// A text for each column; `-` for nothing.
    fn cells(&self) -> Vec<String>;

    /// How it should look.
    fn mark(&self) -> Mark {
        Mark::Plain
    }
}

/// An address and a port, or the identifier of an ICMP echo in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The address.
    pub address: Ipv4Addr,
    /// The port.
    pub port: u16,
}

impl Place {
    /// What is written as `192.168.0.10:80`.
    pub fn parse(text: &str) -> Option<Self> {
        let place: SocketAddrV4 = text.parse().ok()?;
        Some(Place {
            address: *place.ip(),
            port: place.port(),
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.address, self.port)
    }
}

/// The `N` words that `line` has; `None` if it has less or more.
pub(crate) fn exactly<const N: usize>(line: &str) -> Option<[&str; N]> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    words.try_into().ok()
}

/// `tcp`, `udp` or `icmp`.
pub(crate) fn protocol(word: &str) -> Option<String> {
    ["tcp", "udp", "icmp"]
        .contains(&word)
        .then(|| word.to_string())
}
