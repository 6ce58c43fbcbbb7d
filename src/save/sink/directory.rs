//! Pages as files in a directory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::atomic::Stage;
use super::beneath::Root;
use super::walk::walk;
use super::{Address, Depth, Found, SavedPages, Stat};
use super::{Capabilities, Capture, Content, LocalSink, Pieces, Sink, SinkKind, Target};
use crate::model::{Key, Stored};
use crate::save::error::{SaveError, io_error};

pub(super) const KIND: SinkKind = SinkKind {
    name: "directory",
    targets: Some("directories"),
    accepts: |target| matches!(target, Target::Directory(_)),
    capabilities: CAPABILITIES,
    open: |target| match target {
        Target::Directory(path) => Ok(Sink::Local(Box::new(DirectorySink::open(path)?))),
        _ => unreachable!("no other target is accepted"),
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
    /// A sink in the directory `path`, which must be there.
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

    fn open(&self, address: Address<'_>) -> Result<Option<Box<dyn Read + '_>>, SaveError> {
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

    fn open(&self, address: Address<'_>) -> Result<Option<Box<dyn Read + '_>>, SaveError> {
        let key = key_at(self, address)?;
        let opened: io::Result<Option<File>> = self.entry(key)?.read();
        let file = opened.map_err(|error| io_error("read", &self.path_of(key))(error))?;
        Ok(file.map(|file| Box::new(file) as _))
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

/// The key at `address`; a directory has nothing at any other address.
fn key_at<'a>(root: &Root, address: Address<'a>) -> Result<&'a Key, SaveError> {
    match address {
        Address::Key(key) => Ok(key),
        Address::Archive(_) | Address::Id(_) => {
            Err(io_error("look at", root.path())(ErrorKind::NotFound.into()))
        }
    }
}
