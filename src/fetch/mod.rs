//! One GET: a URL becomes an answer as it came over the wire.
//!
//! Redirects are not followed: where one leads is told, and the queue decides
//! when that host may be asked. The body stays in its content coding: decoding is CPU work and belongs to `page`. Whether a
//! status is a success is for the caller to say.

mod bypass;
pub mod client;
mod connect;
pub mod failure;
mod first;
mod guard;
mod handshakes;
mod pool;
mod portable;
pub mod proxy;
mod resolve;
mod rotation;
mod route;
pub mod tls;
mod tunnel;

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Response;
use tokio::time::error::Elapsed;
use tokio::time::{timeout, timeout_at};
use url::Url;

use crate::message;
use crate::model::{
    Attempt, Failure, FailureCode, Head, HttpVersion, RawPage, Validators, shown_url,
};
use crate::phase::{Phase, PhaseCell};
pub use client::{Client, FetchError, HttpChoice, Options, Shared, Tally};
use first::Lead;
use route::Route;

/// At most so much of a body that will not be saved is read: enough to tell a
/// reason, and to let the connection be used again.
const UNSAVED_BODY_LIMIT: u64 = 64 * 1024;
/// So long such a body is waited for: the status is known, and the attempt must
/// not run into its own limit, which would be recorded instead.
const UNSAVED_BODY_TIME: Duration = Duration::from_secs(2);
/// Room that is made for an announced body at once; a larger one grows as it
/// comes, so that a lying Content-Length costs nothing.
const FIRST_ROOM: u64 = 4 * 1024 * 1024;
/// No run lasts so long.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

/// An attempt that brought no whole answer.
#[derive(Debug, Clone)]
pub struct Missed {
    /// Why.
    pub failure: Failure,
    /// The head of the answer, when it came that far.
    pub head: Option<Box<Head>>,
    /// Bytes of the body that came.
    pub wire_bytes: u64,
    /// From the start of the attempt to the response's headers; zero when none came.
    pub wait: Duration,
}

impl From<Missed> for Attempt {
    fn from(missed: Missed) -> Self {
        let Missed { failure, head, wire_bytes, wait } = missed;
        Self { head, wire_bytes, wait, ..Self::failed(failure) }
    }
}

/// What is known of an attempt while it runs, for the case that it is cut short.
#[derive(Default)]
struct Trail {
    head: Option<Box<Head>>,
    wire_bytes: u64,
    wait: Duration,
}

impl Trail {
    fn missed(self, failure: Failure) -> Missed {
        let Self { head, wire_bytes, wait } = self;
        Missed { failure, head, wire_bytes, wait }
    }
}

/// One request, and what it is a part of.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The address to ask.
    pub url: &'a Url,
    /// The address that the user or the source named: credentials are for its origin.
    pub asked: &'a Url,
    /// What is there already: the server may answer that it has not changed.
    pub validators: Option<&'a Validators>,
    /// Redirects that led from `asked` to `url`.
    pub hops: u32,
    /// Time that they took.
    pub spent: Duration,
    /// What is wanted of the answer.
    pub want: Want,
    /// When it began, just now.
    pub started: Instant,
    /// Told how far the request has come.
    pub phase: &'a Arc<PhaseCell>,
}

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The body, of which more than the options' limit is a failure.
    Whole,
    /// The first so many bytes of the body; the rest is left.
    Start(u64),
}

/// A crawler follows at least so many redirects to rules (RFC 9309, 2.3.1.2).
const RULES_REDIRECTS: u32 = 5;

/// An answer, of whatever status, or where it leads on to.
#[derive(Debug, Clone)]
pub enum Got {
    /// The answer.
    Answer(RawPage),
    /// Another address is to be asked instead.
    Moved(Url),
}

