//! How fast one host gets requests: open requests, rate, pauses. Pure: the caller passes
//! the time in.
//!
//! The limits of a user or a policy are enforced exactly. What a server's refusals taught is
//! a limit of its own, a [brake](super::brake) that loosens step by step. All limits apply at
//! once.

use std::time::{Duration, Instant};

use crate::queue::host::brake::{Brake, Failing, UNBRAKED};
use crate::queue::host::concurrency::{Answer, ConcurrencyController, SettledAt};
use crate::queue::host::meter::Meter;
use crate::queue::host::whole::whole;

/// At high rates a request may go this much before its time. Timers wake late by about as
/// much, and the average stays exact.
const TOLERANCE: Duration = Duration::from_millis(5);
/// Where requests are further apart than this, each waits for its time, so that no second
/// holds more requests than the rate says.
const CLOSE: Duration = Duration::from_millis(20);

/// The part of the best second that counts when the host no longer reaches it.
const FADING: f64 = 0.7;

/// The limits of one host.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Limits {
    /// The most open requests at a time; `None` for any number.
    pub(crate) open: Option<u32>,
    /// The most requests per second; `None` for any number.
    pub(crate) rate: Option<f64>,
}

/// The time when the next request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Now.
    Now,
    /// At this moment, if nothing changes.
    At(Instant),
    /// When an open request has ended.
    Full,
}

/// The pace of one host.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    limits: Limits,
    /// The least time between two requests that its robots.txt asks for.
    crawl_delay: Duration,
    open: u32,
    /// The moment when the next request is due by the rate: the "theoretical arrival time"
    /// of the generic cell rate algorithm (ITU-T I.371, annex A). The algorithm spaces
    /// requests evenly. A token bucket would allow bursts, which servers count.
    due: Option<Instant>,
    parked_until: Option<Instant>,
    /// Requests that started before this moment belong to the last refusal.
    refused_at: Option<Instant>,
    started: Meter,
    succeeded: Meter,
    /// The most answers that came in one second.
    best: f64,
    /// Answers since the host last refused.
    since_refusal: u32,
    brake: Option<Brake>,
    is_probing: bool,
    /// The most open requests that the host works on; it refused to work on more.
    accepted: Option<f64>,
    /// Finds the number of open requests while running, for `--workers auto`.
    concurrency: Option<Box<ConcurrencyController>>,
}

