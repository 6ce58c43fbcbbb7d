//! The site as a value: a seed and a number of pages give every path its page.
//!
//! Pure: no files, no sockets, no clock. [`server`](super::server) serves it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::article::Writer;
use super::countries::{COUNT, COUNTRIES};
use super::document::{Document, DocumentBuilder, padded};
use super::entry::Entry;
use super::index::index_page;
use super::markup::push_article_path;
use super::padding::Padding;
use crate::random::Rng;

/// The path of the index page.
pub const INDEX_PATH: &str = "/wiki/List_of_countries_by_population_(United_Nations)";

/// The path of the rules for robots.
pub(super) const ROBOTS_PATH: &str = "/robots.txt";

/// Rules for robots that allow every page that the index links.
const ROBOTS: &str = "User-agent: *\nDisallow: /w/\nDisallow: /api/\nDisallow: /trap/\n";

/// The distribution of the articles' lengths: pairs of a rank in per mille and a length in kB.
///
/// It is close to a log-normal distribution with a median of 300 kB and sigma 0.58. It is a table
/// and not the formula, because libraries differ in the last digits of the exponential function,
/// and the pages of a seed have to be the same everywhere.
const LENGTHS: [(usize, usize); 13] = [
    (0, 80),
    (25, 96),
    (50, 115),
    (100, 143),
    (250, 203),
    (500, 300),
    (750, 444),
    (900, 631),
    (950, 779),
    (980, 985),
    (990, 1150),
    (996, 1480),
    (1000, 1590),
];

/// All pages of a site, by path.
///
/// Articles and index also link to pages that do not exist: topics, categories and, if there are
/// fewer than 233 articles, the other countries.
#[derive(Debug)]
pub struct Site {
    /// The articles' paths in index order.
    paths: Vec<String>,
    /// The index into `documents` of each decoded path.
    places: HashMap<String, usize>,
    /// The distinct articles in index order, then the index and the rules for robots.
    documents: Vec<Document>,
}

impl Site {
    /// Makes all pages: an index and this number of articles.
    ///
    /// The first 233 articles are those of the countries. Any further ones, `/wiki/Area_234` and
    /// so on, repeat the bodies of the first 233 in turn, and so cost little more than their row in
    /// the index, about 500 bytes. An article depends on the seed and its title only.
    ///
    /// Takes about 0.3 s on two cores and 95 MB for 233 articles or more; it uses all cores.
    ///
    /// # Panics
    ///
    /// If the system refuses another thread.
    #[must_use]
    pub fn new(seed: u64, pages: usize) -> Site {
        Site::heavy(seed, pages, Duration::ZERO)
    }

    /// As [`new`](Self::new), with articles so long that decoding, hashing and saving one takes
    /// about this much time of a CPU of 2025: about 220 kB per millisecond. The additional text is
    /// the same for all articles and follows each one's own.
    ///
    /// # Panics
    ///
    /// As `new`.
    #[must_use]
    pub(crate) fn heavy(seed: u64, pages: usize, cpu_per_page: Duration) -> Site {
        let entries: Vec<Entry> = (0..pages).map(Entry::at).collect();
        let padding = Padding::new(seed, cpu_per_page).map(Arc::new);
        let mut documents = articles(seed, pages.min(COUNT), padding.as_ref());
        let distinct = documents.len();
        let mut paths = Vec::with_capacity(pages);
        let mut places = HashMap::with_capacity(pages + 2);
        for (number, entry) in entries.iter().enumerate() {
            let mut path = String::new();
            push_article_path(&mut path, &entry.title);
            places.insert(decoded(&path).into_owned(), number % distinct);
            paths.push(path);
        }
        let mut builder = DocumentBuilder::new();
        for (path, text, content_type) in [
            (INDEX_PATH, index_page(&entries), HTML),
            (ROBOTS_PATH, ROBOTS.to_owned(), "text/plain; charset=UTF-8"),
        ] {
            places.insert(path.to_owned(), documents.len());
            documents.push(builder.document(&text, content_type));
        }
        Site { paths, places, documents }
    }

    /// The page at this path, which may be percent-encoded and has no query.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Document> {
        let place = self.places.get(decoded(path).as_ref())?;
        self.documents.get(*place)
    }

    /// The articles' paths, percent-encoded, in the order of the index.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }
}

