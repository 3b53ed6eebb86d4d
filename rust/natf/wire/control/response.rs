// SPDX-License-Identifier: GPL-2.0

//! The router's answer.

use core::net::Ipv4Addr;

use crate::natf::auth::Stamp;
use crate::natf::wire::control::{
    at, emit_fixed, emit_flow, options, Code, Malformed, NoRoom, Request, HEADER_LEN, RESPONSE,
};
use crate::natf::wire::field;
use crate::natf::wire::ipv4::Protocol;

/// The mapping was there before the request.
const KEPT: u16 = 1;

/// The packet of this nonce was delivered.
const DELIVERED: u16 = 2;

/// The router's answer to a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// That of the request.
    pub nonce: u64,
    /// That of the request, even if it is one that nobody maps.
    pub protocol: Protocol,
    /// Whether there is a mapping, and if not, why.
    pub code: Code,
    /// The flag KEPT: the mapping was there before the request.
    pub kept: bool,
    /// The flag DELIVERED: the first packet of the flow, which the request or an earlier one with its nonce carried,
    /// is on its way to the inside host.
    pub delivered: bool,
    /// That of the request (G1).
    pub en: Ipv4Addr,
    /// That of the request (G2).
    pub router: Ipv4Addr,
    /// That of the request (s).
    pub en_port: u16,
    /// That of the request (d).
    pub dst_port: u16,
    /// Where EN must send the flow; 0.0.0.0 with an error.
    pub mapped: Ipv4Addr,
    /// Port there (m), or the echo id; 0 with an error.
    pub mapped_port: u16,
    /// Seconds that the mapping lives without traffic; 0 with an error.
    pub lifetime: u32,
    /// The option EPOCH: another number than before says that the router may have lost its mappings.
    pub epoch: Option<u64>,
    /// The option COOKIE: what the request must bring when it is repeated.
    pub cookie: Option<u64>,
    /// The option AUTH, as in a [`Request`].
    pub auth: Option<Stamp>,
}

impl Response {
    /// A refusal of `request`, or another answer without a mapping.
    pub fn to(request: &Request<'_>, code: Code) -> Self {
        Response {
            nonce: request.nonce,
            protocol: request.protocol,
            code,
            kept: false,
            delivered: false,
            en: request.en,
            router: request.router,
            en_port: request.en_port,
            dst_port: request.dst_port,
            mapped: Ipv4Addr::UNSPECIFIED,
            mapped_port: 0,
            lifetime: 0,
            epoch: None,
            cookie: None,
            auth: None,
        }
    }

    /// The answer that `request` was mapped to `mapped`:`port` for `lifetime` seconds.
    pub fn mapped(request: &Request<'_>, mapped: Ipv4Addr, port: u16, lifetime: u32) -> Self {
        Response {
            mapped,
            mapped_port: port,
            lifetime,
            ..Response::to(request, Code::Ok)
        }
    }

    /// The answer that nothing comes of it, for this reason.
    pub fn refused(self, code: Code) -> Self {
        Response {
            code,
            delivered: false,
            ..self
        }
    }

    /// The same answer with only those options that a message of `room` bytes, the length of the
    /// request, can hold: no answer is longer than its request.
    pub fn within(self, room: usize) -> Self {
        match self.buffer_len() <= room {
            true => self,
            false => Response {
                epoch: None,
                ..self
            },
        }
    }

    /// Whether this answers `request`: the same flow and nonce. That it came from the router that was
    /// asked is for the caller to see, in the IP header.
    pub fn answers(&self, request: &Request<'_>) -> bool {
        self.nonce == request.nonce
            && self.protocol == request.protocol
            && self.en == request.en
            && self.en_port == request.en_port
            && self.dst_port == request.dst_port
    }

    pub(super) fn parse(fixed: &[u8], options: &[u8]) -> Result<Self, Malformed> {
        let (mut epoch, mut cookie, mut auth) = (None, None, None);
        for option in options::Options::new(options) {
            let (kind, value) = option?;
            if auth.is_some() {
                return Err(Malformed::Auth);
            }
            match kind {
                options::AUTH => auth = Some(options::stamp(value)?),
                options::EPOCH => options::once(&mut epoch, value, Malformed::Epoch)?,
                options::COOKIE => options::once(&mut cookie, value, Malformed::Cookie)?,
                kind if options::is_critical(kind) => return Err(Malformed::CriticalOption),
                _ => {}
            }
        }
        Ok(Response {
            nonce: u64::from_be_bytes(field::bytes(fixed, at::NONCE)),
            protocol: field::byte(fixed, at::PROTOCOL).into(),
            code: field::byte(fixed, at::CODE).into(),
            kept: field::half(fixed, at::FLAGS) & KEPT != 0,
            delivered: field::half(fixed, at::FLAGS) & DELIVERED != 0,
            en: field::bytes::<4>(fixed, at::EN).into(),
            router: field::bytes::<4>(fixed, at::ROUTER).into(),
            en_port: field::half(fixed, at::EN_PORT),
            dst_port: field::half(fixed, at::DST_PORT),
            mapped: field::bytes::<4>(fixed, at::MAPPED).into(),
            mapped_port: field::half(fixed, at::MAPPED_PORT),
            lifetime: field::word(fixed, at::LIFETIME),
            epoch,
            cookie,
            auth,
        })
    }

    /// Length of the message, in bytes: 44 without options, at most [`MAX_RESPONSE_LEN`]. No request
    /// is shorter than the former; [`within`](Self::within) takes care of the rest.
    pub fn buffer_len(&self) -> usize {
        // The options are of such lengths that there is no gap of one byte, too little for PAD.
        let end = self.end().saturating_add(options::auth_len(self.auth));
        end.checked_next_multiple_of(4).unwrap_or(end)
    }

    /// Where the options end, without padding and AUTH.
    fn end(&self) -> usize {
        let options = [self.epoch, self.cookie].iter().flatten().count();
        HEADER_LEN.saturating_add(options.saturating_mul(options::WORD_LEN))
    }

    /// Writes the message to the start of `buffer`.
    pub fn emit(&self, buffer: &mut [u8]) -> Result<(), NoRoom> {
        let message = buffer.get_mut(..self.buffer_len()).ok_or(NoRoom)?;
        emit_fixed(message, RESPONSE, self.nonce, self.protocol);
        let ports = [self.en_port, self.dst_port];
        emit_flow(message, self.en, self.router, ports);
        let flag = |set, bit| if set { bit } else { 0 };
        let flags = flag(self.kept, KEPT) | flag(self.delivered, DELIVERED);
        field::put(message, at::CODE, &[self.code.into()]);
        field::put(message, at::FLAGS, &flags.to_be_bytes());
        field::put(message, at::MAPPED, &self.mapped.octets());
        field::put(message, at::MAPPED_PORT, &self.mapped_port.to_be_bytes());
        field::put(message, at::LIFETIME, &self.lifetime.to_be_bytes());
        let mut at = HEADER_LEN;
        for (kind, value) in [(options::EPOCH, self.epoch), (options::COOKIE, self.cookie)] {
            if let Some(value) = value {
                options::put(message, at, kind, &value.to_be_bytes());
                at = at.saturating_add(options::WORD_LEN);
            }
        }
        options::put_rest(message, at, self.auth);
        Ok(())
    }
}
