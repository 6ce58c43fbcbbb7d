//! Verdicts, word for word.

use crate::compare::analysis::analyse;
use crate::compare::results::tests::results;
use crate::compare::results::{End, Results, Site};

const SEQUENTIAL: &[f64] = &[2.5, 2.52, 2.48, 2.5, 2.51];
const QUICK: &[f64] = &[0.25, 0.252, 0.248, 0.25, 0.251];

fn verdict(results: &Results) -> Vec<String> {
    analyse(results).verdict
}

/// 0.1 s of CPU in 2.5 s: of 233 pages, 0.429 ms in 10.73 ms.
const WAITING: [&str; 2] = [
    "The job is I/O-bound: one after the other, a page waits 10.3 ms and computes 0.429 ms, \
     which is 4 percent of its time.",
    "What counts is how many pages are in flight, which can save up to 96 percent of the time; \
     computing on 2 CPUs can save up to 2 percent.",
];

#[test]
fn waiting_wants_pages_in_flight() {
    let next = [0.5, 0.504, 0.496, 0.5, 0.502];
    let results =
        results(&[("sequential@1", SEQUENTIAL), ("threads@16", QUICK), ("rayon@2", &next)]);
    let expected = [
        "Use threads@16: it takes 250 ms. That is 10 times as fast as sequential.",
        "The next, rayon@2, takes 2 times as long as threads@16.",
        WAITING[0],
        WAITING[1],
        "In theory threads@16 takes 150 ms at least, because a worker has 15 round trips of 10 ms \
         to make; it takes 1.67 times that.",
    ];
    assert_eq!(verdict(&results), expected);
}

#[test]
fn computing_wants_cpus() {
    let mut results = results(&[
        ("sequential@1", &[4.0, 4.04, 3.96, 4.0, 4.02]),
        ("async@64", &[3.4, 3.42, 3.38, 3.4, 3.41]),
        ("hybrid@64", &[1.7, 1.71, 1.69, 1.7, 1.705]),
    ]);
    results.task.pages = 200;
    results.task.site = Some(Site { latency_ms: 10.0, cpu_per_page_ms: 10.0, bandwidth: None });
    for sample in &mut results.samples {
        sample.cpu_seconds = 3.2;
    }
    let expected = [
        "Use hybrid@64: it takes 1.7 s. That is 2.35 times as fast as sequential (between 2.34 and \
         2.36 with 95 percent confidence).",
        "The next, async@64, takes 2 times as long as hybrid@64.",
        "The job is CPU-bound: one after the other, a page waits 4 ms and computes 16 ms, \
         which is 80 percent of its time.",
        "What counts is how many CPUs compute: 2 can save up to 40 percent of the time, pages in \
         flight up to 20 percent. sequential and async compute on one CPU only.",
        "In theory hybrid@64 takes 1.6 s at least, because 2 CPUs have 3.2 s to compute; it takes \
         1.06 times that.",
    ];
    assert_eq!(verdict(&results), expected);
}

#[test]
fn one_cpu_is_not_many() {
    let mut results = results(&[("sequential@1", SEQUENTIAL), ("threads@16", QUICK)]);
    results.machine.cpus = 1;
    assert_eq!(
        verdict(&results)[3],
        "What counts is how many pages are in flight, which can save up to 96 percent of the time."
    );
    for sample in &mut results.samples {
        sample.cpu_seconds = 2.0;
    }
    let lines = verdict(&results);
    assert_eq!(
        lines[3],
        "What counts is computing, for which this machine has one CPU; pages in flight can save up \
         to 20 percent of the time."
    );
    // Two seconds of CPU time cannot be had in 250 ms on one CPU: no word of theory.
    assert_eq!(lines.len(), 4);
}

