//! Usage errors: what is wrong with a command line, and what to type instead.

use super::parser_output::ParserOutput;
use crate::save::SaveError;

pub(super) type Result<T> = std::result::Result<T, UsageError>;

/// Something typed makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    /// What, naming the argument.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

/// Why there is no command to run.
#[derive(Debug)]
pub(crate) enum NoCommand {
    /// The parser has something to print: help, the version, or an error.
    Parser(ParserOutput),
    /// What was typed makes no sense together.
    Usage(UsageError),
    /// What earlier runs recorded cannot be read.
    Output(SaveError),
}

impl From<UsageError> for NoCommand {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

/// A usage error with its hint, in the place of a value.
pub(super) fn usage<T>(message: impl Into<String>, hint: impl Into<String>) -> Result<T> {
    Err(UsageError { message: message.into(), hint: Some(hint.into()) })
}
