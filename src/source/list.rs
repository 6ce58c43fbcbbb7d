//! A list of URLs, streamed: lines of text, or one column of a table in CSV, TSV,
//! JSON lines or a JSON array.
//!
//! Each format finds the text that should be an address, in its own file; what
//! becomes of it is the same for all.

mod array;
mod entries;
#[cfg(test)]
mod foreign_bytes;
mod format;
mod json;
mod plain;
mod records;
mod table;
mod values;
mod window;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::{Entry, Source, SourceError, text};
use crate::message::excerpt_url;
use crate::page::decode;
use array::JsonArray;
use entries::{Entries, invalid};
pub(crate) use format::{Choice, Format};
use json::JsonLines;
use plain::Plain;
use table::Table;

const BUFFER: usize = 256 * 1024;

/// Opens the list in the file `path`, gzipped or not.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub(crate) fn open(path: &Path, choice: &Choice) -> Result<Box<dyn Source>, SourceError> {
    let what = name_of(path);
    let unreadable = |source| SourceError::Read { what: what.clone(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(SourceError::Format { what, reason: "it is a directory".into() });
    }
    read(BufReader::with_capacity(BUFFER, file), what, choice)
}

/// The file `path` in messages: an address in its place may hold a password.
pub(crate) fn name_of(path: &Path) -> String {
    match path.display().to_string() {
        address if address.contains("://") => excerpt_url(&address),
        path => path,
    }
}

/// What standard input is called in messages.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// Reads the list from standard input, gzipped or not.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub(crate) fn standard_input(choice: &Choice) -> Result<Box<dyn Source>, SourceError> {
    read(BufReader::with_capacity(BUFFER, io::stdin()), STANDARD_INPUT.into(), choice)
}

/// Reads a list from `reader`; `what` names it in messages, and its format when
/// `choice` leaves that open.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub(crate) fn read(
    reader: impl BufRead + Send + 'static,
    what: String,
    choice: &Choice,
) -> Result<Box<dyn Source>, SourceError> {
    let unreadable = |source| SourceError::Read { what: what.clone(), source };
    let is_start_of_gzip = |start: &[u8]| {
        start.len() < decode::GZIP_MAGIC.len() && decode::GZIP_MAGIC.starts_with(start)
    };
    let mut reader = text::with_start(Box::new(reader), is_start_of_gzip).map_err(unreadable)?;
    let is_gzip = reader.fill_buf().map_err(unreadable)?.starts_with(&decode::GZIP_MAGIC);
    let mut reader = decode::plain_reader(reader)
        .and_then(text::utf8_reader)
        .and_then(|reader| text::with_start(reader, |start| choice.is_open(&what, start)))
        .map_err(unreadable)?;
    let format = choice.format(&what, reader.fill_buf().map_err(unreadable)?);
    let advice = match &format {
        _ if what.to_ascii_lowercase().ends_with(".gz") && !is_gzip => Some(NO_GZIP_ADVICE),
        Format::Text => Some(COLUMN_ADVICE),
        Format::JsonLines { column: None } | Format::Json { column: None } => Some(MEMBER_ADVICE),
        _ => None,
    };
    let rows: Box<dyn Rows> = match format {
        Format::Text => Box::new(Plain::new(reader)),
        Format::JsonLines { column } => Box::new(JsonLines::new(reader, column)),
        Format::Json { column } => Box::new(JsonArray::new(reader, column)),
        Format::Separated { separator, column } => {
            Box::new(Table::open(reader, &what, separator, column)?)
        }
    };
    Ok(Box::new(List { rows, entries: Entries::new(advice), what }))
}

const NO_GZIP_ADVICE: &str =
    "its name ends in .gz, but it is not gzipped: was it unpacked already, or cut off?";
const COLUMN_ADVICE: &str = "of a CSV, TSV or JSON lines file, name the column with --column NAME";
const MEMBER_ADVICE: &str = "where the entries are objects, name the member with --column NAME";
/// What a format has to do.
///
/// Implementors give the rows of a list in input order, and hold no more of the
/// input than they must.
trait Rows: Send {
    /// The next row. `None` is the end, and stays it.
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>>;

    /// Lines so far that held nothing: blank ones, and comments where there are such.
    fn skipped_lines(&self) -> u64 {
        0
    }
}

