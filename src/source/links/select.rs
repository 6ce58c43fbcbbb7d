//! CSS selectors, matched as a browser matches them in the page's own mode.
//!
//! The HTML library's own matching knows no quirks mode, so its elements are matched
//! here with the selector library below it.

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
    /// Reads `text`; `None` when it is no list of selectors.
    pub(super) fn parse(text: &str) -> Option<Self> {
        SelectorList::parse(&Parser, &mut CssParser::new(text), ParseRelative::No).ok().map(Self)
    }
}

/// Matches elements of one page, and remembers what makes the next one faster.
pub(super) struct Matcher<'a> {
    selector: &'a Selector,
    mode: matching::QuirksMode,
    caches: SelectorCaches,
    steps: Steps,
}

impl<'a> Matcher<'a> {
    /// A matcher for a page that may take so many `steps`. In quirks mode, which a page without a doctype has, classes
    /// and ids match in any case (Selectors Level 4, 6.6 and 6.7).
    pub(super) fn new(selector: &'a Selector, has_quirks: bool, steps: Steps) -> Self {
        let mode =
            if has_quirks { matching::QuirksMode::Quirks } else { matching::QuirksMode::NoQuirks };
        Self { selector, mode, caches: SelectorCaches::default(), steps }
    }

    /// Whether there were steps enough for all elements so far.
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
