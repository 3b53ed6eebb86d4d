// SPDX-License-Identifier: GPL-2.0

//! The time from connect() to the first byte of the other side.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::namespace::within;
use crate::Result;

/// Opens `count` connections from namespace `from` to `target`, where a server in namespace `to` accepts them and
/// sends a byte at once. `workers` of them are under way at a time, so that a long path costs less time.
/// Prints microseconds: "median", and "p99", which 99 of 100 do not exceed.
pub fn run(
    (from, to): (&str, &str),
    target: (Ipv4Addr, u16),
    count: usize,
    workers: usize,
) -> Result<()> {
    serve(to, target.1)?;
    // One says how long it takes; the others begin spread over that time, so as not to meet.
    let first = one(from, target)?;
    let pause = first / u32::try_from(workers)?;
    let mut times = thread::scope(|scope| -> Result<Vec<Duration>> {
        let mut running = Vec::new();
        for _ in 0..workers {
            running.push(scope.spawn(move || {
                let some = (0..count / workers).map(|_| one(from, target));
                some.collect::<Result<Vec<_>>>().map_err(|e| e.to_string())
            }));
            thread::sleep(pause);
        }
        let mut times = Vec::new();
        for worker in running {
            times.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(times)
    })?;
    times.sort_unstable();
    for (name, percent) in [("median", 50), ("p99", 99)] {
        let at = (times.len() * percent).div_ceil(100).max(1) - 1;
        println!("{name} {:.1}", times[at].as_nanos() as f64 / 1000.0);
    }
    Ok(())
}

/// Starts a server in namespace `to` that sends a byte to whoever connects to `port`.
pub fn serve(to: &str, port: u16) -> Result<()> {
    let listener = within(to, || Ok(TcpListener::bind(("0.0.0.0", port))?))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Its client sees what is wrong, if anything is.
            let _ = (&stream).write_all(b"x");
        }
    });
    Ok(())
}

/// The time of one connection from namespace `from` to the first byte.
pub fn one(from: &str, target: (Ipv4Addr, u16)) -> Result<Duration> {
    within(from, || {
        let start = Instant::now();
        let mut stream = TcpStream::connect(target)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.read_exact(&mut [0])?;
        Ok(start.elapsed())
    })
}
