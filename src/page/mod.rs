//! The CPU stage of a page: decode, digest. Pure and synchronous, so that an
//! executor may run it wherever it computes.

mod brotli;
pub mod codings;
pub mod decode;

use std::cell::RefCell;

use crate::model::{Failure, Page, RawPage};

/// A thread keeps room of at most so many bytes between two pages; few pages are larger.
const KEPT_ROOM: usize = 4 * 1024 * 1024;

thread_local! {
    /// Where a thread decodes: making room anew for each page would cost a small
    /// one as much as decoding it.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Turns an answer into a page of at most `max_bytes` decoded bytes, which may lie in `room`.
///
/// # Errors
///
/// A [`Failure`] with code `decode` when the body is not what its content
/// coding says, `too-large` when it is larger than the limit once decoded.
pub fn compute<'a>(
    room: &'a mut Vec<u8>,
    raw: &'a RawPage,
    max_bytes: u64,
) -> Result<Page<'a>, Failure> {
    let coding = raw.head.content_encoding.as_deref();
    let body = decode::decode_into(room, &raw.body, coding, max_bytes)?;
    Ok(Page { body, sha256: crate::digest::sha256(body) })
}

/// Lends the calling thread's room to `work`.
pub fn with_room<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    ROOM.with_borrow_mut(|room| {
        let result = work(room);
        if room.capacity() > KEPT_ROOM {
            *room = Vec::new();
        }
        result
    })
}
