//! Verdicts: each sentence once, and where sentences are left out.

use crate::compare::findings::Findings;
use crate::compare::results::tests::{Runs, results, sweeps};
use crate::compare::results::{End, Results};

const SEQUENTIAL: &[f64] = &[2.5, 2.52, 2.48, 2.5, 2.51];
const QUICK: [f64; 5] = [0.25, 0.252, 0.248, 0.25, 0.251];

fn verdict(results: &Results) -> Vec<String> {
    Findings::new(results).verdict
}

/// 233 pages at 10 ms, each of which takes `each` seconds of CPU time in all modes.
fn computing(each: f64, runs: &Runs) -> Results {
    let mut results = results(runs);
    for sample in &mut results.samples {
        sample.cpu_seconds = 233.0 * each;
    }
    results
}

fn on_one_cpu(mut results: Results) -> Results {
    results.machine.cpus = 1;
    results
}

#[test]
fn a_verdict_reads_exactly_so() {
    let results = results(&[
        ("sequential@1", SEQUENTIAL),
        ("threads@16", &QUICK),
        ("rayon@2", &[0.5, 0.504, 0.496, 0.5, 0.502]),
    ]);
    // 0.1 s of CPU in 2.5 s: of 233 pages, 0.429 ms in 10.73 ms.
    let expected = [
        "Use threads@16: it takes 250 ms. That is 10 times as fast as sequential.",
        "The next best, rayon@2, takes 2 times as long as threads@16.",
        "The job is I/O-bound: fetched one at a time, a page waits 10.3 ms and computes 0.429 ms, \
         which is 4 percent of its time.",
        "Pages in flight matter most: they can save up to 96 percent of the time; computing on 2 \
         CPUs can save up to 2 percent.",
        "In theory threads@16 takes at least 150 ms, because a worker makes 15 round trips of 10 \
         ms; it takes 1.67 times that.",
    ];
    assert_eq!(verdict(&results), expected);
}

#[test]
fn each_advice_has_its_sentence() {
    let sequential: (&str, &[f64]) = ("sequential@1", SEQUENTIAL);
    let few = [0.25, 0.24, 0.26];
    let cases: &[(&Runs, usize, &str)] = &[
        (
            &[sequential, ("threads@16", &[5.0; 5])],
            0,
            "Use sequential@1: it takes 2.5 s, and no other contender is faster.",
        ),
        (
            &[("sequential@1", &[0.252; 5]), ("threads@16", &[0.25, 0.249, 0.253, 0.251, 0.25])],
            0,
            "Use sequential@1: it takes 252 ms, and no other contender is clearly faster.",
        ),
        (
            &[("threads@16", &QUICK.map(|time| 1.02 * time)), ("threads@32", &QUICK)],
            0,
            "Use threads@16: it takes 255 ms, within 5 percent of the fastest (threads@32), and \
             needs fewer workers.",
        ),
        (
            &[sequential, ("threads@16", &[0.10, 0.10, 0.10, 0.10, 0.20])],
            0,
            "Use threads@16: it takes 100 ms. That is 25 times as fast as sequential (between 12.5 \
             and 25.2 with 95 percent confidence).",
        ),
        (
            &[("sequential@1", &SEQUENTIAL[..3]), ("threads@16", &few)],
            0,
            "Use threads@16: it takes 250 ms. That is 10 times as fast as sequential (between 9.54 \
             and 10.5 in all rounds).",
        ),
        (
            &[("threads@16", &[0.10, 0.10, 0.10, 0.10, 0.20]), ("async@64", &[0.15; 5])],
            1,
            "async@64 may be as fast: its median is 1.5 times that of threads@16, but the \
             difference is within the noise. Use more rounds to tell them apart.",
        ),
        (
            &[sequential],
            0,
            "Only sequential@1 was measured (2.5 s), so there is nothing to compare it with.",
        ),
        (
            &[("sequential@1", &[2.5, 2.5]), ("threads@16", &[0.25])],
            0,
            "After 1 round threads@16 is ahead, but at least 3 are needed to tell that from \
             chance.",
        ),
    ];
    for (runs, line, sentence) in cases {
        assert_eq!(verdict(&results(runs))[*line], *sentence);
    }
}

#[test]
fn each_merit_has_its_sentence() {
    let also_quick = [0.251, 0.25, 0.25, 0.249, 0.252];
    let mut results =
        results(&[("threads@16", &QUICK), ("async@64", &also_quick), ("hybrid@64", &also_quick)]);
    let mut merit = |mode: &str, seconds: f64| {
        for sample in results.samples.iter_mut().filter(|sample| sample.contender.mode == mode) {
            sample.cpu_seconds = seconds;
        }
        verdict(&results)[1].clone()
    };
    for (mode, seconds, names, merit_of) in [
        ("threads", 0.1, "async@64 and hybrid@64", "threads@16 needs fewer workers"),
        (
            "async",
            0.08,
            "threads@16 and hybrid@64",
            "async@64 takes less CPU time: 80 ms instead of at least 100 ms",
        ),
    ] {
        let expected = format!(
            "{names} are about as fast (the difference is within the noise), but {merit_of}."
        );
        assert_eq!(merit(mode, seconds), expected);
    }
}

