//! A part of the input in memory, in which a record is looked for, and looked for
//! again where it turned out to be broken.
//!
//! What a record is, and where to go on behind a broken one, the formats decide.

use std::io::{self, BufRead};

use crate::source::text::fill;

/// No record is longer: some tables hold whole pages beside their addresses.
pub(super) const RECORD_LIMIT: usize = 16 << 20;
/// What may be looked at in vain at first, and what each byte that was read adds.
const FIRST_CREDIT: usize = 4 * RECORD_LIMIT;
const CREDIT_FOR_A_BYTE: usize = 8;

/// The input from the present record on, as far as it was read.
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

    /// What was read and not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Reads more behind [`bytes`](Self::bytes); false at the end of the input.
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

    /// Leaves the next `length` bytes behind.
    pub(super) fn consume(&mut self, length: usize) {
        self.start += length;
        self.credit = self.credit.saturating_add(CREDIT_FOR_A_BYTE * length).min(FIRST_CREDIT);
    }

    /// How long the record may become. It is the limit, unless much was looked at
    /// in vain of late: each broken record is looked at again from near its start,
    /// and an input that is broken all over would take the square of its length.
    pub(super) fn room(&self) -> usize {
        self.credit.min(RECORD_LIMIT)
    }

    /// Notes that the next `length` bytes were looked at in vain.
    pub(super) const fn give_up(&mut self, length: usize) {
        self.credit = self.credit.saturating_sub(length);
    }
}
