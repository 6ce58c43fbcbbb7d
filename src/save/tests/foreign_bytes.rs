//! Manifests that were cut, damaged or written by others, and names in them.

use std::path::Path;

use proptest::prelude::*;
use url::Url;

use crate::foreign_bytes::{Format, Input, config, within};
use crate::model::Key;
use crate::save::history::History;
use crate::save::manifest::{ManifestPath, ManifestWriter, Reader, Record, last_run};
use crate::save::names::default_name::PART_LIMIT;
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::names::{Layout, NameAllocator, PageUrl, PreviousName};
use crate::save::sink::beneath::Root;

const LINES: &[&[u8]] = &[
    b"{\"kind\":\"foreign\",\"files\":[\"a.txt\",\"b/c\"]}\n{\"kind\":\"run\",\"v\":1,\"started\":\"2026-11-28T00:00:00Z\",\
      \"version\":\"0.1.0\",\"mode\":\"hybrid\",\"workers\":4,\"source\":\"list x\",\"args\":[\"--limit=3\"],\"layout\":\"flat\",\"strays\":2}\n",
    b"{\"kind\":\"page\",\"seq\":1,\"url\":\"http://a.org/1\",\"final_url\":\"http://a.org/1\",\"state\":\"saved\",\"status\":200,\
      \"file\":\"1.html\",\"bytes\":7,\"wire_bytes\":5,\"sha256\":\"00ff\",\"content_type\":\"text/html\",\"etag\":\"\\\"x\\\"\",\
      \"last_modified\":null,\"http\":\"1.1\",\"attempts\":2,\"waits_ms\":[1.5],\"worker\":0,\"start_ms\":0.1,\"wait_ms\":310.2,\
      \"total_ms\":402.0,\"cpu_ms\":3.1,\"error\":null}\n",
    b"{\"kind\":\"page\",\"seq\":2,\"url\":\"http://a.org/2\",\"final_url\":null,\"state\":\"failed\",\"status\":null,\"file\":null,\
      \"bytes\":null,\"wire_bytes\":0,\"sha256\":null,\"content_type\":null,\"etag\":null,\"last_modified\":null,\"http\":null,\
      \"attempts\":1,\"worker\":null,\"start_ms\":null,\"wait_ms\":0.0,\"total_ms\":0.0,\"cpu_ms\":0.0,\
      \"error\":{\"code\":\"read-timeout\",\"message\":\"silent\"}}\n",
    b"{\"kind\":\"end\",\"pages\":2,\"saved\":1,\"failed\":1,\"unchanged\":0,\"skipped\":0,\"robots\":0,\"interrupted\":0,\"found\":2,\
      \"invalid\":0,\"duplicates\":0,\"filtered\":0,\"input_complete\":true,\"bytes\":7,\"wire_bytes\":5,\"seconds\":1.234}\n",
    b"{\"kind\":\"later\",\"x\":[{}]}\n{\"kind\":\"orphans\",\"files\":[\"2.html\"]}\n",
];
const OF_LINES: &[&[u8]] = &[
    b"\n",
    b"{\"kind\":\"page\",",
    b"{\"kind\":\"run\",",
    b"\"file\":\"../../x\",",
    b"\"file\":\"MANIFEST.jsonl\",",
    b"\"file\":\".fetchpages-1-1.part\",",
    b"\"state\":\"kept\",",
    b"\"http\":{\"3.1\":7},",
    b"\"url\":\"\",",
    b"null",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"[",
    b"{",
    b"}",
    b",",
    b"1e-400",
    b"-0.0",
    b"0.1234567890123456789",
];

fn manifests() -> impl Strategy<Value = Input> {
    let all = LINES.concat();
    let documents = LINES.iter().copied().chain([&all[..]]);
    Format::new(documents, OF_LINES).inputs()
}

/// The records of the manifest in `directory`, with their places.
fn records(directory: &Path) -> (Vec<(u64, Record)>, u64) {
    let mut reader = Reader::open(directory).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next_placed().unwrap() {
        records.push(record);
    }
    (records, reader.unreadable)
}

/// What is read and written: `BufReader`'s room, and pages' paths.
const BUFFERS: usize = 320 * 1024;

