//! Keeps the work for a page in proportion to its length, whatever the page is.
//!
//! The parser looks through its open elements at nearly each tag, and makes unclosed
//! formatting elements anew in each paragraph (HTML Living Standard, 13.2.4.3), so that
//! a page can cost the square of its length. All links of such a page are still found.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use html5ever::interface::{ElementFlags, NodeOrText, Tracer, TreeSink as _};
use html5ever::tokenizer::{EndTag, StartTag, Tag, TagToken, Token};
use html5ever::tokenizer::{TokenSink, TokenSinkResult};
use html5ever::tree_builder::TreeBuilder;
use html5ever::{LocalName, QualName, local_name, ns};
use scraper::Html;

use super::counted::{Counted, Handle};
use super::tags::{end_tag, is_raw, is_void, result_of};

/// Elements may be this deep, as in browsers (`maximumHTMLParserDOMTreeDepth` in the
/// `HTMLConstructionSite` of `WebKit` and Blink), with the active formatting elements counted in.
pub(super) const MAX_DEPTH: usize = 512;
/// After so many tags the open elements are counted, if there may be too many.
pub(super) const RECOUNT: usize = 32;
/// Passing so many markers takes the time of one step.
const MARKERS_A_STEP: u64 = 16;
/// Attributes of all `html` and `body` tags together, which go to two elements.
const PART_ATTRIBUTES: usize = 256;

/// What a page of some length may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkBudget {
    /// Steps of the parser: a page of ordinary markup takes about one for each byte, and
    /// one whose tags are all at the greatest depth up to two hundred.
    pub(super) steps: u64,
    /// Elements and attributes: the shortest has two bytes.
    pub(super) nodes: u64,
}

impl WorkBudget {
    /// That of a page of `bytes`.
    pub(super) const fn of(bytes: usize) -> Self {
        let bytes = bytes as u64;
        Self { steps: 320 * bytes + 1_000_000, nodes: bytes + 10_000 }
    }
}

/// What of a page was not read as it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Elements are deeper than the limit, and stand beside others instead of in them.
    pub is_too_deep: bool,
    /// The page took too much work: from some place on, all elements stand side by side.
    pub is_too_costly: bool,
    /// Attributes of a tag that has too many were left out.
    pub has_wide_tag: bool,
}

/// Passes tokens on to the tree builder as far as there are limits.
pub(super) struct Bounded {
    builder: TreeBuilder<Handle, Counted>,
    budget: WorkBudget,
    /// Open elements when they were last counted, and tags since.
    open: Cell<usize>,
    tags: Cell<usize>,
    /// Elements that were closed at once, and whose end tags are still to come.
    closed: RefCell<HashMap<LocalName, u64>>,
    part_attributes: Cell<usize>,
    /// End tags of templates. Each may leave a marker behind in the list of active
    /// formatting elements, which the parser then passes at many tags.
    templates: Cell<u64>,
    /// Where all elements go when there is no budget left.
    rest: Cell<Option<Handle>>,
    limits: Cell<Limits>,
    tokens: Cell<u64>,
    raw: RefCell<Option<LocalName>>,
}

impl Bounded {
    /// Passes tokens on to `builder`.
    pub(super) fn new(builder: TreeBuilder<Handle, Counted>, budget: WorkBudget) -> Self {
        Self {
            builder,
            budget,
            open: Cell::new(0),
            tags: Cell::new(0),
            closed: RefCell::default(),
            part_attributes: Cell::new(0),
            templates: Cell::new(0),
            rest: Cell::new(None),
            limits: Cell::default(),
            tokens: Cell::new(0),
            raw: RefCell::new(None),
        }
    }

    /// Notes that attributes of a tag were left out.
    pub(super) fn cut_tag(&self) {
        self.limits.set(Limits { has_wide_tag: true, ..self.limits.get() });
    }

