//! A channel: the client through which a host's requests go, and what they share. Over
//! HTTP/2 a channel has one connection.
//!
//! The HTTP library reports neither the number of streams that a server admits
//! (`SETTINGS_MAX_CONCURRENT_STREAMS`, RFC 9113, 6.5.2) nor the moment when a request
//! leaves its own queue. It does look at the request's body at that moment, see
//! [`NoBody`]; and requests whose body it does not look at show that all streams are
//! taken.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::connect_state::ConnectState;
use super::first_connection::FirstConnection;
use crate::clock::Clock;

/// The version of HTTP that a channel's connections speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Protocol {
    /// There is no connection yet.
    Unknown,
    /// HTTP/1.1: each connection carries one request at a time.
    Http1,
    /// HTTP/2: one connection carries many.
    Http2,
}

/// The state that the requests of a channel share.
pub(super) struct Channel {
    /// The first connection.
    pub(super) first: FirstConnection,
    protocol: AtomicU8,
    /// The number of requests that have left the library's queue and have not ended.
    under_way: AtomicUsize,
    answers: Mutex<Answers>,
}

/// The answers that have come through a channel.
#[derive(Debug, Default, Clone, Copy)]
struct Answers {
    /// The last time that an answer began or ended.
    last: Option<Instant>,
    /// The number of requests that have ended.
    ended: u64,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            first: FirstConnection::default(),
            protocol: AtomicU8::new(Protocol::Unknown as u8),
            under_way: AtomicUsize::new(0),
            answers: Mutex::default(),
        }
    }
}

impl Channel {
    /// Whether the caller opens the channel's first connection.
    pub(super) fn take_lead(&self) -> bool {
        self.first.take_lead()
    }

    /// The protocol, as far as it is known.
    pub(super) fn protocol(&self) -> Protocol {
        const ALL: [Protocol; 3] = [Protocol::Unknown, Protocol::Http1, Protocol::Http2];
        ALL[usize::from(self.protocol.load(Ordering::Relaxed))]
    }

    /// Records which protocol a connection speaks.
    pub(super) fn set_protocol(&self, protocol: Protocol) {
        self.protocol.store(protocol as u8, Ordering::Relaxed);
    }

    /// Records that an answer began, so the server is at work.
    pub(super) fn record_answer(&self, now: Instant) {
        self.answers().last = Some(now);
    }

    fn record_end(&self, now: Instant) {
        let mut answers = self.answers();
        answers.last = Some(now);
        answers.ended += 1;
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any answer has begun.
    pub(super) fn has_answered(&self) -> bool {
        self.answers().last.is_some()
    }

    /// Whether requests are under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    /// The number of streams that the server admits at a time. It is known when a request
    /// waits in the library's queue although the connection is open: of the requests that
    /// have left the queue, the last one waits for its stream.
    pub(super) fn admitted(&self) -> usize {
        self.under_way.load(Ordering::Relaxed).saturating_sub(1).max(1)
    }
}

/// The request that opens the first connection holds this. The others wait until the
/// connection is open or this is dropped.
pub(super) struct Leader(pub(super) Arc<Channel>);

impl Leader {
    /// Lets the other requests go: the connection is open.
    pub(super) fn connected(&self) {
        self.0.first.settle();
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.0.first.settle();
    }
}

/// How far a request has come.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The request waits for a connection, or for its turn on one.
    Queued,
    /// The request has left the library's queue.
    UnderWay(UnderWay),
    Over,
}

/// When a request left the library's queue, and the state of the channel then.
#[derive(Debug, Clone, Copy)]
struct UnderWay {
    /// The time.
    at: Instant,
    /// The number of other requests that had left it before and had not ended.
    before: u64,
    /// The number of requests that had ended by then.
    ended: u64,
    /// The time when as many others had ended, so that the request waits for its stream
    /// no longer.
    stream_since: Option<Instant>,
}

/// The sending of one request: how far it has come, and on which connection.
pub(super) struct SendState {
    stage: Mutex<Stage>,
    /// The local address of the connection that was opened for the request. If the
    /// request found another connection meanwhile, the library leaves this one to other
    /// requests.
    own_connection: OnceLock<SocketAddr>,
    connection: ConnectState,
    channel: Arc<Channel>,
    clock: Arc<dyn Clock>,
}

