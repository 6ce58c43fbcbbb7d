//! Decodes a body as a whole, one coding after the other, into a buffer.

use std::io::Read;

use super::coding::{Coding, is_zlib, looks_encoded};
use super::codings::{Codings, Listed};
use super::undecodable::{Undecodable, too_large, unknown};
use super::{brotli, gzip, zstandard};
use crate::model::Failure;

/// Decodes `body` into `buffer` and returns the number of decoded bytes there; `None` when
/// `body` is in no coding.
///
/// # Errors
///
/// As [`decode`](super::decode::decode).
pub(super) fn decode_whole(
    buffer: &mut Vec<u8>,
    body: &[u8],
    codings: &Codings,
    max_bytes: u64,
) -> Result<Option<usize>, Failure> {
    let mut decoded_len = None;
    let mut last = None;
    let mut label = None;
    for listed in codings.listed() {
        let (coding, name) = match listed {
            Listed::Known(coding, name) => (*coding, *name),
            Listed::Unknown(name) => return Err(unknown(name)),
            Listed::Label(name) => {
                label = Some(name);
                continue;
            }
        };
        let input = decoded_len.map(|len| buffer[..len].to_vec());
        match decode_one(buffer, input.as_deref().unwrap_or(body), coding, max_bytes) {
            Ok(len) => decoded_len = Some(len),
            // An application and its server both named the coding that one of them applied.
            Err(Undecodable::Broken(_)) if last == Some(coding) => {
                buffer.splice(.., input.unwrap_or_default());
                break;
            }
            Err(error) => return Err(error.into_failure(name, max_bytes)),
        }
        last = Some(coding);
    }
    let decoded = decoded_len.map_or(body, |len| &buffer[..len]);
    // The field has a label instead of a coding, but the body is in a coding all the same.
    if let Some(label) = label.filter(|_| looks_encoded(decoded)) {
        return Err(unknown(label));
    }
    if decoded.len() as u64 > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(decoded_len)
}

/// Decodes `body`, which is in `coding`, and returns the number of decoded bytes in
/// `buffer`.
fn decode_one(
    buffer: &mut Vec<u8>,
    body: &[u8],
    coding: Coding,
    max_bytes: u64,
) -> Result<usize, Undecodable> {
    // Even an empty body has bytes in every coding: a header, or at least a last block.
    if body.is_empty() {
        return Err(Undecodable::Cut);
    }
    if !coding.may_begin(body) {
        return Err(Undecodable::wrong_start());
    }
    match coding {
        Coding::Gzip => gzip::decode(buffer, body, max_bytes),
        Coding::Deflate => deflate(buffer, body, max_bytes),
        Coding::Brotli => read_all(buffer, brotli::Decoder::new(body), max_bytes),
        Coding::Zstd => zstandard::decoder(body)
            .map_err(Undecodable::of)
            .and_then(|decoder| read_all(buffer, decoder, max_bytes)),
    }
}

/// Decodes zlib or, where that fails, bare deflate data, which may look like zlib.
fn deflate(buffer: &mut Vec<u8>, body: &[u8], max_bytes: u64) -> Result<usize, Undecodable> {
    if is_zlib(body) {
        match read_all(buffer, flate2::bufread::ZlibDecoder::new(body), max_bytes) {
            Err(Undecodable::Broken(_)) => (),
            decided => return decided,
        }
    }
    read_all(buffer, flate2::bufread::DeflateDecoder::new(body), max_bytes)
}

fn read_all(buffer: &mut Vec<u8>, reader: impl Read, max_bytes: u64) -> Result<usize, Undecodable> {
    buffer.clear();
    // One byte more shows that there are too many.
    let mut reader = reader.take(max_bytes.saturating_add(1));
    reader.read_to_end(buffer).map_err(Undecodable::of)?;
    if buffer.len() as u64 > max_bytes { Err(Undecodable::TooLarge) } else { Ok(buffer.len()) }
}
