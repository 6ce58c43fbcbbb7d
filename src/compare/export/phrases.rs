//! Phrases that all formats for people share.

use std::collections::BTreeSet;

use super::Report;
use crate::compare::analysis::ContenderStats;
use crate::compare::bound::Bottleneck;
use crate::compare::failures::Failures;
use crate::compare::results::{End, Results, RunTask, Sample, Site};
use crate::compare::stats::{ENOUGH_VALUES, Interval};
use crate::foreign::clean;
use crate::message::{counted, plural};
use crate::report::human;

/// A mark on the figures of a comparison that is not complete.
pub(super) struct Mark {
    /// What the figures are: `partial` or `no verdict`.
    pub(super) name: &'static str,
    /// The reason, without a full stop.
    pub(super) why: String,
    /// Details, a line each.
    pub(super) details: Vec<String>,
}

/// The mark of a comparison that is not complete.
pub(super) fn mark(results: &Results) -> Option<Mark> {
    let partial = |why| Some(Mark { name: "partial", why, details: Vec::new() });
    let place = || format!("in round {} of {}", unfinished_round(results), results.design.rounds);
    match &results.end {
        End::Complete => None,
        End::Running => partial(format!("still running, {}", place())),
        End::Interrupted => partial(format!("stopped {}", place())),
        End::Broken { why } => partial(format!("a run failed: {}", clean(why))),
        End::Different { differences } => Some(Mark {
            name: "no verdict",
            why: "the runs did not do the same work, so their times cannot be compared".into(),
            details: differences.iter().map(|line| clean(line).into_owned()).collect(),
        }),
    }
}

/// The first round that lacks a run.
fn unfinished_round(results: &Results) -> u32 {
    let rounds = results.design.rounds;
    let runs = |round| results.samples.iter().filter(|sample| sample.round == round).count();
    (1..=rounds).find(|round| runs(*round) < results.design.contenders.len()).unwrap_or(rounds)
}

/// The contenders that have no sample.
pub(super) fn unmeasured(report: &Report) -> Vec<String> {
    let measured: BTreeSet<_> = report.analysis.rows.iter().map(|row| &row.contender).collect();
    let contenders = &report.results.design.contenders;
    contenders.iter().filter(|one| !measured.contains(one)).map(ToString::to_string).collect()
}

/// The title of the comparison.
pub(super) fn title(results: &Results) -> String {
    pages_of(&results.task) + &of_which(results)
}

fn pages_of(task: &RunTask) -> String {
    format!("Modes compared on {} of {}", counted(task.pages, "page"), clean(&task.source))
}

/// `, 3 of which failed`; empty where no page failed.
fn of_which(results: &Results) -> String {
    Failures::of(results).map_or(String::new(), |failures| format!(", {}", failures.of_which()))
}

/// The plan in one line.
pub(super) fn plan(results: &Results) -> String {
    let Results { task, design, .. } = results;
    let away = task.site.as_ref().map(|site| format!(", {} ms away", site.latency_ms));
    format!(
        "{}{}{}; {}, seed {}",
        pages_of(task),
        away.unwrap_or_default(),
        of_which(results),
        counted(u64::from(design.rounds), "round"),
        design.seed
    )
}

/// All facts that are needed to understand and repeat the figures, with their names.
pub(super) fn circumstances(results: &Results) -> Vec<(&'static str, String)> {
    let Results { machine, task, design, .. } = results;
    let mut cpus = counted(u64::from(machine.cpus), "CPU");
    if !machine.cpu.is_empty() {
        cpus = format!("{}, {cpus}", clean(&machine.cpu));
    }
    if machine.memory_bytes > 0 {
        cpus += &format!(", {} memory", human::bytes(machine.memory_bytes));
    }
    let mut facts = vec![
        ("started", clean(&results.started).into_owned()),
        ("version", format!("fetchpages {}", clean(&results.version))),
        ("machine", cpus),
        ("system", clean(&machine.system).into_owned()),
    ];
    if let Some(load) = machine.load_before {
        facts.push(("load", format!("{load:.2} in the minute before the first run")));
    }
    let saved = if task.saves { "saved" } else { "fetched, not saved" };
    let source = clean(&task.source);
    let rest = match Failures::of(results) {
        None => saved.to_owned(),
        Some(failures) if failures.are_all() => failures.of_which(),
        Some(failures) => format!("{}, the others {saved}", failures.of_which()),
    };
    facts.push(("pages", format!("{} of {source}, {rest}", task.pages)));
    if let Some(site) = &task.site {
        facts.push(("site", self::site(site)));
    }
    let options = if task.options.is_empty() { "none".into() } else { task.options.join(" ") };
    facts.push(("options", clean(&options).into_owned()));
    facts.push(("rounds", format!("{}, each contender once per round", design.rounds)));
    facts.push(("seed", design.seed.to_string()));
    facts
}

