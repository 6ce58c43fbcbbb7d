//! Decides on the source: the words of the typed options become a [`SourceSpec`].

use super::args::{NamedArgs, SourceArgs};
use super::usage::{Result, UsageError};
use crate::source::plan::Filter;
use crate::source::spec::{
    DEFAULT_INDEX, RecordedSource, SourceSpec, SpecError, TABLE, Words, record,
};

/// Whether the user names a source. Otherwise it is the default index, or that of the last run.
pub(super) fn is_named(typed: &SourceArgs) -> bool {
    is_source(&typed.words())
}

/// Whether the user names pages by their addresses.
pub(super) fn names_pages(typed: &NamedArgs) -> bool {
    is_source(&typed.words())
}

fn is_source(words: &Words) -> bool {
    TABLE.iter().any(|kind| words.has(kind.option))
}

/// The source of a run, decided.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) spec: SourceSpec,
    /// Which of its pages are fetched.
    pub(super) filter: Filter,
    /// The source for the record of this run.
    pub(super) recorded: RecordedSource,
    /// Whether the record of an earlier run names it, and not the user.
    pub(super) is_recorded: bool,
}

/// Decides on the source that was typed.
pub(super) fn chosen(typed: &SourceArgs) -> Result<Chosen> {
    let mut words = typed.words();
    if !is_source(&words) {
        words.add("--index", DEFAULT_INDEX);
    }
    let spec = SourceSpec::parse(&words)?;
    let filter = filter(&typed.named);
    let recorded = record(&spec, &filter);
    Ok(Chosen { spec, filter, recorded, is_recorded: false })
}

impl From<SpecError> for UsageError {
    fn from(SpecError { message, hint, .. }: SpecError) -> Self {
        Self { message, hint }
    }
}

fn filter(named: &NamedArgs) -> Filter {
    Filter { include: named.include.clone(), exclude: named.exclude.clone(), limit: named.limit }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    fn recorded(typed: &SourceArgs) -> RecordedSource {
        chosen(typed).unwrap().recorded
    }

    fn typed(words: &[&str]) -> SourceArgs {
        let words = ["fetchpages"].iter().chain(words);
        Cli::try_parse_from(words).unwrap().download.source
    }

    #[test]
    fn what_is_recorded_reads_back_as_what_was_typed() {
        let mut kinds = HashSet::new();
        for line in [
            &["--include=", "--exclude=", "http://a.org/1"],
            &["--include=-x", "--limit", "3", "http://a.org/1", "http://a.org/?a=b c"][..],
            &["-i", "list.csv", "--column", "the url", "--exclude", "a|b", "--exclude", "-"],
            &["-i", "/list.txt", "--column", "url", "--input-format", "jsonl"],
            &["--index", "http://a.org/", "--select", "a[href='x y']", "--attr", "src"],
            &["--index", "index.html", "--base", "http://a.org/"],
            &["--sitemap", "http://a.org/sitemap.xml"],
            &["--demo", "--latency", "1500ms"],
            &["--demo", "--cpu-per-page", "20ms"],
            &[],
        ] {
            let first = recorded(&typed(line));
            assert!(!first.args.is_empty() && !first.is_redacted, "{line:?}");
            let args: Vec<_> = first.args.iter().map(String::as_str).collect();
            assert_eq!(recorded(&typed(&args)), first, "{line:?}");
            kinds.insert(std::mem::discriminant(&chosen(&typed(line)).unwrap().spec));
        }
        assert_eq!(kinds.len(), TABLE.len(), "each kind of source needs a line here");
    }

    #[test]
    fn credentials_are_not_recorded() {
        for first in [
            "http://me:secret@a.org/1",
            "http:///me:secret@a.org/1",
            "http:/me:secret@a.org/1",
            "http:me:secret@a.org/1",
            r"http:\\me:secret@a.org\1",
            " HTTP://me:sec@ret@a.org/1",
        ] {
            let source = recorded(&typed(&[first, "http://a.org/@2"]));
            assert_eq!(source.args, ["http://a.org/1", "http://a.org/@2"], "{first}");
            assert!(source.is_redacted);
            let source = recorded(&typed(&["--index", first]));
            assert_eq!(source.args[0], "--index=http://a.org/1");
            assert!(source.is_redacted);
        }
    }

    #[test]
    fn errors_repeat_no_credentials() {
        for line in [
            ["http://me:sec/ret@a.org/1"].as_slice(),
            &["http://me:sec#ret@a.org/1"],
            &["me:sec?ret@a.org"],
            &["secret@a.org/1"],
            &["secret:@a.org/1"],
            &["--index", "http://me:sec/ret@a.org/1"],
            &["--index", "me:secret@a.org/1"],
            &["--index", "me:p//sec/ret@a.org/1"],
            &["--index", "http:/me:sec/ret@a.org/1"],
            &["--index", "x.html", "--base", "me:sec/ret@a.org/1"],
            &["--sitemap", "http://me:sec?ret@a.org/1"],
        ] {
            let UsageError { message, hint } = chosen(&typed(line)).unwrap_err();
            let message = format!("{message} {}", hint.unwrap_or_default());
            assert!(
                message.contains("a.org") && !message.contains("sec") && !message.contains("ret@"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_path_that_is_no_text_is_not_recorded_as_another() {
        let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"list-\xff");
        let line = ["fetchpages".as_ref(), "-i".as_ref(), path];
        let source = recorded(&Cli::try_parse_from(line).unwrap().download.source);
        assert!(source.args.is_empty() && source.text.contains("list-"), "{source:?}");
    }

    #[test]
    fn people_see_a_few_of_many_urls() {
        let urls: Vec<_> = (0..5).map(|number| format!("http://a.org/{number}")).collect();
        let mut line: Vec<_> = urls.iter().map(String::as_str).collect();
        line.extend(["--exclude", "a b"]);
        assert_eq!(
            recorded(&typed(&line)).text,
            "http://a.org/0 http://a.org/1 http://a.org/2 (and 2 more) --exclude 'a b'"
        );
    }

    #[test]
    fn the_words_of_a_source_fit_into_a_line() {
        let urls = |count: usize| -> Vec<_> {
            (0..count)
                .map(|number| format!("http://a.org/?{number:06}%5C{}", "\\".repeat(900)))
                .collect()
        };
        for (count, is_recorded) in [(100, true), (1000, false)] {
            let urls = urls(count);
            let line: Vec<_> = urls.iter().map(String::as_str).collect();
            let source = recorded(&typed(&line));
            assert_eq!(source.args.len(), if is_recorded { count } else { 0 });
            assert!(source.text.chars().count() <= 4096 + 1, "{}", source.text);
        }
        let pattern = format!("--include={}", "\u{1}".repeat(100_000));
        let source = recorded(&typed(&[&pattern, "http://a.org/"]));
        let json = serde_json::to_string(&(source.args, source.text)).unwrap();
        assert!(json.len() < 768 * 1024, "{}", json.len());
    }
}
