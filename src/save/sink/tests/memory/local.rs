//! An archive in memory: a sink that blocks.

use std::io::Read;
use std::sync::Arc;

use bytes::Buf;

use super::{Memory, nothing};
use crate::model::{ArchiveRecord, Key, Stored};
use crate::save::error::SaveError;
use crate::save::sink::{
    Address, Capabilities, Capture, Content, Depth, Found, LocalSink, OwnedCapture, OwnedContent,
    Pieces, SavedPages, Sink, SinkKind, Stat, Target,
};

pub(in crate::save) const KIND: SinkKind = SinkKind {
    name: "memory archive",
    targets: None,
    accepts: |target| matches!(target, Target::Store { scheme, .. } if scheme == "archive"),
    capabilities: CAPABILITIES,
    open: |target| Ok(Sink::Local(Box::new(MemoryArchive(Memory::of(target))))),
};

const CAPABILITIES: Capabilities = Capabilities {
    saves_pages: true,
    is_addressable: false,
    is_verifiable: true,
    wants_exchange: true,
    saves_failures: true,
    saves_redirects: true,
};

const ARCHIVE: &str = "memory.warc";

struct MemoryArchive(Arc<Memory>);

impl MemoryArchive {
    fn store(&self, capture: OwnedCapture) -> Result<Stored, SaveError> {
        let length = match &capture.content {
            OwnedContent::Whole { decoded, .. } => decoded.len() as u64,
            OwnedContent::Incomplete(_) => 0,
        };
        let archive = Key::new(ARCHIVE).expect("this is a file name");
        let offset = self.0.store(capture)?;
        Ok(Stored::Archive(Box::new(ArchiveRecord { archive, offset, length })))
    }

    fn body(&self, address: Address<'_>) -> Result<bytes::Bytes, SaveError> {
        match address {
            Address::Archive(record) if record.archive.as_str() == ARCHIVE => {
                self.0.body(record.offset)
            }
            _ => Err(nothing()),
        }
    }
}

/// The capture with a body of its own.
fn owned(capture: &Capture<'_>, content: OwnedContent) -> OwnedCapture {
    OwnedCapture {
        key: capture.key.clone(),
        exchange: capture.exchange.cloned().map(Box::new),
        redirects: capture.redirects.to_vec(),
        encoded: capture.encoded.clone(),
        content,
    }
}

impl LocalSink for MemoryArchive {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn put(&self, capture: &Capture<'_>) -> Result<Stored, SaveError> {
        let content = match capture.content {
            Content::Whole { decoded, sha256 } => {
                OwnedContent::Whole { decoded: decoded.to_vec().into(), sha256 }
            }
            Content::Incomplete(failure) => OwnedContent::Incomplete(failure.clone()),
            Content::InPieces => panic!("the pieces come by another way"),
        };
        self.store(owned(capture, content))
    }

    fn begin<'a>(&'a self, capture: &Capture<'a>) -> Result<Box<dyn Pieces + 'a>, SaveError> {
        Ok(Box::new(Draft { archive: self, capture: *capture, decoded: Vec::new() }))
    }
}

struct Draft<'a> {
    archive: &'a MemoryArchive,
    capture: Capture<'a>,
    decoded: Vec<u8>,
}

impl Pieces for Draft<'_> {
    fn add(&mut self, piece: &[u8]) -> Result<(), SaveError> {
        self.decoded.extend_from_slice(piece);
        Ok(())
    }

    fn finish(self: Box<Self>, sha256: [u8; 32]) -> Result<Stored, SaveError> {
        let content = OwnedContent::Whole { decoded: self.decoded.into(), sha256 };
        self.archive.store(owned(&self.capture, content))
    }
}

impl SavedPages for MemoryArchive {
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError> {
        let len = self.body(address)?.len() as u64;
        Ok(Stat { is_file: true, len, modified: None })
    }

    fn open(&self, address: Address<'_>) -> Result<Option<Box<dyn Read + '_>>, SaveError> {
        Ok(Some(Box::new(self.body(address)?.reader())))
    }

    fn list(
        &self,
        _depth: Depth,
        _visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        Ok(()) // Nothing in an archive has a name.
    }

    fn remove_staged(&self, name: &str) -> Result<(), SaveError> {
        panic!("{name} was not listed")
    }
}
