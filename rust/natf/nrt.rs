// SPDX-License-Identifier: GPL-2.0

//! Entries of the name relation table: virtual address -> private host name and router.

use core::fmt;
use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::natf::line::words;
use crate::natf::name::{Name, NameRef};

/// Most addresses of a router that are kept.
pub const MAX_ROUTERS: usize = 4;

/// Shortest life of a name, in seconds, whatever its TTL.
pub const MIN_LIFE_S: u32 = 60;

/// How long the address of an expired name stays its own, in milliseconds.
pub const RESERVED_MS: u64 = 3_600_000;

/// Pause between two doubts about a name that count, in milliseconds.
pub const DOUBT_PAUSE_MS: u64 = 10_000;

/// Addresses of a router as a line has them: one to [`MAX_ROUTERS`], parted by commas.
#[derive(Clone, Copy, Debug)]
pub struct Routers {
    addresses: [Ipv4Addr; MAX_ROUTERS],
    count: usize,
}

impl Routers {
    /// The addresses that `text` has. `None`: it is no such list.
    pub fn parse(text: &str) -> Option<Self> {
        let mut routers = Routers {
            addresses: [Ipv4Addr::UNSPECIFIED; MAX_ROUTERS],
            count: 0,
        };
        for router in text.split(',') {
            *routers.addresses.get_mut(routers.count)? = router.parse().ok()?;
            routers.count = routers.count.saturating_add(1);
        }
        Some(routers)
    }

    /// The addresses, in their order.
    pub fn as_slice(&self) -> &[Ipv4Addr] {
        self.addresses.get(..self.count).unwrap_or_default()
    }
}

/// One entry. Shared by readers; only its expiry and what is known of its router's state change.
#[derive(Debug)]
pub struct Entry {
    /// The virtual address.
    pub addr: Ipv4Addr,
    /// Private host name: what the router's access control table knows.
    pub host: Name,
    /// The rest of the name the application asked for.
    pub domain: Name,
    routers: [Ipv4Addr; MAX_ROUTERS],
    count: usize,
    /// When the DNS answer runs out, in milliseconds since boot.
    expires: AtomicU64,
    /// When the name was last answered or in use, in milliseconds since boot.
    used: AtomicU64,
    /// Flows that have it.
    flows: AtomicU32,
    /// The router's last EPOCH; 0 before the first.
    epoch: AtomicU64,
    /// When the mappings of its flows were last said to be lost, in milliseconds since boot; 0: never.
    doubted: AtomicU64,
    /// Another entry has taken its place.
    replaced: AtomicBool,
}

impl Entry {
    /// An entry for `addr` that is refreshed before its first use. Of `routers` the first
    /// [`MAX_ROUTERS`] are kept.
    pub fn new(addr: Ipv4Addr, host: Name, domain: Name, routers: &[Ipv4Addr]) -> Self {
        let mut kept = [Ipv4Addr::UNSPECIFIED; MAX_ROUTERS];
        for (to, from) in kept.iter_mut().zip(routers) {
            *to = *from;
        }
        Entry {
            addr,
            host,
            domain,
            routers: kept,
            count: routers.len().min(MAX_ROUTERS),
            expires: AtomicU64::new(0),
            used: AtomicU64::new(0),
            flows: AtomicU32::new(0),
            epoch: AtomicU64::new(0),
            doubted: AtomicU64::new(0),
            replaced: AtomicBool::new(false),
        }
    }

    /// Notes an EPOCH of the router. True if it was another before.
    pub fn note_epoch(&self, epoch: u64) -> bool {
        let before = self.epoch.swap(epoch, Ordering::Relaxed);
        before != 0 && before != epoch
    }

    /// Notes that the mappings of its flows may be lost. False if that was said a moment ago: a router that says
    /// so all the time does not make us busy.
    pub fn doubt(&self, now: u64) -> bool {
        let before = self.doubted.load(Ordering::Relaxed);
        let counts = before == 0 || now.saturating_sub(before) >= DOUBT_PAUSE_MS;
        if counts {
            self.doubted.store(now.max(1), Ordering::Relaxed);
        }
        counts
    }

    /// Whether that was said at `since` or later.
    pub fn is_doubted(&self, since: u64) -> bool {
        let doubted = self.doubted.load(Ordering::Relaxed);
        doubted != 0 && doubted >= since
    }

    /// Notes that another entry has taken its place.
    pub fn set_replaced(&self) {
        self.replaced.store(true, Ordering::Relaxed);
    }

    /// Whether another entry has taken its place.
    pub fn is_replaced(&self) -> bool {
        self.replaced.load(Ordering::Relaxed)
    }

    /// Addresses of the router: alternatives, to be tried in this order.
    pub fn routers(&self) -> &[Ipv4Addr] {
        self.routers.get(..self.count).unwrap_or_default()
    }

