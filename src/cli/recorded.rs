//! Takes the source from the record of an earlier run.
//!
//! A record is part of an output directory, which others may have made. It is data, and is never
//! read as a command line. It can name addresses, selectors and the embedded site, but no
//! file, no command and no other option of a run.

use std::collections::HashSet;

use regex::{Regex, RegexBuilder};

use super::args::NamedArgs;
use super::source::Chosen;
use super::usage::{NoCommand, UsageError, usage};
use crate::foreign::{MARK, clean, is_shown};
use crate::message::{excerpt, without_credentials};
use crate::save::manifest;
use crate::save::manifest::{EXCLUDE, FILTER_OPTIONS, INCLUDE, LIMIT, ManifestPath, RunRecord};
use crate::source::links::{DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR, SERIALIZED_LIMIT};
use crate::source::plan::Filter;
use crate::source::spec::{
    Reopening, SourceKind, SourceSpec, TABLE, Word, Words, filter_words, quoted, record,
    recorded_words,
};

/// The number of filters, and the memory of each in bytes, have limits: a hostile record could
/// otherwise take all memory.
const FILTERS: usize = 100;
const FILTER_SIZE: usize = 1024 * 1024;
/// At most this many characters of a source are shown, and at most this many of its sites.
const SHOWN: usize = 1_000;
const ORIGINS_SHOWN: usize = 5;
/// The longest command that is shown, in bytes.
const COMMAND_LIMIT: usize = 1_000;

const HINT: &str = "name the source, as for the first run";

/// A source that is taken from the record of the last run.
#[derive(Debug)]
pub(super) struct LastRun {
    pub(super) chosen: Chosen,
    pub(super) run: RunRecord,
}

/// Why a record's source cannot be taken.
#[derive(Debug, PartialEq, Eq)]
enum Unusable {
    /// The last run read it from standard input.
    StandardInput,
    /// It is in a file of this machine.
    File,
    /// This version does not know it, or does not take it from a record.
    Unknown(String),
}

/// Returns the source of the last run in the manifest `at`. A filter in `typed` replaces the
/// recorded filter of its kind. `again` returns the start of a command that does the same with
/// a typed source, for the hint of an error.
pub(super) fn source(
    typed: &NamedArgs,
    at: &ManifestPath,
    again: &dyn Fn(&RunRecord) -> String,
) -> Result<LastRun, NoCommand> {
    let place = &at.output;
    let run = manifest::last_run(at).map_err(NoCommand::Output)?;
    let Some(run) = run else {
        return Ok(usage(
            format!("no source is named, and {place} has no record of an earlier run"),
            HINT,
        )?);
    };
    let words = match run.spec.as_ref().and_then(recorded_words) {
        Some(words) => Ok(words),
        None if run.args.is_empty() => {
            let message = "no source is named, and the last run did not record its source";
            return Ok(usage(format!("{message} ({})", excerpt(run.source.raw())), HINT)?);
        }
        None => read(&run.args),
    };
    let read = words.and_then(|words| {
        let filter = filter(&words, typed)?;
        let words = narrowed(words, &filter);
        Ok((chosen(&words, filter), words))
    });
    let refused = match read {
        Ok((Ok(mut chosen), _)) => {
            chosen.recorded.is_redacted |= run.is_redacted;
            return Ok(LastRun { chosen, run });
        }
        Ok((Err(why), words)) => (why, command(&again(&run), &words)),
        Err(why) => (why, None),
    };
    Err(NoCommand::Usage(refusal(refused, place)))
}

/// Makes the error for a recorded source that is not taken. `command` is the hint that names it
/// again.
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
        Unusable::Unknown(what) => (
            format!(
                "the record of the last run into {place} names a source or filter that this version does not read: {}",
                excerpt(&what)
            ),
            HINT.to_owned(),
        ),
    };
    UsageError { message, hint: Some(hint) }
}

/// Returns a command for the user to copy, which begins with `start` and names the source by
/// `words`. `None` when it is too long, or has characters that are not shown as they are.
fn command(start: &str, words: &Words) -> Option<String> {
    let mut command = start.to_owned();
    for (option, value) in words.iter() {
        let value = value.as_deref().unwrap_or_default().to_str()?;
        let is_usual = matches!(
            (*option, value),
            ("--select", DEFAULT_SELECTOR) | ("--attr", DEFAULT_ATTRIBUTE)
        );
        if !is_usual {
            command += &option_word(option, value);
        }
    }
    // A name with replaced characters would be the name of another file.
    let is_exact = command.chars().all(|c| is_shown(c) && c != MARK);
    (is_exact && command.len() <= COMMAND_LIMIT).then_some(command)
}

/// Returns `option` and its value, with a space before them, as a user types them.
pub(super) fn option_word(option: &str, value: &str) -> String {
    // A value that begins with a hyphen would be read as an option.
    match option {
        _ if value.starts_with('-') => format!(" {}", quoted(&format!("{option}={value}"))),
        "--input-file" => format!(" -i {}", quoted(value)),
        "--output" => format!(" -o {}", quoted(value)),
        _ => format!(" {option} {}", quoted(value)),
    }
}

