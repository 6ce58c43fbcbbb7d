//! Bodies in content codings.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// 400 times "hello ", then "end", in Brotli, by Google's encoder.
pub const BROTLI: [u8; 28] = [
    27, 98, 9, 248, 141, 148, 110, 222, 68, 89, 134, 230, 214, 32, 100, 108, 111, 74, 147, 219,
    226, 128, 40, 2, 0, 82, 195, 2,
];

/// Returns `bytes` as a member of gzip.
pub fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Returns `bytes` as a frame of zstd.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).unwrap()
}
