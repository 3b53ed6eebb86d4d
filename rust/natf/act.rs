// SPDX-License-Identifier: GPL-2.0

//! The access control table of the router: which private host a name means, and whether the outside
//! may reach it.

use core::fmt;
use core::net::Ipv4Addr;

use crate::natf::line::words;
use crate::natf::name::{Name, NameError};
use crate::natf::wire::control::Code;

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

/// One private host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Private host name.
    pub name: Name,
    /// Its address behind the NAT (P1).
    pub addr: Ipv4Addr,
    /// Whether it may be reached.
    pub action: Action,
}

/// Writes the command that makes the entry, so that what is saved can be loaded.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "add {} {} {}", self.name, self.addr, self.action)
    }
}

/// The decision about a request for a name, given the entry that was found for it: the private
/// address, or the code of the refusal. A name that is not there is refused like one that is denied,
/// so that nobody can find out which names exist.
pub fn decide(entry: Option<&Entry>) -> Result<Ipv4Addr, Code> {
    match entry {
        Some(entry) if entry.action == Action::Allow => Ok(entry.addr),
        _ => Err(Code::Denied),
    }
}

/// A change of the table, as a person writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `add NAME ADDR allow|deny`: makes an entry or replaces that of the same name.
    Add(Entry),
    /// `del NAME`
    Del(Name),
    /// `flush`: removes all.
    Flush,
}

/// Why a line is no [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
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
    /// The address can be no host's: unspecified, loopback, multicast, broadcast, or in 240/4, from
    /// which virtual addresses are taken.
    Unusable(Ipv4Addr),
    /// Neither `allow` nor `deny`.
    Action,
    /// Something follows the command.
    Extra,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Unknown => f.write_str(
                "unknown command: use \"add NAME ADDR allow|deny\", \"del NAME\" or \"flush\"",
            ),
            CommandError::NoName => f.write_str("the private host name is missing"),
            CommandError::Name(error) => error.fmt(f),
            CommandError::NoAddress => f.write_str("the private address is missing after the name"),
            CommandError::Address => {
                f.write_str("the address is not an IPv4 address: write it as 192.168.0.10")
            }
            CommandError::Unusable(addr) => {
                write!(
                    f,
                    "{addr} can be no host's address: give the private host's own"
                )
            }
            CommandError::Action => f.write_str("after the address say \"allow\" or \"deny\""),
            CommandError::Extra => f.write_str("too many words: one command per line"),
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
        let command = match verb {
            b"add" => Command::Add(Entry {
                name: parse_name(words.next())?,
                addr: parse_addr(words.next())?,
                action: match words.next() {
                    Some(b"allow") => Action::Allow,
                    Some(b"deny") => Action::Deny,
                    _ => return Err(CommandError::Action),
                },
            }),
            b"del" => Command::Del(parse_name(words.next())?),
            b"flush" => Command::Flush,
            _ => return Err(CommandError::Unknown),
        };
        match words.next() {
            Some(_) => Err(CommandError::Extra),
            None => Ok(Some(command)),
        }
    }
}

fn parse_name(word: Option<&[u8]>) -> Result<Name, CommandError> {
    Name::parse(word.ok_or(CommandError::NoName)?).map_err(CommandError::Name)
}

fn parse_addr(word: Option<&[u8]>) -> Result<Ipv4Addr, CommandError> {
    let word = word.ok_or(CommandError::NoAddress)?;
    let addr: Ipv4Addr = core::str::from_utf8(word)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(CommandError::Address)?;
    // From 224 on: multicast, then 240/4 with the broadcast address at its end.
    let [first, ..] = addr.octets();
    match addr.is_unspecified() || addr.is_loopback() || first >= 224 {
        true => Err(CommandError::Unusable(addr)),
        false => Ok(addr),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDR: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 10);

    fn entry(action: Action) -> Entry {
        Entry {
            name: Name::parse(b"alice").unwrap(),
            addr: ADDR,
            action,
        }
    }

    #[test]
    fn decisions() {
        assert_eq!(decide(Some(&entry(Action::Allow))), Ok(ADDR));
        assert_eq!(decide(Some(&entry(Action::Deny))), Err(Code::Denied));
        assert_eq!(decide(None), Err(Code::Denied));
    }

    #[test]
    fn what_is_saved_can_be_loaded() {
        for action in [Action::Allow, Action::Deny] {
            let entry = entry(action);
            let line = entry.to_string();
            assert_eq!(
                Command::parse(line.as_bytes()),
                Ok(Some(Command::Add(entry)))
            );
        }
        assert_eq!(
            entry(Action::Allow).to_string(),
            "add alice 192.168.0.10 allow"
        );
    }

    #[test]
    fn commands() {
        let name = Name::parse(b"alice").unwrap();
        assert_eq!(
            Command::parse(b"del ALICE # gone\n"),
            Ok(Some(Command::Del(name)))
        );
        assert_eq!(Command::parse(b" flush"), Ok(Some(Command::Flush)));
        assert_eq!(Command::parse(b" # flush"), Ok(None));
        assert_eq!(Command::parse(b"\n"), Ok(None));
    }

    #[test]
    fn what_is_no_command() {
        use CommandError::*;
        for (line, error) in [
            ("insert alice", Unknown),
            ("add", NoName),
            ("del", NoName),
            ("add al/ice 192.168.0.10 allow", Name(NameError::Byte(b'/'))),
            ("add alice", NoAddress),
            ("add alice 192.168.0 allow", Address),
            ("add alice 192.168.0.010 allow", Address),
            ("add alice \u{e9} allow", Address),
            ("add alice 192.168.0.10", Action),
            ("add alice 192.168.0.10 permit", Action),
            ("add alice 192.168.0.10 allow now", Extra),
            ("flush all", Extra),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), Err(error), "{line}");
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn addresses_that_no_host_has() {
        for addr in [
            "0.0.0.0",
            "127.0.0.1",
            "224.0.0.1",
            "240.0.1.1",
            "255.255.255.255",
        ] {
            let line = format!("add alice {addr} allow");
            let error = CommandError::Unusable(addr.parse().unwrap());
            assert_eq!(Command::parse(line.as_bytes()), Err(error));
        }
    }
}
