//! The parts of sitemap indexes that are still to be read, in order and with limits. Pure.

use std::collections::VecDeque;

use url::Url;

use super::items::Item;
use crate::fingerprint::Fingerprints;
use crate::message::{counted, excerpt_url};
use crate::source::page_url;

/// The number of parts that are read of all indexes together. By the protocol one index may name
/// this many, and may not name an index (<https://www.sitemaps.org/protocol.html#index>).
const PARTS_LIMIT: usize = 50_000;
/// Indexes may be nested this deep. By the protocol they may not be nested, but some are.
const MAX_DEPTH: u32 = 3;
/// The bytes that the addresses of waiting parts may take: 1 KiB per part.
const BYTES_LIMIT: usize = 1024 * PARTS_LIMIT;

/// A part of an index that is still to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The sitemap at this address, and the number of indexes above it.
    At(Url, u32),
    /// A part that cannot be read, and why.
    Missing(String),
}

/// The waiting parts, in the order of the indexes.
pub(super) struct Parts {
    waiting: VecDeque<Part>,
    /// The bytes of their addresses and reasons.
    bytes: usize,
    /// The number of parts that were named so far, each counted once.
    named: usize,
    /// The parts that were named already: an index may name itself.
    seen: Fingerprints,
    too_many: PassedOver,
    too_deep: PassedOver,
}

/// Parts that are not read because of a limit.
#[derive(Default)]
struct PassedOver {
    count: u64,
    /// The first of them, for the message.
    example: String,
}

impl PassedOver {
    fn add(&mut self, text: &str) {
        self.count += 1;
        if self.count == 1 {
            self.example = excerpt_url(text);
        }
    }

    /// Returns the message about these parts, once.
    fn take(&mut self, why: &str) -> Option<Part> {
        let Self { count, example } = std::mem::take(self);
        let parts = counted(count, "part");
        let text = || format!("{parts} of the sitemap passed over, such as {example:?}: {why}");
        (count > 0).then(|| Part::Missing(text()))
    }
}

impl Parts {
    /// No parts yet of the sitemap at `root`.
    pub(super) fn of(root: &Url) -> Self {
        let mut seen = Fingerprints::new();
        seen.insert(root.as_str());
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            named: 0,
            seen,
            too_many: PassedOver::default(),
            too_deep: PassedOver::default(),
        }
    }

    /// Adds the items of the index `index`, which are `depth` indexes deep.
    pub(super) fn add(&mut self, items: Vec<Item>, depth: u32, index: &str) {
        if depth > 1 && self.too_many.count > 0 {
            // This is not a real sitemap: it has too many parts, and a part is an index again.
            // Each waiting part may be an index too, and would cost a request for nothing.
            for part in std::mem::take(&mut self.waiting) {
                if let Part::At(url, _) = part {
                    self.too_many.add(url.as_str());
                }
            }
            self.bytes = 0;
        }
        for item in items {
            match item {
                Item::Address { text, .. } => self.add_part(&text, depth, index),
                Item::Fault(why) => self.push(Part::Missing(format!("{index}, {why}"))),
            }
        }
    }

    fn add_part(&mut self, text: &str, depth: u32, index: &str) {
        let url = page_url(text);
        if url.as_ref().is_ok_and(|url| !self.seen.insert(url.as_str())) {
            return;
        }
        self.named += 1;
        if self.named > PARTS_LIMIT || self.bytes > BYTES_LIMIT {
            return self.too_many.add(text);
        }
        self.push(match url {
            Ok(_) if depth > MAX_DEPTH => return self.too_deep.add(text),
            Ok(url) => Part::At(url, depth),
            Err(why) => Part::Missing(format!(
                "the sitemap {:?}, named by {index}, is not an http(s) URL: {why}",
                excerpt_url(text)
            )),
        });
    }

    fn push(&mut self, part: Part) {
        self.bytes += part.bytes();
        self.waiting.push_back(part);
    }

    /// Returns the next part. The messages about parts beyond a limit come last.
    pub(super) fn next(&mut self) -> Option<Part> {
        if let Some(part) = self.waiting.pop_front() {
            self.bytes = self.bytes.saturating_sub(part.bytes());
            return Some(part);
        }
        let limit = format!(
            "at most {PARTS_LIMIT} are read; read the others in a run of their own, each with --sitemap"
        );
        let depth = format!(
            "indexes are read {MAX_DEPTH} deep; read the deeper ones in a run of their own with --sitemap"
        );
        self.too_many.take(&limit).or_else(|| self.too_deep.take(&depth))
    }
}

