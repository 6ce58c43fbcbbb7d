//! Gates on recorded and on noisy samples.

use crate::compare::design::Design;
use crate::compare::gate::{Gate, GateOutcome, Quantity};
use crate::compare::results::tests::results;
use crate::compare::results::{End, Results};
use crate::random::Rng;

const SEQUENTIAL: &[f64] = &[2.5, 2.4, 2.6, 2.5, 2.5];
const THREADS: &[f64] = &[0.25, 0.25, 0.26, 0.26, 0.25];

/// Ratios of 0.1, 0.10417, 0.1, 0.104 and 0.1.
fn recorded() -> Results {
    results(&[("sequential@1", SEQUENTIAL), ("threads@16", THREADS), ("threads@32", THREADS)])
}

fn gate(text: &str) -> Gate {
    text.parse::<Gate>().unwrap()
}

#[test]
fn a_judgement_names_gate_figure_and_interval() {
    let ratio = "0.1 (95% interval 0.1 to 0.104)";
    for (outcome, text, figure, more) in [
        ("met", "threads@16 <= 0.25 * sequential", ratio, ""),
        ("not met", "threads@16 <= 0.05 * sequential", ratio, ""),
        ("on the edge", "threads@16 <= 0.102 * sequential", ratio, "; use more rounds to decide"),
        ("not met", "sequential <= 1.2s", "2.5 s (95% interval 2.4 s to 2.6 s)", ""),
        ("not met", "sequential <= 2.39s", "2.5 s (95% interval 2.4 s to 2.6 s)", ""),
        ("met", "threads@32 <= threads@16", "1", ""),
        ("not met", "cpu threads@16 <= 99ms", "100 ms", ""),
        ("met", "memory threads@16 <= 1.0 * sequential", "1", ""),
        ("not met", "memory threads@16 <= 19MiB", "20.0 MB", ""),
    ] {
        let judgement = gate(text).judge(&recorded(), None);
        let sentence = format!("{outcome}: {text}: {figure} over 5 rounds{more}");
        assert_eq!(judgement.to_string(), sentence);
        assert_eq!(judgement.fails(), outcome == "not met", "{text}");
    }
    let few = results(&[("sequential@1", &SEQUENTIAL[..3]), ("threads@16", &THREADS[..3])]);
    let sentence = gate("sequential <= 1.2s").judge(&few, None).to_string();
    assert!(sentence.ends_with("2.5 s (range 2.4 s to 2.6 s) over 3 rounds"), "{sentence}");
    let judgement = gate("threads@16 <= 0.25 * sequential").judge(&recorded(), None);
    assert_eq!((judgement.quantity, judgement.is_ratio), (Quantity::Time, true));
    assert_eq!((judgement.limit, judgement.rounds), (0.25, 5));
    let figure = judgement.figure.unwrap();
    assert_eq!((figure.low, figure.estimate, figure.high), (0.1, 0.1, 0.25 / 2.4));
}

/// Rounds of a machine whose speed wanders by a factor of up to `noise` from round to
/// round and by a tenth of that from run to run, one run in ten taking twice as long.
fn noisy(seed: u64, rounds: usize, ratio: f64, noise: f64) -> Results {
    let mut rng = Rng::new(seed);
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let machine = 1.0 + noise * rng.fraction();
        let mut run = |seconds: f64| {
            let hiccup = if rng.fraction() < 0.1 { 2.0 } else { 1.0 };
            seconds * machine * hiccup * (1.0 + noise / 10.0 * rng.fraction())
        };
        slow.push(run(2.5));
        fast.push(run(2.5 * ratio));
    }
    results(&[("sequential@1", &slow), ("threads@16", &fast)])
}

#[test]
fn the_same_claim_ends_the_same_way_every_time() {
    let gate = gate("threads@16 <= 0.25 * sequential");
    for rounds in [3, 10] {
        for seed in 0..50 {
            // A round in which only one of the two hiccups is off by a factor of 2, and
            // runs differ by up to a fifth: 0.24 at most, and 0.25 at least.
            let passes = gate.judge(&noisy(seed, rounds, 0.1, 2.0), None);
            assert_eq!(passes.outcome, GateOutcome::Met, "{rounds} {seed}: {passes}");
            let fails = gate.judge(&noisy(seed, rounds, 0.61, 2.0), None);
            assert_eq!(fails.outcome, GateOutcome::NotMet, "{rounds} {seed}: {fails}");
        }
    }
}

