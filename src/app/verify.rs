//! `fetchpages verify`: checks a finished download against its manifest.

use super::exit::Status;
use super::terminal::print;
use crate::message::counted;
use crate::printable::Printable;
use crate::save::history::Difference;
use crate::save::history::verify::{Report, verify};
use crate::save::sink::Target;

pub(super) fn run(target: &Target, list: bool) -> anyhow::Result<Status> {
    let report = verify(target)?;
    let text = if list {
        let mut urls = Printable::default();
        report.to_fetch.iter().for_each(|url| urls.add(url));
        urls
    } else {
        describe(&report)
    };
    print(&text)?;
    Ok(if report.differences.is_empty() { Status::Done } else { Status::Different })
}

fn describe(report: &Report) -> Printable {
    let mut text = Printable::default();
    for (path, difference) in &report.differences {
        let line = match difference {
            Difference::Missing => format!("missing     {path}"),
            Difference::Size { recorded, found } => {
                format!("size        {path}: {found} bytes, recorded {recorded}")
            }
            Difference::Content => format!("changed     {path}"),
            Difference::NoFile => format!("no file     {path}"),
            Difference::Unreadable(why) => format!("unreadable  {path}: {why}"),
            Difference::Foreign => format!("foreign     {path}"),
        };
        text.add(line);
    }
    let (whole, differences) = (report.whole, report.differences.len());
    text.add(format_args!("{whole} files are as recorded, {differences} differ"));
    if report.unsaved > 0 {
        text.add(format_args!("{} pages were not saved; --list prints them", report.unsaved));
    }
    if !report.is_finished {
        text.add("the last run did not end properly: continue it with --resume");
    }
    if report.unreadable_lines > 0 {
        let lines = counted(report.unreadable_lines, "line");
        text.add(format_args!("{lines} of the manifest cannot be read"));
    }
    text
}
