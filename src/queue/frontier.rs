//! What may go now: the queue's pure core. Callers pass the time in; it never waits.
//!
//! A page that comes passes the gate of its host's robots rules and
//! stands in line at its host. What an attempt brought decides
//! what becomes of the page, and of the others at its host.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant, SystemTime};

use url::Url;

use crate::model::{
    Attempt, AutoWorkers, Failure, FailureCode, Hop, Job, Kind, Outcome, Redirect,
    RedirectExchange, Response,
};
use crate::queue::Options;
use crate::queue::host::concurrency::Answer;
use crate::queue::host::ready::{self, ReadyQueue};
use crate::queue::host::registry::HostId;
use crate::queue::host::state::{Consequence, LONGEST_PAUSE};
use crate::queue::notice::{Effects, Notice};
use crate::queue::retry::policy::Verdict;
use crate::queue::robots::gate::{Passage, RobotsGate};
use crate::queue::signal::{self, Signal};
use crate::queue::waiters::Readiness;
use crate::random::Rng;

/// A page that its server refused to work on is sent again at once, this many times in
/// a row; after that it is an attempt like any other.
const UNWORKED: u32 = 4;

/// What the frontier has for a worker that asks.
#[derive(Debug)]
pub enum Next {
    /// This page may go now.
    Job(Job),
    /// Nothing before this moment, unless something changes.
    NotBefore(Instant),
    /// Nothing until something changes: input comes, or a page in flight ends.
    Wait,
    /// Nothing any more.
    Done,
}

/// A moment, now: as the two clocks show it.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For durations.
    pub now: Instant,
    /// For dates that servers name.
    pub wall: SystemTime,
}

/// The pages that wait, and the count of those in flight.
#[derive(Debug)]
pub struct Frontier {
    ready: ReadyQueue,
    gate: RobotsGate,
    /// Pages between two attempts.
    delayed: BinaryHeap<Reverse<Delayed>>,
    /// Pages of the input that wait, wherever they do.
    waiting: usize,
    in_flight: usize,
    failed: u64,
    settled: u64,
    is_input_over: bool,
    is_closed: bool,
    options: Options,
    rng: Rng,
    effects: Effects,
}

#[derive(Debug)]
struct Delayed {
    due: Instant,
    job: Job,
}

/// What [`Frontier::settle`] decided about the job itself.
#[derive(Debug)]
pub enum Settlement {
    /// The page is done with.
    Done(Job, Attempt),
    /// The page waits for another attempt; this copy is for reports.
    Again {
        /// The page, with its attempts counted.
        job: Job,
        /// The attempt that failed.
        attempt: Attempt,
        /// How long it waits at least.
        after: Duration,
    },
    /// The job is kept for another request of the same attempt: at another address, or
    /// because the server did not work on the last one.
    Onward(u64),
    /// The job was no page, and callers need do nothing.
    Nothing,
}

impl Frontier {
    /// An empty frontier whose input is still to come.
    pub fn new(options: Options, rng: Rng) -> Self {
        Self {
            ready: ReadyQueue::new(options.limits),
            gate: RobotsGate::new(options.obeys_robots, options.agent.clone()),
            delayed: BinaryHeap::new(),
            waiting: 0,
            in_flight: 0,
            failed: 0,
            settled: 0,
            is_input_over: false,
            is_closed: false,
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

    /// What was found of how many requests its hosts are best asked at a time.
    pub fn found(&self) -> Option<AutoWorkers> {
        self.ready.found()
    }

    /// Pages that may go now, as far as their host is concerned.
    pub const fn ready_len(&self) -> usize {
        self.ready.ready_jobs()
    }

    /// Pages that wait, for a worker or for their time.
    pub const fn waiting_len(&self) -> usize {
        self.waiting
    }

    /// Says that no more pages will be pushed.
    pub const fn end_input(&mut self) {
        self.is_input_over = true;
    }

    /// Hands out nothing any more.
    pub const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Whether [`close`](Self::close) was called.
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What happened besides since it was last taken, if anything.
    pub fn take_effects(&mut self) -> Option<Effects> {
        (!self.effects.is_empty()).then(|| std::mem::take(&mut self.effects))
    }

    /// Takes the page that may go at `now`.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.is_closed {
            return Next::Done;
        }
        while self.delayed.peek().is_some_and(|Reverse(delayed)| delayed.due <= now) {
            let Some(Reverse(Delayed { job, .. })) = self.delayed.pop() else { break };
            // It came earlier in the input than those that wait for their first attempt.
            self.admit(job, now, true);
        }
        let retry = self.delayed.peek().map(|Reverse(delayed)| delayed.due);
        let host = match self.ready.next(now) {
            ready::Pick::Job(job) => {
                self.waiting -= usize::from(job.kind == Kind::Page);
                self.in_flight += 1;
                return Next::Job(job);
            }
            ready::Pick::NotBefore(at) => Some(at),
            ready::Pick::Nothing => None,
        };
        match retry.into_iter().chain(host).min() {
            Some(due) => Next::NotBefore(due),
            None if self.is_over() => Next::Done,
            None => Next::Wait,
        }
    }

