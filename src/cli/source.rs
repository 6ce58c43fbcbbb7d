//! Sources as they are typed, and as they are recorded.

use std::path::Path;

use clap::ValueEnum;
use url::Url;

use super::args::{InputFormat, NamedArgs, SourceArgs};
use super::usage::{Result, UsageError, usage};
use super::values::duration_text;
use crate::config::{DEFAULT_INDEX, DemoSite, SourceOptions, SourceWords};
use crate::message::{self, excerpt_url};
use crate::model::shown_url;
use crate::source::links::Pick;
use crate::source::list::{Choice, Format};
use crate::source::page_url;
use crate::source::plan::Filter;

/// So many of the URLs on a command line are shown to people.
const URLS_SHOWN: usize = 3;
/// So many characters of a source are shown to people.
const TEXT_SHOWN: usize = 4096;
/// The bytes that the words of a source may take in a record, half of its line. A command
/// line with more of them is recorded without.
const ARGS_LIMIT: usize = 512 * 1024;

/// Whether a source is named; without one, it is the default index or the last run's.
pub(super) fn is_named(typed: &SourceArgs) -> bool {
    typed.demo || names_pages(&typed.named)
}

/// Whether pages are named by their addresses.
pub(super) fn names_pages(typed: &NamedArgs) -> bool {
    let NamedArgs { urls, input_file, index, sitemap, .. } = typed;
    !urls.is_empty() || input_file.is_some() || index.is_some() || sitemap.is_some()
}

/// A source that was decided on.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) options: SourceOptions,
    /// Which of its pages.
    pub(super) filter: Filter,
    /// What was typed of it, now or for the run that recorded it.
    pub(super) typed: SourceWords,
    /// Whether it is known from a record alone.
    pub(super) is_recorded: bool,
}

/// Decides on the source that was typed.
pub(super) fn chosen(source: SourceArgs) -> Result<Chosen> {
    let filter = filter(&source.named);
    let typed = words(&source);
    Ok(Chosen { options: options(source)?, filter, typed, is_recorded: false })
}

fn filter(named: &NamedArgs) -> Filter {
    Filter { include: named.include.clone(), exclude: named.exclude.clone(), limit: named.limit }
}

fn options(typed: SourceArgs) -> Result<SourceOptions> {
    let named = typed.named;
    if !named.urls.is_empty() {
        let urls = named.urls.iter().map(|text| argument_url("URL", text));
        return Ok(SourceOptions::Urls(urls.collect::<Result<_>>()?));
    }
    if let Some(file) = named.input_file {
        let path = (file.as_os_str() != "-").then_some(file);
        let format = list_format(named.input_format, named.column)?;
        return Ok(SourceOptions::List { path, format });
    }
    if let Some(sitemap) = named.sitemap {
        return Ok(SourceOptions::Sitemap(argument_url("--sitemap", &sitemap)?));
    }
    let pick = Pick::new(&named.select, &named.attr).map_err(|error| UsageError {
        message: format!("--select: {error}"),
        hint: Some("--select takes CSS, such as 'table a' or 'td .flagicon + a'".into()),
    })?;
    if typed.demo {
        let (latency, cpu_per_page) = (typed.latency, typed.cpu_per_page);
        let site = DemoSite { latency, cpu_per_page, ..DemoSite::default() };
        return Ok(SourceOptions::Demo { site, pick });
    }
    let index = named.index.as_deref().unwrap_or(DEFAULT_INDEX);
    if is_web_address(index) {
        if named.base.is_some() {
            return usage("--base is for an index in a file", "leave --base out");
        }
        return Ok(SourceOptions::Index { url: argument_url("--index", index)?, pick });
    }
    let Some(base) = named.base else {
        let is_file = Path::new(index).exists();
        return if is_file {
            usage(
                format!("--index {index} is a file, and its links are relative to something"),
                "say to what with --base URL",
            )
        } else {
            usage(
                format!(
                    "--index {:?} is no http(s) URL, and no such file is there",
                    excerpt_url(index)
                ),
                format!("did you mean https://{}?", excerpt_url(index)),
            )
        };
    };
    Ok(SourceOptions::IndexFile { path: index.into(), base: argument_url("--base", &base)?, pick })
}

