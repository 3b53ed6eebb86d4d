// SPDX-License-Identifier: GPL-2.0

//! The maximum of an entry, and of an endpoint.

use core::fmt::{self, Write};
use core::net::Ipv4Addr;

use super::{condition, Entry};

/// Places that are looked at for a free one, at most.
const TRIES: u32 = 64;

/// As many places as an entry, or an endpoint, may have mappings at a time. Each of its mappings takes one, under a
/// key of its own, so that no two can have the same; who looks for a free one need not know all mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What tells the entry from others: a hash of what it is about, so that it is the same one when
    /// the table is loaded again. Of an endpoint its address.
    entry: u64,
    /// At least 1.
    max: u32,
}

impl Limit {
    /// That of `entry`, if it has one.
    pub fn of(entry: &Entry) -> Option<Self> {
        let max = entry.max?.max(1);
        let mut hash = Fnv1a(0xcbf2_9ce4_8422_2325);
        hash.bytes(entry.subject.key());
        // A hash takes all that is written.
        let _ = write!(hash, "{}", Conditions(entry));
        Some(Limit { entry: hash.0, max })
    }

    /// That of an endpoint, which may have so many. Its places have a table of their own. Those for requests that are
    /// proven to be its own (by a key or a cookie) are others than those for the rest, which anybody can take up.
    pub fn of_endpoint(en: Ipv4Addr, proven: bool, max: u32) -> Self {
        Limit {
            entry: u64::from(u32::from(en)) | (u64::from(proven) << 32),
            max: max.max(1),
        }
    }

    /// Keys of places, each once: all of them, or with a maximum above 64 as many, one after the other from
    /// number `start` on.
    pub fn places(self, start: u32) -> impl Iterator<Item = [u8; 15]> {
        let [e0, e1, e2, e3, e4, e5, e6, e7] = self.entry.to_be_bytes();
        (0..self.max.min(TRIES)).map(move |step| {
            let place = u64::from(start).saturating_add(u64::from(step));
            // The maximum is not 0, and the rest fits.
            let place = place.checked_rem(u64::from(self.max)).unwrap_or(0);
            let [_, _, _, _, p0, p1, p2, p3] = place.to_be_bytes();
            [e0, e1, e2, e3, e4, e5, e6, e7, p0, p1, p2, p3, 0, 0, 0]
        })
    }
}

struct Conditions<'a>(&'a Entry);

impl fmt::Display for Conditions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        condition::show_services(&self.0.services, f)?;
        condition::show_sources(&self.0.sources, f)?;
        condition::show_keys(&self.0.keys, f)
    }
}

/// FNV-1a of 64 bits. The owner of the table chooses what is hashed, so nobody gains from a collision.
struct Fnv1a(u64);

impl Fnv1a {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Write for Fnv1a {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::natf::act::tests::entry;
    use std::collections::BTreeSet;

    fn limit(line: &str) -> Limit {
        Limit::of(&entry(line)).unwrap()
    }

    #[test]
    fn each_place_once() {
        for (max, seen) in [(1, 1), (2, 2), (63, 63), (64, 64), (65, 64), (u32::MAX, 64)] {
            for start in [0, 1, max - 1, u32::MAX] {
                let limit = Limit { entry: 7, max };
                let places: BTreeSet<_> = limit.places(start).collect();
                assert_eq!(places.len(), seen, "{max} {start}");
                for place in places {
                    let number = u32::from_be_bytes([place[8], place[9], place[10], place[11]]);
                    assert!(number < max);
                }
            }
        }
    }

    #[test]
    fn with_many_places_another_start_finds_others() {
        let limit = Limit {
            entry: 7,
            max: 1000,
        };
        let all: BTreeSet<_> = (0..1000)
            .step_by(64)
            .flat_map(|start| limit.places(start))
            .collect();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn endpoints_have_places_of_their_own() {
        let places = |last, max| {
            let en = Ipv4Addr::new(198, 51, 100, last);
            Limit::of_endpoint(en, false, max)
                .places(0)
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(places(2, 2).len(), 2);
        assert_eq!(places(2, 0).len(), 1);
        assert!(places(2, 64).is_disjoint(&places(3, 64)));
        assert!(places(2, 1).is_subset(&places(2, 2)));
        let en = Ipv4Addr::new(198, 51, 100, 2);
        let proven: BTreeSet<_> = Limit::of_endpoint(en, true, 64).places(0).collect();
        assert!(places(2, 64).is_disjoint(&proven));
    }

    #[test]
    fn an_entry_is_what_it_is_about() {
        let one = limit("add alice 192.168.0.10 allow tcp 22 from 198.51.100.0/24 key home max 2");
        let same =
            "add ALICE 10.0.0.1 allow key home from 198.51.100.0/24 tcp 22 max 2 comment \"again\"";
        assert_eq!(limit(same), one);
        for other in [
            "add bob 192.168.0.10 allow tcp 22 from 198.51.100.0/24 key home max 2",
            "add * 192.168.0.10 allow tcp 22 from 198.51.100.0/24 key home max 2",
            "add alice 192.168.0.10 allow udp 22 from 198.51.100.0/24 key home max 2",
            "add alice 192.168.0.10 allow tcp 23 from 198.51.100.0/24 key home max 2",
            "add alice 192.168.0.10 allow tcp 22 from 198.51.100.0/25 key home max 2",
            "add alice 192.168.0.10 allow tcp 22 key home max 2",
            "add alice 192.168.0.10 allow tcp 22 from 198.51.100.0/24 key office max 2",
            "add alice 192.168.0.10 allow tcp 22 from 198.51.100.0/24 max 2",
            "add alice 192.168.0.10 allow max 2",
        ] {
            assert_ne!(limit(other).entry, one.entry, "{other}");
        }
        assert_eq!(Limit::of(&entry("add alice 192.168.0.10 allow")), None);
    }
}
