// SPDX-License-Identifier: GPL-2.0

//! A change of the table, as a person writes it: one command per line.

use core::net::Ipv4Addr;

use super::condition::{add_keys, add_services, add_sources, address, number};
use super::list::List;
use super::problem::Problem;
use super::words::Words;
use super::{Action, Entry, Subject};
use crate::natf::name::Name;
use crate::natf::wire::ipv4::Protocol;

/// Which entries are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// One at a time, on the stack of a writer; boxing needs what this crate does not have.
#[allow(clippy::large_enum_variant)]
pub enum Which {
    /// All of this name.
    All(Subject),
    /// The one that reads so.
    One(Entry),
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)]
pub enum Command {
    /// `add NAME ADDRESS allow|deny …`: an entry at the end, or in the place of the one about the same
    /// requests.
    Add(Entry),
    /// `del NAME`, `del NAME ADDRESS allow|deny …`.
    Del {
        /// Which ones.
        which: Which,
        /// `flush`: their mappings end, too.
        flush: bool,
    },
    /// `flush`: removes all.
    Flush,
    /// `begin`: what follows makes a new table.
    Begin,
    /// `commit`: the new table takes the place of the present one.
    Commit,
    /// `abort`: the new table is forgotten.
    Abort,
}

impl Command {
    /// The command in `line`, at `now` in seconds since 1970. `None` if the line is blank or a comment.
    pub fn parse(line: &[u8], now: u64) -> Result<Option<Self>, Problem> {
        let mut words = Words::new(line);
        let Some(verb) = words.next() else {
            return Ok(None);
        };
        let command = match verb {
            b"add" => {
                let subject = parse_subject(words.next())?;
                Command::Add(parse_entry(subject, &mut words, now, None)?)
            }
            b"del" => parse_del(&mut words, now)?,
            b"flush" => Command::Flush,
            b"begin" => Command::Begin,
            b"commit" => Command::Commit,
            b"abort" => Command::Abort,
            _ => return Err(Problem::Unknown),
        };
        match words.next() {
            Some(_) => Err(Problem::Extra),
            None => Ok(Some(command)),
        }
    }
}

fn parse_del(words: &mut Words<'_>, now: u64) -> Result<Command, Problem> {
    let subject = parse_subject(words.next())?;
    let mut flush = false;
    let which = match words.peek() {
        None => Which::All(subject),
        Some(b"flush") => {
            flush = words.next().is_some();
            Which::All(subject)
        }
        Some(_) => Which::One(parse_entry(subject, words, now, Some(&mut flush))?),
    };
    Ok(Command::Del { which, flush })
}

/// What follows the name; with `flush`, also that word among the options.
fn parse_entry(
    subject: Subject,
    words: &mut Words<'_>,
    now: u64,
    mut flush: Option<&mut bool>,
) -> Result<Entry, Problem> {
    let mut entry = Entry {
        subject,
        host: parse_host(words.next())?,
        action: match words.next() {
            Some(b"allow") => Action::Allow,
            Some(b"deny") => Action::Deny,
            _ => return Err(Problem::Action),
        },
        ..Entry::BLANK
    };
    if entry.action == Action::Allow && entry.host.is_none() {
        return Err(Problem::NoHost);
    }
    while let Some(option) = words.next() {
        match option {
            b"tcp" => add_services(&mut entry.services, Protocol::Tcp, ports(words))?,
            b"udp" => add_services(&mut entry.services, Protocol::Udp, ports(words))?,
            b"icmp" => add_services(&mut entry.services, Protocol::Icmp, None)?,
            b"from" => add_sources(&mut entry.sources, words.next().ok_or(Problem::Source)?)?,
            b"key" => add_keys(&mut entry.keys, words.next().ok_or(Problem::Key)?)?,
            b"max" => once(&mut entry.max, parse_max(words.next(), entry.action)?)?,
            b"until" => once(&mut entry.until, parse_seconds(words.next())?)?,
            b"for" => {
                let until = now.checked_add(parse_seconds(words.next())?);
                once(&mut entry.until, until.ok_or(Problem::Time)?)?;
            }
            b"comment" if entry.comment.as_slice().is_empty() => {
                entry.comment = parse_comment(words)?;
            }
            b"comment" => return Err(Problem::Twice),
            b"flush" => match flush.as_deref_mut() {
                Some(flush) => *flush = true,
                None => return Err(Problem::Option),
            },
            _ => return Err(Problem::Option),
        }
    }
    Ok(entry)
}

