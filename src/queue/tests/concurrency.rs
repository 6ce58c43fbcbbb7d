//! The concurrency controller against servers of known capacity, on a clock that is moved by hand.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::clock::{Clock, ManualClock};
use crate::queue::host::concurrency::{Answer, ConcurrencyController, SettledAt};
use crate::random::Rng;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A host that works on `places` requests at a time, each for the latency. Others wait.
struct Server {
    places: usize,
    latency: Duration,
    /// A random part of this percentage is added to the latency.
    jitter: u32,
    busy: usize,
    waiting: VecDeque<u64>,
}

/// What happens next to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrive,
    Answered,
}

/// A download with nothing but a controller between it and a server.
struct Simulation {
    clock: ManualClock,
    controller: ConcurrencyController,
    server: Server,
    steps: BinaryHeap<Reverse<(Instant, Step, u64)>>,
    /// When each page started, and whether it opens a connection.
    begun: HashMap<u64, (Instant, bool)>,
    idle_connections: u32,
    rng: Rng,
    next: u64,
    open: u32,
    /// Requests at the server, over time.
    at_server: f64,
    peak_at_server: usize,
    ended: u64,
}

/// The result of a simulated download.
#[derive(Debug)]
struct Result {
    per_second: f64,
    mean: f64,
    peak: usize,
    found: SettledAt,
}

impl Simulation {
    fn new(places: usize, latency: Duration, jitter: u32) -> Self {
        Self {
            clock: ManualClock::new(),
            controller: ConcurrencyController::new(256),
            server: Server { places, latency, jitter, busy: 0, waiting: VecDeque::new() },
            steps: BinaryHeap::new(),
            begun: HashMap::new(),
            idle_connections: 0,
            rng: Rng::new(7),
            next: 0,
            open: 0,
            at_server: 0.0,
            peak_at_server: 0,
            ended: 0,
        }
    }

    /// Downloads `pages` pages, at most `most` at a time.
    fn run(&mut self, pages: u64, most: u32) -> Result {
        let (begun, end) = (self.clock.now(), self.next + pages);
        self.at_server = 0.0;
        let ended = self.ended + pages;
        while self.ended < ended {
            while self.next < end && self.open < self.controller.limit().min(most) {
                self.start();
            }
            let Some(Reverse((at, step, page))) = self.steps.pop() else {
                panic!("all stands still")
            };
            let passed = at.saturating_duration_since(self.clock.now());
            let count = self.server.busy + self.server.waiting.len();
            self.at_server += passed.as_secs_f64() * count as f64;
            self.peak_at_server = self.peak_at_server.max(count);
            self.clock.advance(passed);
            match step {
                Step::Arrive => self.server.waiting.push_back(page),
                Step::Answered => self.answered(page),
            }
            self.serve();
        }
        let time = (self.clock.now() - begun).as_secs_f64();
        Result {
            per_second: pages as f64 / time,
            mean: self.at_server / time,
            peak: self.peak_at_server,
            found: self.controller.settled_at().unwrap(),
        }
    }

    fn start(&mut self) {
        let (page, now) = (self.next, self.clock.now());
        self.next += 1;
        self.open += 1;
        self.controller.start(page, self.open, now);
        let is_new = self.idle_connections == 0;
        self.idle_connections -= u32::from(!is_new);
        let way = if is_new { self.server.latency } else { Duration::ZERO };
        self.begun.insert(page, (now, is_new));
        self.steps.push(Reverse((now + way, Step::Arrive, page)));
    }

    fn serve(&mut self) {
        while self.server.busy < self.server.places
            && let Some(page) = self.server.waiting.pop_front()
        {
            self.server.busy += 1;
            let jitter = self.server.latency * self.server.jitter / 100;
            let time = self.server.latency + self.rng.full_jitter(jitter);
            self.steps.push(Reverse((self.clock.now() + time, Step::Answered, page)));
        }
    }

    fn answered(&mut self, page: u64) {
        self.server.busy -= 1;
        let (begun, is_on_new_connection) = self.begun.remove(&page).unwrap();
        let now = self.clock.now();
        let answer = Answer { wait: now - begun, is_on_new_connection };
        self.controller.answer(page, answer, self.open, now);
        self.open -= 1;
        self.idle_connections += 1;
        self.ended += 1;
    }
}

/// Returns the throughput and the requests in flight, as shares of what the server can do.
fn shares(result: &Result, server: &Server) -> (f64, f64) {
    let latency = server.latency.as_secs_f64() * (1.0 + f64::from(server.jitter) / 200.0);
    let places = server.places as f64;
    (result.per_second * latency / places, result.mean / places)
}

