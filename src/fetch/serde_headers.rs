//! Serialises options of foreign types, for another process.
//!
//! Bytes are in Base64: a header's value may not be text, and lists of numbers are long.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn bytes<E: Error>(text: &str) -> Result<Vec<u8>, E> {
    STANDARD.decode(text).map_err(E::custom)
}

/// A header's value, and whether it is a secret.
pub(super) mod value {
    use http::HeaderValue;

    use super::{Deserialize, Deserializer, Engine, Error, STANDARD, Serialize, Serializer, bytes};

    pub(in crate::fetch) fn serialize<S: Serializer>(
        value: &HeaderValue,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (STANDARD.encode(value.as_bytes()), value.is_sensitive()).serialize(serializer)
    }

    pub(in crate::fetch) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HeaderValue, D::Error> {
        let (text, is_sensitive) = <(String, bool)>::deserialize(deserializer)?;
        let mut value = HeaderValue::from_bytes(&bytes(&text)?).map_err(D::Error::custom)?;
        value.set_sensitive(is_sensitive);
        Ok(value)
    }
}

/// Headers, in their order.
pub(super) mod headers {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Line(String, #[serde(with = "super::value")] HeaderValue);

    pub(in crate::fetch) fn serialize<S: Serializer>(
        headers: &HeaderMap,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let lines = headers.iter().map(|(name, value)| Line(name.to_string(), value.clone()));
        serializer.collect_seq(lines)
    }

    pub(in crate::fetch) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HeaderMap, D::Error> {
        let mut headers = HeaderMap::new();
        for Line(name, value) in Vec::deserialize(deserializer)? {
            headers.append(name.parse::<HeaderName>().map_err(D::Error::custom)?, value);
        }
        Ok(headers)
    }
}

/// Certificates.
pub(super) mod certificates {
    use rustls::pki_types::CertificateDer;

    use super::{Deserialize, Deserializer, Engine, STANDARD, Serializer, bytes};

    pub(in crate::fetch) fn serialize<S: Serializer>(
        certificates: &[CertificateDer<'static>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(certificates.iter().map(|it| STANDARD.encode(it)))
    }

    pub(in crate::fetch) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<CertificateDer<'static>>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| Ok(bytes(text)?.into())).collect()
    }
}
