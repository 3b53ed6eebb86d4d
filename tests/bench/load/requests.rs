// SPDX-License-Identifier: GPL-2.0

//! Requests over one connection, and connections for one request each. Both ends are one thread, as in `tcp`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::namespace::within;
use crate::{tcp, Result};

/// What is measured as one span.
const SPAN: usize = 100;

/// Requests and responses of `size` bytes for `seconds`, over one connection from namespace `path.0` to `target`, which a
/// listener in `path.1` answers to. Prints "requests" a second.
pub fn run(path: (&str, &str), target: (Ipv4Addr, u16), size: usize, seconds: f64) -> Result<()> {
    let (mut source, mut sink) = tcp::established(path, target)?;
    let (data, mut buffer) = (vec![0x55; size], vec![0; size]);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let rate = median(
        || Instant::now() < end,
        || {
            tcp::carry(&mut source, &mut sink, &data, &mut buffer)?;
            tcp::carry(&mut sink, &mut source, &data, &mut buffer)
        },
    )?;
    println!("requests {rate:.0}");
    Ok(())
}

/// Opens `count` connections likewise, one after the other: a request of one byte, a response of one, and both ends
/// are closed, the client's first. Prints "connections" a second.
pub fn connections(path: (&str, &str), target: (Ipv4Addr, u16), count: usize) -> Result<()> {
    let listener = within(path.1, || Ok(TcpListener::bind(("0.0.0.0", target.1))?))?;
    let mut left = count.div_ceil(SPAN);
    let rate = within(path.0, || {
        median(
            || left.checked_sub(1).map(|fewer| left = fewer).is_some(),
            || {
                let mut source = TcpStream::connect(target)?;
                let (mut sink, _) = listener.accept()?;
                source.write_all(b"?")?;
                sink.read_exact(&mut [0])?;
                sink.write_all(b"!")?;
                source.read_exact(&mut [0])?;
                Ok(())
            },
        )
    })?;
    println!("connections {rate:.0}");
    Ok(())
}

/// How often `what` is done in a second, by the median of spans; another one as long as `more` says so.
fn median(mut more: impl FnMut() -> bool, mut what: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut spans = Vec::new();
    while more() {
        let start = Instant::now();
        (0..SPAN).try_for_each(|_| what())?;
        spans.push(start.elapsed());
    }
    spans.sort_unstable();
    let median = spans.get(spans.len() / 2).ok_or("nothing was measured")?;
    Ok(SPAN as f64 / median.as_secs_f64())
}
