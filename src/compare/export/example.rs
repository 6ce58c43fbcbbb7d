//! Comparisons made by hand, which the tests of the formats lay out.

use super::Report;
use crate::compare::analysis::{Analysis, ContenderStats, Sweep, Workload};
use crate::compare::bound::{Bottleneck, LowerBound};
use crate::compare::results::tests::{contender, results};
use crate::compare::results::{Results, Span, Timeline};
use crate::compare::stats::{Interval, Spread};

/// What a [`Report`] borrows.
pub(super) struct Example {
    pub(super) results: Results,
    pub(super) analysis: Analysis,
    pub(super) verdict: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) judgements: Vec<String>,
    pub(super) changes: Vec<String>,
}

impl Example {
    pub(super) fn report(&self) -> Report<'_> {
        Report {
            verdict: &self.verdict,
            warnings: &self.warnings,
            judgements: &self.judgements,
            changes: &self.changes,
            ..Report::new(&self.results, &self.analysis)
        }
    }
}

/// A row with this median, 2 percent around it, and this bound.
pub(super) fn row(name: &str, median: f64, bound: f64, bottleneck: Bottleneck) -> ContenderStats {
    let interval = Interval { estimate: median, low: median * 0.98, high: median * 1.02 };
    let (least, most) = (interval.low, interval.high);
    ContenderStats {
        contender: contender(name),
        rounds: 5,
        seconds: Spread { median, mad: median * 0.02, least, most, interval },
        cpu_seconds: 0.1,
        fetch_cpu_seconds: 0.1,
        peak_rss_bytes: 20_000_000.0,
        context_switches: 520.0,
        outliers: Vec::new(),
        lower_bound: LowerBound { seconds: bound, bottleneck },
        speed_up: None,
        times_fastest: None,
    }
}

/// Two contenders and two rounds, with a text in every place.
pub(super) fn small() -> Example {
    let spread = |least, most, median, mad| Spread {
        median,
        mad,
        least,
        most,
        interval: Interval { estimate: median, low: least, high: most },
    };
    let ratio = Some(Interval { estimate: 10.0, low: 9.62, high: 10.4 });
    let rows = vec![
        ContenderStats {
            rounds: 2,
            seconds: spread(2.5, 2.6, 2.55, 0.05),
            times_fastest: ratio,
            ..row("sequential@1", 2.55, 2.04, Bottleneck::Latency)
        },
        ContenderStats {
            rounds: 2,
            seconds: spread(0.25, 0.26, 0.255, 0.005),
            outliers: vec![2],
            speed_up: ratio,
            ..row("threads@16", 0.255, 0.153, Bottleneck::Latency)
        },
    ];
    Example {
        results: results(&[("sequential@1", &[2.5, 2.6]), ("threads@16", &[0.25, 0.26])]),
        analysis: Analysis {
            rows,
            fastest: Some(1),
            sweeps: Vec::new(),
            workload: Some(Workload::IoBound { computing: 0.04 }),
        },
        verdict: vec!["Use threads@16: it takes a tenth of the time of sequential.".into()],
        warnings: vec!["only 2 rounds: intervals are wide".into()],
        judgements: vec!["met: threads@16 <= 0.25 * sequential".into()],
        changes: vec!["threads@16 is as fast as before".into()],
    }
}

/// Every mode, with sweeps of three and with timelines.
pub(super) fn large() -> Example {
    let runs: &[(&str, f64, f64, Bottleneck)] = &[
        ("sequential@1", 2.71, 2.346, Bottleneck::Latency),
        ("threads@1", 2.74, 2.346, Bottleneck::Latency),
        ("threads@4", 0.715, 0.59, Bottleneck::Latency),
        ("threads@16", 0.248, 0.156, Bottleneck::Latency),
        ("threads@64", 0.241, 0.118, Bottleneck::Cpu),
        ("rayon@2", 1.38, 1.17, Bottleneck::Latency),
        ("processes@2", 1.44, 1.17, Bottleneck::Latency),
        ("processes@16", 0.41, 0.156, Bottleneck::Latency),
        ("async@1", 2.73, 2.346, Bottleneck::Latency),
        ("async@4", 0.72, 0.59, Bottleneck::Latency),
        ("async@16", 0.29, 0.235, Bottleneck::Cpu),
        ("async@64", 0.262, 0.235, Bottleneck::Cpu),
        ("hybrid@64", 0.236, 0.118, Bottleneck::Cpu),
    ];
    let times: Vec<(&str, Vec<f64>)> = runs
        .iter()
        .map(|(name, median, ..)| {
            (*name, (0..5).map(|n| (median * f64::from(980 + 10 * n)).round() / 1000.0).collect())
        })
        .collect();
    let times: Vec<(&str, &[f64])> =
        times.iter().map(|(name, times)| (*name, &times[..])).collect();
    let mut results = results(&times);
    results.timelines = ["sequential@1", "threads@16", "processes@16", "async@64", "hybrid@64"]
        .iter()
        .map(|name| timeline(name))
        .collect();
    let rows = runs.iter().map(|(name, median, bound, limit)| {
        let ratio =
            |estimate: f64| Interval { estimate, low: estimate * 0.97, high: estimate * 1.03 };
        ContenderStats {
            speed_up: (*name != "sequential@1").then(|| ratio(2.71 / median)),
            times_fastest: (*name != "hybrid@64").then(|| ratio(median / 0.236)),
            outliers: if *name == "threads@16" { vec![3] } else { Vec::new() },
            ..row(name, *median, *bound, *limit)
        }
    });
    let sweep = |mode: &str, rows: &[usize], sweet_spot| Sweep {
        mode: mode.into(),
        rows: rows.into(),
        sweet_spot,
    };
    let analysis = Analysis {
        rows: rows.collect(),
        fastest: Some(12),
        sweeps: vec![
            sweep("threads", &[1, 2, 3, 4], 3),
            sweep("processes", &[6, 7], 7),
            sweep("async", &[8, 9, 10, 11], 11),
        ],
        workload: Some(Workload::IoBound { computing: 0.087 }),
    };
    Example {
        results,
        analysis,
        warnings: vec!["the machine was busy (load 1.40)".into()],
        verdict: vec!["Use threads@16.".into(), "The job waits.".into()],
        judgements: vec!["met: threads@16 <= 0.25 * sequential (0.09, 0.09–0.10)".into()],
        changes: vec![
            "async@64 takes 1.02 times as long as before (0.99–1.05): no difference".into(),
        ],
    }
}

/// A run of 233 pages, each 10 ms away and with 1 ms of computing.
fn timeline(name: &str) -> Timeline {
    let contender = contender(name);
    let mut free = vec![0.0_f64; contender.workers as usize];
    let mut cpu_free = 0.0_f64;
    let mut spans = Vec::new();
    for page in 0..233_u32 {
        let worker = (page % contender.workers) as usize;
        let start_ms = free[worker];
        let wait_ms = 10.0 + f64::from(page * 7 % 5) / 4.0;
        let begins = cpu_free.max(start_ms + wait_ms);
        cpu_free = begins + 0.8;
        free[worker] = cpu_free + 0.1;
        let total_ms = cpu_free - start_ms;
        let [start_ms, total_ms] = [start_ms, total_ms].map(|time| (time * 10.0).round() / 10.0);
        spans.push(Span {
            worker: page % contender.workers,
            start_ms,
            wait_ms,
            total_ms,
            cpu_ms: 0.8,
        });
    }
    let seconds = free.iter().fold(0.0_f64, |most, end| most.max(*end)).round() / 1000.0;
    spans.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
    Timeline { contender, round: 1, seconds, spans, left_out: 0 }
}
