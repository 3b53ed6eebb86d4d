// SPDX-License-Identifier: GPL-2.0

//! Asks the hosts of a LAN for their names.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt::BindToDevice};

use super::{mdns, netbios, Claim, Source};

/// The kernel's neighbours (proc_net(5), `arp`).
pub const NEIGHBOURS: &str = "/proc/net/arp";

/// Most hosts that are asked.
pub const MOST: usize = 1024;

/// The hosts of an interface that the kernel has the hardware address of, by the text of [`NEIGHBOURS`].
pub fn neighbours(text: &str, interface: &str) -> Vec<Ipv4Addr> {
    let host = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [address, _, flags, _, _, device] = words[..] else {
            return None;
        };
        // ATF_COM: it is known and not only asked for.
        let flags = u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
        (flags & 2 != 0 && device == interface).then(|| address.parse().ok())?
    };
    text.lines().filter_map(host).take(MOST).collect()
}

/// What the hosts say within `wait`; hosts that are silent are left out. `source` must be one that is asked.
pub fn ask(
    source: Source,
    interface: &str,
    hosts: &[Ipv4Addr],
    wait: Duration,
) -> io::Result<Vec<Claim>> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    setsockopt(&socket, BindToDevice, &OsString::from(interface))?;
    socket.set_multicast_ttl_v4(255)?;
    socket.set_multicast_loop_v4(false)?;
    let (to, port): (fn(Ipv4Addr) -> SocketAddrV4, u16) = match source {
        Source::Mdns => (|_| mdns::GROUP, mdns::GROUP.port()),
        _ => (|host| SocketAddrV4::new(host, netbios::PORT), netbios::PORT),
    };
    let names = exchange(&socket, source, hosts, to, port, wait)?;
    let claim = |(address, said)| Claim {
        said,
        address,
        client: None,
        expires: None,
        source,
    };
    Ok(names.into_iter().map(claim).collect())
}

/// Asks each host, twice if it is silent. An answer counts if it comes from the host and port that were asked.
fn exchange(
    socket: &UdpSocket,
    source: Source,
    hosts: &[Ipv4Addr],
    to: impl Fn(Ipv4Addr) -> SocketAddrV4,
    port: u16,
    wait: Duration,
) -> io::Result<BTreeMap<Ipv4Addr, String>> {
    let id = random()?;
    let mut names = BTreeMap::new();
    let mut buffer = [0; 2048];
    for _ in 0..2 {
        let end = Instant::now() + wait / 2;
        for host in hosts.iter().filter(|host| !names.contains_key(*host)) {
            let packet = match source {
                Source::Mdns => mdns::question(id, *host),
                _ => netbios::question(id),
            };
            // An error is of one host, which is then silent.
            let _ = socket.send_to(&packet, to(*host));
        }
        while names.len() < hosts.len() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left))?;
            let (length, from) = match socket.recv_from(&mut buffer) {
                Ok((length, SocketAddr::V4(from))) => (length, from),
                // Nothing came, or a host refuses.
                _ => continue,
            };
            let host = *from.ip();
            if from.port() != port || !hosts.contains(&host) {
                continue;
            }
            let packet = buffer.get(..length).unwrap_or_default();
            let name = match source {
                Source::Mdns => mdns::answer(packet, id, host),
                _ => netbios::answer(packet, id),
            };
            if let Some(name) = name {
                names.entry(host).or_insert(name);
            }
        }
    }
    Ok(names)
}

/// A number that who does not hear the question cannot know.
fn random() -> io::Result<u16> {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn who_the_neighbours_are() {
        let text = "\
IP address       HW type     Flags       HW address            Mask     Device
192.168.0.10     0x1         0x2         7e:12:ab:00:01:0a     *        lan
192.168.0.11     0x1         0x0         00:00:00:00:00:00     *        lan
203.0.113.1      0x1         0x2         7e:12:ab:00:01:01     *        wan
192.168.0.12     0x1         0x6         7e:12:ab:00:01:0c     *        lan
";
        let found: Vec<_> = neighbours(text, "lan")
            .iter()
            .map(|a| a.octets()[3])
            .collect();
        assert_eq!(found, [10, 12]);
    }

    /// A host with a name that answers on `at`, once: from there, or from another port.
    fn host(at: Ipv4Addr, liar: bool) -> (SocketAddrV4, thread::JoinHandle<()>) {
        let socket = UdpSocket::bind((at, 0)).unwrap();
        let SocketAddr::V4(address) = socket.local_addr().unwrap() else {
            panic!()
        };
        let answering = thread::spawn(move || {
            let mut buffer = [0; 512];
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let mut packet = buffer[..length].to_vec();
            packet[2..8].copy_from_slice(&[0x84, 0, 0, 0, 0, 1]);
            packet.extend([0, 0, 0, 0, 0, 19, 1]);
            packet.extend(b"ALICE          \0\x04\0");
            let other = UdpSocket::bind((at, 0)).unwrap();
            let by = if liar { &other } else { &socket };
            by.send_to(&packet, from).unwrap();
        });
        (address, answering)
    }

    #[test]
    fn only_who_was_asked_is_heard() {
        for (liar, heard) in [(false, 1), (true, 0)] {
            let at = Ipv4Addr::LOCALHOST;
            let (address, answering) = host(at, liar);
            let socket = UdpSocket::bind((at, 0)).unwrap();
            let wait = Duration::from_millis(if liar { 200 } else { 5000 });
            let names = exchange(
                &socket,
                Source::Netbios,
                &[at],
                |_| address,
                address.port(),
                wait,
            )
            .unwrap();
            answering.join().unwrap();
            assert_eq!(names.len(), heard);
        }
    }

    #[test]
    fn silence_ends() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let SocketAddr::V4(to) = nobody.local_addr().unwrap() else {
            panic!()
        };
        let before = Instant::now();
        let hosts = [Ipv4Addr::LOCALHOST];
        let wait = Duration::from_millis(100);
        let names = exchange(&socket, Source::Mdns, &hosts, |_| to, to.port(), wait).unwrap();
        assert!(names.is_empty() && before.elapsed() >= wait);
    }
}
