//! A list of URLs, streamed: lines of text, or one column of CSV, TSV or JSON lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::address::Addresses;
use super::text::{self, Lines};
use super::{Entry, Source, SourceError};
use crate::message::{excerpt, excerpt_url, without_credentials};
use crate::page::decode;

const BUFFER: usize = 256 * 1024;
/// A longer line is no URL; servers take some 8,000 bytes (RFC 9110, 4.1).
const LINE_LIMIT: usize = 64 * 1024;

/// How a list is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One URL a line.
    Text,
    /// Values with this separator; the first line names the columns.
    Separated {
        /// `,` or a tab.
        separator: u8,
        /// The column of the URLs.
        column: String,
    },
    /// A JSON object a line.
    JsonLines {
        /// The member that holds the URL.
        column: String,
    },
}

impl Format {
    /// The format of the file `name`, by its ending (before `.gz`); text when
    /// no column is named.
    pub fn of(name: &str, column: Option<&str>) -> Self {
        let Some(column) = column.map(str::to_owned) else {
            return Self::Text;
        };
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("jsonl" | "ndjson" | "json") => Self::JsonLines { column },
            Some("tsv" | "tab") => Self::Separated { separator: b'\t', column },
            _ => Self::Separated { separator: b',', column },
        }
    }
}

/// Opens the list in the file `path`, gzipped or not.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub fn open(path: &Path, column: Option<&str>) -> Result<Box<dyn Source>, SourceError> {
    let what = match path.display().to_string() {
        // An address in the place of a file may hold a password.
        address if address.contains("://") => excerpt_url(&address),
        path => path,
    };
    let unreadable = |source| SourceError::Read { what: what.clone(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(SourceError::Format { what, reason: "it is a directory".into() });
    }
    let format = Format::of(&what, column);
    read(BufReader::with_capacity(BUFFER, file), what, format)
}

/// Reads the list from standard input, gzipped or not.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub fn standard_input(column: Option<&str>) -> Result<Box<dyn Source>, SourceError> {
    let what = "standard input".to_owned();
    let format = Format::of("", column);
    read(BufReader::with_capacity(BUFFER, io::stdin()), what, format)
}

/// Reads a list in `format` from `reader`; `what` names it in messages.
///
/// # Errors
///
/// [`SourceError`] when it cannot be read or lacks the column.
pub fn read(
    reader: impl BufRead + Send + 'static,
    what: String,
    format: Format,
) -> Result<Box<dyn Source>, SourceError> {
    let unreadable = |source| SourceError::Read { what: what.clone(), source };
    let reader = decode::plain_reader(reader).and_then(text::utf8_reader).map_err(unreadable)?;
    let addresses = Addresses::default();
    Ok(match format {
        Format::Text => Box::new(Text { lines: Lines::new(reader, LINE_LIMIT), what, addresses }),
        Format::JsonLines { column } => {
            Box::new(JsonLines { lines: Lines::new(reader, LINE_LIMIT), what, addresses, column })
        }
        Format::Separated { separator, column } => {
            Box::new(Separated::open(reader, what, separator, column)?)
        }
    })
}

/// Reads the next line that holds something and is no comment; false at the end.
fn advance(lines: &mut Lines, what: &str) -> Result<bool, SourceError> {
    loop {
        let read = lines.advance();
        let read = read.map_err(|source| SourceError::Read { what: what.to_owned(), source })?;
        // A mark is dropped at the head of any line, for files that were put together.
        let is_passed_over = match std::str::from_utf8(lines.line()) {
            Ok(line) => text::trimmed(line).is_empty() || text::trimmed(line).starts_with('#'),
            Err(_) => lines.line().trim_ascii_start().starts_with(b"#"),
        };
        if !read || !is_passed_over {
            return Ok(read);
        }
    }
}

/// The line without what stands around it, or why it is none.
fn line(lines: &Lines) -> Result<&str, String> {
    if lines.is_cut() {
        return Err(format!("longer than {LINE_LIMIT} bytes"));
    }
    std::str::from_utf8(lines.line()).map(text::trimmed).map_err(|_| {
        let lossy = String::from_utf8_lossy(lines.line().trim_ascii());
        format!("{:?} is not text", excerpt_url(&lossy))
    })
}

fn invalid(lines: &Lines, reason: String) -> Entry {
    Entry::Invalid { place: format!("line {}", lines.number()), reason }
}

