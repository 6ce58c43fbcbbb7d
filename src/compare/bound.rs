//! The lower bound of a run's time.
//!
//! Three things take a minimum of time: the round trips that a worker makes one after
//! the other, the bytes that a connection carries, and the computing that the CPUs
//! share. The largest of the three is the bound. Opening connections, fetching
//! robots.txt and starting workers add to it.

use std::num::NonZeroUsize;

use serde::Serialize;

use super::design::Contender;
use super::results::Results;
use super::stats;
use crate::exec;

/// A lower bound and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct LowerBound {
    /// In seconds.
    pub seconds: f64,
    /// Which of the three limits is the largest.
    #[serde(rename = "limit")]
    pub bottleneck: Bottleneck,
}

impl LowerBound {
    /// The bound of a run that took `measured` seconds, which it does not exceed.
    ///
    /// Two of the limits are estimates that may exceed the measured time: helper threads
    /// (events, names) compute beside a mode that uses one CPU, and the latency of a
    /// site other than the embedded one is a median wait. Such a run had nothing left
    /// to gain.
    #[must_use]
    pub(crate) fn within(self, measured: f64) -> Self {
        Self { seconds: self.seconds.min(measured), ..self }
    }
}

/// What limits a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bottleneck {
    /// Round trips: ceil(pages / workers) times the latency.
    Latency,
    /// Bytes on the wire by the bandwidth.
    Bandwidth,
    /// CPU time by the CPUs that the mode can use.
    Cpu,
}

/// What a run costs, whatever its workers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RunCost {
    /// Pages of the run.
    pub pages: u64,
    /// Seconds from a request to its answer.
    pub latency: f64,
    /// Bytes of bodies on the wire.
    pub wire_bytes: f64,
    /// Bytes per second of each connection; `None` if no limit is known.
    pub bandwidth: Option<u64>,
    /// CPU time of the fetch phase in seconds.
    pub cpu_seconds: f64,
}

/// The largest of the three limits for `work` that `workers` share. `parallelism` of them
/// compute at a time. Each worker has one connection.
pub(crate) fn lower_bound(work: &RunCost, workers: u32, parallelism: NonZeroUsize) -> LowerBound {
    let workers = u64::from(workers.max(1));
    let in_a_row = work.pages.div_ceil(workers) as f64;
    let connections = workers.min(work.pages.max(1)) as f64;
    let of_bytes = |bandwidth: u64| work.wire_bytes / (connections * bandwidth.max(1) as f64);
    let limits = [
        (Bottleneck::Latency, in_a_row * work.latency),
        (Bottleneck::Bandwidth, work.bandwidth.map_or(0.0, of_bytes)),
        (Bottleneck::Cpu, work.cpu_seconds / parallelism.get() as f64),
    ];
    let largest = |most: LowerBound, (bottleneck, seconds): (Bottleneck, f64)| {
        if seconds > most.seconds { LowerBound { seconds, bottleneck } } else { most }
    };
    limits.into_iter().fold(LowerBound { seconds: 0.0, bottleneck: Bottleneck::Latency }, largest)
}

/// The number of threads or processes of `contender` that compute at a time on `cpus`.
/// An unknown mode, from the results of another version, may use all of them.
pub(crate) fn parallelism(contender: &Contender, cpus: u32) -> NonZeroUsize {
    let number = |count: u32| {
        NonZeroUsize::new(usize::try_from(count).unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN)
    };
    let cpus = number(cpus);
    exec::find(&contender.mode)
        .map_or(cpus, |mode| (mode.parallelism)(number(contender.workers), cpus))
}

/// The latency of the site, in seconds: the configured one, else the lowest median wait
/// of a contender, because higher ones include queueing. `None` before the first run.
pub(crate) fn latency(results: &Results) -> Option<f64> {
    let millis = results.task.site.as_ref().map(|site| site.latency_ms).or_else(|| {
        let of = |contender: &Contender| {
            stats::median(&results.values(contender, |sample| sample.median_wait_ms))
        };
        results.design.contenders.iter().filter_map(of).min_by(f64::total_cmp)
    });
    millis.map(|millis| millis / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::tests::{contender, results};

    const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
    /// 233 pages at 10 ms, 11.65 MB, 0.1 s of CPU.
    const WORK: RunCost = RunCost {
        pages: 233,
        latency: 0.01,
        wire_bytes: 11_650_000.0,
        bandwidth: None,
        cpu_seconds: 0.1,
    };

    #[test]
    fn the_largest_of_three_limits_is_the_bound() {
        let slow_line = RunCost { bandwidth: Some(5_000_000), ..WORK };
        let busy = RunCost { cpu_seconds: 1.2, ..WORK };
        for (work, workers, parallelism, seconds, limit) in [
            (WORK, 1, NonZeroUsize::MIN, 2.33, Bottleneck::Latency),
            // 233 / 16 = 14.6: one of the workers makes 15 round trips.
            (WORK, 16, TWO, 0.15, Bottleneck::Latency),
            (WORK, 233, TWO, 0.05, Bottleneck::Cpu),
            (WORK, 1_000, NonZeroUsize::MIN, 0.1, Bottleneck::Cpu),
            (busy, 16, NonZeroUsize::MIN, 1.2, Bottleneck::Cpu),
            (busy, 16, TWO, 0.6, Bottleneck::Cpu),
            // 11.65 MB by 5 MB/s are 2.33 s on one connection, as long as the round
            // trips; the first of equals counts.
            (slow_line, 1, TWO, 2.33, Bottleneck::Latency),
            (RunCost { latency: 0.001, ..slow_line }, 2, TWO, 1.165, Bottleneck::Bandwidth),
            // No more connections than pages.
            (RunCost { pages: 2, ..slow_line }, 16, TWO, 1.165, Bottleneck::Bandwidth),
            (RunCost { pages: 0, cpu_seconds: 0.0, ..WORK }, 16, TWO, 0.0, Bottleneck::Latency),
        ] {
            let bound = lower_bound(&work, workers, parallelism);
            assert!((bound.seconds - seconds).abs() < 1e-12, "{work:?} {workers}: {bound:?}");
            assert_eq!(bound.bottleneck, limit, "{work:?} {workers}");
        }
    }

    #[test]
    fn the_mode_says_how_many_compute() {
        for (name, cpus, expected) in [
            ("sequential@1", 8, 1),
            ("async@64", 8, 1),
            ("threads@16", 8, 8),
            ("threads@2", 8, 2),
            ("rayon@4", 2, 2),
            ("processes@4", 8, 4),
            ("hybrid@64", 8, 8),
            ("fibres@64", 8, 8),
            ("threads@16", 0, 1),
            ("threads@0", 8, 1),
        ] {
            assert_eq!(parallelism(&contender(name), cpus).get(), expected, "{name}");
        }
    }

    #[test]
    fn the_latency_is_the_sites_or_else_the_lowest_median_wait() {
        let mut results = results(&[("sequential@1", &[2.5; 3]), ("threads@16", &[0.25; 3])]);
        assert_eq!(latency(&results), Some(0.01));
        results.task.site = None;
        for (sample, wait) in results.samples.iter_mut().zip([10.0, 11.0, 12.0, 9.0, 11.0, 14.0]) {
            sample.median_wait_ms = wait;
        }
        // sequential: 10, 12, 11; threads: 11, 9, 14.
        assert_eq!(latency(&results), Some(0.011));
        results.samples.clear();
        assert_eq!(latency(&results), None);
    }
}
