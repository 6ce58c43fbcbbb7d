//! Reasons why the figures may mislead, as data; [`Display`](fmt::Display) words them,
//! each with what to do about it.

use std::fmt;

use super::analysis::{Analysis, ContenderStats};
use super::choice::Choice;
use super::design::Contender;
use super::failures::Failures;
use super::figures;
use super::results::Results;
use super::stats::{ENOUGH_VALUES, LEAST_VALUES};
use crate::message::counted;

/// Rounds that vary by more than this share of their median hide differences that
/// matter.
const NOISY: f64 = 0.1;
/// A load average above this share of the CPUs takes CPU time from the runs.
const BUSY: f64 = 0.5;
/// In shorter runs, in seconds, starting threads and connections and the clock's own
/// jitter take a large share of the time.
const TOO_SHORT: f64 = 0.02;
/// A lower bound below this share of the time does not explain it.
const EXPLAINS_NOTHING: f64 = 0.1;
/// In shorter runs, in seconds, starting and ending may take most of the time.
const LONG_ENOUGH: f64 = 0.05;

/// A reason why the figures may mislead.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Warning {
    /// Pages failed, so their retries are part of the times.
    Failures(Failures),
    /// With fewer than three rounds no difference can be told from chance.
    TooFewRounds(usize),
    /// With fewer than five rounds there is no interval of 95 percent.
    FewRounds(usize),
    /// It is open which of these is the fastest.
    Undecided(Vec<Contender>),
    /// Times varied by these shares of their medians.
    Noisy {
        /// The contenders and the shares.
        contenders: Vec<(Contender, f64)>,
        /// Whether pages failed, which makes times vary too.
        have_failures: bool,
    },
    /// The machine had other work before the first run.
    Busy {
        /// The load average.
        load: f64,
        /// The CPUs of the machine.
        cpus: u32,
    },
    /// Runs took only these times, in seconds.
    TooShort(Vec<(Contender, f64)>),
    /// Runs took these multiples of their lower bounds.
    FarFromTheory(Vec<(Contender, f64)>),
    /// The baseline was measured on a machine that differs in these ways.
    OtherMachine(Vec<String>),
}

/// The reasons in these results, the most important first.
pub(super) fn find(
    results: &Results,
    analysis: &Analysis,
    choice: Option<&Choice>,
) -> Vec<Warning> {
    let failures = Failures::of(results);
    let have_failures = failures.is_some();
    let found = [
        failures.map(Warning::Failures),
        few_rounds(analysis.least_rounds()),
        choice.and_then(|choice| undecided(analysis, choice)),
        contenders(analysis, noise).map(|contenders| Warning::Noisy { contenders, have_failures }),
        busy(results),
        contenders(analysis, short_time).map(Warning::TooShort),
        contenders(analysis, multiple_of_bound).map(Warning::FarFromTheory),
    ];
    found.into_iter().flatten().collect()
}

fn few_rounds(rounds: usize) -> Option<Warning> {
    match rounds {
        1..LEAST_VALUES => Some(Warning::TooFewRounds(rounds)),
        LEAST_VALUES..ENOUGH_VALUES => Some(Warning::FewRounds(rounds)),
        _ => None,
    }
}

fn undecided(analysis: &Analysis, choice: &Choice) -> Option<Warning> {
    let candidates = [choice.fastest].into_iter().chain(choice.open.iter().copied());
    let names = candidates.map(|at| analysis.rows[at].contender.clone()).collect();
    (analysis.least_rounds() >= LEAST_VALUES && !choice.open.is_empty())
        .then_some(Warning::Undecided(names))
}

fn busy(results: &Results) -> Option<Warning> {
    let (load, cpus) = (results.machine.load_before?, results.machine.cpus);
    (load > BUSY * f64::from(cpus)).then_some(Warning::Busy { load, cpus })
}

/// The contenders that `value` finds, with their values; `None` if it finds none.
fn contenders(
    analysis: &Analysis,
    value: impl Fn(&ContenderStats) -> Option<f64>,
) -> Option<Vec<(Contender, f64)>> {
    let rows = analysis.rows.iter();
    let found: Vec<_> = rows.filter_map(|row| Some((row.contender.clone(), value(row)?))).collect();
    (!found.is_empty()).then_some(found)
}

