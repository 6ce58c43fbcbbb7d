//! Converts the errors of the HTTP library, and of the layer below it, to failures. This
//! is the only place that does.
//!
//! Errors are distinguished by their types and flags, never by their text.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use hyper_util::client::legacy;

use super::connect::{ConnectTimedOut, local_address};
use super::error_chain::{self, causes};
use super::resolve::DnsError;
use super::{head, tls};
use crate::model::{Failure, FailureCode};

/// A request whose answer did not begin.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) failure: Failure,
    pub(super) work: ServerWork,
}

/// How much the server worked on a request that it did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerWork {
    /// Unknown.
    Unknown,
    /// Not at all: the request did not reach it, or the connection ended first. A GET may
    /// be sent again at once (RFC 9110, 9.2.2; RFC 9112, 9.3.1; RFC 9113, 6.8 and 8.7).
    None,
    /// Not at all: it refused the stream because it has too many (RFC 9113, 8.7).
    Refused,
    /// It answered with more header lines than the client had room for.
    ManyFields,
}

/// Converts the error of a request whose answer did not begin.
pub(super) fn before_answer(
    error: &(dyn Error + 'static),
    is_on_used_connection: bool,
) -> Unanswered {
    let is_connect = error_chain::is_connect(error);
    let otherwise = if is_connect { FailureCode::Connect } else { FailureCode::Protocol };
    let code = causes(error).find_map(of_cause).unwrap_or(otherwise);
    let code = match code {
        // A connection that ends before an answer was reset; there is no body yet to be
        // truncated.
        FailureCode::Truncated if is_connect => FailureCode::Connect,
        FailureCode::Truncated => FailureCode::Reset,
        FailureCode::ReadTimeout => FailureCode::FirstByteTimeout,
        code => code,
    };
    let is_large_head = causes(error).any(is_large_head);
    let work = match causes(error).find_map(server_work) {
        _ if is_large_head => ServerWork::ManyFields,
        Some(work) => work,
        None if is_on_used_connection && code == FailureCode::Reset => ServerWork::None,
        None => ServerWork::Unknown,
    };
    let failure =
        if is_large_head { head::too_large() } else { Failure::new(code, message(error)) };
    Unanswered { failure, work }
}

/// Returns the local address of the connection on which a request failed, if it had one.
pub(super) fn connection_of(error: &(dyn Error + 'static)) -> Option<SocketAddr> {
    let failed = causes(error).find_map(|cause| cause.downcast_ref::<legacy::Error>())?;
    local_address(failed.connect_info()?)
}

/// Converts the error of an answer whose body is not complete.
pub(super) fn in_body(error: &(dyn Error + 'static)) -> Failure {
    let code = match causes(error).find_map(of_cause) {
        Some(FailureCode::ConnectTimeout) => FailureCode::ReadTimeout,
        Some(code) => code,
        None => FailureCode::Protocol,
    };
    Failure::new(code, message(error))
}

/// Returns what one error of a chain says about the server's work; `None` if it says
/// nothing.
fn server_work(cause: &(dyn Error + 'static)) -> Option<ServerWork> {
    if let Some(error) = cause.downcast_ref::<h2::Error>().filter(|error| error.is_remote()) {
        if error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM) {
            return Some(ServerWork::Refused);
        }
        // The server is overloaded, so the request must not be sent again at once.
        if error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) {
            return Some(ServerWork::Unknown);
        }
        // The server still answers streams up to the last one that it names; the library
        // reports no error for those.
        return error.is_go_away().then_some(ServerWork::None);
    }
    let error = cause.downcast_ref::<hyper::Error>()?;
    (error.is_canceled() || error.is_closed()).then_some(ServerWork::None)
}

/// Whether the head was too large, by its size or by its number of lines.
fn is_large_head(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large)
}

/// Returns the code for one error of a chain; `None` if it says nothing.
fn of_cause(cause: &(dyn Error + 'static)) -> Option<FailureCode> {
    if let Some(error) = cause.downcast_ref::<DnsError>() {
        return Some(match error {
            DnsError::TimedOut { .. } => FailureCode::DnsTimeout,
            DnsError::Failed { .. } | DnsError::NoAddress { .. } => FailureCode::Dns,
            DnsError::Blocked { .. } => FailureCode::Blocked,
        });
    }
    if cause.is::<ConnectTimedOut>() {
        return Some(FailureCode::ConnectTimeout);
    }
    if cause.is::<rustls::Error>() {
        return Some(FailureCode::Tls);
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        if error.is_incomplete_message() {
            return Some(FailureCode::Truncated);
        }
        if error.is_parse() {
            return Some(FailureCode::Protocol);
        }
        // Pings without an answer.
        if error.is_timeout() {
            return Some(FailureCode::ReadTimeout);
        }
        if error.is_canceled() || error.is_closed() {
            return Some(FailureCode::Reset);
        }
    }
    if let Some(error) = cause.downcast_ref::<h2::Error>()
        && (error.is_reset() || error.is_go_away())
    {
        // This program resets a stream if the server broke the protocol, which it will do
        // again.
        let is_theirs = error.is_remote();
        return Some(if is_theirs { FailureCode::Reset } else { FailureCode::Protocol });
    }
    cause.downcast_ref::<io::Error>().and_then(of_io)
}

fn of_io(error: &io::Error) -> Option<FailureCode> {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::UnexpectedEof => Some(FailureCode::Truncated),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
            Some(FailureCode::Reset)
        }
        Kind::ConnectionRefused
        | Kind::AddrNotAvailable
        | Kind::NetworkUnreachable
        | Kind::HostUnreachable
        | Kind::NetworkDown => Some(FailureCode::Connect),
        Kind::TimedOut => Some(FailureCode::ConnectTimeout),
        Kind::InvalidData | Kind::InvalidInput => Some(FailureCode::Protocol),
        _ => None,
    }
}

/// Returns one line for people: the text of the innermost cause, which is the most
/// helpful one.
pub(super) fn message(error: &(dyn Error + 'static)) -> String {
    let mut texts = Vec::new();
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            let advice = if tls::is_about_certificate(error) {
                " (if the authority is your own, name its file with --cacert)"
            } else {
                ""
            };
            return format!("TLS: {error}{advice}");
        }
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            if error.is_library() {
                return format!(
                    "the answer breaks the rules of HTTP/2 (RFC 9113, 8.1.1), for example with \
                     a field such as Keep-Alive: {error}"
                );
            }
            if error.is_go_away() && error.is_remote() {
                let reason = error.reason().unwrap_or(h2::Reason::NO_ERROR);
                return format!("the server closed the connection (GOAWAY, {reason:?})");
            }
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout) {
            return "the server did not answer a ping on the connection".into();
        }
        if cause.is::<DnsError>() || cause.is::<ConnectTimedOut>() {
            return cause.to_string();
        }
        // The library's own text names the URL, which may hold a password and which the
        // record has anyway.
        if !cause.is::<reqwest::Error>() {
            texts.push(cause.to_string());
        }
    }
    match texts.first() {
        Some(text) if error_chain::is_connect(error) => format!("no connection: {text}"),
        Some(text) => text.clone(),
        None => "the request could not be sent".into(),
    }
}
