//! A body that is too large to be decoded as a whole, decoded piece by piece: its
//! codings are readers, one behind the other.
//!
//! What is read at a time is little, whatever the body says of itself: a piece, and for
//! each coding its window.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};

use super::decode::{Coding, Undecodable, is_zlib, too_large, unknown};
use super::gzip::Members;
use super::{brotli, codings};
use crate::model::Failure;

/// So many decoded bytes are had at a time.
const PIECE: usize = 256 * 1024;
/// What is between two codings.
const BUFFER: usize = 64 * 1024;
/// Whether a body is in a coding that it is said to be in twice, or in which of two
/// formats, is told by so many of its bytes.
const TRIAL: usize = 64 * 1024;
/// Windows of zstd are at most 8 MiB over HTTP (RFC 9659, 3).
pub(super) const ZSTD_WINDOW_LOG: u32 = 23;

/// The decoded pieces of a body.
pub struct DecodedPieces<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// A word in the place of a coding that is none, until the first piece is seen.
    label: Option<&'a str>,
    left: u64,
    max_bytes: u64,
    piece: Vec<u8>,
}

impl<'a> DecodedPieces<'a> {
    /// The pieces of `body`, off which the codings that `coding` lists are taken: at most
    /// `max_bytes` in all.
    pub(super) fn new(
        body: &'a [u8],
        coding: Option<&'a str>,
        max_bytes: u64,
    ) -> Result<Self, Failure> {
        let mut reader: Box<dyn BufRead + 'a> = Box::new(body);
        let (mut label, mut last) = (None, None);
        for name in codings::listed(coding) {
            let Some(coding) = Coding::of(name)? else {
                label = Some(name);
                continue;
            };
            let opened = open(reader, coding, last == Some(coding));
            let opened = opened.map_err(|error| failure(&error, name, max_bytes))?;
            last = Some(coding);
            reader = match opened {
                Opened::Not(reader) => reader,
                Opened::As(decoder) => {
                    let named = Named { name, reader: decoder };
                    Box::new(BufReader::with_capacity(BUFFER, named))
                }
            };
        }
        let piece = Vec::with_capacity(PIECE);
        Ok(Self { reader, label, left: max_bytes, max_bytes, piece })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// As [`decode`](super::decode::decode).
    pub fn next_piece(&mut self) -> Result<Option<&[u8]>, Failure> {
        self.piece.clear();
        let read = (&mut self.reader).take(PIECE as u64).read_to_end(&mut self.piece);
        let read = read.map_err(|error| failure(&error, "", self.max_bytes))?;
        if let Some(label) = self.label.take().filter(|_| codings::looks_encoded(&self.piece)) {
            return Err(unknown(label));
        }
        let left = self.left.checked_sub(read as u64).ok_or_else(|| too_large(self.max_bytes))?;
        self.left = left;
        Ok((read > 0).then_some(&self.piece))
    }
}

/// A body in which a coding was looked for.
enum Opened<'a> {
    /// It is taken off.
    As(Box<dyn Read + 'a>),
    /// It is not in it: an application and its server both named the coding that one of
    /// them applied.
    Not(Box<dyn BufRead + 'a>),
}

/// Takes `coding` off `reader`; `is_again` says that it was the last one that was taken off.
fn open<'a>(
    mut reader: Box<dyn BufRead + 'a>,
    coding: Coding,
    is_again: bool,
) -> io::Result<Opened<'a>> {
    let start = reader.fill_buf()?;
    let start = &start[..start.len().min(TRIAL)];
    if start.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let format = Format::of(coding, start);
    if !coding.may_begin(start) || (is_again && !format.fits(start)) {
        let broken = Error::new(ErrorKind::InvalidData, "it begins otherwise");
        return if is_again { Ok(Opened::Not(reader)) } else { Err(broken) };
    }
    format.decoder(reader).map(Opened::As)
}

/// What a body in a coding is made of.
#[derive(Clone, Copy)]
enum Format {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Zstd,
}

impl Format {
    /// The format of a body in `coding` that begins with `start`. "deflate" means the zlib
    /// format (RFC 9110, 8.4.1.2), but some servers send the bare data.
    fn of(coding: Coding, start: &[u8]) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip,
            Coding::Deflate if is_zlib(start) && Self::Zlib.fits(start) => Self::Zlib,
            Coding::Deflate => Self::Deflate,
            Coding::Brotli => Self::Brotli,
            Coding::Zstd => Self::Zstd,
        }
    }

    /// Whether a body that begins with `start` may be of this format.
    fn fits(self, start: &[u8]) -> bool {
        let Ok(decoder) = self.decoder(Box::new(start)) else { return false };
        let read = io::copy(&mut decoder.take(TRIAL as u64), &mut io::sink());
        // That it is cut off is the trial's doing.
        read.map_or_else(|error| error.kind() == ErrorKind::UnexpectedEof, |_| true)
    }

    fn decoder<'a>(self, reader: Box<dyn BufRead + 'a>) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(Members::new(reader)),
            Self::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(reader)),
            Self::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(reader)),
            Self::Brotli => Box::new(brotli::Decoder::new(reader)),
            Self::Zstd => Box::new(zstd_decoder(reader)?),
        })
    }
}

/// A decoder of zstd, within the window that HTTP allows.
pub(super) fn zstd_decoder<'a, R: BufRead>(
    reader: R,
) -> io::Result<zstd::stream::read::Decoder<'a, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// A coding's reader, whose errors name it however many readers they pass through.
struct Named<'a> {
    name: &'a str,
    reader: Box<dyn Read + 'a>,
}

/// What is wrong, and in which coding.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct NamedError {
    name: String,
    error: Error,
}