/// The page that `text` names, or why it names none.
fn entry_of(addresses: &mut Addresses, text: &str) -> Result<Entry, String> {
    addresses
        .read(text)
        .map(Entry::Page)
        .map_err(|why| format!("{:?} is not an http(s) URL: {why}", excerpt_url(text)))
}

struct Text {
    lines: Lines,
    what: String,
    addresses: Addresses,
}

impl Source for Text {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        if !advance(&mut self.lines, &self.what)? {
            return Ok(None);
        }
        let entry = line(&self.lines).and_then(|text| entry_of(&mut self.addresses, text));
        Ok(Some(entry.unwrap_or_else(|reason| invalid(&self.lines, reason))))
    }
}

struct JsonLines {
    lines: Lines,
    what: String,
    addresses: Addresses,
    column: String,
}

impl Source for JsonLines {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        if !advance(&mut self.lines, &self.what)? {
            return Ok(None);
        }
        let entry = line(&self.lines).and_then(|line| {
            let value: serde_json::Value =
                serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
            match value.get(&self.column).and_then(serde_json::Value::as_str) {
                Some(text) => entry_of(&mut self.addresses, text::trimmed(text)),
                None => Err(format!("no text under {:?}", self.column)),
            }
        });
        Ok(Some(entry.unwrap_or_else(|reason| invalid(&self.lines, reason))))
    }
}

/// A reader that stops with an error when a record takes too much.
struct Bounded {
    inner: Box<dyn BufRead + Send>,
    /// Bytes that may still be read before the next record is asked for.
    room: usize,
}

impl Bounded {
    /// A record, and what the reader behind takes ahead of it.
    const ROOM: usize = 1 << 20;
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.room == 0 {
            let text = "a record of more than 1 MiB: is a quote opened and never closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let length = buffer.len().min(self.room);
        let read = self.inner.read(&mut buffer[..length])?;
        self.room -= read;
        Ok(read)
    }
}

struct Separated {
    reader: csv::Reader<Bounded>,
    addresses: Addresses,
    what: String,
    column: usize,
    record: csv::ByteRecord,
}

impl Separated {
    fn open(
        reader: Box<dyn BufRead + Send>,
        what: String,
        separator: u8,
        column: String,
    ) -> Result<Self, SourceError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            // Tab-separated values know no quotes (the IANA media type text/tab-separated-values).
            .quoting(separator != b'\t')
            .flexible(true)
            .comment(Some(b'#'))
            .from_reader(Bounded { inner: reader, room: Bounded::ROOM });
        let headers = reader.byte_headers().map_err(|error| broken(&what, error))?;
        let place = headers.iter().position(|name| name.trim_ascii() == column.as_bytes());
        let Some(place) = place else {
            // A list without a head has its first page here.
            let names = headers.iter().map(String::from_utf8_lossy);
            let names: Vec<_> =
                names.map(|name| format!("{:?}", without_credentials(&name))).collect();
            let there =
                if names.is_empty() { "nothing".into() } else { excerpt(&names.join(", ")) };
            return Err(SourceError::NoColumn { what, column, there });
        };
        let (addresses, record) = (Addresses::default(), csv::ByteRecord::new());
        Ok(Self { reader, addresses, what, column: place, record })
    }
}

impl Source for Separated {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            let line = self.reader.position().line();
            self.reader.get_mut().room = Bounded::ROOM;
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|error| broken(&self.what, error))? {
                return Ok(None);
            }
            let value = self.record.get(self.column).unwrap_or_default().trim_ascii();
            if self.record.iter().all(|value| value.trim_ascii().is_empty()) {
                continue;
            }
            let line = self.record.position().map_or(line, csv::Position::line);
            let entry = match std::str::from_utf8(value) {
                Ok("") => Err("the column is empty".into()),
                // The rules for URLs would drop them and join the lines.
                Ok(text) if text.contains(['\n', '\r']) => {
                    Err(format!("{:?} goes over several lines", excerpt_url(text)))
                }
                Ok(text) => entry_of(&mut self.addresses, text),
                Err(_) => Err("not text".into()),
            };
            let place = format!("line {line}");
            return Ok(Some(entry.unwrap_or_else(|reason| Entry::Invalid { place, reason })));
        }
    }
}

