//! Where and when a fault happens: drawn from the seed, so that a run can be repeated.
//!
//! Pure. [`fault_kind`](super::fault_kind) has the kinds; [`inject`](super::inject) decides what a
//! fault does to a response, and [`counters`](super::counters) counts the attempts.

use std::collections::BTreeMap;

use super::fault_kind::{FaultKind, Scope};
use super::fault_share::{FaultError, FaultShare, WHOLE};
use super::site::{INDEX_PATH, ROBOTS_PATH};
use crate::random::Rng;

/// Paths that never have a fault, so that a client always finds the site.
const EXEMPT: [&str; 3] = ["/", INDEX_PATH, ROBOTS_PATH];

/// Draws the faults of attempts, pages and connections. By default there are no faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Parts of [`WHOLE`] by kind; sorted, so that the order of the options does not matter.
    shares: BTreeMap<FaultKind, u32>,
}

impl Faults {
    /// Makes faults with these shares; several shares of one kind are added up.
    ///
    /// # Errors
    ///
    /// If the shares of kinds that are drawn together exceed 100 per cent: those drawn for each
    /// attempt, those drawn for each page, or those drawn for each connection.
    pub fn new(shares: impl IntoIterator<Item = FaultShare>) -> Result<Faults, FaultError> {
        let mut faults = Faults::default();
        for FaultShare { kind, share } in shares {
            let sum = faults.shares.entry(kind).or_default();
            *sum = sum.saturating_add(share);
        }
        for scope in [Scope::Attempt, Scope::Connection, Scope::Page] {
            let sum = faults.of(scope).fold(0, |sum: u32, (_, share)| sum.saturating_add(share));
            if sum > WHOLE {
                let kinds = faults.of(scope).map(|(kind, _)| kind.name()).collect();
                return Err(FaultError::Sum { kinds });
            }
        }
        Ok(faults)
    }

    /// Returns the fault of this attempt at this path, which has no query and no escapes.
    ///
    /// The same values give the same fault. A page's permanent fault comes before the fault of an
    /// attempt. Attempts are numbered from 1. The index and the other paths that lead into the
    /// site have no faults.
    #[must_use]
    pub fn decide(&self, seed: u64, path: &str, attempt: u64) -> Option<FaultKind> {
        if Faults::exempts(path) {
            return None;
        }
        self.permanent(seed, path)
            .or_else(|| self.draw(Scope::Attempt, seed, &format!("{attempt} {path}")))
    }

    /// Returns the fault of every attempt at this path.
    #[must_use]
    pub(crate) fn permanent(&self, seed: u64, path: &str) -> Option<FaultKind> {
        if Faults::exempts(path) { None } else { self.draw(Scope::Page, seed, path) }
    }

    /// Returns the fault of the connection with this number.
    #[must_use]
    pub fn at_connection(&self, seed: u64, number: u64) -> Option<FaultKind> {
        self.draw(Scope::Connection, seed, &number.to_string())
    }

    /// Whether this path, which has no query and no escapes, never has a fault.
    pub(super) fn exempts(path: &str) -> bool {
        EXEMPT.contains(&path)
    }

    /// Whether this kind can happen.
    pub(super) fn include(&self, kind: FaultKind) -> bool {
        self.shares.contains_key(&kind)
    }

    /// Whether the number of the attempt matters.
    pub(super) fn depend_on_attempts(&self) -> bool {
        self.of(Scope::Attempt).next().is_some()
    }

    fn of(&self, scope: Scope) -> impl Iterator<Item = (FaultKind, u32)> {
        self.shares
            .iter()
            .map(|(&kind, &share)| (kind, share))
            .filter(move |(kind, _)| kind.scope() == scope)
    }

