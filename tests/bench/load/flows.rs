// SPDX-License-Identifier: GPL-2.0

//! Very many flows of one host: datagrams from few ports of its own to many ports of another.

use std::io::{ErrorKind, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
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
/// System calls until the answers come.
const ROUND_TRIP: usize = 4096;
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

/// Talks on the first `count` flows: datagrams from namespace `host`, where the flows' sockets are, to `to`;
/// and answers to them, made up in namespace `peer` as from `real`, which nobody reads. Which flow is next
/// follows no order that a cache could guess, and an answer comes as many packets later as a round trip lasts.
/// Prints nanoseconds for one datagram, by the median of short spans: "out" and "in".
pub fn talk(
    (host, own): (&str, Ipv4Addr),
    (peer, real): (&str, Ipv4Addr),
    to: Ipv4Addr,
    count: usize,
    seconds: f64,
) -> Result<()> {
    let sockets = sockets(host, count)?;
    let raw: OwnedFd = within(peer, || {
        let (family, flags) = (AddressFamily::Inet, SockFlag::empty());
        Ok(socket(family, SockType::Raw, flags, SockProtocol::Raw)?)
    })?;
    let mut sender = Sender(MultiHeaders::preallocate(BATCH, None));
    let mut answers = vec![packet::udp((real, 0), (own, 0), &[0xff; PAYLOAD.len()]); BATCH];

    let ask = |sender: &mut Sender, flows: [usize; BATCH]| -> Result<()> {
        let mut addresses = [None; BATCH];
        for (address, flow) in addresses.iter_mut().zip(flows) {
            *address = Some(SocketAddrV4::new(to, ports(flow)?.1).into());
        }
        let socket = &sockets[flows[0] / PER_PORT];
        sender.send(socket.as_raw_fd(), [&PAYLOAD; BATCH], addresses)
    };
    let mut answer = |sender: &mut Sender, flows: [usize; BATCH]| -> Result<()> {
        for (packet, flow) in answers.iter_mut().zip(flows) {
            let (own, other) = ports(flow)?;
            // Each port and its complement in the data: so the checksum stays what it was.
            for (at, port) in [(20, other), (22, own), (28, !other), (30, !own)] {
                packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
            }
        }
        let mut slices: [&[u8]; BATCH] = [&[]; BATCH];
        for (slice, packet) in slices.iter_mut().zip(&answers) {
            *slice = packet;
        }
        let address = Some(SocketAddrV4::new(own, 0).into());
        sender.send(raw.as_raw_fd(), slices, [address; BATCH])
    };

    // All that was sent to open the flows is answered, so that none has to ask whether it still stands.
    for first in (0..count).step_by(BATCH) {
        let last = (first / PER_PORT + 1) * PER_PORT - 1;
        answer(
            &mut sender,
            std::array::from_fn(|at| (first + at).min(last).min(count - 1)),
        )?;
    }
    let (mut asked, mut answered) = (Order::of(count), Order::of(count));
    for _ in 0..ROUND_TRIP {
        ask(&mut sender, asked.batch())?;
    }
    let (mut out, mut back) = (Vec::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        out.push(span(|| ask(&mut sender, asked.batch()))?);
        back.push(span(|| answer(&mut sender, answered.batch()))?);
    }
    println!("out {:.1}\nin {:.1}", median(out), median(back));
    Ok(())
}

/// What `sendmmsg` keeps from call to call.
struct Sender(MultiHeaders<SockaddrIn>);

impl Sender {
    fn send(
        &mut self,
        fd: RawFd,
        data: [&[u8]; BATCH],
        to: [Option<SockaddrIn>; BATCH],
    ) -> Result<()> {
        let slices = data.map(|data| [IoSlice::new(data)]);
        let sent = sendmmsg(fd, &mut self.0, &slices, to, [], MsgFlags::empty())?.count();
        if sent != BATCH {
            return Err(format!("{sent} of a batch of {BATCH} could be sent").into());
        }
        Ok(())
    }
}

/// Nanoseconds for one datagram, in some batches.
fn span(mut batch: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..BATCHES {
        batch()?;
    }
    Ok(start.elapsed().as_nanos() as f64 / (BATCH * BATCHES) as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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

    /// The next ones of one own port, so that they can go through one socket.
    fn batch(&mut self) -> [usize; BATCH] {
        let first = self.next() / PER_PORT * PER_PORT;
        let bound = (self.bound as usize - first).min(PER_PORT);
        std::array::from_fn(|_| first + self.next() % bound)
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
