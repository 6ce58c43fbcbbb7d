//! Where pages are kept: one trait, a table of its implementations, and what
//! belongs to keeping (names, manifest, what earlier runs left, verification).

pub mod atomic;
mod beneath;
pub mod catalogue;
mod dir;
#[cfg(test)]
mod foreign_bytes;
mod history;
pub mod key;
mod line;
pub mod manifest;
mod natural;
mod null;
mod page_url;
mod recorded;
pub mod records;
mod sole;
mod standing;
pub mod verify;
mod walk;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod hostile;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{FailureCode, Key};
use beneath::Root;
use catalogue::Catalogue;
use key::Layout;
use manifest::ManifestWriter;
pub use page_url::PageUrl;
pub use recorded::Recorded;

/// The manifest's name in an output directory.
pub const MANIFEST_NAME: &str = "manifest.jsonl";
/// `--output`
pub const DEFAULT_OUTPUT: &str = "pages";

/// Keeps the bytes of pages.
///
/// Implementors are called from many threads at a time, each with a different
/// key. After `Ok` the page is whole under its key and replaces what was there;
/// after `Err` what was there before is still there, whole. A reader never sees
/// half a page. `put` may block: it runs where the executor computes.
pub trait Sink: Send + Sync {
    /// Keeps `body` under `key`.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot; it says whether other pages would fare better.
    fn put(&self, key: &Key, body: &[u8]) -> Result<(), SaveError>;

    /// Begins a page that comes in pieces and is kept under `key`.
    ///
    /// What [`put`](Self::put) guarantees holds for it too: nothing is seen under the
    /// key before [`finish`](Pieces::finish).
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot; it says whether other pages would fare better.
    fn begin(&self, key: &Key) -> Result<Box<dyn Pieces + '_>, SaveError>;

    /// Whether the pages can be found again under their keys.
    fn keeps(&self) -> bool {
        true
    }

    /// Removes what the process of number `process`, which is dead and had the
    /// same place open, left half kept.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when something of it is left. It harms no page.
    fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        let _ = process;
        Ok(())
    }
}

/// A page on its way into a sink.
///
/// Dropping it unfinished leaves what was under its key before, and nothing else.
/// All of it may block, as [`Sink::put`] may.
pub trait Pieces: Send {
    /// Adds what comes next.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot. The page can then not be finished.
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError>;

    /// Keeps the page: all that was added, in its order.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when it cannot, or when a piece could not be added. What was
    /// there before is still there, whole.
    fn finish(self: Box<Self>) -> Result<(), SaveError>;
}

/// One way of keeping pages.
pub struct Row {
    /// Its name, for the run record.
    pub name: &'static str,
    /// Whether these options ask for it.
    pub is_asked_for: fn(&Options) -> bool,
    /// Opens it in the output directory, which is there.
    pub open: fn(&Path) -> Result<Box<dyn Sink>, SaveError>,
}

/// The ways of keeping pages; the first that is asked for is taken.
pub const TABLE: &[Row] = &[
    Row {
        name: "none",
        is_asked_for: |options| !options.keep_pages,
        open: |_| Ok(Box::new(null::NullSink)),
    },
    Row {
        name: "directory",
        is_asked_for: |_| true,
        open: |directory| Ok(Box::new(dir::DirSink::open(directory)?)),
    },
];

/// Where and how pages are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The output directory.
    pub directory: PathBuf,
    /// How names are arranged in it.
    pub layout: Layout,
    /// False keeps the manifest only (`--no-save`).
    pub keep_pages: bool,
    /// Which pages of earlier runs are fetched again.
    pub refetch: Refetch,
    /// The source, as the record of the run says it in `args`.
    pub source: Vec<String>,
}

/// Which pages of earlier runs are fetched again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Refetch {
    /// All: what is there is replaced.
    #[default]
    All,
    /// Those that are not saved, or not with their recorded size (`--resume`).
    Unsaved,
    /// Those that failed and nothing else, with one of these codes when there are any (`--retry-failed`).
    Failed(Vec<FailureCode>),
    /// Those that are not saved, and those that the server says have changed (`--update`).
    Changed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            directory: DEFAULT_OUTPUT.into(),
            layout: Layout::default(),
            keep_pages: true,
            refetch: Refetch::default(),
            source: Vec::new(),
        }
    }
}

/// Where pages are kept, for opening it in another process too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    /// The name of its row.
    way: String,
    #[serde(with = "as_bytes")]
    directory: PathBuf,
}

impl Place {
    /// The place that `options` ask for.
    pub fn of(options: &Options) -> Self {
        let row = TABLE.iter().find(|row| (row.is_asked_for)(options));
        let row = row.expect("the table's last row is for everybody");
        Self { way: row.name.to_owned(), directory: options.directory.clone() }
    }

    /// Opens it; the directory must be there. `None` when this program does not know the way.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the directory cannot be opened.
    pub fn open(&self) -> Option<Result<Box<dyn Sink>, SaveError>> {
        let row = TABLE.iter().find(|row| row.name == self.way)?;
        Some((row.open)(&self.directory))
    }
}

/// A path as the system has it, which may be no text.
mod as_bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Vec::deserialize(from).map(|bytes| OsString::from_vec(bytes).into())
    }
}

/// An output that is open for a run.
pub struct Output {
    /// Keeps the pages.
    pub sink: Box<dyn Sink>,
    /// Where the sink is.
    pub place: Place,
    /// Records what became of them; holds the lock on the output.
    pub manifest: ManifestWriter,
    /// Names them, and knows what earlier runs made of them.
    pub catalogue: Catalogue,
    /// What people should know of what earlier runs left, a sentence each.
    pub notes: Vec<String>,
}

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
fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> SaveError + 'a {
    move |source| SaveError::Io { action, path: path.to_owned(), source }
}

/// Opens the output for a run: makes the directory, locks and mends the
/// manifest, removes what a killed run staged, and reads which names are taken.
///
/// # Errors
///
/// [`SaveError`] when the output is a file, is locked by another run, or cannot be read or written.
pub fn open(options: &Options) -> Result<Output, SaveError> {
    let root = Root::create(&options.directory)?;
    let mut manifest = ManifestWriter::open(&root)?;
    let (catalogue, notes) = history::open(options, root, &mut manifest)?;
    let place = Place::of(options);
    let sink = place.open().expect("the place is of the table")?;
    Ok(Output { sink, place, manifest, catalogue, notes })
}
