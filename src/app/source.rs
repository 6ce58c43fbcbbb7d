//! Opens the source that was decided on.

use std::sync::Arc;

use super::demo::Demo;
use crate::config::{PlanOptions, SourceOptions};
use crate::fetch::Shared;
use crate::queue::retry::Dice;
use crate::source::index::Index;
use crate::source::sitemap::Sitemap;
use crate::source::{Getter, Listed, Source, SourceError, list};

/// An open source, and what must live as long as it is fetched from.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    pub(super) _demo: Option<Demo>,
}

/// Opens the source; fetches what has to be read first.
pub(super) fn open(
    options: &PlanOptions,
    shared: &Arc<Shared>,
    dice: &Dice,
) -> anyhow::Result<Opened> {
    let getter = || Getter::new(shared, options.retry, dice.clone());
    let source: Result<Box<dyn Source>, SourceError> = match &options.source {
        SourceOptions::Urls(urls) => Ok(Box::new(Listed::new(urls.clone()))),
        SourceOptions::List { path: Some(path), column } => list::open(path, column.as_deref()),
        SourceOptions::List { path: None, column } => list::standard_input(column.as_deref()),
        SourceOptions::Index { url, pick } => {
            Index::fetch(url, pick, &mut getter()?).map(|index| Box::new(index) as _)
        }
        SourceOptions::IndexFile { path, base, pick } => {
            Index::open(path, base, pick, options.fetch.max_size).map(|index| Box::new(index) as _)
        }
        SourceOptions::Sitemap(url) => {
            Sitemap::fetch(url, getter()?).map(|sitemap| Box::new(sitemap) as _)
        }
        SourceOptions::Demo { latency, pick } => {
            let (demo, url) = Demo::start(*latency)?;
            let index = Index::fetch(&url, pick, &mut getter()?)?;
            return Ok(Opened { source: Box::new(index), _demo: Some(demo) });
        }
    };
    Ok(Opened { source: source?, _demo: None })
}
