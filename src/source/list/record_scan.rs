//! Finds in which line a record of a table ends (RFC 4180). Pure.

use super::values::{QUOTE, Syntax};

/// Whether a record ends where a line does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RecordEnd {
    /// At the end of this line.
    Here,
    /// In a later line: this line ends within quotes.
    Later,
    /// Nowhere: the quotes of a value of several lines were closed before the value ended.
    Badly,
}

/// Looks for the end of a record, piece by piece.
pub(super) struct RecordScan {
    syntax: Syntax,
    at: At,
    /// The current value began in an earlier line.
    is_continued: bool,
    is_bad: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After a quote within quotes: the closing quote, or the first of two that mean one.
    Quote,
}

impl RecordScan {
    /// Starts at the beginning of a record.
    pub(super) const fn new(syntax: Syntax) -> Self {
        Self { syntax, at: At::Start, is_continued: false, is_bad: false }
    }

    /// Looks at a piece of a line.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        if !self.syntax.has_quotes || piece.is_empty() {
            return;
        }
        if self.at != At::Quote && memchr::memchr(QUOTE, piece).is_none() {
            if self.at != At::Quoted {
                let is_start = piece.last() == Some(&self.syntax.separator);
                self.at = if is_start { At::Start } else { At::Plain };
            }
            return;
        }
        for &byte in piece {
            self.at = match (self.at, byte) {
                (At::Quoted, QUOTE) => At::Quote,
                (At::Quoted, _) | (At::Start | At::Quote, QUOTE) => At::Quoted,
                (_, byte) if byte == self.syntax.separator => {
                    self.is_continued = false;
                    At::Start
                }
                (At::Quote, _) => {
                    self.is_bad |= self.is_continued;
                    At::Plain
                }
                _ => At::Plain,
            };
        }
    }

    /// Notes that the line ends, and returns whether the record does.
    pub(super) fn end_line(&mut self) -> RecordEnd {
        if self.is_bad {
            return RecordEnd::Badly;
        }
        self.is_continued = self.at == At::Quoted;
        if self.is_continued { RecordEnd::Later } else { RecordEnd::Here }
    }
}
