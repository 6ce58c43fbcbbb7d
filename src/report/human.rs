//! The summary for people. Scripts read its first two lines, which are fixed.

use std::time::Duration;

use super::Finished;
use super::usage::Usage;
use crate::message::{self, plural};
use crate::model::{AutoWorkers, Connections, ProxyUse, State, Summary};
use crate::printable::Printable;

/// Renders the summary as text.
pub(crate) fn render(run: &Finished) -> Printable {
    let mut text = Printable::default();
    let summary = &run.summary;
    let saved = summary.count(State::Saved);
    text.add(format_args!("Total pages: {}", summary.intake.wanted()));
    text.add(format_args!(
        "Downloaded {saved} links in {:.2} seconds",
        summary.fetch_time.as_secs_f64()
    ));
    text.add("");
    let at_most = if run.auto.is_some() { "at most " } else { "" };
    let workers = message::counted(run.workers as u64, "worker");
    text.add(format_args!("mode      {}, {at_most}{workers}", run.mode));
    if let Some(auto) = &run.auto {
        text.add(format_args!("auto      {}", settled(auto)));
    }
    text.add(format_args!("pages     {}", states(summary)));
    if let Some(passed_over) = passed_over(summary) {
        text.add(format_args!("input     {passed_over}"));
    }
    text.add(format_args!(
        "data      {} decoded, {} on the wire",
        bytes(summary.bytes),
        bytes(summary.wire_bytes)
    ));
    text.add(format_args!("speed     {:.1} pages/s", summary.pages_per_second()));
    if let Some((url, time)) = &summary.slowest {
        text.add(format_args!("slowest   {}  {url}", seconds(*time)));
    }
    text.add(format_args!(
        "time      index {}, total {}",
        seconds(run.index_time),
        seconds(run.total_time)
    ));
    text.add(format_args!(
        "cost      {} CPU ({}), {} peak memory",
        seconds(run.usage.cpu()),
        parts_of_cpu(&run.usage),
        bytes(run.usage.peak_rss_bytes)
    ));
    text.add(format_args!("system    {}, {}", connections(run.connections), switches(&run.usage)));
    for ProxyUse { proxy, requests, failed } in &run.proxies {
        text.add(format_args!(
            "proxy     {proxy}  {requests} {}, {failed} failed",
            plural(*requests, "request")
        ));
    }
    text.add(format_args!("output    {}", run.output));
    for (code, class) in &summary.failures {
        let (count, url, message) = (class.count, &class.example_url, &class.example_message);
        text.add(format_args!("failed    {count} {code}, such as {url}: {message}"));
    }
    text
}

fn settled(auto: &AutoWorkers) -> String {
    let AutoWorkers { host, settled, knee, other_hosts } = auto;
    let mut text = format!("workers settled at {settled} (throughput flat from {knee})");
    if *other_hosts > 0 {
        let hosts = plural(*other_hosts as u64, "host");
        text += &format!(" for {host}, and {other_hosts} more {hosts}");
    }
    text
}

fn states(summary: &Summary) -> String {
    let count = |state: State| summary.count(state);
    let mut text = format!("{} saved, {} failed", count(State::Saved), count(State::Failed));
    let more = [
        (count(State::Unchanged), "unchanged"),
        (summary.intake.skipped, "skipped"),
        (count(State::Robots), "excluded by robots.txt rules"),
        (count(State::Interrupted), "interrupted"),
    ];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        text += &format!(", {count} {what}");
    }
    text
}

fn passed_over(summary: &Summary) -> Option<String> {
    let intake = summary.intake;
    let counts = [
        (intake.duplicates, "duplicate"),
        (intake.filtered, "filtered"),
        (intake.invalid, "invalid"),
    ];
    let mut parts: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if intake.skipped_lines > 0 {
        parts.push(format!("{} skipped (blank or comment)", counted(intake.skipped_lines, "line")));
    }
    if intake.missing_parts > 0 {
        parts.push(format!("{} missing", message::counted(intake.missing_parts, "part")));
    }
    if !intake.complete {
        parts.push("not read to its end".into());
    }
    (!parts.is_empty()).then(|| format!("{} found, {}", intake.found, parts.join(", ")))
}

fn parts_of_cpu(usage: &Usage) -> String {
    let (user, system) = (usage.user.as_secs_f64(), usage.system.as_secs_f64());
    let own = format!("{user:.2} user, {system:.2} system");
    if usage.children.is_zero() {
        return own;
    }
    format!("{own}, {:.2} worker processes", usage.children.as_secs_f64())
}

fn connections(connections: Connections) -> String {
    let Connections { opened, tls_handshakes, tls_resumptions } = connections;
    let mut text = counted(opened, "connection");
    if tls_handshakes + tls_resumptions > 0 {
        let handshakes = counted(tls_handshakes, "TLS handshake");
        text += &format!(" ({handshakes}, {} resumed)", grouped(tls_resumptions));
    }
    text
}