fn site(site: &Site) -> String {
    let Site { latency_ms, cpu_per_page_ms, bandwidth } = site;
    let bandwidth = bandwidth.map_or("no bandwidth limit".into(), |limit| {
        format!("{}/s per connection", human::bytes(limit))
    });
    format!("{latency_ms} ms away, {cpu_per_page_ms} ms of CPU per page, {bandwidth}")
}

/// The words for an interval.
pub(super) struct IntervalWords {
    /// The head of a column.
    pub(super) head: &'static str,
    /// The head at the start of a sentence.
    pub(super) title: &'static str,
    /// The meaning of the interval of a median.
    pub(super) term: &'static str,
    /// The same in a few words.
    pub(super) short: &'static str,
    /// The meaning of any interval, in full.
    pub(super) definition: &'static str,
}

const INTERVAL: IntervalWords = IntervalWords {
    head: "interval",
    title: "Interval",
    term: "95 % confidence interval of the median",
    short: "95 % interval",
    definition: "95 % confidence interval: it contains the true median in 95 of 100 such comparisons",
};
/// Few rounds give no interval, but the range of all rounds.
const RANGE: IntervalWords = IntervalWords {
    head: "range",
    title: "Range",
    term: "from the fastest round to the slowest",
    short: "range of all rounds",
    definition: "from the smallest figure of all rounds to the largest: there are too few rounds \
                 for a 95 % interval",
};

/// The words for the intervals in this report.
pub(super) fn interval(report: &Report) -> &'static IntervalWords {
    if report.analysis.least_rounds() < ENOUGH_VALUES { &RANGE } else { &INTERVAL }
}

/// Notes on the figures, a line each.
pub(super) fn notes(report: &Report) -> Vec<String> {
    let unmeasured = unmeasured(report);
    let unmeasured =
        (!unmeasured.is_empty()).then(|| format!("not measured: {}", unmeasured.join(", ")));
    outliers(report).into_iter().chain(unmeasured).collect()
}

/// The lists that documents show below the warnings, with their titles.
pub(super) fn lists<'a>(report: &Report<'a>) -> [(&'static str, &'a [String]); 3] {
    [
        ("Gates", report.judgements),
        ("Against the baseline", report.changes),
        ("Beside the tutorial's figures", report.published),
    ]
}

/// The meaning of a bound and its percentage.
pub(super) const BOUND_TERM: &str =
    "what limits a run in theory, and the least time it allows as a share of the median";

/// The meaning of the memory figure.
pub(super) const MEMORY_TERM: &str = "peak memory of the largest process";

