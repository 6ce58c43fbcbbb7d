//! Brotli (RFC 7932), decoded so that a stream that was cut is told from a broken one,
//! which the library's reader does not do.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// Reads what a body in Brotli holds.
///
/// A body that ends early ends in `UnexpectedEof`, a broken one in `InvalidData`; what
/// follows the end of the stream is ignored.
pub(super) struct Decoder<R> {
    input: R,
    state: Box<State>,
    is_done: bool,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(input: R) -> Self {
        let alloc = StandardAlloc::default;
        let state = Box::new(State::new(alloc(), alloc(), alloc()));
        Self { input, state, is_done: false }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.is_done || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.input.fill_buf()?;
            let is_end = input.is_empty();
            let (mut available_in, mut consumed) = (input.len(), 0);
            let (mut available_out, mut written, mut total) = (buffer.len(), 0, 0);
            let result = BrotliDecompressStream(
                &mut available_in,
                &mut consumed,
                input,
                &mut available_out,
                &mut written,
                buffer,
                &mut total,
                &mut self.state,
            );
            self.input.consume(consumed);
            match result {
                BrotliResult::ResultSuccess => self.is_done = true,
                BrotliResult::NeedsMoreOutput => (),
                BrotliResult::NeedsMoreInput if written > 0 => (),
                BrotliResult::NeedsMoreInput if is_end => {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                BrotliResult::NeedsMoreInput => continue,
                BrotliResult::ResultFailure => {
                    return Err(Error::new(ErrorKind::InvalidData, "corrupt brotli stream"));
                }
            }
            return Ok(written);
        }
    }
}