    /// What there is at `now` for a worker that waits.
    pub fn readiness(&mut self, now: Instant) -> Readiness {
        if self.is_closed {
            return Readiness::Nothing;
        }
        let retry = self.delayed.peek().map(|Reverse(delayed)| delayed.due);
        let due = match self.ready.readiness(now) {
            Readiness::At(due) => retry.into_iter().chain([due]).min(),
            Readiness::Nothing => retry,
            Readiness::Now => return Readiness::Now,
        };
        match due {
            Some(due) if due > now => Readiness::At(due),
            Some(_) => Readiness::Now,
            None => Readiness::Nothing,
        }
    }

    /// Lets a job into its host's line, or says why not.
    fn admit(&mut self, job: Job, now: Instant, is_first: bool) {
        let id = self.find_host(job.target());
        if let Some(outcome) = self.ready.host(id).ended.clone() {
            return self.end(job, outcome);
        }
        match self.gate.pass(job) {
            Passage::Open(job) => self.ready.enqueue(id, job, now, is_first),
            Passage::Waiting => (),
            Passage::AskFirst(robots) => self.ready.enqueue(id, robots, now, true),
            Passage::Closed(job, outcome) => self.end(job, outcome),
        }
    }

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

    /// Ends a job without asking for it.
    fn end(&mut self, job: Job, outcome: Outcome) {
        match job.kind {
            Kind::Page => {
                self.waiting -= 1;
                self.count(&outcome);
                self.effects.ended.push((job, outcome));
            }
            Kind::Robots => {
                let held = self.gate.give_up(&job.url, &outcome);
                for (job, outcome) in held {
                    self.end(job, outcome);
                }
            }
            Kind::Source => (),
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        self.settled += 1;
        self.failed += u64::from(matches!(outcome, Outcome::Failed(_)));
        if let Some(limit) = self.options.failure_limit
            && limit.is_exceeded(self.failed, self.settled)
        {
            self.effects.too_many_failures.get_or_insert(self.failed);
        }
    }

    /// Whether every page is settled and none will come.
    pub const fn is_over(&self) -> bool {
        self.is_input_over && self.in_flight == 0 && self.waiting == 0
    }

    /// Takes back a job after a turn that began at `started`: it is done with,
    /// or kept for another turn.
    pub fn settle(&mut self, job: Job, turn: Response, started: Instant, at: Moment) -> Settlement {
        let id = self.find_host(job.target());
        self.in_flight -= 1;
        let pace = &mut self.ready.host_mut(id).pace;
        pace.time(job.seq, answer(&job, &turn), at.now);
        pace.end();
        let settlement = match turn {
            Response::Redirect(moved) => {
                self.learn(id, &job, Signal::Answered, (None, None), started, at);
                self.onward(job, *moved, started, at.now)
            }
            Response::Body(body) => {
                self.learn(id, &job, Signal::Answered, (None, None), started, at);
                if job.kind == Kind::Robots {
                    self.read_rules(id, &job, &body, at.now);
                }
                Settlement::Nothing
            }
            Response::Done(attempt) => self.ended(id, job, attempt, started, at),
        };
        self.ready.review(id, at.now);
        settlement
    }

    /// Keeps a job whose answer leads on to another address.
    fn onward(
        &mut self,
        mut job: Job,
        moved: Redirect,
        started: Instant,
        now: Instant,
    ) -> Settlement {
        let (count, began, spent, mut cookies, mut exchanges) = match job.hop.take() {
            Some(hop) => (hop.count, hop.started, hop.spent, hop.cookies, hop.exchanges),
            None => (0, started, Duration::ZERO, Vec::new(), Vec::new()),
        };
        cookies.extend(moved.cookies);
        if let Some(exchange) = moved.exchange {
            RedirectExchange::add_to(&mut exchanges, *exchange);
        }
        job.hop = Some(Box::new(Hop {
            url: moved.to,
            count: count + 1,
            started: began,
            spent: spent + (now - started),
            cookies,
            has_left_home: moved.has_left_home,
            exchanges,
        }));
        let seq = job.seq;
        self.keep(job, now, now);
        Settlement::Onward(seq)
    }

    /// Keeps a job until `due`.
    fn keep(&mut self, job: Job, due: Instant, now: Instant) {
        match job.kind {
            Kind::Source => self.ready.submit_side(job, due),
            kind => {
                self.waiting += usize::from(kind == Kind::Page);
                if due <= now {
                    self.admit(job, now, true);
                } else {
                    self.delayed.push(Reverse(Delayed { due, job }));
                }
            }
        }
    }

    fn read_rules(&mut self, id: HostId, robots: &Job, body: &[u8], now: Instant) {
        let (held, crawl_delay) = self.gate.open(&robots.url, body);
        if let Some(delay) = crawl_delay {
            self.ready.host_mut(id).pace.keep_crawl_delay(delay);
            let host = host_name(&robots.url);
            self.effects.notices.push(Notice::CrawlDelay { host, delay });
        }
        self.release(held, now);
    }

    fn release(&mut self, held: Vec<Job>, now: Instant) {
        for job in held {
            self.admit(job, now, false);
        }
    }

    fn ended(
        &mut self,
        id: HostId,
        mut job: Job,
        attempt: Attempt,
        started: Instant,
        at: Moment,
    ) -> Settlement {
        if attempt.is_refused && job.unworked < UNWORKED {
            job.unworked += 1;
            self.ready.host_mut(id).pace.admit();
            let seq = job.seq;
            self.keep(job, at.now, at.now);
            return Settlement::Onward(seq);
        }
        job.unworked = 0;
        job.attempts += 1;
        let signal = signal::signal(&attempt, at.wall);
        let failure = match &attempt.outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        };
        let status = attempt.head.as_ref().map(|head| head.status);
        let consequence = self.learn(id, &job, signal, (failure, status), started, at);
        if let Some(outcome) = consequence.ends {
            let attempt = Attempt { outcome: outcome.clone(), ..attempt };
            self.end_host(id, &outcome);
            return self.done(job, attempt, at.now);
        }
        job.refusals += u32::from(consequence.is_free);
        let counted = job.attempts - job.refusals;
        match self.options.retry.judge(counted, &attempt, &mut self.rng) {
            Verdict::Done => self.done(job, attempt, at.now),
            Verdict::Again(after) => {
                // The host ended while this page was in flight.
                if let Some(outcome) = self.ready.host(id).ended.clone() {
                    return self.done(job, Attempt { outcome, ..attempt }, at.now);
                }
                // A host's pause is waited for in its line, where other limits hold too.
                let after = if consequence.is_free { Duration::ZERO } else { after };
                let wait = after.max(self.ready.host(id).pace.pause(at.now));
                job.waits.push(wait);
                job.hop = None;
                let copy = job.clone();
                self.keep(job, at.now + after, at.now);
                Settlement::Again { job: copy, attempt, after: wait }
            }
        }
    }

