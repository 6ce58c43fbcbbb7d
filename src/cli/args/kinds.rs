//! Which options exclude which kinds of sources, by the table of kinds.
//!
//! A source is named by one option, which is in clap's group `kind`. An option that belongs
//! to some kinds excludes the others: [`excluded_by`] makes the list, so that a new kind is
//! a row in `source::spec` and in [`IDS`], and no list is written by hand.

use crate::source::spec::TABLE;

/// The arguments that name pages by their addresses, and their ids for clap. `--demo` is not
/// among them: its options require it, and `compare` has none.
const IDS: &[(&str, &str)] =
    &[("", "urls"), ("--input-file", "input_file"), ("--index", "index"), ("--sitemap", "sitemap")];

/// The ids of the arguments that name pages by their addresses.
pub(super) fn named() -> Vec<&'static str> {
    IDS.iter().map(|(_, id)| *id).collect()
}

/// The ids of the arguments that name a kind of source to which `option` does not belong.
pub(super) fn excluded_by(option: &str) -> Vec<&'static str> {
    let takes = |name: &str| TABLE.iter().any(|row| row.option == name && row.takes(option));
    IDS.iter().filter(|(name, _)| !takes(name)).map(|(_, id)| *id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Args, Command};

    use super::*;
    use crate::cli::args::{NamedArgs, SourceArgs};

    #[test]
    fn an_option_excludes_the_kinds_that_do_not_take_it() {
        for (option, ids) in [
            ("--column", &["urls", "index", "sitemap"][..]),
            ("--select", &["urls", "input_file", "sitemap"]),
            ("--base", &["urls", "input_file", "sitemap"]),
            ("--latency", &["urls", "input_file", "index", "sitemap"]),
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
        let rows = TABLE.iter().flat_map(crate::source::spec::Row::named_options);
        assert_eq!(typed, rows.map(str::to_owned).collect());
        let named = options(NamedArgs::augment_args(Command::new("x")));
        let naming = TABLE.iter().map(|row| row.option).filter(|name| named.contains(*name));
        let ids: BTreeSet<_> = IDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(ids, naming.collect());
    }
}