fn noise(row: &ContenderStats) -> Option<f64> {
    let noise = row.seconds.noise();
    (noise > NOISY && row.rounds >= LEAST_VALUES).then_some(noise)
}

fn short_time(row: &ContenderStats) -> Option<f64> {
    Some(row.seconds.median).filter(|seconds| *seconds < TOO_SHORT)
}

fn multiple_of_bound(row: &ContenderStats) -> Option<f64> {
    let is_known = row.lower_bound.seconds > 0.0 && row.seconds.median > LONG_ENOUGH;
    let share = row.share_of_bound();
    (is_known && share < EXPLAINS_NOTHING).then_some(1.0 / share)
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures(failures) => write!(
                f,
                "{failures}; their retries and pauses are part of the times: leave these pages \
                 out, or compare again when the site answers them"
            ),
            Self::TooFewRounds(rounds) => write!(
                f,
                "only {}: {LEAST_VALUES} are needed to tell a difference from chance, so use \
                 --rounds {ENOUGH_VALUES} or more",
                figures::rounds(*rounds)
            ),
            Self::FewRounds(rounds) => write!(
                f,
                "only {}: the range of the measured times contains the true one in {:.0} of 100 \
                 comparisons; use --rounds {ENOUGH_VALUES} or more for intervals of 95 percent \
                 confidence",
                figures::rounds(*rounds),
                coverage(*rounds)
            ),
            Self::Undecided(contenders) => write!(
                f,
                "times varied too much to say which of {} is fastest; use more rounds",
                figures::list(contenders)
            ),
            Self::Noisy { contenders, have_failures } => write!(
                f,
                "times varied from round to round ({}), because {}; stop other programs and \
                 compare again",
                list(contenders, |share| format!("by {}", figures::percent(share))),
                if *have_failures {
                    "of the machine or because of the pages that failed"
                } else {
                    "the machine was noisy"
                }
            ),
            Self::Busy { load, cpus } => write!(
                f,
                "the machine was busy before the first run (load {load:.1} on {}); stop other \
                 programs and compare again",
                counted(u64::from(*cpus), "CPU")
            ),
            Self::TooShort(runs) => write!(
                f,
                "runs were too short to measure well ({}); compare more pages",
                list(runs, |seconds| format!("took {}", figures::time(seconds)))
            ),
            Self::FarFromTheory(runs) => write!(
                f,
                "{} what theory allows, so something else limits {}; check for retries, and for \
                 a server that accepts few connections at a time",
                list(runs, |factor| format!("takes {} times", figures::number(factor))),
                if runs.len() == 1 { "it" } else { "them" }
            ),
            Self::OtherMachine(differences) => write!(
                f,
                "the baseline was measured on another machine, which may be the cause of a \
                 difference ({}); measure the baseline again on this machine",
                differences.join("; ")
            ),
        }
    }
}

/// How many of 100 comparisons have the true median within the range of their rounds:
/// with `n` rounds the probability is 1 - 2^(1 - n).
fn coverage(rounds: usize) -> f64 {
    let rounds = i32::try_from(rounds).unwrap_or(i32::MAX);
    (100.0 * (1.0 - 2.0 * 0.5_f64.powi(rounds))).floor()
}

