//! Content codings are taken off here: gzip, deflate, br and zstd, several in a row too.
//!
//! A limit holds for the decoded size, so that a small body that unfolds into a
//! huge one ends early, without its size in memory.

use std::io::Read;

use bytes::Bytes;

use super::gzip::gzip;
pub use super::gzip::{GZIP_MAGIC, plain_reader, told_size};
use super::layers::{DecodedPieces, zstd_decoder};
use super::{brotli, codings};
use crate::message;
use crate::model::{Failure, FailureCode};

/// Codings that a body may be in, one around the other; curl takes as many.
pub(super) const MOST_CODINGS: usize = 5;

/// Takes the codings that `coding` (a `Content-Encoding` value) lists off `body`.
///
/// Without a coding the body is given back as it is, uncopied.
///
/// # Errors
///
/// Code `decode` for a body that is not in its coding and for a coding that is
/// registered and not known here; `truncated` for a body that ends before its coding
/// does; `too-large` for more than `max_bytes` decoded bytes.
pub fn decode(body: &Bytes, coding: Option<&str>, max_bytes: u64) -> Result<Bytes, Failure> {
    let mut room = Vec::new();
    let decoded = decode_into(&mut room, body, coding, max_bytes)?;
    if decoded.as_ptr() == body.as_ptr() {
        return Ok(body.clone());
    }
    let len = decoded.len();
    room.truncate(len);
    Ok(Bytes::from(room))
}

/// As [`decode`], with the decoded body in `room`, which may be used again for the
/// next one: its size is that of the largest, and what is behind the body is junk.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_into<'a>(
    room: &'a mut Vec<u8>,
    body: &'a [u8],
    coding: Option<&str>,
    max_bytes: u64,
) -> Result<&'a [u8], Failure> {
    let decoded_len = decode_in(room, body, coding, max_bytes)?;
    Ok(decoded_len.map_or(body, |len| &room[..len]))
}

/// A decoded body.
pub enum Decoded<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// One piece after the other.
    InPieces(DecodedPieces<'a>),
}

/// As [`decode_into`], but for a body that would have more than `whole_bytes` once its
/// codings are taken off: that one is given in pieces.
///
/// # Errors
///
/// As [`decode`]. Of a body in pieces, the first may tell more.
pub fn decode_or_pieces<'a>(
    room: &'a mut Vec<u8>,
    body: &'a [u8],
    coding: Option<&'a str>,
    max_bytes: u64,
    whole_bytes: u64,
) -> Result<Decoded<'a>, Failure> {
    refuse_many(coding)?;
    let is_large = told_size(body, coding).is_some_and(|size| u64::from(size) > whole_bytes);
    if !is_large || max_bytes <= whole_bytes || !is_encoded(coding) {
        let limit = if is_encoded(coding) { max_bytes.min(whole_bytes) } else { max_bytes };
        match decode_in(room, body, coding, limit) {
            Ok(len) => return Ok(Decoded::Whole(len.map_or(body, |len| &room[..len]))),
            Err(failure) if failure.code != FailureCode::TooLarge || limit == max_bytes => {
                return Err(failure);
            }
            // It unfolds to more than it told, or told nothing.
            Err(_) => (),
        }
    }
    DecodedPieces::new(body, coding, max_bytes).map(Decoded::InPieces)
}

/// Refuses a field that lists so many codings that taking them off is an attack.
fn refuse_many(coding: Option<&str>) -> Result<(), Failure> {
    if codings::listed(coding).nth(MOST_CODINGS).is_none() {
        return Ok(());
    }
    let message = format!("the body is in more than {MOST_CODINGS} content codings");
    Err(Failure::new(FailureCode::Decode, message))
}

/// Whether a field lists a coding that is taken off here.
pub(super) fn is_encoded(coding: Option<&str>) -> bool {
    codings::listed(coding).any(|name| matches!(Coding::of(name), Ok(Some(_))))
}

/// Decodes into `room`, and gives the length there; `None` when `body` is in no coding.
fn decode_in(
    room: &mut Vec<u8>,
    body: &[u8],
    coding: Option<&str>,
    max_bytes: u64,
) -> Result<Option<usize>, Failure> {
    refuse_many(coding)?;
    let mut decoded_len = None;
    let mut last = None;
    let mut label = None;
    for coding in codings::listed(coding) {
        let Some(known) = Coding::of(coding)? else {
            label = Some(coding);
            continue;
        };
        let input = decoded_len.map(|len| room[..len].to_vec());
        match take_off(room, input.as_deref().unwrap_or(body), known, max_bytes) {
            Ok(len) => decoded_len = Some(len),
            // An application and its server both named the coding that one of them applied.
            Err(Undecodable::Broken(_)) if last == Some(known) => {
                room.splice(.., input.unwrap_or_default());
                break;
            }
            Err(error) => return Err(error.into_failure(coding, max_bytes)),
        }
        last = Some(known);
    }
    let decoded = decoded_len.map_or(body, |len| &room[..len]);
    // A label that is no coding, over a body that is in one all the same.
    if let Some(label) = label.filter(|_| codings::looks_encoded(decoded)) {
        return Err(unknown(label));
    }
    if decoded.len() as u64 > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(decoded_len)
}

