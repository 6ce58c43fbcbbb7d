//! The CPU stage of a page: decode, digest. Pure and synchronous, so that an
//! executor may run it wherever it computes.

mod brotli;
pub(crate) mod codings;
pub mod decode;
#[cfg(test)]
mod foreign_bytes;
mod gzip;
mod layers;
mod room;

use std::cell::RefCell;

use crate::model::{Failure, Page, RawPage};
pub(crate) use decode::Decoded;
pub(crate) use layers::DecodedPieces;
pub(crate) use room::{Needed, USUAL_RATIO, WHOLE, needed};

thread_local! {
    /// Where a thread decodes: making room anew for each page would cost a small
    /// one as much as decoding it.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What becomes of an answer.
pub(crate) enum Computed<'a> {
    /// A page.
    Whole(Page<'a>),
    /// The pieces of a page that is large; they are not hashed yet.
    InPieces(DecodedPieces<'a>),
}

/// Turns an answer into a page of at most `max_bytes` decoded bytes. One of at most
/// `whole_bytes` may lie in `room`; a larger one that is in a coding comes in pieces.
///
/// # Errors
///
/// A [`Failure`] with code `decode` when the body is not what its content
/// coding says, `too-large` when it is larger than the limit once decoded.
pub(crate) fn compute<'a>(
    room: &'a mut Vec<u8>,
    raw: &'a RawPage,
    max_bytes: u64,
    whole_bytes: u64,
) -> Result<Computed<'a>, Failure> {
    let coding = raw.head.coding();
    let decoded = decode::decode_or_pieces(room, &raw.body, coding, max_bytes, whole_bytes)?;
    Ok(match decoded {
        Decoded::Whole(body) => Computed::Whole(Page { body, sha256: crate::digest::sha256(body) }),
        Decoded::InPieces(pieces) => Computed::InPieces(pieces),
    })
}

/// Lends the calling thread's room to `work`. The thread keeps room of at most `kept_bytes`
/// for its next page.
pub(crate) fn with_room<T>(kept_bytes: u64, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    ROOM.with_borrow_mut(|room| {
        let result = work(room);
        if room.capacity() as u64 > kept_bytes {
            *room = Vec::new();
        }
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_room_up_to_its_limit() {
        for (used, kept_bytes, is_kept) in [(1000, 1000, true), (1001, 1000, false), (1, 0, false)]
        {
            with_room(kept_bytes, |room| *room = Vec::with_capacity(used));
            let kept = with_room(kept_bytes, |room| room.capacity());
            assert_eq!(kept, if is_kept { used } else { 0 }, "{used} of {kept_bytes}");
        }
    }
}