thread_local! {
    /// A test writes thousands of files in one place.
    static DIRECTORY: tempfile::TempDir = tempfile::tempdir().unwrap();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn manifests_of_anybody(input in manifests(), place: prop::sample::Index) {
        let directory = DIRECTORY.with(|directory| directory.path().to_owned());
        let path = directory.join(MANIFEST_NAME);
        #[expect(clippy::disallowed_methods, reason = "it is no page")]
        std::fs::write(&path, &*input).unwrap();
        // The line, in a block that grows, and the records, of which the least is
        // `{"kind":"end"…`; a name in a list takes 24 bytes and its own.
        let most = BUFFERS + 64 * input.len();
        let (read, unreadable) = within(most, || records(&directory));
        let lines = memchr::memchr_iter(b'\n', &input).count() as u64 + 1;
        prop_assert!(read.len() as u64 + unreadable <= lines);
        prop_assert!(read.is_sorted_by(|(one, _), (other, _)| one < other));
        for (_, record) in &read {
            // What was read is written so that it reads the same.
            let line = serde_json::to_string(record).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Record>(&line).unwrap(), record, "{}", line);
        }
        let at = ManifestPath::in_directory(&directory);
        let run = within(most, || last_run(&at)).unwrap();
        let runs = read.iter().any(|(_, record)| matches!(record, Record::Run(_)));
        prop_assert!(runs || run.is_none());
        // Fingerprints of each name, however long it is.
        for layout in [Layout::Flat, Layout::Tree, Layout::Hash] {
            let mut reader = Reader::open(&directory).unwrap();
            within(most, || History::read(&mut reader, layout).map(drop)).unwrap();
        }
        let mut lookup = Reader::open(&directory).unwrap().into_lookup();
        for (place, record) in &read {
            if let Record::Page(page) = record {
                let found = within(most, || lookup.page(*place, page.url.as_str())).unwrap();
                prop_assert_eq!(found.as_ref(), Some(&**page));
            }
        }
        let place = place.index(input.len() + 2) as u64;
        within(most, || lookup.page(place, "http://a.org/1").map(drop)).unwrap();
        // What is whole stays, whoever opens it to write.
        let root = Root::open(&directory).unwrap();
        if let Ok(writer) = within(most, || ManifestWriter::open(&root, &at)) {
            drop(writer);
            let whole = memchr::memrchr(b'\n', &input).map_or(0, |end| end + 1);
            prop_assert_eq!(std::fs::read(&path).unwrap(), &input[..whole]);
        }
    }

    #[test]
    fn names_that_are_recorded(
        names in prop::collection::vec(Format::new(
            [&b"India.html"[..], b"a.org/b/%2E%2E/c~00ff.css", b"00/ff/x", b"manifest.jsonl"],
            &[b"/", b"..", b".", b"\\", b"~", b"%2F", b".fetchpages-1-1.part", b"a.org/", b":"],
        ).up_to(600).inputs(), 1..6),
        layout in prop::sample::select(vec![Layout::Flat, Layout::Tree, Layout::Hash]),
    ) {
        let mut allocator = NameAllocator::new(layout);
        let mut kept: Vec<String> = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let name = name.text();
            let Some(key) = Key::new(&*name) else { continue };
            let url = PageUrl::parse(&format!("http://a.org/{number}")).unwrap();
            let is_kept = within(64 * 1024 + 4 * name.len(), || allocator.reserve_page(&url, &key, false)).is_some();
            let lower = name.to_ascii_lowercase();
            prop_assert!(!is_kept || name.split('/').all(|part| part.len() <= PART_LIMIT));
            prop_assert!(!is_kept || !kept.contains(&lower) && lower != MANIFEST_NAME, "{}", name);
            kept.extend(is_kept.then_some(lower));
        }
        // Whatever is recorded, a new page gets a name of its own.
        for number in 10..13 {
            let url = Url::parse(&format!("http://a.org/India?{number}")).unwrap();
            let name = allocator.name(&url, PreviousName::default()).to_string().to_ascii_lowercase();
            prop_assert!(!kept.contains(&name), "{}", name);
            kept.push(name);
        }
    }
}
