// SPDX-License-Identifier: GPL-2.0

//! Rules of the virtual address translation table: what a flow is, how its negotiation goes on in
//! time, and when it ends. The tables themselves belong to the caller.

use core::net::Ipv4Addr;

use crate::natf::wire::ipv4::{self, Protocol};
use crate::natf::wire::{icmp, tcp, udp};

/// Bytes of a packet that [`Segment::parse`] may want to see: the longest IPv4 header, and TCP up to its flags.
pub const SEGMENT_LEN: usize = 60 + 14;

/// Pauses after a request, in milliseconds: then it is sent again, after the last one given up.
pub const PAUSES_MS: [u64; 4] = [250, 500, 1000, 2000];

/// How long a refusal is remembered, in milliseconds: past the first retransmission of TCP (1 s).
pub const REFUSAL_MS: u64 = 2000;

/// No flow is over before so much silence, in milliseconds: a lifetime is at least one second.
pub const MIN_IDLE_MS: u64 = 1000;

/// After so much silence a flow gives way to another that the router maps to the same port, in milliseconds.
pub const STALE_MS: u64 = 120_000;

/// How long a TCP flow lives without traffic, in milliseconds, after both sides closed it (twice the
/// maximum segment lifetime);
pub const CLOSED_MS: u64 = 60_000;
/// after one side closed it, and while the other side has not answered at all (as in conntrack);
pub const HALF_OPEN_MS: u64 = 120_000;
/// after a reset;
pub const RESET_MS: u64 = 10_000;
/// and when the router lost it: longer than TCP waits before it repeats a segment (120 s).
pub const BROKEN_MS: u64 = 180_000;

/// A flow as one side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowId {
    /// TCP, UDP or ICMP echo.
    pub protocol: Protocol,
    /// Our own address and port. ICMP echo has its identifier in the place of both ports.
    pub local: (Ipv4Addr, u16),
    /// The other side's: virtual for the application, mapped on the wire.
    pub remote: (Ipv4Addr, u16),
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From us.
    Out,
    /// To us.
    In,
}

/// A flow as it stands in a packet, for a hash table: its addresses, local and remote, and its ports in that order
/// and its protocol, as two little-endian words; the highest byte of the second one is zero.
pub type Words = (u64, u64);

/// What the head of a packet says about its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The flow, as it is looked for.
    pub words: Words,
    /// Length of the IPv4 header, in bytes: where the transport header starts.
    pub transport: usize,
    /// Flags of TCP; none for others.
    pub flags: tcp::Flags,
    /// Whether it is more than an acknowledgment, so that the other side will answer.
    pub wants_answer: bool,
}

impl Segment {
    /// Reads `head`, the start of a packet: at least [`SEGMENT_LEN`] bytes, if it has so many. `None`: a fragment, too short, or neither TCP nor UDP nor an
    /// echo request of ours or the reply to one.
    #[inline(always)]
    pub fn parse(head: &[u8], direction: Direction) -> Option<Self> {
        let packet = ipv4::Packet::new_header_checked(head).ok()?;
        let protocol = *head.get(ipv4::at::PROTOCOL)?;
        let addresses = u64::from_le_bytes(*head.get(ipv4::at::SRC..)?.first_chunk()?);
        let transport = packet.header_len();
        let rest = head.get(transport..)?;
        if packet.is_fragment() {
            return None;
        }
        let mut flags = tcp::Flags::default();
        let mut wants_answer = true;
        let ports = match protocol.into() {
            Protocol::Tcp => {
                let [words, bits] = *rest.get(12..)?.first_chunk()?;
                let headers = transport.checked_add(usize::from(words >> 4).checked_mul(4)?)?;
                flags = bits.into();
                wants_answer =
                    usize::from(packet.total_len()) != headers || flags.syn() || flags.fin();
                u32::from_le_bytes(*rest.first_chunk()?)
            }
            Protocol::Udp if rest.len() >= udp::HEADER_LEN => {
                u32::from_le_bytes(*rest.first_chunk()?)
            }
            Protocol::Icmp => echo_ports(rest, direction)?,
            _ => return None,
        };
        let (addresses, ports) = match direction {
            Direction::Out => (addresses, ports),
            Direction::In => (addresses.rotate_left(32), ports.rotate_left(16)),
        };
        Some(Segment {
            words: (
                addresses,
                u64::from(ports) | (u64::from(protocol) << PROTOCOL_BIT),
            ),
            transport,
            flags,
            wants_answer,
        })
    }

