// SPDX-License-Identifier: GPL-2.0

//! The access control table of the router: which private host a name means, and who outside may reach
//! what of it. `docs/act.md` is the grammar and the rules.

use core::fmt;
use core::net::Ipv4Addr;

use crate::natf::auth::KeyName;
use crate::natf::name::{Name, NameRef};
use crate::natf::wire::control::Code;
use crate::natf::wire::ipv4::Protocol;

mod command;
mod condition;
mod limit;
mod list;
mod problem;
mod staging;
mod table;
mod words;

pub use command::{Command, Which};
pub use condition::{Keys, Prefix, Service, Services, Sources, SERVICES_MAX, SOURCES_MAX};
pub use limit::Limit;
pub use list::List;
pub use problem::{Kind, Problem, Said};
pub use staging::{Mine, Place, Staging, PATIENCE_MS};
pub use table::{slots_for, Row, Slot, Table, MAX, MAX_OF_NAME};

/// Longest comment in bytes.
pub const COMMENT_MAX: usize = 64;

/// Whom an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Entries live in a table whose rows are as large as the largest of them anyway.
#[allow(clippy::large_enum_variant)]
pub enum Subject {
    /// `*`: every name.
    Any,
    /// One name.
    Name(Name),
}

impl Subject {
    /// The bytes that make it unlike any other. No name is "*".
    fn key(&self) -> &[u8] {
        match self {
            Subject::Any => b"*",
            Subject::Name(name) => name.as_bytes(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Any => f.write_str("*"),
            Subject::Name(name) => name.fmt(f),
        }
    }
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make the mapping.
    Allow,
    /// Refuse, as if the name did not exist.
    Deny,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Allow => "allow",
            Action::Deny => "deny",
        })
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The private host name that it is about.
    pub subject: Subject,
    /// Address of the private host (P1). An entry that allows always has one.
    pub host: Option<Ipv4Addr>,
    /// Whether it may be reached.
    pub action: Action,
    /// Protocols and ports; empty: all that the router maps.
    pub services: Services,
    /// Addresses of ENs (G1); empty: everybody.
    pub sources: Sources,
    /// Keys with one of which a request is authenticated; empty: with any or none.
    pub keys: Keys,
    /// Most mappings at a time.
    pub max: Option<u32>,
    /// When it ends, in seconds since 1970.
    pub until: Option<u64>,
    /// For the reader; valid UTF-8 without quotes or control characters.
    pub comment: List<u8, COMMENT_MAX>,
}

impl Entry {
    /// Denies everything: what a table is filled with before it is used.
    const BLANK: Entry = Entry {
        subject: Subject::Any,
        host: None,
        action: Action::Deny,
        services: List::new(Service::ANY),
        sources: List::new(Prefix::ANY),
        keys: List::new(KeyName::BLANK),
        max: None,
        until: None,
        comment: List::new(0),
    };

    /// Whether a flow of `protocol` to `port`, asked for by `en`, is one of those that the entry is
    /// about. Name and time are not looked at.
    pub fn covers(&self, protocol: Protocol, port: u16, en: Ipv4Addr) -> bool {
        condition::any(&self.services, |service| service.covers(protocol, port))
            && condition::any(&self.sources, |prefix| prefix.contains(en))
    }

    /// Whether a request that `key` authenticates, or none, is one of those.
    pub fn admits(&self, key: Option<KeyName>) -> bool {
        let keys = self.keys.as_slice();
        keys.is_empty() || key.is_some_and(|key| keys.contains(&key))
    }

    /// Whether its time is over at `now`, in seconds since 1970.
    pub fn is_over(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Whether both are about the same requests, so that the later one replaces the other.
    fn is_about_the_same(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.services == other.services
            && self.sources == other.sources
            && self.keys == other.keys
    }
}

/// Writes the command that makes the entry, so that what is saved can be loaded.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "add {} ", self.subject)?;
        match self.host {
            Some(host) => write!(f, "{host} ")?,
            None => f.write_str("- ")?,
        }
        write!(f, "{}", self.action)?;
        condition::show_services(&self.services, f)?;
        condition::show_sources(&self.sources, f)?;
        condition::show_keys(&self.keys, f)?;
        if let Some(max) = self.max {
            write!(f, " max {max}")?;
        }
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        match core::str::from_utf8(self.comment.as_slice()) {
            Ok("") | Err(_) => Ok(()),
            Ok(comment) => write!(f, " comment \"{comment}\""),
        }
    }
}

