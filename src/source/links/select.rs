//! CSS selectors, matched as a browser matches them in the page's own mode.
//!
//! The HTML library's own matching has no quirks mode. So this file matches the elements with
//! the selector library that the HTML library uses.

use cssparser::Parser as CssParser;
use scraper::ElementRef;
use scraper::selector::{Parser, Simple};
use selectors::matching::{self, MatchingContext, SelectorCaches};
use selectors::parser::{ParseRelative, SelectorList};

use super::element::{Steps, Visited};

/// A list of selectors.
#[derive(Debug, Clone)]
pub(super) struct Selector(SelectorList<Simple>);

impl Selector {
    /// Reads `text`; `None` when it is not a list of selectors.
    pub(super) fn parse(text: &str) -> Option<Self> {
        SelectorList::parse(&Parser, &mut CssParser::new(text), ParseRelative::No).ok().map(Self)
    }
}

/// Matches the elements of one page, and remembers what makes the next match faster.
pub(super) struct Matcher<'a> {
    selector: &'a Selector,
    mode: matching::QuirksMode,
    caches: SelectorCaches,
    steps: Steps,
}

impl<'a> Matcher<'a> {
    /// A matcher for a page that may take `steps`. In quirks mode, which a page without a
    /// doctype has, the case of classes and ids makes no difference (Selectors Level 4, 6.6 and
    /// 6.7).
    pub(super) fn new(selector: &'a Selector, has_quirks: bool, steps: Steps) -> Self {
        let mode =
            if has_quirks { matching::QuirksMode::Quirks } else { matching::QuirksMode::NoQuirks };
        Self { selector, mode, caches: SelectorCaches::default(), steps }
    }

    /// Whether the steps were enough for all elements so far.
    pub(super) fn has_steps(&self) -> bool {
        self.steps.is_left()
    }

    /// Whether the selector selects `element`.
    pub(super) fn matches(&mut self, element: ElementRef<'_>) -> bool {
        let mut context = MatchingContext::new(
            matching::MatchingMode::Normal,
            None,
            &mut self.caches,
            self.mode,
            matching::NeedsSelectorFlags::No,
            matching::MatchingForInvalidation::No,
        );
        let element = Visited { element, steps: &self.steps };
        matching::matches_selector_list(&self.selector.0, &element, &mut context)
    }
}
