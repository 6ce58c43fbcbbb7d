//! The format with one address per line.

use std::borrow::Cow;
use std::io::{self, BufRead};

use super::{Row, Rows};
use crate::model::ADDRESS_LIMIT;
use crate::source::text::{Lines, is_blank, trimmed};

/// A longer line is not an address.
pub(super) const LINE_LIMIT: usize = ADDRESS_LIMIT;

/// The lines of a text, without blank lines and lines that begin with `#`.
pub(super) struct Plain {
    lines: Lines,
    skipped_lines: u64,
}

impl Plain {
    pub(super) const fn new(reader: Box<dyn BufRead + Send>) -> Self {
        Self { lines: Lines::new(reader, LINE_LIMIT), skipped_lines: 0 }
    }

    /// Whether the line is blank or a comment.
    fn is_skipped(&self) -> bool {
        let line = self.lines.line();
        if line.first().is_some_and(u8::is_ascii_graphic) {
            return line[0] == b'#';
        }
        match std::str::from_utf8(line) {
            Ok(text) => trimmed(text).starts_with('#') || (is_blank(text) && !self.lines.is_cut()),
            Err(_) => line.trim_ascii_start().starts_with(b"#"),
        }
    }
}

impl Rows for Plain {
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        while self.lines.advance()? {
            if self.is_skipped() {
                self.skipped_lines += 1;
                continue;
            }
            let line = self.lines.number();
            if self.lines.is_cut() {
                let reason = format!("longer than {LINE_LIMIT} bytes");
                return Ok(Some(Row::Invalid { line, reason }));
            }
            return Ok(Some(Row::of_bytes(line, Cow::Borrowed(self.lines.line()))));
        }
        Ok(None)
    }

    fn skipped_lines(&self) -> u64 {
        self.skipped_lines
    }
}
