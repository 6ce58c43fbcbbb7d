//! Verdicts, word for word.

use super::analysis::analyse;
use super::results::tests::results;
use super::results::{End, Results, Site};

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
        "Use threads@16: it takes 250 ms. That is 10 times as fast as sequential (between 10 and \
         10 with 95 percent confidence).",
        "The next, rayon@2, takes 2 times as long as threads@16 (between 2 and 2 with 95 percent \
         confidence).",
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
        ("async@64", &[2.5, 2.52, 2.48, 2.5, 2.51]),
        ("hybrid@64", &[1.25, 1.26, 1.24, 1.25, 1.255]),
    ]);
    results.job.pages = 200;
    results.job.site = Some(Site { latency_ms: 10.0, cpu_per_page_ms: 10.0, bandwidth: None });
    for sample in &mut results.samples {
        sample.cpu_seconds = 2.4;
    }
    let expected = [
        "Use hybrid@64: it takes 1.25 s. That is 3.2 times as fast as sequential (between 3.19 and \
         3.21 with 95 percent confidence).",
        "The next, async@64, takes 2 times as long as hybrid@64 (between 2 and 2 with 95 percent \
         confidence).",
        "The job is CPU-bound: one after the other, a page waits 8 ms and computes 12 ms, which is \
         60 percent of its time.",
        "What counts is how many CPUs compute: 2 can save up to 30 percent of the time, pages in \
         flight up to 40 percent. async computes on one CPU only.",
        "In theory hybrid@64 takes 1.2 s at least, because 2 CPUs have 2.4 s to compute; it takes \
         1.04 times that.",
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
    let second = |results: &Results| verdict(results)[1].clone();
    let equals = "async@64 and hybrid@64 show no clear difference from threads@16";
    assert_eq!(second(&results), format!("{equals}, and they take about the same CPU time."));
    assert_eq!(verdict(&results)[0], "Use threads@16: it takes 250 ms.");
    let mut set = |mode: &str, seconds: f64| {
        for sample in results.samples.iter_mut().filter(|sample| sample.contender.mode == mode) {
            sample.cpu_seconds = seconds;
        }
        second(&results)
    };
    let text = "; async@64 takes the least CPU time of them: 80 ms instead of 100 ms.";
    assert_eq!(set("async", 0.08), format!("{equals}{text}"));
    let text = "; threads@16 takes the least CPU time of them: 50 ms instead of 80 ms.";
    assert_eq!(set("threads", 0.05), format!("{equals}{text}"));
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
fn too_much_noise_is_said_instead() {
    let hiccup = [0.25, 0.252, 0.248, 0.25, 0.5];
    let rival = [0.26, 0.26, 0.26, 0.26, 0.26];
    let results =
        results(&[("sequential@1", SEQUENTIAL), ("threads@16", &hiccup), ("async@64", &rival)]);
    let expected = [
        "The machine was too noisy to say which of threads@16 and async@64 to use: their times \
         changed more from round to round than they differ. More rounds or a quieter machine would \
         tell.",
        "Yet threads@16 is clearly faster than sequential, by 5.02 times at least.",
        WAITING[0],
        WAITING[1],
    ];
    assert_eq!(verdict(&results), expected);
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
    assert!(lines[1].starts_with("threads@16 shows no clear difference from sequential@1"));
}
