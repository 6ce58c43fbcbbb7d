//! Decides which servers to trust over TLS: one rustls configuration for all clients of a
//! run.
//!
//! The system's certificates are read when the first server is verified: a run without
//! TLS does not pay for them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use serde::{Deserialize, Serialize};

use super::handshakes::Handshakes;
use super::http_choice::HttpChoice;
use super::serde_headers;

/// The largest file of certificates, in bytes. All known authorities take less than one
/// hundredth of it.
const LARGEST_CERTIFICATES: u64 = 64 << 20;

/// The certificates to trust.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Trust {
    /// The system's store, or the file that `SSL_CERT_FILE` names; Mozilla's list, which
    /// is built in, if there is neither.
    #[default]
    System,
    /// These authorities and no others (`--cacert`).
    #[serde(with = "serde_headers::certificates")]
    Authorities(Vec<CertificateDer<'static>>),
    /// All (`-k`): the connection is encrypted, but the server may be an impostor.
    Anyone,
}

/// A certificate file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateFileError {
    /// It cannot be read, or is not PEM.
    #[error("failed to read certificates from {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// It has no certificate.
    #[error("{} has no PEM certificate", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is too large for such a file.
    #[error("{} has more than {LARGEST_CERTIFICATES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// One of its certificates cannot be an authority.
    #[error("{} has a certificate that cannot be used as an authority", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Error,
    },
}

/// Reads the PEM certificates of a `--cacert` file.
///
/// # Errors
///
/// [`CertificateFileError`] when the file cannot be read, or has no usable certificate.
pub(crate) fn read_authorities(
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, CertificateFileError> {
    let unreadable = |source| CertificateFileError::Unreadable { path: path.to_owned(), source };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_CERTIFICATES + 1).read_to_end(&mut text))
        .map_err(|error| unreadable(pem::Error::Io(error)))?;
    if text.len() as u64 > LARGEST_CERTIFICATES {
        return Err(CertificateFileError::TooLarge { path: path.to_owned() });
    }
    let certificates =
        CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(CertificateFileError::Empty { path: path.to_owned() });
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store
            .add(certificate.clone())
            .map_err(|source| CertificateFileError::Unusable { path: path.to_owned(), source })?;
    }
    Ok(certificates)
}

/// Makes the configuration. Its clones share the verifier, the session cache and
/// `handshakes`, which counts for all.
pub(super) fn client_config(
    trust: &Trust,
    http: HttpChoice,
    handshakes: &Arc<Handshakes>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        trust: trust.clone(),
        provider: Arc::clone(&provider),
        handshakes: Arc::clone(handshakes),
        loaded: OnceLock::new(),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.key_log = Arc::clone(handshakes) as _;
    // The HTTP library sets no ALPN in a configuration that it is given.
    config.alpn_protocols = match http {
        HttpChoice::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpChoice::Http1 => vec![b"http/1.1".to_vec()],
        HttpChoice::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// Verifies servers by the usual rules of the web. It reads the authorities when it first
/// needs them.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    handshakes: Arc<Handshakes>,
    loaded: OnceLock<Result<Arc<WebPkiServerVerifier>, Error>>,
}

impl Verifier {
    fn load(&self) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut roots = RootCertStore::empty();
        if let Trust::Authorities(authorities) = &self.trust {
            roots.add_parsable_certificates(authorities.iter().cloned());
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl Verifier {
    /// Whether the user's file contains this certificate.
    fn is_given(&self, certificate: &CertificateDer<'_>) -> bool {
        let Trust::Authorities(authorities) = &self.trust else { return false };
        authorities.iter().any(|given| given.as_ref() == certificate.as_ref())
    }
}

/// Whether a server uses the certificate of an authority as its own. `openssl req -x509`
/// makes such certificates when a user wants a self-signed one. The verifier checks the
/// time of validity before it reports this error.
fn is_authority_as_server(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    let cause = other.0.downcast_ref::<webpki::Error>();
    matches!(cause, Some(webpki::Error::CaUsedAsEndEntity))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if matches!(self.trust, Trust::Anyone) {
            return Ok(ServerCertVerified::assertion());
        }
        let verifier = self.loaded.get_or_init(|| self.load()).as_ref().map_err(Error::clone)?;
        let result =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match result {
            Err(error) if is_authority_as_server(&error) && self.is_given(end_entity) => {
                // Everything before this error was valid; only the name is left to check.
                let certificate = ParsedCertificate::try_from(end_entity)?;
                verify_server_name(&certificate, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
            .inspect(|_| self.handshakes.count_proven())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
            .inspect(|_| self.handshakes.count_proven())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a TLS error is about the server's certificate, so that `--cacert` may help.
pub(super) const fn is_about_certificate(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::UnknownIssuer
                | CertificateError::BadSignature
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. }
        )
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    /// Makes a self-signed certificate for `a.org` that is an authority or not, and is
    /// valid until the end of `year`.
    fn self_signed(is_authority: bool, year: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["a.org".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    #[test]
    fn a_self_signed_certificate_that_was_named_is_trusted_for_its_name() {
        let now = UnixTime::since_unix_epoch(Duration::from_hours(24 * 365 * 57));
        for (is_authority, year, is_named, name, is_trusted) in [
            (true, 2040, true, "a.org", true),
            (false, 2040, true, "a.org", true),
            (true, 2040, true, "b.org", false),
            (false, 2040, true, "b.org", false),
            (true, 2020, true, "a.org", false),
            (true, 2040, false, "a.org", false),
        ] {
            let shown = self_signed(is_authority, year);
            let named = if is_named { shown.clone() } else { self_signed(is_authority, year) };
            let verifier = Verifier {
                trust: Trust::Authorities(vec![named]),
                provider: Arc::new(ring::default_provider()),
                handshakes: Arc::default(),
                loaded: OnceLock::new(),
            };
            let name = ServerName::try_from(name).unwrap();
            let result = verifier.verify_server_cert(&shown, &[], &name, &[], now);
            assert_eq!(result.is_ok(), is_trusted, "{is_authority} {year} {is_named} {name:?}");
        }
    }
}