fn parse_subject(word: Option<&[u8]>) -> Result<Subject, Problem> {
    match word.ok_or(Problem::NoName)? {
        b"*" => Ok(Subject::Any),
        name => Name::parse(name).map(Subject::Name).map_err(Problem::Name),
    }
}

fn parse_host(word: Option<&[u8]>) -> Result<Option<Ipv4Addr>, Problem> {
    let word = word.ok_or(Problem::NoAddress)?;
    if word == b"-" {
        return Ok(None);
    }
    let addr = address(word).ok_or(Problem::Address)?;
    // From 224 on: multicast, then 240/4 with the broadcast address at its end.
    match addr.octets() {
        [0 | 127 | 224.., ..] => Err(Problem::Unusable(addr)),
        _ => Ok(Some(addr)),
    }
}

/// The list of ports, if one follows: no option begins with a digit.
fn ports<'a>(words: &mut Words<'a>) -> Option<&'a [u8]> {
    let first = words.peek()?.first()?;
    match first.is_ascii_digit() {
        true => words.next(),
        false => None,
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        Some(_) => Err(Problem::Twice),
        None => Ok(()),
    }
}

fn parse_max(word: Option<&[u8]>, action: Action) -> Result<u32, Problem> {
    if action == Action::Deny {
        return Err(Problem::MaxDenied);
    }
    let max = word.and_then(number).filter(|&max| max != 0);
    max.ok_or(Problem::Max)
}

fn parse_seconds(word: Option<&[u8]>) -> Result<u64, Problem> {
    word.and_then(number).ok_or(Problem::Time)
}

