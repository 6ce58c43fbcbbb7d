//! The source whose pages are the links of one page, the index.

use std::fs::File;
use std::io::Read;
use std::iter::Enumerate;
use std::path::Path;

use url::Url;

use super::links::{self, FoundLinks, Links, Pick};
use super::{Entry, Getter, Source, SourceError, label};
use crate::message::{excerpt, excerpt_url};

/// The links of an index.
pub(crate) struct IndexSource {
    warning: Option<String>,
    links: Enumerate<Links>,
}

impl IndexSource {
    /// Fetches the index at `url`, and finds its links.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it cannot be fetched, or has no link.
    pub(crate) fn fetch(url: &Url, pick: &Pick, getter: &mut Getter) -> Result<Self, SourceError> {
        let raw = getter.get(url)?;
        let head = &raw.head;
        let kind = head.media_type();
        let received =
            format!("status {}, {}, ", head.status, excerpt(kind.unwrap_or("no content type")));
        Self::read(&raw.body, kind, &head.final_url, pick, label(url), &received)
    }

    /// Reads the index in the file `path`, which may have `max_bytes`. Its links are relative to
    /// `base`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it cannot be read, or has no link.
    pub(crate) fn open(
        path: &Path,
        base: &Url,
        pick: &Pick,
        max_bytes: u64,
    ) -> Result<Self, SourceError> {
        let what = path.display().to_string();
        let mut body = Vec::new();
        File::open(path)
            .and_then(|file| file.take(max_bytes + 1).read_to_end(&mut body))
            .map_err(|source| SourceError::Read { what: what.clone(), source })?;
        if body.len() as u64 > max_bytes {
            let reason = format!("it holds more than {max_bytes} bytes (--max-size)");
            return Err(SourceError::Format { what, reason });
        }
        Self::read(&body, None, base, pick, what, "")
    }

    fn read(
        body: &[u8],
        content_type: Option<&str>,
        base: &Url,
        pick: &Pick,
        what: String,
        received: &str,
    ) -> Result<Self, SourceError> {
        let found = links::find(body, content_type, pick, base).map_err(|error| {
            SourceError::Format { what: what.clone(), reason: error.to_string() }
        })?;
        if found.links.is_empty() {
            let diagnosis = format!("{received}{}", diagnose(body.len(), &found, pick));
            return Err(SourceError::NoLinks { what, diagnosis });
        }
        let warning = found.warning.map(|warning| format!("{what}: {warning}"));
        Ok(Self { warning, links: found.links.enumerate() })
    }
}

fn entry((place, link): (usize, Result<Url, (String, String)>)) -> Entry {
    match link {
        Ok(url) => Entry::Page(url),
        Err((text, why)) => Entry::Invalid {
            place: format!("link {}", place + 1),
            reason: format!("{:?} is not an http(s) URL: {why}", excerpt_url(&text)),
        },
    }
}

/// Describes a page without links. It is usually a page that refuses, or has a changed layout.
fn diagnose(bytes: usize, found: &FoundLinks, pick: &Pick) -> String {
    let title = found
        .title
        .as_deref()
        .map_or("no title".into(), |title| format!("title {:?}", excerpt(title)));
    let selected = match found.selected {
        0 => format!("no element selected by {:?}", pick.text),
        n => format!(
            "{n} elements selected by {:?}: {} without {}, {} of another scheme",
            pick.text, found.without_attribute, pick.attribute, found.other_schemes
        ),
    };
    let warning = found.warning.as_ref().map(|warning| format!("; {warning}")).unwrap_or_default();
    format!("{bytes} bytes, {title}, {} <a> elements, {selected}{warning}", found.anchors)
}

impl Source for IndexSource {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        if let Some(warning) = self.warning.take() {
            return Ok(Some(Entry::Warning(warning)));
        }
        Ok(self.links.next().map(entry))
    }

    fn is_streamed(&self) -> bool {
        false
    }
}
