// SPDX-License-Identifier: GPL-2.0

//! What an entry asks of a request besides the name: protocol and port, and the address of EN.

use core::fmt;
use core::net::Ipv4Addr;

use super::list::List;
use super::problem::Problem;
use crate::natf::auth::{KeyName, KEYS_MAX};
use crate::natf::wire::ipv4::Protocol;

/// Most protocols and port ranges of an entry, together.
pub const SERVICES_MAX: usize = 8;

/// Most source prefixes of an entry.
pub const SOURCES_MAX: usize = 4;

/// Protocols and ports of an entry.
pub type Services = List<Service, SERVICES_MAX>;

/// Source prefixes of an entry.
pub type Sources = List<Prefix, SOURCES_MAX>;

/// Names of keys of an entry.
pub type Keys = List<KeyName, KEYS_MAX>;

/// A range of ports of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// TCP, UDP or ICMP.
    pub protocol: Protocol,
    /// First port. 0 only if all ports are meant, as for ICMP always.
    pub first: u16,
    /// Last port.
    pub last: u16,
}

impl Service {
    /// Nothing that a request could ask for.
    pub(super) const ANY: Service = Service::all(Protocol::Other(0));

    /// All of a protocol.
    pub(super) const fn all(protocol: Protocol) -> Self {
        Service {
            protocol,
            first: 0,
            last: u16::MAX,
        }
    }

    /// Whether a flow of `protocol` to `port` is one of these.
    pub fn covers(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol == protocol && (self.first..=self.last).contains(&port)
    }

    /// The range that `text` writes as `22` or `8000-8099`.
    fn parse(protocol: Protocol, text: &[u8]) -> Option<Self> {
        let mut ends = text.splitn(2, |&byte| byte == b'-');
        let first = number::<u16>(ends.next()?).filter(|&port| port != 0)?;
        let last = match ends.next() {
            Some(last) => number(last).filter(|&last| last >= first)?,
            None => first,
        };
        Some(Service {
            protocol,
            first,
            last,
        })
    }
}

/// Writes the ports.
impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Addresses that agree in their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    first: Ipv4Addr,
    /// 0 to 32.
    len: u8,
}

impl Prefix {
    /// Every address.
    pub(super) const ANY: Prefix = Prefix {
        first: Ipv4Addr::UNSPECIFIED,
        len: 0,
    };

    /// Bits of an address that are not of the prefix.
    fn rest(self) -> u32 {
        u32::MAX.checked_shr(u32::from(self.len)).unwrap_or(0)
    }

    /// Whether `addr` is one of these.
    pub fn contains(self, addr: Ipv4Addr) -> bool {
        (self.first.to_bits() ^ addr.to_bits()) & !self.rest() == 0
    }

    /// The prefix that `text` writes as `198.51.100.0/24`, or the one address `203.0.113.7`.
    fn parse(text: &[u8]) -> Result<Self, Problem> {
        let mut parts = text.splitn(2, |&byte| byte == b'/');
        let addr = parts.next().and_then(address).ok_or(Problem::Source)?;
        let len = match parts.next() {
            Some(len) => number(len)
                .filter(|&len| len <= 32)
                .ok_or(Problem::Source)?,
            None => 32,
        };
        let prefix = Prefix { first: addr, len };
        match addr.to_bits() & prefix.rest() {
            0 => Ok(prefix),
            _ => Err(Problem::SourceBits),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len {
            32 => write!(f, "{}", self.first),
            len => write!(f, "{}/{len}", self.first),
        }
    }
}

/// Whether one of `list` says yes, or there is none.
pub(super) fn any<T: Copy, const N: usize>(list: &List<T, N>, yes: impl Fn(&T) -> bool) -> bool {
    let items = list.as_slice();
    items.is_empty() || items.iter().any(yes)
}

/// The number that `text` is: digits alone.
pub(super) fn number<T: core::str::FromStr>(text: &[u8]) -> Option<T> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(text).ok().filter(|_| digits)?;
    text.parse().ok()
}

