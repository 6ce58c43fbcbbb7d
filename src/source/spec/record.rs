//! A source in a run's record, written and read back.
//!
//! A record holds a source three times: as text for people, as arguments (`args`), which
//! version 1 reads, and as a value (`spec`), which stays the same when an option is
//! renamed. User names and passwords are left out of all three.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SourceSpec, Word, Words};
use crate::message::shortened;
use crate::save::manifest::{EXCLUDE, INCLUDE, LIMIT};
use crate::source::plan::Filter;

/// The text for people has at most this many characters.
const TEXT_SHOWN: usize = 4096;
/// Arguments and value may take at most this many bytes together: half of a record's line.
/// Longer arguments are left out, and so is a value that has no room beside the arguments.
const RECORD_LIMIT: usize = 512 * 1024;

/// A source in a run's record, without user names and passwords.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordedSource {
    /// For people. A long text is cut.
    pub text: String,
    /// As arguments: all of them, or empty when they do not fit.
    pub args: Vec<String>,
    /// As a value: all of it, or `None` when it does not fit.
    pub spec: Option<Value>,
    /// Whether a user name or a password was left out.
    pub is_redacted: bool,
}

/// A source and its filter, as the value in a record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRecord {
    source: SourceSpec,
    #[serde(default, skip_serializing_if = "FilterRecord::is_empty")]
    filter: FilterRecord,
}

/// A [`Filter`] as texts.
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
    fn of(filter: &Filter) -> Self {
        let patterns = |of: &[regex::Regex]| of.iter().map(ToString::to_string).collect();
        Self {
            include: patterns(&filter.include),
            exclude: patterns(&filter.exclude),
            limit: filter.limit,
        }
    }

    /// Returns it as options.
    fn into_words(self) -> impl Iterator<Item = Word> {
        let include = self.include.into_iter().map(|pattern| (INCLUDE, pattern));
        let exclude = self.exclude.into_iter().map(|pattern| (EXCLUDE, pattern));
        let limit = self.limit.map(|limit| (LIMIT, limit.to_string()));
        let words = include.chain(exclude).chain(limit);
        words.map(|(option, value)| (option, Some(value.into())))
    }

    fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.limit.is_none()
    }
}

/// Returns what the record of a run holds of `spec`, narrowed by `filter`.
pub(crate) fn record(spec: &SourceSpec, filter: &Filter) -> RecordedSource {
    let mut words = spec.words();
    let is_redacted = words.is_redacted();
    words.extend(filter_words(filter));
    let text = shortened(&words.shown(), TEXT_SHOWN).into_owned();
    let args = words.args().filter(|args| size(args) <= RECORD_LIMIT).unwrap_or_default();
    let recorded = SourceRecord { source: spec.clone(), filter: FilterRecord::of(filter) };
    // A path that is not UTF-8 cannot be written as JSON.
    let value = serde_json::to_value(recorded).ok();
    let has_room = |value: &Value| size(&args) + size(value) <= RECORD_LIMIT;
    let spec = value.filter(|value| !args.is_empty() && has_room(value));
    RecordedSource { text, args, spec, is_redacted }
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// Reads the value of a record as the options that name its source. Returns `None` for a value
/// that this version does not know.
pub(crate) fn recorded_words(spec: &Value) -> Option<Words> {
    let SourceRecord { source, filter } = SourceRecord::deserialize(spec).ok()?;
    let mut words = source.words();
    words.extend(filter.into_words());
    Some(words)
}

/// Returns the options of a filter.
pub(crate) fn filter_words(filter: &Filter) -> impl Iterator<Item = Word> + use<> {
    FilterRecord::of(filter).into_words()
}
