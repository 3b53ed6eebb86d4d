// SPDX-License-Identifier: GPL-2.0

//! A flood at a router, from made-up addresses: of requests, or of pings of the same length. Alone, as fast as it
//! goes; or at a rate beside datagrams that the same router forwards.

use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use natf::name::Name;
use nix::sys::socket::{
    connect, sendmmsg, socket, AddressFamily, MsgFlags, MultiHeaders, SockFlag, SockProtocol,
    SockType, SockaddrIn,
};

use crate::namespace::within;
use crate::udp::{self, Batch};
use crate::{ask, connect as connection, Result};

/// Packets per system call.
const BATCH: usize = 64;
/// Where things are in a packet: source address, magic, nonce, and the address that the request is for.
const SOURCE: usize = 12;
const MAGIC: usize = 28;
const NONCE: usize = MAGIC + 8;
const EN: usize = MAGIC + 20;
/// The first of the made-up addresses: 11.0.0.0 and on are nobody's here.
const FIRST: u32 = 0x0b00_0000;

/// The flood of one kind.
struct Flood {
    sender: OwnedFd,
    headers: MultiHeaders<SockaddrIn>,
    packets: Vec<Vec<u8>>,
    sent: u32,
}

impl Flood {
    /// From namespace `host`, of `kind` "request" (for the name alice) or "ping".
    fn new(host: &str, router: Ipv4Addr, kind: &str) -> Result<Self> {
        let sender = within(host, || {
            let flags = SockFlag::empty();
            let raw = SockProtocol::Raw;
            Ok(socket(AddressFamily::Inet, SockType::Raw, flags, raw)?)
        })?;
        connect(
            sender.as_raw_fd(),
            &SockaddrIn::from(SocketAddrV4::new(router, 0)),
        )?;
        let name = Name::parse(b"alice").map_err(|e| format!("{e:?}"))?;
        let mut packet = ask::emit(0, Ipv4Addr::UNSPECIFIED, router, 40_000, name.view())?;
        if kind != "request" {
            packet[MAGIC..MAGIC + 4].copy_from_slice(b"ping");
        }
        // The nonce's second half will be the complement of the address, so that their sum, and with it the
        // checksum, is the same in all packets.
        packet[NONCE + 4..NONCE + 8].fill(0xff);
        let sum_at = MAGIC - 6;
        packet[sum_at..sum_at + 2].fill(0);
        let sum = crate::packet::checksum(&packet[20..]);
        packet[sum_at..sum_at + 2].copy_from_slice(&sum);
        Ok(Flood {
            sender,
            headers: MultiHeaders::preallocate(BATCH, None),
            packets: vec![packet; BATCH],
            sent: 0,
        })
    }

    /// Sends a batch, each packet from another network, and after 131,072 of them from other hosts of theirs.
    fn send(&mut self) -> Result<()> {
        for (number, packet) in (self.sent..).zip(&mut self.packets) {
            let source = FIRST + ((number & 0x1_ffff) << 8) + ((number >> 17) & 0xff);
            packet[SOURCE..SOURCE + 4].copy_from_slice(&source.to_be_bytes());
            packet[EN..EN + 4].copy_from_slice(&source.to_be_bytes());
            packet[NONCE + 4..NONCE + 8].copy_from_slice(&(!source).to_be_bytes());
        }
        let slices: Vec<_> = self.packets.iter().map(|p| [IoSlice::new(p)]).collect();
        let (fd, none) = (self.sender.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(fd, &mut self.headers, &slices, [None; BATCH], [], none)?;
        self.sent += u32::try_from(sent.count())?;
        Ok(())
    }
}

/// `count` packets, as fast as it goes. Prints "each", the nanoseconds for one by the median of short spans, and
/// "took", the milliseconds for all.
pub fn run(host: &str, router: Ipv4Addr, count: u32, kind: &str) -> Result<()> {
    let mut flood = Flood::new(host, router, kind)?;
    let (begin, mut spans) = (Instant::now(), Vec::new());
    while flood.sent < count {
        let start = Instant::now();
        for _ in 0..16 {
            flood.send()?;
        }
        spans.push(start.elapsed());
    }
    spans.sort_unstable();
    let median = spans[spans.len() / 2].as_nanos() as f64;
    println!("each {:.0}", median / (16 * BATCH) as f64);
    println!("took {}", begin.elapsed().as_millis());
    Ok(())
}

/// Datagrams of `size` bytes along `path`, as [`udp::run`] sends them, while `rate` packets a second of the flood come
/// to `router`. Prints "forwarded", the datagrams in a second, and "flood", the packets.
pub fn beside(
    path: (&str, &str),
    target: (Ipv4Addr, u16),
    (size, seconds): (usize, f64),
    (host, router, kind): (&str, Ipv4Addr, &str),
    rate: u32,
) -> Result<()> {
    let (source, sink) = udp::established(path, target, size)?;
    let payload = vec![0x55; size];
    let (mut batch, mut flood) = (Batch::new(&payload), Flood::new(host, router, kind)?);
    let (begin, mut passed) = (Instant::now(), 0);
    let whole = Duration::from_secs_f64(seconds);
    while begin.elapsed() < whole {
        if f64::from(flood.sent) < f64::from(rate) * begin.elapsed().as_secs_f64() {
            flood.send()?;
        } else {
            batch.pass(&source, &sink)?;
            passed += udp::BATCH;
        }
    }
    let took = begin.elapsed().as_secs_f64();
    println!("forwarded {:.0}", passed as f64 / took);
    println!("flood {:.0}", f64::from(flood.sent) / took);
    Ok(())
}

/// Opens `count` connections to `target`, one after the other, from namespace `from`, where a server in namespace `to`
/// sends a byte. Prints "made", how many came about, and "median", the microseconds to the byte.
pub fn connections((from, to): (&str, &str), target: (Ipv4Addr, u16), count: usize) -> Result<()> {
    connection::serve(to, target.1)?;
    let mut times: Vec<Duration> = (0..count)
        .filter_map(|_| connection::one(from, target).ok())
        .collect();
    times.sort_unstable();
    println!("made {}", times.len());
    let median = times.get(times.len() / 2).ok_or("none came about")?;
    println!("median {:.1}", median.as_nanos() as f64 / 1000.0);
    Ok(())
}