    /// The flow.
    pub fn flow(&self) -> FlowId {
        FlowId::from_words(self.words)
    }

    /// TCP, UDP or ICMP.
    pub fn protocol(&self) -> Protocol {
        protocol_of(self.words)
    }

    /// Whether it is TCP.
    pub fn is_tcp(&self) -> bool {
        self.protocol() == Protocol::Tcp
    }

    /// Whether the packet opens a TCP connection.
    pub fn opens(&self) -> bool {
        self.flags.syn() && !self.flags.ack()
    }
}

/// Where the protocol is in the second of the [`Words`].
const PROTOCOL_BIT: u32 = 32;

fn protocol_of((_, high): Words) -> Protocol {
    let [.., protocol, _, _, _, _] = high.to_be_bytes();
    protocol.into()
}

/// The identifier of an echo in the place of both ports. `None`: not an echo of that direction.
#[cold]
fn echo_ports(rest: &[u8], direction: Direction) -> Option<u32> {
    let echo = icmp::Packet::new_checked(rest).ok()?;
    let fits = match direction {
        Direction::Out => echo.is_echo_request(),
        Direction::In => echo.is_echo_reply(),
    };
    let [a, b] = echo.ident().to_be_bytes();
    fits.then_some(u32::from_le_bytes([a, b, a, b]))
}

impl FlowId {
    /// The key of a hash table: all fields, in network byte order, padded with zeros.
    pub fn key(&self) -> [u8; 15] {
        let (low, high) = self.words();
        let whole = u128::from(low) | (u128::from(high) << 64);
        let [key @ .., _] = whole.to_le_bytes();
        key
    }

    /// The same as two words.
    pub fn words(&self) -> Words {
        let address = |addr: Ipv4Addr| u64::from(u32::from_le_bytes(addr.octets()));
        let port = |port: u16| u64::from(port.swap_bytes());
        let protocol = u64::from(u8::from(self.protocol));
        (
            address(self.local.0) | (address(self.remote.0) << 32),
            port(self.local.1) | (port(self.remote.1) << 16) | (protocol << PROTOCOL_BIT),
        )
    }

    /// The flow of these words.
    #[inline]
    pub fn from_words(words: Words) -> Self {
        let [l0, l1, l2, l3, r0, r1, r2, r3] = words.0.to_le_bytes();
        let [lp0, lp1, rp0, rp1, ..] = words.1.to_le_bytes();
        FlowId {
            protocol: protocol_of(words),
            local: (
                Ipv4Addr::new(l0, l1, l2, l3),
                u16::from_be_bytes([lp0, lp1]),
            ),
            remote: (
                Ipv4Addr::new(r0, r1, r2, r3),
                u16::from_be_bytes([rp0, rp1]),
            ),
        }
    }

    /// The flow as it is on the wire once it is mapped to `to`. An echo has one identifier, and the NAT
    /// chose it.
    pub fn on_wire(&self, to: (Ipv4Addr, u16)) -> Self {
        let local = match self.protocol {
            Protocol::Icmp => to.1,
            _ => self.local.1,
        };
        FlowId {
            local: (self.local.0, local),
            remote: to,
            ..*self
        }
    }
}

/// Time from `then` to `now`, in milliseconds, where `then` kept only the low half: right up to 24 days. 0 if
/// `then` is later: another CPU may have written it after the caller looked at the clock.
pub fn since(now: u64, then: u32) -> u64 {
    let [.., a, b, c, d] = now.to_be_bytes();
    match u32::from_be_bytes([a, b, c, d]).wrapping_sub(then) {
        passed @ 0..=0x7fff_ffff => u64::from(passed),
        _ => 0,
    }
}

