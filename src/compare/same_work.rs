//! What a run did, read from its manifest: its work as a digest, the differences
//! between two runs, and a run page by page.

use std::collections::BTreeMap;
use std::path::Path;

use super::design::Contender;
use super::results::{Span, Timeline};
use super::stats;
use crate::digest;
use crate::message::{excerpt_url, plural};
use crate::model::{FailureCode, State};
use crate::save::SaveError;
use crate::save::manifest::Reader;
use crate::save::manifest::{PageRecord, Record};

/// At most this many differences are reported.
const DIFFERENCES_SHOWN: usize = 10;

/// A timeline holds at most this many pages: more could not be distinguished.
const MOST_SPANS: usize = 4_000;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WorkDone {
    /// The digest of the set of (URL, status, SHA-256).
    pub digest: [u8; 32],
    /// The median wait of its pages in milliseconds; 0 if it has no page.
    pub median_wait_ms: f64,
}

/// Reads what the run in `directory` did.
///
/// # Errors
///
/// [`SaveError`] if the manifest is missing or cannot be read.
pub(crate) fn read(directory: &Path) -> Result<WorkDone, SaveError> {
    let (mut pages, mut waits) = (Vec::new(), Vec::new());
    for_each_page(directory, |page| {
        pages.push(digest::sha256(outcome(&page).as_bytes()));
        waits.push(page.wait_ms);
    })?;
    // The order in which pages end does not belong to the work.
    pages.sort_unstable();
    Ok(WorkDone {
        digest: digest::sha256(pages.as_flattened()),
        median_wait_ms: stats::median(&waits).unwrap_or(0.0),
    })
}

/// The pages in which the runs in two directories differ, a line each.
///
/// # Errors
///
/// [`SaveError`] if a manifest cannot be read.
pub(crate) fn differences(one: &Path, other: &Path) -> Result<Vec<String>, SaveError> {
    let (one, mut other) = (outcomes(one)?, outcomes(other)?);
    let mut lines = Vec::new();
    for (url, ended) in one {
        let shown = excerpt_url(&url);
        match other.remove(&url) {
            Some(same) if same == ended => (),
            Some(otherwise) => lines.push(format!("{shown}: {ended} and {otherwise}")),
            None => lines.push(format!("{shown}: {ended} and missing")),
        }
    }
    let added =
        |(url, ended): (String, String)| format!("{}: missing and {ended}", excerpt_url(&url));
    lines.extend(other.into_iter().map(added));
    let more = lines.len().saturating_sub(DIFFERENCES_SHOWN);
    lines.truncate(DIFFERENCES_SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more {}", plural(more as u64, "page")));
    }
    Ok(lines)
}

/// The run in `directory` page by page.
///
/// # Errors
///
/// [`SaveError`] if its manifest cannot be read.
pub(crate) fn timeline(
    directory: &Path,
    contender: Contender,
    round: u32,
    seconds: f64,
) -> Result<Timeline, SaveError> {
    let mut spans = Vec::new();
    for_each_page(directory, |page| spans.extend(span(&page)))?;
    spans.sort_by(|one, other| one.start_ms.total_cmp(&other.start_ms));
    let left_out = spans.len().saturating_sub(MOST_SPANS) as u64;
    spans.truncate(MOST_SPANS);
    // Times in the manifest count from the start of the run, before the first request.
    let first = spans.first().map_or(0.0, |span| span.start_ms);
    for span in &mut spans {
        // Rounds to microseconds again, as in the manifest.
        span.start_ms = ((span.start_ms - first) * 1e3).round() / 1e3;
    }
    Ok(Timeline { contender, round, seconds, spans, left_out })
}

fn span(page: &PageRecord) -> Option<Span> {
    Some(Span {
        worker: u32::try_from(page.worker?).ok()?,
        start_ms: page.start_ms?,
        wait_ms: page.wait_ms,
        total_ms: page.total_ms,
        cpu_ms: page.cpu_ms,
    })
}

/// How a page ended, as one text.
fn outcome(page: &PageRecord) -> String {
    format!("{}\n{}", page.url.as_str(), ended(page))
}

fn ended(page: &PageRecord) -> String {
    let mut text = page.state.text(State::as_str).to_owned();
    if let Some(status) = page.status {
        text += &format!(", status {status}");
    }
    match (&page.sha256, &page.error) {
        (Some(sha256), _) => text += &format!(", SHA-256 {}", sha256.get(..16).unwrap_or(sha256)),
        (None, Some(error)) => text += &format!(" ({})", error.code.text(FailureCode::as_str)),
        (None, None) => (),
    }
    text
}