/// How a list is written.
fn list_format(typed: Option<InputFormat>, column: Option<String>) -> Result<Choice> {
    let separated = |separator, column: Option<String>| match column {
        Some(column) => Ok(Choice::Is(Format::Separated { separator, column })),
        None => usage(
            "--input-format csv and tsv are tables, and it is not said which column has the URLs",
            "name it with --column NAME",
        ),
    };
    match (typed, column) {
        (None, column) => Ok(Choice::ByName { column }),
        (Some(InputFormat::Text), None) => Ok(Choice::Is(Format::Text)),
        (Some(InputFormat::Text), Some(_)) => usage(
            "--input-format text is one URL a line and has no --column",
            "leave one of them out, or name another format",
        ),
        (Some(InputFormat::Csv), column) => separated(b',', column),
        (Some(InputFormat::Tsv), column) => separated(b'\t', column),
        (Some(InputFormat::Jsonl), column) => Ok(Choice::Is(Format::JsonLines { column })),
        (Some(InputFormat::Json), column) => Ok(Choice::Is(Format::Json { column })),
    }
}

pub(super) fn is_web_address(text: &str) -> bool {
    let start = text.split_once(':').map_or("", |(scheme, _)| scheme.trim());
    start.eq_ignore_ascii_case("http") || start.eq_ignore_ascii_case("https")
}

fn argument_url(argument: &str, text: &str) -> Result<Url> {
    page_url(text).map_err(|why| UsageError {
        message: format!("{argument} {:?} is not an http(s) URL: {why}", excerpt_url(text)),
        hint: page_url(&format!("https://{text}"))
            .ok()
            .filter(|_| !text.contains(':') && text.contains('.'))
            .map(|guess| format!("did you mean {}?", shown_url(&guess))),
    })
}

