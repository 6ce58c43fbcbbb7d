//! The CPU stage of a page: decode, digest. Pure and synchronous, so that an
//! executor may run it wherever it computes.

mod brotli;
mod coding;
mod codings;
pub mod decode;
mod forecast;
mod gzip;
mod pieces;
mod start;
#[cfg(test)]
mod tests;
mod undecodable;
mod whole;
mod zstandard;

use std::cell::RefCell;

use crate::model::{Failure, Page, RawPage};
pub(crate) use coding::GZIP_MAGIC;
pub use codings::Codings;
pub(crate) use decode::Decoded;
pub(crate) use forecast::{DecodingMemory, WHOLE, decoding_memory, weight};
pub(crate) use gzip::plain_reader;
pub(crate) use pieces::DecodedPieces;
pub(crate) use start::decode_start;

thread_local! {
    /// The buffer that a thread decodes into. Allocating one for each page would cost a
    /// small page as much as decoding it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An answer after decoding.
pub(crate) enum Computed<'a> {
    /// A page.
    Whole(Page<'a>),
    /// The pieces of a page that is large; they are not hashed yet.
    InPieces(DecodedPieces<'a>),
}

/// Turns an answer, whose body is in `codings`, into a page of at most `max_bytes` decoded
/// bytes. A page of at most `whole_bytes` may lie in `buffer`; a larger one that is in a
/// coding is returned in pieces.
///
/// # Errors
///
/// A [`Failure`] with code `decode` when the body is not in its content codings, `truncated`
/// when it ends before they do, and `too-large` when its decoded size is above the limit.
pub(crate) fn compute<'a>(
    buffer: &'a mut Vec<u8>,
    raw: &'a RawPage,
    codings: &'a Codings,
    max_bytes: u64,
    whole_bytes: u64,
) -> Result<Computed<'a>, Failure> {
    let decoded = decode::decode_or_pieces(buffer, &raw.body, codings, max_bytes, whole_bytes)?;
    Ok(match decoded {
        Decoded::Whole(body) => Computed::Whole(Page { body, sha256: crate::digest::sha256(body) }),
        Decoded::InPieces(pieces) => Computed::InPieces(pieces),
    })
}

/// Lends the calling thread's buffer to `work`. Afterwards the thread retains a buffer of at
/// most `retained_bytes` for its next page.
pub(crate) fn with_buffer<T>(retained_bytes: u64, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    BUFFER.with_borrow_mut(|buffer| {
        let result = work(buffer);
        if buffer.capacity() as u64 > retained_bytes {
            *buffer = Vec::new();
        }
        result
    })
}
