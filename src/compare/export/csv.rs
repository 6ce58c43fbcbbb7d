//! A table with one row for each run, for spreadsheets and statistics programs. Gates and
//! everything else that follows from the runs are in the other formats.

use crate::compare::results::{End, Results, Sample};
use crate::foreign::clean;

type Column = (&'static str, fn(&Sample) -> String);

/// The columns, named as in the stored format.
const COLUMNS: &[Column] = &[
    ("round", |run| run.round.to_string()),
    ("mode", |run| clean(&run.contender.mode).into_owned()),
    ("workers", |run| run.contender.workers.to_string()),
    ("seconds", |run| run.seconds.to_string()),
    ("process_seconds", |run| run.process_seconds.to_string()),
    ("cpu_seconds", |run| run.cpu_seconds.to_string()),
    ("cpu_user_seconds", |run| run.cpu_user_seconds.to_string()),
    ("cpu_system_seconds", |run| run.cpu_system_seconds.to_string()),
    ("cpu_children_seconds", |run| run.cpu_children_seconds.to_string()),
    ("peak_rss_bytes", |run| run.peak_rss_bytes.to_string()),
    ("context_switches_voluntary", |run| run.context_switches_voluntary.to_string()),
    ("context_switches_involuntary", |run| run.context_switches_involuntary.to_string()),
    ("connections", |run| run.connections.to_string()),
    ("saved", |run| run.saved.to_string()),
    ("failed", |run| run.failed.to_string()),
    ("bytes", |run| run.bytes.to_string()),
    ("wire_bytes", |run| run.wire_bytes.to_string()),
    ("median_wait_ms", |run| run.median_wait_ms.to_string()),
    ("fetch_cpu_seconds", |run| {
        run.fetch_cpu_seconds.map_or_else(String::new, |it| it.to_string())
    }),
];

/// Renders the runs, in the order in which they ran. The last column repeats in each row
/// how the comparison ended, because a table shows no missing rows.
pub(super) fn render(results: &Results) -> String {
    let state = match results.end {
        End::Complete => "complete",
        End::Running => "running",
        End::Interrupted => "interrupted",
        End::Broken { .. } => "broken",
        End::Different { .. } => "different",
    };
    let mut table = csv::Writer::from_writer(Vec::new());
    let names = COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    let mut write =
        |row: Vec<String>| table.write_record(row).expect("writing to a Vec never fails");
    write(names.chain(["comparison".to_owned()]).collect());
    for run in &results.samples {
        let values = COLUMNS.iter().map(|(_, value)| value(run));
        write(values.chain([state.to_owned()]).collect());
    }
    let bytes = table.into_inner().expect("writing to a Vec never fails");
    String::from_utf8(bytes).expect("only texts were written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::tests::{results, sample};

    #[test]
    fn the_runs_read_exactly_so() {
        let mut results = results(&[("sequential@1", &[2.5, 2.6]), ("threads@16", &[0.25])]);
        results.end = End::Interrupted;
        results.samples[2].seconds = 1.0e-7;
        results.samples[2].fetch_cpu_seconds = Some(0.08);
        assert_eq!(
            render(&results),
            "\
round,mode,workers,seconds,process_seconds,cpu_seconds,cpu_user_seconds,cpu_system_seconds,\
cpu_children_seconds,peak_rss_bytes,context_switches_voluntary,context_switches_involuntary,\
connections,saved,failed,bytes,wire_bytes,median_wait_ms,fetch_cpu_seconds,comparison
1,sequential,1,2.5,2.55,0.1,0.06,0.04,0,20000000,500,20,17,233,0,84800000,11400000,10.5,,interrupted
1,threads,16,0.25,0.3,0.1,0.06,0.04,0,20000000,500,20,17,233,0,84800000,11400000,10.5,,interrupted
2,sequential,1,0.0000001,2.65,0.1,0.06,0.04,0,20000000,500,20,17,233,0,84800000,11400000,10.5,0.08,interrupted
"
        );
    }

    #[test]
    fn every_stored_figure_has_a_column() {
        let contender = crate::compare::results::tests::contender("threads@16");
        let run = Sample { fetch_cpu_seconds: Some(0.08), ..sample(contender, 1, 0.25) };
        let stored = serde_json::to_value(run).unwrap();
        let stored = stored.as_object().unwrap();
        for name in stored.keys() {
            assert!(COLUMNS.iter().any(|(column, _)| column == name), "no column for {name}");
        }
        assert_eq!(stored.len(), COLUMNS.len());
    }
}