fn switches(usage: &Usage) -> String {
    let (voluntary, forced) = (usage.voluntary_switches, usage.involuntary_switches);
    let switches = counted(voluntary + forced, "context switch");
    format!("{switches} ({} voluntary)", grouped(voluntary))
}

/// `1 connection`, `1,200 connections`
fn counted(count: u64, noun: &str) -> String {
    format!("{} {}", grouped(count), plural(count, noun))
}

/// `1,234,567`
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.40 s`
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// A size in a fitting decimal unit: `841 B`, `84.1 kB`, `79.3 MB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    if count < 1000 {
        return format!("{count} B");
    }
    for unit in ["kB", "MB", "GB"] {
        value /= 1000.0;
        if value < 999.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{:.1} TB", value / 1000.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{FailureClass, FailureCode, Intake};

    pub(in crate::report) fn finished() -> Finished {
        let mut summary = Summary {
            intake: Intake {
                found: 240,
                invalid: 1,
                duplicates: 3,
                filtered: 1,
                skipped_lines: 2,
                pages: 235,
                complete: true,
                ..Intake::default()
            },
            bytes: 79_300_000,
            wire_bytes: 10_120_000,
            fetch_time: Duration::from_millis(4_600),
            slowest: Some(("http://a.org/wiki/India".into(), Duration::from_millis(812))),
            retries: 2,
            ..Summary::default()
        };
        summary.states.insert(State::Saved, 233);
        summary.states.insert(State::Failed, 2);
        let class = FailureClass {
            count: 2,
            example_url: "http://a.org/wiki/Atlantis".into(),
            example_message: "404 Not Found".into(),
        };
        summary.failures.insert(FailureCode::Http, class);
        Finished {
            summary,
            mode: "threads",
            workers: 32,
            auto: None,
            output: "pages".into(),
            index_time: Duration::from_millis(310),
            total_time: Duration::from_millis(4_950),
            usage: Usage {
                user: Duration::from_millis(530),
                system: Duration::from_millis(290),
                peak_rss_bytes: 41_200_000,
                voluntary_switches: 2_893,
                involuntary_switches: 112,
                ..Usage::default()
            },
            fetch_cpu: Duration::from_millis(740),
            connections: Connections { opened: 32, ..Connections::default() },
            proxies: Vec::new(),
        }
    }

    #[test]
    fn the_summary_reads_exactly_so() {
        assert_eq!(
            render(&finished()).as_str(),
            "\
Total pages: 235
Downloaded 233 links in 4.60 seconds

mode      threads, 32 workers
pages     233 saved, 2 failed
input     240 found, 3 duplicate, 1 filtered, 1 invalid, 2 lines skipped (blank or comment)
data      79.3 MB decoded, 10.1 MB on the wire
speed     50.7 pages/s
slowest   0.81 s  http://a.org/wiki/India
time      index 0.31 s, total 4.95 s
cost      0.82 s CPU (0.53 user, 0.29 system), 41.2 MB peak memory
system    32 connections, 3,005 context switches (2,893 voluntary)
output    pages
failed    2 http, such as http://a.org/wiki/Atlantis: 404 Not Found
"
        );
    }

    #[test]
    fn what_auto_found_has_a_line() {
        let host = || "a.org".to_owned();
        for (other_hosts, rest) in
            [(0, ""), (1, " for a.org, and 1 more host"), (7, " for a.org, and 7 more hosts")]
        {
            let auto = Some(AutoWorkers { host: host(), settled: 28, knee: 24, other_hosts });
            let text = render(&Finished { auto, ..finished() });
            let line = format!("workers settled at 28 (throughput flat from 24){rest}");
            let lines = format!("\nmode      threads, at most 32 workers\nauto      {line}\npages");
            assert!(text.as_str().contains(&lines), "{text}");
        }
    }

    #[test]
    fn processes_and_tls_are_listed_if_there_are_any() {
        let run = finished();
        let usage = Usage { children: Duration::from_millis(1_400), ..run.usage };
        let connections = Connections { opened: 1, tls_handshakes: 1, tls_resumptions: 1_031 };
        let text = render(&Finished { usage, connections, ..run });
        let expected = "
cost      2.22 s CPU (0.53 user, 0.29 system, 1.40 worker processes), 41.2 MB peak memory
system    1 connection (1 TLS handshake, 1,031 resumed), 3,005 context switches (2,893 voluntary)
";
        assert!(text.as_str().contains(expected), "{text}");
    }

    #[test]
    fn large_counts_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn each_proxy_has_a_line() {
        let proxy = "http://127.0.0.1:8888".to_owned();
        let proxies = vec![ProxyUse { proxy, requests: 120, failed: 3 }];
        let text = render(&Finished { proxies, ..finished() });
        assert!(
            text.as_str()
                .contains("\nproxy     http://127.0.0.1:8888  120 requests, 3 failed\noutput")
        );
    }

    #[test]
    fn sizes_take_the_unit_that_fits() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (1_500_000_000, "1.5 GB"),
            (2_000_000_000_000, "2.0 TB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