impl SendState {
    pub(super) fn new(channel: &Arc<Channel>, clock: &Arc<dyn Clock>) -> Self {
        let (channel, clock) = (Arc::clone(channel), Arc::clone(clock));
        let (stage, own_connection) = (Mutex::new(Stage::Queued), OnceLock::new());
        Self { stage, own_connection, connection: ConnectState::default(), channel, clock }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a connection was opened for the request.
    pub(super) fn opened(&self, local: Option<SocketAddr>, is_http2: bool) {
        if is_http2 {
            self.channel.set_protocol(Protocol::Http2);
        }
        if let Some(local) = local {
            self.own_connection.get_or_init(|| local);
        }
    }

    /// What is known of the request's connection.
    pub(super) const fn connection(&self) -> &ConnectState {
        &self.connection
    }

    /// The local address of the connection that was opened for the request.
    pub(super) fn own_connection(&self) -> Option<SocketAddr> {
        self.own_connection.get().copied()
    }

    fn leave_queue(&self) {
        let mut stage = self.stage();
        if matches!(*stage, Stage::Queued) {
            let before = self.channel.under_way.fetch_add(1, Ordering::Relaxed);
            let (before, ended) = (before as u64, self.channel.answers().ended);
            *stage = Stage::UnderWay(UnderWay {
                at: self.clock.now(),
                before,
                ended,
                stream_since: None,
            });
        }
    }

    /// Returns the time since when the server owes an answer; `None` while the request
    /// waits in this program.
    ///
    /// Over HTTP/2, earlier requests may take all streams that the server admits. The
    /// library then holds the request back, or the server does so when it could not yet
    /// announce how many it admits. So the request's wait does not count while the server
    /// is at work, until as many other requests have ended as were before it.
    pub(super) fn awaiting_since(&self) -> Option<Instant> {
        let mut stage = self.stage();
        let Stage::UnderWay(under_way) = &mut *stage else { return None };
        if under_way.before == 0 || self.channel.protocol() != Protocol::Http2 {
            return Some(under_way.at);
        }
        let Answers { last, ended } = *self.channel.answers();
        let at_work = last.map_or(under_way.at, |last| last.max(under_way.at));
        if ended - under_way.ended < under_way.before {
            return Some(under_way.stream_since.unwrap_or(at_work));
        }
        Some(*under_way.stream_since.get_or_insert(at_work))
    }

    /// Records that the request has ended, with or without an answer.
    pub(super) fn end(&self) {
        let stage = std::mem::replace(&mut *self.stage(), Stage::Over);
        if matches!(stage, Stage::UnderWay(..)) {
            self.channel.under_way.fetch_sub(1, Ordering::Relaxed);
            if self.channel.protocol() == Protocol::Http2 {
                self.channel.record_end(self.clock.now());
            }
        }
    }
}

/// The empty body of a GET. The library calls it only to see that it has ended, and does
/// so when the request leaves its queue.
pub(super) struct NoBody(pub(super) Arc<SendState>);

impl Body for NoBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.0.leave_queue();
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    /// A channel over HTTP/2 with `count` requests.
    fn requests(count: usize) -> (Arc<Channel>, Arc<ManualClock>, Vec<Arc<SendState>>) {
        let (channel, clock) = (Arc::<Channel>::default(), Arc::new(ManualClock::new()));
        channel.set_protocol(Protocol::Http2);
        let as_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let sent = (0..count).map(|_| Arc::new(SendState::new(&channel, &as_clock))).collect();
        (channel, clock, sent)
    }

    #[test]
    fn the_server_owes_an_answer_from_the_moment_when_a_request_is_sent() {
        let (channel, clock, requests) = requests(1);
        assert_eq!(requests[0].awaiting_since(), None);
        clock.advance(Duration::from_secs(1));
        assert!(NoBody(Arc::clone(&requests[0])).is_end_stream());
        let sent = clock.now();
        clock.advance(Duration::from_secs(1));
        channel.record_answer(clock.now());
        assert_eq!(requests[0].awaiting_since(), Some(sent), "it waits for no other");
        requests[0].end();
        assert_eq!(requests[0].awaiting_since(), None);
    }

    #[test]
    fn a_request_that_may_wait_for_its_stream_waits_for_those_before_it() {
        let second = Duration::from_secs(1);
        let (channel, clock, requests) = requests(3);
        for request in &requests {
            request.leave_queue();
        }
        let sent = clock.now();
        assert_eq!(channel.admitted(), 2);
        assert_eq!(requests[2].awaiting_since(), Some(sent));
        for seconds in 1..=2_u32 {
            clock.advance(second);
            requests[seconds as usize - 1].end();
            assert_eq!(requests[2].awaiting_since(), Some(sent + second * seconds));
        }
        // Its turn has come: the server's work for other requests does not count any
        // more.
        clock.advance(second);
        channel.record_answer(clock.now());
        assert_eq!(requests[2].awaiting_since(), Some(sent + 2 * second));
        let http1 = Arc::<Channel>::default();
        let clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let pair = [SendState::new(&http1, &clock), SendState::new(&http1, &clock)];
        pair.iter().for_each(SendState::leave_queue);
        http1.record_answer(clock.now() + second);
        assert_eq!(pair[1].awaiting_since(), Some(clock.now()), "each has a connection of its own");
    }
}
