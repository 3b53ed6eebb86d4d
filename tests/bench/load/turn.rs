// SPDX-License-Identifier: GPL-2.0

//! An inside host that is reached through a relay: a TURN client (RFC 8656), without the authentication that
//! the server has to be told not to want.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use crate::namespace::within;
use crate::udp::rate;
use crate::Result;

const PORT: u16 = 3478;
const COOKIE: u32 = 0x2112_a442;

/// Message types, of requests; a success has 0x0100 more.
const ALLOCATE: u16 = 0x0003;
const CHANNEL_BIND: u16 = 0x0009;
/// Attributes.
const CHANNEL_NUMBER: u16 = 0x000c;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_TRANSPORT: u16 = 0x0019;

/// The channel that leads to EN.
const CHANNEL: u16 = 0x4000;

/// Datagrams of `size` bytes from namespace `path.0` to the address that a host in namespace `path.1` has at
/// the relay `server`; then the other way. Prints packets per second: "out" and "in".
pub fn run(path: (&str, &str), server: Ipv4Addr, size: usize, seconds: f64) -> Result<()> {
    let sink = within(path.1, || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect((server, PORT))?;
        Ok(socket)
    })?;
    sink.set_read_timeout(Some(Duration::from_secs(5)))?;
    let transport = attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    let answer = ask(&sink, ALLOCATE, &transport)?;
    let relayed = find(&answer, XOR_RELAYED_ADDRESS).ok_or("no relayed address")?;
    let relayed = address(relayed).ok_or("no relayed IPv4 address")?;

    let source = within(path.0, || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect(relayed)?;
        Ok(socket)
    })?;
    source.set_read_timeout(Some(Duration::from_secs(5)))?;
    let std::net::SocketAddr::V4(own) = source.local_addr()? else {
        return Err("not IPv4".into());
    };
    let [c0, c1] = CHANNEL.to_be_bytes();
    let mut channel = attribute(CHANNEL_NUMBER, &[c0, c1, 0, 0]);
    channel.extend(attribute(XOR_PEER_ADDRESS, &xor(own)));
    ask(&sink, CHANNEL_BIND, &channel)?;

    let plain = vec![0x55; size];
    let mut framed = vec![c0, c1];
    framed.extend(u16::try_from(size)?.to_be_bytes());
    framed.extend(&plain);
    println!("out {:.0}", rate(&source, &sink, &plain, seconds)?);
    println!("in {:.0}", rate(&sink, &source, &framed, seconds)?);
    Ok(())
}

/// Sends a request and returns the attributes of its success.
fn ask(server: &UdpSocket, kind: u16, attributes: &[u8]) -> Result<Vec<u8>> {
    let mut message = kind.to_be_bytes().to_vec();
    message.extend(u16::try_from(attributes.len())?.to_be_bytes());
    message.extend(COOKIE.to_be_bytes());
    // One request is under way at a time, so any transaction id will do.
    message.extend([7; 12]);
    message.extend(attributes);
    server.send(&message)?;
    let mut buffer = [0; 1500];
    let len = server.recv(&mut buffer)?;
    let answer = &buffer[..len];
    if !answer.starts_with(&(kind | 0x0100).to_be_bytes()) || len < 20 {
        return Err(format!("the relay refused request {kind:#06x}: {answer:02x?}").into());
    }
    Ok(answer[20..].to_vec())
}

/// An attribute whose value needs no padding.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut attribute = kind.to_be_bytes().to_vec();
    attribute.extend((value.len() as u16).to_be_bytes());
    attribute.extend(value);
    attribute
}

/// The value of an attribute.
fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (head, rest) = attributes.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[..2] == wanted.to_be_bytes() {
            return rest.get(..len);
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
}

/// An address as attributes have it.
fn xor(address: SocketAddrV4) -> Vec<u8> {
    let mut value = vec![0, 1];
    value.extend((address.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
    value.extend((u32::from(*address.ip()) ^ COOKIE).to_be_bytes());
    value
}

/// What [`xor`] wrote.
fn address(value: &[u8]) -> Option<SocketAddrV4> {
    let [_, family, p0, p1, a, b, c, d] = *value.first_chunk::<8>()?;
    if family != 1 {
        return None;
    }
    let port = u16::from_be_bytes([p0, p1]) ^ (COOKIE >> 16) as u16;
    let ip = u32::from_be_bytes([a, b, c, d]) ^ COOKIE;
    Some(SocketAddrV4::new(ip.into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back() {
        // The example of RFC 5769, 2.2.
        let value = [0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let known = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 32853);
        assert_eq!(address(&value), Some(known));
        assert_eq!(xor(known), value);
    }

    #[test]
    fn an_attribute_is_found_behind_others() {
        let mut attributes = attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        attributes.extend([0x80, 0x22, 0, 3, b'x', b'y', b'z', 0]);
        attributes.extend(attribute(XOR_RELAYED_ADDRESS, &[1, 2, 3, 4]));
        assert_eq!(
            find(&attributes, XOR_RELAYED_ADDRESS),
            Some(&[1, 2, 3, 4][..])
        );
        assert_eq!(find(&attributes, CHANNEL_NUMBER), None);
    }
}
