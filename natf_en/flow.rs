// SPDX-License-Identifier: GPL-2.0

//! A flow: the entry of the VAT table. Small, because there may be a million; what it needs only while it
//! is negotiated is in [`Pending`].

use core::fmt;
use core::net::Ipv4Addr;
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU8, Ordering};

use kernel::prelude::*;
use kernel::sync::Arc;

use crate::early;
use crate::endpoint::Endpoint;
use crate::linked;
use crate::linux::clock;
use crate::linux::lock::{BhLock, Guard};
use crate::linux::netns::Netns;
use crate::linux::route;
use crate::linux::shared::{Counted, Shared};
use crate::linux::skb::Skb;
use crate::linux::table::{Link, Table};
use crate::natf::counters::En;
use crate::natf::nrt;
use crate::natf::vat::{self, Direction, FlowId, Seen, Segment};
use crate::natf::wire::ipv4::Protocol;
use crate::pending::{nonce_key, Pending, Stage};

/// Whose packets they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Of an application on this host.
    Local,
    /// Of a host behind this one, after its NAT.
    Forwarded,
}

/// A name that a flow has: as long as it does, the name is not forgotten for want of room.
pub(crate) struct InUse(Arc<nrt::Entry>);

impl InUse {
    fn new(name: Arc<nrt::Entry>) -> Self {
        name.begin_flow();
        Self(name)
    }
}

impl Deref for InUse {
    type Target = Arc<nrt::Entry>;

    fn deref(&self) -> &Arc<nrt::Entry> {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.end_flow();
    }
}

/// One flow.
#[pin_data]
pub(crate) struct Flow {
    /// As the application sees it: G1:s to V:d.
    outgoing: Link,
    /// As the wire sees it: G1:s to G2:m. Set once, when the flow is mapped; a flow that gets another mapping
    /// is another flow.
    incoming: Link,
    /// The name behind V.
    pub(crate) name: InUse,
    pub(crate) route: route::Cache,
    /// `None` once the flow is open.
    #[pin]
    pending: BhLock<Option<KBox<Pending>>>,
    /// When the last packet passed, in milliseconds since boot; the low half.
    used: AtomicU32,
    /// When the first packet went out that has had no answer, likewise, or when the router was last asked about
    /// that; 0: all have been answered.
    unanswered: AtomicU32,
    /// Lifetime without traffic, in seconds.
    lifetime: AtomicU32,
    /// How often the router was asked again since something came in.
    asked: AtomicU8,
    /// Whether it is being asked.
    asking: AtomicBool,
    /// Which of the router's addresses mapped the flow.
    router: AtomicU8,
    /// A [`Seen`].
    seen: AtomicU8,
    /// `PENDING`, `OPEN` or `BROKEN`: what a data packet looks at instead of taking the lock.
    state: AtomicU8,
    /// Where its packets come from.
    pub(crate) path: Path,
}

linked!(Flow, 0, outgoing);
linked!(Flow, 1, incoming);

/// Flows by what the application sees.
pub(crate) type Outgoing = Table<Flow, 0>;
/// Mapped flows by what the wire sees.
pub(crate) type Incoming = Table<Flow, 1>;

const PENDING: u8 = 0;
const OPEN: u8 = 1;
const BROKEN: u8 = 2;

/// Where the packets of a flow go.
pub(crate) enum State {
    /// Nowhere yet: see [`Flow::hold`].
    Pending,
    /// To this address and port.
    Open((Ipv4Addr, u16)),
    /// A TCP connection that the router lost.
    Broken,
}

