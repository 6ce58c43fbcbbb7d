//! The text of a robots.txt: as much as is read, in UTF-8, line by line. Pure.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// The octets of a robots.txt that are read: the least that RFC 9309, 2.5 asks for.
pub(crate) const BODY_LIMIT: usize = 500 * 1024;

/// Returns the part of a file that is read, in UTF-8: at most [`BODY_LIMIT`] octets as received,
/// without the byte order mark and without a line that the limit tears.
///
/// RFC 9309, 2.2 asks for UTF-8. But a mark of UTF-16 leaves no doubt, and to pass over the
/// rules behind it would be the impolite mistake.
pub(super) fn readable(body: &[u8]) -> Cow<'_, [u8]> {
    let head = &body[..body.len().min(BODY_LIMIT)];
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    let text = &head[mark..];
    // A body that ends at the limit may have been cut there on its way to us.
    let is_cut = head.len() == BODY_LIMIT;
    if encoding == UTF_8 {
        let is_torn = is_cut && !body.get(BODY_LIMIT).is_some_and(is_line_end);
        return Cow::Borrowed(if is_torn { whole_lines(text) } else { text });
    }
    let (text, _) = encoding.decode_without_bom_handling(text);
    let text = text.as_bytes();
    Cow::Owned(if is_cut { whole_lines(text) } else { text }.to_vec())
}

/// Returns `text` without its last line.
fn whole_lines(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(is_line_end).unwrap_or(0)]
}

/// Returns the lines of a text.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(is_line_end)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is a predicate for slices")]
const fn is_line_end(octet: &u8) -> bool {
    matches!(octet, b'\r' | b'\n')
}