#[test]
fn a_claim_on_the_edge_is_said_to_be_so() {
    let gate = gate("threads@16 <= 0.25 * sequential");
    let mut on_the_edge = 0;
    for seed in 0..50 {
        let judgement = gate.judge(&noisy(seed, 10, 0.25, 0.5), None);
        on_the_edge += usize::from(judgement.outcome == GateOutcome::OnTheEdge);
        assert_eq!(judgement.outcome == GateOutcome::NotMet, judgement.fails(), "{judgement}");
    }
    assert!(on_the_edge >= 42, "{on_the_edge}");
    // Each time both took the same, to the last digit.
    let even = results(&[("sequential@1", SEQUENTIAL), ("async@64", SEQUENTIAL)]);
    let judge = |text: &str| text.parse::<Gate>().unwrap().judge(&even, None).outcome;
    assert_eq!(judge("async <= sequential"), GateOutcome::Met);
    assert_eq!(judge("async <= 0.999 * sequential"), GateOutcome::NotMet);
}

#[test]
fn a_baseline_is_compared_by_its_medians() {
    let slower = results(&[("sequential@1", &[2.5; 3]), ("threads@16", &[0.5, 0.5, 0.5, 0.5])]);
    for (text, fails) in [
        ("threads@16 <= baseline", false),
        ("threads@16 <= 0.5 * baseline", false),
        ("threads@16 <= 0.4 * baseline", true),
        ("sequential <= baseline", false),
        ("memory sequential <= baseline", false),
        ("cpu sequential <= 0.9 * baseline", true),
    ] {
        let judgement = gate(text).judge(&recorded(), Some(&slower));
        assert_eq!(judgement.fails(), fails, "{judgement}");
    }
    let judgement = gate("threads@32 <= baseline").judge(&recorded(), Some(&slower));
    let sentence = "not judged: threads@32 <= baseline: it needs 3 rounds, and the baseline has 0";
    assert_eq!(judgement.to_string(), sentence);
}

#[test]
fn what_was_not_measured_fails() {
    let why = |text: &str, results: &Results| {
        let judgement = gate(text).judge(results, None);
        assert!(judgement.fails());
        assert_eq!(judgement.figure, None);
        match judgement.outcome {
            GateOutcome::Unmeasured { why } => why,
            other => panic!("{other:?}"),
        }
    };
    let stopped = results(&[("sequential@1", SEQUENTIAL), ("threads@16", &[0.25, 0.25])]);
    let few = "it needs 3 rounds, and there are 2";
    assert_eq!(why("threads@16 <= sequential", &stopped), few);
    assert_eq!(why("threads@16 <= 1s", &stopped), few);
    assert_eq!(why("sequential <= baseline", &stopped), "there is no baseline");
    assert!(why("async <= 1s", &stopped).contains("names async, which is not compared"));
    let mut idle = recorded();
    for sample in &mut idle.samples {
        sample.cpu_seconds = 0.0;
    }
    let none = "it needs 3 rounds, and there are 0";
    assert_eq!(why("cpu threads@16 <= sequential", &idle), none);
    let different = Results { end: End::Different { differences: Vec::new() }, ..recorded() };
    assert_eq!(why("sequential <= 9s", &different), "the runs did not do the same");
}

#[test]
fn a_gate_is_checked_before_anything_runs() {
    let design = recorded().design;
    let check = |text: &str| gate(text).check(&design, None).map_err(|error| error.to_string());
    assert_eq!(check("threads@16 <= 0.25 * sequential"), Ok(()));
    assert_eq!(check("sequential@1 <= 1s"), Ok(()));
    assert_eq!(gate("sequential <= baseline").check(&design, Some(&design)), Ok(()));
    let ran = "the contenders are sequential@1, threads@16 and threads@32";
    let pair = "the contenders are threads@16 and threads@32";
    let missing = |name: &str| format!("names {name}, which is not compared; {ran}");
    for (text, problem) in [
        ("async@64 <= sequential", missing("async@64")),
        ("sequential <= threads@8", missing("threads@8")),
        ("threads <= sequential", format!("names threads without its workers; {pair}")),
        ("sequential <= baseline", "names a baseline, which needs --baseline".into()),
    ] {
        assert_eq!(check(text), Err(format!("gate {text:?} {problem}")));
    }
    let design = Design { rounds: 2, ..design };
    let few = Design { rounds: 2, ..design.clone() };
    let error = gate("sequential <= baseline").check(&design, Some(&few)).unwrap_err();
    assert!(error.to_string().ends_with("needs at least 3 rounds, but the baseline has 2"));
    let error = gate("sequential <= 1s").check(&design, None).unwrap_err().to_string();
    assert!(error.ends_with("needs at least 3 rounds, not 2, to tell a difference from chance"));
}
