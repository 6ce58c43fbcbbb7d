//! The pages of a sitemap.

use serde::{Deserialize, Serialize};

use super::{Address, Again, Kind, Opening, Policy, Row, SourceSpec, SpecError, Words};
use crate::model::short_url;
use crate::source::{Source, SourceError, sitemap};

const OPTION: &str = "--sitemap";

pub(super) const ROW: Row = Row {
    option: OPTION,
    options: &[],
    is_switch: false,
    is_named: |words| words.has(OPTION),
    again: |_| Again::Fetched,
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

impl Kind for Sitemap {
    fn words(&self) -> Words {
        let mut words = Words::default();
        words.add(OPTION, self.url.text());
        words
    }

    fn label(&self) -> String {
        short_url(self.url.url()).into_owned()
    }

    fn policy(&self) -> Policy<'_> {
        Policy::of_index(self.url.url())
    }

    fn addresses(&mut self) -> Vec<&mut Address> {
        vec![&mut self.url]
    }

    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(sitemap::Sitemap::fetch(self.url.url(), (opening.getter)()?)?))
    }
}