    /// Whether its router has these addresses. Their order does not count: name servers rotate it. Of more than
    /// are kept one is enough, because each answer shows others.
    pub fn is_at(&self, routers: &[Ipv4Addr]) -> bool {
        let same = |addr| self.routers().contains(addr);
        match routers.len() {
            MAX_ROUTERS.. if self.count == MAX_ROUTERS => routers.iter().any(same),
            count => count == self.count && routers.iter().all(same),
        }
    }

    /// Whether its router has none of these addresses.
    pub fn has_left(&self, routers: &[Ipv4Addr]) -> bool {
        !routers.iter().any(|addr| self.routers().contains(addr))
    }

    /// The same name was answered again, or is in use. It never shortens the life: another answer may
    /// still count. It gives [`MIN_LIFE_S`] at least: many names are answered with TTL 0, and an
    /// application opens further flows to an address that it has (FTP).
    pub fn refresh(&self, now: u64, ttl: u32) {
        let seconds = u64::from(ttl.max(MIN_LIFE_S));
        let until = now.saturating_add(seconds.saturating_mul(1000));
        self.expires.fetch_max(until, Ordering::Relaxed);
        self.used.fetch_max(now, Ordering::Relaxed);
    }

    /// Notes one more flow.
    pub fn begin_flow(&self) {
        self.flows.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that one is over.
    pub fn end_flow(&self) {
        self.flows.fetch_sub(1, Ordering::Relaxed);
    }

    /// When it was last answered or in use, in milliseconds since boot; `None` as long as a flow has it.
    pub fn unused_since(&self) -> Option<u64> {
        match self.flows.load(Ordering::Relaxed) {
            0 => Some(self.used.load(Ordering::Relaxed)),
            _ => None,
        }
    }

    /// Until when its address must not be given to another name if the entry is forgotten at `now`, because
    /// applications may have it; both in milliseconds since boot. `None`: it is over.
    pub fn set_aside_until(&self, now: u64) -> Option<u64> {
        let expires = self.expires.load(Ordering::Relaxed);
        self.is_alive(now)
            .then(|| expires.min(now.saturating_add(RESERVED_MS)))
    }

    /// Whether it holds at `now`.
    pub fn is_alive(&self, now: u64) -> bool {
        now <= self.expires.load(Ordering::Relaxed)
    }

    /// Whether its address must not be given to another name at `now`: applications remember addresses.
    pub fn is_reserved(&self, now: u64) -> bool {
        let expires = self.expires.load(Ordering::Relaxed);
        now <= expires.saturating_add(RESERVED_MS)
    }

    /// Whether it is the entry of this name.
    pub fn is(&self, host: NameRef<'_>, domain: NameRef<'_>) -> bool {
        self.host == host && self.domain == domain
    }

    /// The key of a hash table, padded with zeros.
    pub fn key(addr: Ipv4Addr) -> [u8; 15] {
        let [a, b, c, d] = addr.octets();
        [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// Reads a line as [`Entry::show`] writes it. `None`: it is none.
    pub fn parse(line: &[u8], now: u64) -> Option<Self> {
        let mut words = words(line);
        let mut text = || {
            words
                .next()
                .and_then(|word| core::str::from_utf8(word).ok())
        };
        let addr = text()?.parse().ok()?;
        let host = Name::parse(text()?.as_bytes()).ok()?;
        let domain = Name::parse(text()?.as_bytes()).ok()?;
        let routers = Routers::parse(text()?)?;
        let left: u32 = text()?.parse().ok()?;
        let more = text();
        let entry = Entry::new(addr, host, domain, routers.as_slice());
        entry.refresh(now, left);
        more.is_none().then_some(entry)
    }

    /// Writes the entry as one line: address, host, domain, routers, seconds left.
    pub fn show(&self, now: u64, out: &mut dyn fmt::Write) -> fmt::Result {
        let left = self.expires.load(Ordering::Relaxed).saturating_sub(now) / 1000;
        write!(out, "{} {} {} ", self.addr, self.host, self.domain)?;
        for (index, router) in self.routers().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{router}")?;
        }
        writeln!(out, " {left}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let name = |text: &str| Name::parse(text.as_bytes()).unwrap();
        let entry = Entry::new(
            Ipv4Addr::new(240, 0, 1, 2),
            name("alice"),
            name("home.example.net"),
            &[G2, OTHER],
        );
        entry.refresh(5_000, 100);
        entry
    }

    const G2: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
    const OTHER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 3);

    #[test]
    fn name_servers_rotate_the_addresses() {
        let entry = entry();
        assert!(entry.is_at(&[OTHER, G2]));
        assert!(!entry.is_at(&[G2]));
        assert!(!entry.is_at(&[G2, Ipv4Addr::LOCALHOST]));
        assert!(!entry.has_left(&[Ipv4Addr::LOCALHOST, G2]));
        assert!(entry.has_left(&[Ipv4Addr::LOCALHOST]));
        let of = |last: [u8; 4]| last.map(|last| Ipv4Addr::new(203, 0, 113, last));
        let (host, domain) = (entry.host, entry.domain);
        let full = Entry::new(G2, host, domain, &of([2, 3, 4, 5]));
        assert!(full.is_at(&of([5, 6, 7, 8])), "others of many");
        assert!(!full.is_at(&of([6, 7, 8, 9])));
        assert!(!full.is_at(&of([2, 3, 4, 5])[..3]), "one less");
        let many = [G2, OTHER, G2, OTHER, G2];
        let Entry { host, domain, .. } = entry;
        assert_eq!(Entry::new(G2, host, domain, &many).routers(), &many[..4]);
    }

    #[test]
    fn lives_for_the_ttl_and_can_be_refreshed() {
        let entry = entry();
        assert!(entry.is_alive(105_000));
        assert!(!entry.is_alive(105_001));
        entry.refresh(30_000, 100);
        assert!(entry.is_alive(130_000));
        entry.refresh(30_000, 1);
        assert!(entry.is_alive(130_000), "a shorter answer must not end it");
        entry.refresh(100_000, 0);
        assert!(entry.is_alive(160_000), "TTL 0 is not the end");
        assert!(!entry.is_alive(160_001));
        assert!(entry.is_reserved(160_000 + RESERVED_MS));
        assert!(!entry.is_reserved(160_001 + RESERVED_MS));
    }

    #[test]
    fn flows_keep_it_in_use() {
        let entry = entry();
        assert_eq!(entry.unused_since(), Some(5_000));
        entry.begin_flow();
        entry.begin_flow();
        entry.end_flow();
        assert_eq!(entry.unused_since(), None);
        entry.refresh(70_000, 0);
        entry.end_flow();
        assert_eq!(entry.unused_since(), Some(70_000));
    }

    #[test]
    fn its_address_is_set_aside_while_applications_may_have_it() {
        let entry = entry();
        assert_eq!(entry.set_aside_until(6_000), Some(105_000));
        assert_eq!(entry.set_aside_until(105_001), None);
        entry.refresh(6_000, u32::MAX);
        assert_eq!(entry.set_aside_until(7_000), Some(7_000 + RESERVED_MS));
    }

    #[test]
    fn shown_on_one_line() {
        let mut text = String::new();
        entry().show(6_000, &mut text).unwrap();
        assert_eq!(
            text,
            "240.0.1.2 alice home.example.net 203.0.113.2,203.0.113.3 99\n"
        );
    }

    #[test]
    fn a_line_can_be_read_again() {
        let mut text = String::new();
        entry().show(6_000, &mut text).unwrap();
        let again = Entry::parse(text.as_bytes(), 6_000).unwrap();
        let mut same = String::new();
        again.show(6_000, &mut same).unwrap();
        assert_eq!(text, same);
        for wrong in [
            "",
            "240.0.1.2",
            "240.0.1 alice home 203.0.113.2 9",
            "240.0.1.2 al!ce home 203.0.113.2 9",
            "240.0.1.2 alice home 203.0.113 9",
            "240.0.1.2 alice home 1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5 9",
            "240.0.1.2 alice home 203.0.113.2",
            "240.0.1.2 alice home 203.0.113.2 x",
            "240.0.1.2 alice home 203.0.113.2 9 more",
        ] {
            assert!(Entry::parse(wrong.as_bytes(), 0).is_none(), "{wrong}");
        }
    }

    #[test]
    fn another_epoch_is_noticed_once() {
        let entry = entry();
        assert!(!entry.note_epoch(7));
        assert!(!entry.note_epoch(7));
        assert!(entry.note_epoch(8));
        assert!(!entry.note_epoch(8));
    }

    #[test]
    fn doubts_count_once_in_a_while() {
        let entry = entry();
        assert!(!entry.is_doubted(0));
        assert!(entry.doubt(20_000));
        assert!(entry.is_doubted(20_000) && !entry.is_doubted(20_001));
        assert!(!entry.doubt(29_999));
        assert!(!entry.is_doubted(20_001));
        assert!(entry.doubt(30_000));
    }

    #[test]
    fn a_name_is_host_and_domain() {
        let entry = entry();
        assert!(entry.is(entry.host.view(), entry.domain.view()));
        assert!(!entry.is(entry.domain.view(), entry.host.view()));
        assert_ne!(Entry::key(entry.addr), Entry::key(G2));
    }
}
