//! What may go now: the queue's pure core. Callers pass the time in; it never waits.
//!
//! A page that comes in passes the [gate](RobotsGate) of its origin's robots rules and joins
//! the jobs of its host. [`Frontier::next`] hands out the page that may go. What its response
//! means for it, and for the others at its host, is decided in `frontier/settle.rs`.

use std::time::{Duration, Instant, SystemTime};

use url::Url;

use crate::model::{Attempt, AutoWorkers, Job, Kind, Outcome};
use crate::queue::delayed::DelayedJobs;
use crate::queue::host::ready::{Pick, ReadyQueue};
use crate::queue::host::registry::HostId;
use crate::queue::notice::{Effects, Notice};
use crate::queue::robots::gate::{Passage, RobotsGate};
use crate::queue::waiters::Readiness;
use crate::queue::{Options, StopReason};
use crate::random::Rng;

mod settle;

/// The answer to a worker that looks for a page.
#[derive(Debug)]
pub enum Next {
    /// This page may go now.
    Job(Job),
    /// No page may go before this moment, unless something changes.
    NotBefore(Instant),
    /// No page may go until something changes: input comes, or a page in flight ends.
    Wait,
    /// No page will go any more.
    Done,
}

/// The present moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For durations.
    pub now: Instant,
    /// For dates that servers name.
    pub wall: SystemTime,
}

/// What [`Frontier::settle`] decided about the job itself.
#[derive(Debug)]
pub enum Settlement {
    /// The page is done.
    Done(Job, Attempt),
    /// The page waits for another attempt; this copy is for reports.
    Again {
        /// The page, with its attempts counted.
        job: Job,
        /// The attempt that failed.
        attempt: Attempt,
        /// The least time that it waits.
        after: Duration,
    },
    /// The job waits for another request of the same attempt: at another address, or
    /// because the server did not work on the last one. This is its place in the input.
    Onward(u64),
    /// The job was not a page, and callers need do nothing.
    Nothing,
}

/// The pages that wait, and the count of those in flight.
#[derive(Debug)]
pub struct Frontier {
    ready: ReadyQueue,
    gate: RobotsGate,
    /// Jobs between two attempts.
    delayed: DelayedJobs,
    /// Pages of the input that wait: at the gate, at a host or between two attempts.
    waiting: usize,
    in_flight: usize,
    failed: u64,
    settled: u64,
    is_input_over: bool,
    /// Why no more pages are handed out, once the frontier is closed.
    stop_reason: Option<StopReason>,
    options: Options,
    rng: Rng,
    effects: Effects,
}

impl Frontier {
    /// Creates an empty frontier whose input is still to come.
    pub fn new(options: Options, rng: Rng) -> Self {
        Self {
            ready: ReadyQueue::new(options.limits),
            gate: RobotsGate::new(options.obeys_robots, options.agent.clone()),
            delayed: DelayedJobs::default(),
            waiting: 0,
            in_flight: 0,
            failed: 0,
            settled: 0,
            is_input_over: false,
            stop_reason: None,
            options,
            rng,
            effects: Effects::default(),
        }
    }

    /// Adds a page behind the others.
    pub fn push(&mut self, job: Job, now: Instant) {
        self.waiting += 1;
        self.admit(job, now, false);
    }

    /// Returns the numbers of open requests that `--workers auto` has settled at.
    pub(crate) fn auto_workers(&self) -> Option<AutoWorkers> {
        self.ready.auto_workers()
    }

    /// The number of pages at hosts that may get a request now.
    pub(crate) const fn ready_len(&self) -> usize {
        self.ready.ready_jobs()
    }

    /// The number of pages that wait, for a worker or for their time.
    pub(crate) const fn waiting_len(&self) -> usize {
        self.waiting
    }

    /// Notes that no more pages will be pushed.
    pub(crate) const fn end_input(&mut self) {
        self.is_input_over = true;
    }

    /// Hands out no more pages. The first reason stands.
    pub(crate) fn close(&mut self, why: StopReason) {
        self.stop_reason.get_or_insert(why);
    }

    /// Returns why the frontier was closed, if it was.
    pub(crate) const fn stop_reason(&self) -> Option<&StopReason> {
        self.stop_reason.as_ref()
    }

    /// Whether the frontier was closed: by [`close`](Self::close), or because too many pages
    /// failed.
    pub(crate) const fn is_closed(&self) -> bool {
        self.stop_reason.is_some()
    }

    /// Takes the effects of all calls since they were last taken, if there are any.
    pub(crate) fn take_effects(&mut self) -> Option<Effects> {
        (!self.effects.is_empty()).then(|| std::mem::take(&mut self.effects))
    }

