//! An element as the selector library sees it, with a limit on the work.
//!
//! Some selectors take the square of a page's width: for each link, `h2 ~ a` looks through
//! all elements before it. When the steps are used up, an element has no neighbours any more.
//! Matching then ends soon, and its result is not used.

use std::cell::Cell;
use std::fmt;

use html5ever::Namespace;
use scraper::ElementRef;
use scraper::selector::Simple;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::matching::{ElementSelectorFlags, MatchingContext};
use selectors::parser::SelectorImpl;
use selectors::{Element, OpaqueElement};

type LocalName = <Simple as SelectorImpl>::LocalName;
type AttributeValue = <Simple as SelectorImpl>::AttrValue;

/// This many bytes of an attribute are compared in the time of one step.
const BYTES_A_STEP: usize = 4;

/// The steps that are left. A step goes from one node to the next.
#[derive(Debug)]
pub(super) struct Steps(Cell<u64>);

impl Steps {
    /// The steps that a page of `bytes` may take. An element of about thirty bytes may then look
    /// through as many siblings as a page of half a megabyte has.
    pub(super) const fn of(bytes: usize) -> Self {
        Self(Cell::new(500 * bytes as u64 + 1_000_000))
    }

    /// Whether steps are left.
    pub(super) fn is_left(&self) -> bool {
        self.0.get() > 0
    }

    fn take(&self, steps: usize) {
        self.0.set(self.0.get().saturating_sub(steps as u64));
    }
}

/// An element that has neighbours only while steps are left.
#[derive(Clone, Copy)]
pub(super) struct Visited<'a> {
    pub(super) element: ElementRef<'a>,
    pub(super) steps: &'a Steps,
}

impl fmt::Debug for Visited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.element.fmt(f)
    }
}

impl<'a> Visited<'a> {
    /// Returns the first element of `nodes`; a step per node.
    fn first(&self, nodes: impl Iterator<Item = Option<ElementRef<'a>>>) -> Option<Self> {
        for node in nodes {
            self.steps.take(1);
            if !self.steps.is_left() {
                return None;
            }
            if let Some(element) = node {
                return Some(Self { element, steps: self.steps });
            }
        }
        None
    }

    fn count_bytes<'b>(&self, values: impl Iterator<Item = &'b str>) {
        self.steps.take(values.map(|value| 1 + value.len() / BYTES_A_STEP).sum());
    }
}

impl Element for Visited<'_> {
    type Impl = Simple;

    fn opaque(&self) -> OpaqueElement {
        self.element.opaque()
    }

    fn parent_element(&self) -> Option<Self> {
        self.first(self.element.parent().map(ElementRef::wrap).into_iter())
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        self.element.parent_node_is_shadow_root()
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        self.element.is_pseudo_element()
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.first(self.element.prev_siblings().map(ElementRef::wrap))
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.first(self.element.next_siblings().map(ElementRef::wrap))
    }

    fn first_element_child(&self) -> Option<Self> {
        self.first(self.element.children().map(ElementRef::wrap))
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.element.is_html_element_in_html_document()
    }

    fn has_local_name(&self, name: &LocalName) -> bool {
        self.element.has_local_name(name)
    }

    fn has_namespace(&self, namespace: &Namespace) -> bool {
        self.element.has_namespace(namespace)
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.element.is_same_type(&other.element)
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Namespace>,
        name: &LocalName,
        operation: &AttrSelectorOperation<&AttributeValue>,
    ) -> bool {
        self.count_bytes(self.element.value().attrs().map(|(_, value)| value));
        self.element.attr_matches(namespace, name, operation)
    }

    fn match_non_ts_pseudo_class(
        &self,
        class: &<Simple as SelectorImpl>::NonTSPseudoClass,
        context: &mut MatchingContext<'_, Simple>,
    ) -> bool {
        self.element.match_non_ts_pseudo_class(class, context)
    }

    fn match_pseudo_element(
        &self,
        pseudo: &<Simple as SelectorImpl>::PseudoElement,
        context: &mut MatchingContext<'_, Simple>,
    ) -> bool {
        self.element.match_pseudo_element(pseudo, context)
    }

    fn apply_selector_flags(&self, flags: ElementSelectorFlags) {
        self.element.apply_selector_flags(flags);
    }

    fn is_link(&self) -> bool {
        self.element.is_link()
    }

    fn is_html_slot_element(&self) -> bool {
        self.element.is_html_slot_element()
    }

    fn has_id(&self, id: &LocalName, case: CaseSensitivity) -> bool {
        self.element.has_id(id, case)
    }

    fn has_class(&self, name: &LocalName, case: CaseSensitivity) -> bool {
        self.count_bytes(self.element.value().attr("class").into_iter());
        self.element.has_class(name, case)
    }

    fn has_custom_state(&self, name: &LocalName) -> bool {
        self.element.has_custom_state(name)
    }

    fn imported_part(&self, name: &LocalName) -> Option<LocalName> {
        self.element.imported_part(name)
    }

    fn is_part(&self, name: &LocalName) -> bool {
        self.element.is_part(name)
    }

    fn is_empty(&self) -> bool {
        self.element.is_empty()
    }

    fn is_root(&self) -> bool {
        self.element.is_root()
    }

    fn add_element_unique_hashes(&self, filter: &mut BloomFilter) -> bool {
        self.element.add_element_unique_hashes(filter)
    }
}
