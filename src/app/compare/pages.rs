//! Finds the pages once, so that all runs fetch the same ones.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::app::demo::DemoProcess;
use crate::app::download;
use crate::app::source::{self, Opened};
use crate::app::terminal::{report, report_line};
use crate::cli::UsageError;
use crate::compare::target_hosts::{self, Refused, TargetHosts};
use crate::config::PlanOptions;
use crate::report::progress::INVALID_REPORTED;
use crate::save::history::Catalogue;
use crate::save::names::Layout;
use crate::source::plan::{Plan, Planned};
use crate::source::spec::SourceSpec;

/// Reads the source, writes the pages' addresses to `list`, and returns their hosts. If the
/// source is the embedded site, it is returned too: it runs until it is dropped.
pub(super) fn find(
    options: &PlanOptions,
    list: &Path,
) -> anyhow::Result<(Option<DemoProcess>, TargetHosts)> {
    refuse_known(&options.source)?;
    let Opened { source, demo, .. } = source::open_alone(options)?;
    let mut plan = Plan::new(source, options.filter.clone(), Catalogue::new(Layout::Flat));
    let failed = || format!("failed to write {}", list.display());
    // Addresses may contain passwords.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(list);
    let mut file = BufWriter::new(file.with_context(failed)?);
    let mut visited = TargetHosts::default();
    while let Some(entry) = plan.read()? {
        match plan.admit(entry)? {
            Planned::Job(job) => {
                writeln!(file, "{}", job.url).with_context(failed)?;
                visited.add(&job.url);
            }
            Planned::Invalid { place, reason } if plan.intake().invalid <= INVALID_REPORTED => {
                report_line(format_args!("warning: {place}: {reason}"));
            }
            Planned::Nothing | Planned::Invalid { .. } => (),
            Planned::MissingPart(text) | Planned::Warning(text) => {
                report_line(format_args!("warning: {text}"));
            }
        }
    }
    file.flush().with_context(failed)?;
    if visited.pages == 0 {
        report(&download::no_pages(&options.source.label(), &plan.intake()));
    }
    Ok((demo, visited))
}

/// Checks the address of an index or sitemap, before it is fetched to find the pages.
fn refuse_known(source: &SourceSpec) -> Result<(), UsageError> {
    let index = source.policy().index;
    index.map_or(Ok(()), |url| target_hosts::refuse_known(url).map_err(|why| refused(&why)))
}

/// The usage error for a refused comparison, with what to do instead.
pub(super) fn refused(why: &Refused) -> UsageError {
    let hint = match why {
        Refused::KnownSite { .. } => {
            "leave the source out: compare then uses the embedded site, which is made for it"
        }
        Refused::NotAgreed(_) => {
            "add --yes if the owner of the site agrees; without a source, compare uses the \
             embedded site"
        }
    };
    UsageError { message: why.to_string(), hint: Some(hint.into()) }
}