    /// The work so far, in steps of the parser.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.builder.sink.steps()
    }

    /// Elements and attributes so far.
    #[cfg(test)]
    pub(super) fn nodes(&self) -> u64 {
        self.builder.sink.nodes()
    }

    /// Tokens so far.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens.get()
    }

    /// The element whose text is being read, if its text has no markup.
    pub(super) fn raw(&self) -> Option<LocalName> {
        self.raw.borrow().clone()
    }

    /// The tree, and what of it is not as it stands in the page.
    pub(super) fn finish(self) -> (Html, Limits) {
        (self.builder.sink.finish(), self.limits.get())
    }

    fn pass(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        let is_end = matches!(token, Token::EOFToken);
        let result = self.builder.process_token(token, line);
        let sink = &self.builder.sink;
        let is_over = sink.steps() > self.budget.steps || sink.nodes() > self.budget.nodes;
        if is_over && !is_end {
            self.limits.set(Limits { is_too_costly: true, ..self.limits.get() });
            self.rest.set(Some(self.new_rest()));
        }
        result
    }

    /// A second body, for all that comes from here on.
    fn new_rest(&self) -> Handle {
        let sink = &self.builder.sink;
        let name = QualName::new(None, ns!(html), local_name!("body"));
        let rest = sink.create_element(name, Vec::new(), ElementFlags::default());
        let handles = Handles::default();
        self.builder.trace_handles(&handles);
        // The first is the document, and the next the outermost element.
        let root = handles.second.get().unwrap_or_else(|| sink.get_document());
        sink.append(&root, NodeOrText::AppendNode(rest));
        rest
    }

    fn tag(&self, mut tag: Tag, line: u64) -> TokenSinkResult<Handle> {
        self.count();
        if tag.kind == EndTag && tag.name == local_name!("template") {
            self.templates.set(self.templates.get() + 1);
        }
        self.builder.sink.add_steps(self.templates.get() / MARKERS_A_STEP);
        let is_part = tag.name == local_name!("html") || tag.name == local_name!("body");
        if is_part && tag.kind == StartTag {
            self.part_attributes.set(self.part_attributes.get() + tag.attrs.len());
            if self.part_attributes.get() > PART_ATTRIBUTES {
                tag.attrs.clear();
            }
        }
        if tag.kind == EndTag && self.is_closed(&tag.name) {
            return TokenSinkResult::Continue;
        }
        if tag.kind == EndTag || is_part || self.open.get() < MAX_DEPTH || is_raw(&tag.name) {
            return self.pass(TagToken(tag), line);
        }
        let (name, is_self_closing) = (tag.name.clone(), tag.self_closing);
        let before = self.builder.sink.nodes();
        let result = self.pass(TagToken(tag), line);
        let is_ignored = self.builder.sink.nodes() == before;
        if is_ignored || is_void(&name) || self.rest.get().is_some() {
            return result;
        }
        self.limits.set(Limits { is_too_deep: true, ..self.limits.get() });
        if !is_self_closing {
            *self.closed.borrow_mut().entry(name.clone()).or_default() += 1;
        }
        // An end tag asks nothing of the tokenizer: that of a script is not among these.
        let _ = self.pass(TagToken(end_tag(name)), line);
        result
    }

    /// Counts the open elements, if there may be too many.
    fn count(&self) {
        self.tags.set(self.tags.get() + 1);
        if self.tags.get() < RECOUNT || self.open.get() + self.tags.get() < MAX_DEPTH {
            return;
        }
        let handles = Handles::default();
        self.builder.trace_handles(&handles);
        self.tags.set(0);
        self.open.set(handles.count.get());
        if self.open.get() < MAX_DEPTH {
            self.closed.borrow_mut().clear();
        }
    }

    /// Whether the next end tag of `name` is of an element that was closed already.
    fn is_closed(&self, name: &LocalName) -> bool {
        let mut closed = self.closed.borrow_mut();
        match closed.get_mut(name) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// Adds the element of a tag to the others of its kind, without the tree builder.
    fn add(&self, rest: Handle, tag: Tag) -> TokenSinkResult<Handle> {
        if tag.kind == EndTag {
            return TokenSinkResult::Continue;
        }
        let sink = &self.builder.sink;
        let result = result_of(&tag.name);
        let name = QualName::new(None, ns!(html), tag.name);
        let element = sink.create_element(name, tag.attrs, ElementFlags::default());
        sink.append(&rest, NodeOrText::AppendNode(element));
        result
    }
}

impl TokenSink for Bounded {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        if matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        self.tokens.set(self.tokens.get() + 1);
        let tag = match &token {
            TagToken(tag) => Some((tag.kind, tag.name.clone())),
            _ => None,
        };
        let result = match (token, self.rest.get()) {
            (TagToken(tag), Some(rest)) => self.add(rest, tag),
            (_, Some(_)) => TokenSinkResult::Continue,
            (TagToken(tag), None) => self.tag(tag, line),
            (token, None) => self.pass(token, line),
        };
        if let Some((kind, name)) = tag {
            let begins = matches!(result, TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext);
            if begins {
                self.raw.replace(Some(name));
            } else if kind == EndTag {
                self.raw.replace(None);
            }
        }
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.rest.get().is_none()
            && self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// What the tree builder holds: the document, open elements, active formatting elements.
#[derive(Default)]
struct Handles {
    count: Cell<usize>,
    second: Cell<Option<Handle>>,
}

impl Tracer for Handles {
    type Handle = Handle;

    fn trace_handle(&self, node: &Handle) {
        self.count.set(self.count.get() + 1);
        if self.count.get() == 2 {
            self.second.set(Some(*node));
        }
    }
}
