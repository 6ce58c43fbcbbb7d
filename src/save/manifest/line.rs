//! Writes a page's line in the manifest without copying its values.
//!
//! Each page costs one such line. So it is written field by field, without a
//! [`PageRecord`](super::record::PageRecord): 3,400 instead of 9,000 instructions, of some
//! 120,000 per page. The line is the same as that record's, byte for byte; a test
//! compares them.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::digest;
use crate::foreign::Foreign;
use crate::message::shortened;
use crate::model::{Failure, Head, Key, Outcome, Settled, Stored, Validators, shown_url};

/// The values that all lines of a run share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// When the run began.
    pub(super) started: Option<Instant>,
    /// Whether the run saves pages.
    pub(super) saves_pages: bool,
}

/// The characters that are recorded of a header field and of a failure's message, at most.
/// Useful ones are shorter, and a line has its limit: a character takes at most six bytes. An
/// address is never shortened, because it has its own limit.
const FIELD_LIMIT: usize = 8 * 1024;
/// The pauses that are recorded, at most.
const WAITS_LIMIT: usize = 1000;

/// A field's name with the punctuation around it.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// Appends the line of `settled` to `out`, without its line end.
pub(super) fn write_page(out: &mut Vec<u8>, frame: Frame, settled: &Settled) {
    let Settled { job, attempt, worker, started, total } = settled;
    let head = attempt.head.as_deref();
    // The record of an unchanged page is complete, so that nothing depends on earlier ones.
    let saved = job.validators.as_deref().filter(|_| attempt.outcome == Outcome::Unchanged);
    let digits;
    let (bytes, sha256, stored) = match (&attempt.outcome, saved) {
        (Outcome::Saved { bytes, sha256, stored }, _) => {
            digits = digest::hex(sha256);
            (Some(*bytes), Some(digits.as_str()), Some(stored))
        }
        (_, Some(saved)) => (Some(saved.bytes), Some(&*saved.sha256), Some(&saved.stored)),
        (_, None) => (None, None, None),
    };
    let sent = |of_head: fn(&Head) -> &Option<Foreign>,
                of_saved: fn(&Validators) -> &Option<Foreign>| {
        let known = saved.and_then(|saved| of_saved(saved).as_ref());
        let sent = head.and_then(|head| of_head(head).as_ref()).or(known);
        sent.map(|text| shortened(text.raw(), FIELD_LIMIT))
    };
    let content_type = sent(|head| &head.content_type, |saved| &saved.content_type);
    let etag = sent(|head| &head.etag, |saved| &saved.etag);
    let last_modified = sent(|head| &head.last_modified, |saved| &saved.last_modified);
    let final_url = head.map(|head| shown_url(&head.final_url));
    let stored = stored.filter(|_| frame.saves_pages);
    let failure = match &attempt.outcome {
        Outcome::Failed(failure) => Some(brief(failure)),
        Outcome::Saved { .. } | Outcome::Unchanged | Outcome::Robots | Outcome::Interrupted => None,
    };
    let mut line = Line { out };
    line.out.extend_from_slice(b"{\"kind\":\"page\"");
    line.json(key!("seq"), &job.seq);
    line.text(key!("url"), Some(&shown_url(&job.url)));
    line.text(key!("final_url"), final_url.as_deref());
    line.text(key!("state"), Some(attempt.outcome.state().as_str()));
    line.json(key!("status"), &head.map(|head| head.status));
    line.stored(stored, &job.key);
    line.json(key!("bytes"), &bytes);
    line.json(key!("wire_bytes"), &attempt.wire_bytes);
    line.text(key!("sha256"), sha256);
    line.text(key!("content_type"), content_type.as_deref());
    line.text(key!("etag"), etag.as_deref());
    line.text(key!("last_modified"), last_modified.as_deref());
    line.json(key!("http"), &head.map(|head| head.http));
    line.json(key!("attempts"), &job.attempts);
    if !job.waits.is_empty() {
        line.push(key!("waits_ms"));
        for (place, wait) in job.waits.iter().take(WAITS_LIMIT).enumerate() {
            line.out.push(if place == 0 { b'[' } else { b',' });
            line.duration(*wait);
        }
        line.out.push(b']');
    }
    line.json(key!("worker"), worker);
    let since_start = started.zip(frame.started).map(|(at, start)| at - start);
    line.millis(key!("start_ms"), since_start);
    line.millis(key!("wait_ms"), Some(attempt.wait));
    line.millis(key!("total_ms"), Some(*total));
    line.millis(key!("cpu_ms"), Some(attempt.cpu));
    line.json(key!("error"), &failure);
    if let Some(note) = &attempt.note {
        line.text(key!("note"), Some(&shortened(note.raw(), FIELD_LIMIT)));
    }
    line.out.push(b'}');
}

