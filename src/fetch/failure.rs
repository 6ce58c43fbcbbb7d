//! The one place where the HTTP library's errors become ours, and those of the layer
//! below it.
//!
//! Errors are texts apart by their types and flags, never by their text.

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

/// What the server did for a request that it did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerWork {
    /// Nobody knows.
    Unknown,
    /// None: the request did not reach it, or the connection ended first. A GET may be
    /// asked again at once (RFC 9110, 9.2.2; RFC 9112, 9.3.1; RFC 9113, 6.8 and 8.7).
    None,
    /// None: it refused the stream, as it has too many of them (RFC 9113, 8.7).
    Refused,
    /// It answered, with more header lines than there was room for.
    ManyFields,
}

/// What became of a request whose answer did not begin.
pub(super) fn before_answer(
    error: &(dyn Error + 'static),
    is_on_used_connection: bool,
) -> Unanswered {
    let is_connect = error_chain::is_connect(error);
    let otherwise = if is_connect { FailureCode::Connect } else { FailureCode::Protocol };
    let code = causes(error).find_map(of_cause).unwrap_or(otherwise);
    let code = match code {
        // A connection that ends before an answer was reset, and nothing is truncated yet.
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

/// The local address of the connection on which a request failed, if it had one.
pub(super) fn connection_of(error: &(dyn Error + 'static)) -> Option<SocketAddr> {
    let failed = causes(error).find_map(|cause| cause.downcast_ref::<legacy::Error>())?;
    local_address(failed.connect_info()?)
}

/// The failure of an answer whose body did not come whole.
pub(super) fn in_body(error: &(dyn Error + 'static)) -> Failure {
    let code = match causes(error).find_map(of_cause) {
        Some(FailureCode::ConnectTimeout) => FailureCode::ReadTimeout,
        Some(code) => code,
        None => FailureCode::Protocol,
    };
    Failure::new(code, message(error))
}

/// What one error of a chain says of the server's work, if it says anything.
fn server_work(cause: &(dyn Error + 'static)) -> Option<ServerWork> {
    if let Some(error) = cause.downcast_ref::<h2::Error>().filter(|error| error.is_remote()) {
        if error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM) {
            return Some(ServerWork::Refused);
        }
        // It has had enough: to come back at once is not what it asks for.
        if error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) {
            return Some(ServerWork::Unknown);
        }
        // Streams up to the last one that it names go on and are not texts of it.
        return error.is_go_away().then_some(ServerWork::None);
    }
    let error = cause.downcast_ref::<hyper::Error>()?;
    (error.is_canceled() || error.is_closed()).then_some(ServerWork::None)
}

/// Whether the head was too large, by its size or by its number of lines.
fn is_large_head(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large)
}

/// What one error of a chain says, if it says anything.
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
        // Pings that were not answered.
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
        // What this side resets breaks the protocol, and will again.
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

/// One line for people: the innermost cause, which is the one that helps.
pub(super) fn message(error: &(dyn Error + 'static)) -> String {
    let mut texts = Vec::new();
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            let advice = if tls::is_about_certificate(error) {
                " (--cacert FILE names an authority of your own)"
            } else {
                ""
            };
            return format!("TLS: {error}{advice}");
        }
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            if error.is_library() {
                return format!(
                    "the answer breaks the rules of HTTP/2 (RFC 9113, 8.1.1), with a field of \
                     connections such as Keep-Alive for one: {error}"
                );
            }
            if error.is_go_away() && error.is_remote() {
                let reason = error.reason().unwrap_or(h2::Reason::NO_ERROR);
                return format!("the server ends the connection (GOAWAY, {reason:?})");
            }
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout) {
            return "the connection answers no pings".into();
        }
        if cause.is::<DnsError>() || cause.is::<ConnectTimedOut>() {
            return cause.to_string();
        }
        // The library's own words name the URL, which the record has anyway and
        // which may hold a password.
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
