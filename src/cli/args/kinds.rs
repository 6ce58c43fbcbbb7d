//! Decides which options exclude which kinds of sources, by the table of kinds.
//!
//! A source is named by one option, which is in clap's group `kind`. An option that belongs
//! to some kinds excludes the others: [`excluded_by`] makes the list from the table in
//! `source::spec`, so that no list is written by hand.

use crate::source::spec::TABLE;

/// Returns the ids of the arguments that name pages of sites that exist already. `--demo` is not
/// among them: its options require it, and `compare` has no `--demo`.
pub(super) fn named() -> Vec<&'static str> {
    let named = TABLE.iter().filter(|kind| !kind.is_switch);
    let mut ids: Vec<_> = named.map(|kind| kind.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Returns the ids of the arguments that name a kind of source to which `option` does not belong.
pub(super) fn excluded_by(option: &str) -> Vec<&'static str> {
    let takes = |id: &str| TABLE.iter().any(|kind| kind.id == id && kind.takes(option));
    named().into_iter().filter(|id| !takes(id)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Args, Command};

    use super::*;
    use crate::cli::args::{NamedArgs, SourceArgs};
    use crate::source::spec::SourceKind;

    #[test]
    fn an_option_excludes_the_kinds_that_do_not_take_it() {
        for (option, ids) in [
            ("--column", &["index", "sitemap", "urls"][..]),
            ("--select", &["input_file", "sitemap", "urls"]),
            ("--base", &["input_file", "sitemap", "urls"]),
            ("--latency", &["index", "input_file", "sitemap", "urls"]),
        ] {
            assert_eq!(excluded_by(option), ids, "{option}");
        }
    }

    #[test]
    fn every_option_of_a_source_is_in_the_table_and_the_other_way_round() {
        let options = |command: Command| -> BTreeSet<String> {
            let long = |it: &clap::Arg| it.get_long().map(|name| format!("--{name}"));
            command.get_arguments().map(|it| long(it).unwrap_or_default()).collect()
        };
        let filters = ["--include", "--exclude", "--limit"];
        let mut typed = options(SourceArgs::augment_args(Command::new("x")));
        typed.retain(|option| !filters.contains(&option.as_str()));
        let known = TABLE.iter().flat_map(SourceKind::named_options);
        assert_eq!(typed, known.map(str::to_owned).collect());
        let command = SourceArgs::augment_args(Command::new("x"));
        for kind in TABLE {
            let argument = command.get_arguments().find(|it| it.get_id() == kind.id);
            let name = argument.unwrap().get_long().map(|name| format!("--{name}"));
            assert_eq!(name.unwrap_or_default(), kind.option);
        }
        let named_args = NamedArgs::augment_args(Command::new("x"));
        for id in named() {
            assert!(named_args.get_arguments().any(|it| it.get_id() == id), "{id}");
        }
    }
}