/// `threads@16 by 25 percent and async@64 by 12 percent`
fn list(contenders: &[(Contender, f64)], word: impl Fn(f64) -> String) -> String {
    let parts = contenders.iter().map(|(contender, value)| format!("{contender} {}", word(*value)));
    figures::list(&parts.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::findings::Findings;
    use crate::compare::results::tests::{Runs, contender, results};

    /// The kinds of the warnings, with the contenders that they name.
    fn found(results: &Results) -> String {
        let warnings = Findings::new(results).warnings;
        let names = |pairs: &[(Contender, f64)]| {
            figures::list(&pairs.iter().map(|(contender, _)| contender).collect::<Vec<_>>())
        };
        let words = warnings.iter().map(|warning| match warning {
            Warning::Failures(_) => "failures".into(),
            Warning::TooFewRounds(rounds) => format!("too few: {rounds}"),
            Warning::FewRounds(rounds) => format!("few: {rounds}"),
            Warning::Undecided(contenders) => format!("undecided: {}", figures::list(contenders)),
            Warning::Noisy { contenders, have_failures } => {
                format!("noisy: {} {have_failures}", names(contenders))
            }
            Warning::Busy { .. } => "busy".into(),
            Warning::TooShort(runs) => format!("short: {}", names(runs)),
            Warning::FarFromTheory(runs) => format!("far: {}", names(runs)),
            Warning::OtherMachine(_) => "machine".into(),
        });
        words.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn each_reason_for_doubt_is_found() {
        let quiet: &[f64] = &[2.5, 2.51, 2.49, 2.5, 2.52];
        let hiccup: &[f64] = &[0.25, 0.25, 0.25, 0.25, 0.5];
        let cases: &[(&Runs, &str)] = &[
            (&[], ""),
            (&[("sequential@1", quiet), ("threads@16", &[0.25, 0.25, 0.26, 0.25, 0.25])], ""),
            (&[("sequential@1", &[2.5]), ("threads@16", &[0.25])], "too few: 1"),
            (&[("sequential@1", &quiet[..3])], "few: 3"),
            (&[("threads@16", &[0.30, 0.25, 0.35, 0.20, 0.31])], "noisy: threads@16 false"),
            (
                &[("threads@16", hiccup), ("async@64", &[0.26; 5])],
                "undecided: threads@16 and async@64",
            ),
            // Theory allows 0.15 s, 15 round trips of 10 ms.
            (&[("threads@16", &[7.5; 5]), ("threads@8", &[0.4; 5])], "far: threads@16"),
            (&[("rayon@2", &[0.0124, 0.0124, 0.0125, 0.0124, 0.0123])], "short: rayon@2"),
        ];
        for (runs, expected) in cases {
            assert_eq!(found(&results(runs)), *expected, "{runs:?}");
        }
        let mut results = results(&[("threads@16", &[0.30, 0.25, 0.35, 0.20, 0.31])]);
        for (load, expected) in [
            (1.0, "failures; noisy: threads@16 true"),
            (1.2, "failures; noisy: threads@16 true; busy"),
        ] {
            results.machine.load_before = Some(load);
            results.samples.iter_mut().for_each(|sample| sample.failed = 3);
            assert_eq!(found(&results), expected, "{load}");
        }
    }

    #[test]
    fn each_warning_ends_with_what_to_do() {
        let of = |name: &str, value| vec![(contender(name), value)];
        let two = || [of("threads@16", 0.25), of("async@64", 0.1)].concat();
        let noisy = |have_failures| Warning::Noisy { contenders: two(), have_failures };
        let varied = "times varied from round to round (threads@16 by 25 percent and async@64 by 10 \
                     percent), because";
        let stop = "stop other programs and compare again";
        for (warning, sentence) in [
            (
                Warning::TooFewRounds(1),
                "only 1 round: 3 are needed to tell a difference from chance, so use --rounds 5 \
                 or more"
                    .into(),
            ),
            (
                Warning::FewRounds(3),
                "only 3 rounds: the range of the measured times contains the true one in 75 of \
                 100 comparisons; use --rounds 5 or more for intervals of 95 percent confidence"
                    .into(),
            ),
            (
                Warning::Undecided(two().into_iter().map(|(contender, _)| contender).collect()),
                "times varied too much to say which of threads@16 and async@64 is fastest; use \
                 more rounds"
                    .into(),
            ),
            (noisy(false), format!("{varied} the machine was noisy; {stop}")),
            (
                noisy(true),
                format!("{varied} of the machine or because of the pages that failed; {stop}"),
            ),
            (
                Warning::Busy { load: 1.2, cpus: 1 },
                format!("the machine was busy before the first run (load 1.2 on 1 CPU); {stop}"),
            ),
            (
                Warning::TooShort(of("rayon@2", 0.0124)),
                "runs were too short to measure well (rayon@2 took 12.4 ms); compare more pages"
                    .into(),
            ),
            (
                Warning::FarFromTheory(of("threads@16", 50.0)),
                "threads@16 takes 50 times what theory allows, so something else limits it; \
                 check for retries, and for a server that accepts few connections at a time"
                    .into(),
            ),
            (
                Warning::OtherMachine(vec!["CPUs: 2, was 8".into()]),
                "the baseline was measured on another machine, which may be the cause of a \
                 difference (CPUs: 2, was 8); measure the baseline again on this machine"
                    .into(),
            ),
        ] {
            assert_eq!(warning.to_string(), sentence);
        }
    }
}
