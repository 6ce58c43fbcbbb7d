//! Opens the source that was decided on.

use std::sync::Arc;
use std::time::Duration;

use super::demo::Demo;
use super::terminal::report_line;
use crate::clock::{Clock, SystemClock};
use crate::config::{PlanOptions, SourceOptions};
use crate::fetch::Shared;
use crate::model::told_url;
use crate::queue::Queue;
use crate::queue::notice::Notice;
use crate::random::Rng;
use crate::source::index::Index;
use crate::source::sitemap::Sitemap;
use crate::source::{Access, Getter, Listed, Source, SourceError, list};

/// An open source, and what must live as long as it is fetched from.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// What it took to read what has to be read first, such as an index.
    pub(super) index_time: Duration,
    pub(super) demo: Option<Demo>,
}

/// What the source is called in messages.
pub(super) fn name_of(source: &SourceOptions) -> String {
    match source {
        SourceOptions::Urls(_) => "the command line".into(),
        SourceOptions::List { path: None, .. } => list::STANDARD_INPUT.into(),
        SourceOptions::List { path: Some(path), .. } | SourceOptions::IndexFile { path, .. } => {
            list::name_of(path)
        }
        SourceOptions::Index { url, .. } | SourceOptions::Sitemap(url) => {
            told_url(url).into_owned()
        }
        SourceOptions::Demo { .. } => "the embedded site".into(),
    }
}

/// Opens the source for a command that fetches no page with it.
pub(super) fn open_alone(options: &PlanOptions) -> anyhow::Result<Opened> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shared = Arc::new(Shared::new(options.fetch.clone(), Arc::clone(&clock))?);
    let rng = Rng::from_entropy();
    let queue = Arc::new(Queue::new(options.queue.clone(), rng, Arc::clone(&clock)));
    let note = |notice: &Notice| report_line(format_args!("note: {}", notice.text()));
    queue.note_with(Arc::new(note));
    open(options, || Access { shared, queue, clock })
}

/// Opens the source; fetches what has to be read first.
pub(super) fn open(
    options: &PlanOptions,
    access: impl FnOnce() -> Access,
) -> anyhow::Result<Opened> {
    let mut demo = None;
    let mut demo_index = None;
    if let SourceOptions::Demo { site, .. } = &options.source {
        let (started, index) = Demo::start(site)?;
        (demo, demo_index) = (Some(started), Some(index));
    }
    let started = SystemClock.now();
    let getter = || Getter::new(access());
    let source: Result<Box<dyn Source>, SourceError> = match &options.source {
        SourceOptions::Urls(urls) => Ok(Box::new(Listed::new(urls.clone()))),
        SourceOptions::List { path: Some(path), format } => list::open(path, format),
        SourceOptions::List { path: None, format } => list::standard_input(format),
        SourceOptions::Index { url, pick } => {
            Index::fetch(url, pick, &mut getter()?).map(|index| Box::new(index) as _)
        }
        SourceOptions::IndexFile { path, base, pick } => {
            Index::open(path, base, pick, options.fetch.max_size).map(|index| Box::new(index) as _)
        }
        SourceOptions::Sitemap(url) => {
            Sitemap::fetch(url, getter()?).map(|sitemap| Box::new(sitemap) as _)
        }
        SourceOptions::Demo { pick, .. } => {
            let url = demo_index.as_ref().expect("the site was started above");
            Index::fetch(url, pick, &mut getter()?).map(|index| Box::new(index) as _)
        }
    };
    Ok(Opened { source: source?, index_time: SystemClock.now() - started, demo })
}
