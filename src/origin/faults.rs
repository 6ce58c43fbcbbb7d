//! What may go wrong, how often, and where: drawn from the seed, so that a run can be repeated.
//!
//! Pure. The kinds are in [`fault_kind`](super::fault_kind). What a fault does to a response is left to [`inject`](super::inject), counting attempts to
//! [`counters`](super::counters).

use std::collections::BTreeMap;
use std::str::FromStr;

use super::fault_kind::{Class, FaultKind};
use super::site::{INDEX_PATH, ROBOTS_PATH};
use crate::random::Rng;

/// The whole that shares are parts of: a per cent has four decimals.
const WHOLE: u32 = 1_000_000;

/// The parts of the whole that make one per cent.
const PERCENT: u32 = WHOLE / 100;

/// How many decimals of a per cent are kept.
const DECIMALS: usize = 4;

/// Paths where nothing goes wrong, so that there is always a way in.
const EXEMPT: [&str; 3] = ["/", INDEX_PATH, ROBOTS_PATH];

/// Why faults could not be taken as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no colon in it.
    #[error("{text:?} does not look like KIND:PERCENT")]
    Form {
        /// What was given.
        text: String,
    },
    /// There is no such kind.
    #[error("no kind of fault is called {name:?}; there are {}", FaultKind::names())]
    Kind {
        /// What was given.
        name: String,
    },
    /// The share is no number, out of range, or too fine.
    #[error("{text:?} is no per cent from 0 to 100, with {DECIMALS} decimals at most")]
    Percent {
        /// What was given.
        text: String,
    },
    /// Kinds of which at most one can happen at a time have too large shares.
    #[error("{} add up to more than 100 per cent", kinds.join(", "))]
    Sum {
        /// The names of the kinds.
        kinds: Vec<&'static str>,
    },
}

/// How often one kind happens: `KIND:PERCENT` as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultShare {
    kind: FaultKind,
    /// Parts of [`WHOLE`].
    share: u32,
}

impl FromStr for FaultShare {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<FaultShare, FaultError> {
        let (kind, percent) =
            text.split_once(':').ok_or_else(|| FaultError::Form { text: text.to_owned() })?;
        let share = share(percent).ok_or_else(|| FaultError::Percent { text: percent.into() });
        Ok(FaultShare { kind: kind.parse()?, share: share? })
    }
}

/// The parts of [`WHOLE`] that a decimal number of per cent is.
///
/// Read digit by digit, since a share that went through binary fractions would not compare equal.
fn share(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit: u8| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
    let share = whole.parse::<u32>().ok()?.checked_mul(PERCENT)?.checked_add(decimals)?;
    (share <= WHOLE).then_some(share)
}

/// Which faults happen, and where. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Parts of [`WHOLE`] by kind; sorted, so that the order of asking does not matter.
    shares: BTreeMap<FaultKind, u32>,
}

impl Faults {
    /// Faults with these shares; those of a kind that comes more than once are added up.
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
        for class in [Class::Attempt, Class::Connection, Class::Page] {
            let sum = faults.of(class).fold(0, |sum: u32, (_, share)| sum.saturating_add(share));
            if sum > WHOLE {
                let kinds = faults.of(class).map(|(kind, _)| kind.name()).collect();
                return Err(FaultError::Sum { kinds });
            }
        }
        Ok(faults)
    }

    /// What goes wrong with this attempt at this path, which has no query and no escapes.
    ///
    /// The same values give the same answer. What is wrong with the page for ever comes before
    /// what goes wrong with the attempt. Attempts are numbered from 1. The index and the other
    /// paths that lead into the site are spared.
    #[must_use]
    pub fn decide(&self, seed: u64, path: &str, attempt: u64) -> Option<FaultKind> {
        if Faults::exempts(path) {
            return None;
        }
        self.permanent(seed, path)
            .or_else(|| self.draw(Class::Attempt, seed, &format!("{attempt} {path}")))
    }

    /// What goes wrong with every attempt at this path.
    #[must_use]
    pub fn permanent(&self, seed: u64, path: &str) -> Option<FaultKind> {
        if Faults::exempts(path) { None } else { self.draw(Class::Page, seed, path) }
    }

    /// What goes wrong with the connection of this number.
    #[must_use]
    pub fn at_connection(&self, seed: u64, number: u64) -> Option<FaultKind> {
        self.draw(Class::Connection, seed, &number.to_string())
    }

    /// Whether nothing goes wrong at this path, which has no query and no escapes.
    pub(super) fn exempts(path: &str) -> bool {
        EXEMPT.contains(&path)
    }

    /// Whether this kind can happen.
    pub(super) fn include(&self, kind: FaultKind) -> bool {
        self.shares.contains_key(&kind)
    }

    /// Whether the number of the attempt matters.
    pub(super) fn depend_on_attempts(&self) -> bool {
        self.of(Class::Attempt).next().is_some()
    }

    fn of(&self, class: Class) -> impl Iterator<Item = (FaultKind, u32)> {
        self.shares
            .iter()
            .map(|(&kind, &share)| (kind, share))
            .filter(move |(kind, _)| kind.class() == class)
    }

    fn draw(&self, class: Class, seed: u64, purpose: &str) -> Option<FaultKind> {
        // The class is named, so that the draws do not depend on each other.
        let mut rng = Rng::for_purpose(seed, &format!("fault {class:?} {purpose}"));
        let mut rest = rng.below(WHOLE);
        for (kind, share) in self.of(class) {
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
    fn a_share_is_a_kind_and_a_decimal_number() {
        for (text, kind, share) in [
            ("503:5", FaultKind::Unavailable, 50_000),
            ("429-retry-after:0.5", FaultKind::TooManyRetryAfter, 5_000),
            ("drip:100", FaultKind::Drip, WHOLE),
            ("cut:100.0000", FaultKind::Cut, WHOLE),
            ("endless:0", FaultKind::Endless, 0),
            ("reset:0.0001", FaultKind::Reset, 1),
        ] {
            assert_eq!(text.parse(), Ok(FaultShare { kind, share }), "{text}");
        }
        for kind in FaultKind::all() {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn what_is_no_share_is_refused_with_a_reason() {
        let percent = "is no per cent from 0 to 100, with 4 decimals at most";
        for (text, message) in [
            ("503", "\"503\" does not look like KIND:PERCENT".to_owned()),
            ("503:100.0001", format!("\"100.0001\" {percent}")),
            ("503:1.00001", format!("\"1.00001\" {percent}")),
            ("503:-1", format!("\"-1\" {percent}")),
            ("503:NaN", format!("\"NaN\" {percent}")),
            ("503:", format!("\"\" {percent}")),
            ("503:.5", format!("\".5\" {percent}")),
            ("503:5.", format!("\"5.\" {percent}")),
            ("503:5%", format!("\"5%\" {percent}")),
            ("503:99999999999", format!("\"99999999999\" {percent}")),
            (
                "504:5",
                "no kind of fault is called \"504\"; there are 503, 429, 429-retry-after, reset, \
                 cut, stall, h2-reset-no-error, partial-206, folded-header, refused-stream, \
                 stale-connection, slow-accept, redirect-loop, endless, bad-gzip, wrong-length, drip"
                    .to_owned(),
            ),
        ] {
            assert_eq!(text.parse::<FaultShare>().unwrap_err().to_string(), message);
        }
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
