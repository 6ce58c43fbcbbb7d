//! When a page goes: the queue that every executor takes its pages from.
//!
//! The queue owns all waiting that is not a page's own input and output: for input that is
//! still to come, for the time of a retry, for a parked host, for robots rules, for room for
//! more input. The [`frontier`] and the modules below it decide, and are pure. [`Queue`] adds
//! the lock, the clock and the waking.
//!
//! How one host is paced is described in [`host`], the life of a page in
//! [`exec::drain`](crate::exec::drain).
//!
//! # How a run stops
//!
//! A run ends by itself when the input is over and every page is settled. Everything else
//! stops it in one of two ways. The first [`StopReason`] stands. (A second Ctrl-C ends the
//! program at once.)
//!
//! | call | who calls it | pages in flight | pages that wait |
//! |---|---|---|---|
//! | [`Queue::close`] | Ctrl-C, `--max-failures`, an observer or a sink that fails, a source that cannot be read on | may end as usual | are not requested |
//! | [`Queue::abort`] | `--deadline`, and a while after Ctrl-C | are cut short | are not requested |
//!
//! What happens then:
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
//!
//! For example, say that the user presses Ctrl-C while 3 pages are in flight and 40 wait. The
//! queue is closed, and no other page is requested. One page ends after a second and is
//! recorded as `saved`. Two seconds after Ctrl-C the queue is aborted: the other 2 pages and
//! the 40 that wait are recorded as `interrupted`, and `--resume` fetches these 42.

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
    /// How many times and how soon a failed page is tried again.
    pub retry: RetryPolicy,
    /// The limits of each host: open requests and requests per second.
    pub limits: HostLimits,
    /// Whether the run obeys robots rules.
    pub obeys_robots: bool,
    /// The agent whose robots rules apply.
    pub agent: ProductToken,
    /// How many failures stop the run.
    pub failure_limit: Option<FailureLimit>,
    /// The number of workers that the user asked for. It only serves a warning where the
    /// limit of a known site is lower.
    pub workers: Option<NonZeroUsize>,
}

/// Why a run stops before its pages are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The user asked for it (Ctrl-C or SIGTERM).
    Interrupted,
    /// The run has reached its `--deadline`.
    Deadline,
    /// This many pages failed, more than `--max-failures` allows.
    TooManyFailures(u64),
    /// Something that every further page needs is broken. The texts give the error and its
    /// causes, outermost first.
    Broken(Vec<String>),
}
