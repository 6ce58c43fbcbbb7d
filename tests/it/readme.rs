//! The README and the pages of `.readme/` agree with the program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fetchpages::model::FailureCode;
use serde_json::Value;

use crate::support::Place;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A page of `.readme/`.
pub fn page(name: &str) -> String {
    read(&root().join(".readme").join(name))
}

/// The README and all pages of `.readme/`.
fn texts() -> Vec<(PathBuf, String)> {
    let folder = std::fs::read_dir(root().join(".readme")).unwrap();
    let pages = folder.map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let paths = pages.chain([root().join("README.md")]);
    paths.map(|path| (path.clone(), read(&path))).collect()
}

/// Returns the lines within fences of one kind.
fn fenced<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let mut inside = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(opened), None) => inside = Some(opened),
            (Some(_), Some(_)) => inside = None,
            (None, Some(opened)) if opened == kind => lines.push(line),
            _ => (),
        }
    }
    lines
}

/// Whether a word before a command sets a variable of its environment: `no_proxy=a.org`.
fn is_assignment(word: &str) -> bool {
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_in_name))
}

/// The calls of fetchpages in a line of shell, word by word. Knows quotes, comments, pipes,
/// redirections and variables before a command, which is what the examples use.
pub fn command_lines(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars().chain([' ']) {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => break,
            (' ' | '|' | ';' | '&' | '>', None) => {
                commands.last_mut().unwrap().extend(word.take());
                if c != ' ' {
                    commands.push(Vec::new());
                }
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    for words in &mut commands {
        let variables = words.iter().take_while(|word| is_assignment(word)).count();
        words.drain(..variables);
    }
    commands.retain(|words| words.first().is_some_and(|first| first == "fetchpages"));
    commands
}

#[test]
fn the_readme_is_an_introduction() {
    let readme = read(&root().join("README.md"));
    let lines = readme.lines().count();
    assert!(readme.len() <= 9_216 && lines <= 150, "{} bytes, {lines} lines", readme.len());
}

#[test]
fn commands_that_the_pages_show_can_be_typed() {
    let program = fetchpages::cli::description();
    let mut commands = 0;
    for (path, text) in texts() {
        for line in fenced(&text, "sh") {
            for words in command_lines(line) {
                let read = program.clone().try_get_matches_from(&words);
                assert!(read.is_ok(), "{}: {line}: {}", path.display(), read.unwrap_err());
                commands += 1;
            }
        }
        for fence in text.lines().filter_map(|line| line.strip_prefix("```")) {
            // Any other kind would be taken for Rust by rustdoc.
            assert!(matches!(fence, "" | "sh" | "text"), "{}: {fence}", path.display());
        }
    }
    assert!(commands >= 40, "only {commands} commands");
}

#[test]
fn links_of_the_pages_lead_somewhere_and_no_page_is_left_out() {
    let guide = read(&root().join("src/guide.rs"));
    let readme = read(&root().join("README.md"));
    for (path, text) in texts() {
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let labelled = text.lines().filter_map(|line| line.strip_prefix('[')?.split("]: ").nth(1));
        for link in inline.chain(labelled).filter(|link| !link.contains("://")) {
            let target = path.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}", path.display());
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name != "README" {
            assert!(guide.contains(&format!("guide::{name}\"")), "src/guide.rs lacks {name}");
            assert!(readme.contains(&format!("(.readme/{name}.md)")), "README.md lacks {name}");
        }
    }
}

/// Ports are free ones.
fn without_ports(line: &str) -> String {
    let (before, after) = line.split_once("127.0.0.1:").unwrap_or((line, ""));
    format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn the_plan_that_is_shown_is_the_one_that_is_printed() {
    let printed = Place::new().run(&["links", "--demo", "--limit", "3"]).code(0).stdout;
    let sources = page("sources.md");
    let shown: Vec<_> = fenced(&sources, "text").into_iter().map(without_ports).collect();
    assert_eq!(shown, printed.lines().map(without_ports).collect::<Vec<_>>());
}

#[test]
fn the_picture_of_the_demo_shows_what_is_printed() {
    let place = Place::new();
    let printed = place.run(&["--demo", "--latency", "0ms"]).code(0).stdout;
    let verified = place.run(&["verify", "pages"]).code(0).stdout;
    let picture = page("demo.svg");
    let mut shown = String::new();
    for part in picture.split('<').skip(1) {
        shown.push_str(part.split_once('>').unwrap().1);
    }
    for line in printed.lines().chain(verified.lines()) {
        // Times, costs and the slowest page depend on the machine.
        let is_exact = ["Total", "mode", "pages", "input", "data", "output", "233 files"]
            .iter()
            .any(|start| line.starts_with(start));
        let wanted = if is_exact { line } else { line.split(' ').next().unwrap() };
        assert!(shown.lines().any(|line| line.starts_with(wanted)), "{wanted:?} in {shown}");
    }
}

#[test]
fn every_field_of_the_outputs_is_described() {
    let place = Place::new();
    let json = place.run(&["--demo", "--latency", "0ms", "--limit", "2", "--json"]).code(0).stdout;
    let summary: Value = serde_json::from_str(&json).unwrap();
    let page = page("manifest.md");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let mut keys_of_all = keys(&summary);
    for record in place.records() {
        keys_of_all.extend(keys(&record));
    }
    // Some records and summaries only.
    let optional = ["archive", "offset", "length", "id", "note", "waits_ms", "proxies", "settled"];
    keys_of_all.extend(optional.map(str::to_owned));
    assert!(keys_of_all.len() > 40, "{keys_of_all:?}");
    for key in keys_of_all {
        let is_described =
            page.contains(&format!("`{key}`")) || page.contains(&format!("\"{key}\":"));
        assert!(is_described, "manifest.md does not describe {key}");
    }
    for code in FailureCode::ALL {
        assert!(page.contains(&format!("`{}`", code.as_str())), "manifest.md lacks {code:?}");
    }
}
