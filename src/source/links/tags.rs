//! What the names of tags mean to the parser: which elements have no content, and which have
//! text without markup.

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, TokenSinkResult};
use html5ever::{LocalName, local_name};

use super::counted::Handle;

/// Makes the end tag of `name`.
pub(super) fn end_tag(name: LocalName) -> Tag {
    Tag {
        kind: TagKind::EndTag,
        name,
        self_closing: false,
        attrs: Vec::new(),
        had_duplicate_attributes: false,
    }
}

/// Whether an element has no content (HTML Living Standard, 13.1.2).
pub(super) fn is_void(name: &LocalName) -> bool {
    const VOID: [&str; 19] = [
        "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "image", "img",
        "input", "keygen", "link", "meta", "param", "source", "track", "wbr",
    ];
    VOID.contains(&&**name)
}

/// How the text in an element is read (HTML Living Standard, 13.2.6.2).
fn raw_kind(name: &LocalName) -> Option<RawKind> {
    match &**name {
        "title" | "textarea" => Some(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "script" => Some(RawKind::ScriptData),
        _ => None,
    }
}

/// What the tokenizer does after a start tag of `name`.
pub(super) fn result_of(name: &LocalName) -> TokenSinkResult<Handle> {
    if *name == local_name!("plaintext") {
        return TokenSinkResult::Plaintext;
    }
    raw_kind(name).map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
}

/// Whether the text in an element has no markup, so that no element is in it.
pub(super) fn is_raw(name: &LocalName) -> bool {
    !matches!(result_of(name), TokenSinkResult::Continue)
}