/// Splits the arguments of a record, as version 1 wrote them, into options and values. A URL by
/// itself has no option.
fn read(args: &[String]) -> Result<Words, Unusable> {
    let words: Words = args.iter().map(word).collect::<Result<_, _>>()?;
    let options = TABLE.iter().flat_map(SourceKind::named_options).chain([LIMIT]);
    for option in options.filter(|option| !option.is_empty()) {
        if words.iter().filter(|word| word.0 == option).count() > 1 {
            return Err(unknown(option));
        }
    }
    Ok(words)
}

fn word(arg: &String) -> Result<Word, Unusable> {
    if !arg.starts_with('-') {
        return Ok(("", Some(arg.into())));
    }
    let (name, value) = match arg.split_once('=') {
        Some((name, value)) => (name, Some(value.into())),
        None => (arg.as_str(), None),
    };
    let mut options =
        TABLE.iter().flat_map(SourceKind::named_options).chain(FILTER_OPTIONS.iter().copied());
    let option = options.find(|option| *option == name);
    let is_switch = TABLE.iter().any(|kind| kind.is_switch && kind.option == name);
    option
        .filter(|_| is_switch == value.is_none())
        .map(|option| (option, value))
        .ok_or_else(|| unknown(arg))
}

fn unknown(what: &str) -> Unusable {
    Unusable::Unknown(without_credentials(what).into_owned())
}

/// Returns the filter: each part as typed, or else as recorded.
fn filter(words: &Words, typed: &NamedArgs) -> Result<Filter, Unusable> {
    let regexes = |typed: &[Regex], option: &str| {
        if !typed.is_empty() {
            return Ok(typed.to_vec());
        }
        if words.texts(option).count() > FILTERS {
            return Err(Unusable::Unknown(format!("more than {FILTERS} times {option}")));
        }
        let regex = |text| {
            let built = RegexBuilder::new(text).size_limit(FILTER_SIZE).build();
            built.map_err(|_| unknown(text))
        };
        words.texts(option).map(regex).collect()
    };
    let limit = words.text(LIMIT);
    let limit = limit.map(|text| text.parse().map_err(|_| unknown(text))).transpose()?;
    Ok(Filter {
        include: regexes(&typed.include, INCLUDE)?,
        exclude: regexes(&typed.exclude, EXCLUDE)?,
        limit: typed.limit.or(limit),
    })
}

/// Returns `words` with `filter` instead of their own filter.
fn narrowed(mut words: Words, filter: &Filter) -> Words {
    words.retain(|option| !FILTER_OPTIONS.contains(&option));
    words.extend(filter_words(filter));
    words
}

/// Reads the source that `words` name. It does not look at files: a record may name any file.
fn decide(words: &Words) -> Result<SourceSpec, Unusable> {
    let kind = SourceKind::of(words);
    match (kind.reopening)(words) {
        Reopening::StandardInput => return Err(Unusable::StandardInput),
        Reopening::NamedFile => return Err(Unusable::File),
        Reopening::Fetch => (),
    }
    let is_own = |option: &str| kind.takes(option) || FILTER_OPTIONS.contains(&option);
    if let Some((option, value)) = words.iter().find(|word| !is_own(word.0)) {
        let value = value.as_deref().unwrap_or_default().to_string_lossy();
        return Err(unknown(&format!("{option} {value}")));
    }
    let pick = ["--select", "--attr"].map(|option| words.text(option).unwrap_or_default());
    if pick.concat().len() > SERIALIZED_LIMIT {
        return Err(unknown(pick[0]));
    }
    SourceSpec::parse(words).map_err(|error| Unusable::Unknown(error.value))
}

/// Decides on the source that `words` name, narrowed by `filter`.
fn chosen(words: &Words, filter: Filter) -> Result<Chosen, Unusable> {
    // Runs record no user names and passwords. A record with some was made by others: they are
    // left out here, because a source's own words hold none.
    let own_words = decide(words)?.words();
    let spec = SourceSpec::parse(&own_words).map_err(|error| Unusable::Unknown(error.value))?;
    let mut recorded = record(&spec, &filter);
    recorded.is_redacted |= own_words.is_redacted();
    Ok(Chosen { spec, filter, recorded, is_recorded: true })
}

/// Describes a recorded source before it is used: its options, and the sites when it has several
/// addresses.
pub(super) fn shown(chosen: &Chosen) -> String {
    let text = clean(&chosen.recorded.text);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    let requested = chosen.spec.policy().requested;
    let origins = requested.iter().map(|url| url.origin().ascii_serialization());
    let mut seen = HashSet::new();
    let origins: Vec<_> = origins.filter(|origin| seen.insert(origin.clone())).collect();
    let first = origins[..origins.len().min(ORIGINS_SHOWN)].join(", ");
    let more = match origins.len().saturating_sub(ORIGINS_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if origins.len() > 1 {
        shown += &format!(", at {first}{more}");
    }
    shown
}

#[cfg(test)]
mod tests;