impl Client {
    /// Makes one request, within the time limits of the options.
    ///
    /// # Errors
    ///
    /// [`Missed`] when no whole answer came. An answer with any status is `Ok`;
    /// of one that is not saved, the body is read for 2 seconds and to 64 KiB at most.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Got, Missed> {
        let mut trail = Trail { wait: ask.spent, ..Trail::default() };
        let limit = self.options().max_time;
        let left = limit.saturating_sub(ask.spent);
        match timeout_at(end_of(ask.started, left), self.exchange(ask, &mut trail)).await {
            Ok(Ok(got)) => Ok(got),
            Ok(Err(failure)) => Err(trail.missed(placed(failure, ask))),
            Err(_elapsed) => {
                let message = format!("not done within {limit:?} (--max-time)");
                let failure = Failure::new(FailureCode::MaxTime, message);
                Err(trail.missed(placed(failure, ask)))
            }
        }
    }

    async fn exchange(&self, ask: &Ask<'_>, trail: &mut Trail) -> Result<Got, Failure> {
        let route = self.route(ask.url)?;
        let mut response = self.send(ask, &route).await?;
        ask.phase.set(Phase::Receiving);
        trail.wait = ask.spent + (self.now() - ask.started);
        let is_on_new_connection = ask.phase.connected().is_some();
        let head = Head { is_on_new_connection, ..read_head(&response, ask.url) };
        trail.head = Some(Box::new(head));
        refuse_transfer_coding(response.headers())?;
        // Boxed, as hardly any answer has one.
        let target = redirect_target(ask.url, &response)?.map(Box::new);
        let body = self.read_body(&mut response, trail, ask).await?;
        let Some(target) = target else {
            let head = trail.head.take().expect("it was put there above");
            return Ok(Got::Answer(RawPage { head, body, wait: trail.wait }));
        };
        let limit = match ask.want {
            Want::Whole => self.options().max_redirects,
            Want::Start(_) => self.options().max_redirects.max(RULES_REDIRECTS),
        };
        if ask.hops >= limit {
            let message = format!("more than {limit} redirects");
            return Err(Failure::new(FailureCode::Redirects, message));
        }
        Ok(Got::Moved(*target))
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// The time for the first byte runs from the moment the connection is
    /// there: opening one has a limit of its own.
    async fn send(&self, ask: &Ask<'_>, route: &Route<'_>) -> Result<Response, Failure> {
        let limit = self.options().read_timeout;
        ask.phase.set(Phase::Waiting);
        let (lead, started) = self.lead_or_wait(route, ask).await;
        let sending = self.request(route.http(), ask).send();
        let phase = Arc::clone(ask.phase);
        let mut sending = std::pin::pin!(connect::told_to(phase, lead.clone(), sending));
        let mut deadline = end_of(started, limit);
        loop {
            match timeout_at(deadline, &mut sending).await {
                Ok(Ok(response)) => {
                    if lead.is_some() && response.version() < http::Version::HTTP_2 {
                        self.shared().crowd().speaks_http1(route.host());
                    }
                    return self.answered(route, ask.url, response);
                }
                Ok(Err(error)) => return Err(self.failed(route, ask.url, &error)),
                Err(_elapsed) => {
                    deadline = self.later_deadline(ask.phase, started, limit).ok_or_else(|| {
                        let message = format!("no answer began within {limit:?} (--read-timeout)");
                        Failure::new(FailureCode::FirstByteTimeout, message)
                    })?;
                }
            }
        }
    }

    /// Takes the lead where the host's protocol is not settled, or waits for the one who
    /// has it. The moment is that from which on nobody else is waited for.
    async fn lead_or_wait(&self, route: &Route<'_>, ask: &Ask<'_>) -> (Option<Arc<Lead>>, Instant) {
        let mut started = ask.started;
        let is_open = ask.url.scheme() == "https"
            && self.options().http == HttpChoice::Auto
            && !self.shared().crowd().is_known_for_http1(route.host());
        if let Some(first) = route.first().filter(|_| is_open) {
            ask.phase.set(Phase::Connecting);
            if first.wait(self.options().connect_timeout).await {
                started = self.now();
                // For this page too it is a new one.
                ask.phase.set_connected(started);
            }
            ask.phase.set(Phase::Waiting);
        }
        (route.lead().filter(|_| is_open).map(Arc::clone), started)
    }

    /// A later end for the wait for a first byte, when the wait so far went into connecting.
    fn later_deadline(
        &self,
        phase: &PhaseCell,
        started: Instant,
        limit: Duration,
    ) -> Option<tokio::time::Instant> {
        let now = self.now();
        if phase.get() == Phase::Connecting {
            // The connection's own limit ends this; look again soon.
            return Some((now + Duration::from_millis(50)).into());
        }
        let later = end_of(phase.connected()?.max(started), limit);
        (later > now.into()).then_some(later)
    }

    /// Reads the body, or as much of one that is not saved as is useful.
    async fn read_body(
        &self,
        response: &mut Response,
        trail: &mut Trail,
        ask: &Ask<'_>,
    ) -> Result<Bytes, Failure> {
        let options = self.options();
        let mut body = Collected::default();
        if !response.status().is_success() {
            let reading = read_reason(response, &mut body, trail, ask.phase);
            // A reason that does not come whole is told as far as it came.
            let _ = timeout(UNSAVED_BODY_TIME.min(options.read_timeout), reading).await;
            return Ok(body.finish());
        }
        let (limit, is_cut) = match ask.want {
            Want::Whole => (options.max_size, false),
            Want::Start(limit) => (limit, true),
        };
        let announced = response.content_length();
        if !is_cut && announced.is_some_and(|announced| announced > limit) {
            return Err(too_large(limit));
        }
        loop {
            let chunk = match within(options.read_timeout, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(body.finish()),
                Ok(Err(error)) => return Err(failure::in_body(&error)),
                Err(_elapsed) => {
                    let silence = options.read_timeout;
                    let message = format!(
                        "silent for {silence:?} after {} bytes (--read-timeout)",
                        trail.wire_bytes
                    );
                    return Err(Failure::new(FailureCode::ReadTimeout, message));
                }
            };
            trail.wire_bytes += chunk.len() as u64;
            ask.phase.set_bytes(trail.wire_bytes);
            if trail.wire_bytes > limit {
                return if is_cut { Ok(body.finish_with(chunk)) } else { Err(too_large(limit)) };
            }
            body.push(chunk, announced);
        }
    }
}

