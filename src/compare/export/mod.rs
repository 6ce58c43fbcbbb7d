//! Results as files and tables: one file for each format, all from a [`Report`].
//!
//! What there is to tell is worked out elsewhere; here it is only laid out.

mod csv;
#[cfg(test)]
mod example;
mod html;
mod json;
mod markdown;
mod phrases;
pub mod terminal;

use std::borrow::Cow;
use std::path::Path;

use super::analysis::Analysis;
use super::results::{End, Results};

/// All that a comparison tells.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was measured.
    pub results: &'a Results,
    /// What follows from it.
    pub analysis: &'a Analysis,
    /// What became of the gates, a sentence each.
    pub judgements: &'a [String],
    /// How it compares with an earlier comparison, a sentence each.
    pub changes: &'a [String],
    /// Published figures beside those of the same experiment here, a line each.
    pub published: &'a [String],
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Everything, for programs; can be read back as [`Results`].
    Json,
    /// One row for each run.
    Csv,
    /// Tables for an issue or a README.
    Markdown,
    /// One page with charts that needs nothing else.
    Html,
    /// The chart of times alone.
    Svg,
}

/// The formats by the endings of files.
pub const TABLE: &[(&str, Format)] = &[
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("md", Format::Markdown),
    ("html", Format::Html),
    ("svg", Format::Svg),
];

impl Format {
    /// The format for the file `path`, by its ending in either case.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        TABLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(ending)).map(|(_, format)| *format)
    }
}

/// `report` as a file of `format`, ending with a line end.
pub fn render(format: Format, report: &Report) -> String {
    let analysis = claims(report);
    let report = &Report { analysis: &analysis, ..*report };
    match format {
        Format::Json => json::render(report).to_string(),
        Format::Csv => self::csv::render(report.results),
        Format::Markdown => markdown::render(report),
        Format::Html => html::render(report),
        Format::Svg => html::picture(report),
    }
}

/// What may be said of the contenders: of runs that did not do the same, nothing
/// that compares them.
fn claims<'a>(report: &Report<'a>) -> Cow<'a, Analysis> {
    if !matches!(report.results.end, End::Different { .. }) {
        return Cow::Borrowed(report.analysis);
    }
    let mut analysis = report.analysis.clone();
    for row in &mut analysis.rows {
        row.speed_up = None;
        row.times_fastest = None;
    }
    analysis.fastest = None;
    analysis.sweeps.clear();
    analysis.verdict.clear();
    Cow::Owned(analysis)
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
        let results = super::super::results::tests::results(&[]);
        let analysis = super::super::analysis::analyse(&results);
        let report = Report {
            results: &results,
            analysis: &analysis,
            judgements: &[],
            changes: &[],
            published: &[],
        };
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
        assert!(claims.fastest.is_none() && claims.sweeps.is_empty() && claims.verdict.is_empty());
        assert_eq!(claims.rows.len(), example.analysis.rows.len());
    }
}
