//! Decodes a body: removes the content codings gzip, deflate, br and zstd, several in a row
//! too.
//!
//! A limit applies to the decoded size, so that a small body that expands to a huge one
//! ends early and never takes its decoded size in memory.

use bytes::Bytes;

use super::codings::{Codings, MAX_CODINGS};
use super::gzip::announced_size;
use super::pieces::DecodedPieces;
use super::undecodable::too_many;
use super::whole::decode_whole;
use crate::model::{Failure, FailureCode};

/// Decodes `body`, which is in `codings`.
///
/// A body in no coding is returned as it is, without a copy.
///
/// # Errors
///
/// Code `decode` for a body that is not in its coding and for a coding that is not decoded
/// here; `truncated` for a body that ends before its coding does; `too-large` for more than
/// `max_bytes` decoded bytes.
pub fn decode(body: &Bytes, codings: &Codings, max_bytes: u64) -> Result<Bytes, Failure> {
    let mut buffer = Vec::new();
    let decoded = decode_into(&mut buffer, body, codings, max_bytes)?;
    if decoded.as_ptr() == body.as_ptr() {
        return Ok(body.clone());
    }
    let len = decoded.len();
    buffer.truncate(len);
    Ok(Bytes::from(buffer))
}

/// Decodes like [`decode`], into a `buffer` that the caller may use again for the next body.
///
/// The buffer grows to the size of the largest body; the bytes after the current body have
/// no meaning.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_into<'a>(
    buffer: &'a mut Vec<u8>,
    body: &'a [u8],
    codings: &Codings,
    max_bytes: u64,
) -> Result<&'a [u8], Failure> {
    check_number(codings)?;
    let decoded_len = decode_whole(buffer, body, codings, max_bytes)?;
    Ok(decoded_len.map_or(body, |len| &buffer[..len]))
}

/// A decoded body.
pub(crate) enum Decoded<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// A reader that decodes it piece by piece.
    InPieces(DecodedPieces<'a>),
}

/// Decodes like [`decode_into`] a body of at most `whole_bytes` decoded bytes, and returns
/// the pieces of a larger one.
///
/// # Errors
///
/// As [`decode`]. Of a body in pieces, reading the first piece may report more.
pub(crate) fn decode_or_pieces<'a>(
    buffer: &'a mut Vec<u8>,
    body: &'a [u8],
    codings: &'a Codings,
    max_bytes: u64,
    whole_bytes: u64,
) -> Result<Decoded<'a>, Failure> {
    check_number(codings)?;
    let is_encoded = codings.is_encoded();
    let size = announced_size(body, codings).map(u64::from);
    let is_large = is_encoded && size.is_some_and(|size| size > whole_bytes);
    if !is_large || max_bytes <= whole_bytes {
        let limit = if is_encoded { max_bytes.min(whole_bytes) } else { max_bytes };
        match decode_whole(buffer, body, codings, limit) {
            Ok(len) => return Ok(Decoded::Whole(len.map_or(body, |len| &buffer[..len]))),
            Err(failure) if failure.code != FailureCode::TooLarge || limit == max_bytes => {
                return Err(failure);
            }
            // The body announces a smaller size than it has, or none.
            Err(_) => (),
        }
    }
    DecodedPieces::new(body, codings, max_bytes).map(Decoded::InPieces)
}

