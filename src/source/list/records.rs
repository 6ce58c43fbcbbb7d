//! Finds the records of a table with separated values (RFC 4180), and the next record after a
//! broken one.
//!
//! A quote that is opened and never closed would make one record of all that
//! follows. So a record may have several lines only when its quotes are closed where a value
//! ends. Otherwise reading continues with the next line that looks like a row; the table
//! decides which lines do.

use std::io::{self, BufRead};
use std::ops::Range;

use super::record_scan::{RecordEnd, RecordScan};
use super::values::Syntax;
use super::window::{RECORD_LIMIT, Window};
use crate::source::text::without_marks;

const TOO_LONG: &str = "the record is longer than 16 MiB: is a quote opened and never closed?";
const NEVER_CLOSED: &str = "a quote is opened and never closed";
const CLOSED_WITHIN: &str = "a quote is opened and not closed where a value ends";

/// What comes next in a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A record, with its place in the window, without its line end.
    Whole(Range<usize>),
    /// A broken record, and what is wrong with it.
    Broken(&'static str),
    /// The end of the table.
    End,
}

/// The records of a table, one after the other.
pub(super) struct Records {
    window: Window,
    syntax: Syntax,
    line: u64,
    /// The part of the window that the current record takes.
    done: Seen,
}

/// A part at the start of the window, in bytes and in lines.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    bytes: usize,
    lines: u64,
}

impl Records {
    pub(super) fn new(reader: Box<dyn BufRead + Send>, syntax: Syntax) -> Self {
        Self { window: Window::new(reader), syntax, line: 1, done: Seen::default() }
    }

    /// The line in which the current record begins, counted from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The bytes at a place in the window.
    pub(super) fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.window.bytes()[place]
    }

    /// Reads the next record. A broken one ends before the next line for which
    /// `is_row` is true.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    pub(super) fn advance(&mut self, is_row: impl Fn(&[u8]) -> bool) -> io::Result<Record> {
        let done = std::mem::take(&mut self.done);
        self.window.consume(done.bytes);
        self.line += done.lines;
        let mut scan = RecordScan::new(self.syntax);
        let mut seen = Seen::default();
        let mut start = 0;
        while let Some(end) = self.line_end(seen.bytes)? {
            let next = end + self.break_length(end)?;
            let line = &self.window.bytes()[seen.bytes..end];
            if seen.lines == 0 {
                start = line.len() - without_marks(line).len();
            }
            scan.feed(&line[if seen.lines == 0 { start } else { 0 }..]);
            seen = Seen { bytes: next, lines: seen.lines + 1 };
            match scan.end_line() {
                RecordEnd::Here => {
                    self.done = seen;
                    let fits = end - start <= RECORD_LIMIT;
                    let record = Record::Whole(start..end);
                    return Ok(if fits { record } else { Record::Broken(TOO_LONG) });
                }
                RecordEnd::Badly => return Ok(self.resume(seen, is_row, CLOSED_WITHIN)),
                RecordEnd::Later if next > self.window.room() => {
                    // A text may be this long. It hardly ever holds lines that look like rows.
                    let is_text = self.window.room() == RECORD_LIMIT
                        && first_row(&self.window.bytes()[..next], &is_row).is_none();
                    if !is_text {
                        return Ok(self.resume(seen, is_row, TOO_LONG));
                    }
                    return self.pass_over(seen, scan);
                }
                RecordEnd::Later => (),
            }
        }
        let is_too_long = self.window.bytes().len() > seen.bytes;
        match (is_too_long, seen.lines) {
            (true, _) => self.pass_over(seen, scan),
            (false, 0) => Ok(Record::End),
            (false, _) => Ok(self.resume(seen, is_row, NEVER_CLOSED)),
        }
    }

    /// Finds the end of the line that begins at `start`, before its line end. `None` at the end
    /// of the input, and for a line that does not end within the limit.
    fn line_end(&mut self, start: usize) -> io::Result<Option<usize>> {
        let mut from = start;
        loop {
            let bytes = self.window.bytes();
            if let Some(end) = memchr::memchr2(b'\n', b'\r', &bytes[from..]) {
                return Ok(Some(from + end));
            }
            from = bytes.len();
            if from - start > RECORD_LIMIT {
                return Ok(None);
            }
            if !self.window.read()? {
                return Ok((from > start).then_some(from));
            }
        }
    }

    /// The number of bytes of the line end at `end`: LF, CR LF, CR, or the end of the input.
    fn break_length(&mut self, end: usize) -> io::Result<usize> {
        if self.window.bytes().get(end) != Some(&b'\r') {
            return Ok(usize::from(self.window.bytes().len() > end));
        }
        if self.window.bytes().len() == end + 1 {
            self.window.read()?;
        }
        Ok(1 + usize::from(self.window.bytes().get(end + 1) == Some(&b'\n')))
    }

    /// Continues with the first row in the part that was `seen`, or after it.
    fn resume(
        &mut self,
        seen: Seen,
        is_row: impl Fn(&[u8]) -> bool,
        reason: &'static str,
    ) -> Record {
        let row = first_row(&self.window.bytes()[..seen.bytes], is_row);
        self.window.give_up(seen.bytes);
        self.done = row.unwrap_or(seen);
        Record::Broken(reason)
    }

    /// Skips the part that was `seen` and the rest of its record, without holding it.
    fn pass_over(&mut self, mut seen: Seen, mut scan: RecordScan) -> io::Result<Record> {
        self.window.consume(seen.bytes);
        loop {
            let bytes = self.window.bytes();
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            let length = end.unwrap_or(bytes.len());
            scan.feed(&bytes[..length]);
            self.window.consume(length);
            if end.is_some() {
                let break_length = self.break_length(0)?;
                self.window.consume(break_length);
                seen.lines += 1;
                if scan.end_line() != RecordEnd::Later {
                    break;
                }
            } else if !self.window.read()? {
                break;
            }
        }
        self.done = Seen { bytes: 0, lines: seen.lines };
        Ok(Record::Broken(TOO_LONG))
    }
}

