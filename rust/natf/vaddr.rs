// SPDX-License-Identifier: GPL-2.0

//! Virtual addresses: `240.B.C.D`, where C stands for the domain and D for the private host name.
//!
//! They never leave the machine that minted them. The same name always starts at the same address,
//! so what an application remembers holds after a reload.

use core::fmt;
use core::net::Ipv4Addr;

use crate::natf::name::NameRef;

/// The range of virtual addresses, a /8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix(u8);

impl Default for Prefix {
    fn default() -> Self {
        Prefix::DEFAULT
    }
}

impl Prefix {
    /// 240.0.0.0/8, the choice of the paper: reserved (RFC 1112, 4), and no host on the internet
    /// has such an address.
    pub const DEFAULT: Prefix = Prefix(240);

    /// The /8 that begins with `first`. `None` for "this network", loopback, multicast and the /8
    /// of the broadcast address, which mean something else to every IP stack.
    pub const fn new(first: u8) -> Option<Self> {
        match first {
            0 | 127 | 224..=239 | 255 => None,
            _ => Some(Prefix(first)),
        }
    }

    /// The range that `text` names, as `240.0.0.0/8` or by its first octet alone. `None` if it names none
    /// that can be used.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?.trim();
        let first = text.strip_suffix(".0.0.0/8").unwrap_or(text);
        first.parse().ok().and_then(Prefix::new)
    }

    /// The first octet of its addresses.
    pub const fn first(self) -> u8 {
        self.0
    }

    /// Whether `addr` is in the range.
    pub const fn is_virtual(self, addr: Ipv4Addr) -> bool {
        let [first, ..] = addr.octets();
        first == self.0
    }

    /// Whether EN accepts `addr` as the mapped address of a response: not 0, loopback, multicast,
    /// broadcast or virtual.
    pub const fn is_mappable(self, addr: Ipv4Addr) -> bool {
        let special = addr.is_unspecified()
            || addr.is_loopback()
            || addr.is_multicast()
            || addr.is_broadcast();
        !special && !self.is_virtual(addr)
    }

    /// The addresses that `host` under `domain` may have, the preferred one first. The caller takes
    /// the first that is free or holds the same name already; there are 256.
    pub fn candidates(
        self,
        domain: NameRef<'_>,
        host: NameRef<'_>,
    ) -> impl Iterator<Item = Ipv4Addr> {
        let (c, d) = (octet(domain), octet(host));
        (0..=255).map(move |b| Ipv4Addr::new(self.0, b, c, d))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0.0.0/8", self.0)
    }
}

/// An octet from 1 to 254 that stands for `name`.
fn octet(name: NameRef<'_>) -> u8 {
    // The remainder is at most 253.
    u8::try_from(name.fnv1a() % 254)
        .unwrap_or(0)
        .wrapping_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NameRef<'_> {
        NameRef::parse_wire_text(text.as_bytes()).unwrap()
    }

    #[test]
    fn candidates_differ_in_b_alone() {
        // FNV-1a: "foobar" = 0xbf9cf968, mod 254 = 214; "a" = 0xe40c292c, mod 254 = 220.
        let all: Vec<_> = Prefix::DEFAULT
            .candidates(name("foobar"), name("a"))
            .collect();
        let expected: Vec<_> = (0..=255).map(|b| Ipv4Addr::new(240, b, 215, 221)).collect();
        assert_eq!(all, expected);
    }

    #[test]
    fn octets_are_neither_network_nor_broadcast() {
        let mut seen = [false; 256];
        for i in 0..5000 {
            seen[usize::from(octet(name(&format!("host{i}"))))] = true;
        }
        assert!(!seen[0] && !seen[255] && seen[1..255].iter().all(|&seen| seen));
    }

    #[test]
    fn prefixes() {
        assert_eq!(Prefix::default().to_string(), "240.0.0.0/8");
        for first in [0, 127, 224, 239, 255] {
            assert_eq!(Prefix::new(first), None);
        }
        for text in [
            "",
            "240.0.0.0",
            "240.1.0.0/8",
            "256.0.0.0/8",
            "127.0.0.0/8",
            "x",
        ] {
            assert_eq!(Prefix::parse(text.as_bytes()), None, "{text}");
        }
        for text in ["10.0.0.0/8\n", "10"] {
            assert_eq!(Prefix::parse(text.as_bytes()), Prefix::new(10));
        }
        let prefix = Prefix::new(10).unwrap();
        assert_eq!(Prefix::new(prefix.first()), Some(prefix));
        assert!(prefix.is_virtual(Ipv4Addr::new(10, 1, 2, 3)));
        assert!(!prefix.is_virtual(Ipv4Addr::new(240, 1, 2, 3)));
    }

    #[test]
    fn mapped_addresses() {
        let ok = |text: &str| Prefix::DEFAULT.is_mappable(text.parse().unwrap());
        assert!(ok("203.0.113.1") && ok("192.168.0.1"));
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.1.1",
        ] {
            assert!(!ok(text), "{text}");
        }
    }
}
