//! Zstandard (RFC 8878), within the window that HTTP allows.

use std::io::{BufRead, Result};

use zstd::stream::read::Decoder;

use super::coding::ZSTD_MAGIC;

/// The binary logarithm of the largest window. Windows of zstd are at most 8 MiB over HTTP
/// (RFC 9659, 3).
pub(super) const MAX_WINDOW_LOG: u32 = 23;

/// Creates a decoder of a body in zstd.
///
/// # Errors
///
/// When the library has no memory for a decoder.
pub(super) fn decoder<'a, R: BufRead>(reader: R) -> Result<Decoder<'a, R>> {
    let mut decoder = Decoder::with_buffer(reader)?;
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    Ok(decoder)
}

/// Returns the window of a body in zstd that is one frame, in bytes, from the frame's header
/// (RFC 8878, 3.1.1.1).
pub(super) fn window(body: &[u8]) -> Option<u64> {
    // Further frames may need a larger window.
    if zstd::zstd_safe::find_frame_compressed_size(body) != Ok(body.len()) {
        return None;
    }
    let (descriptor, header) = body.strip_prefix(&ZSTD_MAGIC)?.split_first()?;
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
    use super::*;
    use crate::encoders::zstd_with_window;

    #[test]
    fn the_header_of_a_frame_holds_its_window() {
        let text = vec![b'x'; 300];
        assert_eq!(window(&zstd::bulk::compress(&text, 3).unwrap()), Some(300));
        assert_eq!(window(&zstd_with_window(&text, 21)), Some(1 << 21));
        assert_eq!(window(b"\x28\xb5\x2f\xfd"), None);
        let one = zstd::bulk::compress(&text, 3).unwrap();
        let skippable = b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec();
        for several in [[one.clone(), one.clone()], [skippable, one.clone()]] {
            assert_eq!(window(&several.concat()), None);
        }
        assert_eq!(window(&one[..one.len() - 1]), None);
    }
}
