//! Text as people write it: encodings, line ends, and the characters around an address.
//!
//! Every source that is text reads it through this file, so that the same bytes
//! mean the same in a list, a table, a sitemap and an index. The sources decide what a line
//! means.

use std::io::{self, BufRead, Cursor, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};

/// Bytes of text that are decoded at a time.
const BUFFER: usize = 64 * 1024;
/// The byte order mark, U+FEFF, in UTF-8.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
/// The same in UTF-16.
const UTF_16LE_MARK: &[u8] = b"\xff\xfe";
const UTF_16BE_MARK: &[u8] = b"\xfe\xff";

/// Makes a reader of UTF-8 from a reader of UTF-8, or of UTF-16 with a byte order mark
/// (PowerShell's `>` and Excel's "Unicode text" write such files).
///
/// The mark is dropped. UTF-16 is decoded while it is read; a unit that is not part of a
/// character becomes U+FFFD. All other bytes pass unchanged, at no cost.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(super) fn utf8_reader(
    mut reader: Box<dyn BufRead + Send>,
) -> io::Result<Box<dyn BufRead + Send>> {
    reader = with_start(reader, is_start_of_mark)?;
    let start = fill(&mut reader)?;
    let encoding = if start.starts_with(UTF_16LE_MARK) {
        UTF_16LE
    } else if start.starts_with(UTF_16BE_MARK) {
        UTF_16BE
    } else {
        if start.starts_with(UTF_8_MARK) {
            reader.consume(UTF_8_MARK.len());
        }
        return Ok(reader);
    };
    reader.consume(UTF_16LE_MARK.len());
    let decoder = encoding.new_decoder_without_bom_handling();
    let text = vec![0; BUFFER];
    Ok(Box::new(Decoding { reader, decoder, text, given: 0, decoded: 0, is_over: false }))
}

/// Returns `reader` with a first buffer that is long enough: `is_short` is false for it, or the
/// input ends there. A pipe may otherwise give the bytes that show a format one by one.
///
/// # Errors
///
/// Those of the reader.
pub(super) fn with_start(
    mut reader: Box<dyn BufRead + Send>,
    is_short: impl Fn(&[u8]) -> bool,
) -> io::Result<Box<dyn BufRead + Send>> {
    let available = fill(&mut reader)?;
    if available.is_empty() || !is_short(available) {
        return Ok(reader);
    }
    let mut start = Vec::new();
    while start.is_empty() || is_short(&start) {
        let available = fill(&mut reader)?;
        let length = available.len();
        if length == 0 {
            break;
        }
        start.extend_from_slice(available);
        reader.consume(length);
    }
    Ok(Box::new(Cursor::new(start).chain(reader)))
}

/// Whether `bytes` with more bytes may become a byte order mark.
fn is_start_of_mark(bytes: &[u8]) -> bool {
    [UTF_8_MARK, UTF_16LE_MARK, UTF_16BE_MARK]
        .iter()
        .any(|mark| mark.len() > bytes.len() && mark.starts_with(bytes))
}

