//! The padding that makes pages heavier to process: one text that follows every article of a site.
//!
//! Pure. The padding is made and compressed once. Sending a page costs the server a copy; reading
//! it costs the client the decoding, hashing and writing of the whole.

use std::time::Duration;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::markup::push_formatted;
use super::vocabulary::{ADJECTIVES, NOUNS, PARTICIPLES};
use crate::random::Rng;

/// Bytes that take a CPU of 2025 about a microsecond to decode in blocks of this kind, to hash
/// with SHA-256 and to write to a file in memory.
const BYTES_PER_MICROSECOND: u128 = 220;

/// The length after which the text repeats.
const SEGMENT_BYTES: usize = 64 * 1024;

/// The number of bytes between two flushes, as by a server that sends a page while it makes it.
/// Each flush ends a deflate block, and the next block has Huffman tables of its own. Setting them
/// up costs more than decoding such a short text, so pages get heavy before they get long.
const FLUSHED_BYTES: usize = 512;

/// A last block without any text, in fixed Huffman codes (RFC 1951, 3.2.6).
const END: [u8; 2] = [3, 0];

/// The text and its compressed form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Padding {
    plain: Bytes,
    deflated: Bytes,
}

impl Padding {
    /// Makes padding that a CPU needs about this long to process, as a constant says: the same
    /// seed gives the same padding on any machine. `None` for a time of zero.
    pub(super) fn new(seed: u64, cost: Duration) -> Option<Padding> {
        let bytes = cost.as_micros() * BYTES_PER_MICROSECOND;
        let segment = segment(seed);
        let segments = usize::try_from(bytes.div_ceil(segment.len() as u128)).unwrap_or(usize::MAX);
        let deflated = deflated(segment.as_bytes(), FLUSHED_BYTES);
        (segments > 0).then(|| Padding {
            plain: segment.repeat(segments).into(),
            deflated: [&deflated.repeat(segments)[..], &END].concat().into(),
        })
    }

    /// The text, as part of an HTML page: comments.
    pub(super) fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The text as deflate blocks that refer to nothing before them and end the stream.
    pub(super) fn deflated(&self) -> &Bytes {
        &self.deflated
    }

    /// The CRC of a text of which `crc` is the CRC, with this one after it.
    pub(super) fn append_to(&self, crc: &mut Crc) {
        let mut own = Crc::new();
        own.update(&self.plain);
        crc.combine(&own);
    }
}

/// Makes one segment: comment lines with made-up words.
fn segment(seed: u64) -> String {
    // The purpose is a part of the seed: another word would make other pages.
    let mut rng = Rng::for_purpose(seed, "ballast");
    let mut text = String::new();
    while text.len() < SEGMENT_BYTES {
        let (first, second) = (rng.pick(&ADJECTIVES), rng.pick(&NOUNS));
        let (third, number) = (rng.pick(&PARTICIPLES), rng.bits());
        push_formatted(
            &mut text,
            format_args!("<!-- the {first} {second}, {third} as {number:x} -->\n"),
        );
    }
    text
}

/// The text as deflate blocks that neither refer to what is before them nor end the stream, so
/// that others can follow. A flush comes after every `flushed_bytes` of the text: an empty stored
/// block, which ends on a byte (RFC 1951, 3.2.4).
pub(super) fn deflated(text: &[u8], flushed_bytes: usize) -> Vec<u8> {
    let mut compressor = Compress::new(Compression::fast(), false);
    let mut out = Vec::new();
    for piece in text.chunks(flushed_bytes) {
        // A stored block takes a few bytes more than its content, and Huffman codes never take
        // more than that. With room for all of it, one call does all.
        out.reserve(piece.len() + piece.len() / 8 + 64);
        let done = compressor.compress_vec(piece, &mut out, FlushCompress::Sync);
        done.expect("compressing has no errors of its own");
    }
    assert_eq!(compressor.total_in(), text.len() as u64, "there was room for all of it");
    out
}

#[cfg(test)]
mod tests {
    use libdeflater::Decompressor;

    use super::*;

    fn padding(millis: u64) -> Padding {
        Padding::new(1, Duration::from_millis(millis)).unwrap()
    }

    #[test]
    fn the_deflated_text_is_the_plain_one() {
        let padding = padding(1);
        let mut out = vec![0; padding.plain().len()];
        let written = Decompressor::new().deflate_decompress(padding.deflated(), &mut out);
        assert_eq!(written, Ok(out.len()));
        assert_eq!(out, padding.plain()[..]);
        assert_eq!(padding, self::padding(1));
    }

    #[test]
    fn it_grows_with_the_cost_and_a_costly_page_is_far_from_the_limit_of_sizes() {
        assert_eq!(Padding::new(1, Duration::ZERO), None);
        let (ten, hundred) = (padding(10), padding(100));
        assert!(hundred.plain().len() > 9 * ten.plain().len());
        let limit = usize::try_from(crate::fetch::options::DEFAULT_MAX_SIZE).unwrap();
        assert!(hundred.plain().len() < limit / 4);
        // Sending it costs the origin a copy and the client little.
        assert!(ten.deflated().len() < ten.plain().len() / 2);
    }

    #[test]
    fn its_crc_is_that_of_a_text_with_it() {
        let padding = padding(1);
        let mut crc = Crc::new();
        crc.update(b"before it");
        padding.append_to(&mut crc);
        let whole = [b"before it", &padding.plain()[..]].concat();
        assert_eq!(crc.sum(), libdeflater::crc32(&whole));
    }
}
