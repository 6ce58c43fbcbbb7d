//! Which contender to use, and which others may be as fast as far as the samples show.

use super::analysis::{Analysis, ContenderStats};
use crate::exec;

/// If a contender may take less than this share of the fastest one's time, more rounds
/// are worth their time.
const WORTH_KNOWING: f64 = 0.8;
/// Contenders without a clear difference count as equals up to this factor. The
/// cheapest of them is chosen.
const NEARLY: f64 = 1.1;
/// The same for `sequential`, the simplest of all.
const NEARLY_SEQUENTIAL: f64 = 1.25;
/// CPU times that differ less than this may differ by chance.
const CLEARLY_LESS: f64 = 0.9;

/// What to use. All numbers are places in [`Analysis::rows`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The contender with the smallest median.
    pub fastest: usize,
    /// The contender to use: the cheapest of those that are about as fast.
    pub chosen: usize,
    /// Others that are near the fastest and not clearly slower.
    pub equals: Vec<usize>,
    /// Why the chosen one is better than its equals; `None` if it has none.
    pub merit: Option<Merit>,
    /// Others that are not clearly slower, but not near the fastest either.
    pub doubtful: Vec<usize>,
    /// The fastest of those that are clearly slower.
    pub next: Option<usize>,
    /// Those that may be much faster than the fastest: more rounds would decide.
    pub open: Vec<usize>,
}

/// Why a contender is chosen from several equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merit {
    /// It is `sequential`.
    Simplest,
    /// It takes clearly less CPU time than each of them.
    LessCpu,
    /// It has fewer workers than each of them.
    FewerWorkers,
    /// It has the smallest median.
    SmallestMedian,
    /// It takes less CPU time than some and has fewer workers than the others.
    LessCpuOrFewerWorkers,
}

/// Chooses for runs of this number of pages; `None` if nothing was measured.
pub(crate) fn choose(analysis: &Analysis, pages: u64) -> Option<Choice> {
    let rows = &analysis.rows;
    let fastest = analysis.fastest?;
    // Workers beyond the sweet spot only cost memory and load on the site.
    let sweet_spot = |at: usize| {
        let sweep = analysis.sweeps.iter().find(|sweep| sweep.mode == rows[at].contender.mode);
        sweep.map_or(at, |sweep| sweep.sweet_spot)
    };
    let spot = sweet_spot(fastest);
    let is_near = |at: usize| {
        let is_sequential = rows[at].contender.mode == exec::SEQUENTIAL;
        let factor = if is_sequential { NEARLY_SEQUENTIAL } else { NEARLY };
        // All modes fetch a single page in the same way.
        let is_single = is_sequential && pages <= 1;
        may_be_as_fast(&rows[at]) && (is_single || times_fastest(&rows[at]) <= factor)
    };
    let all = || 0..rows.len();
    let mut equals: Vec<_> =
        all().filter(|&at| sweet_spot(at) == at && (at == spot || is_near(at))).collect();
    let chosen = cheapest(rows, &equals)?;
    equals.retain(|at| *at != chosen);
    let is_other =
        |at: &usize| ![chosen, fastest, spot].contains(at) && !is_dominated(rows, *at, chosen);
    let (rivals, slower): (Vec<_>, Vec<_>) =
        all().filter(is_other).partition(|&at| may_be_as_fast(&rows[at]));
    let doubtful: Vec<_> = rivals.into_iter().filter(|at| !equals.contains(at)).collect();
    let next = slower
        .into_iter()
        .min_by(|&one, &other| times_fastest(&rows[one]).total_cmp(&times_fastest(&rows[other])));
    let may_be_faster =
        |at: &usize| rows[*at].times_fastest.is_some_and(|times| times.low < WORTH_KNOWING);
    let candidates = [chosen].into_iter().chain(equals.iter().chain(&doubtful).copied());
    Some(Choice {
        fastest,
        chosen,
        merit: merit(rows, chosen, &equals, fastest),
        next,
        open: candidates.filter(may_be_faster).collect(),
        equals,
        doubtful,
    })
}

fn times_fastest(row: &ContenderStats) -> f64 {
    row.times_fastest.map_or(f64::INFINITY, |times| times.estimate)
}

fn may_be_as_fast(row: &ContenderStats) -> bool {
    row.times_fastest.is_some_and(|times| times.low <= 1.0)
}

/// Whether the same mode is as good with fewer workers, or is chosen with fewer.
fn is_dominated(rows: &[ContenderStats], at: usize, chosen: usize) -> bool {
    let row = &rows[at];
    let is_better = |(place, other): (usize, &ContenderStats)| {
        other.contender.mode == row.contender.mode
            && other.contender.workers < row.contender.workers
            && (other.seconds.median <= row.seconds.median || place == chosen)
    };
    rows.iter().enumerate().any(is_better)
}

/// `sequential`, or else the one of those that take clearly the least CPU time that has
/// the fewest workers, or else the smallest median.
fn cheapest(rows: &[ContenderStats], equals: &[usize]) -> Option<usize> {
    if let Some(at) = equals.iter().find(|at| rows[**at].contender.mode == exec::SEQUENTIAL) {
        return Some(*at);
    }
    let least = equals.iter().map(|at| rows[*at].cpu_seconds).fold(f64::INFINITY, f64::min);
    let thrifty = equals.iter().filter(|at| least >= CLEARLY_LESS * rows[**at].cpu_seconds);
    thrifty.copied().min_by(|&one, &other| {
        let (one, other) = (&rows[one], &rows[other]);
        let workers = one.contender.workers.cmp(&other.contender.workers);
        workers.then(one.seconds.median.total_cmp(&other.seconds.median))
    })
}

