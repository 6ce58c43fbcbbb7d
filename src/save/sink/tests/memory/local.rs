//! An archive in memory: a sink that blocks.

use super::{ARCHIVE, Memory, MemorySink};
use crate::model::{ArchiveRecord, Key, Stored};
use crate::save::error::SaveError;
use crate::save::sink::{
    Capabilities, Capture, Content, FailingPut, LocalSink, OwnedCapture, OwnedContent, Pieces,
    Sink, SinkKind, Target, Testing,
};

pub(in crate::save) const KIND: SinkKind = SinkKind {
    name: "memory archive",
    targets: None,
    accepts: |target| matches!(target, Target::Store { scheme, .. } if scheme == "archive"),
    manifest: Memory::manifest,
    capabilities: CAPABILITIES,
    open: |target| Ok(Sink::Local(Box::new(MemorySink::open(target, CAPABILITIES)))),
    testing: Testing {
        sample: |path| Memory::sample("archive", path),
        failure: FailingPut::Full(Memory::fill),
    },
};

const CAPABILITIES: Capabilities = Capabilities {
    saves_pages: true,
    is_addressable: false,
    is_verifiable: true,
    wants_exchange: true,
    saves_failures: true,
    saves_redirects: true,
};

impl MemorySink {
    /// Stores a capture that has `content`, and returns its record.
    fn append(&self, capture: &Capture<'_>, content: OwnedContent) -> Result<Stored, SaveError> {
        let length = match &content {
            OwnedContent::Whole { decoded, .. } => decoded.len() as u64,
            OwnedContent::Incomplete(_) => 0,
        };
        let offset = self.memory.store(OwnedCapture {
            key: capture.key.clone(),
            exchange: capture.exchange.cloned().map(Box::new),
            redirects: capture.redirects.to_vec(),
            encoded: capture.encoded.clone(),
            content,
        })?;
        let archive = Key::new(ARCHIVE).expect("this is a file name");
        Ok(Stored::Archive(Box::new(ArchiveRecord { archive, offset, length })))
    }
}

impl LocalSink for MemorySink {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn put(&self, capture: &Capture<'_>) -> Result<Stored, SaveError> {
        let content = match capture.content {
            Content::Whole { decoded, sha256 } => {
                OwnedContent::Whole { decoded: decoded.to_vec().into(), sha256 }
            }
            Content::Incomplete(failure) => OwnedContent::Incomplete(failure.clone()),
            Content::InPieces => panic!("`begin` takes the pages that come in pieces"),
        };
        self.append(capture, content)
    }

    fn begin<'a>(&'a self, capture: &Capture<'a>) -> Result<Box<dyn Pieces + 'a>, SaveError> {
        Ok(Box::new(Draft { archive: self, capture: *capture, decoded: Vec::new() }))
    }
}

struct Draft<'a> {
    archive: &'a MemorySink,
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
        self.archive.append(&self.capture, content)
    }
}
