//! Decides which options a comparison passes on to its runs, and which of their values are shown.
//!
//! All options of [`HttpArgs`] are passed on, without a list. A value is shown only when this
//! file lists its option as harmless: an option in no list is passed on and hidden.

use std::any::TypeId;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command};

use super::args::HttpArgs;
use crate::config::PassedOn;
use crate::secret::{HIDDEN, Secret};

/// Options, by their ids, whose values may be shown as they were typed.
const HARMLESS: &[&str] = &[
    "user_agent",
    "contact",
    // A URL with a user name is refused.
    "credentials_for",
    "header_for",
    "connect_timeout",
    "read_timeout",
    "max_time",
    "retry",
    "max_size",
    "max_redirs",
    "http",
    "robots",
    "cacert",
];

/// Returns the options that are passed on, without values.
fn options() -> Command {
    let mut command = HttpArgs::augment_args(Command::new("passed on").disable_help_flag(true));
    // Only a built description knows which options take values.
    command.build();
    command
}

/// Returns the typed options that each run gets too, as arguments of a run.
pub(super) fn passed_on(matches: &ArgMatches) -> PassedOn {
    let mut passed = PassedOn::default();
    for option in options().get_arguments() {
        let id = option.get_id().as_str();
        let Some(name) = option.get_long() else { continue };
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        if !takes_value(option) {
            passed.add(format!("--{name}"), None);
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let mut argument = OsString::from(format!("--{name}="));
            argument.push(value);
            passed.add(argument, (!is_harmless(option)).then(|| format!("--{name}={HIDDEN}")));
        }
    }
    passed
}

fn takes_value(option: &Arg) -> bool {
    option.get_num_args().is_some_and(|range| range.takes_values())
}

/// Whether the value of an option may be shown. A secret never may, whatever the list says.
fn is_harmless(option: &Arg) -> bool {
    HARMLESS.contains(&option.get_id().as_str()) && !is_secret(option)
}

