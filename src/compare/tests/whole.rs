//! The whole way from runs of prescribed durations to every format, without a clock.

use crate::compare::analysis::{Analysis, analyse};
use crate::compare::export::{Format, Report, render, terminal};
use crate::compare::gate::Gate;
use crate::compare::measure::{Measured, Milestone, RunError, RunId, Runner, measure};
use crate::compare::results::tests::{results, sample};
use crate::compare::results::{End, Results, Timeline};

/// Runs that last as long as is written, and end as is written.
struct Scripted {
    /// By contender, the warm-up first.
    seconds: Vec<(&'static str, Vec<f64>)>,
    /// The turn that does not end well, as `threads@16 in round 2`, and how.
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
    fn run(&mut self, turn: &RunId) -> Result<Measured, RunError> {
        self.ran.push(turn.to_string());
        let fault = self.fault.filter(|(at, _)| *at == turn.to_string()).map(|(_, fault)| fault);
        let name = turn.contender.to_string();
        let (_, seconds) = self.seconds.iter().find(|(of, _)| *of == name).unwrap();
        let seconds = seconds[turn.round as usize];
        let work = [u8::from(matches!(fault, Some(Fault::DoesOther))); 32];
        match fault {
            Some(Fault::Stopped) => Err(RunError::Stopped),
            Some(Fault::Failed) => Err(RunError::Failed("exit status: 1, error: no".into())),
            Some(Fault::DoesOther) | None => {
                Ok(Measured { sample: sample(turn.contender.clone(), turn.round, seconds), work })
            }
        }
    }

    fn differences(&mut self, one: &RunId, other: &RunId) -> Vec<String> {
        assert!(self.ran.contains(&one.to_string()) && self.ran.contains(&other.to_string()));
        vec!["http://a.org/1: saved and failed".into()]
    }

    fn timeline(&mut self, turn: &RunId, seconds: f64) -> Option<Timeline> {
        let (contender, round) = (turn.contender.clone(), turn.round);
        Some(Timeline { contender, round, seconds, spans: Vec::new(), left_out: 0 })
    }
}

/// What came of it, and the steps that were told.
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
            Milestone::Begins { turn, number, runs } => format!("{number}/{runs} {turn}"),
            Milestone::RoundEnded(results) => format!("after {} runs", results.samples.len()),
        });
    });
    (results, steps)
}

fn told(results: &Results, gates: &[&str]) -> (Analysis, Vec<String>) {
    let judge = |text: &&str| Gate::parse(text).unwrap().judge(results, None).to_string();
    (analyse(results), gates.iter().map(judge).collect())
}

#[test]
fn a_comparison_gives_exactly_these_tables() {
    let (results, steps) = run(None);
    assert_eq!(results.end, End::Complete);
    assert_eq!(steps.len(), 18 + 6);
    assert_eq!(&steps[..2], ["1/18 sequential@1 in the warm-up", "2/18 threads@4 in the warm-up"]);
    assert_eq!(steps[3], "after 0 runs");
    assert_eq!(steps.last().unwrap(), "after 15 runs");
    assert_eq!(results.samples.len(), 15);
    let typical: Vec<_> = results.timelines.iter().map(|it| it.contender.to_string()).collect();
    assert_eq!(typical, ["sequential@1", "threads@16"], "one of each mode, the quickest");
    assert_eq!((results.timelines[1].round, results.timelines[1].seconds), (1, 0.25));
    let gates = [
        "threads@16 <= 0.25 * sequential",
        "threads@4 <= 0.25 * sequential",
        "cpu threads@4 <= 50ms",
    ];
    let (analysis, judgements) = told(&results, &gates);
    let report = Report {
        results: &results,
        analysis: &analysis,
        judgements: &judgements,
        changes: &[],
        published: &[],
    };
    assert_eq!(terminal::table(&report, 80, false), TERMINAL);
    assert_eq!(render(Format::Markdown, &report), MARKDOWN);
    let csv = render(Format::Csv, &report);
    assert_eq!(csv.lines().count(), 16);
    let json: serde_json::Value = serde_json::from_str(&render(Format::Json, &report)).unwrap();
    assert_eq!(json["analysis"]["gates"].as_array().unwrap().len(), 3);
    assert_eq!(serde_json::from_value::<Results>(json).unwrap(), results);
}

const TERMINAL: &str = "\
Modes compared on 233 pages of embedded site, 10 ms away; 5 rounds, seed 1

contender     seconds      interval          speed-up  CPU s    MB  bound
sequential@1    2.500   2.400–2.600  ██████     1.00×   0.10  20.0  latency 93 %
threads@4       0.625   0.600–0.750  █▌         4.00×   0.10  20.0  latency 94 %
threads@16      0.250   0.240–0.260  ▋         10.00×   0.10  20.0  latency 60 %

interval: 95 % confidence of the median; MB: the most memory of the largest
process; bound: what limits a run in theory, and that least time as a share of
the median
gate: met: threads@16 <= 0.25 * sequential: 0.1 over 5 rounds
gate: on the edge: threads@4 <= 0.25 * sequential: 0.25 (95% interval 0.25 to
      0.3) over 5 rounds; more rounds would tell
