//! What an attempt shows about its host. Pure.
//!
//! Sources: 429 is RFC 6585, 4; 503 is RFC 9110, 15.6.4; `Retry-After` is RFC 9110, 10.2.3.

use std::time::{Duration, SystemTime};

use crate::foreign::Foreign;
use crate::model::{Attempt, FailureCode, Outcome};
use crate::queue::retry::retry_after;

/// The signal of an attempt about its host, which concerns all pages of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The host answers.
    Answered,
    /// The host answered that it gets too many requests: 429, or 503 with a `Retry-After`.
    /// The pause is the one that it asked for, if any.
    Refused(Option<Duration>),
    /// 503 without a `Retry-After`.
    Overloaded,
    /// No connection could be opened.
    Unreachable,
    /// The attempt shows nothing about the host, for example a local write error.
    Nothing,
}

/// Reads the signal of an attempt. A date in `Retry-After` is compared with `now` where the
/// answer has no `Date` of its own.
pub(crate) fn signal(attempt: &Attempt, now: SystemTime) -> Signal {
    use FailureCode as Code;
    let Outcome::Failed(failure) = &attempt.outcome else {
        return match attempt.outcome {
            Outcome::Interrupted => Signal::Nothing,
            _ => Signal::Answered,
        };
    };
    match (failure.code, &attempt.head) {
        (Code::Http, Some(head)) => {
            let asked = head.retry_after.as_ref().map(Foreign::raw);
            let asked = asked.and_then(|text| {
                retry_after::parse(text, head.date.as_ref().map(Foreign::raw), now)
            });
            match (head.status, asked) {
                (429, asked) => Signal::Refused(asked),
                (503, Some(asked)) => Signal::Refused(Some(asked)),
                (503, None) => Signal::Overloaded,
                _ => Signal::Answered,
            }
        }
        (Code::Dns | Code::DnsTimeout | Code::Connect | Code::ConnectTimeout, _) => {
            Signal::Unreachable
        }
        (code, Some(_)) if !is_ours(code) => Signal::Answered,
        (_, _) => Signal::Nothing,
    }
}

/// Whether the proxy, the run or this program caused the failure, and not the host. A new code
/// has to be put on one of the sides.
const fn is_ours(code: FailureCode) -> bool {
    use FailureCode as Code;
    match code {
        Code::Save
        | Code::WorkerLost
        | Code::Internal
        | Code::Blocked
        | Code::Proxy
        | Code::Deadline => true,
        Code::Dns
        | Code::DnsTimeout
        | Code::Connect
        | Code::ConnectTimeout
        | Code::Tls
        | Code::FirstByteTimeout
        | Code::ReadTimeout
        | Code::MaxTime
        | Code::Reset
        | Code::Truncated
        | Code::Protocol
        | Code::Redirects
        | Code::TooLarge
        | Code::Decode
        | Code::Http
        | Code::Robots => false,
    }
}
