// SPDX-License-Identifier: GPL-2.0

//! Asking a router for very many mappings: of NAT-f, from many addresses, or of PCP, for many ports.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use natf::name::{Name, NameRef};
use natf::wire::control::{Code, Message, Request};
use natf::wire::icmp::{self, EchoRepr};
use natf::wire::ipv4::{self, Protocol};
use nix::sys::socket::{
    recvmmsg, sendmmsg, setsockopt, socket, sockopt, AddressFamily, MsgFlags, MultiHeaders,
    SockFlag, SockProtocol, SockType, SockaddrIn,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::namespace::within;
use crate::packet;
use crate::Result;

/// Requests that are under way at a time.
const BATCH: usize = 32;
/// Longest answer.
const MAX: usize = 1500;

/// Requests of NAT-f for datagrams to port 80 of `names` hosts (host00000 …), each of `count` from another of
/// `ens` addresses, `first` and those after it, which namespace `host` holds; then from their next port.
/// A router without NAT-f sends them back, which is an answer, too.
pub fn natf(
    host: &str,
    (first, ens): (Ipv4Addr, usize),
    router: Ipv4Addr,
    names: usize,
    count: usize,
) -> Result<()> {
    let open = |protocol| -> Result<OwnedFd> {
        let (family, flags) = (AddressFamily::Inet, SockFlag::empty());
        within(host, || Ok(socket(family, SockType::Raw, flags, protocol)?))
    };
    let (sender, listener) = (open(SockProtocol::Raw)?, open(SockProtocol::Icmp)?);
    // What is left of a batch must not fill the buffer.
    setsockopt(&listener, sockopt::RcvBufForce, &(1 << 22))?;
    setsockopt(&listener, sockopt::ReceiveTimeout, &TimeVal::seconds(5))?;
    let request = |number: usize| {
        let en = Ipv4Addr::from(u32::from(first) + u32::try_from(number % ens)?);
        let name = Name::parse(format!("host{:05}", number % names).as_bytes());
        let name = name.map_err(|e| format!("{e:?}"))?;
        emit(number, en, router, 40_000 + number / ens, name.view())
    };
    let answer = |packet: &[u8]| {
        let ip = ipv4::Packet::new_checked(packet).ok()?;
        let echo = icmp::Packet::new_checked(ip.payload()).ok()?;
        match Message::classify(echo.data()) {
            _ if !echo.is_echo_reply() => None,
            Message::Response(response) => Some((response.nonce, response.code == Code::Ok)),
            Message::Request(request) => Some((request.nonce, true)),
            _ => None,
        }
    };
    let to = Some(SockaddrIn::from(SocketAddrV4::new(router, 0)));
    let fds = (sender.as_raw_fd(), listener.as_raw_fd());
    ask(fds, to, count, request, answer)
}

/// The whole packet of request `number`.
pub fn emit(
    number: usize,
    en: Ipv4Addr,
    router: Ipv4Addr,
    en_port: usize,
    name: NameRef<'_>,
) -> Result<Vec<u8>> {
    let request = Request {
        nonce: number as u64,
        protocol: Protocol::Udp,
        en,
        router,
        en_port: u16::try_from(en_port)?,
        dst_port: 80,
        name,
        cookie: None,
        auth: None,
        early: None,
        unknown_critical: None,
    };
    let mut message = vec![0; request.buffer_len()];
    request.emit(&mut message).map_err(|e| format!("{e:?}"))?;
    let echo = EchoRepr {
        reply: false,
        ident: 1,
        seq: 1,
        data: &message,
    };
    let mut payload = vec![0; icmp::HEADER_LEN + message.len()];
    echo.emit(&mut payload).map_err(|e| format!("{e:?}"))?;
    Ok(packet::ipv4(packet::ICMP, en, router, &payload))
}

/// PCP requests (RFC 6887) for `count` ports of `own`, an address in namespace `host`, from `first` on. The same
/// ports are asked for outside.
pub fn pcp(
    (host, own): (&str, Ipv4Addr),
    router: Ipv4Addr,
    protocol: u8,
    first: usize,
    count: usize,
) -> Result<()> {
    const PCP_PORT: u16 = 5351;

    let socket = within(host, || {
        let socket = UdpSocket::bind((own, 0))?;
        socket.connect((router, PCP_PORT))?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(socket)
    })?;
    let request = |number: usize| {
        let port = u16::try_from(first + number)?.to_be_bytes();
        // Version 2, MAP; a lifetime of an hour; our address.
        let mut message = vec![2, 1, 0, 0, 0, 0, 0x0e, 0x10];
        message.extend(own.to_ipv6_mapped().octets());
        // The nonce; the protocol; our port, and the one outside, at any address.
        message.extend([0, 0, 0, 0]);
        message.extend((number as u64).to_be_bytes());
        message.extend([protocol, 0, 0, 0]);
        message.extend(port);
        message.extend(port);
        message.extend(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().octets());
        Ok(message)
    };
    let answer = |message: &[u8]| {
        let nonce = message.get(28..36)?.first_chunk()?;
        let success = message.starts_with(&[2, 0x81, 0, 0]);
        Some((u64::from_be_bytes(*nonce), success))
    };
    let fd = socket.as_raw_fd();
    ask((fd, fd), None, count, request, answer)
}

/// Sends `count` requests, and takes an answer to each: its number, and whether it is a mapping. Prints
/// "each", nanoseconds for one by the median of batches; "rate", so many in a second; and "mapped", how many
/// there are.
fn ask(
    (sender, listener): (RawFd, RawFd),
    to: Option<SockaddrIn>,
    count: usize,
    request: impl Fn(usize) -> Result<Vec<u8>>,
    answer: impl Fn(&[u8]) -> Option<(u64, bool)>,
) -> Result<()> {
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut buffers = vec![[0; MAX]; BATCH];
    let mut spans = Vec::new();
    let mut mapped = 0;
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH);
        let requests = numbers.clone().map(&request).collect::<Result<Vec<_>>>()?;
        let slices: Vec<_> = requests.iter().map(|r| [IoSlice::new(r)]).collect();
        let mut open: Vec<u64> = numbers.map(|number| number as u64).collect();
        let start = Instant::now();
        let addresses = vec![to; slices.len()];
        let sent = sendmmsg(
            sender,
            &mut headers,
            &slices,
            addresses,
            [],
            MsgFlags::empty(),
        )?;
        if sent.count() != slices.len() {
            return Err("not all requests could be sent".into());
        }
        while !open.is_empty() {
            let mut slices: Vec<_> = buffers.iter_mut().map(|b| [IoSliceMut::new(b)]).collect();
            let flags = MsgFlags::MSG_WAITFORONE;
            let got: Vec<usize> = recvmmsg(listener, &mut headers, slices.iter_mut(), flags, None)
                .map_err(|e| format!("{} of a batch were not answered: {e}", open.len()))?
                .map(|message| message.bytes)
                .collect();
            for (buffer, len) in buffers.iter().zip(got) {
                let Some((number, success)) = answer(&buffer[..len]) else {
                    continue;
                };
                if let Some(at) = open.iter().position(|wanted| *wanted == number) {
                    open.swap_remove(at);
                    mapped += usize::from(success);
                }
            }
        }
        spans.push((start.elapsed().as_nanos() as f64, requests.len()));
    }
    let mut each: Vec<f64> = spans.iter().map(|(time, of)| time / *of as f64).collect();
    each.sort_by(f64::total_cmp);
    println!("each {:.0}", each[each.len() / 2]);
    println!("rate {:.0}", 1e9 / each[each.len() / 2]);
    println!("mapped {mapped}");
    Ok(())
}
