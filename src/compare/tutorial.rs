//! The experiment of the tutorial behind this program, and the figures it published.

use std::time::Duration;

use super::analysis::{Analysis, ContenderStats};
use super::design::Contender;

/// A tenth of the latency that the tutorial's loop implies: 137.37 s for 233 pages.
pub(crate) const LATENCY: Duration = Duration::from_millis(59);

/// The default number of rounds: one run of the loop takes 14 s.
pub(crate) const ROUNDS: u32 = 3;

/// A figure that the tutorial published: seconds for 233 pages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Published {
    /// The mode that works like the tutorial's code.
    pub mode: &'static str,
    /// Its number of workers, as published or as implied by its figure.
    pub workers: u32,
    /// The shortest and the longest time, in seconds.
    pub seconds: (f64, f64),
}

/// The published figures. The tutorial sized its process pool to a CPU count that it did
/// not publish; 137/18 implies 8.
pub(crate) const PUBLISHED: [Published; 4] = [
    Published { mode: "sequential", workers: 1, seconds: (137.37, 137.37) },
    Published { mode: "threads", workers: 16, seconds: (11.23, 11.23) },
    Published { mode: "threads", workers: 32, seconds: (4.6, 4.6) },
    Published { mode: "processes", workers: 8, seconds: (18.10, 19.28) },
];

/// The contenders of the experiment on a machine with this number of CPUs.
pub(crate) fn contenders(cpus: u32) -> Vec<Contender> {
    let mut contenders: Vec<Contender> = Vec::new();
    for (mode, workers) in [
        ("sequential", 1),
        ("threads", 16),
        ("threads", 32),
        ("processes", cpus),
        ("processes", 8),
        ("rayon", cpus),
        ("async", 64),
        ("hybrid", 64),
    ] {
        let contender = Contender { mode: mode.into(), workers };
        if !contenders.contains(&contender) {
            contenders.push(contender);
        }
    }
    contenders
}

/// The speed-up of each contender beside what the tutorial published, a line each.
///
/// It compares speed-ups, not times, because the latency and the machine differ.
pub(crate) fn beside(analysis: &Analysis) -> Vec<String> {
    let loop_seconds = PUBLISHED[0].seconds.0;
    let line = |row: &ContenderStats| {
        let here = row.speed_up?.estimate;
        let of = |published: &&Published| {
            published.mode == row.contender.mode && published.workers == row.contender.workers
        };
        let published = PUBLISHED.iter().find(of).map_or_else(
            || "no figure published".to_owned(),
            |Published { seconds: (least, most), .. }| match (
                loop_seconds / most,
                loop_seconds / least,
            ) {
                (slow, fast) if slow < fast => {
                    format!("{slow:.1} to {fast:.1} x published ({least:.2} to {most:.2} s)")
                }
                (only, _) => format!("{only:.1} x published ({least:.2} s)"),
            },
        );
        Some(format!("{}: {here:.1} x here, {published}", row.contender))
    };
    analysis.rows.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::analysis::analyse;
    use crate::compare::results::tests::results;

    #[test]
    fn speed_ups_stand_beside_the_published_ones() {
        let results = results(&[
            ("sequential@1", &[13.8, 13.8, 13.8]),
            ("threads@16", &[1.2, 1.2, 1.2]),
            ("threads@32", &[0.6, 0.6, 0.6]),
            ("processes@8", &[1.84, 1.84, 1.84]),
            ("hybrid@64", &[0.3, 0.3, 0.3]),
        ]);
        assert_eq!(
            beside(&analyse(&results)),
            [
                "sequential@1: 1.0 x here, 1.0 x published (137.37 s)",
                "threads@16: 11.5 x here, 12.2 x published (11.23 s)",
                "threads@32: 23.0 x here, 29.9 x published (4.60 s)",
                "processes@8: 7.5 x here, 7.1 to 7.6 x published (18.10 to 19.28 s)",
                "hybrid@64: 46.0 x here, no figure published",
            ]
        );
    }

    #[test]
    fn everybody_runs_once_whatever_the_cpus() {
        for cpus in [1, 2, 8, 64] {
            let mut all = contenders(cpus);
            assert!(PUBLISHED.iter().all(|it| {
                all.iter().any(|one| one.mode == it.mode && one.workers == it.workers)
            }));
            let count = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count, "{cpus}");
        }
    }
}
