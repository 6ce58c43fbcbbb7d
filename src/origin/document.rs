//! One page in both forms, plain and compressed, with the values of its headers.
//!
//! Pure. [`response`](super::response) decides which of the two is sent.

use std::sync::Arc;

use bytes::Bytes;
use flate2::Crc;
use libdeflater::{CompressionLvl, Compressor};

use super::padding::{Padding, deflated};

/// libdeflate's own default, and about what a site would choose for pages that it caches.
const GZIP_LEVEL: i32 = 6;

/// The header of a gzip member that names neither file nor time (RFC 1952, 2.3): deflate, no
/// flags, an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// One page, ready to be sent with or without compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The page without its padding.
    plain: Bytes,
    /// The gzip member; with padding, its part before the padding.
    gzip: Bytes,
    padding: Option<SharedPadding>,
    etag: String,
    content_type: &'static str,
}

impl Document {
    /// The page itself. Costs nothing; with padding it costs a copy.
    #[must_use]
    pub fn plain(&self) -> Bytes {
        match &self.padding {
            None => self.plain.clone(),
            Some(SharedPadding { padding, .. }) => {
                [&self.plain[..], padding.plain()].concat().into()
            }
        }
    }

    /// The page as one gzip member. Costs nothing; with padding it costs a copy.
    #[must_use]
    pub fn gzip(&self) -> Bytes {
        match &self.padding {
            None => self.gzip.clone(),
            Some(SharedPadding { padding, trailer }) => {
                [&self.gzip[..], padding.deflated(), trailer].concat().into()
            }
        }
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

/// The padding that follows a page's own text, shared with other pages.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SharedPadding {
    padding: Arc<Padding>,
    /// The end of the gzip member: CRC and length (RFC 1952, 2.3.1).
    trailer: [u8; 8],
}

/// Turns texts into documents; reuses the compressor and its buffer for each of them.
pub(super) struct DocumentBuilder {
    compressor: Compressor,
    buffer: Vec<u8>,
}

impl DocumentBuilder {
    /// Makes a builder with an empty buffer.
    pub(super) fn new() -> DocumentBuilder {
        let level = CompressionLvl::new(GZIP_LEVEL).expect("libdeflate has levels 1 to 12");
        DocumentBuilder { compressor: Compressor::new(level), buffer: Vec::new() }
    }

    /// Makes the document of this text.
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
            padding: None,
            etag: etag(libdeflater::crc32(text), text.len()),
            content_type,
        }
    }
}

/// Makes the document of this text with the padding after it, which is shared with other
/// documents. Its gzip member consists of the text's blocks and the padding's blocks.
pub(super) fn padded(text: &str, padding: &Arc<Padding>, content_type: &'static str) -> Document {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    padding.append_to(&mut crc);
    let [c0, c1, c2, c3] = crc.sum().to_le_bytes();
    let [l0, l1, l2, l3] = crc.amount().to_le_bytes();
    let trailer = [c0, c1, c2, c3, l0, l1, l2, l3];
    Document {
        plain: Bytes::copy_from_slice(text.as_bytes()),
        gzip: [&GZIP_HEADER[..], &deflated(text.as_bytes(), text.len().max(1))].concat().into(),
        padding: Some(SharedPadding { padding: Arc::clone(padding), trailer }),
        etag: etag(crc.sum(), text.len() + padding.plain().len()),
        content_type,
    }
}

fn etag(crc: u32, length: usize) -> String {
    format!("W/\"{crc:08x}-{length:x}\"")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libdeflater::Decompressor;

    use super::*;

    #[test]
    fn gzip_decodes_to_the_plain_page() {
        let mut builder = DocumentBuilder::new();
        for text in ["", "short", &"long and repetitive ".repeat(10_000), "after it"] {
            let document = builder.document(text, "text/plain");
            assert_eq!(document.plain(), text);
            let mut out = vec![0; text.len()];
            let length = Decompressor::new().gzip_decompress(&document.gzip(), &mut out).unwrap();
            assert_eq!(&out[..length], text.as_bytes());
        }
    }

    #[test]
    fn a_heavy_page_is_one_member_too_and_its_own() {
        let padding = Arc::new(Padding::new(1, Duration::from_millis(1)).unwrap());
        for text in ["", "short", &"long and repetitive ".repeat(10_000)] {
            let document = padded(text, &padding, "text/plain");
            let plain = document.plain();
            assert!(plain.starts_with(text.as_bytes()));
            assert_eq!(plain.len(), text.len() + padding.plain().len());
            let mut out = vec![0; plain.len()];
            let length = Decompressor::new().gzip_decompress(&document.gzip(), &mut out).unwrap();
            assert_eq!(out[..length], plain);
            assert_eq!(
                document.etag(),
                DocumentBuilder::new().document(&text_of(&plain), "").etag()
            );
        }
    }

    fn text_of(plain: &[u8]) -> String {
        String::from_utf8(plain.to_vec()).unwrap()
    }

    #[test]
    fn another_text_has_another_validator() {
        let mut builder = DocumentBuilder::new();
        let first = builder.document("first", "text/plain");
        assert_eq!(first, builder.document("first", "text/plain"));
        assert_ne!(first.etag(), builder.document("other", "text/plain").etag());
    }
}
