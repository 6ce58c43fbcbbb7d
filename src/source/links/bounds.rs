//! Limits the work for a page, so that it is in proportion to the page's length.
//!
//! The parser looks through its open elements at nearly every tag, and opens unclosed
//! formatting elements again in each paragraph (HTML Living Standard, 13.2.4.3). Without
//! limits the cost can grow with the square of the page's length. All links of such a page
//! are still found.

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
/// `HTMLConstructionSite` of `WebKit` and Blink). Active formatting elements count too.
pub(super) const MAX_DEPTH: usize = 512;
/// After this many tags the open elements are counted, if they may be too many.
pub(super) const RECOUNT: usize = 32;
/// Passing this many markers takes the time of one step.
const MARKERS_A_STEP: u64 = 16;
/// All `html` and `body` tags together may have this many attributes. They go to two elements.
const PART_ATTRIBUTES: usize = 256;

/// The work and memory that a page may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkBudget {
    /// Steps of the parser: a page of ordinary markup takes about one for each byte, and
    /// one whose tags are all at the greatest depth up to two hundred.
    pub(super) steps: u64,
    /// Elements and attributes: the shortest has two bytes.
    pub(super) nodes: u64,
}

impl WorkBudget {
    /// The budget of a page of `bytes`.
    pub(super) const fn of(bytes: usize) -> Self {
        let bytes = bytes as u64;
        Self { steps: 320 * bytes + 1_000_000, nodes: bytes + 10_000 }
    }
}

/// Which limits a page met: it was then not read as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Elements are deeper than the limit, and are read beside others instead of in them.
    pub is_too_deep: bool,
    /// The page took too much work: from some place on, all elements are side by side.
    pub is_too_costly: bool,
    /// Attributes of a tag that has too many were left out.
    pub has_wide_tag: bool,
}

/// Passes tokens on to the tree builder, within the limits.
pub(super) struct Bounded {
    builder: TreeBuilder<Handle, Counted>,
    budget: WorkBudget,
    /// The open elements when they were last counted, and the tags since then.
    open: Cell<usize>,
    tags: Cell<usize>,
    /// Elements that were closed at once, and whose end tags are still expected.
    closed: RefCell<HashMap<LocalName, u64>>,
    part_attributes: Cell<usize>,
    /// The end tags of templates. Each may leave a marker in the list of active
    /// formatting elements, which the parser then passes at many tags.
    templates: Cell<u64>,
    /// The parent of all further elements, once the budget is used up.
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

    /// The number of tokens so far.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens.get()
    }

    /// The element whose text is being read, if its text has no markup.
    pub(super) fn raw(&self) -> Option<LocalName> {
        self.raw.borrow().clone()
    }

    /// Returns the tree, and the limits that the page met.
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

    /// Makes a second body, for all elements from here on.
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
        // The result is of no use: only the end tag of a script changes how the tokenizer goes on,
        // and a script is never closed here.
        let _ = self.pass(TagToken(end_tag(name)), line);
        result
    }

    /// Counts the open elements, if they may be too many.
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

    /// Whether the next end tag of `name` belongs to an element that was closed at once.
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

    /// Adds the element of a tag to `rest`, without the tree builder.
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

/// Counts what the tree builder holds: the document, open elements, active formatting elements.
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
