//! When a page goes: the queue that every executor takes its pages from.
//!
//! The queue owns all waiting that is not a page's own input and output: for input that is
//! still to come, for a retry's time, for a parked host, for robots rules, for room for more
//! input. The [`frontier`] and the modules below it decide, and are pure; [`Queue`] adds the
//! lock, the clock and the waking.
//!
//! How one host is paced is described in [`host`], the life of a page in
//! [`exec::drain`](crate::exec::drain).
//!
//! # How a run stops
//!
//! A run ends by itself when the input is over and every page is settled. Everything else
//! stops it in one of two ways; the first [`StopReason`] stands. (A second Ctrl-C ends the
//! program at once.)
//!
//! | call | who calls it | pages in flight | pages that wait |
//! |---|---|---|---|
//! | [`Queue::close`] | Ctrl-C, `--max-failures`, an observer or a sink that fails, a source that cannot be read on | may end as usual | are not requested |
//! | [`Queue::abort`] | `--deadline`, and a while after Ctrl-C | are cut short | are not requested |
//!
//! 1. [`Queue::close`] wakes all workers. [`Queue::next`] returns `None` to each, so each
//!    worker ends after the page that it has in flight. [`Queue::push`] returns the page
//!    that the feeder thread brings, and the feeder ends.
//! 2. [`Queue::abort`] also ends the future [`Queue::aborted`], on which every step waits
//!    beside its turn. The step then drops the turn, except for one that another thread
//!    *holds* (it saves the page at that moment): the step waits for that thread, because
//!    a save that has begun must be recorded as what it became.
//! 3. A page that was cut short is recorded as [`Queue::aborted_outcome`] says: `failed`
//!    with the code `deadline` after `--deadline`, `interrupted` otherwise.
//! 4. When the workers have ended, [`Queue::take_rest`] returns the pages that still wait,
//!    at their hosts, between two attempts or for robots rules. They are recorded as
//!    `interrupted`, so that every page of the input has exactly one record.

mod delayed;
pub mod frontier;
mod handle;
pub mod host;
mod next_page;
pub(crate) mod notice;
mod outlet;
pub mod retry;
pub(crate) mod robots;
mod side_request;
pub(crate) mod signal;
#[cfg(test)]
mod tests;
mod waiters;

use std::num::NonZeroUsize;

pub use handle::Queue;
use host::HostLimits;
use retry::{FailureLimit, RetryPolicy};
use robots::ProductToken;

/// How the queue decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How often a failed page is tried again.
    pub retry: RetryPolicy,
    /// How many requests one host gets, and how fast.
    pub limits: HostLimits,
    /// Whether robots rules are obeyed.
    pub obeys_robots: bool,
    /// Whose rules they are.
    pub agent: ProductToken,
    /// How many failures stop the run.
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
    /// The run's time is over (`--deadline`).
    Deadline,
    /// This many pages failed, more than `--max-failures` allows.
    TooManyFailures(u64),
    /// Something that every further page needs is broken. The texts give the error and its
    /// causes, outermost first.
    Broken(Vec<String>),
}
