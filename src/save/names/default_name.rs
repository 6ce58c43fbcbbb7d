//! The default name of a URL, which it gets when the name is free. Pure; it depends only on
//! the URL.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::digest;
use crate::model::Key;

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

/// The bytes of a part of a name, at most, so that every common file system accepts it.
pub(in crate::save) const PART_LIMIT: usize = 200;
/// The bytes of a path below the output, at most. Systems allow 1,024 (macOS) or 4,096
/// (Linux) for a path with the output directory.
pub(in crate::save) const PATH_LIMIT: usize = 800;
/// The ending of a name that has no ending of its own.
const DEFAULT_ENDING: &str = ".html";
/// The digits of the URL's SHA-256 that make a name unique.
pub(in crate::save) const MARK_DIGITS: usize = 8;

/// Endings of programs. They send HTML, whatever the media type of their source code is.
/// Endings without a media type (`.asp`, `.cgi`, `.jsp`) need not be listed.
const PROGRAMS: &[&str] = &["php", "phps", "aspx", "ascx", "ashx", "asmx", "asax", "pl", "nsf"];
/// Endings of pages that are named after a host (`/wiki/Amazon.com`). Files of DOS and of
/// Lotus Organizer had these endings; they are no longer in use.
const HOSTS: &[&str] = &["com", "org"];
/// Well-known endings without a registered media type.
const UNREGISTERED: &[&str] = &["jsonl", "ndjson"];

/// Returns the default name of `url`; `spelled` is the URL in the manifest's spelling.
pub(in crate::save) fn default_name(url: &Url, spelled: &str, layout: Layout) -> Key {
    match layout {
        Layout::Flat => checked(flat_name(url, spelled)),
        Layout::Tree => checked(tree_path(url, spelled)),
        Layout::Hash => {
            let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
            let name = last_segment(url).unwrap_or_default();
            let ending = ending_of(name).unwrap_or(DEFAULT_ENDING).to_ascii_lowercase();
            checked(format!("{}/{}/{}{ending}", &hash[..2], &hash[2..4], &hash[4..36]))
        }
    }
}

fn flat_name(url: &Url, spelled: &str) -> String {
    match last_segment(url) {
        Some(segment) => file_name(encoded(segment), ending_of(segment), url.query(), spelled),
        // The end of a host's name says nothing about a kind of file.
        None => file_name(host(url), None, url.query(), spelled),
    }
}

fn tree_path(url: &Url, spelled: &str) -> String {
    let mut path = limited(host_and_port(url), spelled);
    let mut segments = url.path_segments().into_iter().flatten().peekable();
    let mut name = "";
    while let Some(segment) = segments.next() {
        if segments.peek().is_none() {
            name = segment;
        } else if !segment.is_empty() {
            path.push('/');
            path.push_str(&limited(encoded(segment), spelled));
        }
    }
    let name = if name.is_empty() { "index.html" } else { name };
    let name = file_name(encoded(name), ending_of(name), url.query(), spelled);
    if path.len() + 1 + name.len() > PATH_LIMIT {
        // The folders that fit, then the name with a mark of the whole URL's hash.
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

/// Returns the host: unchanged when it is an IPv6 address, whose brackets explain its colons;
/// else encoded.
fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => format!("[{address}]"),
        _ => encoded(url.host_str().unwrap_or("page")),
    }
}

fn host_and_port(url: &Url) -> String {
    match url.port() {
        Some(port) => host(url) + &encoded(&format!(":{port}")),
        None => host(url),
    }
}

/// Returns the folder `name`, cut to its limit.
fn limited(name: String, spelled: &str) -> String {
    if name.len() <= PART_LIMIT {
        return name;
    }
    let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
    with_mark_at_end(&name, &hash[..MARK_DIGITS])
}

/// Returns a file's name, cut to its limit: `name`, the query, both encoded, and `ending`.
fn file_name(name: String, ending: Option<&str>, query: Option<&str>, spelled: &str) -> String {
    let mut whole = name;
    if let Some(query) = query {
        whole.push_str(&encoded("?"));
        whole.push_str(&encoded(query));
    }
    let ending = ending.unwrap_or(DEFAULT_ENDING);
    if !has_ending(&whole, ending) {
        whole.push_str(ending);
    }
    if whole.len() <= PART_LIMIT {
        return whole;
    }
    let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
    with_mark(&whole, &hash[..MARK_DIGITS])
}

