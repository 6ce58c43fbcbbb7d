//! File names from URLs, decided before any request: pure, and in input order,
//! so that every mode and every run gives the same names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{MANIFEST_NAME, atomic};
use crate::digest;
use crate::fingerprint::{Fingerprinter, Fingerprints};
use crate::model::{Key, shown_url};

/// No part of a name is longer, so that every common file system takes it.
const PART_LIMIT: usize = 200;
/// No whole path is longer; systems allow 1,024 (macOS) or 4,096 (Linux) with
/// the output directory in front.
const PATH_LIMIT: usize = 800;
/// What a name gets that has no ending of its own.
const DEFAULT_ENDING: &str = ".html";
/// Digits of the URL's SHA-256 that tell two equal names apart.
const MARK_DIGITS: usize = 8;

/// Endings of files that browsers know as what they are; pages made by a
/// program (`.php`, `.aspx`) are not among them, for what they send is HTML.
const KNOWN_ENDINGS: &[&str] = &[
    "html", "htm", "xhtml", "xht", "shtml", "mhtml", "css", "js", "mjs", "json", "jsonl", "xml",
    "rss", "atom", "txt", "md", "csv", "tsv", "pdf", "epub", "png", "jpg", "jpeg", "gif", "svg",
    "webp", "avif", "ico", "bmp", "tif", "tiff", "mp3", "mp4", "m4a", "webm", "ogg", "ogv", "wav",
    "flac", "zip", "gz", "bz2", "xz", "zst", "tar", "tgz", "7z", "woff", "woff2", "ttf", "otf",
    "wasm",
];

/// How names are arranged in the output directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// The last path segment, all in one directory.
    #[default]
    Flat,
    /// Host, then path.
    Tree,
    /// The URL's hash, in 65,536 directories: for millions of pages.
    Hash,
}

/// Gives each URL of a run its file name.
///
/// Two names never differ in case alone, because some file systems would take
/// them for one.
pub struct Namer {
    layout: Layout,
    /// Files that are there or planned, in lower case.
    files: Fingerprints,
    /// Folders on the way to them, in lower case.
    folders: Fingerprints,
    earlier: Earlier,
}

/// The names that earlier runs gave.
#[derive(Default)]
struct Earlier {
    fingerprinter: Fingerprinter,
    /// Name to URL, for names that are as this layout would make them.
    natural: HashMap<u64, u64>,
    /// URL to name, for all others.
    irregular: HashMap<u64, Key>,
}

impl Namer {
    /// A namer for a directory that holds nothing yet.
    pub fn new(layout: Layout) -> Self {
        let mut files = Fingerprints::new();
        files.insert(MANIFEST_NAME);
        Self { layout, files, folders: Fingerprints::new(), earlier: Earlier::default() }
    }

    /// Notes that the manifest records `key` for the URL that it spells `url`:
    /// the URL keeps it, and no other gets it.
    ///
    /// A name that no run could have given, or that another URL has, is not kept:
    /// the manifest may have been written to by others.
    pub fn keep(&mut self, url: &str, key: Key) {
        let earlier = &mut self.earlier;
        let of_url = earlier.fingerprinter.of(url);
        let of_name = earlier.fingerprinter.of(&lower(key.as_str()));
        let is_its_own = earlier.natural.get(&of_name) == Some(&of_url)
            || earlier.irregular.get(&of_url) == Some(&key);
        let is_taken = self.files.contains(&lower(key.as_str())) && !is_its_own;
        let is_too_long = key.as_str().split('/').any(|part| part.len() > PART_LIMIT);
        if is_taken || is_too_long || atomic::is_staged(key.as_str()) {
            return;
        }
        let is_natural = Url::parse(url)
            .is_ok_and(|parsed| natural(&parsed, url, self.layout).as_str() == key.as_str());
        self.files.insert(&lower(key.as_str()));
        add_folders(&mut self.folders, key.as_str());
        if is_natural {
            earlier.natural.insert(of_name, of_url);
            earlier.irregular.remove(&of_url);
        } else {
            earlier.irregular.insert(of_url, key);
        }
    }

