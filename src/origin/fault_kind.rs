//! The kinds of faults: their names, and what each is drawn for.
//!
//! Pure. How often they happen is left to [`faults`](super::faults), what they do to a response to
//! [`inject`](super::inject).

use std::fmt;
use std::str::FromStr;

use super::faults::FaultError;

/// One way of going wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// `503`: that status, without `Retry-After`. Drawn for each attempt.
    Unavailable,
    /// `429`: that status, without `Retry-After`. Drawn for each attempt.
    TooMany,
    /// `429-retry-after`: that status, with `Retry-After: 1`. Drawn for each attempt.
    TooManyRetryAfter,
    /// `reset`: the connection is reset before any answer; on HTTP/2 the stream is. Drawn for
    /// each attempt.
    Reset,
    /// `cut`: the connection is closed after half of the announced body; on HTTP/2 the stream is
    /// reset after at most that. Drawn for each attempt.
    Cut,
    /// `stall`: nothing follows half of the announced body. Drawn for each attempt.
    Stall,
    /// `h2-reset-no-error`: on HTTP/2 the stream is reset with `NO_ERROR` after at most half of the
    /// body, whose length is not announced and whose end is not marked. HTTP/1.1 has no such thing,
    /// and the page is answered as it should be. Drawn for each attempt.
    ResetNoError,
    /// `partial-206`: status 206 with the first half of the page and a `Content-Range` that says
    /// so, which no client asked for. Drawn for each attempt.
    Partial,
    /// `folded-header`: on HTTP/1.1 the right answer has a header of two lines, which no server may
    /// send and each client has to read (RFC 9112, section 5.2). HTTP/2 has no lines, and the page
    /// is answered as it should be. Drawn for each attempt.
    FoldedHeader,
    /// `refused-stream`: on HTTP/2 the stream is reset with `REFUSED_STREAM` before any answer.
    /// HTTP/1.1 has no streams, and the page is answered as it should be. Drawn for each attempt.
    RefusedStream,
    /// `stale-connection`: the first request on the connection is answered. On HTTP/1.1 a later one
    /// has the connection reset instead of an answer. On HTTP/2 a later one gets GOAWAY, which says
    /// that none but the first is worked on. Requests that are not worked on are no attempts.
    /// Drawn for each connection.
    StaleConnection,
    /// `slow-accept`: a second passes before the first byte is read. Drawn for each connection.
    SlowAccept,
    /// `redirect-loop`: a redirect to the same path with another query. Drawn for each page.
    RedirectLoop,
    /// `endless`: the page again and again, of no announced length. Drawn for each page.
    Endless,
    /// `bad-gzip`: a body that is said to be gzip and is not. Drawn for each page.
    BadGzip,
    /// `wrong-length`: the page, announced as longer than it is; the connection is closed after
    /// it, and on HTTP/2 the stream ends. Drawn for each page.
    WrongLength,
    /// `drip`: one byte a second, for ever. Drawn for each page.
    Drip,
}

/// What a kind is drawn for; each class has a draw of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Attempt,
    Connection,
    Page,
}

/// Every kind with its name and class.
const KINDS: [(FaultKind, &str, Class); 17] = [
    (FaultKind::Unavailable, "503", Class::Attempt),
    (FaultKind::TooMany, "429", Class::Attempt),
    (FaultKind::TooManyRetryAfter, "429-retry-after", Class::Attempt),
    (FaultKind::Reset, "reset", Class::Attempt),
    (FaultKind::Cut, "cut", Class::Attempt),
    (FaultKind::Stall, "stall", Class::Attempt),
    (FaultKind::ResetNoError, "h2-reset-no-error", Class::Attempt),
    (FaultKind::Partial, "partial-206", Class::Attempt),
    (FaultKind::FoldedHeader, "folded-header", Class::Attempt),
    (FaultKind::RefusedStream, "refused-stream", Class::Attempt),
    (FaultKind::StaleConnection, "stale-connection", Class::Connection),
    (FaultKind::SlowAccept, "slow-accept", Class::Connection),
    (FaultKind::RedirectLoop, "redirect-loop", Class::Page),
    (FaultKind::Endless, "endless", Class::Page),
    (FaultKind::BadGzip, "bad-gzip", Class::Page),
    (FaultKind::WrongLength, "wrong-length", Class::Page),
    (FaultKind::Drip, "drip", Class::Page),
];

impl FaultKind {
    /// Every kind, in the order of their documentation.
    pub fn all() -> impl ExactSizeIterator<Item = FaultKind> {
        KINDS.iter().map(|&(kind, ..)| kind)
    }

    /// The name that it is asked for by.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Whether it is drawn for a page once and for all, so that no attempt at the page succeeds.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        self.class() == Class::Page
    }

    /// What it is drawn for.
    pub(super) fn class(self) -> Class {
        self.row().2
    }

    /// The names of all kinds.
    pub(super) fn names() -> String {
        let names: Vec<&str> = FaultKind::all().map(FaultKind::name).collect();
        names.join(", ")
    }

    /// Whether it sends a part of a page that must not pass for the whole. The part is not
    /// compressed, so that no compression without its end shows what the answer has to show.
    pub(super) fn sends_a_part(self) -> bool {
        matches!(self, FaultKind::ResetNoError | FaultKind::Partial)
    }

    fn row(self) -> &'static (FaultKind, &'static str, Class) {
        KINDS.iter().find(|(kind, ..)| *kind == self).expect("every kind has a row")
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(name: &str) -> Result<FaultKind, FaultError> {
        FaultKind::all()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| FaultError::Kind { name: name.to_owned() })
    }
}
