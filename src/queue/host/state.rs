//! The state of one host: the jobs that wait for it, its pace, and its health.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::model::{Failure, Job, Outcome};
use crate::queue::host::pace::{Limits, Pace, When};
use crate::queue::signal::Signal;
use crate::random::Rng;

/// The first refusals without a success between them are free: they use up no retry of a
/// page.
const FREE_REFUSALS: u32 = 10;
/// After this many refusals in a row, with growing pauses between them, the host's pages
/// fail.
const REFUSAL_LIMIT: u32 = FREE_REFUSALS + 5;
/// After this many failed connections in a row the host counts as unreachable.
const UNREACHABLE: u32 = 20;
/// An unreachable host is parked this many times, before its pages fail.
const UNREACHABLE_PAUSES: u32 = 5;
/// The first such pause; each one is twice as long as the one before.
const FIRST_UNREACHABLE_PAUSE: Duration = Duration::from_secs(2);
/// A host that asks for a longer pause gets no request in this run.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The pause after a refusal without a `Retry-After`; it doubles with each one in a row.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);
/// The pause after a 503 without a `Retry-After`; it doubles with each one in a row.
const OVERLOAD_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that the server did not ask for.
const PAUSE_LIMIT: Duration = Duration::from_secs(30);
/// This many overloads in a row slow the pace down; a refusal does so at once.
const OVERLOADS: u32 = 3;

/// The consequences of a signal, for the page that brought it and for the others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Consequence {
    /// The attempt does not use up a retry.
    pub(crate) is_free: bool,
    /// The pause, when the host was parked just now.
    pub(crate) parked: Option<Duration>,
    /// The outcome with which all pages of the host end.
    pub(crate) ends: Option<Outcome>,
}

const NOTHING: Consequence = Consequence { is_free: false, parked: None, ends: None };

/// The place of a host in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// In no list: it has no job, or as many open requests as its limits allow.
    Nowhere,
    /// Among the hosts that have a job that may go now.
    Ready,
    /// Among the hosts that have a job that may go at this moment.
    Timed(Instant),
}

/// A host, or all hosts of a site, which share one budget.
#[derive(Debug)]
pub(crate) struct Host {
    /// The jobs that wait, in input order, retries first.
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) pace: Pace,
    pub(crate) slot: Slot,
    /// A side request waits for this host. It goes before the jobs.
    pub(crate) has_side_request: bool,
    /// Set when the host gets no more requests: its pages end with this outcome.
    pub(crate) ended: Option<Outcome>,
    /// Refusals and overloads without a success between them.
    refusals: u32,
    /// Attempts in a row that could not connect.
    unreachable: u32,
    /// Pauses since the host was last reached.
    unreachable_pauses: u32,
}

