//! The CPU stage of a page: decode, digest. Pure and synchronous, so that an
//! executor may run it wherever it computes.

pub mod decode;

use crate::model::{Failure, Page, RawPage};

/// Turns an answer into a page of at most `max_bytes` decoded bytes.
///
/// # Errors
///
/// A [`Failure`] with code `decode` when the body is not what its content
/// coding says, `too-large` when it is larger than the limit once decoded.
pub fn compute(raw: &RawPage, max_bytes: u64) -> Result<Page, Failure> {
    let body = decode::decode(&raw.body, raw.head.content_encoding.as_deref(), max_bytes)?;
    let sha256 = crate::digest::sha256(&body);
    Ok(Page { body, sha256 })
}