/// The `Content-Type` of articles and index.
const HTML: &str = "text/html; charset=UTF-8";

/// The articles of the first `count` countries, made on all cores.
fn articles(seed: u64, count: usize, padding: Option<&Arc<Padding>>) -> Vec<Document> {
    let lengths = lengths(seed);
    let mut order: Vec<usize> = (0..count).collect();
    // The longest first, so that no core has a long one left at the end.
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let writer = Writer::new(seed);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut builder = DocumentBuilder::new();
        let mut text = String::new();
        let mut made = Vec::new();
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            text.clear();
            writer.write(&mut text, COUNTRIES[index].title, lengths[index]);
            let document = match padding {
                None => builder.document(&text, HTML),
                Some(padding) => padded(&text, padding, HTML),
            };
            made.push((index, document));
        }
        made
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut made: Vec<(usize, Document)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(count)).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("writing text does not panic"))
            .collect()
    });
    made.sort_by_key(|&(index, _)| index);
    made.into_iter().map(|(_, document)| document).collect()
}

/// The target length in bytes of each country's article. The seed shuffles the countries, and the
/// rank in that order gives the length, so that every seed has the same distribution.
fn lengths(seed: u64) -> Vec<usize> {
    let mut shuffled: Vec<usize> = (0..COUNT).collect();
    shuffled.sort_by_cached_key(|&index| {
        Rng::for_purpose(seed, "length").bits()
            ^ Rng::for_purpose(seed, COUNTRIES[index].title).bits()
    });
    let mut lengths = vec![0; COUNT];
    for (rank, index) in shuffled.into_iter().enumerate() {
        lengths[index] = length_at((2 * rank + 1) * 500 / COUNT);
    }
    lengths
}

/// The length in bytes for this rank in per mille, interpolated in [`LENGTHS`].
fn length_at(rank: usize) -> usize {
    let above = LENGTHS.partition_point(|&(mille, _)| mille <= rank);
    let (low, low_kb) = LENGTHS[above - 1];
    let (high, high_kb) = LENGTHS[above.min(LENGTHS.len() - 1)];
    let step = (high - low).max(1);
    1000 * low_kb + 1000 * (high_kb - low_kb) * (rank - low) / step
}

/// Resolves the path's percent escapes; returns the path unchanged if they do not give UTF-8.
pub(super) fn decoded(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = escaped(rest).unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(path), Cow::Owned)
}

