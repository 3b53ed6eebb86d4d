// SPDX-License-Identifier: GPL-2.0

//! What really goes over the wires: a packet socket, which sees what comes in before the kernel modules change it, and
//! what goes out after they did. It only looks.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{recvmsg, setsockopt, sockopt, ControlMessageOwned, MsgFlags};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use crate::error::{words, Error, Result};

/// Every EtherType, in network byte order: only who looks at all of them sees what goes out (packet(7)).
const ETH_P_ALL: u16 = 0x0003_u16.to_be();

/// EtherType of IPv4.
const ETH_P_IP: u32 = 0x0800;

/// Most bytes that are looked at of a packet.
const MOST: usize = 4096;

/// A packet that went by.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When, by the kernel's clock.
    pub time: SystemTime,
    /// From its IPv4 header on.
    pub bytes: Vec<u8>,
}

/// A look at the wires of this network namespace.
pub struct Tap {
    socket: Socket,
}

impl Tap {
    /// Looks at ICMP, and at the TCP and UDP packets from or to this host's `port`.
    pub fn open(port: u16) -> Result<Self> {
        let open = || -> io::Result<Socket> {
            let protocol = Protocol::from(i32::from(ETH_P_ALL));
            let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol))?;
            socket.attach_filter(&filter(port))?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            Ok(socket)
        };
        match open() {
            Ok(socket) => Ok(Tap { socket }),
            Err(error) => Err(Error::Failed(format!(
                "looking at packets: {}: it takes root (CAP_NET_RAW)",
                words(&error)
            ))),
        }
    }

    /// The next packet that is there already.
    pub fn next(&self) -> Option<Packet> {
        let mut bytes = vec![0; MOST];
        let mut space = nix::cmsg_space!(TimeSpec);
        let (len, time) = {
            let mut parts = [IoSliceMut::new(&mut bytes)];
            let fd = self.socket.as_raw_fd();
            let got =
                recvmsg::<()>(fd, &mut parts, Some(&mut space), MsgFlags::MSG_DONTWAIT).ok()?;
            let stamp = got.cmsgs().ok().and_then(|mut all| all.find_map(stamp));
            (got.bytes, stamp.unwrap_or_else(SystemTime::now))
        };
        bytes.truncate(len);
        Some(Packet { time, bytes })
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn stamp(message: ControlMessageOwned) -> Option<SystemTime> {
    match message {
        ControlMessageOwned::ScmTimestampns(at) => Some(UNIX_EPOCH + Duration::from(at)),
        _ => None,
    }
}

/// Waits until one of `sockets` has something to say, or `until`. Bit `n` of what is returned is set if it is the `n`th.
pub fn wait(sockets: &[(&dyn AsFd, PollFlags)], until: Instant) -> u32 {
    let left = until.saturating_duration_since(Instant::now());
    // A millisecond more, so that it is over when the wait is.
    let timeout =
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    let mut all: Vec<_> = sockets
        .iter()
        .map(|(socket, events)| PollFd::new(socket.as_fd(), *events))
        .collect();
    // A signal only makes it look sooner.
    let _ = poll(&mut all, timeout);
    let ready = |one: &PollFd<'_>| one.revents().is_some_and(|events| !events.is_empty());
    let bits = all.iter().enumerate().filter(|(_, one)| ready(one));
    bits.fold(0, |bits, (at, _)| bits | (1 << at))
}

/// The classic BPF program that chooses the packets.
fn filter(port: u16) -> [SockFilter; 15] {
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_HALF: u16 = 0x28;
    const LOAD_HALF_X: u16 = 0x48;
    const LOAD_HEADER_LEN: u16 = 0xb1;
    const EQUAL: u16 = 0x15;
    const BITS: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const ETHER_TYPE: u32 = 0xffff_f000;
    let port = u32::from(port);
    let op = SockFilter::new;
    [
        // The EtherType, which the kernel has at a place of its own.
        op(LOAD_HALF, 0, 0, ETHER_TYPE),
        op(EQUAL, 0, 11, ETH_P_IP),
        // The protocol. (A jump passes over so many instructions.)
        op(LOAD_BYTE, 0, 0, 9),
        op(EQUAL, 10, 0, 1),
        op(EQUAL, 1, 0, 6),
        op(EQUAL, 0, 7, 17),
        // Ports are in the first fragment only.
        op(LOAD_HALF, 0, 0, 6),
        op(BITS, 5, 0, 0x1fff),
        op(LOAD_HEADER_LEN, 0, 0, 0),
        op(LOAD_HALF_X, 0, 0, 0),
        op(EQUAL, 3, 0, port),
        // Not the source, perhaps the destination.
        op(LOAD_HALF_X, 0, 0, 2),
        op(EQUAL, 1, 0, port),
        // Neither.
        op(RETURN, 0, 0, 0),
        op(RETURN, 0, 0, MOST as u32),
    ]
}
