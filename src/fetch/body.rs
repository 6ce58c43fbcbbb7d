//! Reads the bodies of answers: all of a page's, and as much of the others as is useful.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Body as _;
use reqwest::{Body, StatusCode};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::chunked::Chunks;
use super::collected::{self, Collected};
use super::head::{Framing, PartialContent};
use super::{BodyLimit, FetchFailure, Options, Request, body_memory, failure};
use crate::model::{Exchange, Failure, FailureCode, Head, Truncation};

/// At most this many bytes of a body that is not saved are read: enough to learn the
/// reason, and to let the connection be used again.
const UNSAVED_BODY_LIMIT: u64 = 64 * 1024;
/// The reading of such a body ends after this time: the status is known, and the attempt
/// must not run into its own limit, which would be recorded instead.
const UNSAVED_BODY_TIME: Duration = Duration::from_secs(2);

/// What an attempt has received so far. If the attempt fails, its [`FetchFailure`] says so.
#[derive(Default)]
pub(super) struct Received {
    pub(super) head: Option<Box<Head>>,
    pub(super) wire_bytes: u64,
    pub(super) wait: Duration,
    /// Whether the server was overloaded and did not process the request.
    pub(super) is_refused: bool,
    pub(super) exchange: Option<Box<Exchange>>,
}

impl Received {
    pub(super) fn failed(self, failure: Failure) -> FetchFailure {
        let Self { head, wire_bytes, wait, is_refused, exchange } = self;
        FetchFailure { failure, head, wire_bytes, wait, is_refused, exchange }
    }
}

/// A body that is being read.
pub(super) struct Incoming {
    body: Body,
    status: StatusCode,
    announced: Option<u64>,
    framing: Framing,
    /// Only HTTP/2 distinguishes a confirmed end from a stream that the server gave up.
    has_streams: bool,
    /// Boxed, because hardly any body needs it.
    chunks: Option<Box<Chunks>>,
    /// The part of the page that a 206 carries; boxed for the same reason.
    part: Option<Box<PartialContent>>,
    received: u64,
}

impl Incoming {
    pub(super) fn new(response: reqwest::Response, framing: Framing) -> Self {
        Self {
            status: response.status(),
            announced: response.content_length(),
            framing,
            has_streams: response.version() == http::Version::HTTP_2,
            chunks: (framing == Framing::Chunked).then(Box::default),
            part: PartialContent::of(&response).map(Box::new),
            received: 0,
            body: Body::from(response),
        }
    }

    /// Returns the next piece; `None` at a confirmed end. The announced length, the last
    /// chunk or `END_STREAM` confirms an end, or, without these, the end of the
    /// connection.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let is_over = match self.framing {
                Framing::ByLibrary => false,
                Framing::Length(length) => self.received >= length,
                Framing::Chunked => self.chunks.as_ref().is_some_and(|chunks| chunks.is_done()),
            };
            if is_over {
                return Ok(None);
            }
            match poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await {
                Some(Ok(frame)) => {
                    // A frame that is not data holds trailers.
                    if let Ok(piece) = frame.into_data() {
                        return self.take(piece).map(Some);
                    }
                }
                // The body is complete: an error after it does not belong to it.
                Some(Err(_)) if self.announced == Some(self.received) => return Ok(None),
                Some(Err(error)) => return Err(self.broken(&error)),
                None if self.is_confirmed() => return Ok(None),
                None => return Err(self.cut("the server gave up the stream")),
            }
        }
    }

    fn take(&mut self, mut piece: Bytes) -> Result<Bytes, Failure> {
        if let Framing::Length(length) = self.framing {
            let left = usize::try_from(length - self.received).unwrap_or(usize::MAX);
            piece.truncate(left);
        }
        self.received += piece.len() as u64;
        let Some(chunks) = &mut self.chunks else { return Ok(piece) };
        chunks.take(&piece).map_err(|_| {
            Failure::new(
                FailureCode::Protocol,
                "the chunks of the body are malformed (RFC 9112, 7.1)",
            )
        })
    }

    /// Whether the end that the library reports is the body's. After `RST_STREAM` with
    /// `NO_ERROR` the library reports an end, because a server may send one after a
    /// complete answer (RFC 9113, 8.1); but only `END_STREAM` says that the answer was
    /// complete.
    fn is_confirmed(&self) -> bool {
        match self.framing {
            Framing::ByLibrary => match self.announced {
                Some(announced) => self.received >= announced,
                None => !self.has_streams || self.body.is_end_stream(),
            },
            Framing::Length(_) | Framing::Chunked => false,
        }
    }

    /// Refuses a part that is not the whole page.
    fn refuse_part(&self) -> Result<(), Failure> {
        self.part.as_ref().map_or(Ok(()), |part| part.refuse_unless_all(self.received))
    }

    fn cut(&self, how: &str) -> Failure {
        let received = self.received;
        let of = self.announced.map(|announced| format!(" of {announced}")).unwrap_or_default();
        let message = format!("the body ended after {received}{of} bytes: {how}");
        Failure::new(FailureCode::Truncated, message)
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        let failure = failure::in_body(error);
        // An announced length that is not reached breaks HTTP/2's rules as well.
        let is_short = self.announced.is_some_and(|announced| self.received < announced);
        match failure.code {
            FailureCode::Protocol if self.has_streams && is_short => {
                self.cut("the server sent more or fewer bytes than it announced")
            }
            _ => failure,
        }
    }
}

