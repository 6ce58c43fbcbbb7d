//! When a page goes: the queue that every executor takes its pages from.
//!
//! The queue owns all waiting that is not a page's own input and output: input
//! that is still to come, retries that are not due, hosts that are to be left
//! alone, rules that are not read yet, room for more input. Its decisions are
//! made in [`frontier`] and the modules below it, which are pure; this file adds
//! the lock, the clock and the waking.

pub mod frontier;
mod handle;
pub mod host;
mod next_page;
pub mod notice;
mod outlet;
pub mod retry;
pub mod robots;
mod side_request;
#[cfg(test)]
mod tests;
mod waiters;

use std::num::NonZeroUsize;

pub use handle::Queue;
use host::HostLimits;
pub use next_page::{NextPage, Waits};
pub use outlet::Note;
use retry::{FailureLimit, RetryPolicy};
use robots::ProductToken;

/// How the queue decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How often a failed page is tried again.
    pub retry: RetryPolicy,
    /// What may be asked of one host.
    pub limits: HostLimits,
    /// Whether robots rules are kept.
    pub obeys_robots: bool,
    /// Whose rules they are.
    pub agent: ProductToken,
    /// How many failures the run bears.
    pub failure_limit: Option<FailureLimit>,
    /// The number of workers that the user asked for. It only serves to warn where a host's
    /// own limit is lower.
    pub workers: Option<NonZeroUsize>,
}

/// Why a run stops before its pages are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The user asked for it (Ctrl-C or SIGTERM).
    Interrupted,
    /// Its time is over (`--deadline`).
    Deadline,
    /// So many pages failed, more than it bears (`--max-failures`).
    TooManyFailures(u64),
    /// Something that every further page needs is broken; the words say what,
    /// outermost first.
    Broken(Vec<String>),
}
