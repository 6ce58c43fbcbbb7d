//! The numbers that follow from the samples: spreads, ratios, lower bounds, sweeps.
//!
//! No sentence is written here: `warnings` and `verdict` word what these numbers mean.

use std::collections::BTreeMap;

use super::bound::{self, LowerBound, RunCost};
use super::design::Contender;
use super::results::{Results, Sample};
use super::stats::{self, Bootstrap, Interval, Spread};
use crate::exec;

/// The numbers that follow from the results. All ratios compare times of the fetch phase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Analysis {
    /// One for each contender that ran at least once, in the order of the design.
    pub rows: Vec<ContenderStats>,
    /// The row with the smallest median.
    pub fastest: Option<usize>,
    /// Modes that ran with several numbers of workers.
    pub sweeps: Vec<Sweep>,
    /// What the pages take most of their time for.
    pub workload: Option<Workload>,
}

/// The numbers of one contender.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContenderStats {
    /// The contender.
    pub contender: Contender,
    /// The number of rounds that it ran in.
    pub rounds: usize,
    /// Seconds of the fetch phase.
    pub seconds: Spread,
    /// The median CPU time of the whole process, in seconds.
    pub cpu_seconds: f64,
    /// The median CPU time of the fetch phase, in seconds.
    pub fetch_cpu_seconds: f64,
    /// The median of peak memory.
    pub peak_rss_bytes: f64,
    /// The median number of context switches, of both kinds.
    pub context_switches: f64,
    /// Rounds whose time is an outlier ([`stats::outliers`]) and differs from the median
    /// by at least 5 percent.
    pub outliers: Vec<u32>,
    /// The least time that theory allows.
    pub lower_bound: LowerBound,
    /// How many times as fast as `sequential` it is, compared within rounds: 1 for
    /// `sequential` itself; `None` if that was not measured.
    pub speed_up: Option<Interval>,
    /// How many times as long as the fastest contender it takes, compared within
    /// rounds; `None` for the fastest itself.
    pub times_fastest: Option<Interval>,
}

impl ContenderStats {
    /// The lower bound as a share of the median time: at 1 theory allows no better.
    pub(crate) fn share_of_bound(&self) -> f64 {
        self.lower_bound.seconds / self.seconds.median
    }
}

/// One mode with several numbers of workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// The mode.
    pub mode: String,
    /// Its rows, by the number of workers.
    pub rows: Vec<usize>,
    /// The row with the smallest number of workers whose median is within 5 percent of
    /// the best median.
    pub sweet_spot: usize,
}

/// What pages take most of their time for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Workload {
    /// Waiting.
    IoBound {
        /// The share of computing when pages are fetched one at a time, 0 to 1.
        computing: f64,
    },
    /// Waiting and computing take times of the same order.
    Mixed {
        /// As above.
        computing: f64,
    },
    /// Computing.
    CpuBound {
        /// As above.
        computing: f64,
    },
}

impl Workload {
    fn new(computing: f64) -> Self {
        match computing {
            share if share < MUCH_LESS => Self::IoBound { computing },
            share if share <= 1.0 - MUCH_LESS => Self::Mixed { computing },
            _ => Self::CpuBound { computing },
        }
    }

    /// The share of computing when pages are fetched one at a time, 0 to 1.
    pub(crate) fn computing(self) -> f64 {
        let (Self::IoBound { computing }
        | Self::Mixed { computing }
        | Self::CpuBound { computing }) = self;
        computing
    }
}

/// A workload is not bound by what takes less than this share of its time.
const MUCH_LESS: f64 = 0.25;
/// The sweet spot of a sweep is within this factor of the best.
const NEARLY_THE_BEST: f64 = 1.05;
/// An outlier is reported only if it differs from the median by this share of the
/// median: when all rounds are very even, tiny differences are outliers.
const FAR: f64 = 0.05;

/// Computes all numbers from the samples that exist: while a comparison runs, some
/// contenders or rounds have none yet.
///
/// Two contenders are compared by the rounds in which both ran.
pub(crate) fn analyse(results: &Results) -> Analysis {
    let rows = rows(results);
    Analysis {
        fastest: fastest(&rows),
        sweeps: sweeps(&rows),
        workload: workload(results, &rows),
        rows,
    }
}

impl Analysis {
    /// The smallest number of rounds that a contender ran in; 0 if none was measured.
    pub(crate) fn least_rounds(&self) -> usize {
        self.rows.iter().map(|row| row.rounds).min().unwrap_or(0)
    }

    /// The row of `sequential`, or else the row with the fewest workers.
    pub(super) fn least_concurrent(&self) -> Option<&ContenderStats> {
        least_concurrent(&self.rows)
    }
}