/// The low half of a time.
fn low(now: u64) -> u32 {
    let [.., a, b, c, d] = now.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

impl Flow {
    /// A flow of which only `pending` is known. Any context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        id: &FlowId,
        path: Path,
        name: Arc<nrt::Entry>,
        pending: KBox<Pending>,
    ) -> Result<Shared<Self>> {
        Shared::pin_init(
            pin_init!(Flow {
                outgoing: Link::of(id.words()),
                incoming: Link::unset(),
                name: InUse::new(name),
                route: route::Cache::new(),
                pending <- BhLock::new(Some(pending)),
                used: AtomicU32::new(low(clock::now_ms())),
                unanswered: AtomicU32::new(0),
                lifetime: AtomicU32::new(0),
                asked: AtomicU8::new(0),
                asking: AtomicBool::new(false),
                router: AtomicU8::new(0),
                seen: AtomicU8::new(0),
                state: AtomicU8::new(PENDING),
                path,
            }),
            GFP_ATOMIC,
        )
    }

    /// As the application sees it.
    pub(crate) fn id(&self) -> FlowId {
        FlowId::from_words(self.outgoing.key().unwrap_or_default())
    }

    /// What is left to do before the flow is open.
    pub(crate) fn pending(&self) -> Guard<'_, Option<KBox<Pending>>> {
        self.pending.lock()
    }

    /// How far the flow has come.
    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        match (self.state.load(Ordering::Acquire), self.mapped()) {
            (OPEN, Some(to)) => State::Open(to),
            (BROKEN, _) => State::Broken,
            _ => State::Pending,
        }
    }

    /// Whether packets need not wait any more.
    #[inline(always)]
    pub(crate) fn is_settled(&self) -> bool {
        self.state.load(Ordering::Acquire) != PENDING
    }

    /// The address and port on the other side of the wire, if the router has told them.
    pub(crate) fn mapped(&self) -> Option<(Ipv4Addr, u16)> {
        self.incoming
            .key()
            .map(|words| FlowId::from_words(words).remote)
    }

    /// The same, if packets may go there.
    pub(crate) fn open_to(&self) -> Option<(Ipv4Addr, u16)> {
        match self.state() {
            State::Open(to) => Some(to),
            _ => None,
        }
    }

    /// Sets them. False if they were set before.
    pub(crate) fn set_mapped(&self, to: (Ipv4Addr, u16)) -> bool {
        self.incoming.set(self.id().on_wire(to).words())
    }

    /// The flow is mapped for `lifetime` seconds, by this one of the router's addresses.
    pub(crate) fn set_lifetime(&self, lifetime: u32, router: u8) {
        self.lifetime.store(lifetime, Ordering::Relaxed);
        self.router.store(router, Ordering::Relaxed);
        self.used.store(low(clock::now_ms()), Ordering::Relaxed);
    }

    /// Packets need not wait any more.
    pub(crate) fn set_open(&self) {
        self.state.store(OPEN, Ordering::Release);
    }

    /// The router lost the connection.
    pub(crate) fn set_broken(&self) {
        // It is remembered until the next segment, counted from now.
        self.used.store(low(clock::now_ms()), Ordering::Relaxed);
        self.state.store(BROKEN, Ordering::Release);
    }

    /// Notes a packet that goes out. True if the router should be asked whether the mapping is still there.
    #[inline(always)]
    pub(crate) fn sends(&self, segment: Segment, now: u64) -> bool {
        let idle = vat::since(now, self.used.load(Ordering::Relaxed));
        self.note(segment, Direction::Out, now);
        // A connection that ends is not asked for: the router would take it for a new one.
        if Seen(self.seen.load(Ordering::Relaxed)).ends() {
            return false;
        }
        match self.unanswered.load(Ordering::Relaxed) {
            0 => {
                // An acknowledgment after a pause is a keep-alive, which wants an answer, too.
                if segment.wants_answer || idle >= vat::doubt_ms(0) {
                    self.unanswered.store(low(now).max(1), Ordering::Relaxed);
                }
                false
            }
            since => vat::since(now, since) >= vat::doubt_ms(0) && self.is_in_doubt(since, now),
        }
    }

    /// Whether it is time to ask, with no answer since `since`.
    #[cold]
    fn is_in_doubt(&self, since: u32, now: u64) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        vat::since(now, since) >= vat::doubt_ms(asked)
            // One CPU asks.
            && self
                .unanswered
                .compare_exchange(since, low(now).max(1), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Begins to ask the router. False if that is under way.
    pub(crate) fn begins_to_ask(&self) -> bool {
        !self.asking.swap(true, Ordering::Relaxed)
    }

    /// Ends that.
    pub(crate) fn ends_to_ask(&self) {
        self.asking.store(false, Ordering::Relaxed);
    }

    /// The router was asked once more since something came in.
    pub(crate) fn was_asked(&self) {
        let asked = self.asked.load(Ordering::Relaxed);
        self.asked.store(asked.saturating_add(1), Ordering::Relaxed);
    }

    /// Which of the router's addresses mapped the flow.
    pub(crate) fn router(&self) -> u8 {
        self.router.load(Ordering::Relaxed)
    }

    /// Notes a packet that comes in.
    #[inline(always)]
    pub(crate) fn hears(&self, segment: Segment, now: u64) {
        self.note(segment, Direction::In, now);
        if self.unanswered.load(Ordering::Relaxed) != 0 {
            self.unanswered.store(0, Ordering::Relaxed);
            self.asked.store(0, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn note(&self, segment: Segment, direction: Direction, now: u64) {
        self.used.store(low(now), Ordering::Relaxed);
        if !segment.is_tcp() {
            return;
        }
        // Written only when it changes, which is rare.
        let _ = self
            .seen
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
                let after = Seen(before).and(segment.flags, direction).0;
                (after != before).then_some(after)
            });
    }

    /// Whether anything ever came in, over TCP.
    pub(crate) fn was_answered(&self) -> bool {
        Seen(self.seen.load(Ordering::Relaxed)).answered()
    }

    /// Whether packets went out and nothing came back for a while.
    pub(crate) fn is_unanswered(&self, now: u64) -> bool {
        match self.unanswered.load(Ordering::Relaxed) {
            0 => false,
            since => {
                self.asked.load(Ordering::Relaxed) > 0 || vat::since(now, since) >= vat::doubt_ms(0)
            }
        }
    }

    /// Has the next packet that goes out ask the router, unless one comes in first.
    pub(crate) fn doubt(&self, now: u64) {
        let long_ago = low(now.saturating_sub(vat::doubt_ms(0))).max(1);
        self.asked.store(0, Ordering::Relaxed);
        self.unanswered.store(long_ago, Ordering::Relaxed);
    }

    /// The router says that all is well, for so many seconds.
    pub(crate) fn reassure(&self, lifetime: u32) {
        self.lifetime.store(lifetime, Ordering::Relaxed);
    }

    /// Where a packet goes that comes at `now`, in milliseconds, by `path`, and with `opens` begins a connection. `None`:
    /// the flow is not open, or over, or only [`is_over`](Self::is_over) can tell, or it is that of another path.
    #[inline(always)]
    pub(crate) fn takes(&self, now: u64, opens: bool, path: Path) -> Option<(Ipv4Addr, u16)> {
        let idle = vat::since(now, self.used.load(Ordering::Relaxed));
        // No limit is shorter.
        match self.state() {
            State::Open(to) if idle < vat::MIN_IDLE_MS && !opens && self.path == path => Some(to),
            _ => None,
        }
    }

    /// Whether the flow is over at `now`, in milliseconds; with `opens`, whether it would be for a
    /// packet that opens a connection.
    pub(crate) fn is_over(&self, now: u64, opens: bool) -> bool {
        let state = self.state.load(Ordering::Acquire);
        if state == PENDING {
            return self.pending().as_ref().is_some_and(
                |pending| matches!(pending.stage, Stage::Refused(_, until) if until < now),
            );
        }
        let idle = vat::since(now, self.used.load(Ordering::Relaxed));
        let lifetime = self.lifetime.load(Ordering::Relaxed);
        let seen = Seen(self.seen.load(Ordering::Relaxed));
        let limit = match self.protocol() {
            _ if state == BROKEN => vat::BROKEN_MS,
            Protocol::Tcp => seen.idle_limit_ms(lifetime),
            _ => vat::lifetime_ms(lifetime),
        };
        idle > limit || (opens && (seen.ends() || state == BROKEN))
    }

    /// Whether the flow may lose its mapping to a new one.
    pub(crate) fn is_stale(&self, now: u64) -> bool {
        let idle = vat::since(now, self.used.load(Ordering::Relaxed));
        idle > vat::STALE_MS || self.is_over(now, true)
    }

    /// Milliseconds since the last packet, of one in negotiation since it began.
    pub(crate) fn idle_ms(&self, now: u64) -> u64 {
        vat::since(now, self.used.load(Ordering::Relaxed))
    }

    /// Whether nobody answers, so that it may give way to others: a connection that never was, or is being closed;
    /// datagrams that had no answer.
    pub(crate) fn is_dispensable(&self) -> bool {
        match self.state.load(Ordering::Acquire) {
            PENDING => false,
            BROKEN => true,
            _ if self.protocol() == Protocol::Tcp => {
                let seen = Seen(self.seen.load(Ordering::Relaxed));
                !seen.answered() || seen.ends()
            }
            _ => self.unanswered.load(Ordering::Relaxed) != 0,
        }
    }

    /// TCP, UDP or ICMP echo.
    pub(crate) fn protocol(&self) -> Protocol {
        self.id().protocol
    }

    /// Writes the flow as one line: protocol, local side, virtual side, mapped side or what it is
    /// waiting for, private host, seconds since the last packet.
    pub(crate) fn show(&self, now: u64, out: &mut dyn fmt::Write) -> fmt::Result {
        let FlowId {
            protocol,
            local,
            remote,
        } = self.id();
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            _ => "icmp",
        };
        let idle = vat::since(now, self.used.load(Ordering::Relaxed)) / 1000;
        write!(
            out,
            "{protocol} {}:{} {}:{} ",
            local.0, local.1, remote.0, remote.1
        )?;
        match self.state() {
            State::Open((addr, port)) => write!(out, "{addr}:{port} ")?,
            State::Broken => write!(out, "broken ")?,
            State::Pending => write!(
                out,
                "{} ",
                match self.pending().as_ref().map(|pending| &pending.stage) {
                    Some(Stage::Refused(..)) => "refused",
                    _ => "negotiating",
                }
            )?,
        }
        writeln!(out, "{} {idle}", self.name.host)
    }
}

