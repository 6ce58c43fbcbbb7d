//! Begins the body of a page that has no `<head>` and no `<body>` tag.

use std::cell::Cell;

use html5ever::local_name;
use html5ever::tokenizer::{StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult};

/// Passes tokens on to `builder`, and adds a `<body>` before the first `<noscript>` of a page
/// that has no `<head>` and no `<body>` so far.
///
/// Without it the `noscript` would be part of the head, where it cannot hold a link: a link ends
/// both, and is then outside of its `noscript` (HTML Living Standard, 13.2.6.4.5). Text without
/// a head is often a part of a page, and is so read as in its place.
pub(super) struct BodyFirst<Builder> {
    /// Makes the tree.
    pub(super) builder: Builder,
    is_decided: Cell<bool>,
}

impl<Builder> BodyFirst<Builder> {
    /// Passes tokens on to `builder`.
    pub(super) fn new(builder: Builder) -> Self {
        Self { builder, is_decided: Cell::new(false) }
    }
}

impl<Builder: TokenSink> TokenSink for BodyFirst<Builder> {
    type Handle = Builder::Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Self::Handle> {
        if let TagToken(Tag { kind: StartTag, name, .. }) = &token
            && !self.is_decided.get()
        {
            let is_noscript = *name == local_name!("noscript");
            let is_part = *name == local_name!("head") || *name == local_name!("body");
            self.is_decided.set(is_noscript || is_part);
            // Within SVG a body tag would end the SVG.
            if is_noscript && !self.adjusted_current_node_present_but_not_in_html_namespace() {
                // The result is of no use: a body does not change how the tokenizer goes on.
                let _ = self.builder.process_token(body(), line);
            }
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

fn body() -> Token {
    TagToken(Tag {
        kind: StartTag,
        name: local_name!("body"),
        self_closing: false,
        attrs: Vec::new(),
        had_duplicate_attributes: false,
    })
}
