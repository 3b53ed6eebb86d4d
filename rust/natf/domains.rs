// SPDX-License-Identifier: GPL-2.0

//! Which DNS names get a virtual address: those under a configured suffix.
//!
//! The labels before the suffix are the private host name, which the router's access control table
//! knows; the suffix is the domain, which stands for the router.

use core::fmt;

use crate::natf::line::words;
use crate::natf::name::{Name, NameError, NameRef};

/// A rule for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
// Suffixes live in a table whose slots are as large as the largest of them anyway.
#[allow(clippy::large_enum_variant)]
pub enum Suffix {
    /// `*`: every name of two labels or more; the first label is the host. The paper's behaviour.
    Any,
    /// Names below this one.
    Name(Name),
}

impl Suffix {
    /// The suffix that is written as `text`: `*` or a name.
    pub fn parse(text: &[u8]) -> Result<Self, NameError> {
        match text {
            b"*" => Ok(Suffix::Any),
            _ => Name::parse(text).map(Suffix::Name),
        }
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Suffix::Any => f.write_str("*"),
            Suffix::Name(name) => name.fmt(f),
        }
    }
}

/// A name in the two parts that a virtual address is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// The private host name, one label or more.
    pub host: NameRef<'a>,
    /// The suffix, or for [`Suffix::Any`] the rest of the name.
    pub domain: NameRef<'a>,
}

/// Splits `qname` at the longest of `suffixes` that fits. `None` if none does: the name is not ours.
///
/// A name that equals a suffix is the router itself and never gets a virtual address, even if a
/// shorter suffix or `*` would fit too.
pub fn split<'q, 's>(
    qname: NameRef<'q>,
    suffixes: impl IntoIterator<Item = &'s Suffix>,
) -> Option<Split<'q>> {
    let mut best: Option<(usize, Split<'q>)> = None;
    for suffix in suffixes {
        let (rank, parts) = match suffix {
            // Any name is a longer match than "*", however long the rest is that "*" leaves.
            Suffix::Any => (0, qname.split_first()),
            Suffix::Name(name) if *name == qname => return None,
            Suffix::Name(name) => (name.as_bytes().len(), qname.split_suffix(name.view())),
        };
        if let Some((host, domain)) = parts {
            if best.is_none_or(|(best_rank, _)| rank > best_rank) {
                best = Some((rank, Split { host, domain }));
            }
        }
    }
    best.map(|(_, split)| split)
}

/// A change of the list of suffixes, as a person writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `add SUFFIX`
    Add(Suffix),
    /// `del SUFFIX`
    Del(Suffix),
    /// `flush`: removes all.
    Flush,
}

/// Why a line is no [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The first word is no command.
    Unknown,
    /// The suffix is missing.
    NoSuffix,
    /// Something follows the command.
    Extra,
    /// The suffix is no name.
    Suffix(NameError),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Unknown => {
                f.write_str("unknown command: use \"add SUFFIX\", \"del SUFFIX\" or \"flush\"")
            }
            CommandError::NoSuffix => {
                f.write_str("the suffix is missing: write a domain, or \"*\"")
            }
            CommandError::Extra => f.write_str("too many words: one command per line"),
            CommandError::Suffix(error) => error.fmt(f),
        }
    }
}

impl Command {
    /// The command in `line`. `None` if the line is blank or a comment.
    pub fn parse(line: &[u8]) -> Result<Option<Self>, CommandError> {
        let mut words = words(line);
        let Some(verb) = words.next() else {
            return Ok(None);
        };
        let mut suffix = || {
            let word = words.next().ok_or(CommandError::NoSuffix)?;
            Suffix::parse(word).map_err(CommandError::Suffix)
        };
        let command = match verb {
            b"add" => Command::Add(suffix()?),
            b"del" => Command::Del(suffix()?),
            b"flush" => Command::Flush,
            _ => return Err(CommandError::Unknown),
        };
        match words.next() {
            Some(_) => Err(CommandError::Extra),
            None => Ok(Some(command)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes()).unwrap()
    }

    fn split_text(qname: &str, suffixes: &[&str]) -> Option<(String, String)> {
        let suffixes: Vec<_> = suffixes
            .iter()
            .map(|text| Suffix::parse(text.as_bytes()).unwrap())
            .collect();
        let qname = name(qname);
        let split = split(qname.view(), &suffixes)?;
        Some((split.host.to_string(), split.domain.to_string()))
    }

    fn parts(host: &str, domain: &str) -> Option<(String, String)> {
        Some((host.into(), domain.into()))
    }

    #[test]
    fn the_longest_suffix_wins() {
        let suffixes = ["*", "net", "home.example.net", "example.net"];
        assert_eq!(
            split_text("alice.home.example.net", &suffixes),
            parts("alice", "home.example.net")
        );
        assert_eq!(
            split_text("www.alice.home.example.net", &suffixes),
            parts("www.alice", "home.example.net")
        );
        assert_eq!(
            split_text("bob.example.net", &suffixes),
            parts("bob", "example.net")
        );
        assert_eq!(
            split_text("carol.example.org", &suffixes),
            parts("carol", "example.org")
        );
    }

    #[test]
    fn any_takes_the_first_label_and_comes_last() {
        assert_eq!(split_text("a.b.c", &["*"]), parts("a", "b.c"));
        assert_eq!(split_text("a.b.c", &["*", "c"]), parts("a.b", "c"));
        assert_eq!(split_text("a.b.c", &["c", "*"]), parts("a.b", "c"));
        assert_eq!(split_text("a", &["*"]), None);
    }

    #[test]
    fn the_router_itself_is_no_private_host() {
        assert_eq!(split_text("home.example.net", &["home.example.net"]), None);
        let nested = ["example.net", "*", "home.example.net"];
        assert_eq!(split_text("home.example.net", &nested), None);
    }

    #[test]
    fn no_suffix_no_name() {
        assert_eq!(split_text("alice.home.example.net", &[]), None);
        assert_eq!(
            split_text("alice.home.example.net", &["ome.example.net"]),
            None
        );
        assert_eq!(split_text("alice.home", &["alice.home.example.net"]), None);
    }

    #[test]
    fn commands() {
        let suffix = Suffix::Name(name("home.example.net"));
        for (line, command) in [
            ("add Home.Example.net.", Some(Command::Add(suffix))),
            (
                "  del\thome.example.net # old\n",
                Some(Command::Del(suffix)),
            ),
            ("add *", Some(Command::Add(Suffix::Any))),
            ("flush", Some(Command::Flush)),
            ("# add x", None),
            ("", None),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), Ok(command), "{line}");
        }
        assert_eq!(suffix.to_string(), "home.example.net");
        assert_eq!(Suffix::Any.to_string(), "*");
    }

    #[test]
    fn what_is_no_command() {
        for (line, error) in [
            ("remove x", CommandError::Unknown),
            ("ADD x", CommandError::Unknown),
            ("add", CommandError::NoSuffix),
            ("del # x", CommandError::NoSuffix),
            ("add x y", CommandError::Extra),
            ("flush x", CommandError::Extra),
            ("add *.x", CommandError::Suffix(NameError::Byte(b'*'))),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), Err(error), "{line}");
            assert!(!error.to_string().is_empty());
        }
    }
}
