//! A list of addresses, in a file or on standard input.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Opening, Policy, Reopening, STDIN, SourceKind, SourceSpec, Spec, SpecError, Words};
use crate::source::list::{self, FormatChoice, ListFormat};
use crate::source::{Source, SourceError};

const FILE: &str = "--input-file";
const COLUMN: &str = "--column";
const FORMAT: &str = "--input-format";

pub(super) const KIND: SourceKind = SourceKind {
    option: FILE,
    id: "input_file",
    options: &[COLUMN, FORMAT],
    is_switch: false,
    is_named: |words| words.has(FILE),
    reopening: |words| match words.text(FILE) {
        Some(STDIN) => Reopening::StandardInput,
        _ => Reopening::NamedFile,
    },
    parse,
};

/// A list of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ListRecord", try_from = "ListRecord")]
pub(crate) struct List {
    /// The file; `None` for standard input.
    path: Option<PathBuf>,
    choice: FormatChoice,
}

/// A list, as it is recorded.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRecord {
    path: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<String>,
}

impl From<List> for ListRecord {
    fn from(list: List) -> Self {
        let (format, column) = names(&list.choice);
        let path = list
            .path
            .map_or_else(|| STDIN.into(), |path| std::path::absolute(&path).unwrap_or(path));
        Self { path, column: column.map(str::to_owned), format: format.map(str::to_owned) }
    }
}

impl TryFrom<ListRecord> for List {
    type Error = SpecError;

    fn try_from(recorded: ListRecord) -> Result<Self, SpecError> {
        let ListRecord { path, column, format } = recorded;
        let path = (path.as_os_str() != STDIN).then_some(path);
        Ok(Self { path, choice: choice(format.as_deref(), column)? })
    }
}

fn parse(words: &Words) -> Result<SourceSpec, SpecError> {
    let path = words.path(FILE).filter(|path| path.as_os_str() != STDIN);
    let column = words.text(COLUMN).map(str::to_owned);
    let choice = choice(words.text(FORMAT), column)?;
    Ok(SourceSpec::List(List { path: path.map(Into::into), choice }))
}

/// Decides on the format of a list by `--input-format` and `--column`.
fn choice(format: Option<&str>, column: Option<String>) -> Result<FormatChoice, SpecError> {
    let separated = |separator, column: Option<String>| match column {
        Some(column) => Ok(FormatChoice::Is(ListFormat::Separated { separator, column })),
        None => Err(SpecError::new(
            "--input-format csv and tsv are tables, and no column of URLs is named",
            "name it with --column NAME",
            "",
        )),
    };
    match (format, column) {
        (None, column) => Ok(FormatChoice::ByName { column }),
        (Some("text"), None) => Ok(FormatChoice::Is(ListFormat::Text)),
        (Some("text"), Some(_)) => Err(SpecError::new(
            "--input-format text has one URL per line and no --column",
            "leave out one of them, or name another format",
            "",
        )),
        (Some("csv"), column) => separated(b',', column),
        (Some("tsv"), column) => separated(b'\t', column),
        (Some("jsonl"), column) => Ok(FormatChoice::Is(ListFormat::JsonLines { column })),
        (Some("json"), column) => Ok(FormatChoice::Is(ListFormat::Json { column })),
        (Some(other), _) => Err(SpecError::new(
            format!("--input-format {other:?} is not known"),
            "it takes text, csv, tsv, jsonl or json",
            other,
        )),
    }
}

/// Returns the values of `--input-format` and `--column` that give this choice.
fn names(choice: &FormatChoice) -> (Option<&'static str>, Option<&str>) {
    match choice {
        FormatChoice::ByName { column } => (None, column.as_deref()),
        FormatChoice::Is(ListFormat::Text) => (Some("text"), None),
        FormatChoice::Is(ListFormat::Separated { separator: b'\t', column }) => {
            (Some("tsv"), Some(column))
        }
        FormatChoice::Is(ListFormat::Separated { column, .. }) => (Some("csv"), Some(column)),
        FormatChoice::Is(ListFormat::JsonLines { column }) => (Some("jsonl"), column.as_deref()),
        FormatChoice::Is(ListFormat::Json { column }) => (Some("json"), column.as_deref()),
    }
}

impl Spec for List {
    fn words(&self) -> Words {
        let mut words = Words::default();
        match &self.path {
            None => words.add(FILE, STDIN),
            Some(path) => words.add_path(FILE, path),
        }
        let (format, column) = names(&self.choice);
        words.add_all(COLUMN, column);
        words.add_all(FORMAT, format);
        words
    }

    fn label(&self) -> String {
        self.path.as_deref().map_or_else(|| list::STANDARD_INPUT.into(), list::name_of)
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            obeys_robots: false,
            homes: Vec::new(),
            requested: Vec::new(),
            index: None,
            leads_elsewhere: false,
            named_by: Some("a list"),
            site: None,
        }
    }

    fn open(&self, _: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        match &self.path {
            Some(path) => list::open(path, &self.choice),
            None => list::standard_input(&self.choice),
        }
    }
}
