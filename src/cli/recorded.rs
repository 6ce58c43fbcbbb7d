//! Sources that the record of an earlier run names.
//!
//! A record comes with its directory, which others may have made: it is data, and never
//! read as a command line. It can name addresses, what is picked there, and the embedded
//! site; no file, no command, and no other option of a run.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use regex::{Regex, RegexBuilder};
use url::Url;

use super::args::NamedArgs;
use super::source::{self, Chosen, STDIN, Word, quoted};
use super::usage::{NoCommand, UsageError, usage};
use super::values::{duration, page_cost};
use crate::config::{DEFAULT_DEMO_LATENCY, DemoSite, SourceOptions};
use crate::foreign::{MARK, clean, is_shown};
use crate::message::{excerpt, without_credentials};
use crate::save::manifest;
use crate::save::manifest::RunRecord;
use crate::source::links::{DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR, Pick};
use crate::source::page_url;
use crate::source::plan::Filter;

/// The options that a record may hold; all but [`SWITCH`] have a value.
const OPTIONS: &[&str] = &[
    "--input-file",
    "--column",
    "--input-format",
    "--index",
    "--base",
    "--select",
    "--attr",
    "--sitemap",
    SWITCH,
    "--latency",
    "--cpu-per-page",
    "--include",
    "--exclude",
    "--limit",
];
const SWITCH: &str = "--demo";
/// Those that narrow any source. All but the last may stand there more than once.
const FILTER_OPTIONS: &[&str] = &["--include", "--exclude", "--limit"];

/// The longest selector or attribute, in bytes: its parser goes as deep as it is nested.
const PICK_LIMIT: usize = 2_000;
/// The most filters, and the memory of each in bytes: those of a record may be made to take
/// all there is.
const FILTERS: usize = 100;
const FILTER_SIZE: usize = 1024 * 1024;
/// So many characters of a source are shown, and so many of the sites that it names.
const SHOWN: usize = 1_000;
const ORIGINS_SHOWN: usize = 5;
/// A longer command is not shown, in bytes.
const COMMAND_LIMIT: usize = 1_000;

const HINT: &str = "name the source, as for the first run";

/// A source that is taken from the record of the last run.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) chosen: Chosen,
    pub(super) run: RunRecord,
}

/// Why a record's source cannot be taken.
#[derive(Debug, PartialEq, Eq)]
enum Unusable {
    /// It was read from standard input.
    StandardInput,
    /// It is in a file of this machine.
    File,
    /// It is none that this version knows, or may be taken from a record.
    Strange(String),
}

/// The source of the last run into `directory`, narrowed by the filters of `typed` where
/// those are given, else by the recorded ones. `again` gives the beginning of a command that
/// does the same with a source that is typed.
pub(super) fn source(
    typed: &NamedArgs,
    directory: &Path,
    again: &dyn Fn(&RunRecord) -> String,
) -> Result<Recorded, NoCommand> {
    let place = directory.display();
    let run = manifest::last_run(directory).map_err(NoCommand::Output)?;
    let Some(run) = run else {
        return Ok(usage(
            format!("no source is named, and {place} holds no run to take it from"),
            HINT,
        )?);
    };
    if run.args.is_empty() {
        let message = "no source is named, and the last run could not or did not record it";
        return Ok(usage(format!("{message} ({})", excerpt(run.source.raw())), HINT)?);
    }
    let read = read(&run.args).and_then(|words| {
        let filter = filter(&words, typed)?;
        let words = narrowed(words, &filter);
        Ok((decide(&words), words, filter))
    });
    let refused = match read {
        Ok((Ok(options), words, filter)) => {
            let mut typed = source::recorded_words(words);
            typed.is_redacted |= run.is_redacted;
            let chosen = Chosen { options, filter, typed, is_recorded: true };
            return Ok(Recorded { chosen, run });
        }
        Ok((Err(why), words, _)) => (why, command(&again(&run), &words)),
        Err(why) => (why, None),
    };
    Err(NoCommand::Usage(refusal(refused, &place.to_string())))
}