/// The first `limit` decoded bytes of a body whose end may not have been read: as many
/// as there are before whatever is broken in it. Only the last coding of several is
/// taken off.
///
/// # Errors
///
/// Code `truncated` for a body that has fewer than `limit` bytes and ends before its
/// coding does: what is missing was never sent.
pub fn decode_start(body: &[u8], coding: Option<&str>, limit: u64) -> Result<Bytes, Failure> {
    let mut start = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(limit).read_to_end(&mut start);
    let coding =
        codings::listed(coding).find_map(|coding| Some((coding, Coding::of(coding).ok()??)));
    let result = match coding.map(|(_, coding)| coding) {
        Some(_) if body.is_empty() => Err(std::io::ErrorKind::UnexpectedEof.into()),
        Some(coding) if !coding.may_begin(body) => Ok(0),
        Some(Coding::Gzip) => read(&mut flate2::bufread::MultiGzDecoder::new(body)),
        Some(Coding::Deflate) if is_zlib(body) => {
            read(&mut flate2::bufread::ZlibDecoder::new(body))
        }
        Some(Coding::Deflate) => read(&mut flate2::bufread::DeflateDecoder::new(body)),
        Some(Coding::Brotli) => read(&mut brotli::Decoder::new(body)),
        Some(Coding::Zstd) => zstd_decoder(body).and_then(|mut decoder| read(&mut decoder)),
        None => read(&mut &body[..]),
    };
    match (result.map_err(Undecodable::of), coding) {
        (Err(error @ Undecodable::Cut), Some((name, _))) if (body.len() as u64) < limit => {
            Err(error.into_failure(name, limit))
        }
        // What came before an error is what there is.
        _ => Ok(start.into()),
    }
}

/// A coding that is taken off here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The coding called `name`; `None` for a label that is no coding.
    pub(super) fn of(name: &str) -> Result<Option<Self>, Failure> {
        Ok(Some(match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::Gzip,
            // With the names that some applications have for them.
            "deflate" | "x-deflate" | "zlib" => Self::Deflate,
            "br" | "brotli" => Self::Brotli,
            "zstd" | "x-zstd" => Self::Zstd,
            name if codings::is_coding(name) => {
                return Err(unknown(name));
            }
            _ => return Ok(None),
        }))
    }
}

pub(super) fn unknown(coding: &str) -> Failure {
    let coding = message::excerpt(coding);
    let message = format!("the body is in an unknown content coding, {coding:?}");
    Failure::new(FailureCode::Decode, message)
}

impl Coding {
    /// Whether a body in this coding may begin so: a few bytes that do not are broken,
    /// not cut.
    pub(super) fn may_begin(self, body: &[u8]) -> bool {
        let signature: &[u8] = match self {
            Self::Gzip => &GZIP_MAGIC,
            // A frame; it may be a skippable one (RFC 8878, 3.1).
            Self::Zstd if body.first().is_some_and(|first| first & 0xf0 == 0x50) => &[],
            Self::Zstd => b"\x28\xb5\x2f\xfd",
            Self::Deflate | Self::Brotli => &[],
        };
        let length = signature.len().min(body.len());
        body[..length] == signature[..length]
    }
}

/// Takes one coding off, and gives the number of bytes that are then in `room`.
fn take_off(
    room: &mut Vec<u8>,
    body: &[u8],
    coding: Coding,
    max_bytes: u64,
) -> Result<usize, Undecodable> {
    // No coding makes nothing of nothing: each has a header, or at least a last block.
    if body.is_empty() {
        return Err(Undecodable::Cut);
    }
    if !coding.may_begin(body) {
        return Err(Undecodable::Broken(std::io::Error::other("it begins otherwise")));
    }
    match coding {
        Coding::Gzip => gzip(room, body, max_bytes),
        Coding::Deflate => deflate(room, body, max_bytes),
        Coding::Brotli => read_all(room, brotli::Decoder::new(body), max_bytes),
        Coding::Zstd => zstd_decoder(body)
            .map_err(Undecodable::of)
            .and_then(|decoder| read_all(room, decoder, max_bytes)),
    }
}

pub(super) fn too_large(max_bytes: u64) -> Failure {
    let message = format!("more than {max_bytes} bytes once decoded (--max-size)");
    Failure::new(FailureCode::TooLarge, message)
}