#[test]
fn each_workload_has_its_sentences() {
    let mixed: &Runs =
        &[("sequential@1", &[4.0; 5]), ("threads@16", &[0.957; 5]), ("async@64", &[1.65; 5])];
    let heavy: &Runs = &[("sequential@1", &[2.5; 5]), ("threads@16", &[1.5; 5])];
    let light: &Runs = &[("sequential@1", &[2.6; 5]), ("hybrid@64", &[0.174; 5])];
    for (results, line, sentence) in [
        (
            computing(0.007, mixed),
            2,
            "The job both waits and computes: fetched one at a time, a page waits 10.2 ms and \
             computes 7 ms, which is 41 percent of its time.",
        ),
        (
            computing(0.007, mixed),
            3,
            "Both matter: pages in flight can save up to 59 percent of the time, computing on 2 \
             CPUs up to 20 percent. With 16 pages in flight, as threads@16 has, the CPUs are the \
             limit. sequential and async compute on one CPU only.",
        ),
        (
            on_one_cpu(computing(0.005, heavy)),
            3,
            "Both matter: pages in flight can save up to 53 percent of the time; this machine has \
             one CPU to compute on. With 16 pages in flight, as threads@16 has, the CPU is the \
             limit.",
        ),
        (
            computing(0.009, heavy),
            2,
            "The job is CPU-bound: fetched one at a time, a page waits 1.73 ms and computes 9 ms, \
             which is 84 percent of its time.",
        ),
        (
            computing(0.009, heavy),
            3,
            "CPUs matter most: computing on 2 can save up to 42 percent of the time, pages in \
             flight up to 16 percent. sequential computes on one CPU only.",
        ),
        (
            computing(2.5 / 233.0, heavy),
            3,
            "CPUs matter most: computing on 2 can save up to 50 percent of the time. sequential \
             computes on one CPU only.",
        ),
        (
            on_one_cpu(computing(0.009, heavy)),
            3,
            "Computing matters most, and this machine has one CPU; pages in flight can save up to \
             16 percent of the time.",
        ),
        (
            computing(0.000_01, heavy),
            3,
            "Pages in flight matter most: they can save up to 100 percent of the time.",
        ),
        (
            on_one_cpu(computing(0.0007, light)),
            3,
            "Pages in flight matter most: they can save up to 94 percent of the time. With 64 \
             pages in flight, as hybrid@64 has, almost no waiting is left: the CPU is the limit.",
        ),
    ] {
        assert_eq!(verdict(&results)[line], sentence);
    }
}

#[test]
fn each_bottleneck_and_sweep_has_its_sentence() {
    let hybrid = computing(0.0012, &[("sequential@1", &[2.6; 5]), ("hybrid@64", &[0.174; 5])]);
    let event_loop = computing(0.0005, &[("sequential@1", &[2.6; 5]), ("async@64", &[0.174; 5])]);
    let mut narrow = results(&[("sequential@1", &[9.0; 5]), ("threads@2", &[8.0; 5])]);
    narrow.task.site.as_mut().unwrap().bandwidth = Some(1_000_000);
    let sweep = sweeps();
    for (results, sentence) in [
        (
            &hybrid,
            "In theory hybrid@64 takes at least 140 ms, because 2 CPUs share 280 ms of computing; \
             it takes 1.24 times that.",
        ),
        (
            &event_loop,
            "In theory async@64 takes at least 116 ms, because one CPU computes for 116 ms; it \
             takes 1.49 times that.",
        ),
        (
            &narrow,
            "In theory threads@2 takes at least 5.7 s, because its connections carry no more bytes \
             per second; it takes 1.4 times that.",
        ),
        (&sweep, "threads gains less than 5 percent beyond 16 workers."),
        (&sweep, "async gains up to 64 workers, the most that were measured."),
        (&sweep, "rayon gains nothing beyond 2 workers."),
    ] {
        let lines = verdict(results);
        assert!(lines.iter().any(|line| line == sentence), "{sentence}: {lines:#?}");
    }
    assert!(verdict(&sweep)[2].ends_with("of its time (estimated from rayon@2)."));
}

#[test]
fn a_single_page_leaves_nothing_to_do_in_parallel() {
    let mut results = results(&[("sequential@1", &QUICK), ("threads@16", &QUICK)]);
    results.task.pages = 1;
    let lines = verdict(&results);
    assert_eq!(lines[3], "A single page leaves nothing to do in parallel.");
    assert!(lines[1].ends_with("but sequential@1 is the simplest."), "{}", lines[1]);
}

#[test]
fn too_little_gets_fewer_sentences() {
    // Two seconds of CPU time do not fit into 250 ms on one CPU, so theory explains nothing.
    let impossible = [("sequential@1", SEQUENTIAL), ("threads@16", &QUICK[..])];
    assert_eq!(verdict(&on_one_cpu(computing(0.0086, &impossible))).len(), 4);
    assert_eq!(verdict(&results(&[])), Vec::<String>::new());
    let mut ended = results(&[("sequential@1", SEQUENTIAL), ("threads@16", &QUICK)]);
    ended.end = End::Interrupted;
    assert!(!verdict(&ended).is_empty());
    ended.end = End::Different { differences: vec!["x".into()] };
    assert_eq!(verdict(&ended), Vec::<String>::new());
}