fn outcomes(directory: &Path) -> Result<BTreeMap<String, String>, SaveError> {
    let mut outcomes = BTreeMap::new();
    for_each_page(directory, |page| {
        let ended = ended(&page);
        outcomes.insert(page.url.as_str().to_owned(), ended);
    })?;
    Ok(outcomes)
}

fn for_each_page(directory: &Path, mut take: impl FnMut(PageRecord)) -> Result<(), SaveError> {
    let mut records = Reader::open(directory)?;
    while let Some(record) = records.next_record()? {
        if let Record::Page(page) = record {
            take(*page);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(lines: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.jsonl");
        let mut text = String::new();
        for line in lines {
            let [url, state, status, sha256, times] = line.split(' ').collect::<Vec<_>>()[..]
            else {
                panic!("{line}");
            };
            let [worker, start, wait, total] = times.split('/').collect::<Vec<_>>()[..] else {
                panic!("{times}");
            };
            let error = if state == "failed" { r#"{"code":"http","message":""}"# } else { "null" };
            text += &format!(
                r#"{{"kind":"page","seq":1,"url":"http://a.org/{url}","final_url":null,"state":"{state}","status":{status},"file":null,"bytes":1,"wire_bytes":1,"sha256":{sha256},"content_type":null,"etag":null,"last_modified":null,"http":"1.1","attempts":1,"worker":{worker},"start_ms":{start},"wait_ms":{wait},"total_ms":{total},"cpu_ms":1.5,"error":{error}}}"#
            );
            text += "\n";
        }
        std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .unwrap();
        dir
    }

    #[test]
    fn the_order_in_which_pages_end_is_no_difference() {
        let one = manifest(&[r#"1 saved 200 "ab" 0/5/10/12"#, r#"2 saved 200 "cd" 1/6/30/32"#]);
        let other = manifest(&[r#"2 saved 200 "cd" 0/6/40/32"#, r#"1 saved 200 "ab" 1/5/50/12"#]);
        let (one, other) = (read(one.path()).unwrap(), read(other.path()).unwrap());
        assert_eq!(one.digest, other.digest);
        assert_eq!((one.median_wait_ms, other.median_wait_ms), (20.0, 45.0));
    }

    #[test]
    fn pages_that_ended_otherwise_are_named() {
        let one = manifest(&[
            r#"1 saved 200 "ab" 0/5/10/12"#,
            r#"2 saved 200 "cd" 0/5/10/12"#,
            "3 failed 500 null 0/5/10/12",
        ]);
        let other = manifest(&[
            r#"1 saved 200 "ab" 0/5/10/12"#,
            r#"2 saved 200 "ce" 0/5/10/12"#,
            r#"4 saved 200 "ff" 0/5/10/12"#,
        ]);
        assert_ne!(read(one.path()).unwrap().digest, read(other.path()).unwrap().digest);
        assert_eq!(
            differences(one.path(), other.path()).unwrap(),
            [
                "http://a.org/2: saved, status 200, SHA-256 cd and saved, status 200, SHA-256 ce",
                "http://a.org/3: failed, status 500 (http) and missing",
                "http://a.org/4: missing and saved, status 200, SHA-256 ff",
            ]
        );
        assert!(differences(one.path(), one.path()).unwrap().is_empty());
    }

    #[test]
    fn a_timeline_begins_with_the_first_request() {
        let one = manifest(&[r#"1 saved 200 "ab" 1/7.5/10/12"#, r#"2 saved 200 "cd" 0/5/10/12"#]);
        let contender = crate::compare::results::tests::contender("threads@2");
        let timeline = timeline(one.path(), contender, 1, 0.5).unwrap();
        let starts: Vec<_> =
            timeline.spans.iter().map(|span| (span.worker, span.start_ms)).collect();
        assert_eq!(starts, [(0, 0.0), (1, 2.5)]);
        assert_eq!((timeline.spans[0].cpu_ms, timeline.left_out), (1.5, 0));
    }

    #[test]
    fn a_directory_without_a_manifest_is_an_error() {
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(read(empty.path()), Err(SaveError::NoManifest { .. })));
    }
}
