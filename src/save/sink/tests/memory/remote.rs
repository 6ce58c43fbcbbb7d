//! A store of objects in memory: a sink that waits.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Memory, MemorySink};
use crate::model::Stored;
use crate::save::error::SaveError;
use crate::save::sink::{
    Capabilities, FailingPut, OwnedCapture, RemoteSink, Sink, SinkKind, Target, Testing,
};

pub(in crate::save) const KIND: SinkKind = SinkKind {
    name: "memory store",
    targets: None,
    accepts: |target| matches!(target, Target::Store { scheme, .. } if scheme == "objects"),
    manifest: Memory::manifest,
    capabilities: CAPABILITIES,
    open: |target| Ok(Sink::Remote(Box::new(MemorySink::open(target, CAPABILITIES)))),
    testing: Testing {
        sample: |path| Memory::sample("objects", path),
        failure: FailingPut::Full(Memory::fill),
    },
};

const CAPABILITIES: Capabilities = Capabilities {
    saves_pages: true,
    is_addressable: true,
    is_verifiable: true,
    wants_exchange: true,
    saves_failures: false,
    saves_redirects: false,
};

impl RemoteSink for MemorySink {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn put(&self, capture: OwnedCapture) -> BoxFuture<'_, Result<Stored, SaveError>> {
        async {
            // As a store on the network does.
            tokio::task::yield_now().await;
            self.memory.store(capture)?;
            Ok(Stored::Key)
        }
        .boxed()
    }
}
