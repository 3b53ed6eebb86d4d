// SPDX-License-Identifier: GPL-2.0

//! The NAT-f control message, the data of an ICMP echo. `docs/protocol.md` defines every field; all
//! numbers are in network byte order.

use core::net::Ipv4Addr;

use crate::natf::auth::Stamp;
use crate::natf::name::{NameError, NameRef};
use crate::natf::wire::field;
use crate::natf::wire::ipv4::Protocol;

mod code;
mod early;
mod options;
mod response;

pub use code::{Code, Refusal};
pub use early::Early;
pub use response::Response;

/// The first four bytes: "NATf".
pub const MAGIC: [u8; 4] = *b"NATf";

/// The version that this code speaks.
pub const VERSION: u8 = 1;

/// Length in bytes of the fixed part, which is all of a message without options.
pub const HEADER_LEN: usize = 44;

/// Longest message in bytes.
pub const MAX_LEN: usize = 1024;

/// Length in bytes up to which a request is padded, so that a router's answer has room for options.
pub const MIN_REQUEST_LEN: usize = 96;

/// Longest request in bytes that [`Request::emit`] writes without EARLY: one with the longest name, a cookie and AUTH.
pub const MAX_REQUEST_LEN: usize = 344;

/// Longest response in bytes that [`Response::emit`] writes: one with every option.
pub const MAX_RESPONSE_LEN: usize = 96;

/// Length in bytes of the code at the end of AUTH.
pub const MAC_LEN: usize = 16;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

/// Offsets of the fields, in bytes.
mod at {
    pub(super) const MAGIC: usize = 0;
    pub(super) const VERSION: usize = 4;
    pub(super) const KIND: usize = 5;
    pub(super) const LEN: usize = 6;
    pub(super) const NONCE: usize = 8;
    pub(super) const PROTOCOL: usize = 16;
    pub(super) const CODE: usize = 17;
    pub(super) const FLAGS: usize = 18;
    pub(super) const EN: usize = 20;
    pub(super) const ROUTER: usize = 24;
    pub(super) const EN_PORT: usize = 28;
    pub(super) const DST_PORT: usize = 30;
    pub(super) const MAPPED: usize = 32;
    pub(super) const MAPPED_PORT: usize = 36;
    pub(super) const LIFETIME: usize = 40;
}

/// Length in bytes of the start of a message that holds its nonce.
pub const NONCE_END: usize = at::NONCE + 8;

/// The nonce of a message of which perhaps only the start is there. `None`: it is none.
pub fn nonce(start: &[u8]) -> Option<u64> {
    let ours = start.starts_with(&MAGIC) && start.len() >= NONCE_END;
    ours.then(|| u64::from_be_bytes(field::bytes(start, at::NONCE)))
}

/// What is wrong with a message that has the magic. It is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The length field is not the length of the ICMP data, or out of 44 to 1024.
    Length,
    /// Another version.
    Version,
    /// Neither a request nor a response.
    Type,
    /// An option overruns the message.
    Option,
    /// A request without a NAME.
    NoName,
    /// A request with more than one NAME.
    SecondName,
    /// The NAME is none.
    Name(NameError),
    /// A response with an option that must be understood and is not; there is nobody to tell.
    CriticalOption,
    /// A response with an EPOCH that is not 8 bytes long, or with more than one.
    Epoch,
    /// A COOKIE that is not 8 bytes long, or more than one.
    Cookie,
    /// An AUTH that is not 28 bytes long, or not the last option.
    Auth,
    /// Several EARLY that do not follow each other.
    Early,
}

/// The buffer given to `emit` is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// What the data of an ICMP echo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Somebody's plain ping.
    NotNatf,
    /// A NAT-f message that must not be answered.
    Malformed(Malformed),
    /// A request. In an echo *reply* it is EN's own, returned by a host that does not speak NAT-f.
    Request(Request<'a>),
    /// A response.
    Response(Response),
}

impl<'a> Message<'a> {
    /// Reads `data`, the whole data of an ICMP echo.
    pub fn classify(data: &'a [u8]) -> Self {
        if !data.starts_with(&MAGIC) {
            return Message::NotNatf;
        }
        Self::parse(data).unwrap_or_else(Message::Malformed)
    }

    fn parse(data: &'a [u8]) -> Result<Self, Malformed> {
        let (fixed, options) = data
            .split_first_chunk::<HEADER_LEN>()
            .filter(|_| data.len() <= MAX_LEN)
            .filter(|_| usize::from(field::half(data, at::LEN)) == data.len())
            .ok_or(Malformed::Length)?;
        if field::byte(fixed, at::VERSION) != VERSION {
            return Err(Malformed::Version);
        }
        match field::byte(fixed, at::KIND) {
            REQUEST => Request::parse(fixed, options).map(Message::Request),
            RESPONSE => Response::parse(fixed, options).map(Message::Response),
            _ => Err(Malformed::Type),
        }
    }
}

/// Writes what requests and responses have in common, and zeros for the rest of the fixed part.
fn emit_fixed(message: &mut [u8], kind: u8, nonce: u64, protocol: Protocol) {
    // The callers' messages are no longer than MAX_REQUEST_LEN.
    let len = u16::try_from(message.len()).unwrap_or(0);
    message.fill(0);
    field::put(message, at::MAGIC, &MAGIC);
    field::put(message, at::VERSION, &[VERSION, kind]);
    field::put(message, at::LEN, &len.to_be_bytes());
    field::put(message, at::NONCE, &nonce.to_be_bytes());
    field::put(message, at::PROTOCOL, &[protocol.into()]);
}