/// Shortens the message of `failure` if it is too long for a line.
fn brief(failure: &Failure) -> Cow<'_, Failure> {
    match shortened(failure.message.raw(), FIELD_LIMIT) {
        Cow::Borrowed(_) => Cow::Borrowed(failure),
        Cow::Owned(message) => Cow::Owned(Failure::new(failure.code, message)),
    }
}

/// A JSON object that is being written.
struct Line<'a> {
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A field of any kind.
    fn json(&mut self, key: &'static str, value: &impl serde::Serialize) {
        self.push(key);
        serde_json::to_writer(&mut *self.out, value)
            .expect("records are made of text and numbers, and memory takes all");
    }

    fn text(&mut self, key: &'static str, text: Option<&str>) {
        // One pass over all bytes is far cheaper than a branch per byte, and few texts have
        // a byte that must be escaped (RFC 8259, 7).
        let special =
            |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
        match text.filter(|text| text.bytes().fold(0, |any, byte| any | special(byte)) == 0) {
            Some(text) => {
                self.push(key);
                self.out.push(b'"');
                self.push(text);
                self.out.push(b'"');
            }
            None => self.json(key, &text),
        }
    }

    /// The fields of the page's place: a file, a range of an archive, or an id.
    fn stored(&mut self, stored: Option<&Stored>, key: &Key) {
        self.text(key!("file"), stored.filter(|it| **it == Stored::Key).map(|_| key.as_str()));
        match stored {
            Some(Stored::Archive(record)) => {
                self.text(key!("archive"), Some(record.archive.as_str()));
                self.json(key!("offset"), &record.offset);
                self.json(key!("length"), &record.length);
            }
            Some(Stored::Id(id)) => self.text(key!("id"), Some(id)),
            Some(Stored::Key | Stored::Nowhere) | None => (),
        }
    }

    fn millis(&mut self, key: &'static str, duration: Option<Duration>) {
        match duration {
            Some(duration) => {
                self.push(key);
                self.duration(duration);
            }
            None => self.json(key, &None::<f64>),
        }
    }

    /// Milliseconds with at most three decimals and at least one.
    fn duration(&mut self, duration: Duration) {
        let rounded = duration + Duration::from_nanos(500);
        // In 64 bits, because a division in 128 bits costs more than all the rest here.
        let millis = rounded.as_secs() * 1000 + u64::from(rounded.subsec_millis());
        let fraction = rounded.subsec_micros() % 1000;
        serde_json::to_writer(&mut *self.out, &millis).expect("memory takes a number");
        let digits = [fraction / 100, fraction / 10 % 10, fraction % 10];
        let used = digits.iter().rposition(|digit| *digit != 0).map_or(1, |last| last + 1);
        self.out.push(b'.');
        for digit in &digits[..used] {
            self.out.push(b'0' + u8::try_from(*digit).expect("a digit is less than ten"));
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::model::{ADDRESS_LIMIT, ArchiveRecord, Attempt, FailureCode, HttpVersion, Job};
    use crate::save::manifest::reader::LINE_LIMIT;
    use crate::save::manifest::record::Record;

    const MOMENT: Duration = Duration::from_nanos(1_000_499);

    fn settled(outcome: Outcome) -> Settled {
        let clock = ManualClock::new();
        let url = Url::parse("https://me:secret@a.org/caf%C3%A9?q=%22\"").unwrap();
        let head = Head {
            final_url: Url::parse("https://b.org/").unwrap(),
            status: 200,
            http: HttpVersion::Http2,
            content_type: Some("text/html; charset=\"utf-8\"".into()),
            content_encoding: None,
            etag: Some("W/\"\u{1}\\é\"".into()),
            last_modified: None,
            retry_after: None,
            date: None,
            is_on_new_connection: false,
        };
        Settled {
            job: Job { attempts: 2, ..Job::new(17, url, Key::new("caf%C3%A9.html").unwrap()) },
            attempt: Attempt {
                head: Some(Box::new(head)),
                wire_bytes: 1234,
                wait: Duration::from_micros(310_200),
                cpu: Duration::from_nanos(3_099_600),
                ..Attempt::without_answer(outcome)
            },
            worker: Some(3),
            started: Some(clock.now() + MOMENT),
            total: Duration::from_secs(402),
        }
    }

    fn cases() -> Vec<Settled> {
        let failure = Failure::new(FailureCode::ReadTimeout, "silent after \"x\"\n\u{7f}");
        let unasked = Settled { worker: None, started: None, ..settled(Outcome::Interrupted) };
        let mut bare =
            settled(Outcome::Saved { bytes: 0, sha256: [0xa5; 32], stored: Stored::Key });
        bare.attempt.head = None;
        bare.attempt.note = Some("Content-Encoding names no coding: \"none\"".into());
        let mut known = settled(Outcome::Unchanged);
        known.job.validators = Some(Box::new(Validators {
            of: "https://b.org/".into(),
            etag: None,
            last_modified: Some("Sun, 22 Nov 2026 00:00:00 GMT".into()),
            content_type: Some("text/css".into()),
            bytes: 7,
            sha256: "00ff".into(),
            stored: Stored::Key,
        }));
        let mut waited = settled(Outcome::Failed(failure));
        waited.job.waits = vec![Duration::ZERO, Duration::from_micros(1_500)];
        let in_archive = ArchiveRecord {
            archive: Key::new("pages.warc.gz").unwrap(),
            offset: 1 << 40,
            length: 1234,
        };
        let elsewhere = [Stored::Archive(Box::new(in_archive)), Stored::Id("a\"b".into())]
            .map(|stored| settled(Outcome::Saved { bytes: 1, sha256: [1; 32], stored }));
        let cases = [settled(Outcome::Robots), unasked, bare, known, waited];
        cases.into_iter().chain(elsewhere).collect()
    }

    #[test]
    fn a_line_is_what_its_record_is_written_as() {
        for settled in cases() {
            for saves_pages in [true, false] {
                let started = settled.started.and_then(|at| at.checked_sub(MOMENT));
                let mut line = Vec::new();
                write_page(&mut line, Frame { started, saves_pages }, &settled);
                let line = String::from_utf8(line).unwrap();
                let record: Record = serde_json::from_str(&line).unwrap();
                assert!(matches!(record, Record::Page(_)), "{line}");
                assert_eq!(serde_json::to_string(&record).unwrap(), line);
                assert!(!line.contains("secret"), "{line}");
            }
        }
    }

    #[test]
    fn a_line_stays_below_the_limit_whatever_was_sent() {
        let long = || Some(Foreign::from("\u{1}".repeat(256 * 1024)));
        // Of a query, a backslash stays what it is, and takes two bytes in JSON.
        let start = "http://a.org/?";
        let url = format!("{start}{}", "\\".repeat(ADDRESS_LIMIT - start.len()));
        let url = Url::parse(&url).unwrap();
        assert_eq!(url.as_str().len(), ADDRESS_LIMIT);
        let failure = Failure::new(FailureCode::Http, long().unwrap());
        for outcome in [Outcome::Failed(failure), Outcome::Unchanged] {
            let mut settled = settled(outcome);
            let head = settled.attempt.head.as_mut().unwrap();
            (head.content_type, head.etag, head.last_modified) = (long(), long(), None);
            head.final_url = url.clone();
            settled.job.url = url.clone();
            settled.job.waits = vec![Duration::from_nanos(86_399_999_999_999); 1 << 20];
            settled.job.validators = Some(Box::new(Validators {
                of: url.to_string(),
                etag: None,
                last_modified: long(),
                content_type: None,
                bytes: u64::MAX,
                sha256: "00ff".into(),
                stored: Stored::Key,
            }));
            settled.attempt.note = long();
            let mut line = Vec::new();
            write_page(&mut line, Frame { started: settled.started, saves_pages: true }, &settled);
            assert!(line.len() < LINE_LIMIT, "{}", line.len());
            let Ok(Record::Page(page)) = serde_json::from_slice(&line) else { panic!() };
            let read = [Some(page.url), page.final_url].map(|read| read.unwrap().as_url().clone());
            assert_eq!(read, [url.clone(), url.clone()]);
            assert_eq!(page.waits_ms.len(), WAITS_LIMIT);
            assert!(page.etag.unwrap().raw().ends_with('…'));
        }
    }

    #[test]
    fn times_have_three_decimals_and_no_more_than_they_need() {
        for (nanos, text) in [
            (0, "0.0"),
            (499, "0.0"),
            (500, "0.001"),
            (1_000_000, "1.0"),
            (12_400_000, "12.4"),
            (1_234_567_890, "1234.568"),
            (999_999_500, "1000.0"),
        ] {
            let mut out = Vec::new();
            Line { out: &mut out }.duration(Duration::from_nanos(nanos));
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
