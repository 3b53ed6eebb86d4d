// SPDX-License-Identifier: GPL-2.0

//! Why a line is refused, in words for the one who wrote it.

use core::fmt;
use core::net::Ipv4Addr;

use super::{COMMENT_MAX, MAX, MAX_OF_NAME, PATIENCE_MS, SERVICES_MAX, SOURCES_MAX};
use crate::natf::auth::KEYS_MAX;
use crate::natf::name::NameError;

/// Why a line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No newline at its end.
    NoEnd,
    /// The first word is no command.
    Unknown,
    /// The name is missing.
    NoName,
    /// The name is none.
    Name(NameError),
    /// The address is missing.
    NoAddress,
    /// The address is no IPv4 address.
    Address,
    /// The address can be no host's: of 0/8, loopback, multicast, broadcast, or in 240/4, from which
    /// virtual addresses are taken.
    Unusable(Ipv4Addr),
    /// Neither `allow` nor `deny`.
    Action,
    /// `allow` without an address.
    NoHost,
    /// An option that there is not.
    Option,
    /// An option for the second time.
    Twice,
    /// Not a list of ports.
    Ports,
    /// More ports than fit.
    ManyServices,
    /// Not a list of prefixes.
    Source,
    /// A prefix with bits beyond its length.
    SourceBits,
    /// More prefixes than fit.
    ManySources,
    /// Not a list of names of keys.
    Key,
    /// More names of keys than fit.
    ManyKeys,
    /// Not a maximum.
    Max,
    /// A maximum of something denied.
    MaxDenied,
    /// Not a time.
    Time,
    /// A comment without quotes.
    Quotes,
    /// A comment that is too long.
    LongComment,
    /// A comment with control characters, or not UTF-8.
    Comment,
    /// Something follows the command.
    Extra,
    /// `del` of what is not there.
    NotThere,
    /// The table is full.
    Full,
    /// As many entries of this name as there may be.
    FullName,
    /// `begin` after `begin`.
    Begun,
    /// `commit` or `abort` without `begin`.
    NotBegun,
    /// `del … flush` in a transaction.
    FlushInside,
    /// Somebody else's transaction is under way.
    Busy,
    /// A line of this transaction was refused before, or somebody else's turn has come.
    Broken,
    /// No memory.
    NoMemory,
}

/// What a program is told: the error of its system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// EINVAL
    Invalid,
    /// ENOENT
    NotThere,
    /// ENOSPC
    Full,
    /// EBUSY
    Busy,
    /// ENOMEM
    NoMemory,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Invalid => "EINVAL",
            Kind::NotThere => "ENOENT",
            Kind::Full => "ENOSPC",
            Kind::Busy => "EBUSY",
            Kind::NoMemory => "ENOMEM",
        })
    }
}

impl Problem {
    /// What a program is told.
    pub const fn kind(self) -> Kind {
        match self {
            Problem::NotThere => Kind::NotThere,
            Problem::Full | Problem::FullName => Kind::Full,
            Problem::Busy => Kind::Busy,
            Problem::NoMemory => Kind::NoMemory,
            _ => Kind::Invalid,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Problem::NoEnd => "the line has no end: write a newline after it",
            Problem::Unknown => "no such command: use add, del, flush, begin, commit or abort",
            Problem::NoName => "the private host name is missing: write it, or \"*\"",
            Problem::Name(error) => return error.fmt(f),
            Problem::NoAddress => "the private address is missing after the name",
            Problem::Address => "the address is not an IPv4 address: write it as 192.168.0.10",
            Problem::Unusable(addr) => {
                return write!(
                    f,
                    "{addr} can be no host's address: give the private host's own"
                )
            }
            Problem::Action => "after the address say \"allow\" or \"deny\"",
            Problem::NoHost => "only \"deny\" goes without an address: give the private host's",
            Problem::Option => {
                "no such option: use tcp, udp, icmp, from, key, max, until, for or comment"
            }
            Problem::Twice => {
                "the option is there already: one list of ports a protocol, one \"from\", one \"key\""
            }
            Problem::Ports => "ports are numbers from 1 to 65535 and ranges, as in 22,80,8000-8099",
            Problem::ManyServices => {
                return write!(
                    f,
                    "more than {SERVICES_MAX} protocols and port ranges: use a second entry"
                )
            }
            Problem::Source => {
                "after \"from\" say addresses or prefixes, as in 198.51.100.0/24,203.0.113.7"
            }
            Problem::SourceBits => "the prefix has bits beyond its length: write its first address",
            Problem::ManySources => {
                return write!(f, "more than {SOURCES_MAX} prefixes: use a second entry")
            }
            Problem::Key => "after \"key\" say names of keys, as in office,laptop: a-z, 0-9, - and _, at most 15",
            Problem::ManyKeys => return write!(f, "more than {KEYS_MAX} keys: use a second entry"),
            Problem::Max => "after \"max\" say a number from 1 to 4294967295",
            Problem::MaxDenied => "\"max\" has no meaning with \"deny\"",
            Problem::Time => {
                "after \"until\" say seconds since 1970, after \"for\" seconds from now"
            }
            Problem::Quotes => "after \"comment\" say a text in double quotes",
            Problem::LongComment => {
                return write!(f, "the comment is longer than {COMMENT_MAX} bytes")
            }
            Problem::Comment => "the comment is not UTF-8 without control characters",
            Problem::Extra => "too many words: one command per line",
            Problem::NotThere => "there is no such entry",
            Problem::Full => return write!(f, "the table is full: it has {MAX} entries"),
            Problem::FullName => {
                return write!(
                    f,
                    "this name has {MAX_OF_NAME} entries, which is as many as it may"
                )
            }
            Problem::Begun => "there was a \"begin\" before: commit or abort first",
            Problem::NotBegun => "no \"begin\" came before it through this open file",
            Problem::FlushInside => {
                "\"flush\" with \"del\" is not for a transaction: it acts at once"
            }
            Problem::Busy => {
                let seconds = PATIENCE_MS.checked_div(1000).unwrap_or(0);
                return write!(f, "somebody else's transaction is under way: try again, at the latest {seconds} s after its last line");
            }
            Problem::Broken => "the transaction of this file has ended without effect: begin anew",
            Problem::NoMemory => "no memory",
        };
        f.write_str(text)
    }
}

/// A line as it was written, on one line and without what could confuse a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a>(pub &'a [u8]);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(self.0) {
            Ok(text) if !text.chars().any(char::is_control) => f.write_str(text),
            _ => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_one_line() {
        assert_eq!(
            Said("del K\u{fc}che".as_bytes()).to_string(),
            "del K\u{fc}che"
        );
        assert_eq!(Said(b"del \x1b[2J\xff").to_string(), "del \\x1b[2J\\xff");
    }
}
