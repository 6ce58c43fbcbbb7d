//! An earlier run of the same comparison.
//!
//! Its rounds are others, so values cannot be paired. Medians are compared instead, and a
//! machine that was slower all the time looks like a slower program.

use std::fmt;

use serde::Deserialize;

use super::design::Contender;
use super::design::Design;
use super::figures;
use super::results::{End, Machine, Results, RunTask, VERSION};
use super::stats::{Bootstrap, Interval, LEAST_VALUES};
use super::warnings::Warning;

/// Why a file cannot be the baseline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    /// It is not JSON, or not a comparison.
    #[error("the baseline is not a comparison that was exported as JSON")]
    NotAComparison(#[source] serde_json::Error),
    /// It has another version of the format.
    #[error(
        "the baseline has version {found} of the format, but only version {VERSION} can be read"
    )]
    Version {
        /// Its version.
        found: u64,
    },
    /// Its comparison did not complete.
    #[error("the baseline is a comparison that {how}")]
    Unfinished {
        /// How it ended.
        how: &'static str,
    },
    /// It measured something else.
    #[error("the baseline has another plan: {}", .differences.join("; "))]
    OtherPlan {
        /// The differences, with both values.
        differences: Vec<String>,
    },
}

/// The change of a contender since the baseline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The contender.
    pub contender: Contender,
    /// The time now, divided by the time of the baseline.
    pub ratio: Interval,
    /// The meaning of the ratio.
    pub direction: Direction,
    /// The number of rounds, now or in the baseline, whichever is smaller.
    pub rounds: usize,
}

/// The meaning of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The whole interval is below 1.
    Faster,
    /// The whole interval is above 1.
    Slower,
    /// The interval contains 1.
    NoClearDifference,
    /// There are too few rounds, now or in the baseline, to decide.
    TooFewRounds,
}

/// Reads a comparison that was exported as JSON.
///
/// # Errors
///
/// [`BaselineError`] if it is something else, has another version of the format, or did
/// not complete.
pub(crate) fn parse(json: &[u8]) -> Result<Results, BaselineError> {
    /// The version is read first, because the rest may have another shape.
    #[derive(Deserialize)]
    struct Head {
        v: u64,
    }
    let head: Head = serde_json::from_slice(json).map_err(BaselineError::NotAComparison)?;
    if head.v != u64::from(VERSION) {
        return Err(BaselineError::Version { found: head.v });
    }
    let results: Results = serde_json::from_slice(json).map_err(BaselineError::NotAComparison)?;
    let how = match results.end {
        End::Complete => return Ok(results),
        End::Running => "was killed, or is still running",
        End::Interrupted => "was interrupted",
        End::Broken { .. } => "failed",
        End::Different { .. } => "has runs that differ",
    };
    Err(BaselineError::Unfinished { how })
}

/// Checks that the comparison has the plan of `then`: the same contenders in any order,
/// pages, site and options. The name of a list, the rounds, the seed, the machine and the
/// version of the program may differ.
///
/// # Errors
///
/// [`BaselineError::OtherPlan`] with each difference.
pub(crate) fn check_same_plan(
    task: &RunTask,
    design: &Design,
    then: &Results,
) -> Result<(), BaselineError> {
    let (now, then) = (plan(task, design), plan(&then.task, &then.design));
    let differing = now.into_iter().zip(then).filter(|(now, then)| now != then);
    let differences: Vec<_> = differing
        .map(|((what, now), (_, then))| format!("{what}: {now} now, {then} in the baseline"))
        .collect();
    if differences.is_empty() { Ok(()) } else { Err(BaselineError::OtherPlan { differences }) }
}

/// The parts of a plan, with their names.
fn plan(task: &RunTask, design: &Design) -> Vec<(&'static str, String)> {
    let site = task.site.as_ref();
    let millis = |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value} ms"));
    let bandwidth = site.and_then(|site| site.bandwidth);
    let mut contenders = design.contenders.clone();
    contenders.sort();
    let contenders: Vec<_> = contenders.iter().map(ToString::to_string).collect();
    // A file may contain any text there.
    let start = |digest: &String| digest.chars().take(16).collect();
    let addresses = task.pages_sha256.as_ref().map_or("none".into(), start);
    let options = if task.options.is_empty() { "none".into() } else { task.options.join(" ") };
    vec![
        ("contenders", figures::list(&contenders)),
        ("site", if site.is_some() { "the embedded one" } else { "another" }.into()),
        ("pages", task.pages.to_string()),
        // The same list may have another name.
        ("SHA-256 of the pages' addresses", addresses),
        ("latency", millis(site.map(|site| site.latency_ms))),
        ("CPU per page", millis(site.map(|site| site.cpu_per_page_ms))),
        ("bandwidth", bandwidth.map_or("no limit".into(), |bytes| format!("{bytes} bytes/s"))),
        ("pages are", if task.saves { "saved" } else { "not saved" }.into()),
        ("options", options),
    ]
}

