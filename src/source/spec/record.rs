//! A source in a run's record, written and read back.
//!
//! A record holds a source three times: as text for people, as arguments (`args`), which
//! version 1 reads, and as a value (`spec`), which does not change when an option is
//! renamed. None of them holds a user name or a password.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SourceSpec, Word, Words};
use crate::message::shortened;
use crate::source::plan::Filter;

/// The most characters of a source that people are shown.
const TEXT_SHOWN: usize = 4096;
/// The most bytes of a record that arguments and value may take together: half of its line.
/// A value that has no room beside the arguments is left out, and so are longer arguments.
const RECORD_LIMIT: usize = 512 * 1024;

/// A source in a run's record, without user names and passwords.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordedSource {
    /// For people; the beginning of a long one.
    pub text: String,
    /// As arguments, complete, or empty when they do not fit.
    pub args: Vec<String>,
    /// As a value, complete, or `None` when it does not fit.
    pub spec: Option<Value>,
    /// Whether a user name or a password was left out.
    pub is_redacted: bool,
}

/// A source and what narrows it, as the value in a record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRecord {
    source: SourceSpec,
    #[serde(default, skip_serializing_if = "FilterRecord::is_empty")]
    filter: FilterRecord,
}

/// [`Filter`], as texts.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterRecord {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    include: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
}

impl FilterRecord {
    fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.limit.is_none()
    }
}

/// Writes `spec`, narrowed by `filter`, for the record of a run.
pub(crate) fn record(spec: &SourceSpec, filter: &Filter) -> RecordedSource {
    let mut words = spec.words();
    let is_redacted = words.is_redacted();
    words.extend(filter_words(filter));
    let text = shortened(&words.shown(), TEXT_SHOWN).into_owned();
    let args = words.args().filter(|args| size(args) <= RECORD_LIMIT).unwrap_or_default();
    let patterns = |of: &[regex::Regex]| of.iter().map(ToString::to_string).collect();
    let recorded = SourceRecord {
        source: spec.clone(),
        filter: FilterRecord {
            include: patterns(&filter.include),
            exclude: patterns(&filter.exclude),
            limit: filter.limit,
        },
    };
    // A path that is no text cannot be written.
    let value = serde_json::to_value(recorded).ok();
    let has_room = |value: &Value| size(&args) + size(value) <= RECORD_LIMIT;
    let spec = value.filter(|value| !args.is_empty() && has_room(value));
    RecordedSource { text, args, spec, is_redacted }
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// Reads the value of a record as the options that name its source. `None` for a value that
/// this version does not know.
pub(crate) fn recorded_words(spec: &Value) -> Option<Words> {
    let SourceRecord { source, filter } = SourceRecord::deserialize(spec).ok()?;
    let mut words = source.words();
    let FilterRecord { include, exclude, limit } = filter;
    words.add_all("--include", include);
    words.add_all("--exclude", exclude);
    words.add_all("--limit", limit.map(|limit| limit.to_string()));
    Some(words)
}

/// The options of a filter.
pub(crate) fn filter_words(filter: &Filter) -> impl Iterator<Item = Word> {
    let include = filter.include.iter().map(|regex| ("--include", regex.to_string()));
    let exclude = filter.exclude.iter().map(|regex| ("--exclude", regex.to_string()));
    let limit = filter.limit.iter().map(|limit| ("--limit", limit.to_string()));
    include.chain(exclude).chain(limit).map(|(option, value)| (option, Some(value.into())))
}
