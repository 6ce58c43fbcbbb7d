//! Which of several proxies is next, and which of them cool down after a failure.
//!
//! Pure: the time is passed in. No request waits for a proxy here: when all cool down, the
//! one that is ready first is tried, because the run has nothing better to do.

use std::time::{Duration, Instant};

/// The first cooldown.
const FIRST_COOLDOWN: Duration = Duration::from_secs(1);
/// The longest cooldown: a proxy that works again is found within this time.
const LONGEST_COOLDOWN: Duration = Duration::from_mins(5);

/// What caused a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The proxy: it cannot be reached, or it refuses the client. Its cooldowns double.
    Proxy,
    /// The proxy or the target: these look alike from here. The cooldown is the
    /// shortest each time, so that a dead target does not block the proxies.
    Unclear,
}

/// The record of one proxy.
#[derive(Debug, Clone, Default)]
struct ProxyHealth {
    requests: u64,
    failed: u64,
    /// Cooldowns since it last worked that the proxy itself caused.
    cooldowns: u32,
    /// The end of the last cooldown.
    ready_at: Option<Instant>,
}

impl ProxyHealth {
    fn is_cooling_down(&self, now: Instant) -> bool {
        self.ready_at.is_some_and(|ready_at| ready_at > now)
    }
}

/// Proxies, by their number, that take turns.
#[derive(Debug)]
pub(super) struct Rotation {
    health: Vec<ProxyHealth>,
    turn: usize,
}

impl Rotation {
    pub(super) fn new(proxies: usize) -> Self {
        Self { health: vec![ProxyHealth::default(); proxies], turn: 0 }
    }

    /// Returns the next one of `candidates`; `None` when that list is empty.
    pub(super) fn pick(&mut self, candidates: &[usize], now: Instant) -> Option<usize> {
        let is_cooling_down = |at: &usize| self.health[*at].is_cooling_down(now);
        let ready = candidates.iter().filter(|at| !is_cooling_down(at)).count();
        let picked = if ready == 0 {
            candidates.iter().copied().min_by_key(|at| self.health[*at].ready_at)?
        } else {
            let mut ready_ones = candidates.iter().copied().filter(|at| !is_cooling_down(at));
            ready_ones.nth(self.turn % ready)?
        };
        self.turn = self.turn.wrapping_add(1);
        self.health[picked].requests += 1;
        Some(picked)
    }

    /// Records that an answer came through proxy `at`.
    pub(super) fn worked(&mut self, at: usize) {
        let health = &mut self.health[at];
        health.cooldowns = 0;
        health.ready_at = None;
    }

    /// Records that no answer came through proxy `at`, and starts a cooldown.
    ///
    /// Requests that were under way when the cooldown began fail too; they do not
    /// prolong it.
    pub(super) fn failed(&mut self, at: usize, blame: Blame, now: Instant) {
        let health = &mut self.health[at];
        health.failed += 1;
        if health.is_cooling_down(now) {
            return;
        }
        let cooldown = match blame {
            Blame::Unclear => FIRST_COOLDOWN,
            Blame::Proxy => {
                let doublings = health.cooldowns.min(31);
                health.cooldowns += 1;
                FIRST_COOLDOWN.saturating_mul(1 << doublings).min(LONGEST_COOLDOWN)
            }
        };
        health.ready_at = Some(now + cooldown);
    }

    /// Adds requests and failures of each proxy that other processes counted.
    pub(super) fn add(&mut self, counts: &[(u64, u64)]) {
        for (health, (requests, failed)) in self.health.iter_mut().zip(counts) {
            health.requests += requests;
            health.failed += failed;
        }
    }

    /// Requests and failures of each proxy.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.health.iter().map(|health| (health.requests, health.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn picks(rotation: &mut Rotation, count: usize, now: Instant) -> Vec<usize> {
        (0..count).filter_map(|_| rotation.pick(&[0, 1, 2], now)).collect()
    }

    #[test]
    fn proxies_take_turns_and_one_that_failed_rests() {
        let clock = ManualClock::new();
        let mut rotation = Rotation::new(3);
        assert_eq!(picks(&mut rotation, 6, clock.now()), [0, 1, 2, 0, 1, 2]);
        rotation.failed(1, Blame::Proxy, clock.now());
        assert_eq!(picks(&mut rotation, 4, clock.now()), [0, 2, 0, 2]);
        clock.advance(FIRST_COOLDOWN);
        assert!(picks(&mut rotation, 3, clock.now()).contains(&1));
        assert_eq!(rotation.counts().collect::<Vec<_>>()[1], (3, 1));
        assert_eq!(rotation.pick(&[], clock.now()), None);
    }

    #[test]
    fn rests_grow_to_a_limit_and_end_with_a_success() {
        let clock = ManualClock::new();
        let mut rotation = Rotation::new(3);
        let mut cooldowns = Vec::new();
        for _ in 0..12 {
            rotation.failed(0, Blame::Proxy, clock.now());
            // Requests that were under way do not prolong it.
            rotation.failed(0, Blame::Proxy, clock.now());
            let mut rest = 0;
            while rotation.health[0].is_cooling_down(clock.now()) {
                clock.advance(Duration::from_secs(1));
                rest += 1;
            }
            cooldowns.push(rest);
        }
        assert_eq!(cooldowns, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        rotation.failed(0, Blame::Proxy, clock.now());
        rotation.worked(0);
        assert!(!rotation.health[0].is_cooling_down(clock.now()));
        rotation.failed(0, Blame::Proxy, clock.now());
        clock.advance(FIRST_COOLDOWN);
        assert!(!rotation.health[0].is_cooling_down(clock.now()));
    }

    #[test]
    fn a_dead_target_costs_no_proxy_more_than_a_moment() {
        let clock = ManualClock::new();
        let mut rotation = Rotation::new(1);
        for _ in 0..10 {
            rotation.failed(0, Blame::Unclear, clock.now());
            assert!(rotation.health[0].is_cooling_down(clock.now()));
            clock.advance(FIRST_COOLDOWN);
            assert!(!rotation.health[0].is_cooling_down(clock.now()));
        }
    }

    #[test]
    fn when_all_rest_the_first_to_come_back_is_tried() {
        let clock = ManualClock::new();
        let mut rotation = Rotation::new(3);
        for at in [2, 0, 1] {
            rotation.failed(at, Blame::Proxy, clock.now());
            clock.advance(Duration::from_millis(10));
        }
        assert_eq!(picks(&mut rotation, 2, clock.now()), [2, 2]);
    }
}
