// SPDX-License-Identifier: GPL-2.0

//! Names of private hosts, and their addresses, from what is on the router and its LAN anyway: leases of DHCP servers
//! ([`dnsmasq`], [`kea`], [`odhcpd`]), and the hosts' own answers ([`mdns`], [`netbios`], asked by [`ask`]). What
//! becomes of them in the access control table is decided by [`rules`] and [`plan`].

use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

pub mod ask;
pub mod dnsmasq;
pub mod kea;
pub mod mdns;
pub mod netbios;
pub mod odhcpd;
pub mod plan;
pub mod rules;

/// Who says that a host has a name. What an earlier one says counts more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The leases of dnsmasq.
    Dnsmasq,
    /// The leases of Kea's DHCPv4 server, in its memfile.
    Kea,
    /// The leases of odhcpd.
    Odhcpd,
    /// The hosts themselves, by multicast DNS (RFC 6762).
    Mdns,
    /// The hosts themselves, by NetBIOS (RFC 1002).
    Netbios,
}

impl Source {
    /// Its name on the command line, and in the comment of an entry.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Dnsmasq => "dnsmasq",
            Source::Kea => "kea",
            Source::Odhcpd => "odhcpd",
            Source::Mdns => "mdns",
            Source::Netbios => "netbios",
        }
    }

    /// Whether it says when a name is over, by not having it any more.
    pub const fn has_leases(self) -> bool {
        matches!(self, Source::Dnsmasq | Source::Kea | Source::Odhcpd)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// That a host has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// As the source has it.
    pub said: String,
    /// The host.
    pub address: Ipv4Addr,
    /// Who the host is, where the source knows: its hardware address.
    pub client: Option<String>,
    /// When it is over, in seconds since 1970; `None`: never.
    pub expires: Option<u64>,
    /// Who says so.
    pub source: Source,
}

impl Claim {
    /// Whether it is over at `now`.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

/// The private host name that a host's own name makes: its first label, in lower case. The error says why there is
/// none.
pub fn host_name(said: &str) -> Result<String, &'static str> {
    let label = said.split('.').next().unwrap_or_default();
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if label.is_empty() {
        Err("it is empty")
    } else if !label.chars().all(known) {
        Err("a name has letters, digits, - and _ only")
    } else if label.len() > 63 {
        Err("it has more than 63 characters")
    } else if label.eq_ignore_ascii_case("localhost") {
        Err("every host calls itself that")
    } else {
        Ok(label.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_hosts() {
        assert_eq!(host_name("Alice").unwrap(), "alice");
        assert_eq!(host_name("media-1.lan.").unwrap(), "media-1");
        assert_eq!(host_name("WIN_7").unwrap(), "win_7");
        for (said, why) in [
            ("", "empty"),
            (".lan", "empty"),
            ("*", "letters"),
            ("Bob's phone", "letters"),
            ("k\u{fc}che", "letters"),
            ("a\"b", "letters"),
            ("a\nadd", "letters"),
            ("localhost", "every host"),
            (&"x".repeat(64), "63"),
        ] {
            assert!(host_name(said).unwrap_err().contains(why), "{said:?}");
        }
    }

    proptest! {
        /// Whatever a host calls itself, what comes of it is one name of the table's grammar.
        #[test]
        fn a_name_is_one_of_the_table(said in "\\PC*|[a-zA-Z0-9._-]*") {
            if let Ok(name) = host_name(&said) {
                let line = format!("add {name} 192.168.0.10 deny");
                let parsed = natf::act::Command::parse(line.as_bytes(), 0);
                prop_assert!(matches!(parsed, Ok(Some(_))), "{line}");
            }
        }

        /// No parser panics, whatever it reads.
        #[test]
        fn parsers_bear_anything(text in "(?s).*", lines in "([0-9a-f:.,#/*\\-x &;]{0,40}\n?){0,8}", now: u64) {
            for text in [&text, &lines] {
                dnsmasq::leases(text);
                kea::leases(&[text]);
                odhcpd::leases(text);
                ask::neighbours(text, "lan");
                let _ = rules::Rules::parse(text);
                let _ = now;
            }
        }
    }
}
