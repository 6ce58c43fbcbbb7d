//! Which options a comparison passes on to its runs, and what may be shown of them.
//!
//! Passed on are the options of [`HttpArgs`], all and by themselves. Shown is what is
//! known to be harmless: an option that is in no list here is passed on and hidden.

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
    // One with a user name is refused.
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

/// The options that are passed on, with no value yet.
fn options() -> Command {
    let mut command = HttpArgs::augment_args(Command::new("passed on").disable_help_flag(true));
    // Only a built description knows which options take values.
    command.build();
    command
}

/// The options that were typed and that runs get as well, as they are typed for each run.
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
    /// Values are files that must be there.
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
        // Running, output, telling.
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
    /// Addresses: they may hold a password, which `source::words` leaves out of records.
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
            // Pages are given to runs in a list, whose hosts get no secrets by themselves.
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
