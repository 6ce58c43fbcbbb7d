//! The README says what the program does.

use std::collections::BTreeSet;

fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    std::fs::read_to_string(path).unwrap()
}

/// The cells of the option tables: `-j, --workers N` and the like, as typed in the README.
fn documented() -> BTreeSet<String> {
    readme()
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|cell| cell.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

/// An option as the tables spell it.
fn spelled(option: &clap::Arg) -> Option<String> {
    let long = option.get_long()?;
    let short = option.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let takes = option.get_num_args().is_some_and(|range| range.takes_values());
    let value = option
        .get_value_names()
        .filter(|_| takes)
        .map(|names| names[0].replace('|', "\\|"))
        .map(|name| {
            if option.is_require_equals_set() { format!("[={name}]") } else { format!(" {name}") }
        });
    Some(format!("{short}--{long}{}", value.unwrap_or_default()))
}

#[test]
fn the_option_tables_list_every_option_and_no_other() {
    let mut command = fetchpages::cli::description();
    command.build();
    let mut actual = BTreeSet::new();
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
            if !matches!(option.get_id().as_str(), "help" | "version") {
                actual.extend(spelled(option));
            }
        }
    }
    assert!(actual.len() > 30, "{actual:?}");
    let documented = documented();
    let missing: Vec<_> = actual.difference(&documented).collect();
    let extra: Vec<_> = documented.difference(&actual).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, extra {extra:#?}");
}

#[test]
fn defaults_in_the_tables_are_those_of_the_program() {
    let readme = readme();
    let mut command = fetchpages::cli::description();
    command.build();
    let mut checked = 0;
    for option in command.get_arguments() {
        let (Some(name), [default]) = (spelled(option), option.get_default_values()) else {
            continue;
        };
        if !option.get_num_args().is_some_and(|range| range.takes_values()) {
            continue;
        }
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        let default = default.to_str().unwrap();
        assert!(row.contains(&format!("`{default}`")), "{row} does not name the default {default}");
        checked += 1;
    }
    assert!(checked > 10, "only {checked} defaults were checked");
}
