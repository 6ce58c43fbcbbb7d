//! What a response decides: for its job, for its host and for the other jobs of that host.

use std::time::{Duration, Instant};

use super::{Frontier, Moment, Settlement, host_name};
use crate::model::{Attempt, Hop, Job, Kind, Outcome, Redirect, RedirectExchange, Response};
use crate::queue::host::concurrency::Answer;
use crate::queue::host::registry::HostId;
use crate::queue::host::state::{Consequence, LONGEST_PAUSE};
use crate::queue::notice::Notice;
use crate::queue::retry::policy::RetryDecision;
use crate::queue::robots::absence::shows_no_rules;
use crate::queue::signal::{self, Signal};

/// A request that its server did not work on is sent again at once, at most this many times
/// in a row. To send it again is safe (RFC 9113, 8.7). The next refusal counts as an attempt.
const RESENDS: u32 = 4;
/// Refusals of one page that use up none of its retries. The row of a host's refusals ends with
/// each success, also with a redirect: a page whose redirect succeeds and whose target is
/// refused every time would otherwise never end.
const FREE_REFUSALS_OF_PAGE: u32 = 50;

/// One exchange: a request to a host and its response.
#[derive(Debug, Clone, Copy)]
struct Turn {
    host: HostId,
    started: Instant,
    ended: Moment,
}

impl Frontier {
    /// Takes back a job after a turn that began at `started` and ended at `ended`. The job
    /// is done, or waits for another turn.
    pub fn settle(
        &mut self,
        job: Job,
        response: Response,
        started: Instant,
        ended: Moment,
    ) -> Settlement {
        let turn = Turn { host: self.find_host(job.target()), started, ended };
        self.in_flight -= 1;
        let pace = &mut self.ready.host_mut(turn.host).pace;
        pace.end_timing(job.seq, timed_answer(&job, &response), ended.now);
        pace.end();
        let settlement = match response {
            Response::Redirect(redirect) => {
                self.learn(turn, &job, Signal::Answered, None);
                self.follow(turn, job, *redirect)
            }
            Response::Body(body) => {
                self.learn(turn, &job, Signal::Answered, None);
                if job.kind == Kind::Robots {
                    self.read_rules(turn, &job, &body);
                }
                Settlement::Nothing
            }
            Response::Done(attempt) => self.end_attempt(turn, job, attempt),
        };
        self.ready.review(turn.host, ended.now);
        settlement
    }

    /// Lets a job wait for its request at the address that its answer leads to.
    fn follow(&mut self, turn: Turn, mut job: Job, redirect: Redirect) -> Settlement {
        let now = turn.ended.now;
        let (count, started, spent, mut cookies, mut exchanges) = match job.hop.take() {
            Some(hop) => (hop.count, hop.started, hop.spent, hop.cookies, hop.exchanges),
            None => (0, turn.started, Duration::ZERO, Vec::new(), Vec::new()),
        };
        cookies.extend(redirect.cookies);
        if let Some(exchange) = redirect.exchange {
            RedirectExchange::add_to(&mut exchanges, *exchange);
        }
        job.hop = Some(Box::new(Hop {
            url: redirect.to,
            count: count + 1,
            started,
            spent: spent + (now - turn.started),
            cookies,
            has_left_home: redirect.has_left_home,
            exchanges,
        }));
        self.send_on(job, now)
    }

    /// Lets a job wait for another request of the same attempt, which may go at once.
    fn send_on(&mut self, job: Job, now: Instant) -> Settlement {
        let seq = job.seq;
        self.requeue(job, now, now);
        Settlement::Onward(seq)
    }

    /// Lets a job wait until `due`.
    fn requeue(&mut self, job: Job, due: Instant, now: Instant) {
        match job.kind {
            Kind::Source => self.submit_side(job, due),
            kind => {
                self.waiting += usize::from(kind == Kind::Page);
                if due <= now {
                    self.admit(job, now, true);
                } else {
                    self.delayed.push(job, due);
                }
            }
        }
    }

