//! Counts TLS handshakes by kind. The HTTP library does not expose them, so the callbacks
//! of the TLS library count.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::KeyLog;

use crate::model::TlsVersion;

/// The only secret of a TLS 1.2 connection, and the one with which the requests of a TLS
/// 1.3 connection begin. A key log has exactly one such line for each connection, with a
/// new session or a resumed one ("The NSS Key Log Format", draft-ietf-tls-keylogfile).
const ONE_PER_CONNECTION: [&str; 2] = ["CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0"];

tokio::task_local! {
    /// The version of TLS that the connection being opened speaks.
    static VERSION: Cell<Option<TlsVersion>>;
}

/// Waits for a connection. Returns it with its version of TLS.
pub(super) async fn with_version<F: Future>(connecting: F) -> (F::Output, Option<TlsVersion>) {
    let connecting = async { (connecting.await, VERSION.with(Cell::get)) };
    VERSION.scope(Cell::new(None), connecting).await
}

/// Counts handshakes. A handshake that fails after the server's proof counts as full.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    proven: AtomicU64,
    keyed: AtomicU64,
}

impl Handshakes {
    /// Counts a server's proof that it holds its certificate's key. Every handshake needs
    /// one, except those that resume a session.
    pub(super) fn count_proven(&self) {
        self.proven.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the numbers of full and of resumed handshakes so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        let proven = self.proven.load(Ordering::Relaxed);
        (proven, self.keyed.load(Ordering::Relaxed).saturating_sub(proven))
    }
}

/// The TLS library calls this for each secret of a connection. No secret is logged: only
/// its existence matters.
impl KeyLog for Handshakes {
    fn will_log(&self, label: &str) -> bool {
        ONE_PER_CONNECTION.contains(&label)
    }

    fn log(&self, label: &str, _client_random: &[u8], _secret: &[u8]) {
        if self.will_log(label) {
            self.keyed.fetch_add(1, Ordering::Relaxed);
            let [of_tls12, _] = ONE_PER_CONNECTION;
            let version = if label == of_tls12 { TlsVersion::Tls12 } else { TlsVersion::Tls13 };
            // Fails if no connection is awaited, as in tests of handshakes alone.
            let _ = VERSION.try_with(|last| last.set(Some(version)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::version::{TLS12, TLS13};
    use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
    use rustls::{HandshakeKind, SupportedProtocolVersion};

    use super::*;
    use crate::fetch::HttpChoice;
    use crate::fetch::tls::{Trust, client_config};

    fn server(version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
        let signed = rcgen::generate_simple_self_signed(["a.org".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], PrivateKeyDer::Pkcs8(key));
        Arc::new(config.unwrap())
    }

    /// Makes a connection in memory, and runs it until neither side has more to send.
    /// Returns the kind of its handshake.
    fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
        let name = "a.org".try_into().unwrap();
        let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        while client.wants_write() || server.wants_write() {
            let mut sent = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut sent).unwrap();
            }
            server.read_tls(&mut sent.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            let mut sent = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut sent).unwrap();
            }
            client.read_tls(&mut sent.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        client.handshake_kind().unwrap()
    }

    #[test]
    fn full_and_resumed_handshakes_are_told_apart_in_both_versions() {
        for version in [&TLS12, &TLS13] {
            let handshakes = Arc::<Handshakes>::default();
            let client = client_config(&Trust::Anyone, HttpChoice::Http1, &handshakes).unwrap();
            let (client, server) = (Arc::new(client), server(version));
            assert_eq!(connect(&client, &server), HandshakeKind::Full);
            assert_eq!(handshakes.counts(), (1, 0));
            assert_eq!(connect(&client, &server), HandshakeKind::Resumed);
            assert_eq!(connect(&client, &server), HandshakeKind::Resumed);
            assert_eq!(handshakes.counts(), (1, 2));
        }
    }
}
