// SPDX-License-Identifier: GPL-2.0

//! One attempt to connect, as an application makes it, and everything about it that goes over the wires.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant, SystemTime};

use natf::wire::control::{Code, Response, MAGIC};
use natf::wire::icmp::EchoRepr;
use natf::wire::ipv4::Protocol;
use nix::poll::PollFlags;
use socket2::{Domain, Socket, Type};

use crate::diagnosis::tap::{self, Tap};
use crate::error::{words, Error, Result};

mod observe;

/// How long what belongs to the end of an attempt may take to be seen.
const GRACE: Duration = Duration::from_millis(30);

/// How long the kernel may take to send a packet that it may send, with one repetition by TCP.
const RELEASE: Duration = Duration::from_millis(1500);

/// What is to be connected to.
pub struct Target<'a> {
    /// TCP, UDP, or ICMP for an echo.
    pub protocol: Protocol,
    /// The virtual address.
    pub address: Ipv4Addr,
    /// The port; not of an echo.
    pub port: u16,
    /// The router's addresses.
    pub routers: &'a [Ipv4Addr],
    /// How long to wait for each answer.
    pub timeout: Duration,
}

/// What answered the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The router, as NAT-f says.
    Response(Response),
    /// A host without NAT-f, as any ping.
    Plain,
}

impl Answer {
    /// Whether packets may go now.
    fn opens(self) -> bool {
        match self {
            Answer::Plain => true,
            Answer::Response(response) => response.code == Code::Ok,
        }
    }
}

/// What came back for the first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// An answer.
    Answer,
    /// A reset.
    Reset,
    /// An ICMP error, with its code if it says "unreachable".
    Error(Ipv4Addr, Option<u8>),
}

/// How the attempt ended for the application.
#[derive(Debug, Default)]
pub enum Outcome {
    /// Nothing was heard.
    #[default]
    Nothing,
    /// It is connected, or has an answer.
    Connected(Duration),
    /// The kernel's error.
    Failed(io::Error),
}

/// Everything that was seen. Times are since the attempt began.
#[derive(Debug, Default)]
pub struct Seen {
    /// This side.
    pub local: Option<SocketAddrV4>,
    /// The first request, and to whom.
    pub request: Option<(Duration, Ipv4Addr)>,
    /// Requests.
    pub requests: u32,
    /// The router wanted its cookie back.
    pub cookie: bool,
    /// The answer, and who gave it.
    pub answer: Option<(Duration, Ipv4Addr, Answer)>,
    /// An ICMP error about a request: by whom, type and code.
    pub complaint: Option<(Ipv4Addr, u8, u8)>,
    /// The first packet, and where it went.
    pub first: Option<(Duration, Ipv4Addr, u16)>,
    /// It travelled in the request, and the router has delivered it.
    pub early: bool,
    /// What came back for it.
    pub back: Option<(Duration, Back)>,
    /// How it ended.
    pub outcome: Outcome,
}

/// Attempts to connect, once.
pub fn connect(target: &Target<'_>) -> Result<Seen> {
    let attempt = Attempt::prepare(target)?;
    let mut seen = Seen::default();
    let began = Instant::now();
    let clock = SystemTime::now();
    if let Err(error) = attempt.begin(target) {
        seen.outcome = Outcome::Failed(error);
    }
    seen.local = match attempt.socket.local_addr().map(|local| local.as_socket()) {
        Ok(Some(SocketAddr::V4(local))) => Some(local),
        _ => None,
    };
    let routers = u32::try_from(target.routers.len().max(1)).unwrap_or(1);
    let mut until = began + target.timeout * routers;
    let events = match target.protocol {
        Protocol::Tcp => PollFlags::POLLOUT,
        _ => PollFlags::POLLIN,
    };
    while matches!(seen.outcome, Outcome::Nothing) && Instant::now() < until {
        let (unanswered, unsent) = (seen.answer.is_none(), seen.first.is_none());
        let ready = tap::wait(
            &[(&attempt.tap, PollFlags::POLLIN), (&attempt.socket, events)],
            until,
        );
        attempt.look(target, clock, &mut seen);
        if ready & 2 != 0 {
            attempt.hear(target, began, &mut seen);
        }
        if unsent && seen.first.is_some() {
            until = Instant::now() + target.timeout;
        } else if unanswered && seen.answer.is_some_and(|(_, _, answer)| answer.opens()) {
            until = Instant::now() + target.timeout.min(RELEASE);
        }
    }
    // What was seen last has come before what was heard, but another processor may have it still.
    let until = Instant::now() + GRACE;
    while Instant::now() < until {
        tap::wait(&[(&attempt.tap, PollFlags::POLLIN)], until);
        attempt.look(target, clock, &mut seen);
    }
    Ok(seen)
}