/// Option and value; a URL that is an argument has no option, a switch no value.
pub(super) type Word = (&'static str, Option<String>);

/// What was typed of a source, option by option, for the record.
#[derive(Default)]
struct Words {
    pairs: Vec<Word>,
    is_redacted: bool,
    /// Whether a path is no text, so that the words would name another file.
    is_lossy: bool,
}

impl Words {
    fn add(&mut self, option: &'static str, value: impl Into<String>) {
        self.pairs.push((option, Some(value.into())));
    }

    /// As the rules for URLs read it: they know more spellings than `http://`.
    fn add_url(&mut self, option: &'static str, text: &str) {
        let bare = match Url::parse(text) {
            Ok(url) if url.username().is_empty() && url.password().is_none() => text.to_owned(),
            Ok(url) => shown_url(&url).into_owned(),
            Err(_) => message::without_credentials(text).into_owned(),
        };
        self.is_redacted |= bare != text;
        self.add(option, bare);
    }

    /// A file's path, so that it is found from another directory too.
    fn add_path(&mut self, option: &'static str, path: &Path) {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.is_lossy |= whole.to_str().is_none();
        self.add(option, whole.to_string_lossy());
    }

    fn for_record(&self) -> SourceWords {
        let args = self.pairs.iter().filter(|_| !self.is_lossy);
        let args = args.map(|(option, value)| match (*option, value) {
            ("", Some(value)) => value.clone(),
            (option, None) => option.to_owned(),
            (option, Some(value)) => format!("{option}={value}"),
        });
        let args: Vec<_> = args.collect();
        let args = if is_short(&args) { args } else { Vec::new() };
        let text = message::shortened(&text(&self.pairs), TEXT_SHOWN).into_owned();
        SourceWords { args, text, is_redacted: self.is_redacted }
    }
}

/// A source that was taken from a record, for the next record.
pub(super) fn recorded_words(recorded: Vec<Word>) -> SourceWords {
    let mut words = Words::default();
    for (option, value) in recorded {
        match value {
            Some(value) if matches!(option, "" | "--index" | "--sitemap") => {
                words.add_url(option, &value);
            }
            value => words.pairs.push((option, value)),
        }
    }
    words.for_record()
}

/// What narrows a source.
pub(super) fn filter_words(filter: &Filter) -> impl Iterator<Item = Word> {
    let include = filter.include.iter().map(|regex| ("--include", regex.to_string()));
    let exclude = filter.exclude.iter().map(|regex| ("--exclude", regex.to_string()));
    let limit = filter.limit.iter().map(|limit| ("--limit", limit.to_string()));
    include.chain(exclude).chain(limit).map(|(option, value)| (option, Some(value)))
}

/// The source as on a command line, for the record.
fn words(typed: &SourceArgs) -> SourceWords {
    let named = &typed.named;
    let mut words = Words::default();
    let is_index = named.urls.is_empty() && named.input_file.is_none() && named.sitemap.is_none();
    named.urls.iter().for_each(|url| words.add_url("", url));
    match &named.input_file {
        Some(file) if file.as_os_str() == STDIN => words.add("--input-file", STDIN),
        Some(file) => words.add_path("--input-file", file),
        None => (),
    }
    named.column.iter().for_each(|column| words.add("--column", column));
    if let Some(format) = named.input_format.and_then(|format| format.to_possible_value()) {
        words.add("--input-format", format.get_name());
    }
    named.sitemap.iter().for_each(|url| words.add_url("--sitemap", url));
    if typed.demo {
        words.pairs.push(("--demo", None));
        words.add("--latency", duration_text(typed.latency));
        if !typed.cpu_per_page.is_zero() {
            words.add("--cpu-per-page", duration_text(typed.cpu_per_page));
        }
    } else if is_index {
        let index = named.index.as_deref().unwrap_or(DEFAULT_INDEX);
        if is_web_address(index) {
            words.add_url("--index", index);
        } else {
            words.add_path("--index", Path::new(index));
        }
    }
    named.base.iter().for_each(|base| words.add_url("--base", base));
    if is_index {
        words.add("--select", &named.select);
        words.add("--attr", &named.attr);
    }
    words.pairs.extend(filter_words(&filter(named)));
    words.for_record()
}

/// Whether the line of a record has room for `args`.
fn is_short(args: &[String]) -> bool {
    serde_json::to_vec(args).is_ok_and(|json| json.len() <= ARGS_LIMIT)
}

/// For people: a command line may name thousands of URLs.
fn text(pairs: &[(&str, Option<String>)]) -> String {
    let urls = pairs.iter().filter(|(option, _)| option.is_empty()).count();
    let mut text = String::new();
    for (number, (option, value)) in pairs.iter().enumerate() {
        if number == URLS_SHOWN && urls > URLS_SHOWN {
            text += &format!(" (and {} more)", urls - URLS_SHOWN);
        }
        if (URLS_SHOWN..urls).contains(&number) {
            continue;
        }
        let value = value.as_deref().map(quoted);
        let words = [Some(*option).filter(|it| !it.is_empty()), value.as_deref()];
        for word in words.into_iter().flatten() {
            text += if text.is_empty() { "" } else { " " };
            text += word;
        }
    }
    text
}

/// The value of `--input-file` that stands for standard input.
pub(super) const STDIN: &str = "-";

/// `word` in single quotes when a shell would not take it as one word.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,~".contains(c);
    // A shell may put a path in the place of what begins with one of these.
    if !word.is_empty() && !word.starts_with(['~', '=']) && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    fn typed(words: &[&str]) -> SourceArgs {
        let words = ["fetchpages"].iter().chain(words);
        Cli::try_parse_from(words).unwrap().download.source
    }

    #[test]
    fn what_is_recorded_reads_back_as_what_was_typed() {
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
            let first = words(&typed(line));
            assert!(!first.args.is_empty() && !first.is_redacted, "{line:?}");
            let args: Vec<_> = first.args.iter().map(String::as_str).collect();
            assert_eq!(words(&typed(&args)), first, "{line:?}");
        }
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
            let recorded = words(&typed(&[first, "http://a.org/@2"]));
            assert_eq!(recorded.args, ["http://a.org/1", "http://a.org/@2"], "{first}");
            assert!(recorded.is_redacted);
            let recorded = words(&typed(&["--index", first]));
            assert_eq!(recorded.args[0], "--index=http://a.org/1");
            assert!(recorded.is_redacted);
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
            let UsageError { message, hint } = options(typed(line)).unwrap_err();
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
        let recorded = words(&Cli::try_parse_from(line).unwrap().download.source);
        assert!(recorded.args.is_empty() && recorded.text.contains("list-"), "{recorded:?}");
    }

    #[test]
    fn people_see_a_few_of_many_urls() {
        let urls: Vec<_> = (0..5).map(|number| format!("http://a.org/{number}")).collect();
        let mut line: Vec<_> = urls.iter().map(String::as_str).collect();
        line.extend(["--exclude", "a b"]);
        assert_eq!(
            words(&typed(&line)).text,
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
            let recorded = words(&typed(&line));
            assert_eq!(recorded.args.len(), if is_recorded { count } else { 0 });
            assert!(recorded.text.chars().count() <= TEXT_SHOWN + 1, "{}", recorded.text);
        }
        let pattern = format!("--include={}", "\u{1}".repeat(100_000));
        let recorded = words(&typed(&[&pattern, "http://a.org/"]));
        let json = serde_json::to_string(&(recorded.args, recorded.text)).unwrap();
        assert!(json.len() < 768 * 1024, "{}", json.len());
    }
}
