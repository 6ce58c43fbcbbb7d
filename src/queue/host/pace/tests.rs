//! The pace against servers of known limits, on a clock that is moved by hand.

use super::*;
use crate::clock::{Clock, ManualClock};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Sends requests as fast as the pace allows, and notes when they start and are refused.
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

    /// Sends requests for `time`. Each takes `latency`; `allows` is the server's decision.
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
                } else if !self.pace.belongs_to_last_refusal(started) {
                    self.refusals.push(now);
                    self.pace.slow_down(now);
                    self.pace.record_refusal(now);
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
    pace.set_crawl_delay(Duration::from_secs(5));
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
fn the_rate_that_a_server_allows_is_found_again() {
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