    fn draw(&self, scope: Scope, seed: u64, purpose: &str) -> Option<FaultKind> {
        // The scope is named, so that the draws do not depend on each other.
        let mut rng = Rng::for_purpose(seed, &format!("fault {scope:?} {purpose}"));
        let mut rest = rng.below(WHOLE);
        for (kind, share) in self.of(scope) {
            if rest < share {
                return Some(kind);
            }
            rest -= share;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(texts: &[&str]) -> Result<Faults, FaultError> {
        Faults::new(texts.iter().map(|text| text.parse().unwrap()))
    }

    fn paths() -> impl Iterator<Item = String> {
        (0..10_000).map(|number| format!("/wiki/Page_{number}"))
    }

    #[test]
    fn shares_of_one_draw_are_at_most_the_whole() {
        let message = |texts: &[&str]| faults(texts).unwrap_err().to_string();
        assert_eq!(message(&["503:60", "cut:41"]), "503, cut add up to more than 100 per cent");
        assert_eq!(message(&["drip:99", "drip:2"]), "drip add up to more than 100 per cent");
        assert!(faults(&["503:60", "cut:40", "drip:100", "slow-accept:100"]).is_ok());
    }

    #[test]
    fn the_order_of_asking_does_not_matter() {
        assert_eq!(faults(&["503:5", "cut:3"]), faults(&["cut:1", "503:5", "cut:2"]));
        assert_ne!(faults(&["503:5"]), faults(&["503:4"]));
    }

    #[test]
    fn the_same_values_give_the_same_faults_and_others_do_not() {
        let faults = faults(&["503:20", "reset:20", "drip:20"]).unwrap();
        let drawn = |seed, attempt| -> Vec<Option<FaultKind>> {
            paths().map(|path| faults.decide(seed, &path, attempt)).collect()
        };
        assert_eq!(drawn(1, 1), drawn(1, 1));
        assert_ne!(drawn(1, 1), drawn(2, 1));
        assert_ne!(drawn(1, 1), drawn(1, 2));
    }

    #[test]
    fn faults_are_as_frequent_as_their_shares() {
        let faults = faults(&["503:20", "stall:10", "drip:15", "endless:5"]).unwrap();
        for (kind, share) in [
            // Of the 80 per cent of pages with no fault of their own.
            (FaultKind::Unavailable, 0.8 * 0.2_f64),
            (FaultKind::Stall, 0.8 * 0.1),
            (FaultKind::Drip, 0.15),
            (FaultKind::Endless, 0.05),
        ] {
            for attempt in [1, 2, 1000] {
                let hits =
                    paths().filter(|path| faults.decide(1, path, attempt) == Some(kind)).count();
                // Four standard deviations of a binomial distribution: below one in ten thousand.
                let tolerance = 4.0 * (10_000.0 * share * (1.0 - share)).sqrt();
                let difference = hits as f64 - 10_000.0 * share;
                assert!(difference.abs() < tolerance, "{kind}, attempt {attempt}: {hits}");
            }
        }
    }

    #[test]
    fn attempts_at_one_path_are_drawn_independently() {
        let faults = faults(&["503:50"]).unwrap();
        let both = paths()
            .filter(|path| faults.decide(1, path, 1).is_some())
            .filter(|path| faults.decide(1, path, 2).is_some())
            .count();
        assert!((2300..2700).contains(&both), "{both}");
    }

    #[test]
    fn permanent_faults_win_and_do_not_change() {
        let faults = faults(&["503:100", "bad-gzip:30"]).unwrap();
        let mut permanent = 0;
        for path in paths() {
            let expected = faults.permanent(1, &path);
            permanent += u32::from(expected.is_some());
            for attempt in 1..4 {
                let decided = faults.decide(1, &path, attempt);
                assert_eq!(decided, expected.or(Some(FaultKind::Unavailable)));
            }
        }
        assert!((2800..3200).contains(&permanent), "{permanent}");
    }

    #[test]
    fn connections_have_a_draw_of_their_own() {
        let faults = faults(&["slow-accept:50"]).unwrap();
        let slow = (0..10_000).filter(|&number| faults.at_connection(1, number).is_some()).count();
        assert!((4800..5200).contains(&slow), "{slow}");
        assert!(paths().all(|path| faults.decide(1, &path, 1).is_none()));
    }

    #[test]
    fn the_ways_in_are_spared() {
        let faults = faults(&["503:100", "drip:100"]).unwrap();
        for path in ["/", "/robots.txt", INDEX_PATH] {
            assert_eq!(faults.decide(1, path, 1), None);
            assert_eq!(faults.permanent(1, path), None);
        }
    }
}
