//! Decodes the start of a body whose end may not have been received.

use std::io::{ErrorKind, Read};

use bytes::Bytes;

use super::coding::{Coding, is_zlib};
use super::codings::{Codings, Listed};
use super::undecodable::Undecodable;
use super::{brotli, zstandard};
use crate::model::Failure;

/// Returns the first `limit` decoded bytes of `body`, or fewer when the body ends or is
/// broken before. Of several codings, only the one that was applied last is decoded.
///
/// # Errors
///
/// Code `truncated` for a body that has fewer than `limit` bytes and ends before its
/// coding does: the server never sent the missing bytes.
pub(crate) fn decode_start(body: &[u8], codings: &Codings, limit: u64) -> Result<Bytes, Failure> {
    let mut start = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(limit).read_to_end(&mut start);
    let last = codings.listed().iter().find_map(|listed| match listed {
        Listed::Known(coding, name) => Some((*coding, *name)),
        Listed::Unknown(_) | Listed::Label(_) => None,
    });
    let result = match last.map(|(coding, _)| coding) {
        Some(_) if body.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
        Some(coding) if !coding.may_begin(body) => Ok(0),
        Some(Coding::Gzip) => read(&mut flate2::bufread::MultiGzDecoder::new(body)),
        Some(Coding::Deflate) if is_zlib(body) => {
            read(&mut flate2::bufread::ZlibDecoder::new(body))
        }
        Some(Coding::Deflate) => read(&mut flate2::bufread::DeflateDecoder::new(body)),
        Some(Coding::Brotli) => read(&mut brotli::Decoder::new(body)),
        Some(Coding::Zstd) => zstandard::decoder(body).and_then(|mut decoder| read(&mut decoder)),
        None => read(&mut &body[..]),
    };
    match (result.map_err(Undecodable::of), last) {
        (Err(error @ Undecodable::Cut), Some((_, name))) if (body.len() as u64) < limit => {
            Err(error.into_failure(name, limit))
        }
        // The bytes before an error are all that the body has.
        _ => Ok(start.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoders::{gzip, zstd};

    fn text() -> Vec<u8> {
        (0..5_000).flat_map(|i| format!("line {i} of a page\n").into_bytes()).collect()
    }

    #[test]
    fn the_start_of_a_body_is_had_although_it_is_cut_off() {
        for (coding, body) in
            [("gzip", gzip(&text())), ("zstd", zstd(&text())), ("identity", text())]
        {
            let codings = Codings::parse(Some(coding));
            let whole = decode_start(&body, &codings, u64::MAX);
            assert_eq!(whole.unwrap(), text(), "{coding}");
            assert_eq!(decode_start(&body, &codings, 10).unwrap(), text()[..10], "{coding}");
            let limit = body.len() as u64 - 2;
            let cut = decode_start(&body[..body.len() - 2], &codings, limit).unwrap();
            assert!(text().starts_with(&cut), "{coding}");
        }
        let gzip = Codings::parse(Some("gzip"));
        assert!(decode_start(b"no gzip", &gzip, 10).unwrap().is_empty());
    }
}
