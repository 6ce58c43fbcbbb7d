//! The summary for programs: one JSON object with the same numbers as for people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Finished;
use crate::foreign::Foreign;
use crate::model::{FailureCode, ProxyUse, State, rounded};
use crate::printable::Printable;

/// The version of the object's format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Object<'a> {
    v: u32,
    found: u64,
    invalid: u64,
    filtered: u64,
    skipped_lines: u64,
    input_complete: bool,
    pages: u64,
    saved: u64,
    failed: u64,
    unchanged: u64,
    skipped: u64,
    robots: u64,
    interrupted: u64,
    duplicates: u64,
    seconds: f64,
    index_seconds: f64,
    bytes: u64,
    wire_bytes: u64,
    pages_per_second: f64,
    cpu_seconds: f64,
    cpu_user_seconds: f64,
    cpu_system_seconds: f64,
    cpu_children_seconds: f64,
    fetch_cpu_seconds: f64,
    peak_rss_bytes: u64,
    connections: u64,
    tls_handshakes: u64,
    tls_resumptions: u64,
    context_switches_voluntary: u64,
    context_switches_involuntary: u64,
    mode: &'a str,
    workers: usize,
    output: &'a Foreign,
    failures: BTreeMap<FailureCode, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput_flat_from: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_host: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    proxies: &'a [ProxyUse],
}

/// Renders the summary as one line of JSON.
pub(crate) fn render(run: &Finished) -> Printable {
    let summary = &run.summary;
    let (intake, usage) = (summary.intake, &run.usage);
    let object = Object {
        v: VERSION,
        found: intake.found,
        invalid: intake.invalid,
        filtered: intake.filtered,
        skipped_lines: intake.skipped_lines,
        input_complete: intake.complete,
        pages: intake.wanted(),
        saved: summary.count(State::Saved),
        failed: summary.count(State::Failed),
        unchanged: summary.count(State::Unchanged),
        skipped: intake.skipped,
        robots: summary.count(State::Robots),
        interrupted: summary.count(State::Interrupted),
        duplicates: intake.duplicates,
        seconds: rounded(summary.fetch_time.as_secs_f64()),
        index_seconds: rounded(run.index_time.as_secs_f64()),
        bytes: summary.bytes,
        wire_bytes: summary.wire_bytes,
        pages_per_second: rounded(summary.pages_per_second()),
        cpu_seconds: rounded(usage.cpu().as_secs_f64()),
        cpu_user_seconds: rounded(usage.user.as_secs_f64()),
        cpu_system_seconds: rounded(usage.system.as_secs_f64()),
        cpu_children_seconds: rounded(usage.children.as_secs_f64()),
        fetch_cpu_seconds: rounded(run.fetch_cpu.as_secs_f64()),
        peak_rss_bytes: usage.peak_rss_bytes,
        connections: run.connections.opened,
        tls_handshakes: run.connections.tls_handshakes,
        tls_resumptions: run.connections.tls_resumptions,
        context_switches_voluntary: usage.voluntary_switches,
        context_switches_involuntary: usage.involuntary_switches,
        mode: run.mode,
        workers: run.workers,
        output: &run.output,
        failures: summary.failures.iter().map(|(code, class)| (*code, class.count)).collect(),
        settled: run.auto.as_ref().map(|auto| auto.settled),
        throughput_flat_from: run.auto.as_ref().map(|auto| auto.knee),
        settled_host: run.auto.as_ref().map(|auto| auto.host.as_str()),
        proxies: &run.proxies,
    };
    Printable::json(&object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AutoWorkers;

    #[test]
    fn the_object_reads_exactly_so() {
        assert_eq!(
            render(&crate::report::human::tests::finished()).as_str(),
            concat!(
                r#"{"v":1,"found":240,"invalid":1,"filtered":1,"skipped_lines":2,"input_complete":true,"#,
                r#""pages":235,"saved":233,"failed":2,"unchanged":0,"skipped":0,"robots":0,"interrupted":0,"#,
                r#""duplicates":3,"seconds":4.6,"index_seconds":0.31,"bytes":79300000,"#,
                r#""wire_bytes":10120000,"pages_per_second":50.652,"cpu_seconds":0.82,"#,
                r#""cpu_user_seconds":0.53,"cpu_system_seconds":0.29,"cpu_children_seconds":0.0,"#,
                r#""fetch_cpu_seconds":0.74,"peak_rss_bytes":41200000,"connections":32,"tls_handshakes":0,"#,
                r#""tls_resumptions":0,"context_switches_voluntary":2893,"#,
                r#""context_switches_involuntary":112,"mode":"threads","workers":32,"#,
                r#""output":"pages","failures":{"http":2}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_auto_found_is_listed() {
        let host = "a.org".into();
        let auto = Some(AutoWorkers { host, settled: 28, knee: 24, other_hosts: 2 });
        let line = render(&Finished { auto, ..crate::report::human::tests::finished() });
        let end = r#","settled":28,"throughput_flat_from":24,"settled_host":"a.org"}"#;
        assert!(line.as_str().trim_end().ends_with(end), "{line}");
        assert!(line.as_str().contains(r#""workers":32,"#));
    }

    #[test]
    fn proxies_come_last_when_there_are_any() {
        let proxy = "socks5://a.org:1080".to_owned();
        let proxies = vec![ProxyUse { proxy, requests: 120, failed: 3 }];
        let line = render(&Finished { proxies, ..crate::report::human::tests::finished() });
        let end = r#","proxies":[{"proxy":"socks5://a.org:1080","requests":120,"failed":3}]}"#;
        assert_eq!(line.as_str().trim_end().split_once(r#"{"http":2}"#).unwrap().1, end);
    }
}
