//! gzip (RFC 1952): in one shot where it tells its size, else member by member.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};

use libdeflater::{DecompressionError, Decompressor};

use super::decode::Undecodable;

/// Deflate makes at most 1,032 bytes of one (zlib's "Technical Details", "Maximum
/// Compression Factor"), so a larger announced size is a lie.
const DEFLATE_RATIO: u64 = 1032;
/// The two bytes that a gzip member starts with (RFC 1952, 2.3.1).
pub const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// A gzip member's header and trailer without any data (RFC 1952, 2.3).
const GZIP_FRAME: usize = 18;

thread_local! {
    /// A decompressor is tables of some 30 kB; each thread keeps one.
    static DEFLATE: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

/// The decoded size that a gzip body tells at its end (RFC 1952, 2.3.1), which need not be true.
pub fn told_size(body: &[u8], coding: Option<&str>) -> Option<u32> {
    let is_gzip = coding.is_some_and(|coding| coding.trim().eq_ignore_ascii_case("gzip"));
    let size = body.last_chunk().filter(|_| is_gzip && body.len() >= GZIP_FRAME)?;
    Some(u32::from_le_bytes(*size))
}

/// Decodes gzip in one shot where its trailer tells the size, which is about
/// three times as fast as streaming.
///
/// The fast decoder stops at the end of the first member and does not say
/// whether more follows. So the trailer at the end of the input is compared
/// with what came out; where they differ, or where the same trailer stands
/// earlier too (members of equal content), the members are read one by one.
pub(super) fn gzip(room: &mut Vec<u8>, body: &[u8], max_bytes: u64) -> Result<usize, Undecodable> {
    let Some((_, trailer)) = body.split_last_chunk::<8>().filter(|_| body.len() >= GZIP_FRAME)
    else {
        return gzip_members(room, body, max_bytes);
    };
    let [c0, c1, c2, c3, s0, s1, s2, s3] = *trailer;
    let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
    let size = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
    if size > DEFLATE_RATIO * body.len() as u64 {
        return gzip_members(room, body, max_bytes);
    }
    if size > max_bytes {
        // Or what follows the last member was taken for its size: look, and keep nothing.
        write_members(body, max_bytes, &mut io::sink())?;
        return gzip_members(room, body, max_bytes);
    }
    let size = usize::try_from(size).map_err(|_| Undecodable::TooLarge)?;
    if room.len() < size {
        // What is there would only be copied.
        room.clear();
        room.resize(size, 0);
    }
    let decoded = &mut room[..size];
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
            gzip_members(room, body, max_bytes)
        }
    }
}

/// Decodes gzip member by member.
fn gzip_members(room: &mut Vec<u8>, body: &[u8], max_bytes: u64) -> Result<usize, Undecodable> {
    room.clear();
    write_members(body, max_bytes, room)?;
    Ok(room.len())
}

/// Writes what the members of a gzip body hold.
fn write_members(body: &[u8], max_bytes: u64, out: &mut impl io::Write) -> Result<(), Undecodable> {
    let written = io::copy(&mut Members::new(body).take(max_bytes + 1), out);
    let written = written.map_err(Undecodable::of)?;
    if written > max_bytes { Err(Undecodable::TooLarge) } else { Ok(()) }
}

/// Reads what the members of a gzip body hold (RFC 1952, 2.2). What follows the last
/// member and is no member is ignored, as other programs do.
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
                // More of it may be in the next buffer.
                [first] => *first == GZIP_MAGIC[0],
                more => more.starts_with(&GZIP_MAGIC),
            };
            self.member = is_member.then(|| flate2::bufread::GzDecoder::new(reader));
        }
        Ok(0)
    }
}

/// A reader of plain text from a reader of text that may be gzipped; its first
/// two bytes tell.
///
/// # Errors
///
/// When the first bytes cannot be read.
pub fn plain_reader(
    mut reader: impl BufRead + Send + 'static,
) -> io::Result<Box<dyn BufRead + Send>> {
    let is_gzip = reader.fill_buf()?.starts_with(&GZIP_MAGIC);
    if !is_gzip {
        return Ok(Box::new(reader));
    }
    let decoder = flate2::bufread::MultiGzDecoder::new(reader);
    Ok(Box::new(io::BufReader::with_capacity(64 * 1024, decoder)))
}
