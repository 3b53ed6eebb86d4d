// SPDX-License-Identifier: GPL-2.0

//! What claims about hosts change in the access control table. An entry of discovery is told by its comment,
//! `discovered by SOURCE`; every other one is made by hand, and stays. A name that has one by hand belongs to the hand.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::Ipv4Addr;

use natf::act::Command;
use serde::Serialize;

use super::rules::Rules;
use super::{host_name, Claim, Source};
use crate::record::{Act, Record};

/// What the comment of an entry of discovery begins with.
pub const MARK: &str = "discovered by ";

/// Most bytes that the kernel takes at once outside of a transaction.
const PAGE: usize = 4096;

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Changes of entries, by their names.
    pub changes: Vec<Change>,
    /// What is not done, and why.
    pub left: Vec<Left>,
}

/// A change of an entry.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The private host name.
    pub name: String,
    /// The line that makes the entry; `None`: there is to be none any more.
    pub line: Option<String>,
    /// The line of the entry before.
    pub was: Option<String>,
    /// Why, in words.
    pub why: String,
    /// Whether the new entry takes the place of the old one by itself, being about the same requests.
    #[serde(skip)]
    in_place: bool,
}

/// A claim that nothing comes of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The name, as the source has it.
    pub name: String,
    /// The host.
    pub address: Ipv4Addr,
    /// Who said so.
    pub source: Source,
    /// Why, in words.
    pub why: String,
}

impl Left {
    fn new(claim: &Claim, why: impl Into<String>) -> Self {
        Left {
            name: claim.said.clone(),
            address: claim.address,
            source: claim.source,
            why: why.into(),
        }
    }
}

/// Who discovered an entry; `None`: it is made by hand.
fn discoverer(entry: &Act) -> Option<Source> {
    let by = entry.comment.as_deref()?.strip_prefix(MARK)?;
    clap::ValueEnum::from_str(by, false).ok()
}

/// The entries of a name.
#[derive(Default)]
struct Entries {
    by_hand: Vec<Act>,
    ours: Vec<(Source, Act)>,
}

impl Plan {
    /// What `claims` change in `table`, at `now`, in seconds since 1970. `read` are the sources that have said all they
    /// know: what only they said before, and do not say any more, is over.
    pub fn new(
        table: &str,
        claims: &[Claim],
        read: &BTreeSet<Source>,
        rules: &Rules,
        now: u64,
    ) -> Self {
        let mut plan = Plan::default();
        let mut names: BTreeMap<String, (Entries, Vec<&Claim>)> = BTreeMap::new();
        for entry in table.lines().filter_map(Act::parse) {
            let (entries, _) = names.entry(entry.name.clone()).or_default();
            match discoverer(&entry) {
                Some(source) => entries.ours.push((source, entry)),
                None => entries.by_hand.push(entry),
            }
        }
        for claim in claims.iter().filter(|claim| !claim.is_over(now)) {
            match host_name(&claim.said) {
                Ok(name) => names.entry(name).or_default().1.push(claim),
                Err(why) => plan.left.push(Left::new(claim, why)),
            }
        }
        for (name, (entries, claims)) in &names {
            plan.name(name, entries, claims, read, rules);
        }
        plan
    }

    fn name(
        &mut self,
        name: &str,
        entries: &Entries,
        claims: &[&Claim],
        read: &BTreeSet<Source>,
        rules: &Rules,
    ) {
        let Entries { by_hand, ours } = entries;
        let best = claims.iter().map(|claim| claim.source).min();
        let claims: Vec<_> = claims
            .iter()
            .filter(|claim| Some(claim.source) == best)
            .collect();
        let last = latest(&claims);
        if let Some(hand) = by_hand.first() {
            for (_, entry) in ours {
                self.remove(entry, "there is one made by hand");
            }
            for claim in last {
                let known = by_hand.iter().any(|e| e.address == Some(claim.address));
                if !known && name != "*" {
                    let at = hand.address.map_or("-".into(), |at| at.to_string());
                    let why = format!("an entry made by hand has {at}");
                    self.left.push(Left::new(claim, why));
                }
            }
            return;
        }
        // One that counts more, and was not asked this time, has said something else.
        let stays = |by: &Source| best.is_none_or(|best| best > *by) && !read.contains(by);
        let claim = match last[..] {
            [] => {
                for (by, entry) in ours {
                    if by.has_leases() && read.contains(by) {
                        self.remove(entry, format!("{by} does not have it any more"));
                    }
                }
                return;
            }
            _ if ours.iter().any(|(by, _)| stays(by)) => return,
            [claim] => claim,
            [first, ..] => {
                let held = |claim: &&&Claim| {
                    let at = Some(claim.address);
                    ours.iter().any(|(_, entry)| entry.address == at)
                };
                let Some(claim) = last.iter().find(held) else {
                    for (_, entry) in ours {
                        self.remove(entry, "several hosts have the name");
                    }
                    self.left
                        .push(Left::new(first, "several hosts have the name"));
                    return;
                };
                claim
            }
        };
        self.put(name, ours, claim, rules);
    }

