//! `fetchpages links`: the plan, printed.

use std::io::{self, BufWriter, Write};

use super::exit::Status;
use super::{quiet_pipe, source, tell};
use crate::config::PlanOptions;
use crate::model::{Job, shown_url};
use crate::report::progress::INVALID_TOLD;
use crate::save::catalogue::Catalogue;
use crate::save::key::Layout;
use crate::source::plan::{Plan, Planned};

const BUFFER: usize = 64 * 1024;

pub(super) fn run(options: &PlanOptions, layout: Layout, json: bool) -> anyhow::Result<Status> {
    let opened = source::open_alone(options)?;
    let mut plan = Plan::new(opened.source, options.filter.clone(), Catalogue::new(layout));
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut is_read = true;
    while is_read && let Some(entry) = plan.read()? {
        match plan.admit(entry)? {
            Planned::Job(job) => match print_job(&mut out, &job, json) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => is_read = false,
                result => quiet_pipe(result)?,
            },
            Planned::Nothing => (),
            Planned::Invalid { place, reason } => {
                if plan.intake().invalid <= INVALID_TOLD {
                    tell(&format!("warning: {place}: {reason}\n"));
                }
            }
            Planned::MissingPart(text) | Planned::Warning(text) => {
                tell(&format!("warning: {text}\n"));
            }
        }
    }
    quiet_pipe(out.flush())?;
    let intake = plan.intake();
    if intake.invalid > INVALID_TOLD {
        let more = intake.invalid - INVALID_TOLD;
        tell(&format!("warning: {more} more entries are no http(s) URL\n"));
    }
    if intake.pages == 0 {
        tell(&super::download::no_pages(&source::name_of(&options.source), &intake));
        return Ok(Status::NoPages);
    }
    Ok(Status::Done)
}

fn print_job(out: &mut impl Write, job: &Job, json: bool) -> io::Result<()> {
    let url = shown_url(&job.url);
    if json {
        let object = serde_json::json!({ "file": job.key.as_str(), "url": url });
        return writeln!(out, "{object}");
    }
    out.write_all(job.key.as_str().as_bytes())?;
    out.write_all(b"\t")?;
    out.write_all(url.as_bytes())?;
    out.write_all(b"\n")
}
