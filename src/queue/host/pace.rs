//! How fast one host gets requests: open requests, rate, pauses. Pure: the caller passes
//! the time in.
//!
//! The limits of a user or a policy are enforced exactly. What a server's refusals teach is
//! held beside them, in a [brake](super::brake) that loosens step by step. All limits hold
//! at once.

use std::time::{Duration, Instant};

use crate::queue::host::brake::{Brake, Failing, UNBRAKED, whole};
use crate::queue::host::concurrency::{Answer, ConcurrencyController, SettledAt};

/// At high rates a request may go this much before its time: timers wake late by about as
/// much, and the average stays exact.
const TOLERANCE: Duration = Duration::from_millis(5);
/// Where requests are further apart than this, none goes before its time, so that
/// no second holds more than the rate says.
const CLOSE: Duration = Duration::from_millis(20);

/// What may be asked of one host.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Open requests at a time; `None` for any number.
    pub open: Option<u32>,
    /// Requests a second; `None` for any number.
    pub rate: Option<f64>,
}

/// When the next request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// At this moment, if nothing changes.
    At(Instant),
    /// When an open request has ended.
    Full,
}

/// The pace of one host.
#[derive(Debug, Clone)]
pub struct Pace {
    limits: Limits,
    /// The least time between two requests that its robots.txt asks for.
    crawl_delay: Duration,
    open: u32,
    /// When the next request is due by the rate: the "theoretical arrival time" of
    /// the generic cell rate algorithm (ITU-T I.371, annex A), which spaces
    /// requests evenly and needs no token bucket, whose bursts servers count.
    due: Option<Instant>,
    parked_until: Option<Instant>,
    /// Attempts that began before this moment belong to the last refusal.
    refused_at: Option<Instant>,
    started: Meter,
    succeeded: Meter,
    /// The most answers that came in one second.
    best: f64,
    /// Answers since the host last refused.
    since_refusal: u32,
    brake: Option<Brake>,
    is_probing: bool,
    /// Open requests at a time, as far as the host refused to work on more.
    admitted: Option<f64>,
    /// Finds the number of open requests while running, for `--workers auto`.
    concurrency: Option<Box<ConcurrencyController>>,
}

