//! Reads the environment. No other file does.

use std::ffi::OsString;

/// Returns the environment variable `name`; `None` when it is unset or empty.
pub(super) fn variable(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here")]
    let value = std::env::var_os(name);
    value.filter(|value| !value.is_empty())
}
