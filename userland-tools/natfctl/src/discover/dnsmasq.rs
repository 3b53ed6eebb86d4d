// SPDX-License-Identifier: GPL-2.0

//! The lease file of dnsmasq. A line each: the second since 1970 at which the lease ends (0: never), hardware address,
//! address, name of the host (`*`: it has none), client identifier. Leases of DHCPv6 follow a line `duid …`.
//! (dnsmasq, `src/lease.c`.)

use super::{Claim, Source};

/// Where Debian's dnsmasq has it.
pub const FILE: &str = "/var/lib/misc/dnsmasq.leases";

/// The leases of IPv4 that have a name. Lines of another form are left out.
pub fn leases(text: &str) -> Vec<Claim> {
    text.lines()
        .take_while(|line| !line.starts_with("duid "))
        .filter_map(lease)
        .collect()
}

fn lease(line: &str) -> Option<Claim> {
    let mut words = line.split(' ');
    let end: u64 = words.next()?.parse().ok()?;
    let client = words.next()?;
    let address = words.next()?.parse().ok()?;
    let said = words
        .next()
        .filter(|name| !name.is_empty() && *name != "*")?;
    // A line that is cut while it is written has no client identifier.
    words.next()?;
    Some(Claim {
        said: said.into(),
        address,
        client: Some(client.into()),
        expires: (end != 0).then_some(end),
        source: Source::Dnsmasq,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // As dnsmasq 2.91 writes it, with DHCPv6.
    const SAMPLE: &str = "\
1795254690 7e:12:ab:00:01:0a 192.168.0.10 alice ff:ab:00:01:0a:00:01:00:01
0 7e:12:ab:00:01:0b 192.168.0.11 Bob-PC *
1795254000 06-7e:12:ab:00:01:0c 192.168.0.12 * 01:7e:12:ab:00:01:0c
duid 00:01:00:01:2e:5d:3c:21:7e:12:ab:00:01:01
1795254690 11184810 fd00::10 alice 00:01:00:01:2e:5d:3c:21:7e:12:ab:00:01:0a
";

    #[test]
    fn a_lease_file() {
        let leases = leases(SAMPLE);
        assert_eq!(leases.len(), 2);
        assert_eq!(leases[0].said, "alice");
        assert_eq!(leases[0].address.to_string(), "192.168.0.10");
        assert_eq!(leases[0].client.as_deref(), Some("7e:12:ab:00:01:0a"));
        assert!(!leases[0].is_over(1_795_254_689) && leases[0].is_over(1_795_254_690));
        assert_eq!((&*leases[1].said, leases[1].expires), ("Bob-PC", None));
    }

    #[test]
    fn a_line_that_is_cut() {
        let whole = SAMPLE.lines().next().unwrap();
        let cut = whole.find("alice").unwrap() + 3;
        assert_eq!(leases(&whole[..cut]), []);
    }
}
