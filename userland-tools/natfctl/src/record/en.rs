// SPDX-License-Identifier: GPL-2.0

//! The files of the endpoint.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::{exactly, protocol, Mark, Place, Record};
use natf::domains::{Command, Suffix};

/// A suffix whose names get virtual addresses; `*` for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Domain(pub String);

impl Record for Domain {
    const COLUMNS: &'static [&'static str] = &["domain"];

    fn parse(line: &str) -> Option<Self> {
        match Command::parse(line.as_bytes()) {
            Ok(Some(Command::Add(suffix @ (Suffix::Any | Suffix::Name(_))))) => {
                Some(Domain(suffix.to_string()))
            }
            _ => None,
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![self.0.clone()]
    }
}

/// The range of virtual addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prefix(pub String);

impl Record for Prefix {
    const COLUMNS: &'static [&'static str] = &["prefix"];
    const SINGLE: bool = true;

    fn parse(line: &str) -> Option<Self> {
        let prefix = natf::vaddr::Prefix::parse(line.as_bytes())?;
        Some(Prefix(prefix.to_string()))
    }

    fn cells(&self) -> Vec<String> {
        vec![self.0.clone()]
    }
}

/// An entry of the name relation table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Name {
    /// The virtual address.
    pub address: Ipv4Addr,
    /// The private host name.
    pub host: String,
    /// The domain, which stands for the router.
    pub domain: String,
    /// Addresses of the router.
    pub routers: Vec<Ipv4Addr>,
    /// Seconds until it is forgotten.
    pub left: u64,
}

impl Record for Name {
    const COLUMNS: &'static [&'static str] = &["address", "host", "domain", "routers", "left"];

    fn parse(line: &str) -> Option<Self> {
        let [address, host, domain, routers, left] = exactly(line)?;
        Some(Name {
            address: address.parse().ok()?,
            host: host.into(),
            domain: domain.into(),
            routers: routers
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .ok()?,
            left: left.parse().ok()?,
        })
    }

    fn cells(&self) -> Vec<String> {
        let routers: Vec<_> = self.routers.iter().map(Ipv4Addr::to_string).collect();
        vec![
            self.address.to_string(),
            self.host.clone(),
            self.domain.clone(),
            routers.join(","),
            self.left.to_string(),
        ]
    }
}

/// How far a flow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has a mapped address.
    Open,
    /// The router is asked for one.
    Negotiating,
    /// The router has refused, or is silent.
    Refused,
    /// The router has lost it.
    Broken,
}

/// A flow: an entry of the table of virtual address translation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// `tcp`, `udp` or `icmp`.
    pub protocol: String,
    /// This side.
    pub local: Place,
    /// What the application sees of the other side.
    #[serde(rename = "virtual")]
    pub virtual_place: Place,
    /// How far it has come.
    pub state: State,
    /// Where its packets really go to, if it is open.
    pub mapped: Option<Place>,
    /// The private host name.
    pub host: String,
    /// Seconds since the last packet.
    pub idle: u64,
}

impl Record for Flow {
    const COLUMNS: &'static [&'static str] =
        &["protocol", "local", "virtual", "mapped", "host", "idle"];

    fn parse(line: &str) -> Option<Self> {
        let [name, local, remote, mapped, host, idle] = exactly(line)?;
        let (state, mapped) = match mapped {
            "negotiating" => (State::Negotiating, None),
            "refused" => (State::Refused, None),
            "broken" => (State::Broken, None),
            place => (State::Open, Some(Place::parse(place)?)),
        };
        Some(Flow {
            protocol: protocol(name)?,
            local: Place::parse(local)?,
            virtual_place: Place::parse(remote)?,
            state,
            mapped,
            host: host.into(),
            idle: idle.parse().ok()?,
        })
    }

    fn cells(&self) -> Vec<String> {
        let mapped = match (self.state, self.mapped) {
            (_, Some(place)) => place.to_string(),
            (State::Negotiating, _) => "negotiating".into(),
            (State::Broken, _) => "broken".into(),
            _ => "refused".into(),
        };
        vec![
            self.protocol.clone(),
            self.local.to_string(),
            self.virtual_place.to_string(),
            mapped,
            self.host.clone(),
            self.idle.to_string(),
        ]
    }

    fn mark(&self) -> Mark {
        match self.state {
            State::Open => Mark::Plain,
            State::Negotiating => Mark::Faint,
            State::Refused | State::Broken => Mark::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let line = "240.0.230.216 alice home.example.net 203.0.113.2,203.0.113.3 58";
        let name = Name::parse(line).unwrap();
        assert_eq!(name.cells().join(" "), line);
        assert_eq!(
            serde_json::to_string(&name).unwrap(),
            r#"{"address":"240.0.230.216","host":"alice","domain":"home.example.net","routers":["203.0.113.2","203.0.113.3"],"left":58}"#
        );
        for torn in [
            "",
            "240.0.230.216",
            "a b c d e",
            "240.0.1.2 a b 203.0.113.2",
        ] {
            assert_eq!(Name::parse(torn), None, "{torn}");
        }
    }

    #[test]
    fn flows() {
        let line = "tcp 198.51.100.2:58556 240.0.230.216:80 203.0.113.2:58556 alice 3";
        let flow = Flow::parse(line).unwrap();
        assert_eq!(flow.cells().join(" "), line);
        assert_eq!(
            serde_json::to_string(&flow).unwrap(),
            r#"{"protocol":"tcp","local":{"address":"198.51.100.2","port":58556},"virtual":{"address":"240.0.230.216","port":80},"state":"open","mapped":{"address":"203.0.113.2","port":58556},"host":"alice","idle":3}"#
        );
        for word in ["negotiating", "refused", "broken"] {
            let line = format!("icmp 198.51.100.2:7 240.0.230.216:7 {word} alice 0");
            let flow = Flow::parse(&line).unwrap();
            assert_eq!(flow.cells().join(" "), line);
            assert_eq!(flow.mapped, None);
            let json = serde_json::to_string(&flow.state).unwrap();
            assert_eq!(json, format!("{word:?}"));
        }
        assert_eq!(Flow::parse(&line.replace("tcp", "tc")), None);
        assert_eq!(Flow::parse(&line.replace(":80", ":80000")), None);
    }

    #[test]
    fn settings() {
        let domain = |line| Domain::parse(line).map(|Domain(text)| text);
        assert_eq!(domain("add *").as_deref(), Some("*"));
        assert_eq!(domain("add a.net").as_deref(), Some("a.net"));
        assert_eq!(domain("flush"), None);
        assert_eq!(Prefix::parse("240.0.0.0/8").unwrap().0, "240.0.0.0/8");
        assert_eq!(Prefix::parse("224.0.0.0/8"), None);
    }
}