/// The outliers of each contender; `None` if there are none.
pub(super) fn outliers(report: &Report) -> Option<String> {
    let rows = &report.analysis.rows;
    let round = |row: &ContenderStats, round: u32| {
        let is_it = |sample: &&Sample| sample.round == round && sample.contender == row.contender;
        let took = report.results.samples.iter().find(is_it);
        let took = took.map(|sample| format!(" ({} s)", seconds(sample.seconds)));
        format!("{round}{}", took.unwrap_or_default())
    };
    let parts: Vec<_> = rows
        .iter()
        .filter(|row| !row.outliers.is_empty())
        .map(|row| {
            let rounds: Vec<_> = row.outliers.iter().map(|at| round(row, *at)).collect();
            let word = plural(rounds.len() as u64, "round");
            format!("{} in {word} {}", row.contender, rounds.join(", "))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("outliers: {}", parts.join("; ")))
}

/// `2.550`
pub(super) fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

/// `2.500–2.600`, or `2.500` if both ends read the same.
pub(super) fn range(interval: Interval) -> String {
    let (low, high) = (seconds(interval.low), seconds(interval.high));
    if low == high { low } else { format!("{low}–{high}") }
}

/// `9.81×`
pub(super) fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

/// `9.60–10.02`; empty if both ends read the same.
pub(super) fn ends(ratio: Interval) -> String {
    let (low, high) = (format!("{:.2}", ratio.low), format!("{:.2}", ratio.high));
    if low == high { String::new() } else { format!("{low}–{high}") }
}

/// `9.81× (9.60–10.02)`
pub(super) fn times_range(ratio: Interval) -> String {
    let ends = ends(ratio);
    let more = if ends.is_empty() { ends } else { format!(" ({ends})") };
    times(ratio.estimate) + &more
}

/// `63 %`
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The name of what limits a run.
pub(super) const fn bottleneck(bottleneck: Bottleneck) -> &'static str {
    match bottleneck {
        Bottleneck::Latency => "latency",
        Bottleneck::Bandwidth => "bandwidth",
        Bottleneck::Cpu => "CPU",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::Machine;
    use crate::compare::results::tests::results;

    #[test]
    fn what_is_not_complete_is_marked() {
        let mut results = results(&[("sequential@1", &[2.5; 5]), ("threads@16", &[0.25; 5])]);
        let words =
            |results: &Results| mark(results).map(|mark| format!("{}: {}", mark.name, mark.why));
        assert_eq!(words(&results), None);
        for (samples, end, text) in [
            (10, End::Running, "partial: still running, in round 5 of 5"),
            (5, End::Interrupted, "partial: stopped in round 3 of 5"),
            (4, End::Interrupted, "partial: stopped in round 3 of 5"),
            (0, End::Interrupted, "partial: stopped in round 1 of 5"),
            (
                0,
                End::Broken { why: "exit code 1\u{1b}[2J".into() },
                "partial: a run failed: exit code 1\u{fffd}[2J",
            ),
            (
                0,
                End::Different { differences: Vec::new() },
                "no verdict: the runs did not do the same work, so their times cannot be compared",
            ),
        ] {
            results.samples.truncate(samples);
            results.end = end;
            assert_eq!(words(&results).as_deref(), Some(text));
        }
    }

    #[test]
    fn ends_that_read_the_same_are_written_once() {
        let interval = |low, high| Interval { estimate: 1.0, low, high };
        assert_eq!(range(interval(0.207, 0.6101)), "0.207–0.610");
        assert_eq!(range(interval(0.2501, 0.2502)), "0.250");
        assert_eq!(times_range(interval(0.9, 1.1)), "1.00× (0.90–1.10)");
        assert_eq!(times_range(interval(0.999, 1.001)), "1.00×");
    }

    #[test]
    fn failed_pages_are_counted_in_titles() {
        let mut results = results(&[("threads@16", &[0.25; 3])]);
        for sample in &mut results.samples {
            sample.failed = 3;
        }
        let title = "Modes compared on 233 pages of embedded site, 3 of which failed";
        assert_eq!(super::title(&results), title);
        let plan = "Modes compared on 233 pages of embedded site, 10 ms away, 3 of which failed; \
                    3 rounds, seed 1";
        assert_eq!(super::plan(&results), plan);
        let pages = "233 of embedded site, 3 of which failed, the others saved";
        assert!(circumstances(&results).contains(&("pages", pages.into())));
    }

    #[test]
    fn unknown_circumstances_are_left_out() {
        let mut results = results(&[("threads@16", &[0.25])]);
        results.task.options = vec!["--retry".into(), "3".into()];
        results.machine = Machine { cpus: 1, ..Machine::default() };
        (results.task.site, results.task.saves) = (None, false);
        let facts = circumstances(&results);
        let names: Vec<_> = facts.iter().map(|(name, _)| *name).collect();
        let expected =
            ["started", "version", "machine", "system", "pages", "options", "rounds", "seed"];
        assert_eq!(names, expected);
        for fact in [
            ("machine", "1 CPU"),
            ("pages", "233 of embedded site, fetched, not saved"),
            ("options", "--retry 3"),
        ] {
            assert!(facts.contains(&(fact.0, fact.1.to_owned())), "{facts:?}");
        }
    }
}