    /// Notes that the file `path` is there and is nobody's page.
    pub fn reserve_file(&mut self, path: &str) {
        self.files.insert(&lower(path));
        add_folders(&mut self.folders, path);
    }

    /// Notes that the folder `path` is there.
    pub fn reserve_folder(&mut self, path: &str) {
        self.folders.insert(&lower(path));
        add_folders(&mut self.folders, path);
    }

    /// The name of `url`, which must not have been named in this run before.
    pub fn name(&mut self, url: &Url) -> Key {
        let spelled = shown_url(url);
        let of_url = self.earlier.fingerprinter.of(&spelled);
        if let Some(key) = self.earlier.irregular.get(&of_url).filter(|key| self.is_reachable(key))
        {
            return key.clone();
        }
        let plain = natural(url, &spelled, self.layout);
        let of_name = self.earlier.fingerprinter.of(&lower(plain.as_str()));
        if self.earlier.natural.get(&of_name) == Some(&of_url) && self.is_reachable(&plain) {
            return plain;
        }
        let key = self.first_free(plain, &spelled);
        self.files.insert(&lower(key.as_str()));
        add_folders(&mut self.folders, key.as_str());
        key
    }

    /// Whether no file, or link that may lead anywhere, stands where `key` has a folder.
    fn is_reachable(&self, key: &Key) -> bool {
        !folders_of(&lower(key.as_str())).any(|folder| self.files.contains(folder))
    }

    /// `plain`, or the first of its marked forms that meets nothing.
    fn first_free(&self, plain: Key, spelled: &str) -> Key {
        if self.is_free(plain.as_str()) {
            return plain;
        }
        let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
        let path = self.with_free_folders(plain.as_str(), &hash);
        if self.is_free(&path) {
            return checked(path);
        }
        // A mark of eight digits is taken once in four thousand million names;
        // more digits then decide, and in the end a number.
        [MARK_DIGITS, 2 * MARK_DIGITS, hash.len()]
            .iter()
            .map(|digits| hash[..*digits].to_owned())
            .chain((2..=u32::MAX).map(|number| format!("{hash}-{number}")))
            .map(|mark| with_mark(&path, &mark))
            .find(|path| self.is_free(path))
            .map_or_else(|| checked(path.clone()), checked)
    }

    fn is_free(&self, path: &str) -> bool {
        let path = lower(path);
        !self.files.contains(&path)
            && !self.folders.contains(&path)
            && !folders_of(&path).any(|folder| self.files.contains(folder))
    }

    /// `path` with a mark on each folder whose name a file has.
    fn with_free_folders(&self, path: &str, hash: &str) -> String {
        let mut free = String::new();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
            free.push_str(folder);
            if self.files.contains(&lower(&free)) {
                free.push('~');
                free.push_str(&hash[..MARK_DIGITS]);
            }
            free.push('/');
        }
        free.push_str(name);
        free
    }
}

/// The name of `url` when nothing stands in its way; `spelled` is the URL as the manifest spells it.
fn natural(url: &Url, spelled: &str, layout: Layout) -> Key {
    match layout {
        Layout::Flat => checked(flat_name(url, spelled)),
        Layout::Tree => checked(tree_path(url, spelled)),
        Layout::Hash => {
            let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
            let name = last_segment(url).unwrap_or_default();
            let ending = ending_of(&encoded(name)).unwrap_or(DEFAULT_ENDING).to_ascii_lowercase();
            checked(format!("{}/{}/{}{ending}", &hash[..2], &hash[2..4], &hash[4..36]))
        }
    }
}

fn flat_name(url: &Url, spelled: &str) -> String {
    let name = last_segment(url).map_or_else(|| host(url), Cow::Borrowed);
    file_name(&name, url.query(), spelled)
}

