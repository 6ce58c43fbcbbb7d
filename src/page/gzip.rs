//! gzip (RFC 1952): decoded in one shot where its end announces its size, else member by
//! member.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};

use libdeflater::{DecompressionError, Decompressor};

use super::coding::GZIP_MAGIC;
use super::codings::Codings;
use super::undecodable::Undecodable;

/// Deflate expands one byte to at most 1,032 (zlib's "Technical Details", "Maximum
/// Compression Factor"), so a larger announced size is a lie.
const DEFLATE_RATIO: u64 = 1032;
/// The size of a gzip member's header and trailer without any data (RFC 1952, 2.3).
const GZIP_FRAME: usize = 18;

thread_local! {
    /// Each thread has one decompressor and uses it again, because its tables take about
    /// 30 kB.
    static DEFLATE: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

/// Returns the decoded size that a body in gzip announces in its last bytes (RFC 1952,
/// 2.3.1). It need not be true.
pub(crate) fn announced_size(body: &[u8], codings: &Codings) -> Option<u32> {
    let size = body.last_chunk().filter(|_| codings.is_gzip() && body.len() >= GZIP_FRAME)?;
    Some(u32::from_le_bytes(*size))
}

/// Decodes gzip into `buffer` and returns the number of decoded bytes there. It takes one
/// shot where the trailer announces the size, which is about three times as fast as
/// streaming.
///
/// The fast decoder stops at the end of the first member and does not report whether
/// another one follows. So the trailer at the end of the input is compared with the
/// decoded bytes. Where they differ, or where the same trailer also stands earlier (members
/// of equal content), the members are read one by one.
pub(super) fn decode(
    buffer: &mut Vec<u8>,
    body: &[u8],
    max_bytes: u64,
) -> Result<usize, Undecodable> {
    let Some((_, trailer)) = body.split_last_chunk::<8>().filter(|_| body.len() >= GZIP_FRAME)
    else {
        return decode_members(buffer, body, max_bytes);
    };
    let [c0, c1, c2, c3, s0, s1, s2, s3] = *trailer;
    let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
    let size = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
    if size > DEFLATE_RATIO * body.len() as u64 {
        return decode_members(buffer, body, max_bytes);
    }
    if size > max_bytes {
        // Or the bytes after the last member were mistaken for its size. So the body is decoded
        // twice, the first time without storing it.
        write_members(body, max_bytes, &mut io::sink())?;
        return decode_members(buffer, body, max_bytes);
    }
    let size = usize::try_from(size).map_err(|_| Undecodable::TooLarge)?;
    if buffer.len() < size {
        // Cleared first, because growing would copy the old bytes.
        buffer.clear();
        buffer.resize(size, 0);
    }
    let decoded = &mut buffer[..size];
    let result = DEFLATE.with_borrow_mut(|decoder| decoder.gzip_decompress(body, decoded));
    match result {
        Ok(written)
            if written == decoded.len()
                && libdeflater::crc32(decoded) == checksum
                && memchr::memmem::find(&body[..body.len() - 1], trailer).is_none() =>
        {
            Ok(size)
        }
        Ok(_) | Err(DecompressionError::InsufficientSpace | DecompressionError::BadData) => {
            decode_members(buffer, body, max_bytes)
        }
    }
}

/// Decodes gzip member by member into `buffer`.
fn decode_members(buffer: &mut Vec<u8>, body: &[u8], max_bytes: u64) -> Result<usize, Undecodable> {
    buffer.clear();
    write_members(body, max_bytes, buffer)?;
    Ok(buffer.len())
}

/// Writes the content of all members of a gzip body to `out`.
fn write_members(body: &[u8], max_bytes: u64, out: &mut impl io::Write) -> Result<(), Undecodable> {
    let written = io::copy(&mut Members::new(body).take(max_bytes.saturating_add(1)), out);
    let written = written.map_err(Undecodable::of)?;
    if written > max_bytes { Err(Undecodable::TooLarge) } else { Ok(()) }
}

/// Reads the content of all members of a gzip body (RFC 1952, 2.2). It ignores bytes after
/// the last member, as other programs do.
pub(super) struct Members<R: BufRead> {
    member: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { member: Some(flate2::bufread::GzDecoder::new(reader)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let mut reader = self.member.take().expect("there is one").into_inner();
            let next = reader.fill_buf()?;
            let is_member = match next {
                [] => false,
                // The second byte may be in the next buffer.
                [first] => *first == GZIP_MAGIC[0],
                more => more.starts_with(&GZIP_MAGIC),
            };
            self.member = is_member.then(|| flate2::bufread::GzDecoder::new(reader));
        }
        Ok(0)
    }
}

/// Returns a reader of plain text from a reader of text that may be gzipped, which its first
/// two bytes show.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub(crate) fn plain_reader(
    mut reader: impl BufRead + Send + 'static,
) -> io::Result<Box<dyn BufRead + Send>> {
    let is_gzip = reader.fill_buf()?.starts_with(&GZIP_MAGIC);
    if !is_gzip {
        return Ok(Box::new(reader));
    }
    let decoder = flate2::bufread::MultiGzDecoder::new(reader);
    Ok(Box::new(io::BufReader::with_capacity(64 * 1024, decoder)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoders::gzip;

    #[test]
    fn a_gzip_body_announces_its_size() {
        let body = gzip(&[b'x'; 5000]);
        let (gzip, identity) = (Codings::parse(Some("gzip")), Codings::parse(None));
        assert_eq!(announced_size(&body, &gzip), Some(5000));
        assert_eq!(announced_size(&body, &identity), None);
        assert_eq!(announced_size(b"short", &gzip), None);
    }
}
