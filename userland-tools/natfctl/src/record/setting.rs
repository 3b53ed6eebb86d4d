// SPDX-License-Identifier: GPL-2.0

//! The files that both modules have, and small ones.

use serde::Serialize;

use super::{exactly, Mark, Record};

/// A counter, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counter {
    /// Its name, which stays.
    pub name: String,
    /// How often it happened.
    pub value: u64,
    /// What happened, in words.
    pub explanation: String,
}

impl Record for Counter {
    const COLUMNS: &'static [&'static str] = &["name", "value", "explanation"];

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        Some(Counter {
            name: words.next().filter(|name| !name.is_empty())?.into(),
            value: words.next()?.parse().ok()?,
            explanation: words.next()?.into(),
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.value.to_string(),
            self.explanation.clone(),
        ]
    }

    fn mark(&self) -> Mark {
        match self.value {
            0 => Mark::Faint,
            _ => Mark::Plain,
        }
    }
}

/// A line `NAME NUMBER` of `limits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// What is limited.
    pub name: String,
    /// The limit.
    pub value: u64,
}

impl Record for Limit {
    const COLUMNS: &'static [&'static str] = &["name", "value"];

    fn parse(line: &str) -> Option<Self> {
        let [name, value] = exactly(line)?;
        Some(Limit {
            name: name.into(),
            value: value.parse().ok()?,
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.value.to_string()]
    }
}

/// A key, of which nobody sees more than its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The suffix on an endpoint, the name of the key on a router.
    pub name: String,
    /// Eight hexadecimal digits, the same on both sides.
    pub id: String,
}

impl Record for Key {
    const COLUMNS: &'static [&'static str] = &["name", "id"];

    fn parse(line: &str) -> Option<Self> {
        let [name, id] = exactly(line)?;
        Some(Key {
            name: name.into(),
            id: id.into(),
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.id.clone()]
    }
}

/// Whose first packets travel with the request, or are delivered: a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Early(pub String);

impl Record for Early {
    const COLUMNS: &'static [&'static str] = &["choice"];
    const SINGLE: bool = true;

    fn parse(line: &str) -> Option<Self> {
        let [word] = exactly(line)?;
        Some(Early(word.into()))
    }

    fn cells(&self) -> Vec<String> {
        vec![self.0.clone()]
    }
}

/// The ports of DNS servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ports(pub Vec<u16>);

impl Record for Ports {
    const COLUMNS: &'static [&'static str] = &["ports"];
    const SINGLE: bool = true;

    fn parse(line: &str) -> Option<Self> {
        let ports: Result<Vec<_>, _> = line.split_ascii_whitespace().map(str::parse).collect();
        ports.ok().filter(|ports| !ports.is_empty()).map(Ports)
    }

    fn cells(&self) -> Vec<String> {
        let ports: Vec<_> = self.0.iter().map(u16::to_string).collect();
        vec![ports.join(",")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters() {
        let line = "held 7 packets held while their flow is negotiated";
        let counter = Counter::parse(line).unwrap();
        assert_eq!(counter.cells().join(" "), line);
        assert_eq!(counter.mark(), Mark::Plain);
        assert_eq!(Counter::parse("held x y"), None);
        assert_eq!(Counter::parse("held 7"), None);
    }

    #[test]
    fn small_ones() {
        assert_eq!(Limit::parse("names 16384").unwrap().value, 16384);
        assert_eq!(Limit::parse("names"), None);
        assert_eq!(Key::parse("office 0123abcd").unwrap().id, "0123abcd");
        assert_eq!(Early::parse("proven").unwrap().0, "proven");
        assert_eq!(Early::parse(""), None);
        assert_eq!(Ports::parse("53 5353").unwrap().0, [53, 5353]);
        assert_eq!(Ports::parse("53 x"), None);
        assert_eq!(Ports::parse(""), None);
    }
}
