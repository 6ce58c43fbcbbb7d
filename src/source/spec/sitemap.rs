//! The source that is a sitemap on the web.

use serde::{Deserialize, Serialize};

use super::{Address, Opening, Policy, Reopening, SourceKind, SourceSpec, Spec, SpecError, Words};
use crate::source::sitemap::SitemapSource;
use crate::source::{Source, SourceError};

const OPTION: &str = "--sitemap";

pub(super) const KIND: SourceKind = SourceKind {
    option: OPTION,
    id: "sitemap",
    options: &[],
    is_switch: false,
    is_named: |words| words.has(OPTION),
    reopening: |_| Reopening::Fetch,
    parse,
};

/// The pages of a sitemap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sitemap {
    url: Address,
}

fn parse(words: &Words) -> Result<SourceSpec, SpecError> {
    let url = Address::parse(OPTION, words.text(OPTION).unwrap_or_default())?;
    Ok(SourceSpec::Sitemap(Sitemap { url }))
}

impl Spec for Sitemap {
    fn words(&self) -> Words {
        let mut words = Words::default();
        words.add_address(OPTION, &self.url);
        words
    }

    fn label(&self) -> String {
        self.url.label()
    }

    fn policy(&self) -> Policy<'_> {
        Policy::of_index(self.url.url())
    }

    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(SitemapSource::fetch(self.url.url(), (opening.getter)()?)?))
    }
}