#[test]
fn throughput_is_near_the_best_with_few_requests_waiting() {
    for (places, jitter) in [
        (1, 0),
        (2, 0),
        (3, 10),
        (4, 0),
        (4, 20),
        (8, 0),
        (16, 0),
        (16, 20),
        (64, 0),
        (64, 20),
        (16, 100),
    ] {
        let mut simulation = Simulation::new(places, millis(50), jitter);
        simulation.run(1_000, 256);
        let result = simulation.run(2_000, 256);
        let (throughput, in_flight) = shares(&result, &simulation.server);
        assert!(throughput > 0.9, "{places}, {jitter}: {throughput:.2} of the best, {result:?}");
        assert!(in_flight < 1.5, "{places}, {jitter}: {in_flight:.2} times, {result:?}");
        let (settled, knee) = (f64::from(result.found.settled), f64::from(result.found.knee));
        let places = places as f64;
        assert!(
            settled <= (1.5 * places).max(3.0) && settled >= 0.9 * places,
            "{places}: {settled}"
        );
        assert!(knee <= (1.5 * places).max(4.0) && knee >= 0.6 * places, "{places}: {knee}");
    }
}

#[test]
fn the_first_growth_costs_little() {
    for (places, least) in [(4, 0.9), (16, 0.9), (64, 0.8)] {
        let mut simulation = Simulation::new(places, millis(50), 0);
        let result = simulation.run(2_000, 256);
        let (throughput, in_flight) = shares(&result, &simulation.server);
        assert!(throughput > least, "{places}: {throughput:.2} of the best, {result:?}");
        assert!(in_flight < 1.5 && result.peak <= 8 * places, "{places}: {result:?}");
    }
}

#[test]
fn a_number_that_is_not_in_use_does_not_grow() {
    let mut simulation = Simulation::new(64, millis(50), 10);
    simulation.run(3_000, 3);
    let limit = simulation.controller.limit();
    assert!(limit <= 16, "{limit}");
    assert!(simulation.controller.settled_at().unwrap().settled <= 3);
}

#[test]
fn a_server_whose_latency_is_nothing_is_asked_for_several_pages() {
    let mut simulation = Simulation::new(4, Duration::from_micros(200), 50);
    let result = simulation.run(5_000, 256);
    assert!(shares(&result, &simulation.server).0 > 0.9, "{result:?}");
    assert!(simulation.controller.limit() >= 4, "{result:?}");
}

#[test]
fn a_way_that_grows_longer_is_no_queue() {
    let mut simulation = Simulation::new(16, millis(50), 5);
    simulation.run(2_000, 256);
    simulation.server.latency = millis(120);
    simulation.run(2_000, 256);
    let result = simulation.run(3_000, 256);
    let (throughput, in_flight) = shares(&result, &simulation.server);
    assert!(throughput > 0.85, "{throughput:.2} of the best, {result:?}");
    assert!(in_flight < 2.0, "{in_flight:.2} times, {result:?}");
}

#[test]
fn a_server_that_grows_or_shrinks_is_followed() {
    for (before, after) in [(8, 32), (32, 8)] {
        let mut simulation = Simulation::new(before, millis(50), 5);
        simulation.run(2_000, 256);
        simulation.server.places = after;
        simulation.run(2_000, 256);
        let result = simulation.run(3_000, 256);
        let (throughput, in_flight) = shares(&result, &simulation.server);
        assert!(throughput > 0.9, "{before} to {after}: {throughput:.2} of the best, {result:?}");
        assert!(in_flight < 1.5, "{before} to {after}: {in_flight:.2} times, {result:?}");
    }
}

#[test]
fn pages_that_take_all_kinds_of_times_are_no_queue() {
    // Up to ten times the least, whatever is in flight.
    let mut simulation = Simulation::new(1_000, millis(20), 900);
    simulation.run(3_000, 32);
    let result = simulation.run(3_000, 32);
    assert!(result.mean > 16.0, "{result:?}");
}

proptest! {
    /// Whatever a host does, the limit is at least one and at most the cap.
    #[test]
    fn the_limit_keeps_its_bounds(
        cap in 0..300_u32,
        answers in proptest::collection::vec((0..5_000_u64, 0..3_000_u64, any::<bool>(), 0..10_u8), 1..2_000),
    ) {
        let clock = ManualClock::new();
        let mut controller = ConcurrencyController::new(cap);
        let mut open = VecDeque::new();
        for (page, (wait, pause, is_on_new_connection, kind)) in (0..).zip(answers) {
            clock.advance(millis(pause / 10));
            open.push_back(page);
            controller.start(page, u32::try_from(open.len()).unwrap(), clock.now());
            if open.len() >= controller.limit() as usize {
                let ended = open.pop_front().unwrap();
                let answer = Answer { wait: Duration::from_micros(wait), is_on_new_connection };
                match kind {
                    0 => controller.forget(ended),
                    1 => controller.refuse(),
                    _ => controller.answer(ended, answer, controller.limit(), clock.now()),
                }
            }
            prop_assert!(controller.limit() >= 1);
            prop_assert!(controller.limit() <= cap.max(1));
            let found = controller.settled_at();
            prop_assert!(found.is_none_or(|found| (1..=cap.max(1)).contains(&found.settled)));
        }
    }
}