/// Whether `name` is a stem followed by `ending`.
fn has_ending(name: &str, ending: &str) -> bool {
    let start = name.len().checked_sub(ending.len()).filter(|start| *start > 0);
    let end = start.and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// `path` with `~mark` before the ending of its last part, which is cut to its limit.
pub(in crate::save) fn with_mark(path: &str, mark: &str) -> String {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    let (folders, name) = path.split_at(start);
    let ending = ending_of(name).unwrap_or("");
    let stem = &name[..name.len() - ending.len()];
    let stem = cut(stem, PART_LIMIT - 1 - mark.len() - ending.len());
    format!("{folders}{stem}~{mark}{ending}")
}

/// The folder `name` with `~mark` at its end, within its limit.
pub(in crate::save) fn with_mark_at_end(name: &str, mark: &str) -> String {
    format!("{}~{mark}", cut(name, PART_LIMIT - 1 - mark.len()))
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

/// Returns the ending of `name` with its dot, when it has a stem and an ending that names a
/// kind of file. Endings of media types do, except those of programs; a number (`v1.123`) is
/// a version.
fn ending_of(name: &str) -> Option<&str> {
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    let ending = &name[dot + 1..];
    let is_in = |list: &[&str]| list.iter().any(|it| it.eq_ignore_ascii_case(ending));
    let is_number = ending.bytes().all(|byte| byte.is_ascii_digit());
    let is_file = is_in(UNREGISTERED)
        || (!is_number
            && !is_in(PROGRAMS)
            && !is_in(HOSTS)
            && !new_mime_guess::from_ext(ending).is_empty());
    is_file.then_some(&name[dot..])
}

/// Percent-encodes the characters of `name` that some file system forbids. A name of nothing
/// but dots would mean the same or the parent folder.
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

/// Returns `path` as a key.
pub(in crate::save) fn checked(path: String) -> Key {
    Key::new(path).expect("encoded parts are never empty, dots or separators")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(layout: Layout, url: &str) -> String {
        default_name(&Url::parse(url).unwrap(), url, layout).to_string()
    }

    fn flat(url: &str) -> String {
        name(Layout::Flat, url)
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
            ("http://[::1]:80/", "[::1].html"),
            ("https://a.org/x/..", "a.org.html"),
            ("https://a.org/x/%2e%2e", "a.org.html"),
            ("https://a.org/...", "%2E%2E%2E.html"),
            ("https://a.org/logo.PNG", "logo.PNG"),
            ("https://a.org/a.tar.gz", "a.tar.gz"),
            ("https://a.org/.png", ".png.html"),
            ("https://a.org/.html", ".html.html"),
            ("https://a.org/index.php?title=A&x=1/2", "index.php%3Ftitle=A&x=1%2F2.html"),
            ("https://a.org/?q=a*b", "a.org%3Fq=a%2Ab.html"),
            ("https://a.org/x?", "x%3F.html"),
            ("https://a.org/v1.2", "v1.2.html"),
        ] {
            assert_eq!(flat(url), name, "{url}");
        }
    }

    #[test]
    fn an_ending_says_what_kind_of_file_a_page_is() {
        let kept = "html htm xhtml shtml mhtml css js mjs json jsonl ndjson xml rss atom txt md csv tsv \
                    pdf epub png jpg JPEG gif svg webp avif ico bmp tif mp3 mp4 m4a webm ogg wav flac zip \
                    gz bz2 xz zst tar tgz 7z woff2 ttf wasm doc docx xls xlsx ppt pptx odt ods odp pages \
                    numbers key rtf rar mov avi mkv mpg opus aac ics kml gpx eot swf heic jxl exe iso dmg \
                    apk deb rpm msi jar ps eps ai tex yaml geojson parquet torrent mobi djvu";
        for ending in kept.split_whitespace() {
            let name = format!("report.{ending}");
            assert_eq!(flat(&format!("https://a.org/{name}")), name);
            let with_query = format!("report.{ending}%3Fw=300.{ending}");
            assert_eq!(flat(&format!("https://a.org/{name}?w=300")), with_query);
        }
        let pages =
            "php PHP phtml php5 asp aspx ashx cgi jsp cfm do pl v1 2 123 com org io 0 html5 docx~";
        for ending in pages.split_whitespace() {
            let name = format!("page.{ending}");
            assert_eq!(flat(&format!("https://a.org/{name}")), format!("{name}.html"));
            let with_query = format!("page.{ending}%3Fw=300.html");
            assert_eq!(flat(&format!("https://a.org/{name}?w=300")), with_query);
        }
        for (url, name) in [
            ("https://a.org/get?file=a.pdf", "get%3Ffile=a.pdf.html"),
            ("https://a.org/logo.png?v=b.PNG", "logo.png%3Fv=b.PNG"),
            ("https://a.org/index.html.php", "index.html.php.html"),
            ("https://report.pdf/", "report.pdf.html"),
            ("https://a.org/v1.2?x", "v1.2%3Fx.html"),
        ] {
            assert_eq!(flat(url), name);
            let tree = name_in_tree(url);
            assert!(tree.ends_with(name) || tree.ends_with("/index.html"), "{tree}");
        }
        let url = format!("https://a.org/logo.png?{}", "w".repeat(400));
        assert_eq!((flat(&url).len(), ending_of(&flat(&url))), (200, Some(".png")));
        let hashed = name(Layout::Hash, "https://a.org/report.DOCX?x");
        assert_eq!(ending_of(&hashed), Some(".docx"));
    }

    fn name_in_tree(url: &str) -> String {
        name(Layout::Tree, url)
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
    fn a_deep_tree_stays_within_the_path_limit() {
        let url = format!("https://a.org/{}", "folder-of-some-length/".repeat(200));
        let name = name(Layout::Tree, &url);
        assert!(name.len() <= PATH_LIMIT, "{}", name.len());
        assert!(name.split('/').all(|part| part.len() <= PART_LIMIT));
    }

    #[test]
    fn hashed_names_spread_and_keep_a_known_ending() {
        let url = "https://a.org/logo.PNG";
        let hash = digest::hex(&digest::sha256(url.as_bytes()));
        let expected = format!("{}/{}/{}.png", &hash[..2], &hash[2..4], &hash[4..36]);
        assert_eq!(name(Layout::Hash, url), expected);
    }
}
