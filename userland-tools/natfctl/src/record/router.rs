// SPDX-License-Identifier: GPL-2.0

//! The files of the router, but for its access control table.

use serde::Serialize;

use super::{exactly, protocol, Mark, Place, Record};

/// A mapping that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// `tcp`, `udp` or `icmp`.
    pub protocol: String,
    /// The inside host and its port.
    pub inside: Place,
    /// The endpoint and its port.
    pub endpoint: Place,
    /// The mapped address and port.
    pub mapped: Place,
    /// The private host name, as it was asked for.
    pub name: String,
    /// Seconds since it was made.
    pub age: u64,
    /// Seconds that it lives without traffic.
    pub left: u64,
}

impl Record for Mapping {
    const COLUMNS: &'static [&'static str] = &[
        "protocol", "inside", "endpoint", "mapped", "name", "age", "left",
    ];

    fn parse(line: &str) -> Option<Self> {
        let [kind, inside, endpoint, mapped, name, age, left] = exactly(line)?;
        Some(Mapping {
            protocol: protocol(kind)?,
            inside: Place::parse(inside)?,
            endpoint: Place::parse(endpoint)?,
            mapped: Place::parse(mapped)?,
            name: name.into(),
            age: age.parse().ok()?,
            left: left.parse().ok()?,
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.protocol.clone(),
            self.inside.to_string(),
            self.endpoint.to_string(),
            self.mapped.to_string(),
            self.name.clone(),
            self.age.to_string(),
            self.left.to_string(),
        ]
    }
}

/// How full a table is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Occupancy {
    /// The table.
    pub name: String,
    /// Entries.
    pub used: u64,
    /// Most entries.
    pub max: u64,
    /// What it is, in words.
    pub explanation: String,
}

impl Record for Occupancy {
    const COLUMNS: &'static [&'static str] = &["name", "used", "max", "explanation"];

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        Some(Occupancy {
            name: words.next().filter(|name| !name.is_empty())?.into(),
            used: words.next()?.parse().ok()?,
            max: words.next()?.parse().ok()?,
            explanation: words.next()?.into(),
        })
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.used.to_string(),
            self.max.to_string(),
            self.explanation.clone(),
        ]
    }

    fn mark(&self) -> Mark {
        match self.used >= self.max {
            true => Mark::Bad,
            false => Mark::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings() {
        let line = "tcp 192.168.0.10:80 198.51.100.2:40000 203.0.113.2:80 www.alice 12 431999";
        let mapping = Mapping::parse(line).unwrap();
        assert_eq!(mapping.cells().join(" "), line);
        assert_eq!(
            serde_json::to_string(&mapping).unwrap(),
            r#"{"protocol":"tcp","inside":{"address":"192.168.0.10","port":80},"endpoint":{"address":"198.51.100.2","port":40000},"mapped":{"address":"203.0.113.2","port":80},"name":"www.alice","age":12,"left":431999}"#
        );
        assert_eq!(Mapping::parse(&line.replace(" 12 ", " ")), None);
    }

    #[test]
    fn tables() {
        let line = "act 10000 10000 entries of the access control table";
        let table = Occupancy::parse(line).unwrap();
        assert_eq!((table.used, table.mark()), (10_000, Mark::Bad));
        assert_eq!(table.cells().join(" "), line);
        assert_eq!(Occupancy::parse("act 3 4"), None);
        assert_eq!(Occupancy::parse(""), None);
    }
}
