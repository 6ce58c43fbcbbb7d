//! One page as it is kept: plain and compressed, with what its headers say of it.
//!
//! Pure. Which of the two is sent is decided in [`reply`](super::reply).

use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};

/// libdeflate's own default, and about what a site would choose for pages that it caches.
const GZIP_LEVEL: i32 = 6;

/// One page, ready to be sent with or without compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    plain: Bytes,
    gzip: Bytes,
    etag: String,
    content_type: &'static str,
}

impl Document {
    /// The page itself.
    #[must_use]
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The page as one gzip member.
    #[must_use]
    pub fn gzip(&self) -> &Bytes {
        &self.gzip
    }

    /// The validator of both, hence a weak one (RFC 9110, section 8.8.1), quotes included.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The value for the `Content-Type` header.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }
}

/// What turns texts into documents; keeps the compressor and its buffer from one to the next.
pub(super) struct Press {
    compressor: Compressor,
    buffer: Vec<u8>,
}

impl Press {
    /// A press with an empty buffer.
    pub(super) fn new() -> Press {
        let level = CompressionLvl::new(GZIP_LEVEL).expect("libdeflate has levels 1 to 12");
        Press { compressor: Compressor::new(level), buffer: Vec::new() }
    }

    /// The document of this text.
    pub(super) fn document(&mut self, text: &str, content_type: &'static str) -> Document {
        let text = text.as_bytes();
        let bound = self.compressor.gzip_compress_bound(text.len());
        if self.buffer.len() < bound {
            self.buffer.resize(bound, 0);
        }
        let length = self
            .compressor
            .gzip_compress(text, &mut self.buffer)
            .expect("the buffer is as long as the compressor may need");
        Document {
            plain: Bytes::copy_from_slice(text),
            gzip: Bytes::copy_from_slice(&self.buffer[..length]),
            etag: format!("W/\"{:08x}-{:x}\"", libdeflater::crc32(text), text.len()),
            content_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use libdeflater::Decompressor;

    use super::*;

    #[test]
    fn gzip_decodes_to_the_plain_page() {
        let mut press = Press::new();
        for text in ["", "short", &"long and repetitive ".repeat(10_000), "after it"] {
            let document = press.document(text, "text/plain");
            assert_eq!(document.plain(), text);
            let mut out = vec![0; text.len()];
            let length = Decompressor::new().gzip_decompress(document.gzip(), &mut out).unwrap();
            assert_eq!(&out[..length], text.as_bytes());
        }
    }

    #[test]
    fn another_text_has_another_validator() {
        let mut press = Press::new();
        let first = press.document("first", "text/plain");
        assert_eq!(first, press.document("first", "text/plain"));
        assert_ne!(first.etag(), press.document("other", "text/plain").etag());
    }
}
