//! The source that is a few addresses on the command line.

use serde::{Deserialize, Serialize};

use super::{Address, Opening, Policy, Reopening, SourceKind, SourceSpec, Spec, SpecError, Words};
use crate::source::{Source, SourceError, UrlSource};

pub(super) const KIND: SourceKind = SourceKind {
    option: "",
    id: "urls",
    options: &[],
    is_switch: false,
    is_named: |_| true,
    reopening: |_| Reopening::Fetch,
    parse,
};

/// Pages by their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Urls {
    urls: Vec<Address>,
}

fn parse(words: &Words) -> Result<SourceSpec, SpecError> {
    let urls: Vec<_> =
        words.texts("").map(|text| Address::parse("URL", text)).collect::<Result<_, _>>()?;
    if urls.is_empty() {
        return Err(SpecError::new("no page is named", "name a page by its address", "no address"));
    }
    Ok(SourceSpec::Urls(Urls { urls }))
}

impl Spec for Urls {
    fn words(&self) -> Words {
        let mut words = Words::default();
        self.urls.iter().for_each(|url| words.add_address("", url));
        words
    }

    fn label(&self) -> String {
        "the command line".into()
    }

    fn policy(&self) -> Policy<'_> {
        let urls: Vec<_> = self.urls.iter().map(Address::url).collect();
        Policy {
            obeys_robots: false,
            homes: urls.clone(),
            requested: urls,
            index: None,
            leads_elsewhere: false,
            named_by: None,
            site: None,
        }
    }

    fn open(&self, _: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        let urls = self.urls.iter().map(|url| url.url().clone()).collect();
        Ok(Box::new(UrlSource::new(urls)))
    }
}