/// Returns the bytes that `reader` has next; no bytes at the end.
pub(super) fn fill(reader: &mut dyn BufRead) -> io::Result<&[u8]> {
    let length = loop {
        match reader.fill_buf() {
            Ok(bytes) => break bytes.len(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    };
    // At the end the reader is not called again: a terminal would wait for more.
    if length == 0 { Ok(&[]) } else { reader.fill_buf() }
}

/// A reader that decodes while it is read.
struct Decoding {
    reader: Box<dyn BufRead + Send>,
    decoder: Decoder,
    text: Vec<u8>,
    /// The bytes of `text` that were consumed, and those that were decoded.
    given: usize,
    decoded: usize,
    is_over: bool,
}

impl BufRead for Decoding {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.given == self.decoded && !self.is_over {
            let encoded = fill(&mut self.reader)?;
            let is_end = encoded.is_empty();
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(encoded, &mut self.text, is_end);
            self.reader.consume(read);
            (self.given, self.decoded) = (0, written);
            self.is_over = is_end && result == CoderResult::InputEmpty;
        }
        Ok(&self.text[self.given..self.decoded])
    }

    fn consume(&mut self, amount: usize) {
        self.given = (self.given + amount).min(self.decoded);
    }
}

impl Read for Decoding {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// Returns `text` without the characters that people and programs leave around an address by
/// accident: white space and controls (URL Standard, 4.1), the white space of other
/// scripts, U+FEFF at the start of a file in the middle of others (`cat a b`), and
/// invisible characters, which come with text that is copied from a page.
pub(super) fn trimmed(text: &str) -> &str {
    let is_visible = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if is_visible(text.as_bytes().first()) && is_visible(text.as_bytes().last()) {
        return text; // nearly all lines, and a list has many of them
    }
    text.trim_matches(is_margin)
}

/// Whether `character` is one of those that [`trimmed`] drops.
pub(super) fn is_margin(character: char) -> bool {
    // Nearly all characters are ASCII.
    match character {
        '\0'..='\x7f' => character <= ' ' || character == '\x7f',
        // Zero-width space, marks of direction, word joiner. The zero-width joiners
        // are not among these: they change the character before them.
        '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => true,
        other => other.is_whitespace(),
    }
}

/// Whether `text` is a blank line. Controls that are not white space make a line not blank,
/// although they are dropped around an address: a binary file has them.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|it| is_margin(it) && (it.is_whitespace() || !it.is_control()))
}

/// Returns `bytes` without the byte order marks at their start: text that `cat` put
/// together may have one before each of its parts.
pub(super) fn without_marks(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(UTF_8_MARK) {
        bytes = rest;
    }
    bytes
}

/// Reads and counts lines, which end with LF, CR LF or CR. The memory of a line has a limit.
pub(super) struct Lines {
    reader: Box<dyn BufRead + Send>,
    limit: usize,
    number: u64,
    line: Vec<u8>,
    is_cut: bool,
    /// The last line ended with CR, and LF may follow.
    is_after_cr: bool,
}

impl Lines {
    /// Reads the lines of `reader`, and at most `limit` bytes of each.
    pub(super) const fn new(reader: Box<dyn BufRead + Send>, limit: usize) -> Self {
        Self { reader, limit, number: 0, line: Vec::new(), is_cut: false, is_after_cr: false }
    }

    /// Reads the next line; false at the end.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.is_cut = false;
        if std::mem::take(&mut self.is_after_cr) && fill(&mut self.reader)?.starts_with(b"\n") {
            self.reader.consume(1);
        }
        let mut has_line = false;
        loop {
            let available = fill(&mut self.reader)?;
            if available.is_empty() {
                self.number += u64::from(has_line);
                return Ok(has_line);
            }
            has_line = true;
            let end = memchr::memchr2(b'\n', b'\r', available);
            let taken = end.unwrap_or(available.len());
            let kept = taken.min(self.limit - self.line.len());
            self.line.extend_from_slice(&available[..kept]);
            self.is_cut |= kept < taken;
            let Some(end) = end else {
                self.reader.consume(taken);
                continue;
            };
            self.is_after_cr = available[end] == b'\r';
            self.reader.consume(end + 1);
            self.number += 1;
            return Ok(true);
        }
    }

    /// The line without its line end, cut at the limit.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Whether the line is longer than the limit.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The number of the line, counted from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// A reader that returns at most `step` bytes at a time.
    fn in_steps(bytes: &[u8], step: usize) -> Box<dyn BufRead + Send> {
        Box::new(BufReader::with_capacity(step, Cursor::new(bytes.to_vec())))
    }

    fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_encoding_with_a_mark_is_read_whatever_the_buffers() {
        let text = "http://a.org/ü\r\nhttp://a.org/國\n\u{1f600}";
        let marked = format!("\u{feff}{text}");
        for (bytes, read) in [
            (text.as_bytes().to_vec(), text.to_owned()),
            (marked.as_bytes().to_vec(), text.to_owned()),
            (utf_16(&marked, u16::to_le_bytes), text.to_owned()),
            (utf_16(&marked, u16::to_be_bytes), text.to_owned()),
            // Files put together, each with its mark.
            (utf_16(&format!("{marked}{marked}"), u16::to_le_bytes), format!("{text}{marked}")),
            (b"\xff\xfea\0\x00\xd8b\0c".to_vec(), "a\u{fffd}b\u{fffd}".to_owned()),
            (b"\xff\xfe".to_vec(), String::new()),
            (b"\xef\xbb".to_vec(), "\u{fffd}".to_owned()),
            (b"\xef".to_vec(), "\u{fffd}".to_owned()),
            (Vec::new(), String::new()),
        ] {
            for step in [1, 2, 3, 5, 7, 1024] {
                let mut decoded = Vec::new();
                let mut reader = utf8_reader(in_steps(&bytes, step)).unwrap();
                reader.read_to_end(&mut decoded).unwrap();
                assert_eq!(String::from_utf8_lossy(&decoded), read, "{bytes:?} by {step}");
            }
        }
    }

    #[test]
    fn much_text_in_utf_16_is_read_piece_by_piece() {
        let line = "http://a.org/國\n";
        let bytes = utf_16(&format!("\u{feff}{}", line.repeat(50_000)), u16::to_le_bytes);
        let mut text = String::new();
        utf8_reader(in_steps(&bytes, 1 << 18)).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, line.repeat(50_000));
    }

    #[test]
    fn what_stands_around_an_address_is_dropped() {
        for margin in [
            " ",
            "\t",
            "\0",
            "\u{b}",
            "\u{7f}",
            "\u{85}",
            "\u{a0}",
            "\u{2003}",
            "\u{2028}",
            "\u{202a}",
            "\u{200b}",
            "\u{200e}",
            "\u{2060}",
            "\u{3000}",
            "\u{feff}",
            "\u{feff} ",
        ] {
            let text = format!("{margin}http://a.org/a b{margin}");
            assert_eq!(trimmed(&text), "http://a.org/a b", "{margin:?}");
        }
        assert_eq!(trimmed("http://a.org/क\u{200d}"), "http://a.org/क\u{200d}");
        assert_eq!(trimmed(" \u{feff}\u{3000}"), "");
        for (text, blank) in [("", true), (" \t\u{feff}\u{3000}\u{200b}", true), ("\0", false)] {
            assert_eq!(is_blank(text), blank, "{text:?}");
        }
    }

    fn lines(bytes: &[u8], step: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(in_steps(bytes, step), 8);
        let mut read = Vec::new();
        while lines.advance().unwrap() {
            let line = String::from_utf8_lossy(lines.line()).into_owned();
            read.push((lines.number(), line, lines.is_cut()));
        }
        read
    }

    #[test]
    fn lines_end_with_lf_cr_lf_or_cr_wherever_a_buffer_ends() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n", &[""][..]),
            ("a", &["a"]),
            ("a\nb\n", &["a", "b"]),
            ("a\r\nb\r\n", &["a", "b"]),
            ("a\rb\r", &["a", "b"]),
            ("a\r\rb", &["a", "", "b"]),
            ("a\n\rb", &["a", "", "b"]),
            ("a\r\n\r\n\nb\rc\nd", &["a", "", "", "b", "c", "d"]),
            ("12345678\r\nx", &["12345678", "x"]),
        ] {
            for step in 1..=12 {
                let expected: Vec<_> =
                    (1..).zip(expected).map(|(at, it)| (at, (*it).to_owned(), false)).collect();
                assert_eq!(lines(text.as_bytes(), step), expected, "{text:?} by {step}");
            }
        }
        let long = lines(b"123456789\r\nx\n0123456789abcdef", 4);
        let expected = [(1, "12345678".into(), true), (2, "x".into(), false)];
        assert_eq!(long[..2], expected);
        assert_eq!(long[2], (3, "01234567".into(), true));
    }
}