/// Why the record's source is not taken, and what to do: `command` names it again.
fn refusal((why, command): (Unusable, Option<String>), place: &str) -> UsageError {
    let (message, hint) = match why {
        Unusable::StandardInput => (
            format!("the last run into {place} read its URLs from standard input"),
            "name the source, such as -i FILE, or pipe it in again with -i -".to_owned(),
        ),
        Unusable::File => (
            format!(
                "the last run into {place} read a file, and a file that only a record names is not opened"
            ),
            command.map_or(HINT.into(), |command| format!("name it again: {command}")),
        ),
        Unusable::Strange(what) => (
            format!(
                "the record of the last run into {place} names something that is no source: {}",
                excerpt(&what)
            ),
            HINT.to_owned(),
        ),
    };
    UsageError { message, hint: Some(hint) }
}

/// A command that begins with `start` and names a source by `words`, for people to see and
/// to type; `None` when it is too long for that, or cannot be shown as it is.
fn command(start: &str, words: &[Word]) -> Option<String> {
    let mut command = start.to_owned();
    for (option, value) in words {
        let value = value.as_deref().unwrap_or_default();
        let is_usual = matches!(
            (*option, value),
            ("--select", DEFAULT_SELECTOR) | ("--attr", DEFAULT_ATTRIBUTE)
        );
        if !is_usual {
            command += &option_word(option, value);
        }
    }
    // Another file has the name that would be typed.
    let is_exact = command.chars().all(|c| is_shown(c) && c != MARK);
    (is_exact && command.len() <= COMMAND_LIMIT).then_some(command)
}

/// `option` and its value, as they are typed behind other words.
pub(super) fn option_word(option: &str, value: &str) -> String {
    // What begins with a hyphen would be an option by itself.
    match option {
        _ if value.starts_with('-') => format!(" {}", quoted(&format!("{option}={value}"))),
        "--input-file" => format!(" -i {}", quoted(value)),
        "--output" => format!(" -o {}", quoted(value)),
        _ => format!(" {option} {}", quoted(value)),
    }
}

/// Splits a record's words into options and values; a URL by itself has no option.
fn read(args: &[String]) -> Result<Vec<Word>, Unusable> {
    let word = |arg: &String| {
        if !arg.starts_with('-') {
            return Ok(("", Some(arg.clone())));
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        let option = OPTIONS.iter().find(|option| **option == name);
        let option = option.filter(|option| (**option == SWITCH) == value.is_none());
        option.map(|option| (*option, value)).ok_or_else(|| strange(arg))
    };
    let words: Vec<_> = args.iter().map(word).collect::<Result<_, _>>()?;
    for option in OPTIONS.iter().filter(|option| !FILTER_OPTIONS[..2].contains(option)) {
        if words.iter().filter(|(name, _)| name == option).count() > 1 {
            return Err(strange(option));
        }
    }
    Ok(words)
}

fn strange(what: &str) -> Unusable {
    Unusable::Strange(without_credentials(what).into_owned())
}

fn values<'a>(words: &'a [Word], option: &str) -> impl Iterator<Item = &'a str> {
    words.iter().filter(move |word| word.0 == option).filter_map(|word| word.1.as_deref())
}

fn value<'a>(words: &'a [Word], option: &str) -> Option<&'a str> {
    values(words, option).next()
}

/// The filters: those that are typed, else those of the record.
fn filter(words: &[Word], typed: &NamedArgs) -> Result<Filter, Unusable> {
    let regexes = |typed: &[Regex], option: &str| {
        if !typed.is_empty() {
            return Ok(typed.to_vec());
        }
        if values(words, option).count() > FILTERS {
            return Err(Unusable::Strange(format!("more than {FILTERS} times {option}")));
        }
        let regex = |text| {
            let built = RegexBuilder::new(text).size_limit(FILTER_SIZE).build();
            built.map_err(|_| strange(text))
        };
        values(words, option).map(regex).collect()
    };
    let limit = value(words, "--limit");
    let limit = limit.map(|text| text.parse().map_err(|_| strange(text))).transpose()?;
    Ok(Filter {
        include: regexes(&typed.include, "--include")?,
        exclude: regexes(&typed.exclude, "--exclude")?,
        limit: typed.limit.or(limit),
    })
}

