//! Renders a [`Report`] as files and tables, each format in a file of its own.
//!
//! Nothing is computed here: the report holds all numbers and sentences.

mod csv;
#[cfg(test)]
mod example;
mod html;
mod json;
mod markdown;
mod phrases;
pub(crate) mod terminal;

use std::borrow::Cow;
use std::path::Path;

use super::analysis::Analysis;
use super::results::{End, Results};

/// All that a comparison reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    /// The measured samples.
    pub results: &'a Results,
    /// The numbers that follow from them.
    pub analysis: &'a Analysis,
    /// Which contender to use and why, a line each.
    pub verdict: &'a [String],
    /// Why the figures may mislead, a sentence each.
    pub warnings: &'a [String],
    /// The outcome of each gate, a sentence each.
    pub judgements: &'a [String],
    /// How it compares with an earlier comparison, a sentence each.
    pub changes: &'a [String],
    /// Published figures beside those of the same experiment here, a line each.
    pub published: &'a [String],
}

#[cfg(test)]
impl<'a> Report<'a> {
    /// Makes a report without any sentences.
    pub(crate) fn new(results: &'a Results, analysis: &'a Analysis) -> Self {
        let none: &[String] = &[];
        Self {
            results,
            analysis,
            verdict: none,
            warnings: none,
            judgements: none,
            changes: none,
            published: none,
        }
    }
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Everything, for programs. It can be read back as [`Results`].
    Json,
    /// A table with one row for each run.
    Csv,
    /// A document with tables, for an issue or a README.
    Markdown,
    /// A self-contained page with charts.
    Html,
    /// The chart of times.
    Svg,
}

/// The formats, by file name extension.
pub(crate) const TABLE: &[(&str, Format)] = &[
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("md", Format::Markdown),
    ("html", Format::Html),
    ("svg", Format::Svg),
];

impl Format {
    /// The format for the file `path`, by its extension in upper or lower case.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        TABLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(ending)).map(|(_, format)| *format)
    }
}

/// Renders `report` as a file of `format`, which ends with a line end.
pub(crate) fn render(format: Format, report: &Report) -> String {
    let analysis = claims(report);
    let report = &comparable(report, &analysis);
    match format {
        Format::Json => json::render(report).to_string(),
        Format::Csv => self::csv::render(report.results),
        Format::Markdown => markdown::render(report),
        Format::Html => html::render(report),
        Format::Svg => html::picture(report),
    }
}

/// The numbers without those that compare contenders, if the runs differ.
fn claims<'a>(report: &Report<'a>) -> Cow<'a, Analysis> {
    if are_comparable(report.results) {
        return Cow::Borrowed(report.analysis);
    }
    let mut analysis = report.analysis.clone();
    for row in &mut analysis.rows {
        row.speed_up = None;
        row.times_fastest = None;
    }
    analysis.fastest = None;
    analysis.sweeps.clear();
    Cow::Owned(analysis)
}

/// The report with these [`claims`], without a verdict if the runs differ.
fn comparable<'a>(report: &Report<'a>, analysis: &'a Analysis) -> Report<'a> {
    let verdict = if are_comparable(report.results) { report.verdict } else { &[] };
    Report { analysis, verdict, ..*report }
}

fn are_comparable(results: &Results) -> bool {
    !matches!(results.end, End::Different { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_names_the_format() {
        for (name, format) in [
            ("a.json", Some(Format::Json)),
            ("/tmp/b.CSV", Some(Format::Csv)),
            ("c.tar.Md", Some(Format::Markdown)),
            ("d.html", Some(Format::Html)),
            ("html", None),
            (".json", None),
            ("a.txt", None),
            ("", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn every_format_takes_a_comparison_without_runs() {
        let results = crate::compare::results::tests::results(&[]);
        let analysis = crate::compare::analysis::analyse(&results);
        let report = Report::new(&results, &analysis);
        for (ending, format) in TABLE {
            assert!(render(*format, &report).ends_with('\n'), "{ending}");
        }
    }

    #[test]
    fn runs_that_differ_are_not_compared() {
        let mut example = example::large();
        let report = example.report();
        assert_eq!(*claims(&report), example.analysis);
        example.results.end = End::Different { differences: vec!["one page less".into()] };
        let report = example.report();
        let claims = claims(&report);
        assert!(
            claims.rows.iter().all(|row| row.speed_up.is_none() && row.times_fastest.is_none())
        );
        assert!(claims.fastest.is_none() && claims.sweeps.is_empty());
        assert_eq!(claims.rows.len(), example.analysis.rows.len());
        assert!(comparable(&report, &claims).verdict.is_empty());
    }
}
