//! Forecasts the memory that decoding a body takes, from the body alone. Pure.

use super::coding::Coding;
use super::codings::{Codings, Listed, MAX_CODINGS};
use super::gzip::announced_size;
use super::{brotli, zstandard};

/// A page of at most this number of decoded bytes is decoded as a whole, which is faster;
/// few pages are larger.
pub(crate) const WHOLE: u64 = 4 * 1024 * 1024;
/// The memory for decoding piece by piece: a piece, and the buffers between codings.
const PIECES: u64 = 512 * 1024;
/// The usual ratio of a decoded body to an encoded one: compression makes text five to
/// eight times smaller.
const USUAL_RATIO: u32 = 8;
/// The window of deflate in bytes (RFC 1951, 2).
const DEFLATE_WINDOW: u64 = 32 * 1024;

/// The memory that decoding a body takes, in bytes, without the body itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DecodingMemory {
    /// For the decoded body when it is decoded as a whole; 0 when it is not.
    pub whole: u64,
    /// For the decoders.
    pub decoders: u64,
}

/// Forecasts the memory that decoding `body` takes, when a body of more than [`WHOLE`] is
/// decoded piece by piece. The forecast uses the size that the body announces, or else the
/// usual ratio, and the windows of its codings.
pub(crate) fn decoding_memory(body: &[u8], codings: &Codings) -> DecodingMemory {
    if !codings.is_encoded() {
        return DecodingMemory::default();
    }
    if let Some(size) = announced_size(body, codings).map(u64::from) {
        return if size <= WHOLE {
            DecodingMemory { whole: size, decoders: 0 }
        } else {
            DecodingMemory { whole: 0, decoders: PIECES + DEFLATE_WINDOW }
        };
    }
    let usual = u64::from(USUAL_RATIO).saturating_mul(body.len() as u64);
    let windows = codings.listed().iter().take(MAX_CODINGS).enumerate();
    let windows = windows.filter_map(|(number, listed)| match listed {
        Listed::Known(coding, _) if number == 0 => Some(window(body, *coding)),
        // Only decoding the one before it shows its window.
        Listed::Known(coding, _) => Some(max_window(*coding)),
        Listed::Unknown(_) | Listed::Label(_) => None,
    });
    DecodingMemory { whole: usual.min(WHOLE), decoders: windows.sum() }
}

/// Returns the size on the wire that a body's cost is forecast from: its own, or that of a
/// usual body that expands to as much.
pub(crate) fn weight(body: &[u8], codings: &Codings) -> usize {
    let announced = announced_size(body, codings).unwrap_or(0);
    body.len().max((announced / USUAL_RATIO) as usize)
}

/// Returns the window that a body in `coding` needs, in bytes.
fn window(body: &[u8], coding: Coding) -> u64 {
    let stated = match coding {
        Coding::Gzip | Coding::Deflate => None,
        Coding::Brotli => brotli::window(body),
        Coding::Zstd => zstandard::window(body),
    };
    stated.unwrap_or(u64::MAX).min(max_window(coding))
}

/// Returns the largest window of `coding`, in bytes.
const fn max_window(coding: Coding) -> u64 {
    match coding {
        Coding::Gzip | Coding::Deflate => DEFLATE_WINDOW,
        Coding::Brotli => brotli::MAX_WINDOW,
        Coding::Zstd => 1 << zstandard::MAX_WINDOW_LOG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decoding_takes_is_forecast() {
        let gzip = |size: u32| {
            let mut body = vec![0; 100];
            body.extend(size.to_le_bytes());
            body
        };
        let large = vec![0; 1 << 20];
        for (body, coding, whole, decoders) in [
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
            let memory = decoding_memory(body, &Codings::parse(coding));
            assert_eq!(memory, DecodingMemory { whole, decoders }, "{coding:?}");
        }
    }
}