fn tree_path(url: &Url, spelled: &str) -> String {
    let mut path = part(&host_and_port(url), spelled);
    let mut segments = url.path_segments().into_iter().flatten().peekable();
    let mut name = "";
    while let Some(segment) = segments.next() {
        if segments.peek().is_none() {
            name = segment;
        } else if !segment.is_empty() {
            path.push('/');
            path.push_str(&part(segment, spelled));
        }
    }
    let name = if name.is_empty() { "index.html" } else { name };
    let name = file_name(name, url.query(), spelled);
    if path.len() + 1 + name.len() > PATH_LIMIT {
        // The folders that fit, then the name, marked with the whole URL's hash.
        let room = PATH_LIMIT - PART_LIMIT - 1;
        path.truncate(path[..room].rfind('/').unwrap_or(room));
        let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
        return format!("{path}/{}", with_mark(&name, &hash[..MARK_DIGITS]));
    }
    format!("{path}/{name}")
}

/// The last path segment that is not empty.
fn last_segment(url: &Url) -> Option<&str> {
    url.path().rsplit('/').find(|segment| !segment.is_empty())
}

fn host(url: &Url) -> Cow<'_, str> {
    match url.host() {
        Some(Host::Ipv6(address)) => Cow::Owned(address.to_string()),
        _ => Cow::Borrowed(url.host_str().unwrap_or("page")),
    }
}

fn host_and_port(url: &Url) -> Cow<'_, str> {
    match url.port() {
        Some(port) => Cow::Owned(format!("{}:{port}", host(url))),
        None => host(url),
    }
}

/// A folder's name: encoded, and cut to its limit.
fn part(name: &str, spelled: &str) -> String {
    let name = encoded(name);
    if name.len() <= PART_LIMIT {
        return name;
    }
    let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
    format!("{}~{}", cut(&name, PART_LIMIT - 1 - MARK_DIGITS), &hash[..MARK_DIGITS])
}

/// A file's name: encoded, with its query and an ending, and cut to its limit.
fn file_name(name: &str, query: Option<&str>, spelled: &str) -> String {
    let mut whole = encoded(name);
    if let Some(query) = query {
        whole.push_str(&encoded("?"));
        whole.push_str(&encoded(query));
    }
    if ending_of(&whole).is_none() {
        whole.push_str(DEFAULT_ENDING);
    }
    if whole.len() <= PART_LIMIT {
        return whole;
    }
    let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
    with_mark(&whole, &hash[..MARK_DIGITS])
}

/// `path` with `~mark` before the ending of its last part, which is cut to its limit.
fn with_mark(path: &str, mark: &str) -> String {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    let (folders, name) = path.split_at(start);
    let ending = ending_of(name).unwrap_or("");
    let stem = &name[..name.len() - ending.len()];
    let stem = cut(stem, PART_LIMIT - 1 - mark.len() - ending.len());
    format!("{folders}{stem}~{mark}{ending}")
}

/// At most `limit` bytes of `name`, not ending within a percent-encoded character.
fn cut(name: &str, limit: usize) -> &str {
    let Some(mut kept) = name.get(..limit) else {
        return name;
    };
    for back in [1, 2] {
        if kept.len() >= back && kept.as_bytes()[kept.len() - back] == b'%' {
            kept = &kept[..kept.len() - back];
            break;
        }
    }
    kept
}

/// The known ending of `name` with its dot, when it has one and a stem before it.
fn ending_of(name: &str) -> Option<&str> {
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    let ending = &name[dot + 1..];
    KNOWN_ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)).then_some(&name[dot..])
}

/// `name` with the characters percent-encoded that some file system forbids. A
/// name of dots only would be a folder of its own or its parent.
fn encoded(name: &str) -> String {
    let is_dots = name.bytes().all(|byte| byte == b'.');
    let mut encoded = String::with_capacity(name.len() + DEFAULT_ENDING.len());
    for character in name.chars() {
        match character {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\\' | '/' | '\0'..='\x1f' | '\x7f' => {
                write!(encoded, "%{:02X}", u32::from(character)).expect("a String takes all text");
            }
            '.' if is_dots => encoded.push_str("%2E"),
            other => encoded.push(other),
        }
    }
    encoded
}

