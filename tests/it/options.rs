//! `.readme/options.md` equals the parser's description of itself, and its examples are valid.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use clap::{Arg, Command};
use regex::Regex;

use crate::readme::{command_lines, page};

const INTRODUCTION: &str = "\
# Options

<!-- Generated from the help texts in src/cli/args/: a test compares the two and says how to renew
this file. -->

`fetchpages -h` prints a line per common option, `fetchpages --help` all of this page; `fetchpages
COMMAND --help` does so for a command.

- Times are typed as `500ms`, `30s`, `5m` or `2h`; a bare number means seconds.
- Sizes are typed as `64KiB` or `10MB`; a bare number means bytes.
- Rates are typed as `20/s`, `100/m` or `500/h`.

Completions and manual pages:

```sh
fetchpages completions bash > ~/.local/share/bash-completion/completions/fetchpages
fetchpages man > ~/.local/share/man/man1/fetchpages.1
fetchpages man compare > ~/.local/share/man/man1/fetchpages-compare.1
```
";

/// The program's description of itself, complete.
fn program() -> Command {
    let mut program = fetchpages::cli::description();
    program.build();
    program
}

fn commands(program: &Command) -> Vec<&Command> {
    let is_shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    std::iter::once(program).chain(program.get_subcommands().filter(is_shown)).collect()
}

/// The options of a command that the help shows, without the parser's own.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_own = |option: &&Arg| !matches!(option.get_id().as_str(), "help" | "version");
    command.get_arguments().filter(|option| !option.is_hide_set()).filter(is_own)
}

/// Returns the whole help text of an option.
fn help(option: &Arg) -> String {
    option.get_long_help().or(option.get_help()).map(ToString::to_string).unwrap_or_default()
}

/// An option as it is typed: `-j, --workers N|auto`.
fn spelled(option: &Arg) -> String {
    let takes_value = option.get_num_args().is_some_and(|range| range.takes_values());
    let names = option.get_value_names().filter(|_| takes_value);
    let value = names.map(|names| names[0].to_string()).unwrap_or_default();
    let Some(long) = option.get_long() else { return value };
    let short = option.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    match (value.is_empty(), option.is_require_equals_set()) {
        (true, _) => format!("{short}--{long}"),
        (false, true) => format!("{short}--{long}[={value}]"),
        (false, false) => format!("{short}--{long} {value}"),
    }
}

/// Text of a help as Markdown: options become code, or dashes would be drawn together.
fn marked_up(text: &str) -> String {
    let option = Regex::new(r"(^|[\s(])(--?[A-Za-z][A-Za-z-]*)").unwrap();
    let parts = text.split('`').enumerate().map(|(number, part)| {
        if number % 2 == 0 {
            option.replace_all(part, "$1`$2`").into_owned()
        } else {
            format!("`{part}`")
        }
    });
    parts.collect()
}

/// Returns the first line of a help, and the default: the one that clap knows, or the one in the
/// line.
fn first_line_and_default(option: &Arg) -> (String, String) {
    let help = help(option);
    let line = help.lines().next().unwrap_or_default();
    let (line, said) = line.split_once(" [default: ").unwrap_or((line, ""));
    let known: Vec<_> = option.get_default_values().iter().filter_map(|it| it.to_str()).collect();
    let takes_value = option.get_num_args().is_some_and(|range| range.takes_values());
    let default = match (takes_value, known.as_slice()) {
        (true, [default]) => format!("`{default}`"),
        _ => said.trim_end_matches(']').to_owned(),
    };
    (marked_up(line), marked_up(&default))
}

