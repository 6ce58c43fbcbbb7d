//! A tree that counts the work of building it.

use std::borrow::Cow;
use std::cell::Cell;

use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};
use scraper::{Html, HtmlTreeSink};

/// A node of the tree.
pub(super) type Handle = <HtmlTreeSink as TreeSink>::Handle;

/// The tree of a page, and the work that was done for it so far.
///
/// The parser looks at elements and moves nodes only through this type. The number of calls is
/// therefore its work, apart from the work that it does once per token.
pub(super) struct Counted {
    tree: HtmlTreeSink,
    steps: Cell<u64>,
    nodes: Cell<u64>,
}

impl Counted {
    /// An empty document.
    pub(super) fn new() -> Self {
        let tree = HtmlTreeSink::new(Html::new_document());
        Self { tree, steps: Cell::new(0), nodes: Cell::new(0) }
    }

    /// How often an element was looked at or moved, or a node was made.
    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// The number of elements that were made, and of their attributes.
    pub(super) fn nodes(&self) -> u64 {
        self.nodes.get()
    }

    /// Adds work that does not go through this type.
    pub(super) fn add_steps(&self, steps: u64) {
        self.steps.set(self.steps.get() + steps);
    }

    fn count(&self) -> &HtmlTreeSink {
        self.steps.set(self.steps.get() + 1);
        &self.tree
    }
}

impl TreeSink for Counted {
    type Handle = Handle;
    type Output = Html;
    type ElemName<'a> = <HtmlTreeSink as TreeSink>::ElemName<'a>;

    fn finish(self) -> Html {
        self.tree.finish()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        self.tree.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Self::ElemName<'a> {
        self.count().elem_name(target)
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> Handle {
        self.nodes.set(self.nodes.get() + 1 + attributes.len() as u64);
        self.count().create_element(name, attributes, flags)
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.count().create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        self.count().create_pi(target, data)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.count().append(parent, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        self.count().append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(
        &self,
        name: StrTendril,
        public_id: StrTendril,
        system_id: StrTendril,
    ) {
        self.count().append_doctype_to_document(name, public_id, system_id);
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        self.count().get_template_contents(target)
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        self.count().same_node(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.tree.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &Handle, node: NodeOrText<Handle>) {
        self.count().append_before_sibling(sibling, node);
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        self.count().add_attrs_if_missing(target, attributes);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.count().remove_from_parent(target);
    }

    fn reparent_children(&self, node: &Handle, parent: &Handle) {
        self.count().reparent_children(node, parent);
    }
}