impl Host {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            jobs: VecDeque::new(),
            pace: Pace::new(limits),
            slot: Slot::Nowhere,
            has_side_request: false,
            ended: None,
            refusals: 0,
            unreachable: 0,
            unreachable_pauses: 0,
        }
    }

    /// Returns the slot where the host belongs at `now`.
    pub(crate) fn slot_at(&self, now: Instant) -> Slot {
        if self.jobs.is_empty() || self.has_side_request {
            return Slot::Nowhere;
        }
        match self.pace.when(now) {
            When::Now => Slot::Ready,
            When::At(at) => Slot::Timed(at),
            When::Full => Slot::Nowhere,
        }
    }

    /// Draws the consequences of an attempt that started at `started`.
    pub(crate) fn learn(
        &mut self,
        signal: Signal,
        failure: Option<&Failure>,
        started: Instant,
        now: Instant,
        rng: &mut Rng,
    ) -> Consequence {
        match signal {
            Signal::Answered => {
                (self.refusals, self.unreachable, self.unreachable_pauses) = (0, 0, 0);
                self.pace.succeed(now);
                NOTHING
            }
            Signal::Refused(asked) => {
                let consequence = self.refused(asked, started, now, rng);
                self.or_give_up(consequence, failure)
            }
            Signal::Overloaded => {
                let consequence = self.overloaded(started, now, rng);
                self.or_give_up(consequence, failure)
            }
            Signal::Unreachable => self.unreachable(failure, started, now, rng),
            Signal::Nothing => NOTHING,
        }
    }

    fn refused(
        &mut self,
        asked: Option<Duration>,
        started: Instant,
        now: Instant,
        rng: &mut Rng,
    ) -> Consequence {
        self.unreachable = 0;
        if let Some(asked) = asked.filter(|asked| *asked > LONGEST_PAUSE) {
            self.ended = Some(Outcome::Interrupted);
            return Consequence {
                parked: Some(asked),
                ends: Some(Outcome::Interrupted),
                ..NOTHING
            };
        }
        let is_new = !self.pace.belongs_to_last_refusal(started);
        if is_new {
            self.refusals += 1;
            self.pace.slow_down(now);
            self.pace.record_refusal(now);
        }
        let is_free = self.refusals <= FREE_REFUSALS;
        let pause_before = self.pace.pause(now);
        let pause = match asked.filter(|asked| !asked.is_zero()) {
            Some(asked) => asked,
            None if is_new => rng.equal_jitter(growing(REFUSAL_PAUSE, self.refusals)),
            None => pause_before,
        };
        self.pace.park(now + pause);
        // Of refusals at the same time, the first is reported, and each that asks for a much
        // longer pause.
        let is_reported = is_new || pause > pause_before + Duration::from_secs(1);
        Consequence { is_free, parked: is_reported.then_some(pause), ends: None }
    }

    /// Ends the host at [`REFUSAL_LIMIT`], because each of its other pages would use up its
    /// retries in the same way.
    fn or_give_up(&mut self, consequence: Consequence, failure: Option<&Failure>) -> Consequence {
        let Some(failure) = failure.filter(|_| self.refusals >= REFUSAL_LIMIT) else {
            return consequence;
        };
        let count = self.refusals;
        let message = format!("{} (this host has refused {count} times in a row)", failure.message);
        let outcome = Outcome::Failed(Failure::new(failure.code, message));
        self.ended.get_or_insert_with(|| outcome.clone());
        Consequence { ends: Some(outcome), ..NOTHING }
    }

    fn overloaded(&mut self, started: Instant, now: Instant, rng: &mut Rng) -> Consequence {
        self.unreachable = 0;
        if self.pace.belongs_to_last_refusal(started) {
            return NOTHING;
        }
        self.refusals += 1;
        self.pace.record_refusal(now);
        if self.refusals >= OVERLOADS {
            self.pace.slow_down(now);
        }
        let pause = rng.full_jitter(growing(OVERLOAD_PAUSE, self.refusals));
        self.pace.park(now + pause);
        Consequence { parked: Some(pause), ..NOTHING }
    }

    fn unreachable(
        &mut self,
        failure: Option<&Failure>,
        started: Instant,
        now: Instant,
        rng: &mut Rng,
    ) -> Consequence {
        self.unreachable += 1;
        if self.unreachable < UNREACHABLE || self.pace.belongs_to_last_refusal(started) {
            return NOTHING;
        }
        if self.unreachable_pauses >= UNREACHABLE_PAUSES {
            let outcome = failure.map_or(Outcome::Interrupted, |failure| {
                let count = self.unreachable;
                let message = format!(
                    "{} (the last {count} attempts at this host all failed to connect)",
                    failure.message
                );
                Outcome::Failed(Failure::new(failure.code, message))
            });
            self.ended = Some(outcome.clone());
            return Consequence { ends: Some(outcome), ..NOTHING };
        }
        self.unreachable_pauses += 1;
        self.pace.record_refusal(now);
        self.pace.probe();
        let pause = rng.equal_jitter(growing(FIRST_UNREACHABLE_PAUSE, self.unreachable_pauses));
        self.pace.park(now + pause);
        Consequence { parked: Some(pause), ..NOTHING }
    }
}

