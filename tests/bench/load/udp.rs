// SPDX-License-Identifier: GPL-2.0

//! Datagrams as fast as the path takes them, without loss: a batch is sent, a batch is received.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{recvmmsg, sendmmsg, MsgFlags, MultiHeaders, SockaddrIn};

use crate::namespace::within;
use crate::Result;

/// Datagrams per system call. They all fit into a receive buffer of the default size.
pub const BATCH: usize = 32;
/// Batches in a span of time that is measured as one.
const BATCHES: usize = 4;
/// Longest datagram.
const MAX: usize = 2048;

/// Sends datagrams of `size` bytes from namespace `path.0` to `target`, where a socket in `path.1` takes
/// them; then the other way. Prints packets per second: "out" and "in".
pub fn run(path: (&str, &str), target: (Ipv4Addr, u16), size: usize, seconds: f64) -> Result<()> {
    let (source, sink) = established(path, target, size)?;
    let payload = vec![0x55; size];
    println!("out {:.0}", rate(&source, &sink, &payload, seconds)?);
    println!("in {:.0}", rate(&sink, &source, &payload, seconds)?);
    Ok(())
}

/// A socket in namespace `path.0` that is connected to `target`, and one in `path.1` that hears it and is connected to
/// how it is seen there. Datagrams of `size` bytes have passed both ways.
pub fn established(
    path: (&str, &str),
    target: (Ipv4Addr, u16),
    size: usize,
) -> Result<(UdpSocket, UdpSocket)> {
    let sink = within(path.1, || Ok(UdpSocket::bind(("0.0.0.0", target.1))?))?;
    let source = within(path.0, || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect(target)?;
        Ok(socket)
    })?;
    for socket in [&sink, &source] {
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    }
    // The first one makes the mapping, and tells how the source is seen.
    source.send(&vec![0; size])?;
    let (_, peer) = sink.recv_from(&mut [0; MAX])?;
    sink.connect(peer)?;
    // An answer makes it an established flow for connection tracking. The first one may be too big for a
    // tunnel on the way back, of which its sender then learns.
    source.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut attempts = (0..10).map(|_| {
        sink.send(&vec![0; size])?;
        source.recv(&mut [0; MAX])
    });
    if !attempts.any(|answer| answer.is_ok()) {
        return Err("no answer arrived".into());
    }
    source.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok((source, sink))
}

/// Packets per second, by the median of short spans of time: what disturbs one of them, the host's
/// scheduler above all, does not count.
pub fn rate(from: &UdpSocket, to: &UdpSocket, payload: &[u8], seconds: f64) -> Result<f64> {
    let mut batch = Batch::new(payload);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut spans = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        for _ in 0..BATCHES {
            batch.pass(from, to)?;
        }
        spans.push(start.elapsed());
    }
    spans.sort_unstable();
    Ok((BATCH * BATCHES) as f64 / spans[spans.len() / 2].as_secs_f64())
}

/// What is needed to send and to take one batch.
pub struct Batch<'a> {
    headers: MultiHeaders<SockaddrIn>,
    payload: &'a [u8],
    buffers: Vec<[u8; MAX]>,
}

impl<'a> Batch<'a> {
    /// For datagrams with `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self {
            headers: MultiHeaders::preallocate(BATCH, None),
            payload,
            buffers: vec![[0; MAX]; BATCH],
        }
    }

    /// Sends a batch and takes it.
    pub fn pass(&mut self, from: &UdpSocket, to: &UdpSocket) -> Result<()> {
        let slices = [[IoSlice::new(self.payload)]; BATCH];
        let (from, none) = (from.as_raw_fd(), MsgFlags::empty());
        let sent = sendmmsg(from, &mut self.headers, &slices, [None; BATCH], [], none)?.count();
        let mut got = 0;
        while got < sent {
            let buffers = &mut self.buffers[got..sent];
            let mut slices: Vec<_> = buffers.iter_mut().map(|b| [IoSliceMut::new(b)]).collect();
            got += recvmmsg(
                to.as_raw_fd(),
                &mut self.headers,
                slices.iter_mut(),
                none,
                None,
            )
            .map_err(|e| format!("{got} of {sent} datagrams arrived: {e}"))?
            .count();
        }
        Ok(())
    }
}
