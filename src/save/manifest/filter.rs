//! The options of a filter among the `args` of a run's record.
//!
//! A run goes by them when it decides whether an earlier run had the same source. The module
//! of sources writes them, so both use these names.

/// Only URLs that match are fetched.
pub(crate) const INCLUDE: &str = "--include";
/// URLs that match are not fetched.
pub(crate) const EXCLUDE: &str = "--exclude";
/// At most this number of URLs is fetched.
pub(crate) const LIMIT: &str = "--limit";
/// All of them: they narrow any source. A record may hold the first two more than once.
pub(crate) const FILTER_OPTIONS: &[&str] = &[INCLUDE, EXCLUDE, LIMIT];

/// Whether the argument `arg` of a recorded source is an option of its filter.
pub(in crate::save) fn is_filter_arg(arg: &str) -> bool {
    let option = arg.split_once('=').map(|(option, _)| option);
    option.is_some_and(|option| FILTER_OPTIONS.contains(&option))
}
