//! How much memory decoding a body takes, forecast from the body alone. Pure.

use super::codings;
use super::decode::{Coding, MOST_CODINGS, is_encoded, told_size};
use super::layers::ZSTD_WINDOW_LOG;

/// A page of at most so many decoded bytes is decoded as a whole, which is faster; few
/// are larger.
pub(crate) const WHOLE: u64 = 4 * 1024 * 1024;
/// What decoding piece by piece takes: a piece, and what is between two codings.
const PIECES: u64 = 512 * 1024;
/// Text becomes a fifth to an eighth of its size when it is compressed.
pub(crate) const USUAL_RATIO: u32 = 8;
/// The window of deflate (RFC 1951, 2).
const DEFLATE_WINDOW: u64 = 32 * 1024;

/// The bytes that decoding a body takes beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needed {
    /// For the decoded body, in so far as it is decoded as a whole; 0 when it is not.
    pub whole: u64,
    /// For the decoders.
    pub beside: u64,
}

/// What decoding `body` takes, when a body of more than [`WHOLE`] is decoded piece by
/// piece: what the body tells, else what is usual, and the windows of its codings.
pub(crate) fn needed(body: &[u8], coding: Option<&str>) -> Needed {
    if !is_encoded(coding) {
        return Needed::default();
    }
    if let Some(told) = told_size(body, coding).map(u64::from) {
        return if told <= WHOLE {
            Needed { whole: told, beside: 0 }
        } else {
            Needed { whole: 0, beside: PIECES + DEFLATE_WINDOW }
        };
    }
    let usual = u64::from(USUAL_RATIO).saturating_mul(body.len() as u64);
    let windows: u64 = codings::listed(coding)
        .take(MOST_CODINGS)
        .enumerate()
        .filter_map(|(number, name)| {
            let coding = Coding::of(name).ok()??;
            // Of those behind the first, nothing is known yet.
            Some(if number == 0 { window(body, coding) } else { largest_window(coding) })
        })
        .sum();
    Needed { whole: usual.min(WHOLE), beside: windows }
}

/// The window that a body in `coding` asks for, in bytes.
fn window(body: &[u8], coding: Coding) -> u64 {
    let told = match coding {
        Coding::Gzip | Coding::Deflate => None,
        Coding::Brotli => brotli_window(body),
        Coding::Zstd => zstd_window(body),
    };
    told.unwrap_or(u64::MAX).min(largest_window(coding))
}

/// The largest window of `coding`.
const fn largest_window(coding: Coding) -> u64 {
    match coding {
        Coding::Gzip | Coding::Deflate => DEFLATE_WINDOW,
        // RFC 7932, 9.1.
        Coding::Brotli => (1 << 24) - 16,
        Coding::Zstd => 1 << ZSTD_WINDOW_LOG,
    }
}

/// The window of a stream in Brotli: `WBITS` in its first bits (RFC 7932, 9.1).
fn brotli_window(body: &[u8]) -> Option<u64> {
    let first = *body.first()?;
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        // What is reserved is refused by the decoder.
        (_, 0, 1) => return None,
        (_, 0, low) => 8 + low,
        (_, high, _) => 17 + high,
    };
    Some((1 << bits) - 16)
}

/// The window of a body in zstd that is one frame, from its header (RFC 8878, 3.1.1.1).
fn zstd_window(body: &[u8]) -> Option<u64> {
    // Further frames may ask for more.
    if zstd::zstd_safe::find_frame_compressed_size(body) != Ok(body.len()) {
        return None;
    }
    let (descriptor, header) = body.strip_prefix(b"\x28\xb5\x2f\xfd")?.split_first()?;
    let is_single = descriptor & 0x20 != 0;
    if !is_single {
        let window = header.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // A frame of one segment has a window as large as its content.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut size = [0; 8];
    size[..length].copy_from_slice(header.get(dictionary..dictionary + length)?);
    let size = u64::from_le_bytes(size);
    // A field of two bytes counts from 256.
    Some(if length == 2 { size + 256 } else { size })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn windows_are_told_by_the_first_bytes() {
        // The last row of each is of RFC 7932's table.
        for (first, bits) in [(0b0, 16), (0b1, 17), (0b11, 18), (0b1011, 22), (0b1111, 24)] {
            assert_eq!(brotli_window(&[first]), Some((1 << bits) - 16), "{first:b}");
        }
        for (first, bits) in [(0b0010_0001, 10), (0b0111_0001, 15)] {
            assert_eq!(brotli_window(&[first]), Some((1 << bits) - 16), "{first:b}");
        }
        assert_eq!(brotli_window(&[0b0001_0001]), None);
        let text = vec![b'x'; 300];
        assert_eq!(zstd_window(&zstd::bulk::compress(&text, 3).unwrap()), Some(300));
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(21).unwrap();
        encoder.write_all(&text).unwrap();
        assert_eq!(zstd_window(&encoder.finish().unwrap()), Some(1 << 21));
        assert_eq!(zstd_window(b"\x28\xb5\x2f\xfd"), None);
        let one = zstd::bulk::compress(&text, 3).unwrap();
        let skippable = b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec();
        for several in [[one.clone(), one.clone()], [skippable, one.clone()]] {
            assert_eq!(zstd_window(&several.concat()), None);
        }
        assert_eq!(zstd_window(&one[..one.len() - 1]), None);
    }

    #[test]
    fn what_decoding_takes_is_forecast() {
        let gzip = |size: u32| {
            let mut body = vec![0; 100];
            body.extend(size.to_le_bytes());
            body
        };
        let large = vec![0; 1 << 20];
        for (body, coding, whole, beside) in [
            (&[0; 1000][..], None, 0, 0),
            (&[0; 1000], Some("none"), 0, 0),
            (&gzip(5000), Some("gzip"), 5000, 0),
            (&gzip(u32::MAX), Some("gzip"), 0, PIECES + DEFLATE_WINDOW),
            (&[0; 1000], Some("deflate"), 8000, DEFLATE_WINDOW),
            (&[0b1011; 1000], Some("br"), 8000, (1 << 22) - 16),
            (&large, Some("zstd, br"), WHOLE, (1 << 16) - 16 + (1 << 23)),
            (
                &large,
                Some("br, br, br, br, br, br, br, br, br"),
                WHOLE,
                (1 << 16) - 16 + 4 * ((1 << 24) - 16),
            ),
        ] {
            assert_eq!(needed(body, coding), Needed { whole, beside }, "{coding:?}");
        }
    }
}
