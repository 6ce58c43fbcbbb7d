//! The source that is a page in a file: its links are the pages.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::index::{BASE, OPTION, add_pick, pick};
use super::{Address, Opening, Policy, Reopening, SourceKind, SourceSpec, Spec, SpecError, Words};
use crate::message::excerpt_url;
use crate::source::index::IndexSource;
use crate::source::links::Pick;
use crate::source::{Source, SourceError, list};

pub(super) const KIND: SourceKind = SourceKind {
    option: OPTION,
    id: "index",
    options: &["--base", "--select", "--attr"],
    is_switch: false,
    is_named: |words| words.has(OPTION),
    reopening: |_| Reopening::NamedFile,
    parse,
};

/// The links of a page in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexFile {
    #[serde(serialize_with = "whole")]
    path: PathBuf,
    /// The address to which its links are relative.
    base: Address,
    pick: Pick,
}

/// Writes the whole path, so that a run in another directory finds the file.
fn whole<S: serde::Serializer>(path: &PathBuf, to: S) -> Result<S::Ok, S::Error> {
    std::path::absolute(path).unwrap_or_else(|_| path.clone()).serialize(to)
}

fn parse(words: &Words) -> Result<SourceSpec, SpecError> {
    let pick = pick(words)?;
    let path = words.path(OPTION).unwrap_or("".as_ref());
    if let Some(base) = words.text(BASE) {
        let base = Address::parse(BASE, base)?;
        return Ok(SourceSpec::IndexFile(IndexFile { path: path.into(), base, pick }));
    }
    if path.exists() {
        return Err(SpecError::new(
            format!(
                "--index {} is a file, and it is not known to which address its links are relative",
                path.display()
            ),
            "name that address with --base URL",
            OPTION,
        ));
    }
    let shown = excerpt_url(&path.to_string_lossy());
    Err(SpecError::new(
        format!("--index {shown:?} is not an http(s) URL, and there is no file of this name"),
        format!("did you mean https://{shown}?"),
        &*shown,
    ))
}

impl Spec for IndexFile {
    fn words(&self) -> Words {
        let mut words = Words::default();
        words.add_path(OPTION, &self.path);
        words.add_address(BASE, &self.base);
        add_pick(&mut words, &self.pick);
        words
    }

    fn label(&self) -> String {
        list::name_of(&self.path)
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            obeys_robots: true,
            homes: vec![self.base.url()],
            requested: Vec::new(),
            index: None,
            leads_elsewhere: true,
            named_by: None,
            site: None,
        }
    }

    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        let (base, max_size) = (self.base.url(), opening.max_size);
        Ok(Box::new(IndexSource::open(&self.path, base, &self.pick, max_size)?))
    }
}
