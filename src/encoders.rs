//! Encoders for tests: bodies in each content coding.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// 400 times "hello ", then "end", in Brotli, by Google's encoder.
pub(crate) const BROTLI: [u8; 28] = [
    27, 98, 9, 248, 141, 148, 110, 222, 68, 89, 134, 230, 214, 32, 100, 108, 111, 74, 147, 219,
    226, 128, 40, 2, 0, 82, 195, 2,
];

/// Returns `bytes` as a member of gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Returns `bytes` in the zlib format.
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Returns `bytes` as bare deflate data.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Returns `bytes` as a frame of zstd.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).expect("memory takes all")
}

/// Returns `bytes` as a frame of zstd with a window of 2 to the power of `window_log` bytes.
pub(crate) fn zstd_with_window(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).expect("level 1 exists");
    encoder.window_log(window_log).expect("the library knows the window");
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}