#[test]
fn equals_are_told_with_the_cpu_time_they_take() {
    let also_quick = [0.251, 0.25, 0.25, 0.249, 0.252];
    let mut results =
        results(&[("threads@16", QUICK), ("async@64", &also_quick), ("hybrid@64", &also_quick)]);
    let told = |results: &Results| verdict(results)[..2].join(" ");
    let equals = "about as fast: the difference is within the noise;";
    let expected = format!(
        "Use threads@16: it takes 250 ms. async@64 and hybrid@64 are {equals} threads@16 needs \
         fewer workers."
    );
    assert_eq!(told(&results), expected);
    let mut set = |mode: &str, seconds: f64| {
        for sample in results.samples.iter_mut().filter(|sample| sample.contender.mode == mode) {
            sample.cpu_seconds = seconds;
        }
        told(&results)
    };
    let expected = format!(
        "Use async@64: it takes 250 ms. threads@16 and hybrid@64 are {equals} async@64 takes less \
         CPU time: 80 ms instead of 100 ms or more."
    );
    assert_eq!(set("async", 0.08), expected);
    let expected = format!(
        "Use threads@16: it takes 250 ms. async@64 and hybrid@64 are {equals} threads@16 takes \
         less CPU time: 50 ms instead of 80 ms or more."
    );
    assert_eq!(set("threads", 0.05), expected);
}

#[test]
fn workers_that_gain_nothing_are_not_advised() {
    let scaled = |factor: f64| QUICK.iter().map(|time| time * factor).collect::<Vec<_>>();
    let results = results(&[
        ("threads@8", &scaled(2.0)),
        ("threads@16", &scaled(1.02)),
        ("threads@32", QUICK),
        ("async@16", &scaled(1.8)),
        ("async@64", &scaled(1.6)),
        ("rayon@2", &scaled(3.0)),
        ("rayon@4", &scaled(4.0)),
    ]);
    let lines = verdict(&results);
    assert_eq!(
        lines[0],
        "Use threads@16: it takes 255 ms, within 5 percent of threads@32, the fastest, and needs \
         fewer workers."
    );
    assert!(lines[1].starts_with("The next, async@64, takes 1.6 times as long as threads@32"));
    assert!(lines[2].ends_with("of its time, judged by rayon@2."), "{}", lines[2]);
    let sweeps = [
        "threads gains less than 5 percent beyond 16 workers.",
        "async gains up to 64 workers, the most that were measured.",
        "rayon gains nothing beyond 2 workers.",
    ];
    assert_eq!(lines[4..7], sweeps);
}

#[test]
fn one_disturbed_round_takes_no_advice_away() {
    let hiccup = [0.10, 0.10, 0.10, 0.10, 0.20];
    let results =
        results(&[("sequential@1", SEQUENTIAL), ("threads@16", &hiccup), ("async@64", &[0.15; 5])]);
    let lines = verdict(&results);
    let expected = [
        "Use threads@16: it takes 100 ms. That is 25 times as fast as sequential (between 12.5 and \
         25.2 with 95 percent confidence).",
        "async@64 may be as fast: the difference is within the noise, though its median is 1.5 \
         times as long as that of threads@16. More rounds would tell them apart.",
        WAITING[0],
    ];
    assert_eq!(lines[..3], expected);
}

#[test]
fn more_workers_without_a_smaller_median_are_no_rivals() {
    let noisy = [0.126, 0.09, 0.13, 0.16, 0.12];
    let results = results(&[
        ("threads@16", &[0.2, 0.21, 0.2, 0.2, 0.2]),
        ("threads@32", &[0.114, 0.115, 0.126, 0.11, 0.114]),
        ("threads@64", &noisy),
    ]);
    let analysis = analyse(&results);
    assert!(analysis.rows[2].times_fastest.unwrap().low < 0.8);
    let expected = [
        "Use threads@32: it takes 114 ms.",
        "The next, threads@16, takes 1.75 times as long as threads@32 (between 1.59 and 1.83 with \
         95 percent confidence).",
    ];
    assert_eq!(analysis.verdict[..2], expected);
    assert!(analysis.verdict.contains(&"threads gains nothing beyond 32 workers.".into()));
    assert!(!analysis.warnings.iter().any(|line| line.contains("fastest")), "{analysis:?}");
}

#[test]
fn one_page_wants_no_workers() {
    let times = [0.0092, 0.009, 0.0095, 0.0093, 0.0091];
    let quicker = [0.009, 0.0091, 0.009, 0.0089, 0.0092];
    let mut results = results(&[("sequential@1", &times), ("threads@16", &quicker)]);
    results.task.pages = 1;
    let expected = [
        "Use sequential@1: it takes 9.2 ms, and nothing that was measured is clearly faster.",
        "threads@16 is about as fast: the difference is within the noise; sequential@1 is the \
         simplest.",
    ];
    let lines = verdict(&results);
    assert_eq!(lines[..2], expected);
    assert_eq!(lines[3], "Of one page nothing can be done side by side.");
}

