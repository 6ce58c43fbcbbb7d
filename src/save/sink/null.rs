//! The sink of `--no-save`: pages are fetched, decoded and hashed, and not saved.

use std::io::ErrorKind;
use std::path::Path;

use super::{Address, Depth, Found, OpenPage, SavedPages, Stat};
use super::{Capabilities, Capture, LocalSink, Pieces, Sink, SinkKind, Target};
use crate::model::Stored;
use crate::save::error::{SaveError, io_error};

pub(super) const KIND: SinkKind = SinkKind {
    name: "none",
    targets: None,
    accepts: |target| matches!(target, Target::Nothing),
    manifest: Target::local_manifest,
    capabilities: CAPABILITIES,
    open: |_| Ok(Sink::Local(Box::new(NullSink))),
    #[cfg(test)]
    testing: super::Testing { sample: |_| Target::Nothing, failure: super::FailingPut::Never },
};

const CAPABILITIES: Capabilities = Capabilities {
    saves_pages: false,
    is_addressable: false,
    is_verifiable: false,
    wants_exchange: false,
    saves_failures: false,
    saves_redirects: false,
};

/// Saves nothing.
struct NullSink;

impl LocalSink for NullSink {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn put(&self, _capture: &Capture<'_>) -> Result<Stored, SaveError> {
        Ok(Stored::Nowhere)
    }

    fn begin<'a>(&'a self, _capture: &Capture<'a>) -> Result<Box<dyn Pieces + 'a>, SaveError> {
        Ok(Box::new(NullPieces))
    }
}

impl SavedPages for NullSink {
    fn stat(&self, _address: Address<'_>) -> Result<Stat, SaveError> {
        Err(nothing())
    }

    fn open(&self, _address: Address<'_>) -> Result<Option<OpenPage<'_>>, SaveError> {
        Err(nothing())
    }

    fn list(
        &self,
        _depth: Depth,
        _visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        Ok(())
    }

    fn remove_staged(&self, _name: &str) -> Result<(), SaveError> {
        Ok(())
    }
}

fn nothing() -> SaveError {
    io_error("look at", Path::new("a page that was not saved"))(ErrorKind::NotFound.into())
}

/// A page that comes in pieces and is dropped.
struct NullPieces;

impl Pieces for NullPieces {
    fn add(&mut self, _piece: &[u8]) -> Result<(), SaveError> {
        Ok(())
    }

    fn finish(self: Box<Self>, _sha256: [u8; 32]) -> Result<Stored, SaveError> {
        Ok(Stored::Nowhere)
    }
}