/// The warning that two machines differ; `None` if they seem to be the same.
pub(crate) fn machine_warning(now: &Machine, then: &Machine) -> Option<Warning> {
    // Two systems on one machine reserve different shares of its memory.
    let gigabytes = |machine: &Machine| (machine.memory_bytes as f64 / 1e9).round();
    let parts = |machine: &Machine| {
        [
            ("CPU", machine.cpu.clone()),
            ("CPUs", machine.cpus.to_string()),
            ("memory", format!("{} GB", gigabytes(machine))),
            ("system", machine.system.clone()),
        ]
    };
    let differing = parts(now).into_iter().zip(parts(then)).filter(|(now, then)| now != then);
    let differences: Vec<_> =
        differing.map(|((what, now), (_, then))| format!("{what}: {now}, was {then}")).collect();
    (!differences.is_empty()).then_some(Warning::OtherMachine(differences))
}

/// The change of each contender since `then`, in the order of the design. Contenders
/// without a run in one of the two are left out.
pub(crate) fn compare(now: &Results, then: &Results) -> Vec<Change> {
    let mut bootstrap = Bootstrap::new();
    let times = |results: &Results, contender: &Contender| {
        results.values(contender, |sample| sample.seconds)
    };
    let mut change = |contender: &Contender| {
        let (now, then) = (times(now, contender), times(then, contender));
        let ratio = bootstrap.ratio(&now, &then)?;
        let rounds = now.len().min(then.len());
        let direction = match ratio {
            _ if rounds < LEAST_VALUES => Direction::TooFewRounds,
            Interval { high, .. } if high < 1.0 => Direction::Faster,
            Interval { low, .. } if low > 1.0 => Direction::Slower,
            _ => Direction::NoClearDifference,
        };
        Some(Change { contender: contender.clone(), ratio, direction, rounds })
    };
    now.design.contenders.iter().filter_map(&mut change).collect()
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::NoClearDifference => "no clear difference",
            Self::TooFewRounds => "too few rounds to decide",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { estimate, low, high } = self.ratio;
        write!(
            f,
            "{}: {}: {} times the baseline's time ({} {} to {})",
            self.contender,
            self.direction,
            figures::number(estimate),
            figures::interval_name(self.rounds),
            figures::number(low),
            figures::number(high)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::Site;
    use crate::compare::results::tests::{contender, results};

    fn then() -> Results {
        results(&[("sequential@1", &[2.5, 2.4, 2.6]), ("threads@16", &[0.25, 0.26, 0.24])])
    }

    fn read(results: &Results) -> Result<Results, String> {
        parse(&serde_json::to_vec(results).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_exported_is_read() {
        assert_eq!(read(&then()), Ok(then()));
    }

    #[test]
    fn what_cannot_be_a_baseline_is_refused() {
        let unfinished = |end| read(&Results { end, ..then() }).unwrap_err();
        let broken = unfinished(End::Broken { why: "x".into() });
        assert_eq!(broken, "the baseline is a comparison that failed");
        let different = unfinished(End::Different { differences: Vec::new() });
        assert_eq!(different, "the baseline is a comparison that has runs that differ");
        assert!(unfinished(End::Running).ends_with("was killed, or is still running"));
        assert!(unfinished(End::Interrupted).ends_with("was interrupted"));
        let refused = |json: &str| parse(json.as_bytes()).unwrap_err().to_string();
        for json in ["", "mode,workers\n", "\u{0}\u{1}", r#"{"kind":"run","v":1}"#, r#"{"v":-1}"#] {
            let message = "the baseline is not a comparison that was exported as JSON";
            assert_eq!(refused(json), message, "{json}");
        }
        let other =
            "the baseline has version 99999999999 of the format, but only version 1 can be read";
        assert_eq!(refused(r#"{"v":99999999999,"x":1}"#), other);
        assert_eq!(refused(r#"{"v":2}"#), other.replace("99999999999", "2"));
    }

    #[test]
    fn each_difference_of_the_plan_is_named() {
        let then = then();
        let mut now = then.clone();
        now.design.contenders.reverse();
        (now.design.rounds, now.design.seed) = (20, 7);
        now.machine.cpu = "Another".into();
        now.version = "0.2.0".into();
        assert!(check_same_plan(&now.task, &now.design, &then).is_ok());
        now.design.contenders[0].workers = 32;
        now.task = RunTask {
            source: "list.txt".into(),
            pages: 100,
            pages_sha256: Some("0123456789abcdef".repeat(4)),
            site: Some(Site { latency_ms: 2.5, cpu_per_page_ms: 5.0, bandwidth: Some(1_000_000) }),
            saves: false,
            options: vec!["--http".into(), "2".into()],
        };
        let error = check_same_plan(&now.task, &now.design, &then).unwrap_err();
        let BaselineError::OtherPlan { differences } = &error else { panic!() };
        let expected = [
            "contenders: sequential@1 and threads@32 now, sequential@1 and threads@16 in the baseline",
            "pages: 100 now, 233 in the baseline",
            "SHA-256 of the pages' addresses: 0123456789abcdef now, none in the baseline",
            "latency: 2.5 ms now, 10 ms in the baseline",
            "CPU per page: 5 ms now, 0 ms in the baseline",
            "bandwidth: 1000000 bytes/s now, no limit in the baseline",
            "pages are: not saved now, saved in the baseline",
            "options: --http 2 now, none in the baseline",
        ];
        assert_eq!(differences, &expected);
        assert!(error.to_string().starts_with("the baseline has another plan: contenders: "));
        now.task.site = None;
        let error = check_same_plan(&now.task, &now.design, &then).unwrap_err().to_string();
        assert!(error.contains("site: another now, the embedded one in the baseline"), "{error}");
        assert!(error.contains("latency: unknown now, 10 ms in the baseline"), "{error}");
    }

    #[test]
    fn the_start_of_any_text_in_the_place_of_a_digest_is_shown() {
        for (digest, shown) in [
            ("0123456789abcdef0", "0123456789abcdef"),
            ("0123456789abcdeé0", "0123456789abcdeé"),
            ("short", "short"),
            ("", ""),
        ] {
            let mut then = then();
            then.task.pages_sha256 = Some(digest.into());
            let now = self::then();
            let error = check_same_plan(&now.task, &now.design, &then).unwrap_err().to_string();
            assert!(error.ends_with(&format!("{shown} in the baseline")), "{error}");
        }
    }

    #[test]
    fn changes_are_judged_on_the_interval() {
        let now = results(&[
            ("threads@16", &[0.20, 0.21, 0.19]),
            ("sequential@1", &[2.5, 2.6, 2.4]),
            ("async@64", &[0.5, 0.5, 0.5]),
            ("rayon@2", &[0.5, 0.5]),
            ("hybrid@64", &[0.5, 0.5, 0.5]),
        ]);
        let then = results(&[
            ("sequential@1", &[2.5, 2.4, 2.6, 2.5]),
            ("threads@16", &[0.25, 0.26, 0.24]),
            ("async@64", &[0.25, 0.25, 0.25]),
            ("rayon@2", &[0.25, 0.25, 0.25]),
        ]);
        let words: Vec<_> = compare(&now, &then).iter().map(ToString::to_string).collect();
        // 0.19 / 0.26 = 0.7308 and 0.21 / 0.24 = 0.875; of 10,000 pairs of resamples
        // 1 in 15 has either (7/27 squared), so these are the ends.
        let expected = [
            "threads@16: faster: 0.8 times the baseline's time (range 0.731 to 0.875)",
            "sequential@1: no clear difference: 1 times the baseline's time \
             (range 0.941 to 1.06)",
            "async@64: slower: 2 times the baseline's time (range 2 to 2)",
            "rayon@2: too few rounds to decide: 2 times the baseline's time (range 2 to 2)",
        ];
        assert_eq!(words, expected);
        assert_eq!(compare(&now, &then)[0].contender, contender("threads@16"));
    }

    #[test]
    fn another_machine_is_told() {
        let now = then().machine;
        let busy = Machine { load_before: Some(2.0), ..now.clone() };
        let other = Machine { memory_bytes: now.memory_bytes + 100_000_000, ..busy };
        assert_eq!(machine_warning(&now, &other), None);
        let other = Machine { cpu: "Example CPU 2".into(), cpus: 8, ..other };
        let differences = ["CPU: Example CPU, was Example CPU 2", "CPUs: 2, was 8"];
        let expected = Warning::OtherMachine(differences.map(str::to_owned).to_vec());
        assert_eq!(machine_warning(&now, &other), Some(expected));
    }
}