/// A flow that had no answer for so long asks whether its mapping is still there, in milliseconds, when it
/// has asked `asked` times since it last heard something.
pub fn doubt_ms(asked: u8) -> u64 {
    1000_u64.wrapping_shl(u32::from(asked.min(5)))
}

/// What a negotiation has to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// Send the request again.
    Resend,
    /// The router is silent.
    GiveUp,
}

/// The clock of one negotiation.
#[derive(Clone, Copy, Debug)]
pub struct Negotiation {
    sent: usize,
    due: u64,
}

impl Negotiation {
    /// The first request goes out at `now`, in milliseconds.
    pub fn start(now: u64) -> Self {
        let mut negotiation = Negotiation { sent: 0, due: now };
        negotiation.step(now);
        negotiation
    }

    /// Called from time to time.
    pub fn step(&mut self, now: u64) -> Step {
        if now < self.due {
            return Step::Wait;
        }
        match PAUSES_MS.get(self.sent) {
            Some(pause) => {
                self.sent = self.sent.saturating_add(1);
                self.due = now.saturating_add(*pause);
                Step::Resend
            }
            None => Step::GiveUp,
        }
    }
}

/// What was seen of a TCP connection; a set of bits, so that it can live in an atomic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen(pub u8);

impl Seen {
    const FIN_OUT: u8 = 1;
    const FIN_IN: u8 = 2;
    const RESET: u8 = 4;
    const ANSWER: u8 = 8;

    /// With the flags of one more segment. A segment that follows a reset shows that the receiver did
    /// not take it: its sequence number was wrong.
    pub fn and(self, flags: tcp::Flags, direction: Direction) -> Self {
        let mut bits = self.0 & !Self::RESET;
        if direction == Direction::In {
            bits |= Self::ANSWER;
        }
        if flags.fin() {
            bits |= match direction {
                Direction::Out => Self::FIN_OUT,
                Direction::In => Self::FIN_IN,
            };
        }
        if flags.rst() {
            bits |= Self::RESET;
        }
        Seen(bits)
    }

    /// Whether anything came in.
    pub fn answered(self) -> bool {
        self.0 & Self::ANSWER != 0
    }

    /// Whether the end has begun: a new SYN then belongs to a new flow.
    pub fn ends(self) -> bool {
        self.0 & (Self::FIN_OUT | Self::FIN_IN | Self::RESET) != 0
    }

    /// How long the flow lives on without traffic, in milliseconds; `lifetime` is the router's, in seconds.
    pub fn idle_limit_ms(self, lifetime: u32) -> u64 {
        const BOTH: u8 = Seen::FIN_OUT | Seen::FIN_IN;
        let limit = match self.0 {
            bits if bits & Self::RESET != 0 => RESET_MS,
            bits if bits & BOTH == BOTH => CLOSED_MS,
            bits if bits & BOTH != 0 || bits & Self::ANSWER == 0 => HALF_OPEN_MS,
            _ => u64::MAX,
        };
        limit.min(lifetime_ms(lifetime))
    }
}

/// A lifetime of the wire, in seconds, as milliseconds; at most 20 days, so that [`since`] stays right.
pub fn lifetime_ms(lifetime: u32) -> u64 {
    const MOST: u64 = 20 * 86_400_000;
    u64::from(lifetime).saturating_mul(1000).min(MOST)
}

