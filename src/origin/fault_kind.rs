//! The kinds of faults: their names, and the scope for which each is drawn.
//!
//! Pure. [`faults`](super::faults) draws them; [`inject`](super::inject) decides what they do to a
//! response.

use std::fmt;

/// One thing that the server does wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// `503`: that status, without `Retry-After`. Drawn for each attempt.
    Unavailable,
    /// `429`: that status, without `Retry-After`. Drawn for each attempt.
    TooMany,
    /// `429-retry-after`: that status, with `Retry-After: 1`. Drawn for each attempt.
    TooManyRetryAfter,
    /// `reset`: the connection is reset before any answer; on HTTP/2 only the stream is reset.
    /// Drawn for each attempt.
    Reset,
    /// `cut`: the connection is closed after half of the announced body; on HTTP/2 the stream is
    /// reset after at most that. Drawn for each attempt.
    Cut,
    /// `stall`: nothing follows half of the announced body. Drawn for each attempt.
    Stall,
    /// `h2-reset-no-error`: on HTTP/2 the stream is reset with `NO_ERROR` after at most half of the
    /// body, whose length is not announced and whose end is not marked. HTTP/1.1 has no such thing,
    /// so the page is sent correctly. Drawn for each attempt.
    ResetNoError,
    /// `partial-206`: status 206 with the first half of the page and a `Content-Range` that says
    /// so, although the client did not ask for a range. Drawn for each attempt.
    Partial,
    /// `folded-header`: on HTTP/1.1 the correct answer has a header of two lines, which a server
    /// must not send and a client must read (RFC 9112, section 5.2). HTTP/2 has no lines, so the
    /// page is sent correctly. Drawn for each attempt.
    FoldedHeader,
    /// `refused-stream`: on HTTP/2 the stream is reset with `REFUSED_STREAM` before any answer.
    /// HTTP/1.1 has no streams, so the page is sent correctly. Drawn for each attempt.
    RefusedStream,
    /// `stale-connection`: the server answers the first request on the connection only. On HTTP/1.1
    /// it resets the connection at the second one. On HTTP/2 it sends GOAWAY, which says that only
    /// the first one is processed. Requests that are not processed do not count as attempts. Drawn
    /// for each connection.
    StaleConnection,
    /// `slow-accept`: a second passes before the first byte is read. Drawn for each connection.
    SlowAccept,
    /// `redirect-loop`: a redirect to the same path with another query. Drawn for each page.
    RedirectLoop,
    /// `endless`: the page again and again, without an announced length. Drawn for each page.
    Endless,
    /// `bad-gzip`: the headers say gzip and the body is not. Drawn for each page.
    BadGzip,
    /// `wrong-length`: the page, announced as longer than it is; the connection is closed after
    /// it, and on HTTP/2 the stream ends. Drawn for each page.
    WrongLength,
    /// `drip`: one byte per second, without end. Drawn for each page.
    Drip,
}

/// The things for which a kind is drawn; each scope has a draw of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Attempt,
    Connection,
    Page,
}

/// Every kind with its name and scope.
const KINDS: [(FaultKind, &str, Scope); 17] = [
    (FaultKind::Unavailable, "503", Scope::Attempt),
    (FaultKind::TooMany, "429", Scope::Attempt),
    (FaultKind::TooManyRetryAfter, "429-retry-after", Scope::Attempt),
    (FaultKind::Reset, "reset", Scope::Attempt),
    (FaultKind::Cut, "cut", Scope::Attempt),
    (FaultKind::Stall, "stall", Scope::Attempt),
    (FaultKind::ResetNoError, "h2-reset-no-error", Scope::Attempt),
    (FaultKind::Partial, "partial-206", Scope::Attempt),
    (FaultKind::FoldedHeader, "folded-header", Scope::Attempt),
    (FaultKind::RefusedStream, "refused-stream", Scope::Attempt),
    (FaultKind::StaleConnection, "stale-connection", Scope::Connection),
    (FaultKind::SlowAccept, "slow-accept", Scope::Connection),
    (FaultKind::RedirectLoop, "redirect-loop", Scope::Page),
    (FaultKind::Endless, "endless", Scope::Page),
    (FaultKind::BadGzip, "bad-gzip", Scope::Page),
    (FaultKind::WrongLength, "wrong-length", Scope::Page),
    (FaultKind::Drip, "drip", Scope::Page),
];

impl FaultKind {
    /// Every kind, in the order of their documentation.
    pub fn all() -> impl ExactSizeIterator<Item = FaultKind> {
        KINDS.iter().map(|&(kind, ..)| kind)
    }

    /// The name that users type.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns the scope for which it is drawn.
    pub(super) fn scope(self) -> Scope {
        self.row().2
    }

    /// The names of all kinds.
    pub(super) fn names() -> String {
        let names: Vec<&str> = FaultKind::all().map(FaultKind::name).collect();
        names.join(", ")
    }

    /// Whether it sends a part of a page, which a client must not take for the whole. The part is
    /// sent without compression: a gzip body without its end would show by itself what only the
    /// answer's head or its stream is to show.
    pub(super) fn sends_a_part(self) -> bool {
        matches!(self, FaultKind::ResetNoError | FaultKind::Partial)
    }

    fn row(self) -> &'static (FaultKind, &'static str, Scope) {
        KINDS.iter().find(|(kind, ..)| *kind == self).expect("every kind has a row")
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
