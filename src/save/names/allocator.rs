//! File names from URLs, decided before any request and in the order of the input, so that
//! every mode and every run gives the same names. Pure.

use std::borrow::Cow;

use url::Url;

use super::default_name::{
    Layout, MARK_DIGITS, PART_LIMIT, checked, default_name, with_mark, with_mark_at_end,
};
use super::page_url::PageUrl;
use super::reserved::{self, MANIFEST_NAME};
use crate::digest;
use crate::fingerprint::Fingerprints;
use crate::model::{Key, shown_url};

/// Gives each URL of a run its file name.
///
/// Two names never differ only in case, because some file systems treat such names as one.
pub struct NameAllocator {
    layout: Layout,
    /// Files that exist or are planned, in lower case.
    files: Fingerprints,
    /// The folders of these files, in lower case.
    folders: Fingerprints,
    /// URLs together with the names that earlier runs gave them, except default names.
    assigned: Fingerprints,
}

/// The origin of a recorded name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::save) enum Form {
    /// This layout gives the URL this name when the name is free.
    Default,
    /// Any other name: a marked one, or one of another layout.
    Assigned,
}

/// The names that earlier runs gave a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreviousName {
    /// The last name, when it is not the default one.
    pub assigned: Option<Key>,
    /// Whether the URL owns its default name.
    pub owns_default: bool,
}

impl NameAllocator {
    /// Makes an allocator for an output that holds nothing yet.
    pub fn new(layout: Layout) -> Self {
        let mut files = Fingerprints::new();
        files.insert(MANIFEST_NAME);
        Self { layout, files, folders: Fingerprints::new(), assigned: Fingerprints::new() }
    }

    /// Reserves `key` for `url`, because the manifest records it: no other URL gets it.
    /// `owns_default` says whether this method returned [`Form::Default`] for the URL before.
    ///
    /// Returns `None` for a name that no run gives, or that another URL has. Another program
    /// may have changed the manifest, and such a record does not count.
    pub(in crate::save) fn reserve_page(
        &mut self,
        url: &PageUrl,
        key: &Key,
        owns_default: bool,
    ) -> Option<Form> {
        let path = key.as_str();
        if path.split('/').any(|part| part.len() > PART_LIMIT) || reserved::is_staged(path) {
            return None;
        }
        let spelled = url.as_str();
        let is_default = default_name(url.as_url(), spelled, self.layout).as_str() == path;
        let form = if is_default { Form::Default } else { Form::Assigned };
        let with_url = || format!("{path}\n{spelled}");
        let is_its_own = match form {
            Form::Default => owns_default,
            Form::Assigned => self.assigned.contains(&with_url()),
        };
        if is_its_own {
            return Some(form);
        }
        if !self.files.insert(&lower(path)) {
            return None;
        }
        add_folders(&mut self.folders, path);
        if form == Form::Assigned {
            self.assigned.insert(&with_url());
        }
        Some(form)
    }

    /// Whether a page has the name `path`, or a name that differs from it only in case.
    pub(in crate::save) fn has_file(&self, path: &str) -> bool {
        self.files.contains(&lower(path))
    }

    /// Reserves the name of the file `path`, which is no page: no URL gets it.
    pub fn reserve_file(&mut self, path: &str) {
        self.files.insert(&lower(path));
        add_folders(&mut self.folders, path);
    }

    /// Reserves the name of the folder `path`: no file gets it.
    pub fn reserve_folder(&mut self, path: &str) {
        self.folders.insert(&lower(path));
        add_folders(&mut self.folders, path);
    }

    /// Returns the name of `url`. A run must ask only once for each URL. The names in
    /// `previous` are those that earlier runs gave the URL: it gets the same one again.
    pub fn name(&mut self, url: &Url, previous: PreviousName) -> Key {
        if let Some(key) = previous.assigned.filter(|key| self.is_reachable(key)) {
            return key;
        }
        let spelled = shown_url(url);
        let plain = default_name(url, &spelled, self.layout);
        if previous.owns_default && self.is_reachable(&plain) {
            return plain;
        }
        let key = self.first_free(plain, &spelled);
        self.files.insert(&lower(key.as_str()));
        add_folders(&mut self.folders, key.as_str());
        key
    }

