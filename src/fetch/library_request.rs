//! Builds the request that the HTTP library sends: its address, its secrets and its
//! validators.

use std::sync::Arc;

use http::header;

use super::channel::NoBody;
use super::client::Client;
use super::route::Route;
use super::{Request, cookies, credentials};
use crate::model::Validators;

impl Client {
    /// Builds the library's request for `request`, to be sent by `route`.
    pub(super) fn library_request(
        &self,
        route: &Route<'_>,
        request: &Request<'_>,
    ) -> reqwest::RequestBuilder {
        let mut url = request.url.clone();
        if request.hops > 0 {
            // The login that the user typed into the address stays at home, and one in a
            // redirect's target is the server's choice. Neither call fails for an http(s)
            // URL, which always has a host.
            let own = Some(request.start_url).filter(|_| credentials::keeps_own_login(request));
            let _ = url.set_username(own.map_or("", |start| start.username()));
            let _ = url.set_password(own.and_then(|start| start.password()));
        }
        let body = reqwest::Body::wrap(NoBody(Arc::clone(route.send_state())));
        let mut library_request = route.sender().get(url).body(body);
        let mut secrets = self.options().credentials.fields_for(request);
        if !request.cookies.is_empty()
            && let Some(field) =
                cookies::cookie_header(request.cookies, secrets.get(header::COOKIE), request.url)
        {
            // It replaces the user's own cookies, which it contains.
            secrets.insert(header::COOKIE, field);
        }
        if !secrets.is_empty() {
            library_request = library_request.headers(secrets);
        }
        // A server that understands the ETag ignores the date (RFC 9110, 13.2.2).
        if let Some(Validators { etag, last_modified, .. }) = request.validators {
            library_request =
                [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, last_modified)]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.as_ref()?.raw())))
                    .fold(library_request, |library_request, (name, value)| {
                        library_request.header(name, value)
                    });
        }
        library_request
    }
}