#[derive(Debug)]
pub(super) enum Undecodable {
    TooLarge,
    /// The body ends before its coding does.
    Cut,
    Broken(std::io::Error),
}

impl Undecodable {
    pub(super) fn of(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Cut,
            _ => Self::Broken(error),
        }
    }

    pub(super) fn into_failure(self, coding: &str, max_bytes: u64) -> Failure {
        match self {
            Self::TooLarge => too_large(max_bytes),
            Self::Cut => {
                let message = format!("the body ends before its {coding} coding does");
                Failure::new(FailureCode::Truncated, message)
            }
            Self::Broken(error) => {
                let message = format!("the body is not valid {coding}: {error}");
                Failure::new(FailureCode::Decode, message)
            }
        }
    }
}

/// "deflate" means the zlib format (RFC 9110, 8.4.1.2), but some servers send
/// the bare data, so the header decides (RFC 1950, 2.2).
fn deflate(room: &mut Vec<u8>, body: &[u8], max_bytes: u64) -> Result<usize, Undecodable> {
    if is_zlib(body) {
        match read_all(room, flate2::bufread::ZlibDecoder::new(body), max_bytes) {
            Err(Undecodable::Broken(_)) => (), // bare data may look like a header
            decided => return decided,
        }
    }
    read_all(room, flate2::bufread::DeflateDecoder::new(body), max_bytes)
}

pub(super) fn is_zlib(body: &[u8]) -> bool {
    body.len() >= 2
        && body[0] & 0x0f == 8
        && (u16::from(body[0]) << 8 | u16::from(body[1])).is_multiple_of(31)
}