fn broken(what: &str, error: csv::Error) -> SourceError {
    let what = what.to_owned();
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => SourceError::Read { what, source },
        _ => SourceError::Format { what, reason },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn read_all(text: impl Into<Vec<u8>>, format: Format) -> Vec<String> {
        let mut source = read(Cursor::new(text.into()), "the list".into(), format).unwrap();
        let mut entries = Vec::new();
        while let Some(entry) = source.next_entry().unwrap() {
            entries.push(match entry {
                Entry::Page(url) => url.to_string(),
                Entry::Invalid { place, reason } => format!("{place}: {reason}"),
                Entry::MissingPart(part) => part,
            });
        }
        entries
    }

    fn csv(column: &str) -> Format {
        Format::of("x.csv", Some(column))
    }

    #[test]
    fn bom_blank_lines_comments_and_line_ends_are_passed_over() {
        let text =
            "\u{feff}http://a.org/1\r\n\r\n# a comment\n  http://a.org/2#part \n\nhttp://a.org/3";
        assert_eq!(
            read_all(text, Format::Text),
            ["http://a.org/1", "http://a.org/2", "http://a.org/3"]
        );
        assert!(read_all("", Format::Text).is_empty());
    }

    #[test]
    fn what_is_no_url_is_told_with_its_line() {
        let mut text =
            b"example.org\nftp://a.org/\n\xff\x00\xfe\nhttp://\nhttp://a.org/\n".to_vec();
        text.extend(vec![b'x'; 3 * LINE_LIMIT]);
        text.extend(b"\nhttp://a.org/last");
        assert_eq!(
            read_all(text, Format::Text),
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
            let told = read_all(line, Format::Text).remove(0);
            assert!(told.contains("a.org/") && !told.contains("sec"), "{told}");
        }
        let told = read_all("url\n\"http://b.org/\nhttp://me:secret@a.org/\"\n", csv("url"));
        assert!(told[0].contains("a.org/") && !told[0].contains("secret"), "{}", told[0]);
        let list = read(Cursor::new("http://me:secret@a.org/\n"), "the list".into(), csv("url"));
        let told = list.err().unwrap().to_string();
        assert_eq!(told, r#"the list has no column "url", only "http://a.org/""#);
    }

    #[test]
    fn gzip_is_recognised_by_its_content() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"\xef\xbb\xbfhttp://a.org/1\n").unwrap();
        assert_eq!(read_all(gz.finish().unwrap(), Format::Text), ["http://a.org/1"]);
    }

    #[test]
    fn a_column_of_a_table_is_read() {
        let text = "name,url\n\"a, b\",http://a.org/1\nx\n,,\n\"two\nlines\",http://a.org/2\n";
        assert_eq!(
            read_all(text, csv("url")),
            ["http://a.org/1", "line 3: the column is empty", "http://a.org/2"]
        );
        let text = "name\turl\na\thttp://a.org/1\n";
        assert_eq!(read_all(text, Format::of("x.TSV.gz", Some("url"))), ["http://a.org/1"]);
        let text = "{\"url\":\"http://a.org/1\"}\n{\"u\":1}\nrubbish\n";
        let entries = read_all(text, Format::of("x.jsonl", Some("url")));
        assert_eq!(entries[..2], ["http://a.org/1", "line 2: no text under \"url\""]);
        assert!(entries[2].starts_with("line 3: not JSON"), "{}", entries[2]);
    }

    #[test]
    fn a_quote_that_never_ends_is_told_and_does_not_swallow_the_list() {
        let text = "url\n\"http://a.org/1\nhttp://a.org/2\n\"\nhttp://a.org/3\n";
        let entries = read_all(text, csv("url"));
        assert!(entries[0].contains("goes over several lines"), "{}", entries[0]);
        assert_eq!(entries[1], "http://a.org/3");
        let text = format!("url\n\"http://a.org/\n{}", "http://a.org/x\n".repeat(100_000));
        let mut list = read(Cursor::new(text), "the list".into(), csv("url")).unwrap();
        let error = list.next_entry().unwrap_err();
        assert!(crate::message::one_line(&error).contains("a quote opened"), "{error}");
    }

    #[test]
    fn a_missing_column_is_told_with_those_that_are_there() {
        let list = read(Cursor::new("name,link\n"), "the list".into(), csv("url"));
        let told = list.err().unwrap().to_string();
        assert_eq!(told, r#"the list has no column "url", only "name", "link""#);
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
            assert_eq!(read_all(text, Format::Text), pages);
        }
    }
}