    fn put(&mut self, name: &str, ours: &[(Source, Act)], claim: &Claim, rules: &Rules) {
        let Claim {
            address, source, ..
        } = claim;
        let conditions = rules.of(name);
        let line = format!("add {name} {address} {conditions} comment \"{MARK}{source}\"");
        let new = match Command::parse(line.as_bytes(), 0) {
            Ok(Some(Command::Add(entry))) => Act::from(&entry),
            Err(problem) => return self.left.push(Left::new(claim, problem.to_string())),
            Ok(_) => return self.left.push(Left::new(claim, "it makes no entry")),
        };
        let mut ours = ours.iter().map(|(_, entry)| entry);
        let was = ours.next();
        for entry in ours {
            self.remove(entry, "there is another");
        }
        if was.is_some_and(|was| was.line == new.line) {
            return;
        }
        let same = |was: &Act| {
            (&was.services, &was.from, &was.keys) == (&new.services, &new.from, &new.keys)
        };
        self.changes.push(Change {
            name: name.into(),
            why: match was {
                None => format!("{source} has it"),
                Some(was) if was.address != new.address => match was.address {
                    Some(at) => format!("it was at {at}"),
                    None => "it had no address".into(),
                },
                Some(_) => "other rules, or another source".into(),
            },
            in_place: was.is_some_and(same),
            was: was.map(|was| was.line.clone()),
            line: Some(new.line),
        });
    }

    fn remove(&mut self, entry: &Act, why: impl Into<String>) {
        self.changes.push(Change {
            name: entry.name.clone(),
            line: None,
            was: Some(entry.line.clone()),
            why: why.into(),
            in_place: false,
        });
    }

    /// What is written to the table, which says `table` now: all of it takes effect, or nothing.
    pub fn commands(&self, table: &str) -> String {
        let mut lines = String::new();
        for change in &self.changes {
            // Removed before it is added: a name may have 64 entries, and the table 10,000.
            if let Some(entry) = change.was.as_deref().filter(|_| !change.in_place) {
                let entry = entry.strip_prefix("add ").unwrap_or(entry);
                lines.push_str(&format!("del {entry}\n"));
            }
            if let Some(line) = &change.line {
                lines.push_str(&format!("{line}\n"));
            }
        }
        if lines.len() <= PAGE {
            return lines;
        }
        let gone: HashSet<_> = self
            .changes
            .iter()
            .filter_map(|c| c.was.as_deref())
            .collect();
        let kept = table.lines().filter(|line| !gone.contains(line));
        let new = self.changes.iter().filter_map(|c| c.line.as_deref());
        let mut all = String::from("begin\n");
        for line in kept.chain(new).chain(["commit"]) {
            all.push_str(&format!("{line}\n"));
        }
        all
    }
}

/// One claim of each host: that which lasts longest. Hosts with the same address are one.
fn latest<'a>(claims: &[&&'a Claim]) -> Vec<&'a Claim> {
    let mut hosts: Vec<&Claim> = Vec::new();
    for claim in claims {
        let same = |other: &&mut &Claim| {
            other.address == claim.address
                || (other.client.is_some() && other.client == claim.client)
        };
        let end = |claim: &Claim| claim.expires.unwrap_or(u64::MAX);
        match hosts.iter_mut().find(same) {
            None => hosts.push(claim),
            Some(other) if end(claim) > end(other) => *other = claim,
            Some(_) => {}
        }
    }
    hosts
}

#[cfg(test)]
mod tests;
