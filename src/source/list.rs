//! A list of URLs, streamed: lines of text, or one column of a table in CSV, TSV,
//! JSON lines or a JSON array.
//!
//! Each format has a file, which finds the texts in the place of addresses. What follows from
//! such a text is the same for all formats.

mod array;
mod element_scan;
mod entries;
mod format;
mod json;
mod plain;
mod record_scan;
mod records;
mod table;
#[cfg(test)]
mod tests;
mod values;
mod window;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::{Entry, Source, SourceError, text};
use crate::message::excerpt_url;
use crate::page::{self, GZIP_MAGIC};
use array::JsonArray;
use entries::{Entries, invalid};
pub(crate) use format::{FormatChoice, ListFormat};
use json::JsonLines;
use plain::Plain;
use table::Table;

const BUFFER: usize = 256 * 1024;

/// Opens the list in the file `path`, gzipped or not.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub(crate) fn open(path: &Path, choice: &FormatChoice) -> Result<Box<dyn Source>, SourceError> {
    let what = name_of(path);
    let unreadable = |source| SourceError::Read { what: what.clone(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(SourceError::Format { what, reason: "it is a directory".into() });
    }
    read(BufReader::with_capacity(BUFFER, file), what, choice)
}

/// Returns the name of the file `path` in messages. What was typed may be an address with a
/// password in the place of a path.
pub(crate) fn name_of(path: &Path) -> String {
    match path.display().to_string() {
        address if address.contains("://") => excerpt_url(&address),
        path => path,
    }
}

/// The name of standard input in messages.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// Reads the list from standard input, gzipped or not.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub(crate) fn standard_input(choice: &FormatChoice) -> Result<Box<dyn Source>, SourceError> {
    read(BufReader::with_capacity(BUFFER, io::stdin()), STANDARD_INPUT.into(), choice)
}

/// Reads a list from `reader`. `what` is its name in messages, and gives its format when
/// `choice` leaves the format open.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub(crate) fn read(
    reader: impl BufRead + Send + 'static,
    what: String,
    choice: &FormatChoice,
) -> Result<Box<dyn Source>, SourceError> {
    let unreadable = |source| SourceError::Read { what: what.clone(), source };
    let is_start_of_gzip =
        |start: &[u8]| start.len() < GZIP_MAGIC.len() && GZIP_MAGIC.starts_with(start);
    let mut reader = text::with_start(Box::new(reader), is_start_of_gzip).map_err(unreadable)?;
    let is_gzip = reader.fill_buf().map_err(unreadable)?.starts_with(&GZIP_MAGIC);
    let mut reader = page::plain_reader(reader)
        .and_then(text::utf8_reader)
        .and_then(|reader| text::with_start(reader, |start| choice.is_open(&what, start)))
        .map_err(unreadable)?;
    let format = choice.format(&what, reader.fill_buf().map_err(unreadable)?);
    let advice = match &format {
        _ if what.to_ascii_lowercase().ends_with(".gz") && !is_gzip => Some(NO_GZIP_ADVICE),
        ListFormat::Text => Some(COLUMN_ADVICE),
        ListFormat::JsonLines { column: None } | ListFormat::Json { column: None } => {
            Some(MEMBER_ADVICE)
        }
        _ => None,
    };
    let rows: Box<dyn Rows> = match format {
        ListFormat::Text => Box::new(Plain::new(reader)),
        ListFormat::JsonLines { column } => Box::new(JsonLines::new(reader, column)),
        ListFormat::Json { column } => Box::new(JsonArray::new(reader, column)),
        ListFormat::Separated { separator, column } => {
            Box::new(Table::open(reader, &what, separator, column)?)
        }
    };
    Ok(Box::new(ListSource { rows, entries: Entries::new(advice), what }))
}

const NO_GZIP_ADVICE: &str =
    "its name ends in .gz, but it is not gzipped: was it unpacked already, or cut off?";
const COLUMN_ADVICE: &str = "of a CSV, TSV or JSON lines file, name the column with --column NAME";
const MEMBER_ADVICE: &str = "where the entries are objects, name the member with --column NAME";

/// A format, which finds the rows of a list.
///
/// Implementors return the rows in input order, and hold as little of the input in memory as
/// they can.
trait Rows: Send {
    /// Returns the next row. After `None`, the end, every call returns `None`.
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>>;

    /// The number of lines so far without a row: blank lines, and comments where the format has
    /// them.
    fn skipped_lines(&self) -> u64 {
        0
    }
}

/// A row of a list, with the number of the line that it begins in.
enum Row<'a> {
    /// A text in the place of an address.
    Text { line: u64, text: Cow<'a, str> },
    /// Bytes in the place of an address that are not UTF-8, with U+FFFD for what is wrong.
    NoText { line: u64, lossy: String },
    /// A row without an address, and the reason.
    Invalid { line: u64, reason: String },
    /// No row: a part of the list is missing, for this reason.
    Missing(&'static str),
    /// No row, but a warning about the next one.
    Doubt { line: u64, text: String },
}

impl<'a> Row<'a> {
    fn of_bytes(line: u64, bytes: Cow<'a, [u8]>) -> Self {
        let text = match bytes {
            Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(_) => Err(String::from_utf8_lossy(bytes).into_owned()),
            },
            Cow::Owned(bytes) => String::from_utf8(bytes)
                .map(Cow::Owned)
                .map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        };
        match text {
            Ok(text) => Row::Text { line, text },
            Err(lossy) => Row::NoText { line, lossy },
        }
    }
}

/// The source that makes entries of a list's rows.
struct ListSource {
    rows: Box<dyn Rows>,
    entries: Entries,
    what: String,
}

impl Source for ListSource {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        if let Some(entry) = self.entries.waiting.take() {
            return Ok(Some(entry));
        }
        let row = self.rows.next_row();
        let row = row.map_err(|source| SourceError::Read { what: self.what.clone(), source })?;
        Ok(match row {
            Some(Row::Text { line, text }) => Some(self.entries.read(line, &text)),
            Some(Row::NoText { line, lossy }) => Some(self.entries.no_text(line, &lossy)),
            Some(Row::Invalid { line, reason }) => Some(invalid(line, reason)),
            Some(Row::Missing(why)) => Some(Entry::MissingPart(format!("{}: {why}", self.what))),
            Some(Row::Doubt { line, text }) => Some(Entry::Warning(format!("line {line}: {text}"))),
            None => self.entries.last_warning(),
        })
    }

    fn skipped_lines(&self) -> u64 {
        self.rows.skipped_lines()
    }

    fn advice(&self) -> Option<&'static str> {
        self.entries.advice
    }
}
