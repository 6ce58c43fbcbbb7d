//! What requests are sent with: the HTTP library, but for https URLs through a proxy that
//! is asked in HTTP, see `tunnel`.

use std::error::Error;
use std::sync::Arc;

use reqwest::{RequestBuilder, Response};
use url::Url;

use super::tunnel::Tunnels;

/// Sends the requests for any host through one proxy, or through none.
#[derive(Clone)]
pub(super) struct Sender {
    library: reqwest::Client,
    tunnels: Option<Arc<Tunnels>>,
}

impl Sender {
    pub(super) fn new(library: reqwest::Client, tunnels: Option<Tunnels>) -> Self {
        Self { library, tunnels: tunnels.map(Arc::new) }
    }

    /// Begins a request for `url`.
    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.library.get(url)
    }

    /// Sends a request that was begun here, and waits for the head of its answer.
    ///
    /// # Errors
    ///
    /// Those of `reqwest`, or of `hyper_util`'s client, which are causes of the former.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
    ) -> Result<Response, Box<dyn Error + Send + Sync>> {
        let request = request.build()?;
        match &self.tunnels {
            Some(tunnels) if request.url().scheme() == "https" => tunnels.send(request).await,
            _ => Ok(self.library.execute(request).await?),
        }
    }
}
