//! A part of the input in memory, in which a format looks for a record, and looks
//! again after a broken one.
//!
//! The formats decide what a record is, and where to continue after a broken one.

use std::io::{self, BufRead};

use crate::source::text::fill;

/// The longest record: some tables hold whole pages beside their addresses.
pub(super) const RECORD_LIMIT: usize = 16 << 20;
/// The bytes of broken records that may be examined at first, and how many more each byte of a
/// whole record allows.
const FIRST_CREDIT: usize = 4 * RECORD_LIMIT;
const CREDIT_FOR_A_BYTE: usize = 8;

/// The input from the current record on, as far as it was read.
pub(super) struct Window {
    reader: Box<dyn BufRead + Send>,
    bytes: Vec<u8>,
    start: usize,
    credit: usize,
}

impl Window {
    pub(super) const fn new(reader: Box<dyn BufRead + Send>) -> Self {
        Self { reader, bytes: Vec::new(), start: 0, credit: FIRST_CREDIT }
    }

    /// The bytes that were read and are not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Reads more bytes after [`bytes`](Self::bytes); false at the end of the input.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let available = fill(&mut self.reader)?;
        let length = available.len();
        self.bytes.extend_from_slice(available);
        self.reader.consume(length);
        Ok(length > 0)
    }

    /// Consumes the next `length` bytes.
    pub(super) fn consume(&mut self, length: usize) {
        self.start += length;
        self.credit = self.credit.saturating_add(CREDIT_FOR_A_BYTE * length).min(FIRST_CREDIT);
    }

    /// The number of bytes that the record may have. It is less than the limit after many broken
    /// records: each broken record is read again from near its start, and an input that is
    /// broken everywhere would take the square of its length.
    pub(super) fn room(&self) -> usize {
        self.credit.min(RECORD_LIMIT)
    }

    /// Notes that the next `length` bytes are a broken record.
    pub(super) const fn give_up(&mut self, length: usize) {
        self.credit = self.credit.saturating_sub(length);
    }
}
