//! `fetchpages verify`: a finished download against its manifest.

use std::fmt::Write;
use std::path::Path;

use super::exit::Status;
use super::print;
use crate::message::printable;
use crate::save::verify::{Difference, Report, verify};

pub(super) fn run(directory: &Path, list: bool) -> anyhow::Result<Status> {
    let report = verify(directory)?;
    let text = if list {
        report
            .to_fetch
            .iter()
            .flat_map(|url| {
                [
                    url, "
",
                ]
            })
            .collect()
    } else {
        describe(&report)
    };
    print(&text)?;
    Ok(if report.differences.is_empty() { Status::Done } else { Status::Different })
}

fn describe(report: &Report) -> String {
    let mut text = String::new();
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
        writeln!(text, "{}", printable(&line)).expect("a String takes all text");
    }
    let (whole, differences) = (report.whole, report.differences.len());
    text += &format!("{whole} files are as recorded, {differences} differ\n");
    if report.unsaved > 0 {
        text += &format!("{} pages were not saved; --list prints them\n", report.unsaved);
    }
    if !report.is_finished {
        text += "the last run did not come to its end\n";
    }
    if report.unreadable_lines > 0 {
        text += &format!("{} lines of the manifest are no record\n", report.unreadable_lines);
    }
    text
}
