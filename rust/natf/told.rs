// SPDX-License-Identifier: GPL-2.0

//! What a line of `names` tells: a name that was asked for where no DNS answer could be seen, and where it leads.

use crate::natf::line::words;
use crate::natf::name::Name;
use crate::natf::nrt::Routers;

/// A name and the addresses of its router, as a resolver said.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The whole name.
    pub name: Name,
    /// Addresses of its router.
    pub routers: Routers,
    /// For how many seconds that holds.
    pub ttl: u32,
}

impl Told {
    /// What `line` tells: `NAME ADDRESS[,ADDRESS…] SECONDS`; a blank line or a comment tells nothing. `None`: it
    /// is no such line.
    pub fn parse(line: &[u8]) -> Option<Option<Self>> {
        let mut words = words(line);
        let Some(name) = words.next() else {
            return Some(None);
        };
        let name = Name::parse(name).ok()?;
        let mut text = || core::str::from_utf8(words.next()?).ok();
        let routers = Routers::parse(text()?)?;
        // A number with a sign is none: `parse` would take "+1".
        let ttl = text()?;
        let digits = ttl.bytes().all(|byte| byte.is_ascii_digit());
        let ttl = ttl.parse().ok().filter(|_| digits)?;
        words
            .next()
            .is_none()
            .then_some(Some(Told { name, routers, ttl }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn a_name_and_where_it_leads() {
        let told = Told::parse(b" Alice.home.example.net. 203.0.113.2,203.0.113.3\t60 # by DoT")
            .unwrap()
            .unwrap();
        assert_eq!(told.name.as_str(), "alice.home.example.net");
        let routers = [Ipv4Addr::new(203, 0, 113, 2), Ipv4Addr::new(203, 0, 113, 3)];
        assert_eq!((told.routers.as_slice(), told.ttl), (&routers[..], 60));
        for nothing in ["", " ", "# alice 203.0.113.2 60"] {
            assert!(matches!(Told::parse(nothing.as_bytes()), Some(None)));
        }
    }

    #[test]
    fn what_is_no_such_line() {
        for wrong in [
            "alice",
            "alice 203.0.113.2",
            "alice 60 203.0.113.2",
            "alice 203.0.113.2 60 more",
            "alice 203.0.113.2, 60",
            "alice ,203.0.113.2 60",
            "alice 203.0.113 60",
            "alice 2001:db8::1 60",
            "alice 203.0.113.2 -1",
            "alice 203.0.113.2 +1",
            "alice 203.0.113.2 4294967296",
            "alice 1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5 60",
            "al!ce 203.0.113.2 60",
            "alice. . 60",
        ] {
            assert!(Told::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Told::parse(b"alice \xff 60").is_none());
    }
}
