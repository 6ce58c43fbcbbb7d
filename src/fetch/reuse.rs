//! Whether and how long connections stay open for other requests.

use std::time::Duration;

/// An idle connection is closed after this time. Servers close theirs after 5 s (Apache,
/// Node.js) to 75 s (nginx), and the next request for a host usually comes soon.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Which of a client's connections are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// All: they stay open for other requests.
    Pooled,
    /// All, and there is room for answers with very many header lines.
    PooledManyFields,
    /// None: each request has a connection of its own.
    Never,
}