gate: not met: cpu threads@4 <= 50ms: 100 ms over 5 rounds

Use threads@16: it takes 250 ms. That is 10 times as fast as sequential.
The next, threads@4, takes 2.5 times as long as threads@16 (between 2.5 and 3
with 95 percent confidence).
The job is I/O-bound: one after the other, a page waits 10.3 ms and computes
0.429 ms, which is 4 percent of its time.
What counts is how many pages are in flight, which can save up to 96 percent of
the time; computing on 2 CPUs can save up to 2 percent.
threads gains up to 16 workers, the most that were measured.
In theory threads@16 takes 150 ms at least, because a worker has 15 round trips
of 10 ms to make; it takes 1.67 times that.
";
const MARKDOWN: &str = "\
# Modes compared on 233 pages of embedded site

Use threads@16: it takes 250 ms. That is 10 times as fast as sequential.

The next, threads@4, takes 2.5 times as long as threads@16 (between 2.5 and 3 with 95 percent confidence).

The job is I/O-bound: one after the other, a page waits 10.3 ms and computes 0.429 ms, which is 4 percent of its time.

What counts is how many pages are in flight, which can save up to 96 percent of the time; computing on 2 CPUs can save up to 2 percent.

threads gains up to 16 workers, the most that were measured.

In theory threads@16 takes 150 ms at least, because a worker has 15 round trips of 10 ms to make; it takes 1.67 times that.

| contender | median | interval | speed-up | CPU | memory | bound | of median |
|:--|--:|--:|--:|--:|--:|:--|--:|
| sequential@1 | 2.500 s | 2.400–2.600 s | 1.00× | 0.10 s | 20.0 MB | latency | 93 % |
| threads@4 | 0.625 s | 0.600–0.750 s | 4.00× (3.33–4.00) | 0.10 s | 20.0 MB | latency | 94 % |
| threads@16 | 0.250 s | 0.240–0.260 s | 10.00× | 0.10 s | 20.0 MB | latency | 60 % |

Interval: 95 % confidence of the median. Memory: the most memory of the largest process. Bound: what limits a run in theory, and that least time as a share of the median.

## Gates

- met: threads@16 \\<= 0.25 \\* sequential: 0.1 over 5 rounds
- on the edge: threads@4 \\<= 0.25 \\* sequential: 0.25 (95% interval 0.25 to 0.3) over 5 rounds; more rounds would tell
- not met: cpu threads@4 \\<= 50ms: 100 ms over 5 rounds

## Circumstances

| | |
|:--|:--|
| started | 2026-11-22T08:00:00Z |
| version | fetchpages 0.1.0 |
| machine | Example CPU, 2 CPUs, 17.2 GB memory |
| system | Linux 6.1 x86\\_64 |
| load | 0.25 in the minute before the first run |
| pages | 233 of embedded site, saved |
| site | 10 ms away, 0 ms of CPU a page, no limit to bandwidth |
| options | none |
| rounds | 5, each contender once in each |
| seed | 1 |
";

#[test]
fn what_was_measured_before_it_was_stopped_stays() {
    let (results, _) = run(Some(("threads@4 in round 3", Fault::Stopped)));
    assert_eq!(results.end, End::Interrupted);
    assert!((6..9).contains(&results.samples.len()), "{}", results.samples.len());
    let (analysis, judgements) = told(&results, &["threads@16 <= 0.25 * sequential"]);
    let report = Report {
        results: &results,
        analysis: &analysis,
        judgements: &judgements,
        changes: &[],
        published: &[],
    };
    let table = terminal::table(&report, 80, false);
    assert!(table.contains("partial: stopped"), "{table}");
    assert!(render(Format::Markdown, &report).contains("partial"));
}

#[test]
fn what_was_measured_before_a_run_failed_stays() {
    let (results, _) = run(Some(("threads@16 in round 1", Fault::Failed)));
    let why = "threads@16 in round 1: exit status: 1, error: no".to_owned();
    assert_eq!(results.end, End::Broken { why: why.clone() });
    assert!(results.samples.len() < 3);
    let (analysis, _) = told(&results, &[]);
    let report = Report {
        results: &results,
        analysis: &analysis,
        judgements: &[],
        changes: &[],
        published: &[],
    };
    assert!(terminal::table(&report, 100, false).contains(&why));
}

#[test]
fn runs_that_differ_get_no_verdict() {
    let (results, _) = run(Some(("threads@4 in the warm-up", Fault::DoesOther)));
    let End::Different { differences } = &results.end else { panic!("{:?}", results.end) };
    assert_eq!(
        differences[..],
        [
            "sequential@1 in the warm-up and threads@4 in the warm-up did not do the same",
            "http://a.org/1: saved and failed",
        ]
    );
    let (analysis, judgements) = told(&results, &["threads@16 <= 9 * sequential"]);
    assert!(analysis.verdict.is_empty());
    assert!(judgements[0].contains("the runs did not do the same"), "{judgements:?}");
}
