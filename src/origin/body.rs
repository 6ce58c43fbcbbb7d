//! A response's body: sent at once or in chunks at a limited rate, with a good or a bad ending.
//!
//! The body counts its request as open until the last byte is handed over or the exchange is
//! aborted.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::counters::OpenRequest;
use super::tcp::TcpHandle;

/// Chunks per second at a low rate: enough to look steady, few enough to cost little.
const CHUNKS_PER_SECOND: u64 = 50;

/// The longest chunk, which limits the bursts at a high rate.
const LONGEST_CHUNK_BYTES: u64 = 64 * 1024;

/// The rate of a body that drips.
const DRIP_BYTES_PER_SECOND: NonZeroU64 = NonZeroU64::MIN;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It ends with its last byte.
    Complete,
    /// It never ends: nothing follows the last byte.
    Stall,
    /// It ends with an error, after all bytes before it are sent.
    Abort,
    /// As `Abort`; on HTTP/2 the reason is `NO_ERROR`.
    AbortNoError,
    /// It never ends: it begins again.
    Repeat,
    /// As `Repeat`, one byte per second.
    Drip,
}

/// The exchange was aborted on purpose.
#[derive(Debug, Default, thiserror::Error)]
#[error("aborted by a fault that the options ask for")]
pub(super) struct Aborted {
    /// The HTTP library takes from here the reason with which it resets the stream; the default is
    /// `INTERNAL_ERROR`.
    #[source]
    reason: Option<h2::Error>,
}

impl Aborted {
    /// Makes an error with this reason, which a client sees on HTTP/2.
    pub(super) fn with_reason(reason: Reason) -> Aborted {
        Aborted { reason: Some(reason.into()) }
    }
}

/// The part of a response that is still to be sent.
pub(super) struct ResponseBody {
    rest: Bytes,
    after: After,
    pace: Option<Pace>,
    open: Option<OpenRequest>,
}

impl ResponseBody {
    /// Makes a body that is sent at this rate, or at once; `open` is dropped with its last byte.
    pub(super) fn new(
        bytes: Bytes,
        bytes_per_second: Option<NonZeroU64>,
        open: Option<OpenRequest>,
    ) -> ResponseBody {
        ResponseBody {
            // An empty body may never be polled, and has no last byte to wait for.
            open: open.filter(|_| !bytes.is_empty()),
            rest: bytes,
            after: After::End,
            pace: bytes_per_second.map(Pace::new),
        }
    }

    /// Makes a body with this ending, sent on this connection. A body that repeats must not be
    /// empty.
    pub(super) fn ending(
        bytes: Bytes,
        bytes_per_second: Option<NonZeroU64>,
        open: OpenRequest,
        ending: Ending,
        tcp: Arc<TcpHandle>,
    ) -> ResponseBody {
        let after = match ending {
            Ending::Complete => return ResponseBody::new(bytes, bytes_per_second, Some(open)),
            Ending::Stall => After::Stall,
            Ending::Abort => After::Abort { reason: None, flushes: tcp.flushes(), tcp },
            Ending::AbortNoError => {
                After::Abort { reason: Some(Reason::NO_ERROR), flushes: tcp.flushes(), tcp }
            }
            Ending::Repeat | Ending::Drip => After::Again(bytes.clone()),
        };
        let is_drip = ending == Ending::Drip;
        let speed = if is_drip { Some(DRIP_BYTES_PER_SECOND) } else { bytes_per_second };
        ResponseBody { rest: bytes, after, pace: speed.map(Pace::new), open: Some(open) }
    }

    /// Polls for what follows the last byte.
    fn poll_after(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &self.after {
            After::End | After::Again(_) => Poll::Ready(None),
            // The HTTP library notices by itself when the client leaves.
            After::Stall => Poll::Pending,
            After::Abort { reason, tcp, flushes } => {
                // An error at once would discard what waits to be sent.
                ready!(tcp.poll_flushed(*flushes, context));
                let aborted = reason.map_or_else(Aborted::default, Aborted::with_reason);
                self.open = None;
                Poll::Ready(Some(Err(aborted)))
            }
        }
    }
}

/// What follows the bytes of a body.
enum After {
    End,
    Stall,
    /// An error, after more flushes than this number.
    Abort {
        reason: Option<Reason>,
        tcp: Arc<TcpHandle>,
        flushes: u64,
    },
    /// These bytes, again and again.
    Again(Bytes),
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let body = &mut *self;
        if body.rest.is_empty() {
            return body.poll_after(context);
        }
        let length = match &mut body.pace {
            None => body.rest.len(),
            Some(pace) => ready!(pace.poll_chunk(body.rest.len(), context)),
        };
        let chunk = body.rest.split_to(length);
        if body.rest.is_empty() {
            match &mut body.after {
                // Now, not when the body is dropped: when a client has read the last byte, its
                // request must not count as open any more.
                After::End => body.open = None,
                After::Stall => (),
                After::Abort { tcp, flushes, .. } => *flushes = tcp.flushes(),
                After::Again(bytes) => body.rest.clone_from(bytes),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && matches!(self.after, After::End)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        if matches!(self.after, After::End) {
            return SizeHint::with_exact(rest);
        }
        let mut hint = SizeHint::new();
        hint.set_lower(rest);
        hint
    }
}

/// The schedule of a body with a limited rate.
///
/// Each chunk is due when a line of that rate would have delivered it. The time counts from the
/// first poll, not from the chunk before, so that late timers do not add up.
struct Pace {
    bytes_per_second: NonZeroU64,
    started: Option<Instant>,
    sent_bytes: u64,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn new(bytes_per_second: NonZeroU64) -> Pace {
        Pace { bytes_per_second, started: None, sent_bytes: 0, wait: None }
    }

