//! A channel to a host: a client through which requests for the host go. Over HTTP/2
//! it has one connection, and what is known of that is kept here.
//!
//! The HTTP library tells neither how many streams a server admits
//! (`SETTINGS_MAX_CONCURRENT_STREAMS`, RFC 9113, 6.5.2) nor when a request leaves its
//! own queue. The latter shows when it looks at the request's body, see
//! [`NoBody`]; the former follows from requests that it does not look at.

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

/// Which version of HTTP a channel's connections speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Protocol {
    /// None is there yet.
    Unknown,
    /// HTTP/1.1: each connection has one request at a time.
    Http1,
    /// HTTP/2: one connection has many.
    Http2,
}

/// What the requests of a channel share.
pub(super) struct Channel {
    /// Its first connection.
    pub(super) first: FirstConnection,
    protocol: AtomicU8,
    /// Requests that have left the library's queue and have not ended.
    under_way: AtomicUsize,
    answers: Mutex<Answers>,
}

/// The answers that have come through a channel.
#[derive(Debug, Default, Clone, Copy)]
struct Answers {
    /// When one last began, or ended.
    last: Option<Instant>,
    /// Requests that have ended.
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

    /// Whether it has answered anything.
    pub(super) fn has_answered(&self) -> bool {
        self.answers().last.is_some()
    }

    /// Whether requests are under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    /// The streams that the server admits at a time, where a request waits in the
    /// library's queue although the connection is there: of those that have left it,
    /// the last one waits for its stream.
    pub(super) fn admitted(&self) -> usize {
        self.under_way.load(Ordering::Relaxed).saturating_sub(1).max(1)
    }
}

/// The request that opens the first connection holds this; the others go when the connection is
/// there or this is dropped.
pub(super) struct Leader(pub(super) Arc<Channel>);

impl Leader {
    /// Says that the connection is there.
    pub(super) fn connected(&self) {
        self.0.first.settle();
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.0.first.settle();
    }
}

/// How far one request has come.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It waits for a connection, or for its turn on one.
    Queued,
    /// It has left the library's queue.
    UnderWay(UnderWay),
    Over,
}

/// How a request left the library's queue.
#[derive(Debug, Clone, Copy)]
struct UnderWay {
    at: Instant,
    /// Others that had left it before and had not ended.
    before: u64,
    /// Requests that had ended by then.
    ended: u64,
    /// When as many others had ended, so that it no longer waits for its stream.
    stream_since: Option<Instant>,
}

/// When one request is sent.
pub(super) struct SendState {
    state: Mutex<Stage>,
    /// The local address of the connection that was opened for it. It may have found
    /// another one meanwhile: then the library leaves this one to others.
    own: OnceLock<SocketAddr>,
    connection: ConnectState,
    channel: Arc<Channel>,
    clock: Arc<dyn Clock>,
}

impl SendState {
    pub(super) fn new(channel: &Arc<Channel>, clock: &Arc<dyn Clock>) -> Self {
        let (channel, clock) = (Arc::clone(channel), Arc::clone(clock));
        let (state, own) = (Mutex::new(Stage::Queued), OnceLock::new());
        Self { state, own, connection: ConnectState::default(), channel, clock }
    }

    fn state(&self) -> MutexGuard<'_, Stage> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that a connection was opened for it.
    pub(super) fn opened(&self, local: Option<SocketAddr>, is_http2: bool) {
        if is_http2 {
            self.channel.set_protocol(Protocol::Http2);
        }
        if let Some(local) = local {
            self.own.get_or_init(|| local);
        }
    }

    /// Whether it got a new connection.
    pub(super) const fn connection(&self) -> &ConnectState {
        &self.connection
    }

    /// The connection that was opened for it, by its local address.
    pub(super) fn own_connection(&self) -> Option<SocketAddr> {
        self.own.get().copied()
    }

    fn leave_queue(&self) {
        let mut state = self.state();
        if matches!(*state, Stage::Queued) {
            let before = self.channel.under_way.fetch_add(1, Ordering::Relaxed);
            let (before, ended) = (before as u64, self.channel.answers().ended);
            *state = Stage::UnderWay(UnderWay {
                at: self.clock.now(),
                before,
                ended,
                stream_since: None,
            });
        }
    }

    /// Since when the server owes an answer; `None` while the request waits here.
    ///
    /// Over HTTP/2 the requests before it may take all streams that the server admits:
    /// the library then holds it back, or the server does when it could not yet say how
    /// many it admits. So it waits for as long as the server is at work, until as many
    /// others have ended as were before it.
    pub(super) fn awaiting_since(&self) -> Option<Instant> {
        let mut state = self.state();
        let Stage::UnderWay(under_way) = &mut *state else { return None };
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

    /// Takes note that the request has ended, in whatever way.
    pub(super) fn end(&self) {
        let state = std::mem::replace(&mut *self.state(), Stage::Over);
        if matches!(state, Stage::UnderWay(..)) {
            self.channel.under_way.fetch_sub(1, Ordering::Relaxed);
            if self.channel.protocol() == Protocol::Http2 {
                self.channel.record_end(self.clock.now());
            }
        }
    }
}

/// The body of a GET: there is none. The library asks whether it has ended when the
/// request leaves its queue, and for nothing else.
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

    /// A channel over HTTP/2 with so many requests.
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
        // Its turn has come: what the server does for others is no excuse any more.
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
