//! A document with tables, for an issue or a README.

use super::Report;
use super::phrases;
use crate::compare::figures;
use crate::foreign::clean;

/// Renders the comparison as a document.
pub(super) fn render(report: &Report) -> String {
    let Report { results, analysis, .. } = report;
    let mut text = format!("# {}\n", escaped(&phrases::title(results)));
    if let Some(mark) = phrases::mark(results) {
        text += &format!("\n> **{}:** {}\n", mark.name, escaped(&mark.why));
        for line in &mark.details {
            text += &format!("> - {}\n", escaped(line));
        }
    }
    for line in report.verdict {
        text += &format!("\n{}\n", escaped(line));
    }
    text += &table(report);
    if !analysis.rows.is_empty() {
        let interval = phrases::interval(report);
        text += &format!(
            "\n{}: {}. Memory: {}. Bound: {}.\n",
            interval.title,
            interval.term,
            phrases::MEMORY_TERM,
            phrases::BOUND_TERM
        );
    }
    text += &list("Notes", &phrases::notes(report));
    text += &list("Warnings", report.warnings);
    for (title, lines) in phrases::lists(report) {
        text += &list(title, lines);
    }
    text += "\n## Circumstances\n\n| | |\n|:--|:--|\n";
    for (name, fact) in phrases::circumstances(results) {
        text += &format!("| {name} | {} |\n", escaped(&fact));
    }
    text
}

fn table(report: &Report) -> String {
    let rows = &report.analysis.rows;
    if rows.is_empty() {
        return "\nNo run was measured.\n".into();
    }
    let mut text = format!(
        "
| contender | median | {} | speed-up | CPU | memory | bound | bound / median |
|:--|--:|--:|--:|--:|--:|:--|--:|
",
        phrases::interval(report).head
    );
    for row in rows {
        text += &format!(
            "| {} | {} s{} | {} s | {} | {:.2} s | {} | {} | {} |\n",
            escaped(&row.contender.to_string()),
            phrases::seconds(row.seconds.median),
            if row.outliers.is_empty() { "" } else { "\\*" },
            phrases::range(row.seconds.interval),
            row.speed_up.map_or("–".into(), phrases::times_range),
            row.cpu_seconds,
            figures::size(row.peak_rss_bytes),
            phrases::bottleneck(row.lower_bound.bottleneck),
            phrases::percent(row.share_of_bound()),
        );
    }
    text
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## {title}\n\n");
    for line in lines {
        text += &format!("- {}\n", escaped(line));
    }
    text
}

/// Escapes `text` so that it is one line without markup (`CommonMark` 0.31, 2.4, and the
/// tables of GitHub's specification, 4.10).
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in clean(text).chars() {
        if "\\`*_[]<>|&~!#".contains(c) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::compare::results::End;

    #[test]
    fn a_comparison_reads_exactly_so() {
        assert_eq!(
            render(&example::small().report()),
            "\
# Modes compared on 233 pages of embedded site

Use threads@16: it takes a tenth of the time of sequential.

| contender | median | range | speed-up | CPU | memory | bound | bound / median |
|:--|--:|--:|--:|--:|--:|:--|--:|
| sequential@1 | 2.550 s | 2.500–2.600 s | – | 0.10 s | 20.0 MB | latency | 80 % |
| threads@16 | 0.255 s\\* | 0.250–0.260 s | 10.00× (9.62–10.40) | 0.10 s | 20.0 MB | latency | 60 % |

Range: from the fastest round to the slowest. Memory: peak memory of the largest process. Bound: what limits a run in theory, and the least time it allows as a share of the median.

## Notes

- outliers: threads@16 in round 2 (0.260 s)

## Warnings

- only 2 rounds: intervals are wide

## Gates

- met: threads@16 \\<= 0.25 \\* sequential

## Against the baseline

- threads@16 is as fast as before

## Circumstances

| | |
|:--|:--|
| started | 2026-11-22T08:00:00Z |
| version | fetchpages 0.1.0 |
| machine | Example CPU, 2 CPUs, 17.2 GB memory |
| system | Linux 6.1 x86\\_64 |
| load | 0.25 in the minute before the first run |
| pages | 233 of embedded site, saved |
| site | 10 ms away, 0 ms of CPU per page, no bandwidth limit |
| options | none |
| rounds | 2, each contender once per round |
| seed | 1 |
"
        );
    }

    #[test]
    fn what_does_not_compare_says_so_first() {
        let mut example = example::small();
        example.results.end = End::Different { differences: vec!["232 pages | not 233".into()] };
        example.verdict.clear();
        let text = render(&example.report());
        let why = phrases::mark(&example.results).unwrap().why;
        let banner =
            format!("site\n\n> **no verdict:** {why}\n> - 232 pages \\| not 233\n\n| contender");
        assert!(text.contains(&banner), "{text}");
    }

    #[test]
    fn foreign_text_is_no_markup() {
        assert_eq!(escaped("<b>\n| [a](x)"), "\\<b\\>\u{fffd}\\| \\[a\\](x)");
    }
}