    fn done(&mut self, job: Job, attempt: Attempt, now: Instant) -> Settlement {
        match job.kind {
            Kind::Page => {
                self.count(&attempt.outcome);
                Settlement::Done(job, attempt)
            }
            Kind::Robots => {
                if attempt.head.as_ref().is_some_and(|head| is_unavailable(head.status))
                    || leads_nowhere(&attempt.outcome)
                {
                    let (held, _) = self.gate.open(&job.url, b"");
                    self.release(held, now);
                } else {
                    self.end(job, attempt.outcome);
                }
                Settlement::Nothing
            }
            Kind::Source => Settlement::Done(job, attempt),
        }
    }

    fn learn(
        &mut self,
        id: HostId,
        job: &Job,
        signal: Signal,
        (failure, status): (Option<&Failure>, Option<u16>),
        started: Instant,
        at: Moment,
    ) -> Consequence {
        let host = self.ready.host_mut(id);
        let consequence = host.learn(signal, failure, started, at.now, &mut self.rng);
        if let Some(pause) = consequence.parked {
            let why = match (signal, status, failure) {
                (Signal::Refused(Some(asked)), Some(status), _) => {
                    format!("{status}, Retry-After {}", asked.as_secs())
                }
                (Signal::Refused(_) | Signal::Overloaded, Some(status), _) => status.to_string(),
                (_, _, Some(failure)) => failure.code.to_string(),
                (_, _, None) => String::new(),
            };
            let host = host_name(job.target());
            self.effects.notices.push(if pause > LONGEST_PAUSE {
                Notice::Away { host, pause, back: at.wall + pause, why: why.into() }
            } else {
                Notice::Parked { host, pause, until: at.now + pause, why: why.into() }
            });
        }
        consequence
    }