struct Attempt {
    socket: Socket,
    /// This side's port, or the identifier of the echo.
    port: u16,
    tap: Tap,
    /// The data of the echo.
    token: [u8; 16],
}

impl Attempt {
    fn prepare(target: &Target<'_>) -> Result<Self> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)
            .map_err(|error| Error::Failed(format!("no random numbers: {error}")))?;
        let failed = |error: io::Error| Error::Failed(format!("a socket: {}", words(&error)));
        let (kind, protocol) = match target.protocol {
            Protocol::Tcp => (Type::STREAM, socket2::Protocol::TCP),
            Protocol::Udp => (Type::DGRAM, socket2::Protocol::UDP),
            _ => (Type::RAW, socket2::Protocol::ICMPV4),
        };
        let socket = Socket::new(Domain::IPV4, kind, Some(protocol)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let port = match target.protocol {
            Protocol::Tcp | Protocol::Udp => {
                let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
                socket.bind(&any.into()).map_err(failed)?;
                let local = socket.local_addr().map_err(failed)?;
                local.as_socket_ipv4().map_or(0, |local| local.port())
            }
            _ => {
                let [high, low, ..] = token;
                u16::from_be_bytes([high, low])
            }
        };
        Ok(Attempt {
            socket,
            port,
            tap: Tap::open(port)?,
            token,
        })
    }

    fn begin(&self, target: &Target<'_>) -> io::Result<()> {
        let to = SocketAddrV4::new(target.address, target.port);
        match self.socket.connect(&to.into()) {
            // EINPROGRESS
            Err(error) if error.raw_os_error() == Some(nix::errno::Errno::EINPROGRESS as i32) => {}
            done => done?,
        }
        match target.protocol {
            Protocol::Tcp => {}
            Protocol::Udp => drop(self.socket.send(&[])?),
            _ => drop(self.socket.send(&echo(self.port, &self.token))?),
        }
        Ok(())
    }

    /// What the application hears.
    fn hear(&self, target: &Target<'_>, began: Instant, seen: &mut Seen) {
        let connected = Outcome::Connected(began.elapsed());
        if target.protocol == Protocol::Tcp {
            seen.outcome = match self.socket.take_error() {
                Ok(None) => connected,
                Ok(Some(error)) | Err(error) => Outcome::Failed(error),
            };
            return;
        }
        let mut buffer = [std::mem::MaybeUninit::uninit(); 2048];
        match self.socket.recv(&mut buffer) {
            // A raw socket hears of everything from there; the wire tells what it was.
            Ok(_) if target.protocol == Protocol::Udp || seen.back.is_some() => {
                seen.outcome = connected;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => seen.outcome = Outcome::Failed(error),
        }
    }

    /// What went by meanwhile.
    fn look(&self, target: &Target<'_>, began: SystemTime, seen: &mut Seen) {
        while let Some(packet) = self.tap.next() {
            let after = packet.time.duration_since(began).unwrap_or_default();
            // Whatever cannot be read is none of ours.
            let _ = self.note(target, &packet, after, seen);
        }
    }
}

fn echo(ident: u16, data: &[u8]) -> Vec<u8> {
    debug_assert!(!data.starts_with(&MAGIC));
    let echo = EchoRepr {
        reply: false,
        ident,
        seq: 1,
        data,
    };
    let mut bytes = vec![0; echo.buffer_len()];
    // There is room.
    let _ = echo.emit(&mut bytes);
    bytes
}

/// Whether `router` answers a plain ping.
pub fn pings(router: Ipv4Addr, timeout: Duration) -> Result<bool> {
    let target = Target {
        protocol: Protocol::Icmp,
        address: router,
        port: 0,
        routers: &[],
        timeout,
    };
    let seen = connect(&target)?;
    Ok(seen.back.is_some_and(|(_, back)| back == Back::Answer))
}
