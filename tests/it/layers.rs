//! The architecture, read from the sources: imports go downwards only, and each
//! big crate has one home.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The layers from the bottom up. A module may use the layers below its own.
const LAYERS: &[&[&str]] = &[
    &[
        "clock",
        "digest",
        "duration",
        "encoders",
        "fingerprint",
        "foreign",
        "foreign_bytes",
        "guide",
        "message",
        "model",
        "in_flight",
        "printable",
        "random",
        "event",
        "secret",
        "budget",
    ],
    &["queue", "fetch", "page", "save", "report", "origin"],
    &["source", "work"],
    &["exec"],
    &["compare"],
    &["config"],
    &["cli", "app"],
];

/// Imports within one layer that are intended.
const WITHIN_A_LAYER: &[(&str, &str)] = &[
    ("event", "clock"),
    ("foreign_bytes", "encoders"),
    ("event", "foreign"),
    ("message", "foreign"),
    ("model", "foreign"),
    ("printable", "foreign"),
    ("event", "model"),
    ("event", "in_flight"),
    ("model", "digest"),
    ("app", "cli"),
    // A source steps its own requests as the executors step pages.
    ("source", "work"),
];

/// Crates that only these paths may name.
const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("reqwest", &["fetch/"]),
    ("scraper", &["source/links"]),
    ("html5ever", &["source/links", "source/sitemap/references.rs"]),
    ("selectors", &["source/links"]),
    ("cssparser", &["source/links"]),
    ("indicatif", &["report/bar.rs"]),
    ("rayon", &["exec/"]),
    ("memmap2", &["fetch/collected.rs"]),
    ("hyper", &["origin/", "fetch/"]),
    ("hyper_util", &["origin/", "fetch/"]),
    ("brotli_decompressor", &["page/brotli.rs"]),
    ("hyper_rustls", &["fetch/tunnel/"]),
    ("tokio_rustls", &["origin/"]),
    ("rcgen", &["origin/"]),
    ("quick_xml", &["source/sitemap"]),
    ("new_mime_guess", &["save/names/default_name.rs"]),
    ("csv", &["compare/export/csv.rs"]),
    ("plotters", &["compare/export/html/"]),
    ("anyhow", &["app/"]),
];

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The sources without tests, which are in folders and files of that name.
fn productive() -> impl Iterator<Item = (String, String)> {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs");
    sources().into_iter().filter(move |(path, _)| !is_test(path))
}

/// The code of a file without its tests and comments, line by line.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text
        .find("#[cfg(test)]\nmod tests {")
        .or_else(|| text.find("#[cfg(test)]\npub(super) mod tests {"));
    text[..end.unwrap_or(text.len())].lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn module(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules of this crate that a line names after `crate::`, in braces too.
fn used(line: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(""));
        let is_list = rest.starts_with('{');
        for part in list.split(',').take(if is_list { usize::MAX } else { 1 }) {
            let name: String =
                part.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            modules.push(name);
        }
    }
    modules.retain(|name| !name.is_empty());
    modules
}

#[test]
fn imports_go_downwards() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (path, text) in productive() {
        let from = module(&path).to_owned();
        if matches!(from.as_str(), "main" | "lib") {
            continue;
        }
        let own = layer(&from).unwrap_or_else(|| panic!("{path}: module {from} is in no layer"));
        let joined = code(&text).collect::<Vec<_>>().join(" ");
        for to in used(&joined).into_iter().filter(|to| *to != from) {
            let other = layer(&to).unwrap_or_else(|| panic!("{path}: uses {to}, in no layer"));
            checked += 1;
            let is_meant = WITHIN_A_LAYER.contains(&(from.as_str(), to.as_str()));
            if other > own || (other == own && !is_meant) {
                wrong.push(format!("{path} uses {to}"));
            }
        }
    }
    assert!(checked > 50, "only {checked} imports seen: does the test still read them?");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn executors_know_no_page() {
    for (path, text) in productive().filter(|(path, _)| path.starts_with("exec/")) {
        for forbidden in ["fetch", "page", "save"] {
            let joined = code(&text).collect::<Vec<_>>().join(" ");
            assert!(!used(&joined).iter().any(|to| to == forbidden), "{path} uses {forbidden}");
        }
    }
}