/// Writes the two ends of the flow.
fn emit_flow(message: &mut [u8], en: Ipv4Addr, router: Ipv4Addr, ports: [u16; 2]) {
    let [en_port, dst_port] = ports;
    field::put(message, at::EN, &en.octets());
    field::put(message, at::ROUTER, &router.octets());
    field::put(message, at::EN_PORT, &en_port.to_be_bytes());
    field::put(message, at::DST_PORT, &dst_port.to_be_bytes());
}

/// EN asks for a mapping for one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Random, one for each flow, the same in its retransmissions.
    pub nonce: u64,
    /// Protocol of the flow. A router answers `Protocol::Other` with BAD_PROTOCOL.
    pub protocol: Protocol,
    /// EN's address (G1). It must equal the source of the IP packet.
    pub en: Ipv4Addr,
    /// The router's address (G2), destination of the IP packet.
    pub router: Ipv4Addr,
    /// EN's port (s), or the echo id.
    pub en_port: u16,
    /// The port the application asked for (d), or the echo id again.
    pub dst_port: u16,
    /// Private host name.
    pub name: NameRef<'a>,
    /// The option COOKIE: what the router asked for in its answer to this request without it.
    pub cookie: Option<u64>,
    /// The option AUTH; its code is for [`sign`](crate::natf::auth::sign) to make and
    /// [`verify`](crate::natf::auth::verify) to check, over the whole message.
    pub auth: Option<Stamp>,
    /// The option EARLY: the flow's first packet, which nobody has looked at yet.
    pub early: Option<Early<'a>>,
    /// Kind of the first option that must be understood and is not. A router answers BAD_OPTION;
    /// [`emit`](Self::emit) does not write it.
    pub unknown_critical: Option<u8>,
}

impl<'a> Request<'a> {
    fn parse(fixed: &[u8], options: &'a [u8]) -> Result<Self, Malformed> {
        let mut name = None;
        let (mut cookie, mut auth) = (None, None);
        let mut unknown_critical = None;
        let mut early = early::Finder::default();
        let mut options = options::Options::new(options);
        loop {
            let from_here = options.rest();
            let Some(option) = options.next() else { break };
            let (kind, value) = option?;
            if auth.is_some() {
                return Err(Malformed::Auth);
            }
            early.sees(kind, value.len(), from_here)?;
            match kind {
                options::NAME if name.is_some() => return Err(Malformed::SecondName),
                options::NAME => name = Some(value),
                options::AUTH => auth = Some(options::stamp(value)?),
                options::COOKIE => options::once(&mut cookie, value, Malformed::Cookie)?,
                kind if options::is_critical(kind) => {
                    unknown_critical = unknown_critical.or(Some(kind));
                }
                _ => {}
            }
        }
        let name = name.ok_or(Malformed::NoName)?;
        Ok(Request {
            nonce: u64::from_be_bytes(field::bytes(fixed, at::NONCE)),
            protocol: field::byte(fixed, at::PROTOCOL).into(),
            en: field::bytes::<4>(fixed, at::EN).into(),
            router: field::bytes::<4>(fixed, at::ROUTER).into(),
            en_port: field::half(fixed, at::EN_PORT),
            dst_port: field::half(fixed, at::DST_PORT),
            name: NameRef::parse_wire_text(name).map_err(Malformed::Name)?,
            cookie,
            auth,
            early: early.found(),
            unknown_critical,
        })
    }

    /// Length of the message, in bytes: a multiple of 4, from 96 to [`MAX_REQUEST_LEN`], with EARLY perhaps more than
    /// [`MAX_LEN`]; then it must not be sent.
    pub fn buffer_len(&self) -> usize {
        options::padded_len(self.end().saturating_add(options::auth_len(self.auth)))
    }

    /// Where the NAME option ends.
    fn end_of_name(&self) -> usize {
        HEADER_LEN
            .saturating_add(options::HEADER_LEN)
            .saturating_add(self.name.as_bytes().len())
    }

    /// Where COOKIE ends, which follows.
    fn end_of_cookie(&self) -> usize {
        let cookie = self.cookie.map_or(0, |_| options::WORD_LEN);
        self.end_of_name().saturating_add(cookie)
    }

    /// Where the options end, without padding and AUTH.
    fn end(&self) -> usize {
        let early = self.early.map_or(0, |early| early.as_bytes().len());
        self.end_of_cookie().saturating_add(early)
    }

    /// Writes the message to the start of `buffer`.
    pub fn emit(&self, buffer: &mut [u8]) -> Result<(), NoRoom> {
        let message = buffer.get_mut(..self.buffer_len()).ok_or(NoRoom)?;
        emit_fixed(message, REQUEST, self.nonce, self.protocol);
        let ports = [self.en_port, self.dst_port];
        emit_flow(message, self.en, self.router, ports);
        options::put(message, HEADER_LEN, options::NAME, self.name.as_bytes());
        if let Some(cookie) = self.cookie {
            let at = self.end_of_name();
            options::put(message, at, options::COOKIE, &cookie.to_be_bytes());
        }
        if let Some(early) = &self.early {
            field::put(message, self.end_of_cookie(), early.as_bytes());
        }
        options::put_rest(message, self.end(), self.auth);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
