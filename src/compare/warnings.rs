//! Why figures are to be taken with care, in plain words.

use super::analysis::{Analysis, ContenderStats, values};
use super::design::Contender;
use super::results::Results;
use super::stats::{ENOUGH_VALUES, LEAST_VALUES};
use super::{failures, figures, verdict};

/// Rounds that vary by more than this share of their median hide differences that
/// matter.
const NOISY: f64 = 0.1;
/// A machine that is busier than this share of its CPUs takes them from the runs.
const BUSY: f64 = 0.5;
/// The start of threads and connections and the clock's own unrest are a
/// large part of shorter runs.
const TOO_SHORT: f64 = 0.02;
/// A bound below this share of the time does not explain it.
const EXPLAINS_NOTHING: f64 = 0.1;
/// What starts and ends a run may be most of a shorter one.
const LONG_ENOUGH: f64 = 0.05;

/// A sentence for each reason, the weightiest first.
pub(super) fn all(results: &Results, analysis: &Analysis) -> Vec<String> {
    let rows = &analysis.rows;
    let failed = failures::all(results);
    let found = [
        failed.as_ref().map(failures::Failures::warning),
        few_rounds(results, rows),
        undecided(results, analysis),
        noisy(results, rows, failed.is_some()),
        busy(results),
        too_short(rows),
        far_from_theory(rows),
    ];
    found.into_iter().flatten().collect()
}

/// The smallest number of rounds that a row was measured in; 0 of nothing.
pub(super) fn least_rounds(results: &Results, rows: &[ContenderStats]) -> usize {
    let rounds = |row: &ContenderStats| times(results, &row.contender).len();
    rows.iter().map(rounds).min().unwrap_or(0)
}

fn times(results: &Results, contender: &Contender) -> Vec<f64> {
    values(results, contender, |sample| sample.seconds)
}

fn few_rounds(results: &Results, rows: &[ContenderStats]) -> Option<String> {
    let least = least_rounds(results, rows);
    let rounds = figures::rounds(least);
    match least {
        0 => None,
        least if least < LEAST_VALUES => Some(format!(
            "only {rounds}: it takes {LEAST_VALUES} at least to tell a difference from chance"
        )),
        least if least < ENOUGH_VALUES => {
            let coverage = 1.0 - 2.0 * 0.5_f64.powi(i32::try_from(least).unwrap_or(i32::MAX));
            Some(format!(
                "only {rounds}: the ranges of what was measured hold the true figure in \
                 {coverage:.0} of 100 comparisons; {ENOUGH_VALUES} rounds or more give intervals \
                 of 95 percent confidence",
                coverage = (100.0 * coverage).floor(),
            ))
        }
        _ => None,
    }
}

fn undecided(results: &Results, analysis: &Analysis) -> Option<String> {
    let names = verdict::undecided(results, analysis);
    let is_measured = least_rounds(results, &analysis.rows) >= LEAST_VALUES;
    (is_measured && !names.is_empty()).then(|| {
        format!("times varied too much to say which of {} is fastest", figures::list(&names))
    })
}

/// Pages that fail make times vary too: the machine is not blamed alone then.
fn noisy(results: &Results, rows: &[ContenderStats], have_failures: bool) -> Option<String> {
    let is_noisy = |row: &&ContenderStats| {
        row.seconds.noise() > NOISY && times(results, &row.contender).len() >= LEAST_VALUES
    };
    let by = |row: &ContenderStats| {
        format!("{} by {}", row.contender, figures::percent(row.seconds.noise()))
    };
    let names: Vec<_> = rows.iter().filter(is_noisy).map(by).collect();
    let why = if have_failures {
        "times varied from round to round, with the machine or with the pages that failed"
    } else {
        "the machine was noisy, times varied from round to round"
    };
    (!names.is_empty()).then(|| format!("{why}: {}", figures::list(&names)))
}

fn busy(results: &Results) -> Option<String> {
    let (load, cpus) = (results.machine.load_before?, results.machine.cpus);
    let cpus_text = if cpus == 1 { "1 CPU".to_owned() } else { format!("{cpus} CPUs") };
    (load > BUSY * f64::from(cpus)).then(|| {
        format!("the machine was busy before the first run: a load of {load:.1} on {cpus_text}")
    })
}