/// The ratio of a quantity of two contenders in each round that both ran, in the order
/// of the rounds. Pairs in which one value is not above 0 are left out, because they
/// have no meaningful ratio.
pub(super) fn paired_ratios(
    results: &Results,
    above: &Contender,
    below: &Contender,
    quantity: impl Fn(&Sample) -> f64,
) -> Vec<f64> {
    let by_round = |contender: &Contender| -> BTreeMap<u32, f64> {
        let samples = results.samples_of(contender);
        samples.map(|sample| (sample.round, quantity(sample))).collect()
    };
    let below = by_round(below);
    let pairs = by_round(above).into_iter().filter_map(|(round, above)| {
        let below = *below.get(&round)?;
        (above > 0.0 && below > 0.0).then_some(above / below)
    });
    pairs.collect()
}

fn rows(results: &Results) -> Vec<ContenderStats> {
    let mut bootstrap = Bootstrap::new();
    let contenders = &results.design.contenders;
    let common = RunCost {
        pages: results.task.pages,
        latency: bound::latency(results).unwrap_or(0.0),
        wire_bytes: 0.0,
        bandwidth: results.task.site.as_ref().and_then(|site| site.bandwidth),
        cpu_seconds: 0.0,
    };
    let row = |contender| row(results, contender, common, &mut bootstrap);
    let mut rows: Vec<_> = contenders.iter().filter_map(row).collect();
    let mut compare = |above: &Contender, below: &Contender| {
        let ratios = paired_ratios(results, above, below, |sample| sample.seconds);
        bootstrap.median(&ratios)
    };
    let sequential = contenders.iter().find(|contender| contender.mode == exec::SEQUENTIAL);
    let fastest = fastest(&rows).map(|at| rows[at].contender.clone());
    for row in &mut rows {
        let is_other = |fastest: &&Contender| **fastest != row.contender;
        row.speed_up = sequential.and_then(|sequential| compare(sequential, &row.contender));
        row.times_fastest =
            fastest.as_ref().filter(is_other).and_then(|fastest| compare(&row.contender, fastest));
    }
    rows
}

/// `common` is the cost that every run has, in any mode.
fn row(
    results: &Results,
    contender: &Contender,
    common: RunCost,
    bootstrap: &mut Bootstrap,
) -> Option<ContenderStats> {
    let median = |quantity: &dyn Fn(&Sample) -> f64| {
        stats::median(&results.values(contender, quantity)).unwrap_or(0.0)
    };
    let times = results.values(contender, |sample| sample.seconds);
    let seconds = bootstrap.spread(&times)?;
    let cpu_seconds = median(&|sample| sample.cpu_seconds);
    let wire_bytes = median(&|sample| sample.wire_bytes as f64);
    let fetch_cpu_seconds = median(&Sample::phase_cpu_seconds);
    let work = RunCost { wire_bytes, cpu_seconds: fetch_cpu_seconds, ..common };
    let rounds: Vec<_> = results.samples_of(contender).map(|sample| sample.round).collect();
    let is_far = |at: &usize| (times[*at] - seconds.median).abs() > FAR * seconds.median;
    let outliers = stats::outliers(&times).into_iter().filter(is_far).map(|at| rounds[at]);
    let parallelism = bound::parallelism(contender, results.machine.cpus);
    Some(ContenderStats {
        contender: contender.clone(),
        rounds: times.len(),
        seconds,
        cpu_seconds,
        fetch_cpu_seconds,
        peak_rss_bytes: median(&|sample| sample.peak_rss_bytes as f64),
        context_switches: median(&|sample| {
            (sample.context_switches_voluntary + sample.context_switches_involuntary) as f64
        }),
        outliers: outliers.collect(),
        lower_bound: bound::lower_bound(&work, contender.workers, parallelism)
            .within(seconds.median),
        speed_up: None,
        times_fastest: None,
    })
}

fn fastest(rows: &[ContenderStats]) -> Option<usize> {
    let median = |at: &usize| rows[*at].seconds.median;
    (0..rows.len()).min_by(|one, other| median(one).total_cmp(&median(other)))
}