fn parse_comment<const N: usize>(words: &mut Words<'_>) -> Result<List<u8, N>, Problem> {
    let text = words.quoted().ok_or(Problem::Quotes)?;
    let printable =
        core::str::from_utf8(text).is_ok_and(|text| !text.chars().any(char::is_control));
    if !printable {
        return Err(Problem::Comment);
    }
    let mut comment = List::new(0);
    for &byte in text {
        comment.push(byte).ok_or(Problem::LongComment)?;
    }
    Ok(comment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::natf::act::tests::entry;
    use crate::natf::name::NameError;

    const NOW: u64 = 1_800_000_000;

    fn parse(line: &str) -> Result<Option<Command>, Problem> {
        Command::parse(line.as_bytes(), NOW)
    }

    #[test]
    fn what_is_saved_can_be_loaded() {
        for line in [
            "add alice 192.168.0.10 allow",
            "add alice 192.168.0.10 deny",
            "add * - deny",
            "add * 192.168.0.10 allow",
            "add www.alice - deny tcp",
            "add alice 192.168.0.10 allow tcp 22,80,8000-8099 udp 53 icmp",
            "add alice 192.168.0.10 allow icmp tcp udp 1-65535",
            "add alice 192.168.0.10 allow from 198.51.100.0/24,203.0.113.7,0.0.0.0/0",
            "add alice 192.168.0.10 allow from 10.0.0.0/8 key office,a-1,b_2,c max 3",
            "add alice 192.168.0.10 allow max 4294967295 until 18446744073709551615",
            "add alice 192.168.0.10 allow udp from 10.0.0.0/8 max 1 until 0 comment \"K\u{fc}che # 1\"",
        ] {
            let entry = entry(line);
            assert_eq!(entry.to_string(), line);
            let del = line.replace("add", "del");
            let which = Which::One(entry);
            assert_eq!(parse(&del), Ok(Some(Command::Del { which, flush: false })));
        }
    }

    #[test]
    fn there_are_other_ways_to_say_it() {
        for (line, same) in [
            (
                "add ALICE.Home. 10.0.0.1 allow # x",
                "add alice.home 10.0.0.1 allow",
            ),
            (
                "add a 10.0.0.1 allow comment \"x\" max 2 from 1.2.3.4/32 udp 7-7",
                "add a 10.0.0.1 allow udp 7 from 1.2.3.4 max 2 comment \"x\"",
            ),
            ("add a 10.0.0.1 allow comment \"\"", "add a 10.0.0.1 allow"),
        ] {
            assert_eq!(entry(line).to_string(), same);
        }
        let Ok(Some(Command::Add(hour))) = parse("add a 10.0.0.1 allow for 3600") else {
            panic!()
        };
        assert_eq!(hour.to_string(), "add a 10.0.0.1 allow until 1800003600");
    }

    #[test]
    fn commands() {
        let alice = Subject::Name(Name::parse(b"alice").unwrap());
        let del = |which, flush| Some(Command::Del { which, flush });
        let one = Which::One(entry("add alice 10.0.0.1 allow tcp 22"));
        for (line, command) in [
            ("del ALICE # gone\n", del(Which::All(alice), false)),
            ("del alice flush", del(Which::All(alice), true)),
            ("del * flush", del(Which::All(Subject::Any), true)),
            (
                "del flush",
                del(
                    Which::All(Subject::Name(Name::parse(b"flush").unwrap())),
                    false,
                ),
            ),
            ("del alice 10.0.0.1 allow tcp 22", del(one, false)),
            ("del alice 10.0.0.1 allow flush tcp 22", del(one, true)),
            (" flush", Some(Command::Flush)),
            ("begin", Some(Command::Begin)),
            ("commit", Some(Command::Commit)),
            ("abort\r", Some(Command::Abort)),
            (" # flush", None),
            ("\n", None),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_no_command() {
        use Problem::*;
        for (line, problem) in [
            ("insert alice", Unknown),
            ("add", NoName),
            ("del", NoName),
            ("add al/ice 192.168.0.10 allow", Name(NameError::Byte(b'/'))),
            ("add *.home 192.168.0.10 allow", Name(NameError::Byte(b'*'))),
            ("add alice", NoAddress),
            ("add alice 192.168.0 allow", Address),
            ("add alice 192.168.0.010 allow", Address),
            ("add alice \u{e9} allow", Address),
            ("add alice 192.168.0.10", Action),
            ("add alice 192.168.0.10 permit", Action),
            ("add alice - allow", NoHost),
            ("add alice 192.168.0.10 allow now", Option),
            ("add alice 192.168.0.10 allow flush", Option),
            ("add alice 192.168.0.10 allow tcp 80 tcp 22", Twice),
            ("add alice 192.168.0.10 allow icmp 8", Option),
            ("add alice 192.168.0.10 allow tcp 0", Ports),
            ("add alice 192.168.0.10 allow tcp 22,", Ports),
            (
                "add alice 192.168.0.10 allow tcp 1,2,3,4,5,6,7,8,9",
                ManyServices,
            ),
            (
                "add alice 192.168.0.10 allow tcp 1,2,3,4,5,6,7,8 icmp",
                ManyServices,
            ),
            ("add alice 192.168.0.10 allow from", Source),
            (
                "add alice 192.168.0.10 allow from 198.51.100.1/24",
                SourceBits,
            ),
            (
                "add alice 192.168.0.10 allow from 1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5",
                ManySources,
            ),
            (
                "add alice 192.168.0.10 allow from 1.1.1.1 from 2.2.2.2",
                Twice,
            ),
            ("add alice 192.168.0.10 allow key", Key),
            ("add alice 192.168.0.10 allow key Office", Key),
            ("add alice 192.168.0.10 allow key a,", Key),
            ("add alice 192.168.0.10 allow key a,b,c,d,e", ManyKeys),
            ("add alice 192.168.0.10 allow key a key b", Twice),
            ("add alice 192.168.0.10 allow max", Max),
            ("add alice 192.168.0.10 allow max 0", Max),
            ("add alice 192.168.0.10 allow max 4294967296", Max),
            ("add alice 192.168.0.10 deny max 1", MaxDenied),
            ("add alice 192.168.0.10 allow until tomorrow", Time),
            ("add alice 192.168.0.10 allow until +1", Time),
            (
                "add alice 192.168.0.10 allow for 18446744073709551615",
                Time,
            ),
            ("add alice 192.168.0.10 allow for 1 until 2", Twice),
            ("add alice 192.168.0.10 allow comment guest", Quotes),
            ("add alice 192.168.0.10 allow comment \"guest", Quotes),
            (
                "add alice 192.168.0.10 allow comment \"a\" comment \"b\"",
                Twice,
            ),
            ("add alice 192.168.0.10 allow comment \"a\tb\"", Comment),
            ("del alice now", Address),
            ("del alice flush now", Extra),
            ("flush all", Extra),
            ("begin now", Extra),
        ] {
            assert_eq!(parse(line), Err(problem), "{line}");
            assert!(!problem.to_string().is_empty());
        }
        let line = b"add alice 192.168.0.10 allow comment \"\xff\"";
        assert_eq!(Command::parse(line, NOW), Err(Comment));
        let long = format!(
            "add alice 192.168.0.10 allow comment \"{}\"",
            "x".repeat(65)
        );
        assert_eq!(parse(&long), Err(LongComment));
    }

    #[test]
    fn addresses_that_no_host_has() {
        for addr in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "224.0.0.1",
            "240.0.1.1",
            "255.255.255.255",
        ] {
            let problem = Problem::Unusable(addr.parse().unwrap());
            assert_eq!(parse(&format!("add alice {addr} allow")), Err(problem));
        }
    }
}
