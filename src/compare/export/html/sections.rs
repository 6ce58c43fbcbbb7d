//! The tables of the page, and the explanation of their terms.

use super::super::{Report, phrases};
use super::markup::{escaped, list, section};
use crate::compare::analysis::ContenderStats;
use crate::compare::figures;
use crate::compare::stats::Interval;

const TERMS: &[(&str, &str)] = &[
    ("contender", "a mode with its number of workers, the maximum number of pages in flight"),
    ("median", "the middle of a contender's times: half of its runs were faster"),
    ("× fastest", "how many times as long as the fastest it takes, compared within rounds"),
    ("speed-up", "how many times as fast as sequential it is, compared within rounds"),
    ("CPU", "median CPU time of a run, including worker processes"),
    ("memory", "median peak memory of the largest process"),
    ("switches", "median number of context switches of a run"),
    (
        "bound",
        "the least time that theory allows, and its cause: round trips (latency), bytes \
         (bandwidth) or computing (CPU)",
    ),
    ("bound / median", "the bound as a share of the median: at 100 % theory allows no better"),
    ("*", "some rounds are outliers; they count like the others"),
];

/// The table of contenders.
pub(super) fn figures(report: &Report) -> String {
    let rows = &report.analysis.rows;
    if rows.is_empty() {
        return String::new();
    }
    let heads = [
        "contender",
        "median",
        "× fastest",
        "speed-up",
        "CPU",
        "memory",
        "switches",
        "bound",
        "bound / median",
    ];
    let mut text = start_of_table("Figures of each contender", &heads);
    for (at, row) in rows.iter().enumerate() {
        let is_fastest = report.analysis.fastest == Some(at);
        let class = if is_fastest { " class=\"best\"" } else { "" };
        text += &row_of_table(class, &row.contender.to_string(), &cells(row, is_fastest));
    }
    text += "</tbody></table></div>\n";
    let caption = format!("The {} is below each estimate.", phrases::interval(report).short);
    section("Figures", &caption, &text)
}

/// The cells of a contender: each has a figure, and a text below it.
fn cells(row: &ContenderStats, is_fastest: bool) -> Vec<(String, String)> {
    let mark = if row.outliers.is_empty() { "" } else { "*" };
    let ratio = |ratio: Option<Interval>| match ratio {
        Some(ratio) => (phrases::times(ratio.estimate), phrases::ends(ratio)),
        None => ("–".into(), String::new()),
    };
    let plain = |figure: String| (figure, String::new());
    let bound = format!("{} s", phrases::seconds(row.lower_bound.seconds));
    vec![
        (
            format!("{} s{mark}", phrases::seconds(row.seconds.median)),
            phrases::range(row.seconds.interval),
        ),
        if is_fastest { plain("fastest".into()) } else { ratio(row.times_fastest) },
        ratio(row.speed_up),
        plain(format!("{:.2} s", row.cpu_seconds)),
        plain(figures::size(row.peak_rss_bytes)),
        plain(format!("{:.0}", row.context_switches)),
        (bound, phrases::bottleneck(row.lower_bound.bottleneck).into()),
        plain(phrases::percent(row.share_of_bound())),
    ]
}

fn start_of_table(label: &str, heads: &[&str]) -> String {
    // The keyboard must reach what scrolls.
    let mut text = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\"><table>\n<thead><tr>"
    );
    for head in heads {
        text += &format!("<th scope=\"col\">{head}</th>");
    }
    text + "</tr></thead>\n<tbody>\n"
}

fn row_of_table(class: &str, name: &str, cells: &[(String, String)]) -> String {
    let mut text = format!("<tr{class}><th scope=\"row\">{}</th>", escaped(name));
    for (figure, below) in cells {
        text += &format!("<td>{}", escaped(figure));
        if !below.is_empty() {
            text += &format!("<small>{}</small>", escaped(below));
        }
        text += "</td>";
    }
    text + "</tr>\n"
}

/// The sections of notes, gates and the baseline.
pub(super) fn notes(report: &Report) -> String {
    let notes = phrases::notes(report);
    let lists = [("Notes", &notes[..])].into_iter().chain(phrases::lists(report));
    let filled = lists.filter(|(_, lines)| !lines.is_empty());
    filled.map(|(title, lines)| section(title, "", &list("", lines))).collect()
}

/// The section of the machine, the versions, the options and the seed.
pub(super) fn circumstances(report: &Report) -> String {
    let facts = phrases::circumstances(report.results);
    section("Circumstances", "", &definitions(facts.iter().map(|(name, fact)| (*name, &fact[..]))))
}

/// The section that explains the terms.
pub(super) fn terms(report: &Report) -> String {
    let interval = phrases::interval(report);
    let first = (interval.head, interval.definition);
    section("Terms", "", &definitions([first].into_iter().chain(TERMS.iter().copied())))
}

fn definitions<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = "<dl>\n".to_owned();
    for (name, fact) in pairs {
        text += &format!("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(fact));
    }
    text + "</dl>\n"
}

/// The table of all runs, in the order in which they ran.
pub(super) fn runs(report: &Report) -> String {
    let samples = &report.results.samples;
    if samples.is_empty() {
        return String::new();
    }
    let heads =
        ["contender", "round", "time", "whole process", "CPU", "memory", "connections", "wait"];
    let mut text =
        "<details>\n<summary>All runs, in the order in which they ran</summary>\n".to_owned();
    text += &start_of_table("All runs", &heads);
    for run in samples {
        let cells = [
            run.round.to_string(),
            format!("{} s", phrases::seconds(run.seconds)),
            format!("{} s", phrases::seconds(run.process_seconds)),
            format!("{:.2} s", run.cpu_seconds),
            figures::size(run.peak_rss_bytes as f64),
            run.connections.to_string(),
            format!("{:.1} ms", run.median_wait_ms),
        ]
        .map(|cell| (cell, String::new()));
        text += &row_of_table("", &run.contender.to_string(), &cells);
    }
    text + "</tbody></table></div>\n</details>\n"
}