impl Part {
    fn bytes(&self) -> usize {
        match self {
            Self::At(url, _) => url.as_str().len(),
            Self::Missing(why) => why.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(from: usize, count: usize, path: &str) -> Vec<Item> {
        let address =
            |number| Item::Address { line: 1, text: format!("http://a.org/{path}{number}") };
        (from..from + count).map(address).collect()
    }

    fn parts() -> Parts {
        Parts::of(&Url::parse("http://a.org/s.xml").unwrap())
    }

    /// The number of parts that are read, and the messages about the others.
    fn rest(parts: &mut Parts) -> (usize, Vec<String>) {
        let (mut read, mut warnings) = (0, Vec::new());
        while let Some(part) = parts.next() {
            match part {
                Part::At(..) => read += 1,
                Part::Missing(why) => warnings.push(why),
            }
        }
        assert_eq!(parts.next(), None);
        (read, warnings)
    }

    #[test]
    fn an_index_of_as_many_parts_as_it_may_have_is_read_whole() {
        let mut parts = parts();
        parts.add(items(0, PARTS_LIMIT, ""), 1, "the index");
        assert_eq!(rest(&mut parts), (PARTS_LIMIT, vec![]));
    }

    #[test]
    fn parts_above_the_limit_are_told_once() {
        let mut parts = parts();
        parts.add(items(0, PARTS_LIMIT + 2, ""), 1, "the index");
        let (read, warnings) = rest(&mut parts);
        assert_eq!((read, warnings.len()), (PARTS_LIMIT, 1));
        assert_eq!(
            warnings[0],
            "2 parts of the sitemap passed over, such as \"http://a.org/50000\": at most 50000 are \
             read; read the others in a run of their own, each with --sitemap"
        );
    }

    #[test]
    fn the_limit_holds_for_all_indexes_together_and_ends_indexes_of_indexes() {
        let mut parts = parts();
        let mut asked = 0;
        parts.add(items(0, 1000, ""), 1, "the index");
        while let Some(part) = parts.next() {
            let Part::At(_, depth) = part else { break };
            asked += 1;
            parts.add(items(asked * 1000, 1000, "x"), depth + 1, "a part");
        }
        assert!(asked < 60, "{asked}");
        let mut parts = super::tests::parts();
        parts.add(items(0, 2 * PARTS_LIMIT, ""), 1, "the index");
        parts.next();
        parts.add(items(0, 2 * PARTS_LIMIT, "x"), 2, "a part");
        let (read, warnings) = rest(&mut parts);
        assert_eq!((read, warnings.len()), (0, 1));
        assert!(warnings[0].starts_with("199999 parts "), "{warnings:?}");
    }

    #[test]
    fn parts_that_are_too_deep_are_told_once() {
        let mut parts = parts();
        parts.add(items(0, 3, ""), 3, "the index");
        parts.add(items(0, 40_000, "x"), 4, "a part");
        let (read, warnings) = rest(&mut parts);
        assert_eq!((read, warnings.len()), (3, 1));
        assert!(
            warnings[0].starts_with("40000 parts of the sitemap passed over, such as "),
            "{warnings:?}"
        );
        assert!(warnings[0].contains("indexes are read 3 deep"), "{warnings:?}");
    }

    #[test]
    fn long_addresses_take_no_more_memory_than_many() {
        let mut parts = parts();
        let long = "x".repeat(60 * 1024);
        parts.add(items(0, 5000, &long), 1, "the index");
        assert!(parts.bytes <= BYTES_LIMIT + (1 << 16), "{}", parts.bytes);
        let (read, warnings) = rest(&mut parts);
        assert!(
            read > 800 && warnings.len() == 1 && warnings[0].len() < 400,
            "{read} {warnings:?}"
        );
        assert_eq!(parts.bytes, 0);
    }

    #[test]
    fn what_is_no_address_is_told_and_a_part_is_read_once() {
        let mut parts = parts();
        let text = |text: &str| Item::Address { line: 1, text: text.into() };
        let bad = vec![text("/x"), text("http://a.org/s.xml"), Item::Fault("line 3: x".into())];
        parts.add(bad, 1, "the index");
        let warnings = [
            "the sitemap \"/x\", named by the index, is not an http(s) URL: it has no http:// or https://",
            "the index, line 3: x",
        ];
        assert_eq!(rest(&mut parts), (0, warnings.map(String::from).to_vec()));
    }
}