#[test]
fn few_rounds_tell_a_range() {
    let results =
        results(&[("sequential@1", &SEQUENTIAL[..3]), ("threads@16", &[0.25, 0.24, 0.26])]);
    let text = "Use threads@16: it takes 250 ms. That is 10 times as fast as sequential (between \
                9.54 and 10.5 in all rounds).";
    assert_eq!(verdict(&results)[0], text);
}

/// 233 pages at 10 ms, of which each takes this much CPU time in all modes.
fn computing(each: f64, runs: &[(&str, &[f64])]) -> Results {
    let mut results = results(runs);
    for sample in &mut results.samples {
        sample.cpu_seconds = 233.0 * each;
    }
    results
}

#[test]
fn where_both_count_both_are_told() {
    let results = computing(
        0.007,
        &[("sequential@1", &[4.0; 5]), ("threads@16", &[0.957; 5]), ("async@64", &[1.65; 5])],
    );
    let expected = [
        "The next, async@64, takes 1.72 times as long as threads@16.",
        "The job both waits and computes: one after the other, a page waits 10.2 ms and computes \
         7 ms, which is 41 percent of its time.",
        "Both count: pages in flight can save up to 59 percent of the time, computing on 2 CPUs up \
         to 20 percent. Once 16 pages are in flight, as with threads@16, the CPUs are the limit. \
         sequential and async compute on one CPU only.",
    ];
    assert_eq!(verdict(&results)[1..4], expected);
}

#[test]
fn gains_of_nothing_are_left_out() {
    let line = |each: f64| {
        verdict(&computing(each, &[("sequential@1", &[2.5; 5]), ("threads@16", &[1.5; 5])]))[3]
            .clone()
    };
    let waiting = "What counts is how many pages are in flight, which can save up to 100 percent of \
                   the time.";
    assert_eq!(line(0.000_01), waiting);
    let computing = "What counts is how many CPUs compute: 2 can save up to 50 percent of the time. \
                     sequential computes on one CPU only.";
    assert_eq!(line(2.5 / 233.0), computing);
}

#[test]
fn waiting_can_be_gone() {
    let mut results = computing(0.0012, &[("sequential@1", &[2.6; 5]), ("hybrid@64", &[0.174; 5])]);
    let text = |results: &Results| verdict(results)[3].clone();
    assert_eq!(
        text(&results),
        "What counts is how many pages are in flight, which can save up to 89 percent of the time; \
         computing on 2 CPUs can save up to 5 percent. With as many as hybrid@64 has in flight, \
         waiting is gone and the CPUs are the limit now. sequential computes on one CPU only."
    );
    results.machine.cpus = 1;
    assert!(text(&results).ends_with("waiting is gone and the CPU is the limit now."));
}

#[test]
fn nothing_is_claimed_of_too_little() {
    assert_eq!(verdict(&results(&[])), Vec::<String>::new());
    let lines = verdict(&results(&[("sequential@1", SEQUENTIAL)]));
    let only = "Only sequential@1 was measured, at 2.5 s: there is nothing to compare it with.";
    assert_eq!(lines, [only, WAITING[0], WAITING[1]]);
    let lines = verdict(&results(&[("sequential@1", &[2.5, 2.5]), ("threads@16", &[0.25])]));
    let few =
        "After 1 round threads@16 is ahead, but it takes 3 at least to tell that from chance.";
    assert_eq!(lines, [few, WAITING[0], WAITING[1]]);
    let mut other = results(&[("sequential@1", SEQUENTIAL), ("threads@16", QUICK)]);
    other.end = End::Interrupted;
    assert!(!verdict(&other).is_empty());
    other.end = End::Different { differences: vec!["x".into()] };
    assert_eq!(verdict(&other), Vec::<String>::new());
}

#[test]
fn sequential_may_win() {
    let slower: Vec<_> = SEQUENTIAL.iter().map(|time| time * 2.0).collect();
    let lines = verdict(&results(&[("sequential@1", SEQUENTIAL), ("threads@16", &slower)]));
    let first = "Use sequential@1: it takes 2.5 s, and nothing that was measured is faster.";
    assert_eq!(lines[0], first);
    let lines = verdict(&results(&[("sequential@1", SEQUENTIAL), ("threads@16", SEQUENTIAL)]));
    assert_eq!(lines[0], first);
    assert!(lines[1].starts_with("threads@16 is about as fast"), "{}", lines[1]);
}
