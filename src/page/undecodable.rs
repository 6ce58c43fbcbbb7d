//! Why a body cannot be decoded, and the failure of its page.

use std::io::{Error, ErrorKind};

use super::codings::MAX_CODINGS;
use crate::message;
use crate::model::{Failure, FailureCode};

/// Why a body cannot be decoded.
pub(super) enum Undecodable {
    /// The body has more decoded bytes than the limit allows.
    TooLarge,
    /// The body ends before its coding does.
    Cut,
    /// The body is not in its coding.
    Broken(Error),
}

impl Undecodable {
    /// Converts the error of a decoder.
    pub(super) fn of(error: Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Cut,
            _ => Self::Broken(error),
        }
    }

    /// The error of a body that does not begin with its coding's first bytes.
    pub(super) fn wrong_start() -> Self {
        Self::Broken(Error::other("it begins otherwise"))
    }

    /// Converts to the failure of a body in the coding with the name `coding`.
    pub(super) fn into_failure(self, coding: &str, max_bytes: u64) -> Failure {
        match self {
            Self::TooLarge => too_large(max_bytes),
            Self::Cut => {
                let message = format!("the body ends before its {coding} coding does");
                Failure::new(FailureCode::Truncated, message)
            }
            Self::Broken(error) => {
                let message = format!("the body is not valid {coding}: {error}");
                Failure::new(FailureCode::Decode, message)
            }
        }
    }
}

/// The failure of a body with more than `max_bytes` decoded bytes.
pub(super) fn too_large(max_bytes: u64) -> Failure {
    let message = format!("more than {max_bytes} bytes once decoded (--max-size)");
    Failure::new(FailureCode::TooLarge, message)
}

/// The failure of a body in a coding that is not decoded here.
pub(super) fn unknown(coding: &str) -> Failure {
    let coding = message::excerpt(coding);
    let message = format!("the body is in an unknown content coding, {coding:?}");
    Failure::new(FailureCode::Decode, message)
}

/// The failure of a body in more codings than are decoded.
pub(super) fn too_many() -> Failure {
    let message = format!("the body is in more than {MAX_CODINGS} content codings");
    Failure::new(FailureCode::Decode, message)
}
