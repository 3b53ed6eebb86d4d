// SPDX-License-Identifier: GPL-2.0

//! The files of odhcpd. In its lease file a comment is a lease: `# INTERFACE HARDWARE-ADDRESS ipv4 NAME END ASSIGNED
//! 32 ADDRESS/32`, where END is a second since 1970 and -1 means never; those of DHCPv6 have a number in the place of
//! `ipv4`. The other lines, and all lines of its hosts file, are those of `/etc/hosts`: address, names, the short one
//! last. (odhcpd, `src/statefiles.c`.)

use std::collections::HashSet;
use std::net::Ipv4Addr;

use super::{Claim, Source};

/// Where OpenWrt has it.
pub const FILE: &str = "/tmp/hosts/odhcpd";

/// The leases of IPv4 that have a name. Lines of another form are left out. A hosts line counts where no lease says
/// more about its address.
pub fn leases(text: &str) -> Vec<Claim> {
    let leases: Vec<_> = text.lines().filter_map(lease).collect();
    let known: HashSet<_> = leases.iter().map(|(address, _)| *address).collect();
    let hosts = text
        .lines()
        .filter_map(host)
        .filter(|claim| !known.contains(&claim.address));
    let leases = leases.iter().filter_map(|(_, claim)| claim.clone());
    leases.chain(hosts).collect()
}

/// A lease: its address, and what it claims if it has a name that odhcpd found none wrong with.
fn lease(line: &str) -> Option<(Ipv4Addr, Option<Claim>)> {
    let words: Vec<_> = line.strip_prefix("# ")?.split(' ').collect();
    let [_, client, "ipv4", said, end, _, "32", address] = words[..] else {
        return None;
    };
    let address = address.strip_suffix("/32")?.parse().ok()?;
    let end: i64 = end.parse().ok()?;
    // A name that cannot be one begins so; a host without has a dash, in older versions nothing.
    let named = !said.starts_with("broken\\x20") && said != "-" && !said.is_empty();
    let claim = named.then(|| Claim {
        said: said.into(),
        address,
        client: Some(client.into()),
        expires: u64::try_from(end).ok(),
        source: Source::Odhcpd,
    });
    Some((address, claim))
}

fn host(line: &str) -> Option<Claim> {
    let mut words = line.split_ascii_whitespace();
    let address = words.next()?.parse().ok()?;
    Some(Claim {
        said: words.last()?.into(),
        address,
        client: None,
        expires: None,
        source: Source::Odhcpd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        leases(text)
            .iter()
            .map(|claim| format!("{} {} {:?}", claim.said, claim.address, claim.expires))
            .collect()
    }

    #[test]
    fn a_lease_file() {
        let text = "\
192.168.0.10\talice.lan\talice
# br-lan 7e12ab00010a ipv4 alice 1795254690 c0a8000a 32 192.168.0.10/32
# br-lan 7e12ab00010b ipv4 bob -1 c0a8000b 32 192.168.0.11/32
# br-lan 7e12ab00010c ipv4 - 1795254690 c0a8000c 32 192.168.0.12/32
# br-lan 7e12ab00010d ipv4 broken\\x20carol 1795254690 c0a8000d 32 192.168.0.13/32
# br-lan 7e12ab00010e ipv4 dave 0 c0a8000e 32 192.168.0.14/32
fd00::10\talice.lan\talice
# br-lan 000100012e5d3c217e12ab00010a ab00010a alice 1795254690 10 128 fd00::10/128
";
        assert_eq!(
            of(text),
            [
                "alice 192.168.0.10 Some(1795254690)",
                "bob 192.168.0.11 None",
                "dave 192.168.0.14 Some(0)"
            ]
        );
    }

    #[test]
    fn a_hosts_file() {
        assert_eq!(
            of("192.168.0.10\talice.lan\talice\n192.168.0.11\tbob\nfd00::11\tbob\n192.168.0.12\n\n# mine\n"),
            ["alice 192.168.0.10 None", "bob 192.168.0.11 None"]
        );
    }
}
