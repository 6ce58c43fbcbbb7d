//! What breaks a run at its output.

use std::io;
use std::path::{Path, PathBuf};

use super::names::reserved::MANIFEST_NAME;

/// Something about the output does not work.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// A file operation failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb: `write`, `create the directory`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The output is there and is no directory.
    #[error("the output {} is there and is not a directory", path.display())]
    NotADirectory {
        /// The output.
        path: PathBuf,
    },
    /// There is something else in the place of a folder of the output.
    #[error(
        "{} is {}, and nothing is saved or read through it",
        path.display(),
        if *is_link { "a symbolic link" } else { "there and is no folder" }
    )]
    NotAFolder {
        /// What is there.
        path: PathBuf,
        /// Whether it is a symbolic link.
        is_link: bool,
    },
    /// A folder of the output may be entered and not listed: it may hide files that
    /// are no pages.
    #[error("failed to list the folder {}", path.display())]
    HiddenFolder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another run is writing there.
    #[error("another run is writing into {}", path.display())]
    Locked {
        /// The output.
        path: PathBuf,
    },
    /// There is something else in the place of the manifest.
    #[error("{} is there and is no manifest", path.display())]
    NotAManifest {
        /// What is there.
        path: PathBuf,
    },
    /// There is no manifest where one is needed.
    #[error("there is no {MANIFEST_NAME} in {}", path.display())]
    NoManifest {
        /// The output.
        path: PathBuf,
    },
}

impl SaveError {
    /// Whether every further page would fail the same way: a full or read-only
    /// disk, say, unlike a single name that the file system refuses.
    pub fn breaks_run(&self) -> bool {
        use io::ErrorKind as Kind;
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                Kind::StorageFull
                    | Kind::QuotaExceeded
                    | Kind::ReadOnlyFilesystem
                    | Kind::PermissionDenied
                    | Kind::StaleNetworkFileHandle
                    | Kind::NotFound
            ),
            Self::NotAFolder { .. } => false,
            Self::NotADirectory { .. }
            | Self::HiddenFolder { .. }
            | Self::Locked { .. }
            | Self::NotAManifest { .. }
            | Self::NoManifest { .. } => true,
        }
    }
}

/// Makes the error of a failed file operation.
pub(super) fn io_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> SaveError + 'a {
    move |source| SaveError::Io { action, path: path.to_owned(), source }
}
