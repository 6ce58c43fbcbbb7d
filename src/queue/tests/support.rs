//! Pages, frontiers and responses for the tests.

use std::time::{Instant, SystemTime};

use url::Url;

use crate::foreign::Foreign;
use crate::model::{Attempt, Failure, FailureCode, Head, Job, Key, Outcome, Response, Stored};
use crate::queue::Options;
use crate::queue::frontier::{Frontier, Moment, Next, Settlement};
use crate::queue::host::registry::{Choice, HostLimits};
use crate::queue::retry::policy;
use crate::random::Rng;

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub(super) fn job(seq: u64) -> Job {
    job_at(seq, &format!("http://a.org/{seq}"))
}

pub(super) fn job_at(seq: u64, address: &str) -> Job {
    Job::new(seq, url(address), Key::new(format!("{seq}.html")).unwrap())
}

pub(super) fn empty(options: Options) -> Frontier {
    Frontier::new(options, Rng::new(1))
}

pub(super) fn frontier(jobs: u64, now: Instant) -> Frontier {
    let mut frontier = empty(Options::default());
    (0..jobs).for_each(|seq| frontier.push(job(seq), now));
    frontier
}

pub(super) fn take(frontier: &mut Frontier, now: Instant) -> Job {
    match frontier.next(now) {
        Next::Job(job) => job,
        other => panic!("expected a job, got {other:?}"),
    }
}

pub(super) fn settle(
    frontier: &mut Frontier,
    job: Job,
    turn: Response,
    now: Instant,
) -> Settlement {
    frontier.settle(job, turn, now, Moment { now, wall: SystemTime::UNIX_EPOCH })
}

pub(super) fn saved() -> Response {
    Response::Done(Attempt::without_answer(Outcome::Saved {
        bytes: 0,
        sha256: [0; 32],
        stored: Stored::Key,
    }))
}

pub(super) fn failed(code: FailureCode) -> Response {
    Response::Done(Attempt::failed(Failure::new(code, code.as_str())))
}

pub(super) fn answered(status: u16, retry_after: Option<&str>) -> Response {
    let attempt = policy::tests::failed(FailureCode::Http, Some(status));
    let retry_after = retry_after.map(Foreign::from);
    let head = attempt.head.map(|head| Box::new(Head { retry_after, ..*head }));
    let failure = Failure::new(FailureCode::Http, crate::message::status(status));
    Response::Done(Attempt { head, outcome: Outcome::Failed(failure), ..attempt })
}

pub(super) fn limited(open: u32) -> HostLimits {
    HostLimits { open: Choice::Typed(Some(open)), ..HostLimits::default() }
}
