//! The error of options that do not name a source.

/// An option of a source has a value that it cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SpecError {
    /// What is wrong, with the name of the option.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
    /// The value, without a user name and a password.
    pub value: String,
}

impl SpecError {
    pub(super) fn new(
        message: impl Into<String>,
        hint: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self { message: message.into(), hint: Some(hint.into()), value: value.into() }
    }
}