impl Pace {
    /// Creates the pace of a host that has had no request yet.
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            crawl_delay: Duration::ZERO,
            open: 0,
            due: None,
            parked_until: None,
            refused_at: None,
            started: Meter::new(),
            succeeded: Meter::new(),
            best: 0.0,
            since_refusal: 0,
            brake: None,
            is_probing: false,
            accepted: None,
            concurrency: None,
        }
    }

    /// Finds the number of open requests while running, at most `cap`. All other limits
    /// still apply.
    pub(crate) fn adapt(&mut self, cap: u32) {
        self.concurrency = Some(Box::new(ConcurrencyController::new(cap)));
    }

    /// Where the number of open requests has settled, as far as the other limits let it.
    pub(crate) fn settled_at(&self) -> Option<SettledAt> {
        let settled_at = self.concurrency.as_ref()?.settled_at()?;
        let limit = self.open_limit().unwrap_or(settled_at.settled);
        Some(SettledAt { settled: settled_at.settled.min(limit), ..settled_at })
    }

    /// Returns when the next request may go, as known at `now`.
    pub(crate) fn when(&self, now: Instant) -> When {
        if let Some(until) = self.parked_until.filter(|until| *until > now) {
            return When::At(until);
        }
        if self.open_limit().is_some_and(|limit| self.open >= limit) {
            return When::Full;
        }
        let tolerance = if self.spacing() > CLOSE { Duration::ZERO } else { TOLERANCE };
        match self.due.and_then(|due| due.checked_sub(tolerance)) {
            Some(due) if due > now => When::At(due),
            _ => When::Now,
        }
    }

    /// Returns the limits of the user or the policy.
    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    fn open_limit(&self) -> Option<u32> {
        let braked = self.brake.as_ref().map(Brake::open_limit);
        let probing = self.is_probing.then_some(1);
        let adaptive = self.concurrency.as_ref().map(|controller| controller.limit());
        let accepted = self.accepted.map(whole);
        [self.limits.open, braked, probing, adaptive, accepted].into_iter().flatten().min()
    }

    /// The least time between two requests.
    fn spacing(&self) -> Duration {
        let braked = self.brake.as_ref().map(|brake| brake.rate);
        let rates = [self.limits.rate, braked].into_iter().flatten();
        rates.map(|rate| Duration::from_secs_f64(1.0 / rate)).fold(self.crawl_delay, Duration::max)
    }

    /// Notes that a request goes out.
    pub(crate) fn start(&mut self, now: Instant) {
        self.open += 1;
        self.started.count(now);
        let spacing = self.spacing();
        if !spacing.is_zero() {
            self.due = Some(self.due.map_or(now, |due| due.max(now)) + spacing);
        }
    }

    /// Notes that the request that goes out is for the page at place `seq` of the input, and
    /// that its time counts for `--workers auto`.
    pub(crate) fn start_timing(&mut self, seq: u64, now: Instant) {
        if let Some(controller) = &mut self.concurrency {
            controller.start(seq, self.open, now);
        }
    }

    /// Notes that the request for the page at place `seq` ends, with its answer where that
    /// shows how busy the host is.
    pub(crate) fn end_timing(&mut self, seq: u64, answer: Option<Answer>, now: Instant) {
        match (&mut self.concurrency, answer) {
            (Some(controller), Some(answer)) => controller.answer(seq, answer, self.open, now),
            (Some(controller), None) => controller.forget(seq),
            (None, _) => (),
        }
    }

    /// Notes that a request has ended, in any way.
    pub(crate) const fn end(&mut self) {
        self.open -= 1;
    }

    /// Spaces requests by at least `delay` from now on.
    pub(crate) fn set_crawl_delay(&mut self, delay: Duration) {
        self.crawl_delay = self.crawl_delay.max(delay);
        if let Some(due) = &mut self.due {
            *due += delay;
        }
    }

    /// Allows no request before `until`.
    pub(crate) fn park(&mut self, until: Instant) {
        self.parked_until = self.parked_until.max(Some(until));
    }

    /// Returns the time from `now` until requests are sent again.
    pub(crate) fn pause(&self, now: Instant) -> Duration {
        self.parked_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Whether a request that started at `started` was already in flight when the host last
    /// refused. The refusals of such requests are one event.
    pub(crate) fn belongs_to_last_refusal(&self, started: Instant) -> bool {
        self.refused_at.is_some_and(|refused| started <= refused)
    }

    /// Notes the moment of a refusal, for
    /// [`belongs_to_last_refusal`](Self::belongs_to_last_refusal).
    pub(crate) const fn record_refusal(&mut self, now: Instant) {
        self.refused_at = Some(now);
    }

    /// Slows down, because the host answered that it gets too many requests.
    pub(crate) fn slow_down(&mut self, now: Instant) {
        let failing = Failing {
            rate: self.started.rate(now).max(1.0),
            // The refused request has ended already, and was one of the open ones.
            open: f64::from(self.open + 1),
        };
        // Fewer answers since the last refusal than half of the best second: the host now
        // takes less than it did.
        if f64::from(self.since_refusal) < self.best / 2.0 {
            self.best *= FADING;
        }
        self.since_refusal = 0;
        if let Some(controller) = &mut self.concurrency {
            controller.refuse();
        }
        self.brake = Some(Brake::new(failing, self.best, self.brake.as_ref()));
    }

    /// Allows no more open requests than there are now. The host refused to work on one more,
    /// so these are the ones that it works on.
    pub(crate) fn limit_to_open(&mut self) {
        let open = f64::from(self.open.max(1));
        self.accepted = Some(self.accepted.map_or(open, |accepted| accepted.min(open)));
    }

    /// Allows one request at a time until one succeeds, because no server answers.
    pub(crate) const fn probe(&mut self) {
        self.is_probing = true;
    }

    /// Notes an answer that was not a refusal.
    pub(crate) fn succeed(&mut self, now: Instant) {
        self.is_probing = false;
        self.succeeded.count(now);
        self.best = self.best.max(f64::from(self.succeeded.current()));
        self.since_refusal = self.since_refusal.saturating_add(1);
        if let Some(brake) = &mut self.brake {
            brake.release();
        }
        // The limit grows by one when as many requests as it allows were answered, as in
        // congestion avoidance (RFC 5681, 3.1).
        if let Some(accepted) = &mut self.accepted {
            *accepted = (*accepted + 1.0 / *accepted).min(UNBRAKED);
        }
    }
}

#[cfg(test)]
mod tests;