/// The words of a source with this filter in the place of theirs.
fn narrowed(mut words: Vec<Word>, filter: &Filter) -> Vec<Word> {
    words.retain(|(option, _)| !FILTER_OPTIONS.contains(option));
    words.extend(source::filter_words(filter));
    words
}

/// Decides on the source.
fn decide(words: &[Word]) -> Result<SourceOptions, Unusable> {
    match value(words, "--input-file") {
        Some(STDIN) => return Err(Unusable::StandardInput),
        Some(_) => return Err(Unusable::File),
        None => (),
    }
    let own: &[&str] = if let Some(index) = value(words, "--index") {
        if !source::is_web_address(index) {
            return Err(Unusable::File);
        }
        &["--index", "--select", "--attr"]
    } else if value(words, "--sitemap").is_some() {
        &["--sitemap"]
    } else if words.iter().any(|(option, _)| *option == SWITCH) {
        &[SWITCH, "--latency", "--cpu-per-page", "--select", "--attr"]
    } else {
        &[""]
    };
    let is_own = |option: &str| own.contains(&option) || FILTER_OPTIONS.contains(&option);
    if let Some((option, value)) = words.iter().find(|(option, _)| !is_own(option)) {
        return Err(strange(&format!("{option} {}", value.as_deref().unwrap_or_default())));
    }
    match own[0] {
        "--index" => {
            let url = address(value(words, "--index").unwrap_or_default())?;
            Ok(SourceOptions::Index { url, pick: pick(words)? })
        }
        "--sitemap" => {
            Ok(SourceOptions::Sitemap(address(value(words, "--sitemap").unwrap_or_default())?))
        }
        SWITCH => Ok(SourceOptions::Demo { site: site(words)?, pick: pick(words)? }),
        _ => {
            let urls: Vec<_> = values(words, "").map(address).collect::<Result<_, _>>()?;
            if urls.is_empty() { Err(strange("no address")) } else { Ok(SourceOptions::Urls(urls)) }
        }
    }
}

/// An address, without user name and password: runs record none.
fn address(text: &str) -> Result<Url, Unusable> {
    let mut url = page_url(text).map_err(|_| strange(text))?;
    // Neither call fails for an http(s) URL, which always has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(url)
}

fn pick(words: &[Word]) -> Result<Pick, Unusable> {
    let select = value(words, "--select").unwrap_or(DEFAULT_SELECTOR);
    let attr = value(words, "--attr").unwrap_or(DEFAULT_ATTRIBUTE);
    if select.len() + attr.len() > PICK_LIMIT {
        return Err(strange(select));
    }
    Pick::new(select, attr).map_err(|_| strange(select))
}

fn site(words: &[Word]) -> Result<DemoSite, Unusable> {
    type Reader = fn(&str) -> Result<Duration, String>;
    let time = |option, read: Reader, usual| match value(words, option) {
        Some(text) => read(text).map_err(|_| strange(text)),
        None => Ok(usual),
    };
    Ok(DemoSite {
        latency: time("--latency", duration, DEFAULT_DEMO_LATENCY)?,
        cpu_per_page: time("--cpu-per-page", page_cost, Duration::ZERO)?,
        ..DemoSite::default()
    })
}

/// What is said of a recorded source before it is used: what it is, and of several addresses
/// whose they are.
pub(super) fn shown(chosen: &Chosen) -> String {
    let text = clean(&chosen.typed.text);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    if let SourceOptions::Urls(urls) = &chosen.options {
        let mut origins: Vec<_> =
            urls.iter().map(|url| url.origin().ascii_serialization()).collect();
        let mut seen = HashSet::new();
        origins.retain(|origin| seen.insert(origin.clone()));
        let first = origins[..origins.len().min(ORIGINS_SHOWN)].join(", ");
        let more = match origins.len().saturating_sub(ORIGINS_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if origins.len() > 1 {
            shown += &format!(", at {first}{more}");
        }
    }
    shown
}

#[cfg(test)]
#[path = "recorded_cases.rs"]
mod tests;
