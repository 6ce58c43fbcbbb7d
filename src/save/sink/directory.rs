//! Pages as files in a directory.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;

use super::atomic::Stage;
use super::beneath::Root;
use super::walk::walk;
use super::{Address, Depth, Found, OpenPage, SavedPages, Stat};
use super::{Capabilities, Capture, Content, LocalSink, Pieces, Sink, SinkKind, Target};
use crate::model::{Key, Stored};
use crate::save::error::{SaveError, io_error};

pub(super) const KIND: SinkKind = SinkKind {
    name: "directory",
    targets: Some("directories"),
    accepts: |target| matches!(target, Target::Directory(_)),
    manifest: Target::local_manifest,
    capabilities: CAPABILITIES,
    open: |target| match target {
        Target::Directory(path) => Ok(Sink::Local(Box::new(DirectorySink::open(path)?))),
        _ => unreachable!("no other target is accepted"),
    },
    #[cfg(test)]
    testing: super::Testing {
        sample: |path| Target::Directory(path.to_owned()),
        failure: super::FailingPut::NameOfFolder,
    },
};

const CAPABILITIES: Capabilities = Capabilities {
    saves_pages: true,
    is_addressable: true,
    is_verifiable: true,
    wants_exchange: false,
    saves_failures: false,
    saves_redirects: false,
};

/// Saves each page as a file of its own, under its key.
pub(super) struct DirectorySink {
    stage: Stage,
}

impl DirectorySink {
    /// Opens the sink of the directory `path`, which must exist.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when it cannot be opened.
    fn open(path: &Path) -> Result<Self, SaveError> {
        let root = Root::open(path).map_err(io_error("open", path))?;
        Ok(Self { stage: Stage::of(root) })
    }
}

impl LocalSink for DirectorySink {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn put(&self, capture: &Capture<'_>) -> Result<Stored, SaveError> {
        let Content::Whole { decoded, .. } = capture.content else {
            return Ok(Stored::Nowhere);
        };
        self.stage.write(capture.key, decoded)?;
        Ok(Stored::Key)
    }

    fn begin<'a>(&'a self, capture: &Capture<'a>) -> Result<Box<dyn Pieces + 'a>, SaveError> {
        Ok(Box::new(self.stage.begin(Cow::Borrowed(capture.key))?))
    }

    fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        self.stage.clear_after(process)
    }
}

impl SavedPages for DirectorySink {
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError> {
        SavedPages::stat(self.stage.root(), address)
    }

    fn open(&self, address: Address<'_>) -> Result<Option<OpenPage<'_>>, SaveError> {
        SavedPages::open(self.stage.root(), address)
    }

    fn list(
        &self,
        depth: Depth,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        walk(self.stage.root(), depth, visit)
    }

    fn remove_staged(&self, name: &str) -> Result<(), SaveError> {
        self.stage.root().remove_staged(name)
    }
}

impl SavedPages for Root {
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError> {
        self.stat_of(key_at(self, address)?)
    }

    fn open(&self, address: Address<'_>) -> Result<Option<OpenPage<'_>>, SaveError> {
        let key = key_at(self, address)?;
        let path = self.path_of(key);
        let opened = self.entry(key)?.read().map_err(io_error("read", &path))?;
        let Some(file) = opened else { return Ok(None) };
        let len = file.metadata().map_err(io_error("look at", &path))?.len();
        Ok(Some(OpenPage { len, body: Box::new(file) }))
    }

    fn list(
        &self,
        depth: Depth,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        walk(self, depth, visit)
    }

    fn remove_staged(&self, name: &str) -> Result<(), SaveError> {
        let removed = self.top(name).remove();
        removed.map_err(io_error("remove the staged file", &self.path().join(name)))
    }
}

/// Returns the key in `address`. In a directory there is nothing at other addresses.
fn key_at<'a>(root: &Root, address: Address<'a>) -> Result<&'a Key, SaveError> {
    match address {
        Address::Key(key) => Ok(key),
        Address::Archive(_) | Address::Id(_) => {
            Err(io_error("look at", root.path())(ErrorKind::NotFound.into()))
        }
    }
}