    /// Ends an attempt. Its job is done, or waits for another request.
    fn end_attempt(&mut self, turn: Turn, mut job: Job, attempt: Attempt) -> Settlement {
        let now = turn.ended.now;
        if attempt.is_refused && job.unworked < RESENDS {
            job.unworked += 1;
            self.ready.host_mut(turn.host).pace.limit_to_open();
            return self.send_on(job, now);
        }
        job.unworked = 0;
        job.attempts += 1;
        let signal = signal::signal(&attempt, turn.ended.wall);
        let consequence = self.learn(turn, &job, signal, Some(&attempt));
        if let Some(outcome) = consequence.ends {
            let attempt = Attempt { outcome: outcome.clone(), ..attempt };
            self.end_host(turn.host, &outcome);
            return self.finish(job, attempt, now);
        }
        let is_free = consequence.is_free && job.refusals < FREE_REFUSALS_OF_PAGE;
        job.refusals += u32::from(is_free);
        let counted = job.attempts - job.refusals;
        match self.options.retry.decide(counted, &attempt, &mut self.rng) {
            RetryDecision::Done => self.finish(job, attempt, now),
            RetryDecision::Again(backoff) => {
                let host = self.ready.host(turn.host);
                // The host ended while this page was in flight.
                if let Some(outcome) = host.ended.clone() {
                    return self.finish(job, Attempt { outcome, ..attempt }, now);
                }
                // A page waits for its host's pause among the host's jobs, where the other
                // limits apply too.
                let backoff = if is_free { Duration::ZERO } else { backoff };
                let after = backoff.max(host.pace.pause(now));
                job.waits.push(after);
                job.hop = None;
                let copy = job.clone();
                self.requeue(job, now + backoff, now);
                Settlement::Again { job: copy, attempt, after }
            }
        }
    }

    /// Ends a job whose last attempt is over.
    fn finish(&mut self, job: Job, attempt: Attempt, now: Instant) -> Settlement {
        match job.kind {
            Kind::Page => {
                self.count(&attempt.outcome);
                Settlement::Done(job, attempt)
            }
            Kind::Robots => {
                if shows_no_rules(&attempt) {
                    let (waiting, _) = self.gate.open(&job.url, b"");
                    self.admit_all(waiting, now);
                } else {
                    self.end(job, attempt.outcome);
                }
                Settlement::Nothing
            }
            Kind::Source => Settlement::Done(job, attempt),
        }
    }

    /// Reads the rules that a robots.txt holds, and lets the pages of its origin go on.
    fn read_rules(&mut self, turn: Turn, robots: &Job, body: &[u8]) {
        let (waiting, crawl_delay) = self.gate.open(&robots.url, body);
        if let Some(delay) = crawl_delay {
            self.ready.host_mut(turn.host).pace.set_crawl_delay(delay);
            let host = host_name(&robots.url);
            self.effects.notices.push(Notice::CrawlDelay { host, delay });
        }
        self.admit_all(waiting, turn.ended.now);
    }

    fn admit_all(&mut self, jobs: Vec<Job>, now: Instant) {
        for job in jobs {
            self.admit(job, now, false);
        }
    }

    /// Draws the consequences of a turn for its host, and reports a pause.
    fn learn(
        &mut self,
        turn: Turn,
        job: &Job,
        signal: Signal,
        attempt: Option<&Attempt>,
    ) -> Consequence {
        let Turn { host: id, started, ended } = turn;
        let failure = match attempt.map(|attempt| &attempt.outcome) {
            Some(Outcome::Failed(failure)) => Some(failure),
            _ => None,
        };
        let host = self.ready.host_mut(id);
        let consequence = host.learn(signal, failure, started, ended.now, &mut self.rng);
        if let Some(pause) = consequence.parked {
            let status = attempt.and_then(|attempt| attempt.head.as_ref()).map(|head| head.status);
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
                Notice::Away { host, pause, back: ended.wall + pause, why: why.into() }
            } else {
                Notice::Parked { host, pause, until: ended.now + pause, why: why.into() }
            });
        }
        consequence
    }

    /// Ends all pages of a host that wait, at the host or between two attempts. Those at the
    /// gate end with the job for their robots.txt, which waits at the host or is in flight.
    fn end_host(&mut self, id: HostId, outcome: &Outcome) {
        let jobs = self.ready.clear(id);
        let ready = &mut self.ready;
        let delayed = self.delayed.take(|job| ready.find(job.target()).0 == id);
        for job in delayed.into_iter().chain(jobs) {
            self.end(job, outcome.clone());
        }
    }
}

/// Returns the host's answer, where its time shows how busy the host is. Refusals and errors
/// do not show it, because they come quickly, and neither do answers behind redirects.
fn timed_answer(job: &Job, response: &Response) -> Option<Answer> {
    let Response::Done(Attempt { head: Some(head), wait, .. }) = response else { return None };
    let is_served = head.status < 500 && head.status != 429;
    let answer = Answer { wait: *wait, is_on_new_connection: head.is_on_new_connection };
    (job.kind == Kind::Page && job.hop.is_none() && is_served).then_some(answer)
}
