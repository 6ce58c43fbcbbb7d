//! The origin's TLS identity: a certificate authority of its own and a server certificate.
//!
//! They are made anew for each origin and stay in memory. There are two certificates and not one,
//! because some clients refuse a server's own certificate as its authority.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::error::OriginError;

/// The names for which the server certificate is valid.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The TLS configuration of a server, and the certificate that its clients have to trust.
pub(super) struct Identity {
    /// The authority's certificate.
    pub(super) authority_pem: String,
    /// Offers HTTP/2 and HTTP/1.1, and resumes sessions.
    pub(super) config: Arc<ServerConfig>,
}

impl Identity {
    /// Makes keys and certificates, which takes about a millisecond.
    pub(super) fn generate() -> Result<Identity, OriginError> {
        let (authority_pem, chain, key) = certificates().map_err(OriginError::Certificate)?;
        let config = server_config(chain, key).map_err(OriginError::Tls)?;
        Ok(Identity { authority_pem, config: Arc::new(config) })
    }
}

/// The authority's certificate as PEM, the server's as DER, and the server's key.
fn certificates()
-> Result<(String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "fetchpages origin authority");
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut server = CertificateParams::new(NAMES.map(str::to_owned))?;
    server.distinguished_name.push(DnType::CommonName, "fetchpages origin");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let server = server.signed_by(&key, &authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((authority.pem(), vec![server.der().clone()], key.into()))
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Tickets, because the built-in session cache holds at most 256 sessions.
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

/// For tests: a client's configuration that trusts `authority_pem` alone.
#[cfg(test)]
pub(super) fn trusting(authority_pem: &str, protocol: &str) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::pem::PemObject;

    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority_pem.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    Arc::new(config)
}
