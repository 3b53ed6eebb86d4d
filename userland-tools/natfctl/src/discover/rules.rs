// SPDX-License-Identifier: GPL-2.0

//! What is allowed to hosts that are discovered: a file of names, or patterns of names, each with the conditions of
//! an entry of the access control table. The first pattern that matches a name counts.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use natf::act::{Command, Entry};
use toml::Spanned;

/// Where it is.
pub const FILE: &str = "/etc/natf/discover.toml";

/// The rules, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    all: Vec<(String, String)>,
}

impl Rules {
    /// Of the text of a file. The error has the number of the line and the reason.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let found: HashMap<String, Spanned<String>> = toml::from_str(text).map_err(|error| {
            let at = error.span().unwrap_or_default().start;
            let why = error.message().trim().replace('\n', ": ");
            let said = !why.is_empty();
            (line(at), if said { why } else { "this is no TOML".into() })
        })?;
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, conditions)| conditions.span().start);
        let mut all = Vec::new();
        for (pattern, conditions) in found {
            let at = conditions.span().start;
            let rule = check(&pattern, conditions.get_ref()).map_err(|why| (line(at), why))?;
            all.push((pattern.to_ascii_lowercase(), rule));
        }
        Ok(Rules { all })
    }

    /// What stands behind the address in the entry of a host of this name: `deny` if no rule matches.
    pub fn of(&self, name: &str) -> &str {
        let mut matching = self
            .all
            .iter()
            .filter(|(pattern, _)| matches(pattern.as_bytes(), name.as_bytes()));
        matching.next().map_or("deny", |(_, conditions)| conditions)
    }
}

/// The conditions in the kernel's spelling; or what is wrong.
fn check(pattern: &str, conditions: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_*?".contains(c);
    if pattern.is_empty() || !pattern.chars().all(known) {
        return Err(format!(
            "{pattern:?} is no pattern: a name of one label, in which * is any characters and ? is one"
        ));
    }
    let at = |now| match Command::parse(format!("add x 192.0.2.1 {conditions}").as_bytes(), now) {
        Ok(Some(Command::Add(entry))) => Ok(entry),
        Ok(_) => Err(format!("{conditions:?} are no conditions")),
        Err(problem) => Err(format!("{conditions:?}: {problem}")),
    };
    let entry: Entry = at(0)?;
    if entry != at(1)? {
        return Err("for has no meaning here: say until".into());
    }
    if !entry.comment.as_slice().is_empty() {
        return Err("the comment of such an entry says who discovered it".into());
    }
    let text = entry.to_string();
    let host = Ipv4Addr::new(192, 0, 2, 1);
    let before = format!("add x {host} ");
    Ok(text.strip_prefix(&before).unwrap_or("deny").to_string())
}

/// Whether a pattern matches a name. Takes at most the product of both lengths in steps.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where the last asterisk was, and what it stood for so far.
    let mut again: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                again = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match again {
                Some((star, from)) => {
                    again = Some((star, from + 1));
                    p = star + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_matches() {
        let rules = Rules::parse(
            "# mine\nmedia-old = \"deny\"\n\"Media-*\" = \"allow tcp 80,443 from 198.51.100.0/24\"\n\"*\" = \"allow icmp\"\n",
        )
        .unwrap();
        assert_eq!(rules.of("media-old"), "deny");
        assert_eq!(rules.of("media-1"), "allow tcp 80,443 from 198.51.100.0/24");
        assert_eq!(rules.of("alice"), "allow icmp");
        assert_eq!(Rules::parse("").unwrap().of("alice"), "deny");
    }

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("alice", "alice", true),
            ("alice", "alice2", false),
            ("a?ice", "alice", true),
            ("*", "x", true),
            ("*-tv", "living-room-tv", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXb", false),
            ("**", "a", true),
            ("?", "ab", false),
            ("media-*", "media-", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn what_is_wrong_and_where() {
        for (text, line, words) in [
            ("a = \"alow\"", 1, "after the address say"),
            ("\na = \"allow tcp/80\"", 2, "no such option"),
            ("a = 1", 1, "expected a string"),
            ("a = ", 1, "no TOML"),
            ("\"a b\" = \"deny\"", 1, "no pattern"),
            ("\"a.b\" = \"deny\"", 1, "no pattern"),
            ("a = \"allow for 60\"", 1, "say until"),
            ("a = 'allow comment \"x\"'", 1, "comment"),
            ("a = \"deny\\nflush\"", 1, ""),
        ] {
            let (at, why) = Rules::parse(text).unwrap_err();
            assert!(at == line && why.contains(words), "{text}: {at}: {why}");
        }
    }
}
