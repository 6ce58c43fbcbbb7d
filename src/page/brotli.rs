//! Brotli (RFC 7932), with different errors for a stream that was cut and for a broken one;
//! the library's reader does not distinguish them.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// The largest window, in bytes (RFC 7932, 9.1).
pub(super) const MAX_WINDOW: u64 = (1 << 24) - 16;

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// A reader of the content of a body in Brotli.
///
/// A body that ends early ends in `UnexpectedEof`, a broken one in `InvalidData`; bytes after
/// the end of the stream are ignored.
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

/// Returns the window of a stream in Brotli, in bytes: `WBITS` in its first bits (RFC 7932,
/// 9.1).
pub(super) fn window(body: &[u8]) -> Option<u64> {
    let first = *body.first()?;
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        // This value is reserved; the decoder refuses it.
        (_, 0, 1) => return None,
        (_, 0, low) => 8 + low,
        (_, high, _) => 17 + high,
    };
    Some((1 << bits) - 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bits_of_a_stream_hold_its_window() {
        // The last row of each is of RFC 7932's table.
        for (first, bits) in [(0b0, 16), (0b1, 17), (0b11, 18), (0b1011, 22), (0b1111, 24)] {
            assert_eq!(window(&[first]), Some((1 << bits) - 16), "{first:b}");
        }
        for (first, bits) in [(0b0010_0001, 10), (0b0111_0001, 15)] {
            assert_eq!(window(&[first]), Some((1 << bits) - 16), "{first:b}");
        }
        assert_eq!(window(&[0b0001_0001]), None);
    }
}
