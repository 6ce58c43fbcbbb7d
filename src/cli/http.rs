//! Turns the typed options of HTTP into those of the client.

use super::args::HttpArgs;
use super::credentials::{self, header_value};
use super::usage::{Result, UsageError};
use crate::fetch::tls::{self, Trust};
use crate::fetch::{self, options};
use crate::message;

pub(super) fn http_options(typed: &HttpArgs) -> Result<fetch::Options> {
    let (headers, credentials) = credentials::fields(typed)?;
    let user_agent = match &typed.user_agent {
        Some(agent) => header_value("--user-agent", agent)?,
        None => header_value("--contact", &user_agent(contact(typed)))?,
    };
    let trust = match &typed.cacert {
        Some(path) => Trust::Authorities(tls::read_authorities(path).map_err(|error| {
            let message = format!("--cacert: {}", message::one_line(&error));
            UsageError { message, hint: Some("--cacert takes a file of PEM certificates".into()) }
        })?),
        None if typed.insecure => Trust::Anyone,
        None => Trust::System,
    };
    Ok(fetch::Options {
        user_agent,
        headers,
        credentials,
        connect_timeout: typed.connect_timeout,
        read_timeout: typed.read_timeout,
        max_time: typed.max_time,
        max_size: typed.max_size.0,
        max_redirects: typed.max_redirs,
        http: typed.http.into(),
        trust,
        untrusted: typed.untrusted,
        ..fetch::Options::default()
    })
}

/// Returns the contact of the user, or else the project's own page, when it has one.
pub(super) fn contact(typed: &HttpArgs) -> Option<&str> {
    let project = Some(env!("CARGO_PKG_REPOSITORY")).filter(|page| !page.is_empty());
    typed.contact.as_deref().filter(|contact| !contact.is_empty()).or(project)
}

fn user_agent(contact: Option<&str>) -> String {
    let name = options::USER_AGENT;
    contact.map_or_else(|| name.into(), |contact| format!("{name} ({contact})"))
}
