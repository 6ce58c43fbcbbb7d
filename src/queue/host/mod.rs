//! One host of a run, and the schedule of all hosts.
//!
//! For each host the queue maintains:
//!
//! - the **jobs** that wait for it, in input order, retries first (`state.rs`);
//! - its **limits**, from the user, a [site policy](site_policy) or the default
//!   ([`registry`]), and the delay that its robots.txt asks for;
//! - its **pace**: open requests, the moment of the next request, and until when the host
//!   is parked ([`pace`]);
//! - its **brake**: the slower pace that refusals taught, which loosens with each answer
//!   ([`brake`]);
//! - its **concurrency**, found while running, for `--workers auto` ([`concurrency`]);
//! - its **health**: refusals and failed connections in a row (`state.rs`);
//! - its **slot** in the schedule: ready now, at a moment, or not at all ([`ready`]).
//!
//! All limits apply at once: the lowest number of open requests and the lowest rate win. No
//! worker ever sleeps for a host. A host that must wait lies in a heap by its moment, and
//! workers take the pages of others.
//!
//! # Example: a host answers 429
//!
//! Say that a host has 8 requests open and answers one of them with
//! `429 Too Many Requests` (RFC 6585, 4) and `Retry-After: 60` (RFC 9110, 10.2.3).
//!
//! 1. The signal (`queue/signal.rs`) of that attempt is "refused, for 60 s".
//! 2. The host is parked for 60 s: none of its pages goes before.
//! 3. The brake halves the rate and the open requests: at most 4 are open from now on. If the
//!    host refuses the other 7 requests as well, that is the same event, because they started
//!    before the first refusal.
//! 4. The page waits at the head of its host's jobs. The attempt does not use up a retry,
//!    because the host only asked for a pause. This applies to 10 refusals of the host in a
//!    row, and to 50 of the page.
//! 5. The program reports it: "a.org paused 60 s (429, Retry-After 60)".
//! 6. After 60 s the host is ready again, and each answer brings its pace closer to the
//!    one that failed.
//!
//! A refusal without `Retry-After` parks the host for half a second to a second; each further
//! one in a row doubles the pause, up to 30 s. A refusal that asks for more than an hour ends
//! the host's pages as `interrupted`, for a later run. After 15 refusals in a row without a
//! success the host's pages fail.

mod brake;
pub(crate) mod concurrency;
mod meter;
pub(crate) mod pace;
mod profile;
pub(crate) mod ready;
pub(crate) mod registry;
mod samples;
pub(crate) mod site_policy;
pub(crate) mod state;
mod whole;

pub use registry::{Choice, HostLimits};