/// The sweeps, in the order in which their modes first appear in the design.
fn sweeps(rows: &[ContenderStats]) -> Vec<Sweep> {
    let mut sweeps: Vec<Sweep> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        match sweeps.iter_mut().find(|sweep| sweep.mode == row.contender.mode) {
            Some(sweep) => sweep.rows.push(at),
            None => sweeps.push(Sweep {
                mode: row.contender.mode.clone(),
                rows: vec![at],
                sweet_spot: at,
            }),
        }
    }
    sweeps.retain(|sweep| sweep.rows.len() > 1);
    for sweep in &mut sweeps {
        sweep.rows.sort_by_key(|at| rows[*at].contender.workers);
        let median = |at: &usize| rows[*at].seconds.median;
        let best = sweep.rows.iter().map(median).fold(f64::INFINITY, f64::min);
        let is_near = |at: &&usize| median(at) <= NEARLY_THE_BEST * best;
        sweep.sweet_spot = sweep.rows.iter().find(is_near).copied().unwrap_or(sweep.sweet_spot);
    }
    sweeps
}

/// The row of `sequential`, or else the row with the fewest workers.
fn least_concurrent(rows: &[ContenderStats]) -> Option<&ContenderStats> {
    rows.iter().min_by_key(|row| (row.contender.mode != exec::SEQUENTIAL, row.contender.workers))
}

