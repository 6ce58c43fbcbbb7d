//! `fetchpages links`: prints the plan.

use std::io;

use super::exit::Status;
use super::source;
use super::terminal::{Output, quiet_pipe, report, report_line};
use crate::config::PlanOptions;
use crate::model::{Job, shown_url};
use crate::printable::Printable;
use crate::report::progress::INVALID_REPORTED;
use crate::save::history::Catalogue;
use crate::save::names::Layout;
use crate::source::plan::{Plan, Planned};

pub(super) fn run(options: &PlanOptions, layout: Layout, json: bool) -> anyhow::Result<Status> {
    let opened = source::open_alone(options)?;
    let mut plan = Plan::new(opened.source, options.filter.clone(), Catalogue::new(layout));
    let mut out = Output::open();
    let mut is_read = true;
    while is_read && let Some(entry) = plan.read()? {
        match plan.admit(entry)? {
            Planned::Job(job) => match out.write(&described(&job, json)) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => is_read = false,
                result => quiet_pipe(result)?,
            },
            Planned::Nothing => (),
            Planned::Invalid { place, reason } => {
                if plan.intake().invalid <= INVALID_REPORTED {
                    report_line(format_args!("warning: {place}: {reason}"));
                }
            }
            Planned::MissingPart(text) | Planned::Warning(text) => {
                report_line(format_args!("warning: {text}"));
            }
        }
    }
    out.finish()?;
    let intake = plan.intake();
    if intake.invalid > INVALID_REPORTED {
        let more = intake.invalid - INVALID_REPORTED;
        report_line(format_args!("warning: {more} more entries are not http(s) URLs"));
    }
    if intake.pages == 0 {
        report(&super::download::no_pages(&options.source.label(), &intake));
        return Ok(Status::NoPages);
    }
    Ok(Status::Done)
}

fn described(job: &Job, json: bool) -> Printable {
    let (file, url) = (job.key.as_str(), shown_url(&job.url));
    if json {
        return Printable::json(&serde_json::json!({ "file": file, "url": url }));
    }
    let mut line = Printable::default();
    line.add_row(&[file, &url]);
    line
}