/// The address that `text` is.
pub(super) fn address(text: &[u8]) -> Option<Ipv4Addr> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// Appends `protocol`, with the ports of `list` if there is one.
pub(super) fn add_services(
    services: &mut Services,
    protocol: Protocol,
    list: Option<&[u8]>,
) -> Result<(), Problem> {
    let present = services.as_slice().iter();
    if present.clone().any(|service| service.protocol == protocol) {
        return Err(Problem::Twice);
    }
    let Some(list) = list else {
        return services
            .push(Service::all(protocol))
            .ok_or(Problem::ManyServices);
    };
    for text in list.split(|&byte| byte == b',') {
        let service = Service::parse(protocol, text).ok_or(Problem::Ports)?;
        services.push(service).ok_or(Problem::ManyServices)?;
    }
    Ok(())
}

/// Appends the names of keys of `list`.
pub(super) fn add_keys(keys: &mut Keys, list: &[u8]) -> Result<(), Problem> {
    if !keys.as_slice().is_empty() {
        return Err(Problem::Twice);
    }
    list.split(|&byte| byte == b',').try_for_each(|text| {
        let name = KeyName::parse(text).ok_or(Problem::Key)?;
        keys.push(name).ok_or(Problem::ManyKeys)
    })
}

/// Writes them as an option.
pub(super) fn show_keys(keys: &Keys, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, key) in keys.as_slice().iter().enumerate() {
        let before = if index == 0 { " key " } else { "," };
        write!(f, "{before}{key}")?;
    }
    Ok(())
}

/// Appends the prefixes of `list`.
pub(super) fn add_sources(sources: &mut Sources, list: &[u8]) -> Result<(), Problem> {
    if !sources.as_slice().is_empty() {
        return Err(Problem::Twice);
    }
    list.split(|&byte| byte == b',').try_for_each(|text| {
        let prefix = Prefix::parse(text)?;
        sources.push(prefix).ok_or(Problem::ManySources)
    })
}

/// Writes ` tcp 22,80 udp icmp`: each protocol once, as they follow each other.
pub(super) fn show_services(services: &Services, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut last = None;
    for service in services.as_slice() {
        let word = match service.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
            Protocol::Other(_) => continue,
        };
        let goes_on = last.replace(service.protocol) == Some(service.protocol);
        match (goes_on, service.first) {
            (true, _) => write!(f, ",{service}")?,
            (false, 0) => write!(f, " {word}")?,
            (false, _) => write!(f, " {word} {service}")?,
        }
    }
    Ok(())
}

/// Writes ` from 198.51.100.0/24,203.0.113.7`.
pub(super) fn show_sources(sources: &Sources, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut before = " from ";
    for prefix in sources.as_slice() {
        write!(f, "{before}{prefix}")?;
        before = ",";
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let parse = |text: &str| Service::parse(Protocol::Tcp, text.as_bytes());
        for text in ["1", "65535", "8000-8099", "1-65535"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("22-22").unwrap().to_string(), "22");
        for text in [
            "", "0", "65536", "-", "22-", "-22", "80-22", "1-2-3", "+1", "0x10", "http",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn prefixes() {
        let parse = |text: &str| Prefix::parse(text.as_bytes());
        for text in ["0.0.0.0/0", "198.51.100.0/24", "128.0.0.0/1", "203.0.113.7"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("203.0.113.7/32").unwrap().to_string(), "203.0.113.7");
        for text in [
            "",
            "/24",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0/8",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(parse(text), Err(Problem::Source), "{text}");
        }
        assert_eq!(parse("198.51.100.7/24"), Err(Problem::SourceBits));
    }

    #[test]
    fn what_a_prefix_contains() {
        let contains = |text: &str, addr: [u8; 4]| {
            Prefix::parse(text.as_bytes())
                .unwrap()
                .contains(addr.into())
        };
        assert!(contains("198.51.100.0/24", [198, 51, 100, 255]));
        assert!(!contains("198.51.100.0/24", [198, 51, 101, 0]));
        assert!(contains("203.0.113.7", [203, 0, 113, 7]));
        assert!(!contains("203.0.113.7", [203, 0, 113, 6]));
        assert!(contains("0.0.0.0/0", [255, 255, 255, 255]));
        assert!(contains("128.0.0.0/1", [200, 0, 0, 1]));
        assert!(!contains("128.0.0.0/1", [127, 0, 0, 1]));
    }
}
