//! One turn of a job: a request, built from what the job needs next, and its reply.
//!
//! Pages, robots.txt files and the pages that a source reads are all requested here.

use std::time::{Duration, Instant};

use crate::fetch::{BodyLimit, BodyMemory, Client, FetchFailure, Reply, Request};
use crate::in_flight::InFlight;
use crate::model::{Job, Kind};
use crate::queue::robots;

/// The part of a robots.txt that is read (RFC 9309, 2.5), encoded and decoded.
pub(super) const RULES_LIMIT: u64 = robots::BODY_LIMIT as u64;

/// Sends the one request that `job` needs next, and returns its reply. The turn began at
/// `started`.
///
/// # Errors
///
/// [`FetchFailure`] when no complete reply came.
pub(crate) async fn run_turn(
    client: &Client,
    job: &Job,
    started: Instant,
    in_flight: &InFlight,
    memory: &BodyMemory<'_>,
) -> Result<Reply, FetchFailure> {
    let hop = job.hop.as_deref();
    let request = Request {
        url: job.target(),
        start_url: &job.url,
        validators: job.validators_of_target(),
        hops: hop.map_or(0, |hop| hop.count),
        spent: hop.map_or(Duration::ZERO, |hop| hop.spent),
        cookies: hop.map_or(&[], |hop| &hop.cookies),
        has_left_home: hop.is_some_and(|hop| hop.has_left_home),
        body_limit: match job.kind {
            Kind::Page | Kind::Source => BodyLimit::Whole,
            Kind::Robots => BodyLimit::Prefix(RULES_LIMIT),
        },
        started,
        progress: in_flight.progress(),
        memory,
    };
    client.send(&request).await
}
