// SPDX-License-Identifier: GPL-2.0

//! A TCP connection whose both ends are one thread: what one writes the other reads at once, so nothing
//! depends on the scheduler.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::namespace::within;
use crate::Result;

/// Bytes that are measured as one span, at least.
const SPAN: usize = 1 << 18;
/// Writes that are measured as one span, at least.
const WRITES: usize = 64;

/// Carries data from namespace `path.0` to `target`, which a listener in `path.1` answers to, in writes of
/// `size` bytes; then the other way. Prints writes per second: "out" and "in".
pub fn run(path: (&str, &str), target: (Ipv4Addr, u16), size: usize, seconds: f64) -> Result<()> {
    let (mut source, mut sink) = established(path, target)?;
    println!("out {:.1}", rate(&mut source, &mut sink, size, seconds)?);
    println!("in {:.1}", rate(&mut sink, &mut source, size, seconds)?);
    Ok(())
}

/// Both ends of a connection from namespace `from` to `target`, which a listener in `to` answers to.
pub fn established(
    (from, to): (&str, &str),
    target: (Ipv4Addr, u16),
) -> Result<(TcpStream, TcpStream)> {
    let listener = within(to, || Ok(TcpListener::bind(("0.0.0.0", target.1))?))?;
    let source = within(from, || Ok(TcpStream::connect(target)?))?;
    let (sink, _) = listener.accept()?;
    for stream in [&source, &sink] {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
    }
    Ok((source, sink))
}

/// Writes per second, by the median of short spans. The first half is slow start.
fn rate(from: &mut TcpStream, to: &mut TcpStream, size: usize, seconds: f64) -> Result<f64> {
    let writes = (SPAN / size).max(WRITES);
    let data = vec![0x55; size];
    let mut buffer = vec![0; 1 << 18];
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut spans = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        for _ in 0..writes {
            carry(from, to, &data, &mut buffer)?;
        }
        spans.push(start.elapsed());
    }
    let mut spans = spans.split_off(spans.len() / 2);
    spans.sort_unstable();
    Ok(writes as f64 / spans[spans.len() / 2].as_secs_f64())
}

/// Writes `data` and reads as much.
pub fn carry(
    from: &mut impl Write,
    to: &mut impl Read,
    data: &[u8],
    buffer: &mut [u8],
) -> Result<()> {
    let (mut written, mut read) = (0, 0);
    while read < data.len() {
        match from.write(&data[written..]) {
            Ok(more) => written += more,
            Err(full) if full.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        match to.read(buffer) {
            Ok(0) => return Err("the connection was closed".into()),
            Ok(more) => read += more,
            Err(empty) if empty.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