/// A row of a list, with the number of the line that it begins in.
enum Row<'a> {
    /// What should be an address.
    Text { line: u64, text: Cow<'a, str> },
    /// Bytes that are no UTF-8, as far as they can be read.
    NoText { line: u64, lossy: String },
    /// Why it holds none.
    Invalid { line: u64, reason: String },
    /// No row, but a part that is missing.
    Missing(&'static str),
    /// No row, but what the user should know of the next one.
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

/// The rows of a list as entries.
struct List {
    rows: Box<dyn Rows>,
    entries: Entries,
    what: String,
}

impl Source for List {
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

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Cursor, Write};

    use super::entries::UTF_16_ADVICE;
    use super::*;

    pub(super) fn read_all(text: impl Into<Vec<u8>>, choice: &Choice) -> Vec<String> {
        read_named("the list", text, choice)
    }

    pub(super) fn read_named(name: &str, text: impl Into<Vec<u8>>, choice: &Choice) -> Vec<String> {
        let mut source = read(Cursor::new(text.into()), name.into(), choice).unwrap();
        let mut entries = Vec::new();
        while let Some(entry) = source.next_entry().unwrap() {
            entries.push(match entry {
                Entry::Page(url) => url.to_string(),
                Entry::Invalid { place, reason } => format!("{place}: {reason}"),
                Entry::MissingPart(text) | Entry::Warning(text) => text,
            });
        }
        entries
    }

    fn csv(column: &str) -> Choice {
        Choice::ByName { column: Some(column.into()) }
    }

    pub(super) const TEXT: Choice = Choice::Is(Format::Text);

    #[test]
    fn bom_blank_lines_comments_and_line_ends_are_passed_over() {
        let text =
            "\u{feff}http://a.org/1\r\n\r\n# a comment\n  http://a.org/2#part \n\nhttp://a.org/3";
        assert_eq!(read_all(text, &TEXT), ["http://a.org/1", "http://a.org/2", "http://a.org/3"]);
        assert!(read_all("", &TEXT).is_empty());
    }

    #[test]
    fn what_is_no_url_is_told_with_its_line() {
        let mut text =
            b"example.org\nftp://a.org/\n\xff\x00\xfe\nhttp://\nhttp://a.org/\n".to_vec();
        text.extend(vec![b'x'; 3 * plain::LINE_LIMIT]);
        text.extend(b"\nhttp://a.org/last");
        assert_eq!(
            read_all(text, &TEXT),
            [
                "line 1: \"example.org\" is not an http(s) URL: it has no http:// or https://",
                "line 2: \"ftp://a.org/\" is not an http(s) URL: its scheme is ftp",
                "line 3: \"\u{fffd}\u{fffd}\u{fffd}\" is not text",
                "line 4: \"http://\" is not an http(s) URL: empty host",
                "http://a.org/",
                "line 6: longer than 65536 bytes",
                "http://a.org/last",
            ]
        );
    }

    #[test]
    fn no_line_is_told_with_its_credentials() {
        for line in [
            &b"http://me:sec/ret@a.org/"[..],
            b"http://me:sec#ret@a.org/",
            b"me:secret@a.org/",
            b"secret:x@a.org/",
            b"http://me:secret@a.org/\xff",
            b"me:sec/ret@a.org/\xff",
        ] {
            let message = read_all(line, &TEXT).remove(0);
            assert!(message.contains("a.org/") && !message.contains("sec"), "{message}");
        }
        let message = read_all("url\n\"http://b.org/\nhttp://me:secret@a.org/\"\n", &csv("url"));
        assert!(message[0].contains("a.org/") && !message[0].contains("secret"), "{}", message[0]);
        let list = read(Cursor::new("http://me:secret@a.org/\n"), "the list".into(), &csv("url"));
        let message = list.err().unwrap().to_string();
        assert_eq!(message, r#"the list has no column "url", only "http://a.org/""#);
    }

    #[test]
    fn gzip_is_recognised_by_its_content() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"\xef\xbb\xbfhttp://a.org/1\n").unwrap();
        assert_eq!(read_all(gz.finish().unwrap(), &TEXT), ["http://a.org/1"]);
        let utf_16 = "\u{feff}http://a.org/1\r\n".encode_utf16().flat_map(u16::to_be_bytes);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&utf_16.collect::<Vec<_>>()).unwrap();
        assert_eq!(read_all(gz.finish().unwrap(), &TEXT), ["http://a.org/1"]);
    }

    #[test]
    fn what_tells_a_format_may_come_byte_by_byte() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"http://a.org/1").unwrap();
        let choice = Choice::ByName { column: None };
        for (name, text) in [
            ("x.txt", gz.finish().unwrap()),
            ("x.json", b"\xef\xbb\xbf\n \r\n[\n\"http://a.org/1\"]".to_vec()),
            ("x.jsonl", b"\n\n\"http://a.org/1\"".to_vec()),
            ("x.jsonl", b"\n\nhttp://a.org/1".to_vec()),
        ] {
            for step in [1, 2, 5, 100] {
                let reader = BufReader::with_capacity(step, Cursor::new(text.clone()));
                let mut list = read(reader, name.into(), &choice).unwrap();
                let Ok(Some(Entry::Page(url))) = list.next_entry() else { panic!("{name} {step}") };
                assert_eq!(url.as_str(), "http://a.org/1");
                assert!(list.next_entry().unwrap().is_none());
            }
        }
        for blank in ["", "\n", "  \n"] {
            assert!(read_named("x.json", blank, &choice).is_empty());
        }
    }

    #[test]
    fn a_column_of_a_table_is_read() {
        let text = "name,url\n\"a, b\",http://a.org/1\nx\n,,\n\"two\nlines\",http://a.org/2\n";
        assert_eq!(
            read_all(text, &csv("url")),
            ["http://a.org/1", "line 3: the column is empty", "http://a.org/2"]
        );
        let text = "name\turl\na\thttp://a.org/1\n";
        assert_eq!(read_named("x.TSV.gz", text, &csv("url")), ["http://a.org/1"]);
        let text = "{\"url\":\"http://a.org/1\"}\n{\"u\":1}\nrubbish\n";
        let entries = read_named("x.jsonl", text, &csv("url"));
        assert_eq!(entries[..2], ["http://a.org/1", "line 2: no text under \"url\""]);
        assert!(entries[2].starts_with("line 3: not JSON"), "{}", entries[2]);
    }

    #[test]
    fn a_quote_that_never_ends_is_told_and_does_not_swallow_the_list() {
        let text = "url\n\"http://a.org/1\nhttp://a.org/2\n\"\nhttp://a.org/3\n";
        let entries = read_all(text, &csv("url"));
        assert!(entries[0].contains("goes over several lines"), "{}", entries[0]);
        assert_eq!(entries[1..], ["http://a.org/3"]);
        let rows: String =
            (0..100_000).fold(String::new(), |rows, row| rows + &format!("http://a.org/{row}\n"));
        let entries = read_all(format!("url\n\"http://a.org/\n{rows}"), &csv("url"));
        assert_eq!(entries[0], "line 2: a quote is opened and never closed");
        assert_eq!(entries[1..].join("\n") + "\n", rows);
        let text = "n,url\n\"1,http://a.org/1\n2,http://a.org/2\n\"3\",http://a.org/3\n";
        assert_eq!(
            read_all(text, &csv("url")),
            [
                "line 2: a quote is opened and not closed where a value ends",
                "http://a.org/2",
                "http://a.org/3"
            ]
        );
    }

    #[test]
    fn rows_within_a_value_are_read_as_text_with_a_warning() {
        // The quote of line 2 is closed by a row with another stray one.
        let text = "url,t\nhttp://a.org/1,\"an inch\nhttp://a.org/2,b\nhttp://a.org/3,1\"\n";
        assert_eq!(
            read_all(text, &csv("url")),
            [
                "line 2: 1 line within a value reads like a row; is a quote missing?",
                "http://a.org/1"
            ]
        );
        let text = "url,t\nhttp://a.org/1,\"some text, and\nmore\n\"\n";
        assert_eq!(read_all(text, &csv("url")), ["http://a.org/1"]);
    }

    #[test]
    fn a_long_record_is_read_and_a_longer_one_is_one_row() {
        let row = |number: u32, bytes: usize| (number, "x".repeat(bytes));
        let rows = [row(1, 1 << 20), row(2, 15 << 20), row(3, 17 << 20), row(4, 9)];
        let entries = |name: &str, head: &str, write: fn(&str, u32) -> String| {
            let rows: String = rows.iter().map(|(number, body)| write(body, *number)).collect();
            read_named(name, format!("{head}{rows}"), &csv("url"))
        };
        let lines = entries("x.jsonl", "", |body, n| {
            format!("{{\"b\":\"{body}\",\"url\":\"http://a.org/{n}\"}}\n")
        });
        let table = entries("x.csv", "b,url\n", |body, n| format!("\"{body}\",http://a.org/{n}\n"));
        let tabs = entries("x.tsv", "b\turl\n", |body, n| format!("{body}\thttp://a.org/{n}\n"));
        let array = entries("x.json", "[", |body, n| {
            format!("{{\"b\":\"{body}\",\"url\":\"http://a.org/{n}\"}},")
        });
        for entries in [&lines, &table, &tabs, &array] {
            assert_eq!(entries[..2], ["http://a.org/1", "http://a.org/2"]);
            assert!(entries[2].contains("longer than 16 MiB"), "{}", entries[2]);
            assert_eq!(entries[3], "http://a.org/4");
        }
        assert_eq!(array[4..], ["x.json: it ends before its array does"]);
    }

    #[test]
    fn rows_that_begin_with_a_number_sign_are_data() {
        let text = "#,url\n#1,http://a.org/1\n\"#2\",http://a.org/2\n";
        assert_eq!(read_all(text, &csv("url")), ["http://a.org/1", "http://a.org/2"]);
        let text = text.replace(',', "\t").replace('"', "");
        assert_eq!(read_named("x.tsv", text, &csv("url")), ["http://a.org/1", "http://a.org/2"]);
    }

    #[test]
    fn skipped_lines_are_counted() {
        for (name, text, choice, count) in [
            ("x", "\u{feff}# a\n\n http://a.org/\n\u{3000}\n  # b\r\r", &TEXT, 5),
            ("x.csv", "\nn,url\n,\n\n1,http://a.org/\n \r\n", &csv("url"), 4),
            ("x.jsonl", "\n{\"url\":\"http://a.org/\"}\n\u{feff} \n", &csv("url"), 2),
        ] {
            let mut list = read(Cursor::new(text), name.into(), choice).unwrap();
            let mut pages = 0;
            while let Some(entry) = list.next_entry().unwrap() {
                assert!(matches!(entry, Entry::Page(_)), "{entry:?}");
                pages += 1;
            }
            assert_eq!((pages, list.skipped_lines()), (1, count), "{text:?}");
        }
    }

    #[test]
    fn a_list_without_pages_says_what_may_help() {
        let utf_16: Vec<u8> =
            "http://a.org/ü\nhttp://國.org/".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let none = Choice::ByName { column: None };
        for (name, text, choice, advice) in [
            ("x.txt", b"url,n\n".to_vec(), &none, Some(COLUMN_ADVICE)),
            ("x.txt", utf_16, &none, Some(UTF_16_ADVICE)),
            ("x.txt.GZ", b"no gzip".to_vec(), &none, Some(NO_GZIP_ADVICE)),
            ("x.json", b"[{}]".to_vec(), &none, Some(MEMBER_ADVICE)),
            ("x.jsonl", b"{}".to_vec(), &csv("url"), None),
            ("x.csv", b"url\nx".to_vec(), &csv("url"), None),
        ] {
            let mut list = read(Cursor::new(text), name.into(), choice).unwrap();
            while list.next_entry().unwrap().is_some() {}
            assert_eq!(list.advice(), advice, "{name}");
        }
        let table = b"u\0r\0l\0\n\0".to_vec();
        let message = read(Cursor::new(table), "x".into(), &csv("url")).err().unwrap().to_string();
        assert!(message.contains("UTF-16"), "{message}");
    }

    #[test]
    fn an_empty_list_names_no_page_in_any_format() {
        for name in ["x", "x.csv", "x.tsv", "x.jsonl", "x.json"] {
            for text in ["", "\n \n", "\u{feff}"] {
                assert!(read_named(name, text, &csv("url")).is_empty(), "{name} {text:?}");
            }
        }
    }

    #[test]
    fn a_missing_column_is_told_with_those_that_are_there() {
        let list = read(Cursor::new("name,link\n"), "the list".into(), &csv("url"));
        let message = list.err().unwrap().to_string();
        assert_eq!(message, r#"the list has no column "url", only "name", "link""#);
    }

    #[test]
    fn a_list_is_read_as_people_have_it() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let pages = ["http://a.org/1", "http://a.org/2"];
        for text in [
            utf_16("\u{feff}http://a.org/1\r\nhttp://a.org/2\r\n"),
            b"\xef\xbb\xbfhttp://a.org/1\n\xef\xbb\xbfhttp://a.org/2".to_vec(),
            b"http://a.org/1\rhttp://a.org/2\r".to_vec(),
            "\u{a0}http://a.org/1\u{3000}\n\u{feff}# no\n\u{3000}\nhttp://a.org/2\u{200b}".into(),
        ] {
            assert_eq!(read_all(text, &TEXT), pages);
        }
    }
}