    /// Waits until the next chunk is due; returns its length, at most `rest` bytes.
    fn poll_chunk(&mut self, rest: usize, context: &mut Context<'_>) -> Poll<usize> {
        let length = rest.min(chunk_bytes(self.bytes_per_second));
        let total = self.sent_bytes + u64::try_from(length).unwrap_or(u64::MAX);
        let started = *self.started.get_or_insert_with(Instant::now);
        let due = started + time_for(total, self.bytes_per_second);
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(due)));
        ready!(wait.as_mut().poll(context));
        self.wait = None;
        self.sent_bytes = total;
        Poll::Ready(length)
    }
}

/// The length of a chunk at this rate, at least one byte.
fn chunk_bytes(bytes_per_second: NonZeroU64) -> usize {
    let bytes = (bytes_per_second.get() / CHUNKS_PER_SECOND).clamp(1, LONGEST_CHUNK_BYTES);
    usize::try_from(bytes).expect("at most 64 kB")
}

/// The time that this number of bytes takes at this rate.
fn time_for(bytes: u64, bytes_per_second: NonZeroU64) -> Duration {
    let seconds = bytes / bytes_per_second;
    // Below a second, so neither the product nor the quotient leaves 128 or 64 bits.
    let nanos =
        u128::from(bytes % bytes_per_second) * 1_000_000_000 / u128::from(bytes_per_second.get());
    Duration::from_secs(seconds)
        + Duration::from_nanos(u64::try_from(nanos).expect("below a second"))
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::BodyExt;

    use super::super::counters::LiveCounters;
    use super::*;

    fn speed(bytes_per_second: u64) -> NonZeroU64 {
        NonZeroU64::new(bytes_per_second).unwrap()
    }

    #[test]
    fn chunks_are_short_on_slow_lines_and_bounded_on_fast_ones() {
        assert_eq!(chunk_bytes(speed(1)), 1);
        assert_eq!(chunk_bytes(speed(100_000)), 2000);
        assert_eq!(chunk_bytes(speed(u64::MAX)), 64 * 1024);
    }

    #[test]
    fn time_is_length_over_speed() {
        assert_eq!(time_for(1500, speed(1000)), Duration::from_millis(1500));
        assert_eq!(time_for(0, speed(1)), Duration::ZERO);
        assert_eq!(time_for(u64::MAX, speed(1)), Duration::from_secs(u64::MAX));
        assert_eq!(time_for(u64::MAX, speed(u64::MAX)), Duration::from_secs(1));
    }

    #[test]
    fn a_paced_body_arrives_whole_and_closes_its_request() {
        let counters = Arc::new(LiveCounters::default());
        let bytes = Bytes::from(vec![7; 300_000]);
        let open = Some(counters.open_request());
        let body = ResponseBody::new(bytes.clone(), Some(speed(1_000_000_000)), open);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let received = runtime.block_on(body.collect()).unwrap().to_bytes();
        assert_eq!(received, bytes);
        assert_eq!(counters.snapshot().open, 0);
    }

    #[test]
    fn a_dropped_or_empty_body_closes_its_request() {
        let counters = Arc::new(LiveCounters::default());
        let body = |bytes: &'static [u8]| {
            ResponseBody::new(bytes.into(), None, Some(counters.open_request()))
        };
        let empty = body(b"");
        assert_eq!(counters.snapshot().open, 0);
        let aborted = body(b"never sent");
        assert_eq!(counters.snapshot().open, 1);
        drop((empty, aborted));
        assert_eq!(counters.snapshot().open, 0);
    }

    /// The result of a single poll: a frame's data, the end, or an error with its reason.
    fn poll(body: &mut ResponseBody) -> Poll<Option<Result<Bytes, Option<Reason>>>> {
        let mut context = Context::from_waker(Waker::noop());
        let polled = Pin::new(body).poll_frame(&mut context);
        polled
            .map_ok(|frame| frame.into_data().unwrap())
            .map_err(|aborted| aborted.reason.and_then(|reason| reason.reason()))
    }

    #[test]
    fn a_body_breaks_once_what_was_before_is_sent() {
        let counters = Arc::new(LiveCounters::default());
        let tcp = Arc::new(TcpHandle::default());
        for (bytes, ending, reason) in [
            (&b"half"[..], Ending::Abort, None),
            (b"", Ending::Abort, None),
            (b"half", Ending::AbortNoError, Some(Reason::NO_ERROR)),
        ] {
            let open = counters.open_request();
            let handle = Arc::clone(&tcp);
            let mut body = ResponseBody::ending(bytes.into(), None, open, ending, handle);
            tcp.count_flush();
            if !bytes.is_empty() {
                assert_eq!(poll(&mut body), Poll::Ready(Some(Ok(bytes.into()))));
                assert_eq!(poll(&mut body), Poll::Pending);
                tcp.count_flush();
            }
            assert!(!body.is_end_stream());
            assert_eq!(counters.snapshot().open, 1);
            assert_eq!(poll(&mut body), Poll::Ready(Some(Err(reason))));
            assert_eq!(counters.snapshot().open, 0);
        }
    }

    #[test]
    fn a_silent_body_neither_goes_on_nor_ends() {
        let counters = Arc::new(LiveCounters::default());
        let tcp = Arc::new(TcpHandle::default());
        let open = counters.open_request();
        let mut body = ResponseBody::ending("half".into(), None, open, Ending::Stall, tcp);
        assert_eq!(poll(&mut body), Poll::Ready(Some(Ok("half".into()))));
        assert_eq!(poll(&mut body), Poll::Pending);
        assert!(!body.is_end_stream());
        assert_eq!(counters.snapshot().open, 1);
    }
}
