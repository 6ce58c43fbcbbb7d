//! What may go now: the queue's pure core. It is told the time and never waits.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use super::retry::{Dice, RetryPolicy, Verdict};
use crate::model::{Attempt, Job};

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

/// The pages that wait, and the count of those in flight.
#[derive(Debug)]
pub struct Frontier {
    ready: VecDeque<Job>,
    delayed: BinaryHeap<Reverse<Delayed>>,
    in_flight: usize,
    is_input_over: bool,
    is_closed: bool,
    policy: RetryPolicy,
    dice: Dice,
}

#[derive(Debug)]
struct Delayed {
    due: Instant,
    job: Job,
}

impl Frontier {
    /// An empty frontier whose input is still to come.
    pub const fn new(policy: RetryPolicy, dice: Dice) -> Self {
        Self {
            ready: VecDeque::new(),
            delayed: BinaryHeap::new(),
            in_flight: 0,
            is_input_over: false,
            is_closed: false,
            policy,
            dice,
        }
    }

    /// Adds a page behind the others.
    pub fn push(&mut self, job: Job) {
        self.ready.push_back(job);
    }

    /// Pages that wait for their first attempt.
    pub fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// Pages that wait, for a worker or for their time.
    pub fn waiting_len(&self) -> usize {
        self.ready.len() + self.delayed.len()
    }

    /// Whether pages wait, for a worker or for their time.
    pub fn has_waiting(&self) -> bool {
        self.waiting_len() > 0
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

    /// Takes the page that may go at `now`. A retry that is due goes before new
    /// pages: it came earlier in the input.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.is_closed {
            return Next::Done;
        }
        let due = self.delayed.peek().map(|Reverse(delayed)| delayed.due);
        let job = match due {
            Some(due) if due <= now => self.delayed.pop().map(|Reverse(delayed)| delayed.job),
            _ => self.ready.pop_front(),
        };
        match (job, due) {
            (Some(job), _) => {
                self.in_flight += 1;
                Next::Job(job)
            }
            (None, Some(due)) => Next::NotBefore(due),
            (None, None) if self.is_over() => Next::Done,
            (None, None) => Next::Wait,
        }
    }

    /// Whether every page is settled and none will come.
    pub fn is_over(&self) -> bool {
        self.is_input_over && self.in_flight == 0 && !self.has_waiting()
    }

    /// Takes back a page after `attempt`, counts the attempt, and keeps the page
    /// for another one or gives it back as done.
    pub fn settle(&mut self, mut job: Job, attempt: &Attempt, now: Instant) -> Settlement {
        self.in_flight -= 1;
        job.attempts += 1;
        match self.policy.judge(job.attempts, attempt, &mut self.dice) {
            Verdict::Done => Settlement::Done(job),
            Verdict::Again(after) => {
                let told = job.clone();
                self.delayed.push(Reverse(Delayed { due: now + after, job }));
                Settlement::Again { job: told, after }
            }
        }
    }

    /// Takes out every page that waits, in input order: what a closed queue leaves behind.
    pub fn take_rest(&mut self) -> Vec<Job> {
        let mut rest: Vec<_> = self.ready.drain(..).collect();
        rest.extend(self.delayed.drain().map(|Reverse(delayed)| delayed.job));
        rest.sort_by_key(|job| job.seq);
        rest
    }
}

/// What [`Frontier::settle`] decided.
#[derive(Debug)]
pub enum Settlement {
    /// The page is done with.
    Done(Job),
    /// The page is kept for another attempt; this copy is for telling.
    Again {
        /// The page, with its attempts counted.
        job: Job,
        /// How long it waits at least.
        after: std::time::Duration,
    },
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::model::{Failure, FailureCode, Key, Outcome};

    fn job(seq: u64) -> Job {
        let url = Url::parse(&format!("http://a.org/{seq}")).unwrap();
        Job { seq, url, key: Key::new(format!("{seq}.html")).unwrap(), attempts: 0 }
    }

    fn frontier(jobs: u64) -> Frontier {
        let mut frontier = Frontier::new(RetryPolicy::default(), Dice::new(1));
        (0..jobs).for_each(|seq| frontier.push(job(seq)));
        frontier
    }

    fn take(frontier: &mut Frontier, now: Instant) -> Job {
        match frontier.next(now) {
            Next::Job(job) => job,
            other => panic!("expected a job, got {other:?}"),
        }
    }

    fn reset() -> Attempt {
        Attempt::failed(Failure::new(FailureCode::Reset, "reset"))
    }

    #[test]
    fn pages_go_in_input_order_and_the_end_waits_for_those_in_flight() {
        let now = ManualClock::new().now();
        let mut frontier = frontier(2);
        let (first, second) = (take(&mut frontier, now), take(&mut frontier, now));
        assert_eq!((first.seq, second.seq), (0, 1));
        assert!(matches!(frontier.next(now), Next::Wait));
        frontier.end_input();
        assert!(matches!(frontier.next(now), Next::Wait));
        let saved = Attempt::without_answer(Outcome::Saved { bytes: 0, sha256: [0; 32] });
        assert!(matches!(frontier.settle(first, &saved, now), Settlement::Done(_)));
        assert!(matches!(frontier.settle(second, &saved, now), Settlement::Done(_)));
        assert!(matches!(frontier.next(now), Next::Done));
    }

    #[test]
    fn a_retry_waits_for_its_time_and_then_goes_first() {
        let clock = ManualClock::new();
        let mut frontier = frontier(3);
        let failed = take(&mut frontier, clock.now());
        let Settlement::Again { job, after } = frontier.settle(failed, &reset(), clock.now())
        else {
            panic!("a reset is retried");
        };
        assert_eq!((job.seq, job.attempts), (0, 1));
        assert_eq!(take(&mut frontier, clock.now()).seq, 1);
        clock.advance(after);
        let again = take(&mut frontier, clock.now());
        assert_eq!((again.seq, again.attempts), (0, 1));
        assert_eq!(take(&mut frontier, clock.now()).seq, 2);
    }

    #[test]
    fn with_only_retries_left_the_time_of_the_next_is_told() {
        let clock = ManualClock::new();
        let mut frontier = frontier(1);
        frontier.end_input();
        let failed = take(&mut frontier, clock.now());
        let Settlement::Again { after, .. } = frontier.settle(failed, &reset(), clock.now()) else {
            panic!("a reset is retried");
        };
        assert!(after > Duration::ZERO);
        let due = clock.now() + after;
        assert!(matches!(frontier.next(clock.now()), Next::NotBefore(at) if at == due));
    }

    #[test]
    fn a_closed_frontier_hands_out_nothing_and_leaves_the_rest_in_order() {
        let clock = ManualClock::new();
        let mut frontier = frontier(4);
        let failed = take(&mut frontier, clock.now());
        let in_flight = take(&mut frontier, clock.now());
        frontier.settle(failed, &reset(), clock.now());
        frontier.close();
        assert!(matches!(frontier.next(clock.now()), Next::Done));
        let rest: Vec<_> = frontier.take_rest().iter().map(|job| job.seq).collect();
        assert_eq!(rest, [0, 2, 3]);
        assert_eq!(in_flight.seq, 1);
    }
}
