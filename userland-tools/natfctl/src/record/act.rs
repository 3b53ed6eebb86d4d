// SPDX-License-Identifier: GPL-2.0

//! Entries of the access control table, read by the parser that the kernel uses.

use std::net::Ipv4Addr;

use natf::act::{Action, Command, Entry};
use natf::wire::ipv4::Protocol;
use serde::Serialize;

use super::{Mark, Record};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// The private host name; `*` for every name.
    pub name: String,
    /// The private host's address.
    pub address: Option<Ipv4Addr>,
    /// `allow` or `deny`.
    pub action: String,
    /// Protocols and ports, as `tcp 22,80` and `icmp`; none: all.
    pub services: Vec<Service>,
    /// Prefixes of endpoints; none: everybody.
    pub from: Vec<String>,
    /// Names of keys; none: with any or none.
    pub keys: Vec<String>,
    /// Most mappings at a time.
    pub max: Option<u32>,
    /// When it ends, in seconds since 1970.
    pub until: Option<u64>,
    /// What somebody noted.
    pub comment: Option<String>,
    /// The command that makes the entry.
    pub line: String,
}

/// Ports of a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// `tcp`, `udp` or `icmp`.
    pub protocol: &'static str,
    /// Ports and ranges of them, as `22` and `8000-8099`; none: all.
    pub ports: Vec<String>,
}

impl From<&Entry> for Act {
    fn from(entry: &Entry) -> Self {
        let comment = String::from_utf8_lossy(entry.comment.as_slice());
        Act {
            name: entry.subject.to_string(),
            address: entry.host,
            action: entry.action.to_string(),
            services: services(entry),
            from: texts(entry.sources.as_slice()),
            keys: texts(entry.keys.as_slice()),
            max: entry.max,
            until: entry.until,
            comment: (!comment.is_empty()).then(|| comment.into_owned()),
            line: entry.to_string(),
        }
    }
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn services(entry: &Entry) -> Vec<Service> {
    let mut all: Vec<Service> = Vec::new();
    for service in entry.services.as_slice() {
        let protocol = match service.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
            Protocol::Other(_) => continue,
        };
        let ports = (service.first != 0).then(|| service.to_string());
        match all.iter_mut().find(|other| other.protocol == protocol) {
            Some(other) => other.ports.extend(ports),
            None => all.push(Service {
                protocol,
                ports: ports.into_iter().collect(),
            }),
        }
    }
    all
}

impl Record for Act {
    const COLUMNS: &'static [&'static str] = &[
        "name", "address", "action", "services", "from", "keys", "max", "until", "comment",
    ];

    fn parse(line: &str) -> Option<Self> {
        match Command::parse(line.as_bytes(), 0) {
            Ok(Some(Command::Add(entry))) => Some(Act::from(&entry)),
            _ => None,
        }
    }

    fn cells(&self) -> Vec<String> {
        let or_none = |text: String| match text.is_empty() {
            true => "-".into(),
            false => text,
        };
        let services: Vec<_> = self
            .services
            .iter()
            .map(|service| format!("{} {}", service.protocol, service.ports.join(",")))
            .collect();
        let services: Vec<_> = services.iter().map(|text| text.trim_end()).collect();
        let number = |number: Option<u64>| number.map_or("-".into(), |number| number.to_string());
        vec![
            self.name.clone(),
            self.address.map_or("-".into(), |host| host.to_string()),
            self.action.clone(),
            or_none(services.join(" ")),
            or_none(self.from.join(",")),
            or_none(self.keys.join(",")),
            number(self.max.map(u64::from)),
            number(self.until),
            or_none(self.comment.clone().unwrap_or_default()),
        ]
    }

    fn mark(&self) -> Mark {
        match self.action == Action::Deny.to_string() {
            true => Mark::Bad,
            false => Mark::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_entry() {
        let line = "add bob 192.168.0.11 allow tcp 22,8000-8099 icmp from 198.51.100.0/24,203.0.113.7 key office max 4 until 99 comment \"K\u{fc}che 1\"";
        let act = Act::parse(line).unwrap();
        assert_eq!(act.line, line);
        assert_eq!(
            act.cells().join("|"),
            "bob|192.168.0.11|allow|tcp 22,8000-8099 icmp|198.51.100.0/24,203.0.113.7|office|4|99|K\u{fc}che 1"
        );
        assert_eq!(
            serde_json::to_value(&act).unwrap()["services"],
            serde_json::json!([
                {"protocol": "tcp", "ports": ["22", "8000-8099"]},
                {"protocol": "icmp", "ports": []},
            ])
        );
    }

    #[test]
    fn an_entry_with_little() {
        let act = Act::parse("add * - deny").unwrap();
        assert_eq!(act.cells().join("|"), "*|-|deny|-|-|-|-|-|-");
        assert_eq!(act.mark(), Mark::Bad);
        assert_eq!(Act::parse("flush"), None);
        assert_eq!(Act::parse("add *"), None);
    }
}
