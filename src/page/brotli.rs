//! Brotli (RFC 7932), decoded so that a stream that was cut is told from a broken one,
//! which the library's reader does not do.

use std::io::{Error, ErrorKind, Read, Result};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// Reads what a body in Brotli holds.
///
/// A body that ends early ends in `UnexpectedEof`, a broken one in `InvalidData`; what
/// follows the end of the stream is ignored.
pub(super) struct Decoder<'a> {
    input: &'a [u8],
    at: usize,
    state: Box<State>,
    is_done: bool,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let alloc = StandardAlloc::default;
        let state = Box::new(State::new(alloc(), alloc(), alloc()));
        Self { input, at: 0, state, is_done: false }
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.is_done || buffer.is_empty() {
            return Ok(0);
        }
        let mut available_in = self.input.len() - self.at;
        let (mut available_out, mut written, mut total) = (buffer.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut self.at,
            self.input,
            &mut available_out,
            &mut written,
            buffer,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultSuccess => self.is_done = true,
            BrotliResult::NeedsMoreOutput => (),
            BrotliResult::NeedsMoreInput if written > 0 => (),
            BrotliResult::NeedsMoreInput => return Err(ErrorKind::UnexpectedEof.into()),
            BrotliResult::ResultFailure => {
                return Err(Error::new(ErrorKind::InvalidData, "corrupt brotli stream"));
            }
        }
        Ok(written)
    }
}