/// What is asked of the table.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Private host name of the request.
    pub name: NameRef<'a>,
    /// Protocol of the flow.
    pub protocol: Protocol,
    /// Its destination port (d); an echo id counts for nothing.
    pub port: u16,
    /// Who asks (G1).
    pub en: Ipv4Addr,
    /// The key that authenticates the request.
    pub key: Option<KeyName>,
    /// Seconds since 1970.
    pub now: u64,
}

/// The decision about a request, given the entry that was found for it: the private address and the
/// maximum, or the code of the refusal. A name that is not there is refused like one that is denied, so that
/// nobody can find out which names exist. `is_full` tells whether there are as many mappings alive, that of
/// the request itself not counted; it is only asked about an entry with a maximum.
pub fn decide(
    entry: Option<&Entry>,
    is_full: impl FnOnce(Ipv4Addr, Limit) -> bool,
) -> Result<(Ipv4Addr, Option<Limit>), Code> {
    let entry = entry
        .filter(|entry| entry.action == Action::Allow)
        .ok_or(Code::Denied)?;
    let host = entry.host.ok_or(Code::Denied)?;
    match Limit::of(entry) {
        Some(limit) if is_full(host, limit) => Err(Code::NoResource),
        limit => Ok((host, limit)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const ADDR: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 10);

    /// The entry that `line` adds.
    pub(crate) fn entry(line: &str) -> Entry {
        match Command::parse(line.as_bytes(), 0) {
            Ok(Some(Command::Add(entry))) => entry,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn decisions() {
        let none = |_, _| panic!("nobody asked for a maximum");
        let allow = entry("add alice 192.168.0.10 allow");
        assert_eq!(decide(Some(&allow), none), Ok((ADDR, None)));
        let deny = entry("add alice 192.168.0.10 deny");
        assert_eq!(decide(Some(&deny), none), Err(Code::Denied));
        assert_eq!(decide(None, none), Err(Code::Denied));
    }

    #[test]
    fn a_maximum() {
        let two = entry("add alice 192.168.0.10 allow max 2");
        let limit = Limit::of(&two);
        assert_eq!(decide(Some(&two), |_, _| false), Ok((ADDR, limit)));
        let full = |host, asked| (host, Some(asked)) == (ADDR, limit);
        assert_eq!(decide(Some(&two), full), Err(Code::NoResource));
    }

    #[test]
    fn what_an_entry_covers() {
        let en = Ipv4Addr::new(198, 51, 100, 2);
        let other = Ipv4Addr::new(203, 0, 113, 7);
        let all = entry("add alice 192.168.0.10 allow");
        assert!(all.covers(Protocol::Icmp, 7, en) && all.covers(Protocol::Tcp, 0, other));
        let some = entry("add alice 192.168.0.10 allow tcp 22,8000-8099 icmp from 198.51.100.0/24");
        for (protocol, port, covered) in [
            (Protocol::Tcp, 22, true),
            (Protocol::Tcp, 8000, true),
            (Protocol::Tcp, 8099, true),
            (Protocol::Tcp, 8100, false),
            (Protocol::Tcp, 7999, false),
            (Protocol::Udp, 22, false),
            (Protocol::Icmp, 22, true),
            (Protocol::Icmp, 23, true),
        ] {
            assert_eq!(
                some.covers(protocol, port, en),
                covered,
                "{protocol:?} {port}"
            );
            assert!(!some.covers(protocol, port, other));
        }
    }

    #[test]
    fn an_entry_ends_with_its_last_second() {
        let entry = entry("add alice 192.168.0.10 allow until 1000");
        assert!(!entry.is_over(999));
        assert!(entry.is_over(1000) && entry.is_over(1001));
    }
}
