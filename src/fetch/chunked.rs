//! Decodes a chunked body (RFC 9112, 7.1) that comes piece by piece. Pure.
//!
//! The HTTP library does this for nearly all bodies. This decoder is for the few answers
//! whose transfer coding the library misreads.

use bytes::{Buf, Bytes, BytesMut};

/// A line with a chunk's size, or of the trailers, has at most this many bytes.
pub(super) const LINE_LIMIT: usize = 16 * 1024;

/// The decoder's state between two pieces of the body.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    input: BytesMut,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A line with the size of a chunk follows.
    #[default]
    Size,
    /// This many bytes of the chunk follow.
    Data(u64),
    /// The line end after a chunk follows.
    DataEnd,
    /// The lines after the last chunk follow.
    Trailers,
    /// The body is complete.
    Done,
}

/// The body is not in chunks, or a chunk is malformed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadChunk;

impl Chunks {
    /// Whether the last chunk and everything after it have come.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next piece, and returns the part of the body that it completes.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Bytes, BadChunk> {
        self.input.extend_from_slice(piece);
        let mut body = BytesMut::new();
        loop {
            match self.state {
                State::Done => return Ok(body.freeze()),
                State::Data(left) => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.len());
                    body.extend_from_slice(&self.input[..taken]);
                    self.input.advance(taken);
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                    if left > 0 {
                        return Ok(body.freeze());
                    }
                }
                State::Size | State::DataEnd | State::Trailers => {
                    let Some(line) = self.line()? else {
                        return Ok(body.freeze());
                    };
                    self.state = self.state_after(&line)?;
                }
            }
        }
    }

    /// Returns the next line without its end; `None` when it is not complete yet.
    fn line(&mut self) -> Result<Option<BytesMut>, BadChunk> {
        let end = memchr::memchr(b'\n', &self.input);
        // The limit does not depend on whether the line's end came in the same piece.
        if end.unwrap_or(self.input.len()) > LINE_LIMIT {
            return Err(BadChunk);
        }
        let Some(end) = end else { return Ok(None) };
        let mut line = self.input.split_to(end + 1);
        line.truncate(end);
        if line.ends_with(b"\r") {
            line.truncate(end - 1);
        }
        Ok(Some(line))
    }

    /// Returns the state after a line.
    fn state_after(&self, line: &[u8]) -> Result<State, BadChunk> {
        match self.state {
            State::Size => match size(line).ok_or(BadChunk)? {
                0 => Ok(State::Trailers),
                size => Ok(State::Data(size)),
            },
            State::DataEnd if line.is_empty() => Ok(State::Size),
            State::Trailers if line.is_empty() => Ok(State::Done),
            State::Trailers => Ok(State::Trailers),
            _ => Err(BadChunk),
        }
    }
}

/// Parses the size of a chunk, in hexadecimal; extensions follow a semicolon.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let digits = std::str::from_utf8(digits).ok()?;
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), BadChunk> {
        let mut chunks = Chunks::default();
        let mut body = Vec::new();
        for piece in pieces {
            body.extend_from_slice(&chunks.take(piece)?);
        }
        Ok((body, chunks.is_done()))
    }

    #[test]
    fn chunks_are_taken_off_however_they_come() {
        let whole = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX: trailer\r\n\r\n";
        assert_eq!(taken(&[whole]), Ok((b"hello world".to_vec(), true)));
        for cut in 0..whole.len() {
            let (head, tail) = whole.split_at(cut);
            assert_eq!(taken(&[head, tail]), Ok((b"hello world".to_vec(), true)), "{cut}");
            assert!(!taken(&[head]).unwrap().1, "{cut}");
        }
        assert_eq!(taken(&[b"0\n\nexcess"]), Ok((Vec::new(), true)));
    }

    #[test]
    fn what_is_no_chunk_is_told() {
        for body in
            [&b"<p>text\n"[..], b"\r\n", b"-1\r\n", b"3\r\nabcd\r\n", b"1ffffffffffffffff\n"]
        {
            assert_eq!(taken(&[body]), Err(BadChunk), "{body:?}");
        }
    }

    #[test]
    fn a_line_has_its_limit_however_it_comes() {
        for (line, is_taken) in [(LINE_LIMIT, true), (LINE_LIMIT + 1, false)] {
            let size = format!("{}\n\n", "0".repeat(line));
            let trailer = format!("0\n{}\n\n", "x".repeat(line));
            for body in [size.as_bytes(), trailer.as_bytes()] {
                let expected = if is_taken { Ok((Vec::new(), true)) } else { Err(BadChunk) };
                assert_eq!(taken(&[body]), expected);
                assert_eq!(taken(&body.chunks(1000).collect::<Vec<_>>()), expected);
                assert_eq!(taken(&[&body[..LINE_LIMIT]]), Ok((Vec::new(), false)));
            }
        }
    }
}