impl Read for Named<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<NamedError>());
            if inner.is_some() {
                return error;
            }
            Error::new(error.kind(), NamedError { name: self.name.to_owned(), error })
        })
    }
}

/// The failure of a body in the coding `name`, or in the one that the error names.
fn failure(error: &Error, name: &str, max_bytes: u64) -> Failure {
    let named = error.get_ref().and_then(|inner| inner.downcast_ref::<NamedError>());
    let name = named.map_or(name, |named| named.name.as_str());
    let error = Error::new(error.kind(), error.to_string());
    Undecodable::of(error).into_failure(name, max_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;
    use crate::model::FailureCode;
    use crate::page::decode::{self, Decoded};

    /// More than one piece, and more than fits between two codings.
    fn text() -> Vec<u8> {
        (0..40_000_u32)
            .flat_map(|i| format!("line {i} of {}\n", i * i % 977).into_bytes())
            .collect()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 3).unwrap()
    }

    fn pieces(body: &[u8], coding: &str, max_bytes: u64) -> Result<Vec<u8>, Failure> {
        let mut pieces = DecodedPieces::new(body, Some(coding), max_bytes)?;
        let mut whole = Vec::new();
        while let Some(piece) = pieces.next_piece()? {
            assert!(piece.len() <= PIECE);
            whole.extend_from_slice(piece);
        }
        Ok(whole)
    }

    #[test]
    fn pieces_make_the_whole() {
        let text = text();
        let half = text.len() / 2;
        let members = [gzip(&text[..half]), gzip(&text[half..]), b"junk".to_vec()].concat();
        for (coding, body) in [
            ("gzip", gzip(&text)),
            ("x-gzip", members.clone()),
            ("deflate", zlib(&text)),
            ("deflate", deflate(&text)),
            ("zstd", zstd(&text)),
            ("zstd", [zstd(&text[..half]), zstd(&text[half..])].concat()),
            ("gzip, gzip", gzip(&gzip(&text))),
            ("gzip, zstd", zstd(&members)),
            ("zstd, deflate", zlib(&zstd(&text))),
            ("none, gzip", gzip(&text)),
            ("utf-8", text.clone()),
        ] {
            let len = text.len() as u64;
            assert!(pieces(&body, coding, len).unwrap() == text, "{coding}");
            let error = pieces(&body, coding, len - 1).unwrap_err();
            assert_eq!(error.code, FailureCode::TooLarge, "{coding}");
        }
    }

    #[test]
    fn a_coding_that_was_named_once_too_often_counts_once() {
        let text = text();
        for (coding, body) in [
            ("gzip, gzip", gzip(&text)),
            ("zstd, zstd", zstd(&text)),
            ("deflate, deflate", zlib(&text)),
            ("deflate, deflate", deflate(&text)),
        ] {
            assert!(pieces(&body, coding, u64::MAX).unwrap() == text, "{coding}");
        }
    }

    #[test]
    fn what_is_wrong_names_its_coding() {
        let text = text();
        let cut = |body: Vec<u8>| body[..body.len() - 5].to_vec();
        let mut broken = zlib(&text);
        let middle = broken.len() / 2;
        broken[middle..middle + 64].fill(0xff);
        for (coding, body, code, named) in [
            ("gzip", cut(gzip(&text)), FailureCode::Truncated, "gzip"),
            ("deflate", cut(zlib(&text)), FailureCode::Truncated, "deflate"),
            ("zstd", cut(zstd(&text)), FailureCode::Truncated, "zstd"),
            ("zstd, gzip", gzip(&cut(zstd(&text))), FailureCode::Truncated, "zstd"),
            ("zstd, gzip", cut(gzip(&zstd(&text))), FailureCode::Truncated, "gzip"),
            ("deflate", broken.clone(), FailureCode::Decode, "deflate"),
            ("deflate, gzip", gzip(&broken), FailureCode::Decode, "deflate"),
            ("gzip", text.clone(), FailureCode::Decode, "gzip"),
            ("gzip", Vec::new(), FailureCode::Truncated, "gzip"),
            ("compress", text.clone(), FailureCode::Decode, "compress"),
            ("none", gzip(&text), FailureCode::Decode, "none"),
        ] {
            let failure = pieces(&body, coding, u64::MAX).unwrap_err();
            assert_eq!(failure.code, code, "{coding}: {failure}");
            assert!(failure.message.raw().contains(named), "{coding}: {failure}");
        }
    }

    #[test]
    fn a_body_in_very_many_codings_is_not_taken_apart() {
        let text = text();
        let wrapped = (0..5).fold(text.clone(), |body, _| gzip(&body));
        let field = |number: usize| vec!["gzip"; number].join(", ");
        for (number, body) in [(5, wrapped.clone()), (6, gzip(&wrapped))] {
            for whole in [10, u64::MAX] {
                let (field, mut room) = (field(number), Vec::new());
                let decoded =
                    decode::decode_or_pieces(&mut room, &body, Some(&field), u64::MAX, whole);
                match (number, whole, decoded) {
                    (5, 10, Ok(Decoded::InPieces(_))) => (),
                    (5, u64::MAX, Ok(Decoded::Whole(whole))) => assert!(whole == text),
                    (6, _, Err(failure)) => assert_eq!(failure.code, FailureCode::Decode),
                    _ => panic!("{number} codings, {whole} as a whole"),
                }
            }
        }
    }

    #[test]
    fn a_window_that_http_does_not_allow_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(ZSTD_WINDOW_LOG + 1).unwrap();
        encoder.write_all(&text()).unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(pieces(&body, "zstd", u64::MAX).unwrap_err().code, FailureCode::Decode);
    }
}