/// Returns the table of a group of options, and the rest of each help below it.
fn group(out: &mut String, options: &[&Arg]) {
    out.push_str("\n| option | default | meaning |\n|---|---|---|\n");
    for option in options {
        let (line, default) = first_line_and_default(option);
        let [name, default, line] =
            [spelled(option), default, line].map(|cell| cell.replace('|', r"\|"));
        writeln!(out, "| `{name}` | {default} | {line} |").unwrap();
    }
    for option in options {
        let help = help(option);
        let paragraphs: Vec<_> = help.split("\n\n").skip(1).collect();
        let values = option.get_possible_values();
        let values: Vec<_> =
            values.iter().filter(|_| !option.is_hide_possible_values_set()).collect();
        let described: Vec<_> = values.iter().filter(|it| it.get_help().is_some()).collect();
        if paragraphs.is_empty() && described.is_empty() {
            continue;
        }
        writeln!(out, "\n**`{}`**", spelled(option)).unwrap();
        for paragraph in paragraphs {
            writeln!(out, "\n{}", marked_up(paragraph)).unwrap();
        }
        for (number, value) in described.iter().enumerate() {
            let space = if number == 0 { "\n" } else { "" };
            let help = value.get_help().unwrap().to_string();
            writeln!(out, "{space}- `{}`: {}", value.get_name(), marked_up(&help)).unwrap();
        }
    }
}

/// The whole page.
fn reference() -> String {
    let program = program();
    let mut out = INTRODUCTION.to_owned();
    for command in commands(&program) {
        let is_program = command.get_name() == program.get_name();
        let is_shared = |option: &&Arg| {
            let same =
                |other: &Arg| other.get_id() == option.get_id() && help(other) == help(option);
            !is_program && options(&program).any(same)
        };
        let title = if is_program {
            "fetchpages".into()
        } else {
            format!("fetchpages {}", command.get_name())
        };
        let about = command.get_long_about().or(command.get_about()).unwrap().to_string();
        writeln!(out, "\n## {title}\n\n{}", marked_up(&about)).unwrap();
        let mut headings: Vec<Option<&str>> = Vec::new();
        for option in options(command) {
            if !headings.contains(&option.get_help_heading()) {
                headings.push(option.get_help_heading());
            }
        }
        for heading in headings {
            let all: Vec<_> =
                options(command).filter(|option| option.get_help_heading() == heading).collect();
            let own: Vec<_> = all.iter().copied().filter(|option| !is_shared(option)).collect();
            if let Some(heading) = heading {
                writeln!(out, "\n### {heading}").unwrap();
            }
            if own.len() < all.len() {
                let rest = if own.is_empty() { "" } else { ", and these" };
                writeln!(out, "\nThe options of `fetchpages`{rest}.").unwrap();
            }
            if !own.is_empty() {
                group(&mut out, &own);
            }
        }
    }
    out
}

#[test]
fn the_page_of_options_is_what_the_parser_says() {
    let fresh = reference();
    if page("options.md") == fresh {
        return;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("options.md");
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create(true).truncate(true).open(&path).unwrap();
    file.write_all(fresh.as_bytes()).unwrap();
    panic!(".readme/options.md is not up to date; renew it with: cp {} .readme/", path.display());
}

#[test]
fn every_option_has_a_row_a_paragraph_and_an_example() {
    let program = program();
    let page = page("options.md");
    let mut seen = 0;
    for command in commands(&program) {
        for option in options(command) {
            let row = format!("| `{}` |", spelled(option).replace('|', r"\|"));
            assert!(page.contains(&row), "{row}");
            let help = help(option);
            let paragraphs: Vec<_> = help.split("\n\n").collect();
            let is_example = |text: &&str| text.starts_with("Example: `");
            assert!(paragraphs.iter().any(is_example), "{row} has no example");
            let rest = paragraphs.iter().skip(1).filter(|text| !is_example(text));
            assert!(rest.count() > 0, "{row} has no second paragraph");
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} options");
}

#[test]
fn examples_of_the_help_can_be_typed() {
    let program = program();
    let mut examples = 0;
    for command in commands(&program) {
        let about = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        for text in options(command).map(help).chain([about]) {
            for example in text.split("Example: `").skip(1) {
                let example = example.split('`').next().unwrap().replace('\n', " ");
                for words in command_lines(&example) {
                    let read = program.clone().try_get_matches_from(&words);
                    assert!(read.is_ok(), "{example}: {}", read.unwrap_err());
                    examples += 1;
                }
            }
        }
    }
    assert!(examples > 60, "only {examples} examples");
}

#[test]
fn the_short_help_fits_on_a_screen() {
    let short = fetchpages::cli::description().term_width(80).render_help().to_string();
    assert!(short.lines().count() <= 66, "{} lines:\n{short}", short.lines().count());
    assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
}