fn is_secret(option: &Arg) -> bool {
    option.get_value_parser().type_id() == TypeId::of::<Secret<String>>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::compare::{PagesArgs, SiteArgs};
    use crate::cli::args::{CompareArgs, NamedArgs, OutcomeArgs, PlanArgs, SourceArgs};
    use crate::cli::{Command as Decided, description, read};

    /// A value for each option that is passed on and takes one.
    const SAMPLES: &[(&str, &str)] = &[
        ("user_agent", "FooBot/1"),
        ("contact", "me@a.org"),
        ("header", "x-who: me"),
        ("cookie", "a=b"),
        ("user", "me:word"),
        ("credentials_for", "https://b.org/x"),
        ("header_for", "b.org:81"),
        ("proxy", "http://me:word@a.org:1"),
        ("connect_timeout", "1s"),
        ("read_timeout", "2s"),
        ("max_time", "3s"),
        ("retry", "4"),
        ("max_size", "5MiB"),
        ("max_redirs", "6"),
        ("http", "1.1"),
        ("robots", "ignore"),
    ];
    /// Options whose value is a file that must exist.
    const NEEDS_A_FILE: &[&str] = &["cacert"];

    /// Options of other groups whose values hold no secret.
    const HARMLESS_ELSEWHERE: &[&str] = &[
        // Sources, beside those below.
        "input_file",
        "column",
        "input_format",
        "select",
        "attr",
        "include",
        "exclude",
        "limit",
        "latency",
        "cpu_per_page",
        // Running, output, reporting.
        "mode",
        "workers",
        "per_host",
        "rate",
        "deadline",
        "max_failures",
        "max_memory",
        "output",
        "layout",
        "retry_failed",
        "progress",
        "trace",
        // Comparing.
        "modes",
        "rounds",
        "seed",
        "pages",
        "bandwidth",
        "export",
        "gate",
        "baseline",
        // Other commands.
        "target",
        "port",
        "capacity",
        "fault",
        "shell",
        "command",
    ];
    /// Addresses: they may hold a password, which `source::spec` leaves out of records.
    const ADDRESSES: &[&str] = &["urls", "index", "base", "sitemap"];

    fn ids<A: Args>() -> Vec<String> {
        let command = A::augment_args(Command::new("group"));
        command.get_arguments().map(|option| option.get_id().to_string()).collect()
    }

    /// Every option of every command, apart from the parser's own.
    fn all() -> Vec<Arg> {
        let mut command = description();
        command.build();
        let commands: Vec<_> = std::iter::once(&command).chain(command.get_subcommands()).collect();
        let own = |option: &&Arg| !matches!(option.get_id().as_str(), "help" | "version");
        commands.iter().flat_map(|it| it.get_arguments().filter(own).cloned()).collect()
    }

    #[test]
    fn every_option_that_takes_a_value_is_a_secret_or_known_to_be_harmless() {
        let lists = [HARMLESS, HARMLESS_ELSEWHERE, ADDRESSES];
        let is_listed = |id: &str| lists.iter().any(|list| list.contains(&id));
        for option in all().iter().filter(|option| takes_value(option)) {
            let id = option.get_id().as_str();
            assert!(
                is_secret(option) != is_listed(id),
                "{id}: make its value a Secret, or say in this file that it may be shown"
            );
        }
        for id in lists.concat() {
            assert!(all().iter().any(|option| option.get_id() == id), "there is no option {id}");
        }
    }

    #[test]
    fn every_option_of_compare_is_passed_on_or_its_own() {
        let command = CompareArgs::augment_args(Command::new("compare"));
        let groups = [
            ids::<HttpArgs>(),
            ids::<PlanArgs>(),
            ids::<PagesArgs>(),
            ids::<OutcomeArgs>(),
            ids::<SiteArgs>(),
            ids::<NamedArgs>(),
        ];
        for option in command.get_arguments() {
            let id = option.get_id().to_string();
            let groups = groups.iter().filter(|group| group.contains(&id)).count();
            assert_eq!(groups, 1, "{id}: is it passed on to each run?");
        }
        let passed = ids::<HttpArgs>();
        assert!(ids::<SourceArgs>().iter().all(|id| !passed.contains(id)));
    }

    #[test]
    fn whatever_is_passed_on_is_read_by_a_run_and_shown_when_it_is_harmless() {
        for option in options().get_arguments() {
            let (id, name) = (option.get_id().as_str(), option.get_long().unwrap());
            if NEEDS_A_FILE.contains(&id) {
                continue;
            }
            let sample = SAMPLES.iter().find(|(of, _)| *of == id).map(|(_, sample)| *sample);
            assert_eq!(sample.is_some(), takes_value(option), "{id} needs a sample value here");
            let typed = sample.map_or(format!("--{name}"), |sample| format!("--{name}={sample}"));
            let line = ["fetchpages", "compare", "http://a.org/", &typed];
            let decided = read(line.map(OsString::from));
            let Ok(Decided::Compare(comparison)) = decided else { panic!("{typed}: {decided:?}") };
            let PassedOn { arguments, shown } = &comparison.passed_on;
            let (own, added) = arguments.expose().split_first().unwrap();
            assert_eq!(own, &OsString::from(&typed));
            // Runs get the pages as a list, and the hosts of a list get no secrets by default.
            assert!(added.iter().all(|it| it == "--credentials-for=http://a.org/"), "{added:?}");
            assert_eq!(!added.is_empty(), ["cookie", "user"].contains(&id), "{id}");
            let is_shown = sample.is_none() || HARMLESS.contains(&id);
            let expected = if is_shown { typed.clone() } else { format!("--{name}=…") };
            assert_eq!(*shown, [expected]);
            assert!(is_shown || !format!("{comparison:?}").contains(sample.unwrap()), "{typed}");
            let run = ["fetchpages", "http://a.org/", &typed];
            assert!(read(run.map(OsString::from)).is_ok(), "{typed}");
        }
    }
}
