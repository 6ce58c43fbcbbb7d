//! A content coding that is decoded here, and how a body in it begins.

/// The first two bytes of a gzip member (RFC 1952, 2.3.1).
pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The first four bytes of a Zstandard frame (RFC 8878, 3.1.1).
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A content coding that is decoded here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// Whether a body in this coding may begin with the bytes of `body`. A body of a few
    /// wrong bytes is broken, and one of a few right bytes was cut.
    pub(super) fn may_begin(self, body: &[u8]) -> bool {
        let signature: &[u8] = match self {
            Self::Gzip => &GZIP_MAGIC,
            // A frame; it may be a skippable one (RFC 8878, 3.1).
            Self::Zstd if body.first().is_some_and(|first| first & 0xf0 == 0x50) => &[],
            Self::Zstd => &ZSTD_MAGIC,
            Self::Deflate | Self::Brotli => &[],
        };
        let length = signature.len().min(body.len());
        body[..length] == signature[..length]
    }
}

/// Whether `body` begins with a header of the zlib format (RFC 1950, 2.2). "deflate" means
/// that format (RFC 9110, 8.4.1.2), but some servers send the bare data.
pub(super) fn is_zlib(body: &[u8]) -> bool {
    body.len() >= 2
        && body[0] & 0x0f == 8
        && (u16::from(body[0]) << 8 | u16::from(body[1])).is_multiple_of(31)
}

/// Whether `body` begins like a body in a coding: the signatures of gzip (RFC 1952), zlib
/// (RFC 1950, 2.2, but for `x^`, which text may begin with), compress, Zstandard
/// (RFC 8878), xz, bzip2, lzma and LZ4.
pub(super) fn looks_encoded(body: &[u8]) -> bool {
    const SIGNATURES: [&[u8]; 10] = [
        b"\x78\x01",
        b"\x78\x9c",
        b"\x78\xda",
        b"\x5d\0\0",
        &GZIP_MAGIC,
        b"\x1f\x9d",
        &ZSTD_MAGIC,
        b"\xfd7zXZ\0",
        b"BZh",
        b"\x04\x22\x4d\x18",
    ];
    SIGNATURES.iter().any(|signature| body.starts_with(signature))
}
