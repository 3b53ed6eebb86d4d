// SPDX-License-Identifier: GPL-2.0

//! The load generator of the benchmarks. It runs inside a guest, as root, and opens its sockets in the
//! network namespaces it is told, so that one thread can be both ends of a path: on a guest with one
//! processor nothing is then lost, and nothing waits for the scheduler.
//!
//! Each kind of load prints lines "NAME VALUE"; what the values mean is said at its function.

#![forbid(unsafe_code)]

use std::error::Error;

mod ask;
mod connect;
mod flood;
mod flows;
mod namespace;
mod packet;
mod requests;
mod tcp;
mod turn;
mod udp;

/// Everything here ends with the first error, which is printed.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage:
  natf-load udp FROM TO ADDRESS PORT SIZE SECONDS
  natf-load tcp FROM TO ADDRESS PORT SIZE SECONDS
  natf-load requests FROM TO ADDRESS PORT SIZE SECONDS
  natf-load reconnect FROM TO ADDRESS PORT COUNT
  natf-load turn FROM TO RELAY SIZE SECONDS
  natf-load open HOST ADDRESS COUNT
  natf-load talk HOST ITS-ADDRESS PEER ITS-ADDRESS ADDRESS COUNT SECONDS
  natf-load natf HOST FIRST-ADDRESS ADDRESSES ROUTER NAMES COUNT
  natf-load connect FROM TO ADDRESS PORT COUNT WORKERS
  natf-load connections FROM TO ADDRESS PORT COUNT
  natf-load flood HOST ROUTER COUNT request|ping
  natf-load beside FROM TO ADDRESS PORT SIZE SECONDS HOST ROUTER request|ping RATE
  natf-load pcp HOST ADDRESS ROUTER tcp|udp FIRST-PORT COUNT";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["udp", from, to, address, port, size, seconds] => udp::run(
            (from, to),
            (address.parse()?, port.parse()?),
            size.parse()?,
            seconds.parse()?,
        ),
        ["tcp", from, to, address, port, size, seconds] => tcp::run(
            (from, to),
            (address.parse()?, port.parse()?),
            size.parse()?,
            seconds.parse()?,
        ),
        ["requests", from, to, address, port, size, seconds] => requests::run(
            (from, to),
            (address.parse()?, port.parse()?),
            size.parse()?,
            seconds.parse()?,
        ),
        ["reconnect", from, to, address, port, count] => requests::connections(
            (from, to),
            (address.parse()?, port.parse()?),
            count.parse()?,
        ),
        ["turn", from, to, relay, size, seconds] => {
            turn::run((from, to), relay.parse()?, size.parse()?, seconds.parse()?)
        }
        ["open", host, to, count] => flows::open(host, to.parse()?, count.parse()?),
        ["talk", host, own, peer, real, to, count, seconds] => flows::talk(
            (host, own.parse()?),
            (peer, real.parse()?),
            to.parse()?,
            count.parse()?,
            seconds.parse()?,
        ),
        ["natf", host, first, ens, router, names, count] => ask::natf(
            host,
            (first.parse()?, ens.parse()?),
            router.parse()?,
            names.parse()?,
            count.parse()?,
        ),
        ["connect", from, to, address, port, count, workers] => connect::run(
            (from, to),
            (address.parse()?, port.parse()?),
            count.parse()?,
            workers.parse()?,
        ),
        ["connections", from, to, address, port, count] => flood::connections(
            (from, to),
            (address.parse()?, port.parse()?),
            count.parse()?,
        ),
        ["flood", host, router, count, kind @ ("request" | "ping")] => {
            flood::run(host, router.parse()?, count.parse()?, kind)
        }
        ["beside", from, to, address, port, size, seconds, host, router, kind @ ("request" | "ping"), rate] => {
            flood::beside(
                (from, to),
                (address.parse()?, port.parse()?),
                (size.parse()?, seconds.parse()?),
                (host, router.parse()?, kind),
                rate.parse()?,
            )
        }
        ["pcp", host, own, router, protocol @ ("tcp" | "udp"), first, count] => ask::pcp(
            (host, own.parse()?),
            router.parse()?,
            if protocol == "tcp" {
                packet::TCP
            } else {
                packet::UDP
            },
            first.parse()?,
            count.parse()?,
        ),
        _ => Err(USAGE.into()),
    }
}