/// Reads the body of a page, or the useful start of one that is not saved.
pub(super) async fn read(
    options: &Options,
    incoming: &mut Incoming,
    received: &mut Received,
    request: &Request<'_>,
) -> Result<Bytes, Failure> {
    let mut body = Collected::default();
    if !incoming.status.is_success() {
        let reading = read_reason(incoming, &mut body, received, request);
        // An incomplete reason is used as far as it came.
        let truncated = timeout(UNSAVED_BODY_TIME.min(options.read_timeout), reading).await;
        if let Some(exchange) = &mut received.exchange {
            exchange.truncated = truncated.unwrap_or(Some(Truncation::Time));
        }
        return Ok(body.finish());
    }
    let (limit, is_cut) = match request.body_limit {
        BodyLimit::Whole => (options.max_size, false),
        BodyLimit::Prefix(limit) => (limit, true),
    };
    let announced = incoming.announced;
    if !is_cut && announced.is_some_and(|announced| announced > limit) {
        return Err(too_large(limit));
    }
    let announced = announced.map(|announced| announced.min(limit));
    // Reserved before the first byte, so that the run seldom holds back a page that has
    // begun.
    request.memory.reserve(collected::room_ahead(announced), request.progress).await;
    let announced = announced.and_then(|announced| usize::try_from(announced).ok());
    loop {
        let chunk = match within(options.read_timeout, incoming.next()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => {
                incoming.refuse_part()?;
                return Ok(body.finish());
            }
            Ok(Err(failure)) => return Err(failure),
            Err(_elapsed) => {
                let silence = options.read_timeout;
                let message = format!(
                    "no data for {silence:?} after {} bytes (--read-timeout)",
                    received.wire_bytes
                );
                return Err(Failure::new(FailureCode::ReadTimeout, message));
            }
        };
        received.wire_bytes += chunk.len() as u64;
        request.progress.set_bytes(received.wire_bytes);
        let is_over = received.wire_bytes > limit;
        if is_over && !is_cut {
            return Err(too_large(limit));
        }
        add(&mut body, chunk, announced, request).await;
        if is_over {
            if let Some(exchange) = &mut received.exchange {
                exchange.truncated = Some(Truncation::Length);
            }
            return Ok(body.finish());
        }
    }
}

/// Adds a chunk once there is memory for it and, unless the body is complete with it, for what
/// the connection reads ahead meanwhile.
async fn add(body: &mut Collected, chunk: Bytes, announced: Option<usize>, request: &Request<'_>) {
    let room = body.room_with(chunk.len(), announced);
    let is_complete = announced == Some(body.len() + chunk.len());
    let ahead = if is_complete { 0 } else { body_memory::read_ahead(chunk.len()) };
    request.memory.reserve((room + ahead) as u64, request.progress).await;
    body.push(chunk, room, announced);
}

/// Waits for `future`, for at most `limit`. Most small bodies are there already, and
/// these need no timer.
async fn within<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => timeout(limit, future).await,
    }
}

/// Reads a body that is not saved, as far as it comes and is useful. Returns why it is
/// not complete.
async fn read_reason(
    incoming: &mut Incoming,
    body: &mut Collected,
    received: &mut Received,
    request: &Request<'_>,
) -> Option<Truncation> {
    loop {
        let chunk = match incoming.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return None,
            Err(_) => return Some(Truncation::Disconnect),
        };
        received.wire_bytes += chunk.len() as u64;
        request.progress.set_bytes(received.wire_bytes);
        if received.wire_bytes > UNSAVED_BODY_LIMIT {
            return Some(Truncation::Length);
        }
        add(body, chunk, None, request).await;
    }
}

fn too_large(limit: u64) -> Failure {
    Failure::new(FailureCode::TooLarge, format!("more than {limit} bytes on the wire (--max-size)"))
}
