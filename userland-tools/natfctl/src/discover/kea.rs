// SPDX-License-Identifier: GPL-2.0

//! The memfile of Kea's DHCPv4 server: lines of values parted by commas, below one that names the columns. It is a
//! log: of two lines about an address the later one counts. While Kea tidies it up, or when that was broken off, older
//! lines are in files beside it. (Kea Administrator Reference Manual, Memfile and LFC.)

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::{Claim, Source};

/// Where Kea has it.
pub const FILE: &str = "/var/lib/kea/kea-leases4.csv";

/// The files to read, in this order, of which only the last must be there. What tidying up has finished stands for
/// both that it was made of.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let completed = beside(".completed");
    match completed.exists() {
        true => vec![completed, path.to_owned()],
        false => vec![beside(".2"), beside(".1"), path.to_owned()],
    }
}

/// The leases that have a name, of the texts of the files, oldest first. Lines of another form are left out, and
/// leases that were declined, released, reclaimed or deleted.
pub fn leases(texts: &[&str]) -> Vec<Claim> {
    let mut last: BTreeMap<Ipv4Addr, Option<Claim>> = BTreeMap::new();
    for text in texts {
        let mut lines = text.lines();
        let names: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
        for line in lines {
            let cells: Vec<_> = line.split(',').collect();
            // A line that is still being written has less. A later version of Kea may write more.
            if cells.len() < names.len() {
                continue;
            }
            let cell = |name: &str| {
                let at = names.iter().position(|known| *known == name)?;
                cells.get(at).copied()
            };
            if let Some(address) = cell("address").and_then(|text| text.parse().ok()) {
                last.insert(address, lease(address, cell));
            }
        }
    }
    last.into_values().flatten().collect()
}

fn lease<'a>(address: Ipv4Addr, cell: impl Fn(&str) -> Option<&'a str>) -> Option<Claim> {
    // 0: assigned. Before Kea 1.0 there was no such column.
    let assigned = cell("state").is_none_or(|state| state == "0");
    // A lease that is deleted is written with no time at all.
    let lifetime: u64 = cell("valid_lifetime")?.parse().ok()?;
    let end: u64 = cell("expire")?.parse().ok()?;
    let said = cell("hostname")?.replace("&#x2c", ",");
    (assigned && lifetime != 0 && !said.is_empty()).then(|| Claim {
        said,
        address,
        client: cell("hwaddr").filter(|hw| !hw.is_empty()).map(Into::into),
        expires: (lifetime != u64::from(u32::MAX)).then_some(end),
        source: Source::Kea,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n";

    fn of(lines: &str) -> Vec<String> {
        let text = format!("{HEAD}{lines}");
        leases(&[&text])
            .iter()
            .map(|claim| format!("{} {} {:?}", claim.said, claim.address, claim.expires))
            .collect()
    }

    #[test]
    fn later_lines_count() {
        let lines = "\
192.168.0.10,7e:12:ab:00:01:0a,01:7e:12:ab:00:01:0a,3600,1795250000,1,0,0,old.example.org.,0,,0
192.168.0.11,7e:12:ab:00:01:0b,,4294967295,6090217295,1,0,0,bob,0,{ \"a\": 1 },0
192.168.0.10,7e:12:ab:00:01:0a,01:7e:12:ab:00:01:0a,3600,1795253600,1,1,1,alice.example.org.,0,,0
";
        assert_eq!(
            of(lines),
            [
                "alice.example.org. 192.168.0.10 Some(1795253600)",
                "bob 192.168.0.11 None"
            ]
        );
    }

    #[test]
    fn what_is_no_lease_any_more() {
        let alice = "192.168.0.10,7e:12:ab:00:01:0a,,3600,1795250000,1,0,0,alice,0,,0\n";
        assert_eq!(of(alice).len(), 1);
        // Declined, reclaimed, released, deleted.
        for end in [
            "192.168.0.10,,,3600,1795250000,1,0,0,,1,,0\n",
            "192.168.0.10,7e:12:ab:00:01:0a,,3600,1795250000,1,0,0,alice,2,,0\n",
            "192.168.0.10,7e:12:ab:00:01:0a,,3600,1795250000,1,0,0,alice,3,,0\n",
            "192.168.0.10,7e:12:ab:00:01:0a,,0,1795250000,1,0,0,alice,0,,0\n",
        ] {
            assert_eq!(of(&format!("{alice}{end}")).len(), 0, "{end}");
        }
        assert_eq!(of(&alice[..40]).len(), 0, "a line that is cut");
        assert_eq!(of("").len(), 0);
        assert_eq!(leases(&[""]), []);
    }

    #[test]
    fn an_older_file_and_columns_in_another_order() {
        let old =
            "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname\n\
            192.168.0.10,7e:12:ab:00:01:0a,,3600,1795250000,1,0,0,alice\n\
            192.168.0.12,7e:12:ab:00:01:0c,,3600,1795250000,1,0,0,a&#x2cb\n";
        let new =
            format!("{HEAD}192.168.0.10,7e:12:ab:00:01:0a,,3600,1795260000,1,0,0,carol,0,,0\n");
        let said: Vec<_> = leases(&[old, &new]).into_iter().map(|c| c.said).collect();
        assert_eq!(said, ["carol", "a,b"]);
    }
}
