//! The errors of an output, and which of them end a run.

use std::io;
use std::path::{Path, PathBuf};

/// An output could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// A file operation failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// The operation, as a verb: `write`, `create the directory`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The output exists and is not a directory.
    #[error("the output {} exists and is not a directory", path.display())]
    NotADirectory {
        /// The output.
        path: PathBuf,
    },
    /// Something else stands in the place of a folder of the output.
    #[error(
        "{} {}, so no page below it can be saved or read",
        path.display(),
        if *is_link { "is a symbolic link" } else { "exists and is not a folder" }
    )]
    NotAFolder {
        /// The path of the folder.
        path: PathBuf,
        /// Whether a symbolic link stands there.
        is_link: bool,
    },
    /// A folder of the output may be entered but not listed, so it may hide foreign files.
    #[error("failed to list the folder {}", path.display())]
    HiddenFolder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another run writes into the output.
    #[error("another run is writing into {}", path.display())]
    Locked {
        /// The output.
        path: PathBuf,
    },
    /// Something else stands in the place of the manifest.
    #[error("{} exists and is not a manifest", path.display())]
    NotAManifest {
        /// The path of the manifest.
        path: PathBuf,
    },
    /// The output has no manifest, and the command needs one.
    #[error("there is no {name} in {}", path.display())]
    NoManifest {
        /// The manifest's name.
        name: String,
        /// The directory that it should be in.
        path: PathBuf,
    },
    /// The sink cannot read its pages again, and the command needs them.
    #[error("the pages in {output} cannot be read again, so they cannot be verified")]
    NotVerifiable {
        /// The output.
        output: String,
    },
}

impl SaveError {
    /// Whether every further page would fail in the same way. A full or read-only disk has
    /// this effect; a single name that the file system refuses does not.
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
            | Self::NoManifest { .. }
            | Self::NotVerifiable { .. } => true,
        }
    }
}

/// Returns a function that makes the error of a failed file operation.
pub(super) fn io_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> SaveError + 'a {
    move |source| SaveError::Io { action, path: path.to_owned(), source }
}
