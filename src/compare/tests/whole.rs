//! A comparison from scripted runs to every format, without a clock.

use crate::compare::export::{Format, Report, render, terminal};
use crate::compare::findings::Findings;
use crate::compare::gate::{Gate, GateOutcome, Judgement};
use crate::compare::measure::{Measured, Milestone, RunError, RunId, Runner, measure};
use crate::compare::results::tests::{results, sample};
use crate::compare::results::{End, Results, Timeline};

/// A runner whose runs last and end as scripted.
struct Scripted {
    /// By contender, the warm-up first.
    seconds: Vec<(&'static str, Vec<f64>)>,
    /// The run that does not end well, such as `threads@16 in round 2`, and how.
    fault: Option<(&'static str, Fault)>,
    ran: Vec<String>,
}

#[derive(Clone, Copy)]
enum Fault {
    Stopped,
    Failed,
    DoesOther,
}

impl Runner for Scripted {
    fn run(&mut self, id: &RunId) -> Result<Measured, RunError> {
        self.ran.push(id.to_string());
        let fault = self.fault.filter(|(at, _)| *at == id.to_string()).map(|(_, fault)| fault);
        let name = id.contender.to_string();
        let (_, seconds) = self.seconds.iter().find(|(of, _)| *of == name).unwrap();
        let seconds = seconds[id.round as usize];
        let work = [u8::from(matches!(fault, Some(Fault::DoesOther))); 32];
        match fault {
            Some(Fault::Stopped) => Err(RunError::Stopped),
            Some(Fault::Failed) => Err(RunError::Failed("exit status: 1, error: no".into())),
            Some(Fault::DoesOther) | None => {
                Ok(Measured { sample: sample(id.contender.clone(), id.round, seconds), work })
            }
        }
    }

    fn differences(&mut self, one: &RunId, other: &RunId) -> Vec<String> {
        assert!(self.ran.contains(&one.to_string()) && self.ran.contains(&other.to_string()));
        vec!["http://a.org/1: saved and failed".into()]
    }

    fn timeline(&mut self, id: &RunId, seconds: f64) -> Option<Timeline> {
        let (contender, round) = (id.contender.clone(), id.round);
        Some(Timeline { contender, round, seconds, spans: Vec::new(), left_out: 0 })
    }
}

/// The results, and the reported milestones.
fn run(fault: Option<(&'static str, Fault)>) -> (Results, Vec<String>) {
    let seconds = vec![
        ("sequential@1", vec![9.0, 2.5, 2.6, 2.4, 2.5, 2.5]),
        ("threads@4", vec![9.0, 0.75, 0.65, 0.6, 0.625, 0.625]),
        ("threads@16", vec![9.0, 0.25, 0.26, 0.24, 0.25, 0.25]),
    ];
    let planned: Vec<(&str, &[f64])> = seconds.iter().map(|(name, it)| (*name, &it[1..])).collect();
    let mut results = results(&planned);
    results.samples.clear();
    results.end = End::Running;
    let mut runner = Scripted { seconds, fault, ran: Vec::new() };
    let mut steps = Vec::new();
    measure(&mut results, &mut runner, &mut |step| {
        steps.push(match step {
            Milestone::Begins { id, number, runs } => format!("{number}/{runs} {id}"),
            Milestone::RoundEnded(results) => format!("after {} runs", results.samples.len()),
        });
    });
    (results, steps)
}

/// What follows from the results, with the judgement of each gate.
fn concluded(results: &Results, gates: &[&str]) -> (Findings, Vec<Judgement>) {
    let judge = |text: &&str| text.parse::<Gate>().unwrap().judge(results, None);
    (Findings::new(results), gates.iter().map(judge).collect())
}

/// The table for a terminal and the document, without line ends.
fn rendered(results: &Results, findings: &Findings, judgements: &[Judgement]) -> [String; 2] {
    let judgements: Vec<_> = judgements.iter().map(ToString::to_string).collect();
    let report = Report {
        verdict: &findings.verdict,
        judgements: &judgements,
        ..Report::new(results, &findings.analysis)
    };
    [terminal::table(&report, 80, false), render(Format::Markdown, &report)]
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_whole_comparison_reaches_every_format() {
    let (results, milestones) = run(None);
    assert_eq!(results.end, End::Complete);
    assert_eq!(milestones.len(), 18 + 6);
    assert_eq!(milestones[0], "1/18 sequential@1 in the warm-up");
    assert_eq!(milestones[1], "2/18 threads@4 in the warm-up");
    assert_eq!(milestones[3], "after 0 runs");
    assert_eq!(milestones.last().unwrap(), "after 15 runs");
    assert_eq!(results.samples.len(), 15);
    let typical: Vec<_> = results.timelines.iter().map(|it| it.contender.to_string()).collect();
    assert_eq!(typical, ["sequential@1", "threads@16"], "one of each mode, the quickest");
    assert_eq!((results.timelines[1].round, results.timelines[1].seconds), (1, 0.25));
    let gates = [
        "threads@16 <= 0.25 * sequential",
        "threads@4 <= 0.25 * sequential",
        "cpu threads@4 <= 50ms",
    ];
    let (findings, judgements) = concluded(&results, &gates);
    let outcomes: Vec<_> = judgements.iter().map(|it| it.outcome.clone()).collect();
    assert_eq!(outcomes, [GateOutcome::Met, GateOutcome::OnTheEdge, GateOutcome::NotMet]);
    assert_eq!(
        findings.choice.as_ref().map(|choice| (choice.chosen, choice.next)),
        Some((2, Some(1)))
    );
    assert_eq!(findings.warnings, []);
    for text in rendered(&results, &findings, &judgements) {
        for line in &findings.verdict {
            assert!(text.contains(line), "{line}: {text}");
        }
        for part in ["threads@16", "10.00×", "0.250", "latency", "60 %", "met: threads@16"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    let report = Report::new(&results, &findings.analysis);
    assert_eq!(render(Format::Csv, &report).lines().count(), 16);
    let json: serde_json::Value = serde_json::from_str(&render(Format::Json, &report)).unwrap();
    assert_eq!(serde_json::from_value::<Results>(json).unwrap(), results);
}

#[test]
fn what_was_measured_before_the_end_stays() {
    for (run_id, fault, fewest, most, shown) in [
        ("threads@4 in round 3", Fault::Stopped, 6, 8, "partial: stopped in round 3 of 5"),
        ("threads@16 in round 1", Fault::Failed, 0, 2, "threads@16 in round 1: exit status: 1"),
    ] {
        let (results, _) = run(Some((run_id, fault)));
        match fault {
            Fault::Stopped => assert_eq!(results.end, End::Interrupted),
            _ => assert!(matches!(results.end, End::Broken { .. }), "{:?}", results.end),
        }
        assert!((fewest..=most).contains(&results.samples.len()), "{}", results.samples.len());
        let (findings, _) = concluded(&results, &[]);
        let [table, document] = rendered(&results, &findings, &[]);
        assert!(table.contains(shown), "{table}");
        assert!(document.contains("partial"), "{document}");
    }
}

#[test]
fn runs_that_differ_get_no_verdict() {
    let (results, _) = run(Some(("threads@4 in the warm-up", Fault::DoesOther)));
    let End::Different { differences } = &results.end else { panic!("{:?}", results.end) };
    let expected = [
        "sequential@1 in the warm-up and threads@4 in the warm-up did not do the same",
        "http://a.org/1: saved and failed",
    ];
    assert_eq!(differences[..], expected);
    let (findings, judgements) = concluded(&results, &["threads@16 <= 9 * sequential"]);
    assert!(findings.verdict.is_empty());
    assert!(matches!(judgements[0].outcome, GateOutcome::Unmeasured { .. }), "{judgements:?}");
}
