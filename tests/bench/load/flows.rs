// SPDX-License-Identifier: GPL-2.0

//! Very many flows of one host: datagrams from few ports of its own to many ports of another.

use std::io::{ErrorKind, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{
    sendmmsg, socket, AddressFamily, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType,
    SockaddrIn,
};

use crate::namespace::within;
use crate::packet;
use crate::Result;

/// Datagrams per system call.
const BATCH: usize = 32;
/// System calls in a span of time that is measured as one.
const BATCHES: usize = 8;
/// Flows from one port; they go to the ports from `FIRST` on.
const PER_PORT: usize = 50_000;
const FIRST: u16 = 10_000;
/// The first port they come from.
const OWN: u16 = 2_000;

const PAYLOAD: [u8; 18] = [0x55; 18];

/// Ports of flow number `flow`: own, and the other's.
fn ports(flow: usize) -> Result<(u16, u16)> {
    let own = u16::try_from(flow / PER_PORT)?;
    let other = u16::try_from(flow % PER_PORT)?;
    Ok((OWN + own, FIRST + other))
}

/// The sockets of `count` flows, in namespace `host`.
fn sockets(host: &str, count: usize) -> Result<Vec<UdpSocket>> {
    within(host, || {
        let own = (0..count.div_ceil(PER_PORT)).map(|at| ports(at * PER_PORT));
        own.map(|ports| Ok(UdpSocket::bind(("0.0.0.0", ports?.0))?))
            .collect()
    })
}

/// One datagram on each of `count` flows from namespace `host` to `to`, until one is refused. Prints how many
/// there were: "opened".
pub fn open(host: &str, to: Ipv4Addr, count: usize) -> Result<()> {
    let sockets = sockets(host, count)?;
    for flow in 0..count {
        let socket = &sockets[flow / PER_PORT];
        match socket.send_to(&PAYLOAD, (to, ports(flow)?.1)) {
            Err(refused) if refused.kind() == ErrorKind::HostUnreachable => {
                println!("opened {flow}");
                return Ok(());
            }
            sent => sent?,
        };
    }
    println!("opened {count}");
    Ok(())
}

/// Datagrams on the first `count` flows from namespace `host` to `to`, in an order that no cache can guess.
/// Prints nanoseconds for one: "out".
pub fn send(host: &str, to: Ipv4Addr, count: usize, seconds: f64) -> Result<()> {
    let sockets = sockets(host, count)?;
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut order = Order::of(count);
    // All of a batch go through one socket, so a batch is of one own port.
    let mut batch = || -> Result<()> {
        let own = order.next() / PER_PORT;
        let here = count.min((own + 1) * PER_PORT) - own * PER_PORT;
        let mut addresses = [None; BATCH];
        for address in &mut addresses {
            let port = ports(order.next() % here)?.1;
            *address = Some(SockaddrIn::from(SocketAddrV4::new(to, port)));
        }
        let fd = sockets[own].as_raw_fd();
        let slices = [[IoSlice::new(&PAYLOAD)]; BATCH];
        let none = MsgFlags::empty();
        match sendmmsg(fd, &mut headers, &slices, addresses, [], none)?.count() {
            BATCH => Ok(()),
            sent => Err(format!("{sent} of a batch of {BATCH} could be sent").into()),
        }
    };
    println!("out {:.1}", nanoseconds(seconds, &mut batch)?);
    Ok(())
}

/// The same the other way, made up in namespace `peer`: from `from` to the flows' own ports at `to` in
/// namespace `host`, where nobody reads them. Prints "in".
pub fn receive(
    (host, to): (&str, Ipv4Addr),
    (peer, from): (&str, Ipv4Addr),
    count: usize,
    seconds: f64,
) -> Result<()> {
    let _unread = sockets(host, count)?;
    let raw: OwnedFd = within(peer, || {
        let (family, flags) = (AddressFamily::Inet, SockFlag::empty());
        Ok(socket(family, SockType::Raw, flags, SockProtocol::Raw)?)
    })?;
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut order = Order::of(count);
    let target = Some(SockaddrIn::from(SocketAddrV4::new(to, 0)));
    let mut packets = vec![packet::udp((from, 0), (to, 0), &[0xff; PAYLOAD.len()]); BATCH];
    let mut batch = || -> Result<()> {
        for packet in &mut packets {
            let (own, other) = ports(order.next())?;
            // Each port and its complement in the data: so the checksum stays what it was.
            for (at, port) in [(20, other), (22, own), (28, !other), (30, !own)] {
                packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
            }
        }
        let mut slices = [[IoSlice::new(&[])]; BATCH];
        for (slice, packet) in slices.iter_mut().zip(&packets) {
            *slice = [IoSlice::new(packet)];
        }
        let (fd, none) = (raw.as_raw_fd(), MsgFlags::empty());
        match sendmmsg(fd, &mut headers, &slices, [target; BATCH], [], none)?.count() {
            BATCH => Ok(()),
            sent => Err(format!("{sent} of a batch of {BATCH} could be sent").into()),
        }
    };
    println!("in {:.1}", nanoseconds(seconds, &mut batch)?);
    Ok(())
}

/// Nanoseconds for one datagram, by the median of short spans. The first half warms up.
fn nanoseconds(seconds: f64, batch: &mut impl FnMut() -> Result<()>) -> Result<f64> {
    let mut spans = Vec::new();
    let begin = Instant::now();
    let duration = Duration::from_secs_f64(seconds);
    while begin.elapsed() < duration {
        let start = Instant::now();
        for _ in 0..BATCHES {
            batch()?;
        }
        spans.push(start.elapsed());
    }
    let mut spans = spans.split_off(spans.len() / 2);
    spans.sort_unstable();
    Ok(spans[spans.len() / 2].as_nanos() as f64 / (BATCH * BATCHES) as f64)
}

/// Numbers below a bound, in an order without order: every one comes about equally often.
struct Order {
    state: u64,
    bound: u64,
}

impl Order {
    fn of(bound: usize) -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
            bound: bound as u64,
        }
    }

    /// The next one (xorshift64, by G. Marsaglia).
    fn next(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % self.bound) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_have_ports_of_their_own() {
        assert_eq!(ports(0).unwrap(), (2_000, 10_000));
        assert_eq!(ports(49_999).unwrap(), (2_000, 59_999));
        assert_eq!(ports(999_999).unwrap(), (2_019, 59_999));
    }

    #[test]
    fn the_order_reaches_everything() {
        let mut order = Order::of(10);
        let mut seen = [false; 10];
        (0..200).for_each(|_| seen[order.next()] = true);
        assert_eq!(seen, [true; 10]);
    }
}
