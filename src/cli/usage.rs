//! Usage errors: what is wrong with a command line, and what to type instead.

use super::parser_output::ParserOutput;
use crate::save::SaveError;

pub(super) type Result<T> = std::result::Result<T, UsageError>;

/// What the user typed is not a command.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    /// What is wrong, with the name of the argument.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

/// Why there is no command to run.
#[derive(Debug)]
pub(crate) enum NoCommand {
    /// The parser has something to print: help, the version, or an error.
    Parser(ParserOutput),
    /// What was typed is not a command, although the parser accepts each option.
    Usage(UsageError),
    /// The records of earlier runs cannot be read.
    Output(SaveError),
}

impl From<UsageError> for NoCommand {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

/// Returns a usage error with its hint, as the result of any function.
pub(super) fn usage<T>(message: impl Into<String>, hint: impl Into<String>) -> Result<T> {
    Err(UsageError { message: message.into(), hint: Some(hint.into()) })
}