/// When `limit` is over that began at `start`; one that is beyond all reckoning is not met.
fn end_of(start: Instant, limit: Duration) -> tokio::time::Instant {
    start.checked_add(limit).unwrap_or(start + FOR_EVER).into()
}

/// Waits for `future`, for `limit` at most. What is there already, as most small
/// bodies are, needs no clock.
async fn within<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => timeout(limit, future).await,
    }
}

/// Reads a body that is not saved, as far as it comes and is useful.
async fn read_reason(
    response: &mut Response,
    body: &mut Collected,
    trail: &mut Trail,
    phase: &PhaseCell,
) {
    while let Ok(Some(chunk)) = response.chunk().await {
        trail.wire_bytes += chunk.len() as u64;
        phase.set_bytes(trail.wire_bytes);
        if trail.wire_bytes > UNSAVED_BODY_LIMIT {
            return;
        }
        body.push(chunk, None);
    }
}

/// `failure`, with the address that a redirect led to: the record names another.
fn placed(failure: Failure, ask: &Ask<'_>) -> Failure {
    if ask.hops == 0 {
        return failure;
    }
    let address = message::excerpt(&shown_url(ask.url));
    let message = format!("{} (redirected to {address})", failure.message);
    Failure { message, ..failure }
}

/// Chunks of a body; a body of one chunk is not copied.
#[derive(Default)]
enum Collected {
    #[default]
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Collected {
    fn push(&mut self, chunk: Bytes, announced: Option<u64>) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(chunk),
            Self::One(first) => {
                let room = announced.unwrap_or(0).min(FIRST_ROOM);
                let room = usize::try_from(room).unwrap_or(0).max(first.len() + chunk.len());
                let mut all = BytesMut::with_capacity(room);
                all.extend_from_slice(&first);
                all.extend_from_slice(&chunk);
                Self::Many(all)
            }
            Self::Many(mut all) => {
                all.extend_from_slice(&chunk);
                Self::Many(all)
            }
        };
    }

    fn finish_with(mut self, last: Bytes) -> Bytes {
        self.push(last, None);
        self.finish()
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(all) => all.freeze(),
        }
    }
}

fn too_large(limit: u64) -> Failure {
    Failure::new(FailureCode::TooLarge, format!("more than {limit} bytes on the wire (--max-size)"))
}

fn read_head(response: &Response, url: &Url) -> Head {
    let headers = response.headers();
    let retry_after = text(headers, &header::RETRY_AFTER);
    Head {
        final_url: url.clone(),
        status: response.status().as_u16(),
        http: match response.version() {
            http::Version::HTTP_2 => HttpVersion::Http2,
            http::Version::HTTP_3 => HttpVersion::Http3,
            http::Version::HTTP_11 => HttpVersion::Http11,
            _ => HttpVersion::Http10,
        },
        content_type: text(headers, &header::CONTENT_TYPE),
        content_encoding: text(headers, &header::CONTENT_ENCODING),
        etag: text(headers, &header::ETAG),
        last_modified: text(headers, &header::LAST_MODIFIED),
        // Only a date in the other is compared with it.
        date: retry_after.as_ref().and_then(|_| text(headers, &header::DATE)),
        retry_after,
        is_on_new_connection: false,
    }
}

/// A header's value; several fields of one name are joined by commas (RFC 9110, 5.3).
fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let mut joined = told(values.next()?).into_owned();
    for value in values {
        joined.push_str(", ");
        joined.push_str(&told(value));
    }
    Some(joined)
}

/// A value as text. That it is none is rare, and looking for it piece by piece is slow.
fn told(value: &HeaderValue) -> Cow<'_, str> {
    std::str::from_utf8(value.as_bytes())
        .map_or_else(|_| String::from_utf8_lossy(value.as_bytes()), Cow::Borrowed)
}

/// Only chunks were offered as a transfer coding (RFC 9112, 7.4); what comes in
/// another one would be taken for the page.
fn refuse_transfer_coding(headers: &HeaderMap) -> Result<(), Failure> {
    let coding = text(headers, &header::TRANSFER_ENCODING);
    match coding.filter(|coding| !coding.trim().eq_ignore_ascii_case("chunked")) {
        None => Ok(()),
        Some(coding) => {
            let coding = message::excerpt(&coding);
            let message =
                format!("the body is in a transfer coding that was not asked for, {coding:?}");
            Err(Failure::new(FailureCode::Decode, message))
        }
    }
}

/// Where the answer sends us on to, if it does (RFC 9110, 15.4).
fn redirect_target(current: &Url, response: &Response) -> Result<Option<Url>, Failure> {
    let is_redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !is_redirect {
        return Ok(None);
    }
    let Some(location) = text(response.headers(), &header::LOCATION) else {
        return Ok(None);
    };
    let leads_nowhere = |reason: &str| {
        let location = message::excerpt_url(&location);
        Failure::new(FailureCode::Redirects, format!("redirected to {location:?}, {reason}"))
    };
    let mut target = current.join(&location).map_err(|error| leads_nowhere(&error.to_string()))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(leads_nowhere("which is no http(s) address"));
    }
    target.set_fragment(None);
    Ok(Some(target))
}