/// Takes a flow out of all tables, because it is over.
pub(crate) fn forget(ns: &Netns<Endpoint>, flow: &Counted<Flow>) {
    let was_open = !matches!(flow.state(), State::Pending);
    if take_out(ns, flow) && was_open {
        ns.counters.bump(En::Expired);
    }
}

/// Takes a flow out of all tables. False if it was out already.
pub(crate) fn take_out(ns: &Netns<Endpoint>, flow: &Counted<Flow>) -> bool {
    ns.incoming.remove(flow);
    early::end(ns, flow);
    let nonce = flow.pending().as_ref().map(|pending| pending.nonce);
    if let Some(nonce) = nonce {
        ns.negotiating.remove_key(&nonce_key(nonce));
    }
    ns.outgoing.remove(flow)
}

/// What the tick has to tell the sender of a packet.
pub(crate) enum Answer {
    /// With an ICMP destination unreachable of this code.
    Unreachable(u8),
    /// With a TCP reset.
    Reset,
}

/// Has the tick tell the sender of a packet in a moment, when connect() has let go of its socket:
/// until then TCP would take an ICMP error for a soft one. Gives the packet back if there is no room.
pub(crate) fn answer_later(ns: &Netns<Endpoint>, skb: Skb, answer: Answer) -> Result<(), Skb> {
    let pushed = ns.answers.lock().push((skb, answer));
    pushed.map_err(|(skb, _)| skb)?;
    ns.kick(1);
    Ok(())
}