fn merit(
    rows: &[ContenderStats],
    chosen: usize,
    equals: &[usize],
    fastest: usize,
) -> Option<Merit> {
    let row = &rows[chosen];
    let than_all =
        |is_better: &dyn Fn(&ContenderStats) -> bool| equals.iter().all(|at| is_better(&rows[*at]));
    Some(match row {
        _ if equals.is_empty() => return None,
        _ if row.contender.mode == exec::SEQUENTIAL => Merit::Simplest,
        _ if than_all(&|other| row.cpu_seconds < CLEARLY_LESS * other.cpu_seconds) => {
            Merit::LessCpu
        }
        _ if than_all(&|other| row.contender.workers < other.contender.workers) => {
            Merit::FewerWorkers
        }
        _ if chosen == fastest => Merit::SmallestMedian,
        _ => Merit::LessCpuOrFewerWorkers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::analysis::analyse;
    use crate::compare::results::Results;
    use crate::compare::results::tests::{Runs, results, sweeps};

    const SEQUENTIAL: &[f64] = &[2.5, 2.52, 2.48, 2.5, 2.51];
    const QUICK: &[f64] = &[0.25, 0.252, 0.248, 0.25, 0.251];
    const ALSO_QUICK: &[f64] = &[0.251, 0.25, 0.25, 0.249, 0.252];

    /// The choice in one line, without what is empty.
    fn chosen(results: &Results) -> String {
        let analysis = analyse(results);
        let Some(choice) = choose(&analysis, results.task.pages) else { return "nothing".into() };
        let name = |at: &usize| analysis.rows[*at].contender.to_string();
        let names = |places: &[usize]| places.iter().map(name).collect::<Vec<_>>().join(" ");
        let mut text = name(&choice.chosen);
        for (what, places) in [
            ("equals", &choice.equals[..]),
            ("doubtful", &choice.doubtful),
            ("next", choice.next.as_slice()),
            ("open", &choice.open),
        ] {
            if !places.is_empty() {
                text += &format!(", {what} {}", names(places));
            }
        }
        text + &choice.merit.map_or(String::new(), |merit| format!(", {merit:?}"))
    }

    #[test]
    fn the_cheapest_of_the_fastest_is_chosen() {
        let scaled = |factor: f64| QUICK.iter().map(|time| time * factor).collect::<Vec<_>>();
        let disturbed: &[f64] = &[0.10, 0.10, 0.10, 0.10, 0.20];
        let cases: &[(&Runs, &str)] = &[
            (&[], "nothing"),
            (&[("sequential@1", &[]), ("threads@16", &[])], "nothing"),
            (&[("sequential@1", SEQUENTIAL)], "sequential@1"),
            (
                &[("sequential@1", SEQUENTIAL), ("threads@16", QUICK), ("rayon@2", &scaled(2.0))],
                "threads@16, next rayon@2",
            ),
            (
                &[("threads@16", QUICK), ("async@64", ALSO_QUICK), ("hybrid@64", ALSO_QUICK)],
                "threads@16, equals async@64 hybrid@64, FewerWorkers",
            ),
            // One disturbed round does not change the choice.
            (
                &[
                    ("sequential@1", SEQUENTIAL),
                    ("threads@16", disturbed),
                    ("async@64", &[0.15; 5]),
                ],
                "threads@16, doubtful async@64, next sequential@1, open async@64",
            ),
            // More workers without a smaller median are no rivals.
            (
                &[
                    ("threads@16", &[0.2, 0.21, 0.2, 0.2, 0.2]),
                    ("threads@32", &[0.114, 0.115, 0.126, 0.11, 0.114]),
                    ("threads@64", &[0.126, 0.09, 0.13, 0.16, 0.12]),
                ],
                "threads@32, next threads@16",
            ),
            (
                &[("sequential@1", SEQUENTIAL), ("threads@16", &[5.0; 5])],
                "sequential@1, next threads@16",
            ),
            (
                &[("sequential@1", SEQUENTIAL), ("threads@16", SEQUENTIAL)],
                "sequential@1, equals threads@16, Simplest",
            ),
        ];
        for (runs, expected) in cases {
            assert_eq!(chosen(&results(runs)), *expected, "{runs:?}");
        }
        // Workers that gain less than 5 percent are not advised.
        assert_eq!(chosen(&sweeps()), "threads@16, next async@64");
    }

    #[test]
    fn clearly_less_cpu_time_decides_between_equals() {
        let mut results =
            results(&[("threads@16", QUICK), ("async@64", ALSO_QUICK), ("hybrid@64", ALSO_QUICK)]);
        for (mode, cpu_seconds, expected) in [
            ("hybrid", 0.095, "threads@16, equals async@64 hybrid@64, FewerWorkers"),
            ("async", 0.08, "async@64, equals threads@16 hybrid@64, LessCpu"),
            ("threads", 0.05, "threads@16, equals async@64 hybrid@64, LessCpu"),
        ] {
            for sample in results.samples.iter_mut().filter(|it| it.contender.mode == mode) {
                sample.cpu_seconds = cpu_seconds;
            }
            assert_eq!(chosen(&results), expected);
        }
    }

    #[test]
    fn a_single_page_is_fetched_by_the_simplest() {
        let times = [0.0092, 0.009, 0.0095, 0.0093, 0.0091];
        let quicker = [0.009, 0.0091, 0.009, 0.0089, 0.0092];
        let mut results = results(&[("sequential@1", &times), ("threads@16", &quicker)]);
        results.task.pages = 1;
        assert_eq!(chosen(&results), "sequential@1, equals threads@16, Simplest");
    }
}