    /// Whether a file can be written at `key`: `key` is not a folder, and no folder of it is a
    /// file or a link, which may lead anywhere.
    fn is_reachable(&self, key: &Key) -> bool {
        let path = lower(key.as_str());
        !self.folders.contains(&path) && !folders_of(&path).any(|it| self.files.contains(it))
    }

    /// Returns `plain`, or the first of its marked forms that is free.
    fn first_free(&self, plain: Key, spelled: &str) -> Key {
        if self.is_free(plain.as_str()) {
            return plain;
        }
        let hash = digest::hex(&digest::sha256(spelled.as_bytes()));
        let path = self.with_free_folders(plain.as_str(), &hash);
        if self.is_free(&path) {
            return checked(path);
        }
        let found = marks(&hash).map(|mark| with_mark(&path, &mark)).find(|it| self.is_free(it));
        checked(found.unwrap_or(path))
    }

    fn is_free(&self, path: &str) -> bool {
        let path = lower(path);
        !self.files.contains(&path)
            && !self.folders.contains(&path)
            && !folders_of(&path).any(|folder| self.files.contains(folder))
    }

    /// Returns `path` with a mark on each folder whose name a file has.
    fn with_free_folders(&self, path: &str, hash: &str) -> String {
        let mut free = String::new();
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
            let is_free = |folder: &str| !self.has_file(&format!("{free}{folder}"));
            let marked = (!is_free(folder))
                .then(|| {
                    marks(hash).map(|mark| with_mark_at_end(folder, &mark)).find(|it| is_free(it))
                })
                .flatten();
            free.push_str(marked.as_deref().unwrap_or(folder));
            free.push('/');
        }
        free.push_str(name);
        free
    }
}

/// Returns the marks that make a name unique, the shortest first. A mark of eight digits
/// meets a given other mark once in four thousand million names; then come more digits, and at
/// last numbers.
fn marks(hash: &str) -> impl Iterator<Item = Cow<'_, str>> {
    [MARK_DIGITS, 2 * MARK_DIGITS, hash.len()]
        .into_iter()
        .map(|digits| Cow::Borrowed(&hash[..digits]))
        .chain((2..=u32::MAX).map(move |number| Cow::Owned(format!("{hash}-{number}"))))
}

/// Returns `path` in the form in which names are compared.
pub(in crate::save) fn lower(path: &str) -> Cow<'_, str> {
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

