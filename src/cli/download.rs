//! Decides on a download.

use std::path::Path;

use http::header;

use super::args::{AgainArgs, DownloadArgs};
use super::http::contact;
use super::plan::{Running, plan};
use super::usage::{NoCommand, Result, usage};
use super::{credentials, recorded, source};
use crate::config::{Download, Workers, choose_workers};
use crate::queue::host::site_policy;
use crate::save::Refetch;
use crate::save::manifest::RunRecord;
use crate::save::names::Layout;
use crate::save::sink::Target;
use crate::source::spec::SourceSpec;

pub(super) fn download(
    typed: DownloadArgs,
    is_typed: &dyn Fn(&str) -> bool,
) -> std::result::Result<Download, NoCommand> {
    let mode = typed.running.mode.0;
    let (workers, note) = choose_workers(mode, typed.running.workers);
    let again = command_start(&typed.again);
    let refetch = typed.again.refetch();
    let mut layout: Layout = typed.output.layout.layout.into();
    let target = target("--output ", &typed.output.output)?;
    let chosen = if refetch != Refetch::All && !source::is_named(&typed.source) {
        if let Some(option) = ["select", "attr"].into_iter().find(|option| is_typed(option)) {
            return Ok(usage(
                format!("--{option} belongs to a source, and no source is named"),
                "name the source, or leave the option out to use the record of the last run",
            )?);
        }
        let has_layout = is_typed("layout");
        let again = |run: &RunRecord| {
            let layout = if has_layout { Some(layout) } else { run.layout.known() };
            let output = recorded::option_word("--output", &typed.output.output.to_string_lossy());
            format!("{again}{output}{}", layout_text(layout))
        };
        let last = recorded::source(&typed.source.named, &target.manifest(), &again)?;
        if !has_layout {
            layout = recorded_layout(&last.run)?;
        }
        last.chosen
    } else {
        source::chosen(&typed.source)?
    };
    let continuing =
        chosen.is_recorded.then(|| format!("continuing with {}", recorded::shown(&chosen)));
    let redacted = (chosen.is_recorded && chosen.recorded.is_redacted).then(|| LEFT_OUT.to_owned());
    let unsent = credentials::unsent(&typed.http, &chosen)?;
    let is_auto = typed.running.workers == Some(Workers::Auto) && mode.is_scalable;
    let running = Running {
        limits: typed.running.host_limits(is_auto.then_some(workers)),
        workers: (!is_auto).then_some(workers),
        failure_limit: typed.running.max_failures,
        keeps_to_host: typed.running.compared,
    };
    let plan = plan(chosen, &typed.http, running)?;
    let has_own_agent =
        typed.http.user_agent.is_some() || plan.fetch.headers.contains_key(header::USER_AGENT);
    let is_anonymous = !has_own_agent && contact(&typed.http).is_none();
    let anonymous = is_anonymous.then(|| anonymous_note(&plan.source)).flatten();
    let words = plan.recorded.args.clone();
    Ok(Download {
        plan,
        mode,
        workers,
        max_memory: typed.running.max_memory.map(|size| size.0),
        deadline: typed.running.deadline,
        ends_with_input: typed.running.compared,
        save: typed.output.options(target, layout, refetch, words),
        report: typed.report.options(),
        trace: typed.report.trace,
        notes: note
            .into_iter()
            .chain(continuing)
            .chain(redacted)
            .chain(unsent)
            .chain(anonymous)
            .collect(),
    })
}

/// Returns the layout of the last run.
fn recorded_layout(run: &RunRecord) -> Result<Layout> {
    run.layout.known().map_or_else(
        || {
            usage(
                "the last run used a layout of names that this version does not know",
                "choose a layout with --layout, or continue with the version of the last run",
            )
        },
        Ok,
    )
}

/// The note when the source comes from a record that leaves something out.
const LEFT_OUT: &str = "the last run's URLs held a user name or a password, which are not \
                        recorded: give them with --user and --credentials-for, or name the source \
                        again";

/// Returns the start of a command that does the same and names the source too.
fn command_start(typed: &AgainArgs) -> String {
    let option = match typed {
        AgainArgs { resume: true, .. } => "-c".into(),
        AgainArgs { update: true, .. } => "-N".into(),
        AgainArgs { retry_failed: Some(codes), .. } => {
            let codes: Vec<_> = codes.iter().map(|code| code.0.as_str()).collect();
            let is_any = codes.is_empty();
            format!("--retry-failed{}{}", if is_any { "" } else { "=" }, codes.join(","))
        }
        AgainArgs { .. } => String::new(),
    };
    format!("fetchpages {option}")
}

/// Returns the option for a layout that is not the default.
fn layout_text(layout: Option<Layout>) -> &'static str {
    match layout {
        Some(Layout::Tree) => " --layout tree",
        Some(Layout::Hash) => " --layout hash",
        Some(Layout::Flat) | None => "",
    }
}

/// Returns the note about a site that refuses agents without a contact.
fn anonymous_note(source: &SourceSpec) -> Option<String> {
    let wants_contact =
        |host: &&str| site_policy::of_host(host).is_some_and(|policy| policy.wants_contact);
    let host =
        source.policy().requested.into_iter().filter_map(url::Url::host_str).find(wants_contact)?;
    let advice = "refuses agents that name no contact: name yours with --contact MAIL";
    Some(format!("{host} {advice}"))
}

/// Reads the target `typed`; `option` stands before it in a message.
pub(super) fn target(option: &str, typed: &Path) -> Result<Target> {
    let target = Target::parse(typed.as_os_str());
    target.or_else(|error| usage(format!("{option}{error}"), error.advice()))
}
