//! Opens the source of a command, and starts the embedded site when the source needs it.

use std::sync::Arc;
use std::time::Duration;

use super::demo::DemoProcess;
use super::terminal::report_line;
use crate::clock::{Clock, SystemClock};
use crate::config::PlanOptions;
use crate::fetch::Network;
use crate::queue::Queue;
use crate::queue::notice::Notice;
use crate::random::Rng;
use crate::source::spec::Opening;
use crate::source::{Access, Getter, Source};

/// An open source, and the process that must run while the source is read.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// How long it took to read what has to be read first, such as an index.
    pub(super) index_time: Duration,
    pub(super) demo: Option<DemoProcess>,
}

/// Opens the source for a command that fetches no page with it.
pub(super) fn open_alone(options: &PlanOptions) -> anyhow::Result<Opened> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let network = Arc::new(Network::new(options.fetch.clone(), Arc::clone(&clock))?);
    let rng = Rng::from_entropy();
    let queue = Arc::new(Queue::new(options.queue.clone(), rng, Arc::clone(&clock)));
    let note = |notice: &Notice| report_line(format_args!("note: {}", notice.text()));
    queue.note_with(Arc::new(note));
    open(options, || Access { network, queue, clock })
}

/// Opens the source, and fetches what has to be read first.
pub(super) fn open(
    options: &PlanOptions,
    access: impl FnOnce() -> Access,
) -> anyhow::Result<Opened> {
    let (mut demo, mut site_index) = (None, None);
    if let Some(site) = options.source.policy().site {
        let (started, index) = DemoProcess::start(site)?;
        (demo, site_index) = (Some(started), Some(index));
    }
    let started = SystemClock.now();
    let source = options.source.open(Opening {
        getter: Box::new(|| Getter::new(access())),
        max_size: options.fetch.max_size,
        site_index: site_index.as_ref(),
    })?;
    Ok(Opened { source, index_time: SystemClock.now() - started, demo })
}