/// Returns the folders of `path`: of `a/b/c` these are `a` and `a/b`.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(slash, _)| &path[..slash])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(layout: Layout, urls: &[&str]) -> Vec<String> {
        let mut names = NameAllocator::new(layout);
        urls.iter().map(|url| name(&mut names, url)).collect()
    }

    fn name(names: &mut NameAllocator, url: &str) -> String {
        names.name(&Url::parse(url).unwrap(), PreviousName::default()).to_string()
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

    /// Keeps the recorded names, and gives what was kept.
    fn keep(names: &mut NameAllocator, records: &[(&str, &str)]) -> Vec<Option<Form>> {
        let keep = |(url, path): &(&str, &str)| {
            let url = PageUrl::parse(url).unwrap();
            names.reserve_page(&url, &Key::new(*path).unwrap(), false)
        };
        records.iter().map(keep).collect()
    }

    #[test]
    fn a_url_keeps_the_name_that_the_manifest_records() {
        let mut names = NameAllocator::new(Layout::Flat);
        let records =
            [("http://b.org/India", "India.html"), ("http://c.org/Peru", "old/peru-1.html")];
        assert_eq!(keep(&mut names, &records), [Some(Form::Default), Some(Form::Assigned)]);
        names.reserve_file("Chad.html");
        assert!(name(&mut names, "http://a.org/India").starts_with("India~"));
        assert!(name(&mut names, "http://a.org/chad").starts_with("chad~"));
        assert_eq!(name(&mut names, "http://a.org/Peru"), "Peru.html");
        let mut again =
            |url: &str, previous| names.name(&Url::parse(url).unwrap(), previous).to_string();
        let owned = PreviousName { owns_default: true, ..PreviousName::default() };
        assert_eq!(again("http://b.org/India", owned), "India.html");
        let previous = PreviousName { assigned: Key::new("old/peru-1.html"), owns_default: false };
        assert_eq!(again("http://c.org/Peru", previous), "old/peru-1.html");
    }

    #[test]
    fn names_of_versions_with_other_endings_are_kept() {
        let mut names = NameAllocator::new(Layout::Flat);
        let records = [
            ("http://a.org/report.docx", "report.docx.html"),
            ("http://a.org/logo.png?w=300", "logo.png%3Fw=300.html"),
            ("http://[::1]/", "%3A%3A1.html"),
        ];
        assert_eq!(keep(&mut names, &records), [Some(Form::Assigned); 3]);
        for (url, path) in records {
            let previous = PreviousName { assigned: Key::new(path), owns_default: false };
            assert_eq!(names.name(&Url::parse(url).unwrap(), previous).to_string(), path);
        }
        assert_eq!(name(&mut names, "http://b.org/report.docx"), "report.docx");
    }

    #[test]
    fn names_that_no_run_gave_are_not_kept() {
        let mut names = NameAllocator::new(Layout::Tree);
        let long = format!("{}.html", "x".repeat(300));
        let records = [
            ("http://a.org/1", "manifest.jsonl"),
            ("http://a.org/2", ".fetchpages-1-1.part"),
            ("http://a.org/3", &*long),
            ("http://a.org/4", "twice.html"),
            ("http://a.org/5", "Twice.html"),
            ("http://a.org/4", "twice.html"),
        ];
        let (no, yes) = (None, Some(Form::Assigned));
        assert_eq!(keep(&mut names, &records), [no, no, no, yes, no, yes]);
    }

    #[test]
    fn a_recorded_name_behind_a_file_or_a_link_is_left() {
        let mut names = NameAllocator::new(Layout::Tree);
        let records = [("http://a.org/6", "link/6.html"), ("http://b.org/7", "b.org/7.html")];
        assert_eq!(keep(&mut names, &records), [Some(Form::Assigned), Some(Form::Default)]);
        names.reserve_file("link");
        names.reserve_file("b.org");
        let mut again =
            |url: &str, previous| names.name(&Url::parse(url).unwrap(), previous).to_string();
        let previous = PreviousName { assigned: Key::new("link/6.html"), owns_default: false };
        assert_eq!(again("http://a.org/6", previous), "a.org/6.html");
        let owned = PreviousName { owns_default: true, ..PreviousName::default() };
        assert!(again("http://b.org/7", owned).starts_with("b.org~"));
    }

    #[test]
    fn a_marked_folder_is_as_short_as_any_and_never_a_file() {
        let mut names = NameAllocator::new(Layout::Tree);
        let folder = "x".repeat(200);
        let url = format!("http://a.org/{folder}/y");
        let hash = digest::hex(&digest::sha256(url.as_bytes()));
        names.reserve_file(&format!("a.org/{folder}"));
        names.reserve_file(&format!("a.org/{}~{}", &folder[..191], &hash[..8]));
        let expected = format!("a.org/{}~{}/y.html", &folder[..183], &hash[..16]);
        assert_eq!(name(&mut names, &url), expected);
    }

    #[test]
    fn the_manifest_keeps_its_name() {
        let name = names(Layout::Flat, &["http://a.org/Manifest.jsonl"]).remove(0);
        assert!(name.starts_with("Manifest~"), "{name}");
    }

    #[test]
    fn names_do_not_depend_on_credentials() {
        let with = Url::parse("http://u:secret@a.org/x").unwrap();
        assert_eq!(
            NameAllocator::new(Layout::Hash).name(&with, PreviousName::default()).to_string(),
            names(Layout::Hash, &["http://a.org/x"])[0]
        );
    }
}