/// Refuses a field that lists more codings than any honest server applies.
fn check_number(codings: &Codings) -> Result<(), Failure> {
    if codings.listed().len() > MAX_CODINGS { Err(too_many()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoders::{BROTLI, deflate, gzip, zlib, zstd};
    use crate::page::start::decode_start;

    const LIMIT: u64 = 1 << 20;

    fn text() -> Vec<u8> {
        (0..5_000).flat_map(|i| format!("line {i} of a page\n").into_bytes()).collect()
    }

    fn decoded(body: Vec<u8>, coding: &str) -> Result<Bytes, FailureCode> {
        decode(&Bytes::from(body), &Codings::parse(Some(coding)), LIMIT)
            .map_err(|failure| failure.code)
    }

    #[test]
    fn every_offered_coding_is_taken_off() {
        for (coding, body) in
            coded().into_iter().filter(|(coding, _)| !coding.starts_with("br")).chain([
                ("X-GZip", gzip(&text())),
                ("identity", text()),
                ("", text()),
                ("zstd, gzip", gzip(&zstd(&text()))),
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
        let mut body = gzip(b"first ");
        body.extend(gzip(b"second "));
        body.extend(gzip(b"third"));
        assert_eq!(decoded(body.clone(), "gzip").unwrap(), "first second third");
        body.extend(b"\0\0padding");
        assert_eq!(decoded(body, "gzip").unwrap(), "first second third");
        // What is taken for the size is far above the limit, and the body is not.
        let mut body = gzip(&text());
        body.extend(b"\0\0\0\0\0\0\x7f\0");
        assert_eq!(decoded(body, "gzip").unwrap(), text());
    }

    #[test]
    fn equal_members_are_not_taken_for_one() {
        let mut body = gzip(b"same");
        body.extend(gzip(b"same"));
        assert_eq!(decoded(body, "gzip").unwrap(), "samesame");
    }

    #[test]
    fn damage_is_found() {
        let whole = gzip(&text());
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
        let mut lying = gzip(&zeros);
        let end = lying.len() - 4;
        lying[end..].copy_from_slice(&9_u32.to_le_bytes());
        for (coding, body) in [
            ("gzip", gzip(&zeros)),
            ("gzip", lying),
            ("gzip", [gzip(&zeros[..700_000]), gzip(&zeros[..700_000])].concat()),
            ("zstd", zstd(&zeros)),
            ("identity", zeros),
        ] {
            assert_eq!(decoded(body, coding).unwrap_err(), FailureCode::TooLarge, "{coding}");
        }
    }

    /// The text in each coding, by its name.
    fn coded() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("gzip", gzip(&text())),
            ("zlib", zlib(&text())),
            ("deflate", deflate(&text())),
            ("zstd", zstd(&text())),
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
                let start = decode_start(&whole[..end], &Codings::parse(Some(coding)), u64::MAX);
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
                assert_eq!(decoded(gzip(&text()), &with_gzip).unwrap(), text(), "{with_gzip}");
            }
        }
    }

    #[test]
    fn a_coding_that_was_named_once_too_often_counts_once() {
        assert_eq!(decoded(gzip(&gzip(&text())), "gzip, gzip").unwrap(), text());
        for (coding, body) in coded().into_iter().filter(|(coding, _)| !coding.starts_with("br")) {
            let twice = format!("{coding}, {coding}");
            assert_eq!(decoded(body, &twice).unwrap(), text(), "{coding}");
        }
        let broken = decoded(gzip(&text()), "deflate, gzip");
        assert_eq!(broken, Err(FailureCode::Decode));
    }

    #[test]
    fn a_body_in_very_many_codings_is_not_taken_apart() {
        let wrapped = (0..5).fold(text(), |body, _| gzip(&body));
        for (number, body) in [(5, wrapped.clone()), (6, gzip(&wrapped))] {
            let field = vec!["gzip"; number].join(", ");
            let codings = Codings::parse(Some(&field));
            for whole in [10, u64::MAX] {
                let mut buffer = Vec::new();
                let decoded = decode_or_pieces(&mut buffer, &body, &codings, u64::MAX, whole);
                match (number, whole, decoded) {
                    (5, 10, Ok(Decoded::InPieces(_))) => (),
                    (5, u64::MAX, Ok(Decoded::Whole(whole))) => assert!(whole == text()),
                    (6, _, Err(failure)) => assert_eq!(failure.code, FailureCode::Decode),
                    _ => panic!("{number} codings, {whole} as a whole"),
                }
            }
        }
    }

    #[test]
    fn a_limit_may_be_the_largest_number() {
        for (coding, body) in coded() {
            let codings = Codings::parse(Some(coding));
            let decoded = decode(&Bytes::from(body), &codings, u64::MAX).unwrap();
            assert!(decoded.len() > 1000, "{coding}");
        }
    }

    #[test]
    fn a_page_in_gzip_is_decoded_without_allocations() {
        let (text, mut buffer) = (text(), Vec::new());
        let body = gzip(&text);
        let codings = Codings::parse(Some("gzip"));
        let mut decode_again =
            || decode_into(&mut buffer, &body, &codings, LIMIT).map(<[u8]>::len).unwrap();
        decode_again();
        let counted = allocation_counter::measure(|| assert_eq!(decode_again(), text.len()));
        assert_eq!(counted.count_total, 0);
    }
}