fn lower(path: &str) -> Cow<'_, str> {
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(path.to_ascii_lowercase())
    } else {
        Cow::Borrowed(path)
    }
}

fn add_folders(folders: &mut Fingerprints, path: &str) {
    for folder in folders_of(&lower(path)) {
        folders.insert(folder);
    }
}

/// The folders on the way to `path`: of `a/b/c` these are `a` and `a/b`.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(slash, _)| &path[..slash])
}

fn checked(path: String) -> Key {
    Key::new(path).expect("encoded parts are never empty, dots or separators")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(layout: Layout, urls: &[&str]) -> Vec<String> {
        let mut namer = Namer::new(layout);
        urls.iter().map(|url| namer.name(&Url::parse(url).unwrap()).to_string()).collect()
    }

    fn flat(url: &str) -> String {
        names(Layout::Flat, &[url]).remove(0)
    }

    #[test]
    fn the_last_segment_as_it_stands_names_a_page() {
        for (url, name) in [
            ("https://en.wikipedia.org/wiki/India", "India.html"),
            ("https://en.wikipedia.org/wiki/Georgia_(country)", "Georgia_(country).html"),
            ("https://a.org/wiki/S%C3%A3o_Tom%C3%A9", "S%C3%A3o_Tom%C3%A9.html"),
            ("https://a.org/wiki/São", "S%C3%A3o.html"),
            ("https://a.org/wiki/Talk:India", "Talk%3AIndia.html"),
            ("https://a.org/a%2Fb", "a%2Fb.html"),
            ("https://a.org/a%00b", "a%00b.html"),
            ("https://a.org/docs/", "docs.html"),
            ("https://a.org/", "a.org.html"),
            ("https://a.org:8080", "a.org.html"),
            ("http://[::1]:80/", "%3A%3A1.html"),
            ("https://a.org/x/..", "a.org.html"),
            ("https://a.org/x/%2e%2e", "a.org.html"),
            ("https://a.org/...", "%2E%2E%2E.html"),
            ("https://a.org/logo.PNG", "logo.PNG"),
            ("https://a.org/a.tar.gz", "a.tar.gz"),
            ("https://a.org/.png", ".png.html"),
            ("https://a.org/index.php?title=A&x=1/2", "index.php%3Ftitle=A&x=1%2F2.html"),
            ("https://a.org/?q=a*b", "a.org%3Fq=a%2Ab.html"),
            ("https://a.org/x?", "x%3F.html"),
            ("https://a.org/v1.2", "v1.2.html"),
        ] {
            assert_eq!(flat(url), name, "{url}");
        }
    }

    #[test]
    fn a_long_name_is_cut_and_marked_before_its_ending() {
        let long = format!("https://a.org/{}.png", "x".repeat(400));
        let name = flat(&long);
        let mark = &digest::hex(&digest::sha256(long.as_bytes()))[..8];
        assert_eq!(name.len(), 200);
        assert!(name.ends_with(&format!("x~{mark}.png")), "{name}");
        for extra in 0..3 {
            let url = format!("https://a.org/{}{}", "y".repeat(extra), "%C3%A9".repeat(100));
            let name = flat(&url);
            let stem = name.split_once('~').unwrap().0;
            assert!(name.len() <= 200);
            assert!(!stem.ends_with('%') && !stem[..stem.len() - 1].ends_with('%'), "{name}");
        }
    }

    #[test]
    fn a_taken_name_is_marked_whatever_its_case() {
        let second = "http://b.org/india";
        let mark = &digest::hex(&digest::sha256(second.as_bytes()))[..8];
        assert_eq!(
            names(Layout::Flat, &["http://a.org/India", second, "http://a.org/Peru"]),
            ["India.html".to_owned(), format!("india~{mark}.html"), "Peru.html".to_owned()]
        );
    }

    #[test]
    fn a_tree_follows_host_and_path_and_files_never_meet_folders() {
        let urls = [
            "https://a.org/",
            "https://a.org:8443/x/",
            "https://a.org/x//y/z?q",
            "https://a.org/p.html",
            "https://a.org/p.html/inner",
            "https://a.org/x/y",
            "https://a.org/d.txt/inner",
            "https://a.org/d.txt",
        ];
        let mark = |url: &str| digest::hex(&digest::sha256(url.as_bytes()))[..8].to_owned();
        assert_eq!(
            names(Layout::Tree, &urls),
            [
                "a.org/index.html".to_owned(),
                "a.org%3A8443/x/index.html".to_owned(),
                "a.org/x/y/z%3Fq.html".to_owned(),
                "a.org/p.html".to_owned(),
                format!("a.org/p.html~{}/inner.html", mark(urls[4])),
                "a.org/x/y.html".to_owned(),
                "a.org/d.txt/inner.html".to_owned(),
                format!("a.org/d~{}.txt", mark(urls[7])),
            ]
        );
    }

    #[test]
    fn a_deep_tree_stays_within_the_path_limit() {
        let url = format!("https://a.org/{}", "folder-of-some-length/".repeat(200));
        let name = names(Layout::Tree, &[&url]).remove(0);
        assert!(name.len() <= PATH_LIMIT, "{}", name.len());
        assert!(name.split('/').all(|part| part.len() <= PART_LIMIT));
    }

    #[test]
    fn hashed_names_spread_and_keep_a_known_ending() {
        let url = "https://a.org/logo.PNG";
        let hash = digest::hex(&digest::sha256(url.as_bytes()));
        let expected = format!("{}/{}/{}.png", &hash[..2], &hash[2..4], &hash[4..36]);
        assert_eq!(names(Layout::Hash, &[url]), [expected]);
    }

    #[test]
    fn a_url_keeps_the_name_that_the_manifest_records() {
        let mut namer = Namer::new(Layout::Flat);
        namer.keep("http://b.org/India", Key::new("India.html").unwrap());
        namer.keep("http://c.org/Peru", Key::new("old/peru-1.html").unwrap());
        namer.reserve_file("Chad.html");
        let mut name = |url: &str| namer.name(&Url::parse(url).unwrap()).to_string();
        assert!(name("http://a.org/India").starts_with("India~"));
        assert_eq!(name("http://b.org/India"), "India.html");
        assert_eq!(name("http://c.org/Peru"), "old/peru-1.html");
        assert_eq!(name("http://a.org/Peru"), "Peru.html");
        assert!(name("http://a.org/chad").starts_with("chad~"));
    }

    #[test]
    fn names_that_no_run_gave_are_not_kept() {
        let mut namer = Namer::new(Layout::Tree);
        for (url, path) in [
            ("http://a.org/1", "manifest.jsonl"),
            ("http://a.org/2", ".fetchpages-1-1.part"),
            ("http://a.org/3", &*format!("{}.html", "x".repeat(300))),
            ("http://a.org/4", "twice.html"),
            ("http://a.org/5", "twice.html"),
            ("http://a.org/6", "link/6.html"),
            ("http://b.org/7", "b.org/7.html"),
        ] {
            namer.keep(url, Key::new(path).unwrap());
        }
        namer.reserve_file("link");
        namer.reserve_file("b.org");
        let mut name = |url: &str| namer.name(&Url::parse(url).unwrap()).to_string();
        assert_eq!(name("http://a.org/4"), "twice.html");
        for page in ["1", "2", "3", "5", "6"] {
            assert_eq!(name(&format!("http://a.org/{page}")), format!("a.org/{page}.html"));
        }
        assert!(name("http://b.org/7").starts_with("b.org~"));
    }

    #[test]
    fn the_manifest_keeps_its_name() {
        let name = flat("http://a.org/Manifest.jsonl");
        assert!(name.starts_with("Manifest~"), "{name}");
    }

    #[test]
    fn names_do_not_depend_on_credentials() {
        let with = Url::parse("http://u:secret@a.org/x").unwrap();
        assert_eq!(
            Namer::new(Layout::Hash).name(&with).to_string(),
            names(Layout::Hash, &["http://a.org/x"])[0]
        );
    }
}
