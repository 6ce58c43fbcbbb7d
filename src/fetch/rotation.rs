//! Whose turn it is among several proxies, and which of them rest.
//!
//! Pure: the time is passed in. Nobody waits for a proxy here: when all rest, the
//! one that comes back first is tried, because the run has nothing better to do.

use std::time::{Duration, Instant};

/// The first rest.
const FIRST_REST: Duration = Duration::from_secs(1);
/// No rest is longer: a proxy that is well again is found out by then.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The proxy's: it cannot be reached, or it turns us away. Its rests double.
    Proxy,
    /// The proxy's or the target's, which look alike from here. The rest is the
    /// shortest each time, so that a dead target does not cost the proxies.
    Unclear,
}

/// How a proxy does.
#[derive(Debug, Clone, Default)]
struct Standing {
    requests: u64,
    failed: u64,
    /// Rests since it last worked that were its own fault.
    rests: u32,
    /// Until when it rests.
    until: Option<Instant>,
}

impl Standing {
    fn is_resting(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

/// Proxies, by their number, that take turns.
#[derive(Debug)]
pub(super) struct Rotation {
    standings: Vec<Standing>,
    turn: usize,
}

impl Rotation {
    pub(super) fn new(proxies: usize) -> Self {
        Self { standings: vec![Standing::default(); proxies], turn: 0 }
    }

    /// The one of `candidates` whose turn it is; `None` when there are none.
    pub(super) fn pick(&mut self, candidates: &[usize], now: Instant) -> Option<usize> {
        let rests = |at: &usize| self.standings[*at].is_resting(now);
        let ready = candidates.iter().filter(|at| !rests(at)).count();
        let picked = if ready == 0 {
            candidates.iter().copied().min_by_key(|at| self.standings[*at].until)?
        } else {
            candidates.iter().copied().filter(|at| !rests(at)).nth(self.turn % ready)?
        };
        self.turn = self.turn.wrapping_add(1);
        self.standings[picked].requests += 1;
        Some(picked)
    }

    /// Notes that an answer came through proxy `at`.
    pub(super) fn worked(&mut self, at: usize) {
        let standing = &mut self.standings[at];
        standing.rests = 0;
        standing.until = None;
    }

    /// Notes that no answer came, and sends the proxy to rest.
    ///
    /// Requests that were under way when it began to rest fail too; they do not
    /// make the rest longer.
    pub(super) fn failed(&mut self, at: usize, blame: Blame, now: Instant) {
        let standing = &mut self.standings[at];
        standing.failed += 1;
        if standing.is_resting(now) {
            return;
        }
        let rest = match blame {
            Blame::Unclear => FIRST_REST,
            Blame::Proxy => {
                let doublings = standing.rests.min(31);
                standing.rests += 1;
                FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST)
            }
        };
        standing.until = Some(now + rest);
    }

    /// Counts requests and failures of each proxy that others have made.
    pub(super) fn add(&mut self, counts: &[(u64, u64)]) {
        for (standing, (requests, failed)) in self.standings.iter_mut().zip(counts) {
            standing.requests += requests;
            standing.failed += failed;
        }
    }

    /// Requests and failures of each proxy.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.standings.iter().map(|standing| (standing.requests, standing.failed))
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
        clock.advance(FIRST_REST);
        assert!(picks(&mut rotation, 3, clock.now()).contains(&1));
        assert_eq!(rotation.counts().collect::<Vec<_>>()[1], (3, 1));
        assert_eq!(rotation.pick(&[], clock.now()), None);
    }

    #[test]
    fn rests_grow_to_a_limit_and_end_with_a_success() {
        let clock = ManualClock::new();
        let mut rotation = Rotation::new(3);
        let mut rests = Vec::new();
        for _ in 0..12 {
            rotation.failed(0, Blame::Proxy, clock.now());
            // Those under way at the same time say nothing new.
            rotation.failed(0, Blame::Proxy, clock.now());
            let mut rest = 0;
            while rotation.standings[0].is_resting(clock.now()) {
                clock.advance(Duration::from_secs(1));
                rest += 1;
            }
            rests.push(rest);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        rotation.failed(0, Blame::Proxy, clock.now());
        rotation.worked(0);
        assert!(!rotation.standings[0].is_resting(clock.now()));
        rotation.failed(0, Blame::Proxy, clock.now());
        clock.advance(FIRST_REST);
        assert!(!rotation.standings[0].is_resting(clock.now()));
    }

    #[test]
    fn a_dead_target_costs_no_proxy_more_than_a_moment() {
        let clock = ManualClock::new();
        let mut rotation = Rotation::new(1);
        for _ in 0..10 {
            rotation.failed(0, Blame::Unclear, clock.now());
            assert!(rotation.standings[0].is_resting(clock.now()));
            clock.advance(FIRST_REST);
            assert!(!rotation.standings[0].is_resting(clock.now()));
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
