//! Fault injection: what a fault turns a correct response into, as values.
//!
//! Pure. [`faults`](super::faults) has drawn the fault; [`server`](super::server) and
//! [`body`](super::body) send the result and abort what has to be aborted.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};

use super::body::Ending;
use super::fault_kind::FaultKind;
use super::response::{short_page, typed};
use super::wire::{FOLDED_NAME, FOLDED_VALUE};

/// The number of bytes by which a wrong `Content-Length` is too large.
pub(super) const MISSING_BYTES: usize = 1000;

/// A body that is sent as gzip and is not: it does not begin with 1f 8b (RFC 1952, section 2.3.1).
pub(super) const NOT_GZIP: &str = "<!DOCTYPE html>\n<title>Not gzip</title>\n<p>Not gzip.</p>\n";

/// The part of a redirect's query before its number.
const TURN: &str = "turn=";

/// What a fault turned a response into.
#[derive(Debug)]
pub(super) enum Injected {
    /// There is no answer: the connection, or on HTTP/2 the stream, is reset.
    Reset,
    /// There is no answer: the stream is refused.
    Refused,
    /// A response whose body has this ending.
    Sent(Response<Bytes>, Ending),
}

/// Applies this fault to the correct response to this request.
///
/// Returns `None` if the fault changes nothing: it needs a body and there is none, or this version
/// of HTTP has no such fault.
pub(super) fn inject<T>(
    kind: FaultKind,
    request: &Request<T>,
    correct: &Response<Bytes>,
) -> Option<Injected> {
    let version = request.version();
    let injected = match kind {
        FaultKind::Reset => return Some(Injected::Reset),
        FaultKind::RefusedStream => {
            return (version == Version::HTTP_2).then_some(Injected::Refused);
        }
        FaultKind::FoldedHeader => {
            return (version != Version::HTTP_2).then(|| {
                let mut response = correct.clone();
                response.headers_mut().insert(FOLDED_NAME, FOLDED_VALUE);
                Injected::Sent(response, Ending::Complete)
            });
        }
        FaultKind::Unavailable => short_page(StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
        FaultKind::TooMany => short_page(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        FaultKind::TooManyRetryAfter => {
            let mut response = short_page(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        FaultKind::RedirectLoop => another_turn(request.uri().query()),
        FaultKind::SlowAccept | FaultKind::StaleConnection => return None,
        FaultKind::ResetNoError if version != Version::HTTP_2 => return None,
        FaultKind::BadGzip
        | FaultKind::Cut
        | FaultKind::Stall
        | FaultKind::ResetNoError
        | FaultKind::Partial
        | FaultKind::Endless
        | FaultKind::WrongLength
        | FaultKind::Drip => {
            return (!correct.body().is_empty())
                .then(|| inject_into_body(kind, version, correct.clone()));
        }
    };
    let is_head = request.method() == Method::HEAD;
    let injected = if is_head { injected.map(|_| Bytes::new()) } else { injected };
    Some(Injected::Sent(injected, Ending::Complete))
}

/// A redirect to the same path with a query that differs each time, so that a client finds the
/// loop only by counting.
fn another_turn(query: Option<&str>) -> Response<Bytes> {
    let turn = query.and_then(|query| query.strip_prefix(TURN)?.parse().ok()).unwrap_or(0_u32);
    // A reference that is nothing but a query keeps the path (RFC 3986, section 5.2.2).
    let location = format!("?{TURN}{}", turn.wrapping_add(1));
    let mut response = short_page(StatusCode::FOUND, "Found");
    let location = HeaderValue::from_str(&location).expect("letters and digits are allowed");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Applies a fault that needs a body.
fn inject_into_body(kind: FaultKind, version: Version, mut response: Response<Bytes>) -> Injected {
    let length = response.body().len();
    let ending = match kind {
        FaultKind::BadGzip => {
            let mut response = typed("text/html; charset=UTF-8", NOT_GZIP.into());
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return Injected::Sent(response, Ending::Complete);
        }
        FaultKind::Cut | FaultKind::Stall => {
            response.body_mut().truncate(length / 2);
            if kind == FaultKind::Cut { Ending::Abort } else { Ending::Stall }
        }
        FaultKind::ResetNoError => {
            response.body_mut().truncate(length / 2);
            // With a length, a client could see the fault without the mark of the stream's end.
            response.headers_mut().remove(CONTENT_LENGTH);
            Ending::AbortNoError
        }
        FaultKind::Partial => {
            make_partial(&mut response);
            Ending::Complete
        }
        FaultKind::WrongLength => {
            let wrong = HeaderValue::from(length + MISSING_BYTES);
            response.headers_mut().insert(CONTENT_LENGTH, wrong);
            // A stream has its own end, and other streams need the connection.
            if version == Version::HTTP_2 { Ending::Complete } else { Ending::Abort }
        }
        _ => {
            response.headers_mut().remove(CONTENT_LENGTH);
            if kind == FaultKind::Drip { Ending::Drip } else { Ending::Repeat }
        }
    };
    Injected::Sent(response, ending)
}

/// Reduces a page to its first half, with the headers that say so (RFC 9110, section 15.3.7.1).
fn make_partial(response: &mut Response<Bytes>) {
    let total = response.body().len();
    let half = total.div_ceil(2);
    response.body_mut().truncate(half);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let range = format!("bytes 0-{}/{total}", half - 1);
    let range = HeaderValue::from_str(&range).expect("letters, digits and signs are allowed");
    response.headers_mut().insert(CONTENT_RANGE, range);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(half));
}
