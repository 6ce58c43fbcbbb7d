//! The formats with separated values: one column of a table.

use std::io::{self, BufRead};
use std::ops::Range;

use super::entries::{UTF_16_ADVICE, UTF_16_REASON, WARNINGS_LIMIT, looks_like_utf_16};
use super::records::{Record, Records};
use super::values::{Syntax, said, values};
use super::{Row, Rows};
use crate::message::{excerpt, excerpt_url, without_credentials};
use crate::source::text::{self, trimmed};
use crate::source::{SourceError, page_url};

/// A column of a table whose first row names the columns.
pub(super) struct Table {
    records: Records,
    shape: Shape,
    skipped_lines: u64,
    /// The current record, when a warning is returned before it.
    doubted: Option<Range<usize>>,
    warnings: u64,
}

/// What all rows of a table have in common.
#[derive(Debug, Clone, Copy)]
struct Shape {
    syntax: Syntax,
    /// The number of columns, and the place of the column with the addresses.
    columns: usize,
    column: usize,
}

impl Table {
    /// Reads the head of the table `what`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it cannot be read or lacks the column.
    pub(super) fn open(
        reader: Box<dyn BufRead + Send>,
        what: &str,
        separator: u8,
        column: String,
    ) -> Result<Self, SourceError> {
        let what = what.to_owned();
        // Tab-separated values know no quotes (the IANA media type text/tab-separated-values).
        let syntax = Syntax { separator, has_quotes: separator != b'\t' };
        let mut records = Records::new(reader, syntax);
        let mut skipped_lines = 0;
        let names = loop {
            let record = records.advance(|_| false);
            match record.map_err(|source| SourceError::Read { what: what.clone(), source })? {
                Record::Whole(place) if is_blank(records.bytes(place.clone()), syntax) => {
                    skipped_lines += 1;
                }
                Record::Whole(place) => break names(records.bytes(place), syntax),
                Record::Broken(reason) => {
                    let reason = format!("line {}: {reason}", records.line());
                    return Err(SourceError::Format { what, reason });
                }
                // A table without a row names no page, and lacks no column.
                Record::End => break vec![column.clone()],
            }
        };
        let Some(place) = names.iter().position(|name| *name == column) else {
            return Err(no_column(what, column, &names));
        };
        let shape = Shape { syntax, columns: names.len(), column: place };
        Ok(Self { records, shape, skipped_lines, doubted: None, warnings: 0 })
    }
}

fn names(record: &[u8], syntax: Syntax) -> Vec<String> {
    let name = |value| trimmed(&String::from_utf8_lossy(&said(value, syntax))).to_owned();
    values(record, syntax).map(name).collect()
}

fn no_column(what: String, column: String, names: &[String]) -> SourceError {
    if names.iter().any(|name| looks_like_utf_16(name)) {
        return SourceError::Format { what, reason: format!("{UTF_16_REASON}: {UTF_16_ADVICE}") };
    }
    // Without a row of names, this is the first row, and may hold an address.
    let names: Vec<_> =
        names.iter().map(|name| format!("{:?}", without_credentials(name))).collect();
    let mut there = excerpt(&names.join(", "));
    if names.iter().any(|name| name.contains("\\t")) {
        there += ", which has tabs: is it --input-format tsv?";
    }
    SourceError::NoColumn { what, column, there }
}

/// Whether all values of `record` are empty.
fn is_blank(record: &[u8], syntax: Syntax) -> bool {
    // Nearly every row ends the check here.
    let may_be = record.first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    may_be
        && values(record, syntax).all(|value| {
            let value = said(value, syntax);
            std::str::from_utf8(&value).is_ok_and(text::is_blank)
        })
}

impl Shape {
    /// Whether `line` is a row by itself. Within quotes that are not closed, such lines
    /// are rows that the quotes hide.
    fn is_row(self, line: &[u8]) -> bool {
        let is_address = |value: &[u8]| {
            let said = said(value, self.syntax);
            std::str::from_utf8(&said).is_ok_and(|said| page_url(trimmed(said)).is_ok())
        };
        values(line, self.syntax).nth(self.column).is_some_and(is_address)
            && values(line, self.syntax).count() == self.columns
    }

    /// Returns a warning when `record` may be several records: lines in its middle are rows by
    /// themselves. With one column there is no warning, because an address of several lines is
    /// reported as invalid.
    fn doubt(self, record: &[u8]) -> Option<String> {
        let mut ends = memchr::memchr2_iter(b'\n', b'\r', record);
        let (first, last) = (ends.next()?, ends.next_back()?);
        let lines = record[first + 1..last].split(|byte| matches!(byte, b'\n' | b'\r'));
        let is_row = |line: &&[u8]| !line.contains(&b'"') && self.is_row(line);
        let rows = lines.filter(is_row).count();
        let (lines, read) = if rows == 1 { ("line", "reads") } else { ("lines", "read") };
        (rows > 0 && self.columns > 1).then(|| {
            format!("{rows} {lines} within a value {read} like a row; is a quote missing?")
        })
    }

    /// Returns the row of `record`, which begins in `line`.
    fn row(self, record: &[u8], line: u64) -> Row<'_> {
        let value = values(record, self.syntax).nth(self.column).unwrap_or_default();
        let row = Row::of_bytes(line, said(value, self.syntax));
        let Row::Text { text, .. } = &row else {
            return row;
        };
        match trimmed(text) {
            "" => Row::Invalid { line, reason: "the column is empty".into() },
            // The URL parser would drop the line ends and join the lines.
            text if text.contains(['\n', '\r']) => {
                let reason = format!("{:?} goes over several lines", excerpt_url(text));
                Row::Invalid { line, reason }
            }
            _ => row,
        }
    }
}

impl Rows for Table {
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        let shape = self.shape;
        if let Some(place) = self.doubted.take() {
            return Ok(Some(shape.row(self.records.bytes(place), self.records.line())));
        }
        loop {
            let record = self.records.advance(|line| shape.is_row(line))?;
            let line = self.records.line();
            match record {
                Record::Whole(place)
                    if is_blank(self.records.bytes(place.clone()), shape.syntax) =>
                {
                    self.skipped_lines += 1;
                }
                Record::Whole(place) => {
                    let doubt = shape.doubt(self.records.bytes(place.clone()));
                    if let Some(text) = doubt.filter(|_| self.warnings < WARNINGS_LIMIT) {
                        self.warnings += 1;
                        self.doubted = Some(place);
                        return Ok(Some(Row::Doubt { line, text }));
                    }
                    return Ok(Some(shape.row(self.records.bytes(place), line)));
                }
                Record::Broken(reason) => {
                    return Ok(Some(Row::Invalid { line, reason: reason.to_owned() }));
                }
                Record::End => return Ok(None),
            }
        }
    }

    fn skipped_lines(&self) -> u64 {
        self.skipped_lines
    }
}