impl Pace {
    /// Creates the pace of a host that has had no request yet.
    pub const fn new(limits: Limits) -> Self {
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
            admitted: None,
            concurrency: None,
        }
    }

    /// Finds the number of open requests while running, at most `cap`; all other
    /// limits hold beside it.
    pub fn adapt(&mut self, cap: u32) {
        self.concurrency = Some(Box::new(ConcurrencyController::new(cap)));
    }

    /// What was found, as far as the other limits let it.
    pub fn found(&self) -> Option<SettledAt> {
        let found = self.concurrency.as_ref()?.found()?;
        let limit = self.open_limit().unwrap_or(found.settled);
        Some(SettledAt { settled: found.settled.min(limit), ..found })
    }

    /// When the next request may go, as things stand at `now`.
    pub fn when(&self, now: Instant) -> When {
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

    /// What was limited from the start.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    fn open_limit(&self) -> Option<u32> {
        let braked = self.brake.as_ref().map(Brake::open_limit);
        let probing = self.is_probing.then_some(1);
        let found = self.concurrency.as_ref().map(|controller| controller.limit());
        let admitted = self.admitted.map(whole);
        [self.limits.open, braked, probing, found, admitted].into_iter().flatten().min()
    }

    /// The least time between two requests.
    fn spacing(&self) -> Duration {
        let braked = self.brake.as_ref().map(|brake| brake.rate);
        let rates = [self.limits.rate, braked].into_iter().flatten();
        rates.map(|rate| Duration::from_secs_f64(1.0 / rate)).fold(self.crawl_delay, Duration::max)
    }

    /// Notes that a request goes out.
    pub fn start(&mut self, now: Instant) {
        self.open += 1;
        self.started.count(now);
        let spacing = self.spacing();
        if !spacing.is_zero() {
            self.due = Some(self.due.map_or(now, |due| due.max(now)) + spacing);
        }
    }

    /// Notes that the request that goes out is for the page at place `seq` of the
    /// input, whose time counts.
    pub fn watch(&mut self, seq: u64, now: Instant) {
        if let Some(controller) = &mut self.concurrency {
            controller.start(seq, self.open, now);
        }
    }

    /// Notes that the request for the page at place `seq` ends, and the answer where
    /// that says something of the host.
    pub fn time(&mut self, seq: u64, answer: Option<Answer>, now: Instant) {
        match (&mut self.concurrency, answer) {
            (Some(controller), Some(answer)) => controller.answer(seq, answer, self.open, now),
            (Some(controller), None) => controller.forget(seq),
            (None, _) => (),
        }
    }

    /// Notes that a request has ended, in whatever way.
    pub const fn end(&mut self) {
        self.open -= 1;
    }

    /// Keeps at least `delay` between two requests from now on.
    pub fn keep_crawl_delay(&mut self, delay: Duration) {
        self.crawl_delay = self.crawl_delay.max(delay);
        if let Some(due) = &mut self.due {
            *due += delay;
        }
    }

    /// Sends nothing before `until`.
    pub fn park(&mut self, until: Instant) {
        self.parked_until = self.parked_until.max(Some(until));
    }

    /// How long nothing is sent.
    pub fn pause(&self, now: Instant) -> Duration {
        self.parked_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Whether an attempt that began at `started` is one of those that were under
    /// way when the host last refused: such refusals are one event.
    pub fn is_old_news(&self, started: Instant) -> bool {
        self.refused_at.is_some_and(|refused| started <= refused)
    }

    /// Notes the moment of a refusal, for [`is_old_news`](Self::is_old_news).
    pub const fn refused(&mut self, now: Instant) {
        self.refused_at = Some(now);
    }

    /// Slows down, because the host said that it gets too many requests.
    pub fn slow_down(&mut self, now: Instant) {
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

    /// Allows no more open requests than now, when the host refused to work on one: the
    /// others are what it works on.
    pub fn admit(&mut self) {
        let open = f64::from(self.open.max(1));
        self.admitted = Some(self.admitted.map_or(open, |admitted| admitted.min(open)));
    }

    /// Allows one request at a time until one succeeds, because no server answers there.
    pub const fn probe(&mut self) {
        self.is_probing = true;
    }

    /// Notes an answer that was no refusal.
    pub fn succeed(&mut self, now: Instant) {
        self.is_probing = false;
        self.succeeded.count(now);
        self.best = self.best.max(f64::from(self.succeeded.current));
        self.since_refusal = self.since_refusal.saturating_add(1);
        if let Some(brake) = &mut self.brake {
            brake.release();
        }
        // One more each time that as many requests were answered (RFC 5681, 3.1).
        if let Some(admitted) = &mut self.admitted {
            *admitted = (*admitted + 1.0 / *admitted).min(UNBRAKED);
        }
    }
}

/// Counts events a second, over the last one to two seconds.
#[derive(Debug, Clone)]
struct Meter {
    second: Option<Instant>,
    current: u32,
    previous: u32,
}

/// The part of the best second that remains when the host does not reach it any more.
const FADING: f64 = 0.7;

impl Meter {
    const fn new() -> Self {
        Self { second: None, current: 0, previous: 0 }
    }

    fn count(&mut self, now: Instant) {
        self.turn(now);
        self.current += 1;
    }

    /// Begins a new second when the last is over.
    fn turn(&mut self, now: Instant) {
        let second = *self.second.get_or_insert(now);
        let seconds = now.saturating_duration_since(second).as_secs();
        if seconds == 0 {
            return;
        }
        self.previous = if seconds == 1 { self.current } else { 0 };
        self.current = 0;
        self.second = Some(second + Duration::from_secs(seconds));
    }

    /// Events in the second that ends at `now`, the older part of it estimated.
    fn rate(&mut self, now: Instant) -> f64 {
        self.turn(now);
        let second = self.second.unwrap_or(now);
        let part = now.saturating_duration_since(second).as_secs_f64();
        f64::from(self.current) + f64::from(self.previous) * (1.0 - part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Asks as fast as the pace allows for `time`, each request taking `latency`;
    /// `allows` is the server. Gives the times of starts and of refusals.
    struct Simulation {
        clock: ManualClock,
        pace: Pace,
        open: Vec<(Instant, Instant, bool)>,
        starts: Vec<Instant>,
        refusals: Vec<Instant>,
    }

    impl Simulation {
        fn new(limits: Limits) -> Self {
            Self {
                clock: ManualClock::new(),
                pace: Pace::new(limits),
                open: Vec::new(),
                starts: Vec::new(),
                refusals: Vec::new(),
            }
        }

        fn run(
            &mut self,
            time: Duration,
            latency: Duration,
            allows: impl Fn(&[Instant], Instant, usize) -> bool,
        ) {
            let end = self.clock.now() + time;
            while self.clock.now() < end {
                let now = self.clock.now();
                let (ended, open) = self.open.iter().partition(|(_, end, _)| *end <= now);
                self.open = open;
                let ended: Vec<_> = ended;
                for (started, _, is_allowed) in ended {
                    self.pace.end();
                    if is_allowed {
                        self.pace.succeed(now);
                    } else if !self.pace.is_old_news(started) {
                        self.refusals.push(now);
                        self.pace.slow_down(now);
                        self.pace.refused(now);
                        self.pace.park(now + Duration::from_secs(2));
                    }
                }
                while self.pace.when(now) == When::Now && self.open.len() < 64 {
                    self.pace.start(now);
                    let is_allowed = allows(&self.starts, now, self.open.len() + 1);
                    self.starts.push(now);
                    self.open.push((now, now + latency, is_allowed));
                }
                self.clock.advance(millis(1));
            }
        }

        fn started_within(&self, last: Duration) -> usize {
            let now = self.clock.now();
            self.starts.iter().filter(|at| now - **at <= last).count()
        }
    }

    #[test]
    fn a_rate_is_kept_without_bursts() {
        let limits = Limits { rate: Some(19.0), open: Some(9) };
        let mut simulation = Simulation::new(limits);
        simulation.run(Duration::from_secs(10), millis(80), |_, _, _| true);
        let count = simulation.starts.len();
        assert!((187..=190).contains(&count), "{count}");
        for pair in simulation.starts.windows(2) {
            assert!(pair[1] - pair[0] >= millis(52), "{:?}", pair[1] - pair[0]);
        }
    }

    #[test]
    fn time_that_was_not_used_is_not_made_up_for() {
        let clock = ManualClock::new();
        let mut pace = Pace::new(Limits { rate: Some(10.0), open: None });
        pace.start(clock.now());
        clock.advance(Duration::from_mins(1));
        assert_eq!(pace.when(clock.now()), When::Now);
        pace.start(clock.now());
        assert!(matches!(pace.when(clock.now()), When::At(_)));
    }

    #[test]
    fn open_requests_stay_within_their_limit() {
        let clock = ManualClock::new();
        let mut pace = Pace::new(Limits { rate: None, open: Some(2) });
        pace.start(clock.now());
        assert_eq!(pace.when(clock.now()), When::Now);
        pace.start(clock.now());
        assert_eq!(pace.when(clock.now()), When::Full);
        pace.end();
        assert_eq!(pace.when(clock.now()), When::Now);
    }

    #[test]
    fn what_is_found_keeps_within_all_other_limits() {
        let clock = ManualClock::new();
        let mut pace = Pace::new(Limits { rate: None, open: Some(2) });
        pace.adapt(100);
        (0..2).for_each(|_| pace.start(clock.now()));
        assert_eq!(pace.when(clock.now()), When::Full);
        let mut pace = Pace::new(Limits::default());
        pace.adapt(3);
        (0..3).for_each(|_| pace.start(clock.now()));
        assert_eq!(pace.when(clock.now()), When::Full);
        let mut pace = Pace::new(Limits::default());
        pace.adapt(100);
        (0..12).for_each(|_| pace.start(clock.now()));
        assert_eq!(pace.when(clock.now()), When::Full);
        pace.end();
        pace.slow_down(clock.now());
        assert_eq!(pace.open_limit(), Some(6));
    }

    #[test]
    fn a_parked_host_waits_and_a_crawl_delay_spaces_it() {
        let clock = ManualClock::new();
        let mut pace = Pace::new(Limits::default());
        let until = clock.now() + Duration::from_secs(58);
        pace.park(until);
        pace.park(clock.now() + Duration::from_secs(3));
        assert_eq!(pace.when(clock.now()), When::At(until));
        assert_eq!(pace.pause(clock.now()), Duration::from_secs(58));
        clock.advance(Duration::from_secs(58));
        pace.keep_crawl_delay(Duration::from_secs(5));
        pace.start(clock.now());
        let When::At(next) = pace.when(clock.now()) else { panic!("the delay is kept") };
        assert_eq!(next, clock.now() + Duration::from_secs(5));
    }

    /// A server that allows 20 a second over any five seconds, and nine open.
    fn strict(starts: &[Instant], now: Instant, open: usize) -> bool {
        let recent = starts.iter().rev().take_while(|at| now - **at <= Duration::from_secs(5));
        recent.count() < 100 && open < 10
    }

    #[test]
    fn the_rate_that_a_server_bears_is_found_again() {
        let mut simulation = Simulation::new(Limits { open: Some(32), rate: None });
        simulation.run(Duration::from_mins(1), millis(160), strict);
        let refusals = simulation.refusals.len();
        // At its best the server takes 1,200 in a minute.
        assert!(simulation.starts.len() > 600, "{} starts", simulation.starts.len());
        assert!((1..=15).contains(&refusals), "{refusals} refusals");
        simulation.run(Duration::from_mins(2), millis(160), strict);
        let late = simulation.refusals.len() - refusals;
        assert!(late <= 12, "{late} refusals in the two minutes after");
        let rate = simulation.started_within(Duration::from_mins(1)) as f64 / 60.0;
        assert!(rate > 12.0, "{rate} a second");
    }

    #[test]
    fn a_server_that_allows_more_later_is_asked_for_more() {
        let mut simulation = Simulation::new(Limits { open: Some(32), rate: None });
        simulation.run(Duration::from_secs(20), millis(160), strict);
        simulation.run(Duration::from_mins(2), millis(160), |_, _, _| true);
        let rate = simulation.started_within(Duration::from_secs(10)) as f64 / 10.0;
        assert!(rate > 22.0, "{rate} a second: {:?}", simulation.pace.brake);
    }

    #[test]
    fn refusals_at_random_are_no_death_spiral() {
        let mut simulation = Simulation::new(Limits { open: Some(16), rate: None });
        // One in forty, whatever the pace.
        simulation.run(Duration::from_mins(5), millis(20), |starts, _, _| starts.len() % 40 != 39);
        let last = simulation.started_within(Duration::from_mins(1));
        // Of a minute each refusal takes two seconds; at 40 requests for each, 20 a second are 1,200.
        assert!(last > 400, "{last} in the last minute");
    }
}