fn read_all(room: &mut Vec<u8>, reader: impl Read, max_bytes: u64) -> Result<usize, Undecodable> {
    room.clear();
    reader.take(max_bytes + 1).read_to_end(room).map_err(Undecodable::of)?;
    if room.len() as u64 > max_bytes { Err(Undecodable::TooLarge) } else { Ok(room.len()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const LIMIT: u64 = 1 << 20;
    /// 400 times "hello ", then "end", by Google's encoder.
    const BROTLI: [u8; 28] = [
        27, 98, 9, 248, 141, 148, 110, 222, 68, 89, 134, 230, 214, 32, 100, 108, 111, 74, 147, 219,
        226, 128, 40, 2, 0, 82, 195, 2,
    ];

    #[test]
    fn the_start_of_a_body_is_had_although_it_is_cut_off() {
        let zstd = zstd::encode_all(text().as_slice(), 3).unwrap();
        for (coding, body) in [("gzip", gzipped(&text())), ("zstd", zstd), ("identity", text())] {
            let whole = decode_start(&body, Some(coding), u64::MAX);
            assert_eq!(whole.unwrap(), text(), "{coding}");
            assert_eq!(decode_start(&body, Some(coding), 10).unwrap(), text()[..10], "{coding}");
            let limit = body.len() as u64 - 2;
            let cut = decode_start(&body[..body.len() - 2], Some(coding), limit).unwrap();
            assert!(text().starts_with(&cut), "{coding}");
        }
        assert!(decode_start(b"no gzip", Some("gzip"), 10).unwrap().is_empty());
    }

    fn text() -> Vec<u8> {
        (0..5_000).flat_map(|i| format!("line {i} of a page\n").into_bytes()).collect()
    }

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(body: Vec<u8>, coding: &str) -> Result<Bytes, FailureCode> {
        decode(&Bytes::from(body), Some(coding), LIMIT).map_err(|failure| failure.code)
    }

    #[test]
    fn every_offered_coding_is_taken_off() {
        let zstd = zstd::encode_all(text().as_slice(), 3).unwrap();
        for (coding, body) in
            coded().into_iter().filter(|(coding, _)| !coding.starts_with("br")).chain([
                ("X-GZip", gzipped(&text())),
                ("identity", text()),
                ("", text()),
                ("zstd, gzip", gzipped(&zstd)),
            ])
        {
            assert_eq!(decoded(body, coding).unwrap(), text(), "{coding}");
        }
    }

    #[test]
    fn brotli_is_taken_off() {
        assert_eq!(decoded(BROTLI.to_vec(), "br").unwrap(), "hello ".repeat(400) + "end");
    }

    #[test]
    fn all_members_of_a_gzip_body_count() {
        let mut body = gzipped(b"first ");
        body.extend(gzipped(b"second "));
        body.extend(gzipped(b"third"));
        assert_eq!(decoded(body.clone(), "gzip").unwrap(), "first second third");
        body.extend(b"\0\0padding");
        assert_eq!(decoded(body, "gzip").unwrap(), "first second third");
        // What is taken for the size is far above the limit, and the body is not.
        let mut body = gzipped(&text());
        body.extend(b"\0\0\0\0\0\0\x7f\0");
        assert_eq!(decoded(body, "gzip").unwrap(), text());
    }

    #[test]
    fn equal_members_are_not_taken_for_one() {
        let mut body = gzipped(b"same");
        body.extend(gzipped(b"same"));
        assert_eq!(decoded(body, "gzip").unwrap(), "samesame");
    }

    #[test]
    fn a_gzip_body_tells_its_size() {
        let body = gzipped(&text());
        assert_eq!(told_size(&body, Some("gzip")), u32::try_from(text().len()).ok());
        assert_eq!(told_size(&body, None), None);
        assert_eq!(told_size(b"short", Some("gzip")), None);
    }

    #[test]
    fn damage_is_found() {
        let whole = gzipped(&text());
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x10;
        for (coding, body) in [
            ("gzip", flipped),
            ("gzip", b"<html>not gzip at all</html>".to_vec()),
            ("gzip", b"hi".to_vec()),
            ("zstd", b"hi".to_vec()),
            ("br", b"\xff\xff\xff\xff not brotli".to_vec()),
            ("deflate", b"\xff\xff not deflate".to_vec()),
            ("compress", text()),
            ("dcb", text()),
            ("xz", b"\xfd7zXZ\0 and so on".to_vec()),
            ("lzma", text()),
            ("none", b"\x78\x9c and so on".to_vec()),
            ("utf-8", whole),
        ] {
            assert_eq!(decoded(body, coding).unwrap_err(), FailureCode::Decode, "{coding}");
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let zeros = vec![0; 3 * usize::try_from(LIMIT).unwrap()];
        let mut lying = gzipped(&zeros);
        let end = lying.len() - 4;
        lying[end..].copy_from_slice(&9_u32.to_le_bytes());
        for (coding, body) in [
            ("gzip", gzipped(&zeros)),
            ("gzip", lying),
            ("gzip", [gzipped(&zeros[..700_000]), gzipped(&zeros[..700_000])].concat()),
            ("zstd", zstd::encode_all(zeros.as_slice(), 3).unwrap()),
            ("identity", zeros),
        ] {
            assert_eq!(decoded(body, coding).unwrap_err(), FailureCode::TooLarge, "{coding}");
        }
    }

    /// The text in each coding, by its name.
    fn coded() -> Vec<(&'static str, Vec<u8>)> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text()).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(&text()).unwrap();
        vec![
            ("gzip", gzipped(&text())),
            ("zlib", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
            ("zstd", zstd::encode_all(text().as_slice(), 3).unwrap()),
            ("br", BROTLI.to_vec()),
            ("brotli", BROTLI.to_vec()),
        ]
    }

    #[test]
    fn a_body_that_is_cut_anywhere_is_truncated_in_every_coding() {
        for (coding, whole) in coded() {
            assert!(decoded(whole.clone(), coding).is_ok(), "{coding}");
            let step = (whole.len() / 200).max(1);
            let ends =
                (0..whole.len()).step_by(step).chain(whole.len().saturating_sub(20)..whole.len());
            for end in ends {
                let cut = decoded(whole[..end].to_vec(), coding);
                assert_eq!(cut, Err(FailureCode::Truncated), "{coding}, {end} of {}", whole.len());
                let start = decode_start(&whole[..end], Some(coding), u64::MAX);
                assert_eq!(
                    start.map_err(|it| it.code),
                    Err(FailureCode::Truncated),
                    "{coding} {end}"
                );
            }
        }
        assert_eq!(decoded(Vec::new(), "identity").unwrap(), Bytes::new());
        assert_eq!(decoded(Vec::new(), "utf-8").unwrap(), Bytes::new());
    }

    #[test]
    fn labels_that_are_no_codings_change_nothing() {
        for label in ["none", "UTF-8", "binary", "aws-chunked", "text/html"] {
            assert_eq!(decoded(text(), label).unwrap(), text(), "{label}");
            for with_gzip in [format!("{label}, gzip"), format!("gzip, {label}")] {
                assert_eq!(decoded(gzipped(&text()), &with_gzip).unwrap(), text(), "{with_gzip}");
            }
        }
    }

    #[test]
    fn a_coding_that_was_named_once_too_often_counts_once() {
        assert_eq!(decoded(gzipped(&gzipped(&text())), "gzip, gzip").unwrap(), text());
        for (coding, body) in coded().into_iter().filter(|(coding, _)| !coding.starts_with("br")) {
            let twice = format!("{coding}, {coding}");
            assert_eq!(decoded(body, &twice).unwrap(), text(), "{coding}");
        }
        let broken = decoded(gzipped(&text()), "deflate, gzip");
        assert_eq!(broken, Err(FailureCode::Decode));
    }
}
