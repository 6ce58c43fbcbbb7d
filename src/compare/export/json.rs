//! Everything, for programs: the stored results, and beside them what follows from
//! them, so that no script has to compute it again.

use serde::Serialize;

use super::Report;
use crate::compare::analysis::{ContenderStats, Workload};
use crate::compare::bound::LowerBound;
use crate::compare::design::Contender;
use crate::compare::results::Results;
use crate::compare::stats::{Interval, Spread};
use crate::printable::Printable;

/// The stored format with one more member, which readers of results ignore.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    results: &'a Results,
    analysis: Derived<'a>,
}

#[derive(Serialize)]
struct Derived<'a> {
    rows: Vec<Row<'a>>,
    fastest: Option<&'a Contender>,
    sweeps: Vec<SweepWorkers<'a>>,
    nature: Option<Nature>,
    warnings: &'a [String],
    verdict: &'a [String],
    gates: &'a [String],
    baseline: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    published: &'a [String],
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    contender: &'a Contender,
    seconds: Spread,
    cpu_seconds: f64,
    peak_rss_bytes: f64,
    context_switches: f64,
    outliers: &'a [u32],
    bound: LowerBound,
    closeness: f64,
    speed_up: Option<Interval>,
    times_fastest: Option<Interval>,
}

#[derive(Serialize)]
struct SweepWorkers<'a> {
    mode: &'a str,
    workers: Vec<u32>,
    sweet_spot: Option<u32>,
}

#[derive(Serialize)]
struct Nature {
    bound_by: &'static str,
    computing: f64,
}

/// One line. Ratios by a time of zero are `null`.
pub(super) fn render(report: &Report) -> Printable {
    let document = Document { results: report.results, analysis: derived(report) };
    Printable::json(&document)
}

fn derived<'a>(report: &Report<'a>) -> Derived<'a> {
    let analysis = report.analysis;
    let rows = &analysis.rows;
    let workers = |row: usize| rows.get(row).map(|row| row.contender.workers);
    Derived {
        rows: rows.iter().map(row).collect(),
        fastest: analysis.fastest.and_then(|row| rows.get(row)).map(|row| &row.contender),
        sweeps: analysis
            .sweeps
            .iter()
            .map(|sweep| SweepWorkers {
                mode: &sweep.mode,
                workers: sweep.rows.iter().filter_map(|row| workers(*row)).collect(),
                sweet_spot: workers(sweep.sweet_spot),
            })
            .collect(),
        nature: analysis.workload.map(|workload| Nature {
            bound_by: match workload {
                Workload::IoBound { .. } => "io",
                Workload::Mixed { .. } => "both",
                Workload::CpuBound { .. } => "cpu",
            },
            computing: workload.computing(),
        }),
        warnings: report.warnings,
        verdict: report.verdict,
        gates: report.judgements,
        baseline: report.changes,
        published: report.published,
    }
}

fn row(row: &ContenderStats) -> Row<'_> {
    Row {
        contender: &row.contender,
        seconds: row.seconds,
        cpu_seconds: row.cpu_seconds,
        peak_rss_bytes: row.peak_rss_bytes,
        context_switches: row.context_switches,
        outliers: &row.outliers,
        bound: row.lower_bound,
        closeness: row.share_of_bound(),
        speed_up: row.speed_up,
        times_fastest: row.times_fastest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn what_follows_stands_beside_the_results_exactly_so() {
        let example = example::small();
        let text = render(&example.report());
        let results = serde_json::to_string(&example.results).unwrap();
        let derived = r#","analysis":{"rows":[
{"mode":"sequential","workers":1,
"seconds":{"median":2.55,"mad":0.05,"least":2.5,"most":2.6,"interval":{"estimate":2.55,"low":2.5,"high":2.6}},
"cpu_seconds":0.1,"peak_rss_bytes":20000000.0,"context_switches":520.0,"outliers":[],
"bound":{"seconds":2.04,"limit":"latency"},"closeness":0.8,
"speed_up":null,"times_fastest":{"estimate":10.0,"low":9.62,"high":10.4}},
{"mode":"threads","workers":16,
"seconds":{"median":0.255,"mad":0.005,"least":0.25,"most":0.26,"interval":{"estimate":0.255,"low":0.25,"high":0.26}},
"cpu_seconds":0.1,"peak_rss_bytes":20000000.0,"context_switches":520.0,"outliers":[2],
"bound":{"seconds":0.153,"limit":"latency"},"closeness":0.6,
"speed_up":{"estimate":10.0,"low":9.62,"high":10.4},"times_fastest":null}],
"fastest":{"mode":"threads","workers":16},"sweeps":[],
"nature":{"bound_by":"io","computing":0.04},
"warnings":["only 2 rounds: intervals are wide"],
"verdict":["Use threads@16: it takes a tenth of the time of sequential."],
"gates":["met: threads@16 <= 0.25 * sequential"],
"baseline":["threads@16 is as fast as before"]}}"#;
        let whole = results.strip_suffix('}').unwrap().to_owned() + &derived.replace('\n', "");
        assert_eq!(text.as_str(), whole + "\n");
    }

    #[test]
    fn the_file_reads_back_as_results() {
        let example = example::small();
        let text = render(&example.report());
        assert_eq!(serde_json::from_str::<Results>(text.as_str()).unwrap(), example.results);
    }

    #[test]
    fn sweeps_tell_their_workers() {
        let example = example::large();
        let text = render(&example.report());
        let sweep = r#"{"mode":"threads","workers":[1,4,16,64],"sweet_spot":16}"#;
        assert!(text.as_str().contains(sweep), "{text}");
    }
}