/// The byte that the escape at the beginning stands for, and what follows the escape.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, after @ ..] = text else {
        return None;
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = digit(high)? * 16 + digit(low)?;
    Some((u8::try_from(byte).ok()?, after))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use flate2::Crc;
    use libdeflater::Decompressor;

    use super::*;

    /// The site of 233 pages, made once for all tests.
    static WHOLE: LazyLock<Site> = LazyLock::new(|| Site::new(1, COUNT));

    fn text(document: &Document) -> String {
        String::from_utf8(document.plain().to_vec()).unwrap()
    }

    /// The links that `td .flagicon + a` finds, found by the way in which the page is written.
    fn flagged_links(html: &str) -> Vec<&str> {
        html.split("<td")
            .skip(1)
            .map(|cell| cell.split_once("</td>").unwrap().0)
            .filter_map(|cell| cell.split_once("&#160;</span><a href=\""))
            .map(|(_, link)| link.split_once('"').unwrap().0)
            .collect()
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_seed_others() {
        let first = Site::new(7, 2);
        let again = Site::new(7, 2);
        let other = Site::new(8, 2);
        for path in first.paths() {
            assert_eq!(first.get(path), again.get(path));
            assert_ne!(first.get(path), other.get(path));
        }
    }

    #[test]
    fn the_bytes_of_a_seed_are_the_same_in_every_version() {
        let heavy = Site::heavy(2, 3, Duration::from_millis(1));
        for (site, sum) in [(&*WHOLE, 0x1bc3_0772), (&heavy, 0xd6ca_f120)] {
            let mut crc = Crc::new();
            for path in site.paths().chain([INDEX_PATH, ROBOTS_PATH]) {
                crc.update(&site.get(path).unwrap().plain());
            }
            assert_eq!(crc.sum(), sum);
        }
    }

    #[test]
    fn heavy_articles_are_longer_and_whole_and_their_own() {
        let light = Site::new(1, 5);
        let heavy = Site::heavy(1, 5, Duration::from_millis(1));
        for path in light.paths() {
            let plain = heavy.get(path).unwrap().plain();
            assert!(plain.starts_with(&light.get(path).unwrap().plain()));
            let mut out = vec![0; plain.len()];
            let gzip = heavy.get(path).unwrap().gzip();
            let length = Decompressor::new().gzip_decompress(&gzip, &mut out).unwrap();
            assert_eq!(out[..length], plain);
        }
        assert_eq!(heavy.get(INDEX_PATH), light.get(INDEX_PATH));
    }

    #[test]
    fn an_article_does_not_depend_on_how_many_there_are() {
        let path = "/wiki/India";
        assert_eq!(Site::new(1, 1).get(path), WHOLE.get(path));
    }

    #[test]
    fn articles_have_the_lengths_of_real_ones() {
        let documents: Vec<&Document> = WHOLE.paths().filter_map(|path| WHOLE.get(path)).collect();
        let mut lengths: Vec<usize> = documents.iter().map(|page| page.plain().len()).collect();
        lengths.sort_unstable();
        assert!((250_000..350_000).contains(&lengths[COUNT / 2]));
        assert!((75_000..120_000).contains(&lengths[0]));
        assert!(lengths[COUNT - 1] <= 1_600_000);
        let long = lengths.iter().filter(|&&length| length > 1_000_000).count();
        assert!((3..=6).contains(&long), "{long} pages above 1 MB");

        let mut packed: Vec<usize> = documents.iter().map(|page| page.gzip().len()).collect();
        packed.sort_unstable();
        let ratio = lengths[COUNT / 2] * 10 / packed[COUNT / 2];
        assert!((70..=80).contains(&ratio), "ratio {ratio}/10");
    }

    #[test]
    fn every_seed_has_some_pages_above_one_megabyte() {
        for seed in 0..20 {
            let long = lengths(seed).into_iter().filter(|&it| it > 1_000_000).count();
            assert!((3..=6).contains(&long), "seed {seed}: {long}");
        }
    }

    #[test]
    fn the_index_links_every_article_and_two_of_them_again() {
        let index = text(WHOLE.get(INDEX_PATH).unwrap());
        let links = flagged_links(&index);
        assert_eq!(links.len(), COUNT + 2);
        assert!(links[..COUNT].iter().copied().eq(WHOLE.paths()));
        assert_eq!(links[COUNT], links[0]);
        assert_eq!(links[COUNT + 1], format!("{}#Demographics", links[COUNT - 1]));
        let distinct: HashSet<&str> = WHOLE.paths().collect();
        assert_eq!(distinct.len(), COUNT);
    }

    #[test]
    fn ids_are_unique_within_an_article() {
        let article = text(WHOLE.get("/wiki/India").unwrap());
        let ids: Vec<&str> =
            article.split(" id=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
        let distinct: HashSet<&&str> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn paths_beyond_the_countries_share_their_bodies() {
        let site = Site::new(1, COUNT + 2);
        assert_eq!(site.paths().last(), Some("/wiki/Area_235"));
        assert_eq!(site.get("/wiki/Area_234"), site.get("/wiki/India"));
        assert_eq!(site.get("/wiki/Area_235"), site.get("/wiki/China"));
    }

    #[test]
    fn a_site_may_be_small_or_empty() {
        let none = Site::new(1, 0);
        assert_eq!(none.paths().len(), 0);
        assert!(flagged_links(&text(none.get(INDEX_PATH).unwrap())).is_empty());
        let one = Site::new(1, 1);
        assert_eq!(flagged_links(&text(one.get(INDEX_PATH).unwrap())).len(), 3);
    }

    #[test]
    fn paths_match_with_and_without_escapes() {
        for path in [
            "/wiki/Cura%C3%A7ao",
            "/wiki/Cura%c3%a7ao",
            "/wiki/Curaçao",
            "/wiki/Georgia_%28country%29",
            "/wiki/Georgia_(country)",
        ] {
            assert!(WHOLE.get(path).is_some(), "{path}");
        }
        for path in ["/wiki/Atlantis", "/wiki/India%", "/wiki/%ff%fe", "/wiki/%zz"] {
            assert!(WHOLE.get(path).is_none(), "{path}");
        }
    }
}