/// Returns `first`, doubled for each time after the first, but at most [`PAUSE_LIMIT`].
fn growing(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.saturating_sub(1).min(16)).min(PAUSE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::model::FailureCode;

    fn refuse(host: &mut Host, asked: Option<u64>, clock: &ManualClock) -> Consequence {
        let asked = asked.map(Duration::from_secs);
        clock.advance(Duration::from_millis(1));
        host.pace.start(clock.now());
        let started = clock.now();
        clock.advance(Duration::from_millis(1));
        host.pace.end();
        host.learn(Signal::Refused(asked), None, started, clock.now(), &mut Rng::new(1))
    }

    #[test]
    fn a_refusal_parks_for_as_long_as_it_asks() {
        let (clock, mut host) = (ManualClock::new(), Host::new(Limits::default()));
        let consequence = refuse(&mut host, Some(60), &clock);
        assert_eq!(consequence.parked, Some(Duration::from_mins(1)));
        assert!(consequence.is_free);
        assert_eq!(host.pace.pause(clock.now()), Duration::from_mins(1));
    }

    #[test]
    fn without_a_time_the_pause_grows_and_is_never_nothing() {
        let (clock, mut host) = (ManualClock::new(), Host::new(Limits::default()));
        let mut last = Duration::ZERO;
        for times in 1..12 {
            for asked in [None, Some(0)] {
                let pause = refuse(&mut host, asked, &clock).parked.unwrap();
                let longest = growing(REFUSAL_PAUSE, 2 * times);
                assert!(pause >= last.min(longest) / 4 && pause <= longest, "{pause:?}");
                last = pause;
                clock.advance(pause);
            }
        }
        assert!(last >= PAUSE_LIMIT / 4);
    }

    #[test]
    fn ten_refusals_are_free_and_a_success_renews_them() {
        let (clock, mut host) = (ManualClock::new(), Host::new(Limits::default()));
        for _ in 0..FREE_REFUSALS {
            assert!(refuse(&mut host, Some(1), &clock).is_free);
        }
        assert!(!refuse(&mut host, Some(1), &clock).is_free);
        host.learn(Signal::Answered, None, clock.now(), clock.now(), &mut Rng::new(1));
        assert!(refuse(&mut host, Some(1), &clock).is_free);
    }

    #[test]
    fn refusals_of_requests_under_way_are_one() {
        let (clock, mut host) = (ManualClock::new(), Host::new(Limits::default()));
        let mut rng = Rng::new(1);
        let started = clock.now();
        (0..32).for_each(|_| host.pace.start(started));
        clock.advance(Duration::from_millis(80));
        let mut reported = 0;
        for _ in 0..32 {
            host.pace.end();
            let refused = Signal::Refused(Some(Duration::from_secs(2)));
            let consequence = host.learn(refused, None, started, clock.now(), &mut rng);
            reported += u32::from(consequence.parked.is_some());
            assert!(consequence.is_free);
        }
        assert_eq!((reported, host.refusals), (1, 1));
    }

    #[test]
    fn a_host_that_asks_for_hours_is_not_waited_for() {
        let (clock, mut host) = (ManualClock::new(), Host::new(Limits::default()));
        let consequence = refuse(&mut host, Some(3_601), &clock);
        assert_eq!(consequence.ends, Some(Outcome::Interrupted));
        assert_eq!(consequence.parked, Some(Duration::from_secs(3_601)));
    }

    #[test]
    fn a_dying_host_is_left_alone_for_longer_and_longer_and_then_given_up() {
        let (clock, mut host) = (ManualClock::new(), Host::new(Limits::default()));
        let failure = Failure::new(FailureCode::Connect, "no connection");
        let mut rng = Rng::new(1);
        let mut pauses = Vec::new();
        let mut attempts = 0;
        let end = loop {
            attempts += 1;
            clock.advance(Duration::from_millis(1));
            let started = clock.now();
            let consequence =
                host.learn(Signal::Unreachable, Some(&failure), started, clock.now(), &mut rng);
            pauses.extend(consequence.parked);
            if let Some(end) = consequence.ends {
                break end;
            }
        };
        assert_eq!(attempts, UNREACHABLE + UNREACHABLE_PAUSES);
        assert_eq!(pauses.len(), 5);
        for (pause, longest) in pauses.iter().zip([2, 4, 8, 16, 32]) {
            let longest = Duration::from_secs(longest);
            assert!((longest / 2..=longest).contains(pause), "{pause:?}");
        }
        let Outcome::Failed(failure) = end else { panic!("its pages fail") };
        assert_eq!(failure.code, FailureCode::Connect);
        assert!(failure.message.raw().contains("the last 25 attempts"), "{failure}");
    }
}
