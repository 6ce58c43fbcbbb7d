//! The exit codes, and the message and code of an error.

use crate::cli::UsageError;
use crate::exec::ExecError;
use crate::printable::Printable;
use crate::report::trace::TraceError;
use crate::save::SaveError;
use crate::source::SourceError;

/// How the program ends. Scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Every page is saved, unchanged, skipped, or excluded by robots.txt rules.
    Done = 0,
    /// The run broke.
    Broken = 1,
    /// What was typed is not a command.
    Usage = 2,
    /// Finished, but not all pages could be fetched.
    Incomplete = 3,
    /// The source named no page.
    NoPages = 4,
    /// A verification found a difference.
    Different = 5,
    /// A gate of a comparison is not met.
    Gate = 6,
    /// The accounts do not add up: a bug.
    Accounts = 70,
    /// Interrupted, and can be resumed.
    Interrupted = 130,
}

impl From<Status> for std::process::ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// The message and the exit status of an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// `error:`, `caused by:` and `hint:` lines.
    pub message: Printable,
    /// The exit status.
    pub status: Status,
}

impl Exit {
    /// Makes the message and finds the status of `error`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let mut message = Printable::line(format_args!("error: {error}"));
        for cause in error.chain().skip(1) {
            message.add(format_args!("caused by: {cause}"));
        }
        let (status, hint) = status_and_hint(error);
        if let Some(hint) = hint {
            message.add(format_args!("hint: {hint}"));
        }
        Self { message, status }
    }
}

/// The output failed at a page in a way that every further page would meet, as on a full disk.
#[derive(Debug, thiserror::Error)]
#[error("the run stopped")]
pub(super) struct OutputFailed;

fn status_and_hint(error: &anyhow::Error) -> (Status, Option<String>) {
    if let Some(error) = error.downcast_ref::<UsageError>() {
        return (Status::Usage, error.hint.clone());
    }
    if let Some(error) = error.downcast_ref::<SourceError>() {
        return of_source(error);
    }
    if let Some(ExecError::Thread { .. } | ExecError::Runtime(_)) = error.downcast_ref() {
        let hint = "the system allows no more threads or open files: use fewer --workers";
        return (Status::Broken, Some(hint.into()));
    }
    if error.is::<TraceError>() {
        let hint = "name a file for --trace that can be written, in a directory that exists";
        return (Status::Broken, Some(hint.into()));
    }
    if error.is::<OutputFailed>() {
        let hint = "repair the output; the same command with --resume then fetches the rest";
        return (Status::Broken, Some(hint.into()));
    }
    let hint = match error.downcast_ref::<SaveError>() {
        Some(SaveError::NotADirectory { .. }) => Some("name another place with --output DIR"),
        Some(SaveError::NotAFolder { .. }) => Some("move it away, or name another --output"),
        Some(SaveError::HiddenFolder { .. }) => {
            Some("allow it to be read (chmod u+rx), or move it out of the output directory")
        }
        Some(SaveError::Locked { .. }) => {
            Some("wait until the other run ends, or choose another --output")
        }
        Some(SaveError::NotAManifest { .. }) => {
            Some("move it away, or name the directory that a download was saved in")
        }
        Some(SaveError::NoManifest { .. }) => {
            Some("name the directory that a download was saved in")
        }
        Some(SaveError::NotVerifiable { .. }) => Some("verify pages that are in a directory"),
        Some(SaveError::Io { .. }) | None => None,
    };
    (Status::Broken, hint.map(str::to_owned))
}

fn of_source(error: &SourceError) -> (Status, Option<String>) {
    match error {
        SourceError::NoLinks { .. } => (
            Status::NoPages,
            Some(
                "look at the page: is it the right one, and does --select match its links?".into(),
            ),
        ),
        SourceError::NoColumn { .. } => {
            (Status::Usage, Some("name one of these with --column".into()))
        }
        SourceError::Refused { advice: Some(advice), .. } => {
            (Status::Broken, Some((*advice).to_owned()))
        }
        SourceError::Stopped { .. } => (Status::Incomplete, None),
        SourceError::Refused { status: 403, .. } => (
            Status::Broken,
            Some(
                "some servers refuse programs that do not name who runs them: try --contact MAIL"
                    .into(),
            ),
        ),
        _ => (Status::Broken, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_causes_and_hints() {
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = SaveError::Io { action: "write", path: "pages/x.html".into(), source };
        let exit = Exit::of(&anyhow::Error::new(error));
        assert_eq!(exit.status, Status::Broken);
        assert_eq!(
            exit.message.as_str(),
            "error: failed to write pages/x.html\ncaused by: no storage space\n"
        );

        let error = UsageError { message: "no".into(), hint: Some("yes".into()) };
        let exit = Exit::of(&anyhow::Error::new(error));
        assert_eq!((exit.message.as_str(), exit.status), ("error: no\nhint: yes\n", Status::Usage));
    }
}
