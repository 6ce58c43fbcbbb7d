//! A store of objects in memory: a sink that waits.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Memory, body_of, nothing};
use crate::model::Stored;
use crate::save::error::SaveError;
use crate::save::sink::{
    Address, Capabilities, Depth, Found, OwnedCapture, RemoteSink, SavedPages, Sink, SinkKind,
    Stat, Target,
};

pub(in crate::save) const KIND: SinkKind = SinkKind {
    name: "memory store",
    targets: None,
    accepts: |target| matches!(target, Target::Store { scheme, .. } if scheme == "objects"),
    capabilities: CAPABILITIES,
    open: |target| Ok(Sink::Remote(Box::new(MemoryStore(Memory::of(target))))),
};

const CAPABILITIES: Capabilities = Capabilities {
    saves_pages: true,
    is_addressable: true,
    is_verifiable: true,
    wants_exchange: true,
    saves_failures: false,
    saves_redirects: false,
};

struct MemoryStore(Arc<Memory>);

impl MemoryStore {
    fn body(&self, address: Address<'_>) -> Result<Bytes, SaveError> {
        match address {
            Address::Key(key) => self.0.last(key),
            Address::Archive(_) | Address::Id(_) => Err(nothing()),
        }
    }
}

impl RemoteSink for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn put(&self, capture: OwnedCapture) -> BoxFuture<'_, Result<Stored, SaveError>> {
        async {
            // As a store on the network does.
            tokio::task::yield_now().await;
            self.0.store(capture)?;
            Ok(Stored::Key)
        }
        .boxed()
    }
}

impl SavedPages for MemoryStore {
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
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        let captures = self.0.captures();
        let pages = captures.iter().filter(|capture| body_of(capture).is_some());
        let keys: BTreeSet<_> = pages.map(|capture| capture.key.as_str()).collect();
        keys.into_iter().try_for_each(|key| visit(Found::File(key)))
    }

    fn remove_staged(&self, name: &str) -> Result<(), SaveError> {
        panic!("{name} was not listed")
    }
}