    /// Ends all pages of a host that wait, wherever they do.
    fn end_host(&mut self, id: HostId, outcome: &Outcome) {
        let jobs = self.ready.clear(id);
        let delayed = std::mem::take(&mut self.delayed);
        for Reverse(delayed) in delayed {
            if self.find_host(delayed.job.target()) == id {
                self.end(delayed.job, outcome.clone());
            } else {
                self.delayed.push(Reverse(delayed));
            }
        }
        for job in jobs {
            self.end(job, outcome.clone());
        }
    }

    /// Submits a request that runs outside the executor; only
    /// [`next_side`](Self::next_side) returns it. There is at most one at a time.
    pub fn submit_side(&mut self, job: Job, now: Instant) {
        self.find_host(job.target());
        self.ready.submit_side(job, now);
    }

    /// Takes the side request, when it may go at `now`.
    pub fn next_side(&mut self, now: Instant) -> Next {
        if self.is_closed {
            return Next::Done;
        }
        match self.ready.next_side(now) {
            ready::Pick::Job(job) => {
                self.in_flight += 1;
                Next::Job(job)
            }
            ready::Pick::NotBefore(at) => Next::NotBefore(at),
            ready::Pick::Nothing if self.ready.has_side() => Next::Wait,
            // Its host is not asked any more.
            ready::Pick::Nothing => Next::Done,
        }
    }

    /// Takes out every page that waits, in input order: what a closed queue leaves behind.
    pub fn take_rest(&mut self) -> Vec<Job> {
        let mut rest = self.gate.take_held();
        rest.extend(self.ready.clear_all());
        rest.extend(self.delayed.drain().map(|Reverse(delayed)| delayed.job));
        rest.retain(|job| job.kind == Kind::Page);
        rest.sort_by_key(|job| job.seq);
        self.waiting = 0;
        rest
    }
}

/// The host's answer, where the time it took says something of how much the host is
/// asked: not of refusals and errors, which come quickly, and not behind redirects.
fn answer(job: &Job, turn: &Response) -> Option<Answer> {
    let Response::Done(Attempt { head: Some(head), wait, .. }) = turn else { return None };
    let is_served = head.status < 500 && head.status != 429;
    let is_on_new_connection = head.is_on_new_connection;
    let answer = Answer { wait: *wait, is_on_new_connection };
    (job.kind == Kind::Page && job.hop.is_none() && is_served).then_some(answer)
}

/// A robots.txt that is not there allows all (RFC 9309, 2.3.1.3).
const fn is_unavailable(status: u16) -> bool {
    matches!(status, 204 | 205 | 300..=499) && status != 429
}

/// As does one behind too many redirects (RFC 9309, 2.3.1.2).
fn leads_nowhere(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(failure) if failure.code == FailureCode::Redirects)
}

fn host_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.job.seq).cmp(&(other.due, other.job.seq))
    }
}