    /// Takes the page that may go at `now`.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.is_closed() {
            return Next::Done;
        }
        while let Some(job) = self.delayed.pop_due(now) {
            // It came earlier in the input than those that wait for their first attempt.
            self.admit(job, now, true);
        }
        let host_due = match self.ready.next(now) {
            Pick::Job(job) => {
                self.waiting -= usize::from(job.kind == Kind::Page);
                self.in_flight += 1;
                return Next::Job(job);
            }
            Pick::NotBefore(due) => Some(due),
            Pick::Nothing => None,
        };
        match self.delayed.next_due().into_iter().chain(host_due).min() {
            Some(due) => Next::NotBefore(due),
            None if self.is_over() => Next::Done,
            None => Next::Wait,
        }
    }

    /// Returns what there is at `now` for a worker that waits.
    pub(crate) fn readiness(&mut self, now: Instant) -> Readiness {
        if self.is_closed() {
            return Readiness::Nothing;
        }
        let delayed_due = self.delayed.next_due();
        let due = match self.ready.readiness(now) {
            Readiness::At(due) => delayed_due.into_iter().chain([due]).min(),
            Readiness::Nothing => delayed_due,
            Readiness::Now => return Readiness::Now,
        };
        match due {
            Some(due) if due > now => Readiness::At(due),
            Some(_) => Readiness::Now,
            None => Readiness::Nothing,
        }
    }

    /// Whether no page will be handed out any more, so that there is nothing to wait for.
    pub(crate) const fn is_done(&self) -> bool {
        self.is_closed() || self.is_over()
    }

    /// Whether every page is settled and no more will come.
    const fn is_over(&self) -> bool {
        self.is_input_over && self.in_flight == 0 && self.waiting == 0
    }

    /// Submits a request that runs outside the executor; only
    /// [`next_side`](Self::next_side) returns it. There is at most one at a time.
    pub(crate) fn submit_side(&mut self, job: Job, due: Instant) {
        let id = self.find_host(job.target());
        self.ready.submit_side(id, job, due);
    }

    /// Takes the side request, when it may go at `now`.
    pub(crate) fn next_side(&mut self, now: Instant) -> Next {
        if self.is_closed() {
            return Next::Done;
        }
        match self.ready.next_side(now) {
            Pick::Job(job) => {
                self.in_flight += 1;
                Next::Job(job)
            }
            Pick::NotBefore(due) => Next::NotBefore(due),
            Pick::Nothing if self.ready.has_side() => Next::Wait,
            // Its host gets no more requests.
            Pick::Nothing => Next::Done,
        }
    }

    /// Takes out every page that waits, in input order: what a closed queue leaves behind.
    pub(crate) fn take_rest(&mut self) -> Vec<Job> {
        let mut rest = self.gate.take_waiting();
        rest.extend(self.ready.clear_all());
        rest.extend(self.delayed.drain());
        rest.retain(|job| job.kind == Kind::Page);
        rest.sort_by_key(|job| job.seq);
        self.waiting = 0;
        rest
    }

    /// Adds a job to those of its host, unless it ends or must wait for robots rules.
    fn admit(&mut self, job: Job, now: Instant, is_first: bool) {
        let id = self.find_host(job.target());
        if let Some(outcome) = self.ready.host(id).ended.clone() {
            return self.end(job, outcome);
        }
        match self.gate.pass(job) {
            Passage::Open(job) => self.ready.enqueue(id, job, now, is_first),
            Passage::Waiting => (),
            Passage::RulesFirst(robots) => self.ready.enqueue(id, robots, now, true),
            Passage::Closed(job, outcome) => self.end(job, outcome),
        }
    }

    /// Returns the host of `url`, and reports the policy of a site that is new.
    fn find_host(&mut self, url: &Url) -> HostId {
        let (id, policy) = self.ready.find(url);
        if let Some(policy) = policy {
            let host = host_name(url);
            let limits = self.ready.host(id).pace.limits();
            let workers = self.options.workers;
            self.effects.notices.push(Notice::KnownSite { host, policy, limits, workers });
        }
        id
    }

    /// Ends a job that waits, without a request for it.
    fn end(&mut self, job: Job, outcome: Outcome) {
        match job.kind {
            Kind::Page => {
                self.waiting -= 1;
                self.count(&outcome);
                self.effects.ended.push((job, outcome));
            }
            Kind::Robots => {
                for (job, outcome) in self.gate.give_up(&job.url, &outcome) {
                    self.end(job, outcome);
                }
            }
            Kind::Source => (),
        }
    }

    /// Counts a page that is done, and closes the frontier when too many have failed.
    fn count(&mut self, outcome: &Outcome) {
        self.settled += 1;
        self.failed += u64::from(matches!(outcome, Outcome::Failed(_)));
        if let Some(limit) = self.options.failure_limit
            && limit.is_exceeded(self.failed, self.settled)
        {
            self.close(StopReason::TooManyFailures(self.failed));
        }
    }
}

/// The host of `url` as notices name it, with its port unless that is the usual one.
fn host_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
