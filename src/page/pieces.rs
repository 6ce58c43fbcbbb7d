//! Decodes a body that is too large to be decoded as a whole, piece by piece. Each coding
//! is a reader that reads from the one before it.
//!
//! The memory that this takes does not depend on the body: one piece, and a window for
//! each coding.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};

use super::coding::{Coding, is_zlib, looks_encoded};
use super::codings::{Codings, Listed};
use super::gzip::Members;
use super::undecodable::{Undecodable, too_large, unknown};
use super::{brotli, zstandard};
use crate::model::Failure;

/// The decoded bytes of a piece, at most.
const PIECE: usize = 256 * 1024;
/// The bytes that are buffered between two codings.
const BUFFER: usize = 64 * 1024;
/// The bytes of a body that are decoded on trial, to find out which of two formats it has,
/// or whether it is in a coding that the field lists twice.
const TRIAL: usize = 64 * 1024;

/// The decoded pieces of a body.
pub(crate) struct DecodedPieces<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// A label that the field has instead of a coding, until the first piece was read.
    label: Option<&'a str>,
    left: u64,
    max_bytes: u64,
    piece: Vec<u8>,
}

impl<'a> DecodedPieces<'a> {
    /// Opens a reader of the pieces of `body`, which is in `codings`. It reads at most
    /// `max_bytes` decoded bytes in all.
    pub(super) fn new(
        body: &'a [u8],
        codings: &'a Codings,
        max_bytes: u64,
    ) -> Result<Self, Failure> {
        let mut reader: Box<dyn BufRead + 'a> = Box::new(body);
        let (mut label, mut last) = (None, None);
        for listed in codings.listed() {
            let (coding, name) = match listed {
                Listed::Known(coding, name) => (*coding, *name),
                Listed::Unknown(name) => return Err(unknown(name)),
                Listed::Label(name) => {
                    label = Some(&**name);
                    continue;
                }
            };
            let opened = open(reader, coding, last == Some(coding));
            let opened = opened.map_err(|error| failure(&error, name, max_bytes))?;
            last = Some(coding);
            reader = match opened {
                Opened::Plain(reader) => reader,
                Opened::Encoded(decoder) => {
                    let named = Named { name, reader: decoder };
                    Box::new(BufReader::with_capacity(BUFFER, named))
                }
            };
        }
        let piece = Vec::with_capacity(PIECE);
        Ok(Self { reader, label, left: max_bytes, max_bytes, piece })
    }

    /// Decodes the next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// As [`decode`](super::decode::decode).
    pub(crate) fn next_piece(&mut self) -> Result<Option<&[u8]>, Failure> {
        self.piece.clear();
        let read = (&mut self.reader).take(PIECE as u64).read_to_end(&mut self.piece);
        let read = read.map_err(|error| failure(&error, "", self.max_bytes))?;
        if let Some(label) = self.label.take().filter(|_| looks_encoded(&self.piece)) {
            return Err(unknown(label));
        }
        let left = self.left.checked_sub(read as u64).ok_or_else(|| too_large(self.max_bytes))?;
        self.left = left;
        Ok((read > 0).then_some(&self.piece))
    }
}

/// A body that was searched for a coding.
enum Opened<'a> {
    /// The body is in the coding; this reads the decoded bytes.
    Encoded(Box<dyn Read + 'a>),
    /// The body is not in the coding: an application and its server both named the coding
    /// that one of them applied.
    Plain(Box<dyn BufRead + 'a>),
}

/// Opens a decoder of `coding` over `reader`. `is_again` says that the field lists the
/// coding twice in a row, and that the first was decoded.
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
        return if is_again { Ok(Opened::Plain(reader)) } else { Err(broken) };
    }
    format.decoder(reader).map(Opened::Encoded)
}

/// The format of a body in a coding.
#[derive(Clone, Copy)]
enum Format {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Zstd,
}

impl Format {
    /// Returns the format of a body in `coding` that begins with `start`.
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
        // The trial itself cuts the body off.
        read.map_or_else(|error| error.kind() == ErrorKind::UnexpectedEof, |_| true)
    }

    fn decoder<'a>(self, reader: Box<dyn BufRead + 'a>) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(Members::new(reader)),
            Self::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(reader)),
            Self::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(reader)),
            Self::Brotli => Box::new(brotli::Decoder::new(reader)),
            Self::Zstd => Box::new(zstandard::decoder(reader)?),
        })
    }
}

/// A coding's reader. Its errors name the coding, whatever other readers they pass through.
struct Named<'a> {
    name: &'static str,
    reader: Box<dyn Read + 'a>,
}

/// An error of a decoder, with the name of its coding.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct NamedError {
    name: &'static str,
    error: Error,
}

impl Read for Named<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<NamedError>());
            if inner.is_some() {
                return error;
            }
            Error::new(error.kind(), NamedError { name: self.name, error })
        })
    }
}

/// Returns the failure of a body in the coding `name`, or in the one that the error names.
fn failure(error: &Error, name: &str, max_bytes: u64) -> Failure {
    let named = error.get_ref().and_then(|inner| inner.downcast_ref::<NamedError>());
    let name = named.map_or(name, |named| named.name);
    let error = Error::new(error.kind(), error.to_string());
    Undecodable::of(error).into_failure(name, max_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoders::{deflate, gzip, zlib, zstd, zstd_with_window};
    use crate::model::FailureCode;

    /// More than one piece, and more than fits between two codings.
    fn text() -> Vec<u8> {
        (0..40_000_u32)
            .flat_map(|i| format!("line {i} of {}\n", i * i % 977).into_bytes())
            .collect()
    }

    fn pieces(body: &[u8], coding: &str, max_bytes: u64) -> Result<Vec<u8>, Failure> {
        let codings = Codings::parse(Some(coding));
        let mut pieces = DecodedPieces::new(body, &codings, max_bytes)?;
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
    fn a_window_that_http_does_not_allow_is_refused() {
        let body = zstd_with_window(&text(), zstandard::MAX_WINDOW_LOG + 1);
        assert_eq!(pieces(&body, "zstd", u64::MAX).unwrap_err().code, FailureCode::Decode);
    }
}