/// Lifetime of a flow to a host without NAT-f, in seconds: no NAT tells us one.
pub fn direct_lifetime(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::Tcp => 432_000,
        Protocol::Icmp => 30,
        _ => 120,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 2), 40_000);
    const V: (Ipv4Addr, u16) = (Ipv4Addr::new(240, 0, 3, 4), 80);

    fn packet(protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        ipv4::Repr {
            src: EN.0,
            dst: V.0,
            protocol: protocol.into(),
            ttl: 64,
            dont_fragment: true,
            ident: 0,
            payload_len: rest.len() as u16,
        }
        .emit(&mut bytes)
        .unwrap();
        bytes.extend(rest);
        bytes
    }

    fn tcp_head(flags: u8) -> Vec<u8> {
        let mut rest = vec![0; 20];
        rest[..2].copy_from_slice(&EN.1.to_be_bytes());
        rest[2..4].copy_from_slice(&V.1.to_be_bytes());
        rest[12] = 0x50;
        rest[13] = flags;
        packet(6, &rest)
    }

    #[test]
    fn a_key_is_its_words_and_gives_the_flow_back() {
        let flow = FlowId {
            protocol: Protocol::Udp,
            local: EN,
            remote: V,
        };
        let key = [198, 51, 100, 2, 240, 0, 3, 4, 0x9c, 0x40, 0, 80, 17, 0, 0];
        assert_eq!(flow.key(), key);
        assert_eq!(FlowId::from_words(flow.words()), flow);
        let (low, high) = flow.words();
        assert_eq!(low.to_le_bytes()[..], key[..8]);
        assert_eq!(high.to_le_bytes(), [0x9c, 0x40, 0, 80, 17, 0, 0, 0]);
    }

    #[test]
    fn both_directions_name_the_same_flow() {
        let bytes = tcp_head(2);
        let out = Segment::parse(&bytes, Direction::Out).unwrap();
        assert_eq!((out.flow().local, out.flow().remote), (EN, V));
        assert_eq!(out.transport, 20);
        assert!(out.opens());
        let back = Segment::parse(&bytes, Direction::In).unwrap();
        assert_eq!((back.flow().local, back.flow().remote), (V, EN));
    }

    #[test]
    fn every_short_head_is_refused() {
        let bytes = tcp_head(2);
        for len in 0..34 {
            assert_eq!(Segment::parse(&bytes[..len], Direction::Out), None, "{len}");
        }
        assert!(Segment::parse(&bytes[..34], Direction::Out).is_some());
        let udp = packet(17, &[0; 8]);
        assert!(Segment::parse(&udp, Direction::Out).is_some());
        assert_eq!(Segment::parse(&udp[..27], Direction::Out), None);
    }

    #[test]
    fn fragments_and_other_protocols_are_no_flows() {
        let mut fragment = tcp_head(2);
        fragment[6] = 0x20;
        assert_eq!(Segment::parse(&fragment, Direction::Out), None);
        assert_eq!(Segment::parse(&packet(2, &[0; 20]), Direction::Out), None);
    }

    #[test]
    fn an_echo_is_a_flow_by_its_identifier() {
        for (kind, code, flow_out, flow_in) in [
            (8, 0, true, false),
            (0, 0, false, true),
            (8, 1, false, false),
            (3, 0, false, false),
            (13, 0, false, false),
        ] {
            let bytes = packet(1, &[kind, code, 0, 0, 0x12, 0x34, 0, 1]);
            let out = Segment::parse(&bytes, Direction::Out);
            let back = Segment::parse(&bytes, Direction::In);
            assert_eq!(
                (out.is_some(), back.is_some()),
                (flow_out, flow_in),
                "{kind}"
            );
            for segment in out.iter().chain(&back) {
                assert_eq!(segment.protocol(), Protocol::Icmp);
                assert_eq!(
                    (segment.flow().local.1, segment.flow().remote.1),
                    (0x1234, 0x1234)
                );
                assert!(segment.wants_answer);
            }
            assert_eq!(Segment::parse(&bytes[..27], Direction::Out), None);
        }
        let echo = FlowId {
            protocol: Protocol::Icmp,
            local: (EN.0, 7),
            remote: (V.0, 7),
        };
        let mapped = echo.on_wire((EN.0, 9));
        assert_eq!((mapped.local, mapped.remote), ((EN.0, 9), (EN.0, 9)));
    }

    #[test]
    fn an_acknowledgment_wants_no_answer() {
        let wants = |flags: u8, data: usize| {
            let mut rest = vec![0; 20 + data];
            rest[12] = 0x50;
            rest[13] = flags;
            let bytes = packet(6, &rest);
            Segment::parse(&bytes, Direction::Out).unwrap().wants_answer
        };
        assert!(!wants(0x10, 0));
        assert!(wants(0x10, 1));
        assert!(wants(2, 0));
        assert!(wants(0x11, 0));
    }

    #[test]
    fn times_are_told_across_the_wrap() {
        let now = (7 << 32) + 5;
        assert_eq!(since(now, 1), 4);
        assert_eq!(since(now, u32::MAX), 6);
        assert_eq!(since(now, 6), 0, "a later time");
        assert_eq!(
            since(u64::from(u32::MAX), 0),
            0,
            "a later time, across the wrap"
        );
        assert_eq!(since(u64::from(u32::MAX), u32::MAX - 2), 2);
        assert_eq!(lifetime_ms(10), 10_000);
        assert_eq!(lifetime_ms(u32::MAX), 1_728_000_000);
        assert_eq!([0, 1, 5, 255].map(doubt_ms), [1000, 2000, 32_000, 32_000]);
    }

    #[test]
    fn keys_tell_every_field_apart() {
        let flow = FlowId {
            protocol: Protocol::Tcp,
            local: EN,
            remote: V,
        };
        let others = [
            FlowId {
                protocol: Protocol::Udp,
                ..flow
            },
            FlowId {
                local: (EN.0, 1),
                ..flow
            },
            FlowId {
                local: (V.0, EN.1),
                ..flow
            },
            FlowId {
                remote: (EN.0, V.1),
                ..flow
            },
            flow.on_wire((V.0, 81)),
            FlowId {
                local: flow.remote,
                remote: flow.local,
                ..flow
            },
        ];
        for other in others {
            assert_ne!(flow.key(), other.key(), "{other:?}");
            assert_eq!(FlowId::from_words(other.words()), other);
        }
    }

    #[test]
    fn requests_go_out_as_the_protocol_page_says() {
        let mut negotiation = Negotiation::start(10_000);
        let mut sent = vec![0];
        for now in 10_000..20_000 {
            match negotiation.step(now) {
                Step::Wait => {}
                Step::Resend => sent.push(now - 10_000),
                Step::GiveUp => {
                    assert_eq!(sent, [0, 250, 750, 1750]);
                    assert_eq!(now - 10_000, 3750);
                    return;
                }
            }
        }
        panic!("never given up");
    }

    #[test]
    fn what_was_seen_bounds_the_life_of_a_connection() {
        const DAY: u32 = 86_400;
        let (syn, ack, fin, rst) = (2, 0x10, 0x11, 4);
        let seen = |segments: &[(u8, Direction)]| {
            segments
                .iter()
                .fold(Seen::default(), |seen, (flags, direction)| {
                    seen.and(tcp::Flags::from(*flags), *direction)
                })
        };
        use Direction::{In, Out};
        for (segments, limit, ends) in [
            (&[(syn, Out)][..], HALF_OPEN_MS, false),
            (&[(syn, Out), (ack, In)], 86_400_000, false),
            (&[(syn, Out), (ack, In), (fin, Out)], HALF_OPEN_MS, true),
            (
                &[(syn, Out), (ack, In), (fin, Out), (fin, In)],
                CLOSED_MS,
                true,
            ),
            (&[(syn, Out), (rst, In)], RESET_MS, true),
            // A reset that nobody took.
            (
                &[(syn, Out), (ack, In), (rst, In), (ack, Out)],
                86_400_000,
                false,
            ),
        ] {
            assert_eq!(seen(segments).idle_limit_ms(DAY), limit, "{segments:?}");
            assert_eq!(seen(segments).ends(), ends, "{segments:?}");
        }
        assert_eq!(seen(&[(rst, In)]).idle_limit_ms(1), 1000);
    }
}
