//! The source that is a page on the web: its links are the pages.

use serde::{Deserialize, Serialize};

use super::{
    Address, Opening, Policy, Reopening, SourceKind, SourceSpec, Spec, SpecError, Words,
    is_web_address,
};
use crate::source::index::IndexSource;
use crate::source::links::Pick;
use crate::source::{Source, SourceError};

/// The index when the user names no source.
pub(crate) const DEFAULT_INDEX: &str =
    "https://en.wikipedia.org/wiki/List_of_countries_by_population_(United_Nations)";

pub(super) const OPTION: &str = "--index";
pub(super) const BASE: &str = "--base";
const SELECT: &str = "--select";
const ATTR: &str = "--attr";
/// The options of [`Pick`].
pub(super) const PICK: &[&str] = &[SELECT, ATTR];

pub(super) const KIND: SourceKind = SourceKind {
    option: OPTION,
    id: "index",
    options: PICK,
    is_switch: false,
    is_named: |words| words.text(OPTION).is_some_and(is_web_address),
    reopening: |_| Reopening::Fetch,
    parse,
};

/// The links of a page on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    url: Address,
    pick: Pick,
}

fn parse(words: &Words) -> Result<SourceSpec, SpecError> {
    let pick = pick(words)?;
    if words.has(BASE) {
        let message = "--base is for an index in a file";
        return Err(SpecError::new(message, "leave --base out", BASE));
    }
    let url = Address::parse(OPTION, words.text(OPTION).unwrap_or_default())?;
    Ok(SourceSpec::Index(Index { url, pick }))
}

/// Reads `--select` and `--attr`.
pub(super) fn pick(words: &Words) -> Result<Pick, SpecError> {
    let default = Pick::default();
    let select = words.text(SELECT).unwrap_or(&default.text);
    let attribute = words.text(ATTR).unwrap_or(&default.attribute);
    Pick::new(select, attribute).map_err(|error| {
        let hint = "--select takes CSS, such as 'table a' or 'td .flagicon + a'";
        SpecError::new(format!("--select: {error}"), hint, select)
    })
}

/// Adds the words from which `pick` was read.
pub(super) fn add_pick(words: &mut Words, pick: &Pick) {
    words.add(SELECT, &*pick.text);
    words.add(ATTR, &*pick.attribute);
}

impl Spec for Index {
    fn words(&self) -> Words {
        let mut words = Words::default();
        words.add_address(OPTION, &self.url);
        add_pick(&mut words, &self.pick);
        words
    }

    fn label(&self) -> String {
        self.url.label()
    }

    fn policy(&self) -> Policy<'_> {
        Policy::of_index(self.url.url())
    }

    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        let mut getter = (opening.getter)()?;
        Ok(Box::new(IndexSource::fetch(self.url.url(), &self.pick, &mut getter)?))
    }
}