fn too_short(rows: &[ContenderStats]) -> Option<String> {
    let is_short = |row: &&ContenderStats| row.seconds.median < TOO_SHORT;
    let took = |row: &ContenderStats| {
        format!("{} took {}", row.contender, figures::time(row.seconds.median))
    };
    let names: Vec<_> = rows.iter().filter(is_short).map(took).collect();
    (!names.is_empty()).then(|| {
        format!("too short to measure well: {}; more pages would tell more", figures::list(&names))
    })
}

fn far_from_theory(rows: &[ContenderStats]) -> Option<String> {
    let is_far = |row: &&ContenderStats| {
        let is_known = row.lower_bound.seconds > 0.0 && row.seconds.median > LONG_ENOUGH;
        is_known && row.share_of_bound() < EXPLAINS_NOTHING
    };
    let takes = |row: &ContenderStats| {
        format!("{} takes {} times", row.contender, figures::number(1.0 / row.share_of_bound()))
    };
    let names: Vec<_> = rows.iter().filter(is_far).map(takes).collect();
    let them = if names.len() == 1 { "it" } else { "them" };
    (!names.is_empty()).then(|| {
        format!(
            "{} what theory allows: something else limits {them}, such as retries or a server \
             that takes few connections at a time",
            figures::list(&names)
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::compare::analysis::analyse;
    use crate::compare::results::tests::results;

    #[test]
    fn each_reason_for_doubt_is_told() {
        let quiet: &[f64] = &[2.5, 2.51, 2.49, 2.5, 2.52];
        for (runs, expected) in [
            (&[][..], &[][..]),
            (&[("sequential@1", quiet), ("threads@16", &[0.25, 0.25, 0.26, 0.25, 0.25])], &[]),
            (
                &[("sequential@1", &[2.5]), ("threads@16", &[0.25])],
                &["only 1 round: it takes 3 at least to tell a difference from chance"],
            ),
            (
                &[("sequential@1", &quiet[..3])],
                &["only 3 rounds: the ranges of what was measured hold the true figure in 75 of \
                   100 comparisons; 5 rounds or more give intervals of 95 percent confidence"],
            ),
            (
                // The MAD is 0.05 of 0.30: 0.2471.
                &[("threads@16", &[0.30, 0.25, 0.35, 0.20, 0.31])],
                &["the machine was noisy, times varied from round to round: \
                   threads@16 by 25 percent"],
            ),
            (
                &[
                    ("threads@16", &[0.25, 0.25, 0.25, 0.25, 0.5]),
                    ("async@64", &[0.26, 0.26, 0.26, 0.26, 0.26]),
                ],
                &["times varied too much to say which of threads@16 and async@64 is fastest"],
            ),
            (
                // 15 round trips of 10 ms, or 4; 50 ms of CPU time.
                &[("threads@16", &[7.5; 5]), ("threads@64", &[6.0; 5])],
                &["threads@16 takes 50 times and threads@64 takes 120 times what theory allows: \
                     something else limits them, such as retries or a server that takes few \
                     connections at a time"],
            ),
            (
                &[("threads@16", &[7.5; 5])],
                &["threads@16 takes 50 times what theory allows: something else limits it, such \
                     as retries or a server that takes few connections at a time"],
            ),
            (
                &[("rayon@2", &[0.0124, 0.0124, 0.0125, 0.0124, 0.0123])],
                &["too short to measure well: rayon@2 took 12.4 ms; more pages would tell more"],
            ),
        ] {
            assert_eq!(analyse(&results(runs)).warnings, expected, "{runs:?}");
        }
    }

    #[test]
    fn failed_pages_come_first_and_may_be_the_noise() {
        let mut results = results(&[("threads@16", &[0.30, 0.25, 0.35, 0.20, 0.31])]);
        for sample in &mut results.samples {
            sample.failed = 3;
        }
        let expected = [
            "3 of 233 pages failed in every run; retries and the pauses before them are part of \
             the times",
            "times varied from round to round, with the machine or with the pages that failed: \
             threads@16 by 25 percent",
        ];
        assert_eq!(analyse(&results).warnings, expected);
    }

    #[test]
    fn a_busy_machine_is_told() {
        let mut results = results(&[("sequential@1", &[2.5; 5])]);
        let busy = ["the machine was busy before the first run: a load of 1.2 on 2 CPUs"];
        for (load, expected) in [(None, &[][..]), (Some(1.0), &[]), (Some(1.2), &busy)] {
            results.machine.load_before = load;
            assert_eq!(analyse(&results).warnings, expected, "{load:?}");
        }
    }
}