/// Judges the workload by the share of computing in the time that the pages take when
/// they are fetched one at a time.
///
/// That time is measured if `sequential` ran. Otherwise it is estimated from the CPU
/// time, the waits and the transfers of the contender with the fewest workers, because
/// its waits contain the least queueing.
fn workload(results: &Results, rows: &[ContenderStats]) -> Option<Workload> {
    let ratio = |contender: &Contender, time: &dyn Fn(&Sample) -> f64| {
        stats::median(
            &results
                .samples_of(contender)
                .map(|sample| sample.phase_cpu_seconds() / time(sample))
                .filter(|share| share.is_finite())
                .collect::<Vec<_>>(),
        )
    };
    let least = least_concurrent(rows)?;
    let computing = if least.contender.mode == exec::SEQUENTIAL {
        ratio(&least.contender, &|sample| sample.seconds)
    } else {
        let bandwidth = results.task.site.as_ref().and_then(|site| site.bandwidth);
        ratio(&least.contender, &|sample| {
            let waits = results.task.pages as f64 * sample.median_wait_ms / 1_000.0;
            let transfers = bandwidth.map_or(0.0, |bytes| sample.wire_bytes as f64 / bytes as f64);
            sample.phase_cpu_seconds() + waits + transfers
        })
    }?;
    Some(Workload::new(computing.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::bound::Bottleneck;
    use crate::compare::results::tests::{contender, results};

    fn near(interval: Option<Interval>, estimate: f64, low: f64, high: f64) {
        let interval = interval.unwrap();
        for (is, should_be) in
            [(interval.estimate, estimate), (interval.low, low), (interval.high, high)]
        {
            assert!((is - should_be).abs() < 1e-9, "{interval:?}");
        }
    }

    #[test]
    fn a_bound_is_of_the_fetch_phase_and_no_longer_than_the_run() {
        for (fetch_cpu, cpu, bound) in [
            // What the process computes before and after the phase does not count.
            (Some(0.08), 0.9, 0.08),
            // Results of earlier versions have the process alone.
            (None, 0.09, 0.09),
            // Helper threads compute beside the loop.
            (Some(0.12), 0.9, 0.1),
            (None, 0.9, 0.1),
        ] {
            let mut results = results(&[("async@233", &[0.1, 0.1, 0.1])]);
            for sample in &mut results.samples {
                (sample.fetch_cpu_seconds, sample.cpu_seconds) = (fetch_cpu, cpu);
            }
            let row = analyse(&results).rows.remove(0);
            assert_eq!(
                row.lower_bound,
                LowerBound { seconds: bound, bottleneck: Bottleneck::Cpu },
                "{fetch_cpu:?}"
            );
            assert!(row.share_of_bound() <= 1.0);
            assert!((row.cpu_seconds - cpu).abs() < 1e-9, "the whole process stays as measured");
        }
    }

    #[test]
    fn ratios_are_of_one_round() {
        // Every contender is twice as slow in the third round, which no ratio shows.
        let results = results(&[
            ("sequential@1", &[2.0, 2.2, 4.0]),
            ("threads@16", &[0.20, 0.20, 0.40]),
            ("async@64", &[0.25, 0.22, 0.50]),
        ]);
        let analysis = analyse(&results);
        let [sequential, threads, event_loop] = &analysis.rows[..] else { panic!() };
        assert_eq!(analysis.fastest, Some(1));
        near(sequential.speed_up, 1.0, 1.0, 1.0);
        near(threads.speed_up, 10.0, 10.0, 11.0);
        near(event_loop.speed_up, 8.0, 8.0, 10.0);
        near(sequential.times_fastest, 10.0, 10.0, 11.0);
        assert_eq!(threads.times_fastest, None);
        near(event_loop.times_fastest, 1.25, 1.1, 1.25);
        assert_eq!(
            threads.lower_bound,
            LowerBound { seconds: 0.15, bottleneck: Bottleneck::Latency }
        );
        assert!((threads.share_of_bound() - 0.75).abs() < 1e-9);
        assert_eq!(
            event_loop.lower_bound,
            LowerBound { seconds: 0.1, bottleneck: Bottleneck::Cpu }
        );
        let medians = (threads.seconds.median, threads.context_switches, threads.peak_rss_bytes);
        assert_eq!(medians, (0.2, 520.0, 20e6));
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let analysis = analyse(&results(&[]));
        assert_eq!((analysis.rows.len(), analysis.fastest, analysis.workload), (0, None, None));
        let analysis = analyse(&results(&[("sequential@1", &[]), ("threads@16", &[])]));
        assert_eq!((analysis.rows.len(), analysis.fastest), (0, None));
        // The second round was stopped before `threads` had run.
        let analysis = analyse(&results(&[
            ("sequential@1", &[2.0, 3.0]),
            ("threads@16", &[0.2]),
            ("async@64", &[]),
        ]));
        assert_eq!(analysis.rows.len(), 2);
        near(analysis.rows[1].speed_up, 10.0, 10.0, 10.0);
        let analysis = analyse(&results(&[("threads@16", &[0.2]), ("rayon@2", &[0.3])]));
        assert!(analysis.rows.iter().all(|row| row.speed_up.is_none()));
    }

    #[test]
    fn a_sweet_spot_is_the_smallest_number_within_5_percent_of_the_best() {
        let results = results(&[
            ("threads@32", &[0.200]),
            ("sequential@1", &[2.0]),
            ("threads@8", &[0.211]),
            ("threads@16", &[0.210]),
            ("async@16", &[0.3]),
            ("async@64", &[0.2]),
        ]);
        let analysis = analyse(&results);
        let sweep = |mode: &str, rows: &[usize], sweet_spot| Sweep {
            mode: mode.into(),
            rows: rows.into(),
            sweet_spot,
        };
        let expected = [sweep("threads", &[2, 3, 0], 3), sweep("async", &[4, 5], 5)];
        assert_eq!(analysis.sweeps, expected);
    }

    #[test]
    fn the_share_of_computing_decides_the_workload() {
        let mut results = results(&[("threads@4", &[0.6; 3]), ("sequential@1", &[0.4; 3])]);
        let mut workload = |cpu_seconds: f64| {
            for sample in &mut results.samples {
                sample.cpu_seconds = cpu_seconds;
            }
            analyse(&results).workload.unwrap()
        };
        assert_eq!(workload(0.05), Workload::IoBound { computing: 0.125 });
        assert_eq!(workload(0.1), Workload::Mixed { computing: 0.25 });
        assert_eq!(workload(0.2), Workload::Mixed { computing: 0.5 });
        assert_eq!(workload(0.35), Workload::CpuBound { computing: 0.35 / 0.4 });
        assert_eq!(workload(0.5), Workload::CpuBound { computing: 1.0 });
    }

    #[test]
    fn without_sequential_the_workload_comes_from_the_fewest_workers() {
        let mut results = results(&[("async@64", &[0.2; 3]), ("threads@4", &[0.6; 3])]);
        for sample in &mut results.samples {
            let is_async = sample.contender == contender("async@64");
            // 233 waits of 10 ms are 2.33 s: as much as the computing.
            (sample.cpu_seconds, sample.median_wait_ms) =
                if is_async { (9.0, 90.0) } else { (2.33, 10.0) };
        }
        assert_eq!(analyse(&results).workload, Some(Workload::Mixed { computing: 0.5 }));
        // 11.4 MB by 5 MB/s are 2.28 s more of waiting.
        let site = results.task.site.as_mut().unwrap();
        site.bandwidth = Some(5_000_000);
        let Some(Workload::Mixed { computing }) = analyse(&results).workload else { panic!() };
        assert!((computing - 2.33 / 6.94).abs() < 1e-9, "{computing}");
    }

    #[test]
    fn outliers_are_reported_and_not_dropped() {
        let even = results(&[("threads@16", &[0.250, 0.250, 0.251, 0.249, 0.256])]);
        assert!(analyse(&even).rows[0].outliers.is_empty());
        let row = &analyse(&results(&[("threads@16", &[0.25, 0.26, 0.5, 0.24, 0.25])])).rows[0];
        assert_eq!(row.outliers, [3]);
        assert_eq!((row.seconds.least, row.seconds.most), (0.24, 0.5));
    }
}
