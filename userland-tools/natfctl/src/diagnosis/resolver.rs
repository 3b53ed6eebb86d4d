// SPDX-License-Identifier: GPL-2.0

//! Asking for a name: the system's resolver, as every application does, and the servers that it has, directly.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use natf::wire::ipv4;
use natf::wire::udp;
use serde::Serialize;

use crate::diagnosis::tap::Tap;
use crate::error::{words, Result};

/// The file that names the servers.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The port of DNS.
pub const PORT: u16 = 53;

/// What the system's resolver says.
#[derive(Clone, Debug)]
pub struct System {
    /// The addresses; or what it says instead, and `None` if it says nothing in time.
    pub said: std::result::Result<Vec<IpAddr>, Option<String>>,
    /// How long it took.
    pub took: Duration,
}

impl System {
    /// The IPv4 addresses.
    pub fn ipv4(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        let all = self.said.as_deref().unwrap_or_default();
        all.iter().filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }
}

/// Asks as applications do, by `getaddrinfo`.
pub fn system(name: &str, timeout: Duration) -> System {
    let began = Instant::now();
    let (tell, told) = mpsc::channel();
    let asked = name.to_string();
    // Nobody can interrupt it. If it is late, it ends with the program.
    thread::spawn(move || {
        let said = (asked.as_str(), 0).to_socket_addrs();
        let _ = tell.send(said.map(|all| all.map(|one| one.ip()).collect::<Vec<_>>()));
    });
    let said = match told.recv_timeout(timeout) {
        Ok(Ok(all)) => Ok(all),
        Ok(Err(error)) => {
            let text = words(&error);
            let prefix = "failed to lookup address information: ";
            Err(Some(text.strip_prefix(prefix).unwrap_or(&text).to_string()))
        }
        Err(_) => Err(None),
    };
    System {
        said,
        took: began.elapsed(),
    }
}

/// The servers that a `resolv.conf` names.
pub fn servers(text: &str) -> Vec<IpAddr> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    // An IPv6 address may have an interface behind a percent sign.
    lines
        .filter_map(|word| word.split('%').next()?.parse().ok())
        .collect()
}

/// The servers of this host.
pub fn own_servers() -> Vec<IpAddr> {
    servers(&fs::read_to_string(RESOLV_CONF).unwrap_or_default())
}

/// What is in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// The response code, as `NXDOMAIN`.
    pub code: String,
    /// IPv4 addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Names that the name leads to (CNAME).
    pub aliases: Vec<String>,
    /// Seconds that the addresses hold.
    pub ttl: Option<u32>,
}

impl Content {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let message = Message::from_vec(bytes).ok()?;
        let mut content = Content {
            code: code(message.response_code()),
            addresses: Vec::new(),
            aliases: Vec::new(),
            ttl: None,
        };
        for record in message.answers() {
            match record.data() {
                RData::A(address) => {
                    content.addresses.push(address.0);
                    content.ttl = Some(content.ttl.unwrap_or(u32::MAX).min(record.ttl()));
                }
                RData::CNAME(alias) => content.aliases.push(alias.0.to_utf8()),
                _ => {}
            }
        }
        Some(content)
    }

    /// In words.
    pub fn words(&self) -> String {
        let addresses: Vec<_> = self.addresses.iter().map(Ipv4Addr::to_string).collect();
        match addresses.is_empty() {
            true if self.code == "NOERROR" => "that it has no IPv4 address".into(),
            true => self.code.clone(),
            false => addresses.join(", "),
        }
    }
}

/// The codes' names, as dig has them.
fn code(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".into(),
        ResponseCode::NXDomain => "NXDOMAIN".into(),
        ResponseCode::ServFail => "SERVFAIL".into(),
        ResponseCode::Refused => "REFUSED".into(),
        other => other.to_string(),
    }
}

/// What a server says.
#[derive(Clone, Debug, Serialize)]
pub struct Direct {
    /// The server.
    pub server: IpAddr,
    /// What came over the wire, before `natf_en` saw it. Nothing of IPv6, at which `natf_en` does not look.
    pub wire: Option<Content>,
    /// What an application gets; or an error's words.
    pub got: std::result::Result<Content, String>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// Asks `server` for the IPv4 addresses of `name`, over UDP.
pub fn ask(server: IpAddr, name: &str, timeout: Duration) -> Result<Direct> {
    let began = Instant::now();
    let mut tap = None;
    let got = exchange(server, name, timeout, &mut tap)?;
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let wire = tap.and_then(|(tap, port)| sniffed(&tap, server, port));
    Ok(Direct {
        server,
        wire,
        got,
        micros,
    })
}

fn exchange(
    server: IpAddr,
    name: &str,
    timeout: Duration,
    tap: &mut Option<(Tap, u16)>,
) -> Result<std::result::Result<Content, String>> {
    let any: IpAddr = match server {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = match UdpSocket::bind((any, 0)) {
        Ok(socket) => socket,
        Err(error) => return Ok(Err(words(&error))),
    };
    let port = socket.local_addr().map_or(0, |local| local.port());
    *tap = Some((Tap::open(port)?, port));
    let mut id = [0; 2];
    // A bad number is no danger here: nobody acts on what is heard.
    let _ = getrandom::fill(&mut id);
    let talk = || -> std::result::Result<Content, String> {
        let text = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::WouldBlock => {
                format!("no answer within {} s", timeout.as_secs_f32())
            }
            _ => words(&error),
        };
        let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.')));
        let name = name.map_err(|error| error.to_string())?;
        let mut question = Message::new();
        question
            .set_id(u16::from_be_bytes(id))
            .set_recursion_desired(true)
            .add_query(Query::query(name, RecordType::A));
        let question = question.to_vec().map_err(|error| error.to_string())?;
        socket.set_read_timeout(Some(timeout)).map_err(text)?;
        socket
            .connect(SocketAddr::new(server, PORT))
            .map_err(text)?;
        socket.send(&question).map_err(text)?;
        let mut answer = vec![0; 4096];
        loop {
            let len = socket.recv(&mut answer).map_err(text)?;
            let answer = answer.get(..len).unwrap_or_default();
            if answer.get(..2) == Some(&id) {
                return Content::parse(answer).ok_or("an answer that is none".into());
            }
        }
    };
    Ok(talk())
}

/// The answer as it came over the wire. What passed this host's loopback is the same twice; the first counts.
fn sniffed(tap: &Tap, server: IpAddr, port: u16) -> Option<Content> {
    std::iter::from_fn(|| tap.next()).find_map(|packet| {
        let ip = ipv4::Packet::new_checked(packet.bytes.as_slice()).ok()?;
        let datagram = udp::Packet::new_checked(ip.payload()).ok()?;
        let is_it = IpAddr::V4(ip.src()) == server
            && datagram.src_port() == PORT
            && datagram.dst_port() == port;
        is_it.then(|| Content::parse(datagram.payload()))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_of_a_file() {
        let text = "# nameserver 192.0.2.9\nsearch example.net\nnameserver 192.0.2.1\n\
                    nameserver\tfe80::1%eth0\nnameserver x\nnameserver\noptions edns0\n";
        let wanted: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "fe80::1".parse().unwrap()];
        assert_eq!(servers(text), wanted);
    }

    #[test]
    fn what_is_no_answer() {
        for bytes in [&b""[..], b"x", &[0xff; 40]] {
            assert_eq!(Content::parse(bytes), None);
        }
    }
}