/// Returns the part of `bytes` before the first line that is a row. The very first line does not
/// count.
fn first_row(bytes: &[u8], is_row: impl Fn(&[u8]) -> bool) -> Option<Seen> {
    let mut start = 0;
    let mut lines = 0;
    while start < bytes.len() {
        let length = memchr::memchr2(b'\n', b'\r', &bytes[start..]);
        let end = length.map_or(bytes.len(), |length| start + length);
        if lines > 0 && is_row(without_marks(&bytes[start..end])) {
            return Some(Seen { bytes: start, lines });
        }
        let is_pair = bytes[end..].starts_with(b"\r\n");
        start = end + 1 + usize::from(is_pair);
        lines += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use proptest::{prelude::*, test_runner::RngSeed};

    use super::super::values::{said, values};
    use super::*;

    const COMMAS: Syntax = Syntax { separator: b',', has_quotes: true };

    fn records(bytes: &[u8], step: usize, syntax: Syntax) -> Vec<(u64, Result<Vec<String>, ()>)> {
        let reader = BufReader::with_capacity(step, Cursor::new(bytes.to_vec()));
        let mut records = Records::new(Box::new(reader), syntax);
        let is_row = |line: &[u8]| line.starts_with(b"row");
        let mut read = Vec::new();
        loop {
            match records.advance(is_row).unwrap() {
                Record::End => return read,
                Record::Broken(_) => read.push((records.line(), Err(()))),
                Record::Whole(place) => {
                    let text = |value| String::from_utf8_lossy(&said(value, syntax)).into_owned();
                    let said = values(records.bytes(place), syntax).map(text).collect();
                    read.push((records.line(), Ok(said)));
                }
            }
        }
    }

    #[test]
    fn a_broken_record_costs_no_other() {
        type Expected<'a> = &'a [(u64, Option<&'a [&'a str]>)];
        let cases: &[(&str, Expected)] = &[
            ("", &[]),
            ("a,b", &[(1, Some(&["a", "b"]))]),
            ("a\r\nb\rc\n", &[(1, Some(&["a"])), (2, Some(&["b"])), (3, Some(&["c"]))]),
            ("\"a\r\nb\",c\nd", &[(1, Some(&["a\r\nb", "c"])), (3, Some(&["d"]))]),
            ("\u{feff}\"a\",b\n\u{feff}\"c\"", &[(1, Some(&["a", "b"])), (2, Some(&["c"]))]),
            ("a\"b,\"c\"d,\"\"\"e\"\"\"", &[(1, Some(&["a\"b", "cd", "\"e\""]))]),
            // Never closed: what looks like a row goes on, or the table is over.
            ("\"a\nrow,1\nrow,2", &[(1, None), (2, Some(&["row", "1"])), (3, Some(&["row", "2"]))]),
            ("x\n\"a\nb\nc\n", &[(1, Some(&["x"])), (2, None)]),
            ("\"a\nb\nrow\n", &[(1, None), (3, Some(&["row"]))]),
            // Closed by the quote that opens another value.
            (
                "\"a\nrow,1\nx,\"y\"\nrow,2",
                &[
                    (1, None),
                    (2, Some(&["row", "1"])),
                    (3, Some(&["x", "y"])),
                    (4, Some(&["row", "2"])),
                ],
            ),
            ("\"a\",\"b\n\"c\",\"d\"\nrow", &[(1, None), (3, Some(&["row"]))]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, values)| {
                    let values = values.map(|it| it.iter().map(|it| (*it).to_owned()).collect());
                    (*line, values.ok_or(()))
                })
                .collect();
            for step in [1, 2, 3, 7, 1024] {
                assert_eq!(records(text.as_bytes(), step, COMMAS), expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_one_record() {
        let long = "x".repeat(RECORD_LIMIT);
        let lines = "some text\n".repeat(RECORD_LIMIT / 10);
        for (text, line) in [
            (format!("row,{long}\nrow,2"), 2),
            (format!("row,\"{long}\",b\r\nrow,2"), 2),
            (
                format!("row,\"{lines}more\",b\nrow,2"),
                2 + u64::try_from(RECORD_LIMIT / 10).unwrap(),
            ),
        ] {
            let read = records(text.as_bytes(), 1 << 18, COMMAS);
            let second = (line, Ok(vec!["row".into(), "2".into()]));
            assert!(read == [(1, Err(())), second], "{}", read.len());
        }
        let fits = format!("row,\"{}\"", "x".repeat(RECORD_LIMIT - 100));
        assert!(records(fits.as_bytes(), 1 << 18, COMMAS)[0].1.is_ok());
    }

    #[test]
    fn a_table_that_is_broken_all_over_takes_no_square_of_its_length() {
        // Each first line opens a quote, and the next ones never close it for good.
        let text = "a\",\"\nrow,1\n".repeat(1 << 20);
        let mut records = Records::new(Box::new(Cursor::new(text)), COMMAS);
        let looked_at = std::cell::Cell::new(0_u64);
        let is_row = |line: &[u8]| {
            looked_at.set(looked_at.get() + 1);
            line.starts_with(b"row")
        };
        let mut rows = 0;
        loop {
            match records.advance(is_row).unwrap() {
                Record::End => break,
                Record::Broken(_) => (),
                Record::Whole(_) => rows += 1,
            }
        }
        assert!(rows > 1 << 19, "{rows}");
        assert!(looked_at.get() < 1 << 24, "{looked_at:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(4180),
            failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_table_that_is_well_written_is_read_as_by_others(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a,\"\n\r ü]{0,6}", 1..4), 1..6),
            step in 1_usize..9,
            is_tab in any::<bool>(),
        ) {
            let separator = if is_tab { b'\t' } else { b',' };
            let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let read = records(&text, step, Syntax { separator, has_quotes: true });
            let read: Vec<_> = read.into_iter().map(|(_, record)| record.unwrap()).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn rubbish_comes_to_an_end(text in "[a,\"\n\r]{0,40}(row)?[a,\"\n\r]{0,40}", step in 1_usize..9) {
            let lines: Vec<_> =
                records(text.as_bytes(), step, COMMAS).into_iter().map(|it| it.0).collect();
            prop_assert!(lines.is_sorted(), "{:?}", lines);
        }
    }
}