#[test]
fn each_big_crate_has_one_home() {
    let names = |line: &str, krate: &str| {
        line.match_indices(krate).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let is_whole =
                before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
            is_whole && line[at + krate.len()..].starts_with("::")
        })
    };
    for (krate, homes) in HOMES {
        let mut seen = 0;
        for (path, text) in productive() {
            if code(&text).any(|line| names(line, krate)) {
                seen += 1;
                assert!(homes.iter().any(|home| path.starts_with(home)), "{path} names {krate}");
            }
        }
        assert!(seen > 0, "no file names {krate}: does the test still find it?");
    }
}

#[test]
fn the_environment_is_read_in_cli_only() {
    for (path, text) in productive() {
        let reads = code(&text).any(|line| line.contains("env::var"));
        assert!(!reads || path.starts_with("cli/"), "{path} reads the environment");
    }
}

#[test]
fn paths_below_an_output_are_opened_in_one_place() {
    let forbidden = [
        "fs::",
        " nix::",
        "File::open",
        "File::create",
        "File::options",
        "OpenOptions",
        "DirBuilder",
        ".exists()",
        ".is_dir()",
        ".is_symlink()",
        ".metadata()",
        ".symlink_metadata()",
        ".read_dir()",
        ".read_link()",
        ".canonicalize()",
    ];
    // What is done with an open file does not go by its path.
    let meant = [
        "use std::fs::File;",
        "::{File, TryLockError};",
        "::FileExt;",
        "::MetadataExt;",
        "file.metadata()",
    ];
    let is_meant = |line: &str| meant.iter().any(|words| line.contains(words));
    let mut checked = 0;
    for (path, text) in productive() {
        let is_home = path.starts_with("save/sink/beneath/");
        let is_test = path.contains("/tests/");
        if !path.starts_with("save/") || is_test {
            continue;
        }
        for line in code(&text).filter(|line| !is_meant(line)) {
            let found = forbidden.iter().find(|word| line.contains(**word));
            checked += usize::from(is_home && found.is_some());
            assert!(is_home || found.is_none(), "{path} goes around save/sink/beneath: {line}");
        }
    }
    assert!(checked > 10, "only {checked} uses seen: does the test still read them?");
}

#[test]
fn one_file_writes_to_the_terminal() {
    // Its parameter can only be made by cleaning. The bar draws by itself, and gets the same type.
    let ways = ["io::stdout", "io::stderr", " stdout()", " stderr()", "println!", "print!", "dbg!"];
    let mut seen = 0;
    // A worker process writes messages to a pipe, not text: it checks that it is a pipe.
    for (path, text) in productive().filter(|(path, _)| path != "app/child.rs") {
        let asks = |line: &&str| line.contains("().is_terminal()");
        let writes = |line: &&str| !asks(line) && ways.iter().any(|way| line.contains(way));
        let found = code(&text).find(writes);
        seen += usize::from(found.is_some());
        assert!(found.is_none() || path == "app/terminal.rs", "{path} writes: {found:?}");
    }
    assert!(seen > 0, "no file writes: does the test still find it?");
}

#[test]
fn the_map_names_every_module() {
    let lib = sources().remove("lib.rs").unwrap();
    let (map, declarations) = lib.split_once("\npub mod app;").unwrap();
    let test_modules = ["encoders", "foreign_bytes"];
    let declared = declarations
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    for module in declared.chain(["app"]).filter(|module| !test_modules.contains(module)) {
        assert!(map.contains(&format!("`{module}`")), "lib.rs does not describe {module}");
    }
}

#[test]
fn files_stay_within_their_size() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 600, "{path} has {lines} lines");
    }
}
